-- Two lines are selected, one instruction is typed, and the function is written after it.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  T.open(vim.env.E2E_FILE)
  local before = T.lines()
  local first = T.goto_text('def total')
  vim.ui.input = function(opts, on_confirm)
    T.keep('prompt', opts.prompt)
    on_confirm('Return the sum of the numbers in xs; 0 for an empty list.')
  end
  vim.cmd(string.format('%d,%dZeroerr selection', first, first + 4))
  T.wait_progress('end', 150)
  T.wait('the function to be written', 20, function()
    return not vim.deep_equal(before, T.lines())
  end)
  T.keep('after', T.lines())
end)
