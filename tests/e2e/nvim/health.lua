-- `:checkhealth zeroerr` with the server attached, and without its binary; the help is found.
local T = dofile(vim.env.E2E_LIB)

local function report()
  vim.cmd('checkhealth zeroerr')
  local lines = T.lines()
  vim.cmd('bwipeout')
  return lines
end

T.run(function()
  T.open(vim.env.E2E_FILE)
  T.keep('well', report())
  vim.lsp.config('zeroerr', { cmd = { '/nonexistent/zeroerr', 'lsp' } })
  T.keep('ill', report())

  -- The tags are made where the plugin manager would make them, but not in the repository.
  local home = vim.fn.tempname()
  vim.fn.mkdir(home .. '/doc', 'p')
  assert(vim.uv.fs_copyfile(vim.env.E2E_PLUGIN .. '/doc/zeroerr.txt', home .. '/doc/zeroerr.txt'))
  vim.opt.runtimepath:append(home)
  vim.cmd('helptags ' .. vim.fn.fnameescape(home .. '/doc'))
  vim.cmd('help zeroerr-statusline')
  T.keep('help', vim.api.nvim_get_current_line())
end)
