-- No candidate is good enough: no edit, and a diagnostic that says why.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  T.open(vim.env.E2E_FILE)
  local before = T.lines()
  T.goto_text('def total')
  T.choose('implementing total', T.runs('zeroerr.implement'))
  T.wait_progress('end', 150)
  T.wait_diagnostic('the abstention', 20, function(d)
    return d.source == 'zeroerr'
  end)
  T.idle(0.5)
  T.keep('untouched', vim.deep_equal(before, T.lines()))
end)
