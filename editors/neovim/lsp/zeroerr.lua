---@brief
---
--- Writes functions from spec comments and checks them before it offers them: candidates of local
--- models vote on behaviour, the winner passes eight layers in a sandbox, and only then the edit
--- is offered. Install the `zeroerr` binary, put this folder on the 'runtimepath' and
---
--- ```lua
--- vim.lsp.enable('zeroerr')
--- ```
---
--- It runs beside your other servers: it completes nothing outside spec comments and
--- formats nothing.

---Without the plugin around it (the file was copied), the commands that need no window.
---@return {command: fun(opts: table), complete: fun(lead: string): string[]}
local function commands()
  local ok, plugin = pcall(require, 'zeroerr')
  if ok then
    return plugin
  end
  local at_cursor = { implement = 'zeroerr.implement', verify = 'zeroerr.verify' }
  local general = { cancel = 'zeroerr.cancel', status = 'zeroerr.status', report = 'zeroerr.showReport' }
  return {
    command = function(opts)
      local client = vim.lsp.get_clients({ name = 'zeroerr', bufnr = 0 })[1]
      local command = at_cursor[opts.args] or general[opts.args]
      if not client or not command then
        vim.notify('zeroerr: no such subcommand: ' .. opts.args, vim.log.levels.ERROR)
        return
      end
      local here = vim.lsp.util.make_position_params(0, client.offset_encoding)
      local arguments = at_cursor[opts.args] and { { uri = here.textDocument.uri, position = here.position } } or nil
      client:exec_cmd({ title = opts.args, command = command, arguments = arguments }, { bufnr = 0 })
    end,
    complete = function(lead)
      return vim.tbl_filter(function(name)
        return vim.startswith(name, lead)
      end, vim.list_extend(vim.tbl_keys(at_cursor), vim.tbl_keys(general)))
    end,
  }
end

---Deaths within so many seconds after which the server stays away.
local DEATHS, WITHIN = 5, 180
---@type table<integer, boolean>
local ready = {}

---The server has gone. One that nobody asked to go is started again, but not for ever.
---@param code integer
---@param signal integer
---@param client_id integer
local function gone(code, signal, client_id)
  local was_ready = ready[client_id]
  ready[client_id] = nil
  vim.schedule(function()
    -- Nobody vouches any more for what its lenses say.
    vim.lsp.codelens.clear(client_id)
    local asked = vim.v.exiting ~= vim.NIL or (code == 0 and signal == 0)
    if asked or (vim.lsp.is_enabled and not vim.lsp.is_enabled('zeroerr')) then
      return
    end
    local function say(text)
      vim.notify('zeroerr: ' .. text .. ' (' .. vim.lsp.get_log_path() .. ')', vim.log.levels.WARN)
    end
    if not was_ready then
      return say('the server ended before it was ready; the log says why')
    end
    local now = vim.uv.now() / 1000
    -- In a variable of the editor: Neovim reads this file anew when it starts a server.
    local deaths = vim.tbl_filter(function(at)
      return now - at < WITHIN
    end, vim.g.zeroerr_deaths or {})
    table.insert(deaths, now)
    local left = #deaths >= DEATHS
    vim.g.zeroerr_deaths = left and {} or deaths
    if left then
      return say(('the server ended %d times within %d minutes and is left stopped; the log says why'):format(DEATHS, WITHIN / 60))
    end
    say('the server has gone; it is started again')
    vim.lsp.enable('zeroerr')
  end)
end

---@type vim.lsp.Config
return {
  cmd = { 'zeroerr', 'lsp' },
  filetypes = { 'python', 'rust', 'typescript', 'typescriptreact', 'javascript', 'javascriptreact' },
  root_markers = {
    '.zeroerr.yaml', 'pyproject.toml', 'setup.py', 'setup.cfg', 'requirements.txt', 'Cargo.toml',
    'package.json', 'tsconfig.json', 'jsconfig.json', '.git',
  },
  -- Neovim applies versioned edits but does not say so; lenses are fetched anew by the handler below.
  capabilities = { workspace = { workspaceEdit = { documentChanges = true }, codeLens = { refreshSupport = true } } },
  handlers = {
    -- What was put on the screen before the question, such as the difference that it is about, has to be seen.
    ['window/showMessageRequest'] = function(...)
      vim.cmd.redraw()
      return vim.lsp.handlers['window/showMessageRequest'](...)
    end,
    -- Neovim 0.11 has none of its own. Where no lenses are shown, none are wanted. Asked for directly:
    -- `vim.lsp.codelens.refresh` does nothing while an older answer is on its way.
    ['workspace/codeLens/refresh'] = vim.fn.has('nvim-0.12') == 0 and function(_, _, ctx)
      local client = vim.lsp.get_client_by_id(ctx.client_id)
      for bufnr in pairs(client and client.attached_buffers or {}) do
        if client and #vim.lsp.codelens.get(bufnr) > 0 then
          local params = { textDocument = vim.lsp.util.make_text_document_params(bufnr) }
          client:request('textDocument/codeLens', params, vim.lsp.codelens.on_codelens, bufnr)
        end
      end
      return vim.NIL
    end or nil,
  },
  on_init = function(client)
    ready[client.id] = true
  end,
  on_exit = gone,
  on_attach = function(_, bufnr)
    local zeroerr = commands()
    vim.api.nvim_buf_create_user_command(bufnr, 'Zeroerr', zeroerr.command, {
      nargs = '?',
      range = true,
      desc = 'Implement or verify the function at the cursor; runs, cancel, status, report',
      complete = zeroerr.complete,
    })
  end,
}
