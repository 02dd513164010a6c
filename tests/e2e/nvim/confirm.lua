-- With `lsp.confirm_edits` the user is asked, with the difference at hand: discarded it leaves no trace, what
-- was typed between the question and its answer wins, dismissed it waits as a code action, accepted it is there.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  local asked = {}
  vim.ui.select = function(items, opts, on_choice)
    if #asked == 1 then
      -- An editor whose menu waits for the answer would show nothing that comes after the question.
      T.keep('diff_is_seen', vim.iter(vim.api.nvim_list_bufs()):any(function(buffer)
        return vim.tbl_contains(vim.api.nvim_buf_get_lines(buffer, 0, -1, false), '+    return sum(xs)')
      end))
    end
    local titles = vim.tbl_map(opts.format_item, items)
    T.step('asked: ' .. opts.prompt .. table.concat(titles, ' | '))
    table.insert(asked, {
      titles = titles,
      answer = function(title)
        T.step('answered: ' .. tostring(title))
        on_choice(vim.tbl_filter(function(item)
          return item.title == title
        end, items)[1])
      end,
    })
  end
  local function question(count)
    T.wait('question ' .. count, 120, function()
      return #asked >= count
    end)
    return asked[count]
  end

  T.open(vim.env.E2E_FILE, { lsp = { confirm_edits = true } })
  local before = T.lines()
  local file = vim.api.nvim_get_current_buf()
  local function implement()
    T.goto_text('def total')
    vim.cmd('Zeroerr implement')
  end

  implement()
  T.keep('buttons', question(1).titles)
  asked[1].answer('Show the diff')
  T.wait('the diff to be opened', 60, function()
    return vim.api.nvim_get_current_buf() ~= file
  end)
  T.keep('diff', T.lines())
  vim.api.nvim_set_current_buf(file)
  question(2).answer('Discard')
  T.idle(0.5)
  T.keep('discarded_without_a_trace', vim.deep_equal(before, T.lines()) and not vim.bo.modified)

  implement()
  question(3)
  T.goto_text('def total')
  T.type('A  # mine<Esc>')
  local mine = T.lines()
  asked[3].answer('Apply')
  T.wait_message('was changed', 20)
  T.idle(0.5)
  T.keep('what_was_typed_wins', vim.deep_equal(mine, T.lines()))
  T.type('u')

  implement()
  question(4).answer(nil)
  T.idle(0.5)
  T.keep('dismissed_without_a_trace', vim.deep_equal(before, T.lines()))
  T.goto_text('def total')
  T.choose('the edit that waits', function(action)
    return vim.startswith(action.title, 'Apply verified edit')
  end)
  T.wait('the accepted edit', 20, function()
    return not vim.deep_equal(before, T.lines())
  end)
  T.keep('after', T.lines())
end)
