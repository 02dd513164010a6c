-- A spec with a mistake: an exact diagnostic, its quick fix, and then the job works.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  T.open(vim.env.E2E_FILE)
  local found = T.wait_diagnostic('the mistake in the spec', 30, function(d)
    return d.source == 'zeroerr' and vim.startswith(d.code or '', 'spec.')
  end)
  T.keep('mistake', found)

  vim.api.nvim_win_set_cursor(0, { found.line, found.from - 1 })
  local fix = T.choose('the quick fix', function(action)
    return action.kind == 'quickfix'
  end)
  T.keep('fix', fix.title)
  T.wait('the diagnostic to go', 30, function()
    return #T.diagnostics() == 0
  end)
  T.keep('fixed_line', T.lines()[found.line])

  local before = T.lines()
  T.goto_text('def total')
  T.choose('implementing total', T.runs('zeroerr.implement'))
  T.wait_progress('end', 150)
  T.wait('the function to be written', 20, function()
    return not vim.deep_equal(before, T.lines())
  end)
  T.keep('after', T.lines())
end)
