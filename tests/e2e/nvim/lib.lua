-- What every flow shares: start the editor as its user does, act, wait, and write down everything
-- that the user would have seen. The Rust side (tests/e2e/neovim.rs) judges the record.
--
-- Environment: E2E_SERVER (the binary), E2E_PLUGIN (editors/neovim), E2E_RESULT (file to write).

local M = {}

local started = vim.uv.hrtime()
local record = { messages = {}, progress = {}, steps = {} }

local function now_ms()
  return math.floor((vim.uv.hrtime() - started) / 1e6)
end

---Adds a line to the record, for the reader of a failure.
function M.step(text)
  table.insert(record.steps, string.format('%6d ms  %s', now_ms(), text))
end

---Keeps a fact for the Rust side.
function M.keep(key, value)
  record[key] = value
end

---Writes the record and ends the editor.
local function leave(failure)
  record.failure = failure
  record.elapsed_ms = now_ms()
  local ok, buffer = pcall(M.lines)
  record.final_buffer = ok and buffer or {}
  record.final_diagnostics = ok and M.diagnostics() or {}
  local file = assert(io.open(assert(vim.env.E2E_RESULT), 'w'))
  file:write(vim.json.encode(record))
  file:close()
  os.exit(failure and 1 or 0)
end

local function listen()
  local show = vim.lsp.handlers['window/showMessage']
  vim.lsp.handlers['window/showMessage'] = function(err, params, ctx)
    table.insert(record.messages, params.message)
    M.step('message: ' .. params.message)
    return show(err, params, ctx)
  end
  local notify = vim.notify
  vim.notify = function(text, level, opts)
    table.insert(record.messages, text)
    M.step('notification: ' .. text)
    return notify(text, level, opts)
  end
  vim.api.nvim_create_autocmd('LspProgress', {
    callback = function(event)
      local value = event.data.params.value
      table.insert(record.progress, {
        kind = value.kind,
        title = value.title,
        message = value.message,
        percentage = value.percentage,
        cancellable = value.cancellable,
      })
      M.step('progress: ' .. vim.json.encode(value))
    end,
  })
end

---Waits until `probe` answers something true, and answers that.
---@param what string what the user waits for, for the failure's text
---@param seconds number
---@param probe fun(): any
function M.wait(what, seconds, probe)
  local got
  vim.wait(seconds * 1000, function()
    got = probe()
    return got and true or false
  end, 10)
  if not got then
    leave(string.format('waited %g s for %s', seconds, what))
  end
  M.step('seen: ' .. what)
  return got
end

---Opens a file with the server enabled through the shipped `lsp/zeroerr.lua`.
---@param path string
---@param settings? table the user's settings of zeroerr
---@return vim.lsp.Client
function M.open(path, settings)
  vim.opt.runtimepath:prepend(assert(vim.env.E2E_PLUGIN))
  vim.opt.swapfile = false
  vim.cmd.filetype('on')
  listen()
  vim.lsp.config('zeroerr', { cmd = { assert(vim.env.E2E_SERVER), 'lsp' }, settings = { zeroerr = settings } })
  vim.lsp.enable('zeroerr')
  M.step('opening ' .. path)
  vim.cmd.edit(path)
  return M.wait('the server to attach', 90, function()
    local client = vim.lsp.get_clients({ bufnr = 0, name = 'zeroerr' })[1]
    return client and client.initialized and client or nil
  end)
end

---The lines of the buffer.
function M.lines()
  return vim.api.nvim_buf_get_lines(0, 0, -1, false)
end

---The diagnostics of the buffer, line numbers as the user counts them.
function M.diagnostics()
  local names = { 'error', 'warning', 'information', 'hint' }
  local list = vim.tbl_map(function(d)
    return {
      line = d.lnum + 1,
      from = d.col + 1,
      to_line = d.end_lnum and d.end_lnum + 1,
      to = d.end_col,
      severity = names[d.severity],
      source = d.source,
      code = d.code,
      message = d.message,
    }
  end, vim.diagnostic.get(0))
  table.sort(list, function(a, b)
    return a.line == b.line and a.from < b.from or a.line < b.line
  end)
  return list
end

---Puts the cursor on the first line that contains `text`.
function M.goto_text(text)
  for number, line in ipairs(M.lines()) do
    local column = line:find(text, 1, true)
    if column then
      vim.api.nvim_win_set_cursor(0, { number, column - 1 })
      return number
    end
  end
  leave('the buffer has no line with ' .. text)
end

---Types keys as a user does.
function M.type(keys)
  M.step('typing ' .. keys)
  vim.api.nvim_feedkeys(vim.keycode(keys), 'xt', false)
  -- Waiting for the next key ends an undo step; a script does not wait, this does the same.
  vim.o.undolevels = vim.o.undolevels
end

---Chooses a code action at the cursor through the editor's own menu.
---@param wanted fun(action: table): boolean
function M.choose(what, wanted)
  local offered, chosen = {}, nil
  local select = vim.ui.select
  vim.ui.select = function(items, _, on_choice)
    vim.ui.select = select
    for _, item in ipairs(items) do
      table.insert(offered, item.action.title)
      if not chosen and wanted(item.action) then
        chosen = item
      end
    end
    M.step('offered: ' .. table.concat(offered, ' | '))
    on_choice(chosen)
  end
  vim.lsp.buf.code_action()
  M.wait('the menu with ' .. what, 30, function()
    return #offered > 0
  end)
  vim.ui.select = select
  if not chosen then
    leave('no action for ' .. what .. ' among: ' .. table.concat(offered, ' | '))
  end
  record.offered = offered
  return chosen.action
end

---A filter for `choose`: the action that runs this command of the server.
function M.runs(command)
  return function(action)
    return type(action.command) == 'table' and action.command.command == command
  end
end

---Waits for a progress event of this kind.
function M.wait_progress(kind, seconds, from)
  return M.wait('progress ' .. kind, seconds, function()
    for index = from or 1, #record.progress do
      if record.progress[index].kind == kind then
        return index
      end
    end
  end)
end

---How many progress events of this kind there were.
function M.count_progress(kind)
  return #vim.tbl_filter(function(event)
    return event.kind == kind
  end, record.progress)
end

---The titles of the actions that the last menu offered.
function M.offered()
  return record.offered
end

---Waits for a message that contains `text` (not a pattern).
function M.wait_message(text, seconds)
  return M.wait('a message with "' .. text .. '"', seconds, function()
    for _, message in ipairs(record.messages) do
      if message:lower():find(text:lower(), 1, true) then
        return message
      end
    end
  end)
end

---Waits for a diagnostic that `wanted` accepts.
function M.wait_diagnostic(what, seconds, wanted)
  return M.wait(what, seconds, function()
    for _, diagnostic in ipairs(M.diagnostics()) do
      if wanted(diagnostic) then
        return diagnostic
      end
    end
  end)
end

---Lets the editor handle events for a while, to show that something does *not* happen.
function M.idle(seconds)
  vim.wait(seconds * 1000, function()
    return false
  end, 10)
end

---Runs a flow; an error in it is a failure of the flow, not of the editor.
---@param flow fun()
function M.run(flow)
  local ok, trouble = xpcall(flow, debug.traceback)
  leave(not ok and tostring(trouble) or nil)
end

return M
