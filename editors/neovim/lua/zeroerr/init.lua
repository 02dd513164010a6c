--- Optional comforts around `lsp/zeroerr.lua`: a status line, a run window, a menu, code lenses.
--- The server works without any of it.
local M = {}

---@class zeroerr.Options
---@field lens? boolean show code lenses and keep them fresh (default true)
---@field keys? string|false prefix of the normal-mode mappings, such as '<leader>z' (default false)

---@type zeroerr.Options
local defaults = { lens = true, keys = false }

local group = vim.api.nvim_create_augroup('zeroerr', { clear = true })

---The client that serves the buffer.
---@param bufnr? integer
---@return vim.lsp.Client?
function M.client(bufnr)
  return vim.lsp.get_clients({ name = 'zeroerr', bufnr = bufnr })[1]
end

---@param text string
local function complain(text)
  vim.notify('zeroerr: ' .. text, vim.log.levels.WARN)
end

---Sends one of the server's commands.
---@param command string such as `zeroerr.cancel`
---@param argument? table
local function send(command, argument)
  local client = M.client(0) or M.client()
  if not client then
    return complain('no server is attached; `:checkhealth zeroerr` says why')
  end
  client:exec_cmd({ title = command, command = command, arguments = argument and { argument } or nil }, { bufnr = 0 })
end

---@return table
local function here()
  local client = M.client(0)
  local params = vim.lsp.util.make_position_params(0, client and client.offset_encoding or 'utf-16')
  return { uri = params.textDocument.uri, position = params.position }
end

---Writes the function at the cursor.
function M.implement()
  send('zeroerr.implement', here())
end

---Runs the eight layers on the function at the cursor.
function M.verify()
  send('zeroerr.verify', here())
end

---Asks for one instruction line and writes what is selected anew.
---@param range? {[1]: integer, [2]: integer} first and last line, counted from 1; the visual selection without it
function M.implement_selection(range)
  local client = M.client(0)
  if not client then
    return complain('no server is attached to this buffer')
  end
  local first, last = vim.fn.line('v'), vim.fn.line('.')
  if range then
    first, last = range[1], range[2]
  end
  if first > last then
    first, last = last, first
  end
  local bufnr = vim.api.nvim_get_current_buf()
  local uri = vim.uri_from_bufnr(bufnr)
  vim.ui.input({ prompt = 'zeroerr, what is it to do? ' }, function(instruction)
    if not instruction or vim.trim(instruction) == '' then
      return
    end
    local text = vim.api.nvim_buf_get_lines(bufnr, last - 1, last, false)[1] or ''
    send('zeroerr.implement', {
      uri = uri,
      range = {
        start = { line = first - 1, character = 0 },
        ['end'] = { line = last - 1, character = vim.str_utfindex(text, client.offset_encoding) },
      },
      instruction = instruction,
    })
  end)
end

---Has every stub of the file written that has a spec.
function M.implement_all()
  send('zeroerr.implementAll', { uri = vim.uri_from_bufnr(0) })
end

---Has every function of the file checked that was changed since it was checked.
function M.verify_changed()
  send('zeroerr.verifyChanged', { uri = vim.uri_from_bufnr(0) })
end

---Cancels every run. Neovim has no button for it.
function M.cancel()
  send('zeroerr.cancel')
end

---Says what runs, and what the machine has.
function M.status()
  send('zeroerr.status')
end

---Opens the report of the newest run.
function M.report()
  send('zeroerr.showReport')
end

---Opens, or closes, the window that follows the runs.
function M.runs()
  require('zeroerr.runs').toggle()
end

---For the status line: what runs, or nothing. `%{%v:lua.require'zeroerr'.statusline()%}`
---@return string
function M.statusline()
  return require('zeroerr.runs').line()
end

---What the menu and `:Zeroerr` offer, in this order.
---@type {name: string, what: string, act: fun(opts?: table)}[]
M.actions = {
  { name = 'implement', what = 'Implement the function at the cursor', act = M.implement },
  { name = 'verify', what = 'Verify the function at the cursor', act = M.verify },
  { name = 'all', what = 'Implement every stub of this file', act = M.implement_all },
  { name = 'changed', what = 'Verify what was changed since it was checked', act = M.verify_changed },
  {
    name = 'selection',
    what = 'Implement the selection after one instruction',
    act = function(opts)
      M.implement_selection(opts and opts.range and opts.range > 0 and { opts.line1, opts.line2 } or nil)
    end,
  },
  { name = 'runs', what = 'Follow the runs in a window', act = M.runs },
  { name = 'cancel', what = 'Cancel what runs', act = M.cancel },
  { name = 'status', what = 'Show model, sandbox and tools', act = M.status },
  { name = 'report', what = 'Open the report of the last run', act = M.report },
}

---Offers everything through `vim.ui.select`, which pickers take over.
function M.menu()
  vim.ui.select(M.actions, {
    prompt = 'zeroerr',
    format_item = function(action)
      return action.what
    end,
  }, function(action)
    if action then
      action.act()
    end
  end)
end

---`:Zeroerr [name]`; the menu without a name.
---@param opts vim.api.keyset.create_user_command.command_args
function M.command(opts)
  if opts.args == '' then
    return M.menu()
  end
  for _, action in ipairs(M.actions) do
    if action.name == opts.args then
      return action.act(opts)
    end
  end
  vim.notify('zeroerr: no such subcommand: ' .. opts.args, vim.log.levels.ERROR)
end

---Names of `:Zeroerr` that begin with `lead`.
---@param lead string
---@return string[]
function M.complete(lead)
  local names = vim.tbl_map(function(action)
    return action.name
  end, M.actions)
  return vim.tbl_filter(function(name)
    return vim.startswith(name, lead)
  end, names)
end

---@param bufnr integer
local function show_lenses(bufnr)
  vim.api.nvim_create_autocmd({ 'BufEnter', 'InsertLeave', 'TextChanged', 'TextChangedI' }, {
    group = group,
    buffer = bufnr,
    callback = function()
      if M.client(bufnr) then
        vim.lsp.codelens.refresh({ bufnr = bufnr })
      end
    end,
  })
  vim.lsp.codelens.refresh({ bufnr = bufnr })
end

---@param bufnr integer
---@param prefix string
local function map_keys(bufnr, prefix)
  local keys = { i = M.implement, v = M.verify, r = M.runs, c = M.cancel, s = M.status, p = M.report, z = M.menu }
  for key, act in pairs(keys) do
    vim.keymap.set('n', prefix .. key, function()
      act()
    end, { buffer = bufnr, desc = 'zeroerr' })
  end
  vim.keymap.set('x', prefix .. 'i', function()
    M.implement_selection()
  end, { buffer = bufnr, desc = 'zeroerr: implement the selection' })
end

---Enables the server and the comforts. Calling it again changes them for buffers attached later.
---@param opts? zeroerr.Options
function M.setup(opts)
  local options = vim.tbl_extend('force', defaults, opts or {})
  vim.api.nvim_clear_autocmds({ group = group })
  require('zeroerr.runs').follow(group)
  vim.api.nvim_create_autocmd('LspAttach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if not client or client.name ~= 'zeroerr' then
        return
      end
      if options.lens then
        show_lenses(event.buf)
      end
      if options.keys then
        map_keys(event.buf, options.keys)
      end
    end,
  })
  vim.lsp.enable('zeroerr')
end

return M
