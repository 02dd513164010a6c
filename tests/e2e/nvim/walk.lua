-- The walk of editors/vscode/test/host/walk.ts, with keys and the editor's own menu: all stubs at once, why
-- one of them abstained, the answer to its disagreement, a suggested example, a changed spec, what changed
-- since, a layer that fails, a counterexample that is kept, the line `# zeroerr:` on a selection.
local T = dofile(vim.env.E2E_LIB)

local function has(text)
  return table.concat(T.lines(), '\n'):find(text, 1, true) ~= nil
end

local function wait_text(text)
  T.wait('the text ' .. text, 150, function()
    return has(text)
  end)
end

---An action whose title begins so.
local function titled(title)
  return function(action)
    return vim.startswith(action.title, title)
  end
end

local function choose(at, title)
  T.goto_text(at)
  T.choose(title, titled(title))
end

---What hover shows at the cursor, once it contains `text`.
local function hover(text)
  return T.wait('a hover with ' .. text, 60, function()
    local params = vim.lsp.util.make_position_params(0, 'utf-8')
    local answer = vim.lsp.buf_request_sync(0, 'textDocument/hover', params, 10000)
    for _, response in pairs(answer or {}) do
      local shown = response.result and response.result.contents.value or ''
      if shown:find(text, 1, true) then
        return shown
      end
    end
  end)
end

---The edit is in the buffer before the server hears that it was taken; until then its mark is about the text before.
local function wait_written(at)
  T.goto_text(at)
  T.wait('a mark about this text', 60, function()
    local shown = hover('Written by zeroerr')
    return shown and not shown:find('changed since', 1, true)
  end)
end

local function ends(count)
  T.wait(count .. ' runs to end', 200, function()
    return T.count_progress('end') >= count
  end)
end

T.run(function()
  T.open(vim.env.E2E_FILE)
  choose('def evens', 'Implement all 4 stubs of this file')
  ends(4)
  wait_text('x % 2 == 0')
  wait_text('text[::-1]')

  T.goto_text('def last')
  local why = T.wait_diagnostic('the abstention', 60, function(d)
    return d.code == 'vote.abstained'
  end)
  T.keep('why', why.message)
  T.keep('hover', vim.split(hover('No edit @v'), '\n'))
  vim.opt.runtimepath:prepend(assert(vim.env.E2E_PLUGIN))
  require('zeroerr').setup()
  local file = vim.api.nvim_get_current_buf()
  T.choose('the report on `last`', titled('Show zeroerr report on `last`'))
  T.wait('the report to be opened', 60, function()
    return vim.api.nvim_get_current_buf() ~= file
  end)
  T.keep('report', T.lines())
  vim.api.nvim_set_current_buf(file)

  choose('def last', '`last([])` should raise `IndexError` (')
  T.keep('answers', T.offered())
  wait_text('# @raises IndexError last([])')
  ends(5)
  wait_text('    return xs[-1]')

  T.wait_diagnostic('what is missing', 60, function(d)
    return d.message:find('no evidence', 1, true) ~= nil
  end)
  choose('def first_word', 'Add to the spec as a guess: `first_word(')
  wait_text('# @example? first_word(')
  choose('@example?', 'Accept the guess')
  wait_text('# @example first_word(')
  choose('def first_word', 'Implement with verified code')
  ends(6)
  wait_text("text.split(' ')[0]")

  vim.cmd([[%s/Return the even numbers/Return the odd numbers/]])
  vim.cmd([[%s/evens(\[2, 4\]) == \[2, 4\]/evens([1, 2]) == [1]/]])
  T.goto_text('def evens')
  T.keep('changed', vim.split(hover('changed since'), '\n'))
  choose('def evens', 'Implement with verified code')
  ends(7)
  wait_text('x % 2 == 1')
  wait_written('def evens')

  vim.cmd([[%s/return text\[::-1\]/return "".join(reversed(text))/]])
  choose('def backwards', 'Verify 1 changed function of this file')
  ends(8)
  T.goto_text('def backwards')
  hover('Checked as it stands')

  choose('def total', 'Verify this function')
  ends(9)
  T.keep('objection', T.wait_diagnostic('the objection', 60, function(d)
    return d.code == 'tests.example'
  end).message)
  choose('def total', 'Implement with verified code')
  ends(10)
  wait_text('return sum(xs)')
  T.wait('the objection to be gone', 60, function()
    return #T.diagnostics() == 0
  end)

  choose('def larger', 'Verify this function')
  ends(11)
  choose('def larger', 'Keep the counterexample: @example larger(')
  wait_text('# @example larger(')

  local first = T.goto_text('def doubled')
  vim.cmd('normal! V')
  vim.api.nvim_win_set_cursor(0, { first + 6, 0 })
  T.choose('the selection', titled('Implement selection: return each number twice as large'))
  ends(12)
  wait_text('[2 * x for x in xs]')
  T.keep('after', T.lines())
end)
