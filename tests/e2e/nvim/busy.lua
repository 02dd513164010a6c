-- Starts a run and keeps it busy, until the Rust side kills the editor.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  T.open(vim.env.E2E_FILE)
  T.goto_text('def total')
  T.choose('implementing total', T.runs('zeroerr.implement'))
  T.wait_progress('begin', 60)
  T.idle(1)
  assert(io.open(vim.env.E2E_RESULT .. '.busy', 'w')):close()
  T.idle(120)
end)
