--- `:checkhealth zeroerr`: whether the editor, the binary and the machine are what a run needs.
local M = {}

---@param config? vim.lsp.Config
---@return string
local function binary(config)
  local cmd = config and config.cmd
  return type(cmd) == 'table' and cmd[1] or 'zeroerr'
end

---@param program string
---@param args string[]
---@return vim.SystemCompleted?
local function call(program, args)
  local ok, done = pcall(function()
    return vim.system(vim.list_extend({ program }, args), { text = true, timeout = 60000 }):wait()
  end)
  return ok and done or nil
end

---@param program string
local function machine(program)
  local done = call(program, { 'doctor', '--json' })
  local ok, found = pcall(vim.json.decode, done and done.stdout or '')
  if not ok or type(found) ~= 'table' or type(found.checks) ~= 'table' then
    vim.health.error('`' .. program .. ' doctor --json` gave no answer', { 'run `zeroerr doctor` in a terminal' })
    return
  end
  for _, check in ipairs(found.checks) do
    local text = check.name .. ': ' .. (check.detail or '')
    if check.status == 'ok' then
      vim.health.ok(text)
    else
      local remedy = type(check.remedy) == 'string' and check.remedy or 'run `zeroerr doctor --fix`'
      vim.health.error(text, { remedy })
    end
  end
end

function M.check()
  vim.health.start('zeroerr: editor')
  if vim.fn.has('nvim-0.11') == 1 then
    vim.health.ok('Neovim ' .. tostring(vim.version()))
  else
    vim.health.error('Neovim is older than 0.11', { 'install Neovim 0.11 or newer' })
    return
  end
  local config = vim.lsp.config['zeroerr']
  if not config then
    vim.health.error('`lsp/zeroerr.lua` is not on the runtimepath', {
      'put editors/neovim on it, or copy the file to ~/.config/nvim/lsp/',
    })
  else
    vim.health.ok('`lsp/zeroerr.lua` is found, for ' .. table.concat(config.filetypes or {}, ', '))
  end
  -- Neovim 0.11 cannot be asked.
  if vim.lsp.is_enabled and not vim.lsp.is_enabled('zeroerr') then
    vim.health.warn('the server is not enabled', { "`vim.lsp.enable('zeroerr')` in init.lua" })
  end
  local clients = vim.lsp.get_clients({ name = 'zeroerr' })
  for _, client in ipairs(clients) do
    local version = client.server_info and client.server_info.version or 'unknown'
    local buffers = vim.tbl_count(client.attached_buffers)
    vim.health.ok(string.format('running: version %s, %d buffers, positions in %s', version, buffers, client.offset_encoding))
  end
  if #clients == 0 then
    vim.health.info('no server runs now; it starts with the first Python file')
  end

  vim.health.start('zeroerr: binary and machine')
  local program = binary(config)
  if vim.fn.executable(program) == 0 then
    vim.health.error('`' .. program .. '` cannot be started', {
      'build it with `cargo build -p zeroerr-cli` and put it on the PATH',
      "or name it: vim.lsp.config('zeroerr', { cmd = { '/path/to/zeroerr', 'lsp' } })",
    })
    return
  end
  local done = call(program, { '--version' })
  if done and done.code == 0 then
    vim.health.ok(vim.trim(done.stdout) .. ' (' .. vim.fn.exepath(program) .. ')')
    machine(program)
  else
    vim.health.error('`' .. program .. ' --version` failed', { vim.trim(done and done.stderr or 'it did not end') })
  end
end

return M
