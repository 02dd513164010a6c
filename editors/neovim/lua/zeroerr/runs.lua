--- What runs and what ran, from the progress that the server reports: a line for the status line
--- and a window that follows it.
local M = {}

---@class zeroerr.Run
---@field token string|integer
---@field client integer
---@field title string
---@field lines string[] every message, oldest first
---@field last string the newest message
---@field done boolean

---Runs that are kept for the window.
local KEPT = 20
---Lines that are kept of a run.
local LINES = 200

---@type zeroerr.Run[] oldest first
M.list = {}

local namespace = vim.api.nvim_create_namespace('zeroerr.runs')
local buffer, window

---@param client integer
---@param token string|integer
---@return zeroerr.Run?
local function find(client, token)
  for index = #M.list, 1, -1 do
    local run = M.list[index]
    if run.client == client and run.token == token and not run.done then
      return run
    end
  end
end

---Takes in one `LspProgress` event of a zeroerr server.
---@param client integer
---@param params {token: string|integer, value: table}
function M.take(client, params)
  local value = params.value
  local run = find(client, params.token)
  if value.kind == 'begin' then
    run = { token = params.token, client = client, title = value.title or 'zeroerr', lines = {}, last = '', done = false }
    table.insert(M.list, run)
    while #M.list > KEPT do
      table.remove(M.list, 1)
    end
  end
  if not run then
    return
  end
  if value.message and value.message ~= run.last then
    run.last = value.message
    table.insert(run.lines, value.message)
    if #run.lines > LINES then
      table.remove(run.lines, 1)
    end
  end
  run.done = run.done or value.kind == 'end'
  M.draw()
end

---Runs whose server has gone will report no end.
---@param client integer
local function gone(client)
  for _, run in ipairs(M.list) do
    if run.client == client and not run.done then
      run.done = true
      run.last = 'the server has gone'
      table.insert(run.lines, run.last)
    end
  end
  M.draw()
end

---Begins to listen.
---@param group integer
function M.follow(group)
  vim.api.nvim_create_autocmd('LspProgress', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'zeroerr' then
        M.take(client.id, event.data.params)
        vim.cmd('redrawstatus!')
      end
    end,
  })
  vim.api.nvim_create_autocmd('LspDetach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'zeroerr' and vim.tbl_count(client.attached_buffers) <= 1 then
        gone(client.id)
      end
    end,
  })
end

---What runs now, `%` doubled for the status line; empty when nothing does.
---@return string
function M.line()
  local busy = vim.tbl_filter(function(run)
    return not run.done
  end, M.list)
  local newest = busy[#busy]
  if not newest then
    return ''
  end
  local others = #busy > 1 and string.format(' (+%d)', #busy - 1) or ''
  local text = newest.last ~= '' and newest.last or newest.title
  return ('zeroerr ' .. text .. others):gsub('%%', '%%%%')
end

---The window's text, newest run first, and the marks on its lines.
---@return string[] lines
---@return {[1]: integer, [2]: string}[] marks line (from 0) and highlight group
function M.render()
  local lines, marks = {}, {}
  local function add(text, highlight)
    for part in vim.gsplit(text, '\n', { plain = true }) do
      table.insert(lines, part)
      table.insert(marks, { #lines - 1, highlight })
    end
  end
  if #M.list == 0 then
    add('Nothing ran yet. `gra` on a function with a spec begins.', 'Comment')
  end
  for index = #M.list, 1, -1 do
    local run = M.list[index]
    add((run.done and '  ' or '▶ ') .. run.title, run.done and 'Title' or 'DiagnosticInfo')
    for _, line in ipairs(run.lines) do
      add('    ' .. line, line == run.last and 'Normal' or 'Comment')
    end
  end
  return lines, marks
end

---Draws the window anew, if it is open.
function M.draw()
  if not (buffer and vim.api.nvim_buf_is_valid(buffer)) then
    return
  end
  local lines, marks = M.render()
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
  vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  for _, mark in ipairs(marks) do
    vim.api.nvim_buf_set_extmark(buffer, namespace, mark[1], 0, { line_hl_group = mark[2] })
  end
end

---Opens the window below, or closes it. `q` closes, `c` cancels what runs.
function M.toggle()
  if window and vim.api.nvim_win_is_valid(window) then
    vim.api.nvim_win_close(window, true)
    window = nil
    return
  end
  if not (buffer and vim.api.nvim_buf_is_valid(buffer)) then
    buffer = vim.api.nvim_create_buf(false, true)
    vim.bo[buffer].filetype = 'zeroerr-runs'
    vim.bo[buffer].bufhidden = 'hide'
    vim.api.nvim_buf_set_name(buffer, 'zeroerr://runs')
    vim.keymap.set('n', 'q', M.toggle, { buffer = buffer, desc = 'close' })
    vim.keymap.set('n', 'c', function()
      require('zeroerr').cancel()
    end, { buffer = buffer, desc = 'cancel what runs' })
  end
  window = vim.api.nvim_open_win(buffer, false, { split = 'below', height = 12 })
  vim.wo[window].number = false
  vim.wo[window].wrap = true
  vim.wo[window].winfixheight = true
  M.draw()
end

return M
