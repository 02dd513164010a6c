-- The main job: a stub with a spec becomes verified code, and one `u` takes it back.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  T.open(vim.env.E2E_FILE)
  local before = T.lines()
  T.goto_text((vim.bo.filetype == 'python' and 'def ' or 'function ') .. vim.env.E2E_FUNCTION)
  local action = T.choose('implementing ' .. vim.env.E2E_FUNCTION, T.runs('zeroerr.implement'))
  T.keep('action', { title = action.title, kind = action.kind })

  T.wait_progress('begin', 60)
  local last = T.wait_progress('end', tonumber(vim.env.E2E_PATIENCE))
  T.keep('end_at', last)
  T.wait('the function to be written', 20, function()
    return not vim.deep_equal(before, T.lines())
  end)
  T.keep('after', T.lines())
  T.keep('modified', vim.bo.modified)

  T.type('u')
  T.keep('undone', T.lines())
  T.keep('undone_is_the_original', vim.deep_equal(before, T.lines()))
end)
