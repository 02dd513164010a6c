-- The user writes elsewhere while a function is being written: the edit lands where the function
-- is now, and what the user wrote stays.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  T.open(vim.env.E2E_FILE)
  T.goto_text('def total')
  T.choose('implementing total', T.runs('zeroerr.implement'))
  T.wait_progress('begin', 60)

  T.type('ggO# a first line, with 🐍 and ü<CR># and a second<Esc>')
  T.type('GoAFTERWARDS = 1<Esc>')
  local mine = T.lines()
  T.wait_progress('end', 150)
  T.wait('the function to be written', 20, function()
    return not vim.deep_equal(mine, T.lines())
  end)
  T.keep('after', T.lines())
  T.type('u')
  T.keep('undo_keeps_my_lines', vim.deep_equal(mine, T.lines()))
end)
