-- The server dies in a run: nothing is claimed, another one works; but not for ever. And one that dies at once.
local T = dofile(vim.env.E2E_LIB)

---The process of the server.
local function server()
  for _, pid in ipairs(vim.api.nvim_get_proc_children(vim.fn.getpid())) do
    local info = vim.api.nvim_get_proc(pid)
    if info and info.name == 'zeroerr' then
      return pid
    end
  end
end

local function client()
  local found = vim.lsp.get_clients({ bufnr = 0, name = 'zeroerr' })[1]
  return found and found.initialized and not found:is_stopped() and found or nil
end

---Kills the server, and waits until its end was seen.
local function kill(seen)
  local old = assert(client()).id
  vim.uv.kill(assert(server(), 'a server runs'), 'sigkill')
  T.wait('the end of the server', 30, function()
    return not vim.lsp.get_client_by_id(old)
  end)
  return seen or T.wait('another server', 60, client)
end

T.run(function()
  T.open(vim.env.E2E_FILE)
  local before = T.lines()
  vim.lsp.codelens.refresh({ bufnr = 0 })
  T.wait('a lens', 30, function()
    return #vim.lsp.codelens.get(0) > 0
  end)
  T.goto_text('def total')
  T.choose('implementing total', T.runs('zeroerr.implement'))
  T.wait_progress('begin', 60)
  vim.uv.kill(assert(server(), 'a server runs'), 'sigkill')
  T.wait('the lenses of the dead server to be gone', 30, function()
    return #vim.lsp.codelens.get(0) == 0
  end)
  T.keep('nothing_claimed', #T.diagnostics() == 0)
  T.keep('untouched', vim.deep_equal(before, T.lines()))

  T.wait('another server', 60, client)
  T.choose('implementing total again', T.runs('zeroerr.implement'))
  T.wait('the function to be written', 150, function()
    return not vim.deep_equal(before, T.lines())
  end)
  T.keep('after', T.lines())

  for _ = 2, 4 do
    kill()
  end
  kill(true)
  T.wait_message('ended 5 times', 30)
  T.idle(2)
  T.keep('stays_stopped', client() == nil and server() == nil)

  vim.lsp.config('zeroerr', { cmd = { 'false' } })
  vim.lsp.enable('zeroerr')
  T.wait_message('ended before it was ready', 30)
  vim.lsp.config('zeroerr', { cmd = { assert(vim.env.E2E_SERVER), 'lsp' } })
  vim.lsp.enable('zeroerr')
  T.wait('the server that the user asked for', 60, client)
  T.keep('starts_when_asked', true)
end)
