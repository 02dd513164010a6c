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
--- It runs beside your other Python servers: it completes nothing outside spec comments and
--- formats nothing.

---@class zeroerr.Subcommand
---@field command string the server's command
---@field at_cursor boolean whether it is about the function at the cursor

---@type table<string, zeroerr.Subcommand>
local subcommands = {
  implement = { command = 'zeroerr.implement', at_cursor = true },
  verify = { command = 'zeroerr.verify', at_cursor = true },
  cancel = { command = 'zeroerr.cancel', at_cursor = false },
  status = { command = 'zeroerr.status', at_cursor = false },
  report = { command = 'zeroerr.showReport', at_cursor = false },
}

---@type vim.lsp.Config
return {
  cmd = { 'zeroerr', 'lsp' },
  filetypes = { 'python' },
  root_markers = { '.zeroerr.yaml', 'pyproject.toml', 'setup.py', 'setup.cfg', 'requirements.txt', '.git' },
  -- Neovim applies versioned edits but does not say so.
  capabilities = { workspace = { workspaceEdit = { documentChanges = true } } },
  on_attach = function(client, bufnr)
    vim.api.nvim_buf_create_user_command(bufnr, 'Zeroerr', function(opts)
      local subcommand = subcommands[opts.args]
      if not subcommand then
        vim.notify('zeroerr: no such subcommand: ' .. opts.args, vim.log.levels.ERROR)
        return
      end
      local here = vim.lsp.util.make_position_params(0, client.offset_encoding)
      local arguments = subcommand.at_cursor and { { uri = here.textDocument.uri, position = here.position } } or nil
      client:exec_cmd({ title = opts.args, command = subcommand.command, arguments = arguments }, { bufnr = bufnr })
    end, {
      nargs = 1,
      desc = 'Implement or verify the function at the cursor; cancel, status, report',
      complete = function(lead)
        return vim.tbl_filter(function(name)
          return vim.startswith(name, lead)
        end, vim.tbl_keys(subcommands))
      end,
    })
  end,
}
