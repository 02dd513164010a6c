-- A buffer that takes no changes: it is told, nothing breaks, and once it takes them the edit is one action away.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  T.open(vim.env.E2E_FILE)
  local before = T.lines()
  vim.bo.modifiable = false
  T.goto_text('def total')
  T.choose('implementing total', T.runs('zeroerr.implement'))
  T.wait_progress('end', 150)
  T.keep('told', T.wait_message('was not applied', 60))
  T.keep('untouched', vim.deep_equal(before, T.lines()))

  vim.bo.modifiable = true
  T.choose('the edit that waits', function(action)
    return vim.startswith(action.title, 'Apply verified edit')
  end)
  T.wait('the function to be written', 20, function()
    return not vim.deep_equal(before, T.lines())
  end)
  T.keep('after', T.lines())
end)
