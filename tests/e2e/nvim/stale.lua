-- The user changes the very function while it is being written: nothing of ours may land.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  T.open(vim.env.E2E_FILE)
  T.goto_text('def total')
  T.choose('implementing total', T.runs('zeroerr.implement'))
  T.wait_progress('begin', 60)

  T.goto_text('def total')
  T.type('f.Creturn 7  # mine<Esc>')
  local mine = T.lines()
  T.wait_progress('end', 150)
  T.wait_message('was changed', 20)
  T.idle(0.5)
  T.keep('untouched', vim.deep_equal(mine, T.lines()))
end)
