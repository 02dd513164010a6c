-- The optional plugin around a run: status line, run window, menu, lenses, keys.
local T = dofile(vim.env.E2E_LIB)

T.run(function()
  vim.opt.runtimepath:prepend(assert(vim.env.E2E_PLUGIN))
  local zeroerr = require('zeroerr')
  zeroerr.setup({ keys = ',z' })
  T.open(vim.env.E2E_FILE)
  T.keep('line_before', zeroerr.statusline())

  local lenses = T.wait('the lenses', 30, function()
    local found = vim.tbl_map(function(lens)
      return lens.command and lens.command.title
    end, vim.lsp.codelens.get(0))
    return #found > 0 and found or nil
  end)
  T.keep('lenses', lenses)

  local file = vim.api.nvim_get_current_win()
  zeroerr.runs()
  T.keep('empty_window', vim.api.nvim_buf_get_lines(vim.fn.bufnr('zeroerr://runs'), 0, -1, false))
  T.keep('cursor_stays', file == vim.api.nvim_get_current_win())

  T.goto_text('def total')
  T.type(',zi')
  T.wait('the status line to count votes', 120, function()
    local line = zeroerr.statusline()
    if line:find('ahead by', 1, true) then
      T.keep('line_during', line)
      return true
    end
  end)
  T.wait_progress('end', 150)
  T.wait('the function to be written', 20, function()
    return not table.concat(T.lines(), '\n'):find(': ...', 1, true)
  end)
  T.keep('line_after', zeroerr.statusline())
  T.keep('window', vim.api.nvim_buf_get_lines(vim.fn.bufnr('zeroerr://runs'), 0, -1, false))

  -- Nothing is touched: the server says that its lenses have changed.
  local function lens(text)
    return T.wait('a lens with ' .. text, 20, function()
      for _, found in ipairs(vim.lsp.codelens.get(0)) do
        if found.command and found.command.title:find(text, 1, true) then
          return found.command.title
        end
      end
    end)
  end
  T.keep('lens_after', lens('/8 checks'))
  -- A key in insert mode, which a script cannot stay in.
  T.goto_text('return sum')
  vim.api.nvim_put({ '  # mine' }, 'c', true, false)
  vim.api.nvim_exec_autocmds('TextChangedI', { buffer = 0 })
  lens('changed since')

  zeroerr.runs()
  T.keep('windows_left', #vim.api.nvim_list_wins())

  local offered
  local select = vim.ui.select
  vim.ui.select = function(items, opts, on_choice)
    offered = vim.tbl_map(opts.format_item, items)
    on_choice(vim.tbl_filter(function(item)
      return item.name == 'status'
    end, items)[1])
  end
  vim.cmd('Zeroerr')
  vim.ui.select = select
  T.keep('menu', offered)
  T.wait_message('nothing is running', 20)
  T.keep('completed', vim.fn.getcompletion('Zeroerr s', 'cmdline'))
end)
