-- Neovim has no cancel button: `:Zeroerr cancel` ends the run, and the server goes on.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  local client = T.open(vim.env.E2E_FILE)
  local before = T.lines()
  T.goto_text('def total')
  T.choose('implementing total', T.runs('zeroerr.implement'))
  T.wait_progress('begin', 60)
  T.idle(0.5)

  local asked = vim.uv.hrtime()
  vim.cmd('Zeroerr cancel')
  T.wait_progress('end', 30)
  T.keep('cancelled_after_ms', math.floor((vim.uv.hrtime() - asked) / 1e6))
  T.idle(1)
  T.keep('untouched', vim.deep_equal(before, T.lines()))

  vim.cmd('Zeroerr status')
  T.keep('status', T.wait_message('nothing is running', 20))
  T.keep('server_alive', not client:is_stopped())
end)
