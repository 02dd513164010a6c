"""Draws what a Neovim user sees (docs/images/neovim-*.svg): a real Neovim in a terminal, typed into.

    pip install pyte
    ZEROERR_SCRIPTED=script.json python neovim.py NVIM ZEROERR FILE OUT_DIR

FILE is tests/fixtures/flows.py, the script is the one of tests/e2e/walk.rs; the machine's own data folder
needs its tools (`zeroerr doctor --fix`), the configuration `llm.backend: scripted`.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from screen import Terminal

PLUGIN = Path(__file__).parents[3] / "editors/neovim"


def started(nvim: str, server: str, file: Path) -> Terminal:
    """A Neovim with our plugin and nothing else."""
    setup = (
        f"vim.opt.runtimepath:prepend('{PLUGIN}') vim.opt.swapfile = false vim.o.termguicolors = true "
        f"vim.lsp.config('zeroerr', {{ cmd = {{ '{server}', 'lsp' }} }}) require('zeroerr').setup() "
        "vim.diagnostic.config({ virtual_text = true }) vim.o.hlsearch = false vim.o.laststatus = 2 "
        "vim.o.statusline = \"%f %m%=%{%v:lua.require'zeroerr'.statusline()%} %l:%c\" vim.cmd.filetype('on') vim.cmd.syntax('on')"
    )
    return Terminal([nvim, "--clean", "--cmd", f"lua {setup}", file.name], file.parent)


def main(nvim: str, server: str, file: str, out: str) -> None:
    folder = Path(tempfile.mkdtemp())
    (folder / ".git").mkdir()
    copy = Path(shutil.copy(file, folder / "flows.py"))
    terminal = started(nvim, server, copy)
    terminal.wait("Generate")
    terminal.keys("/def evens\rgra")
    terminal.wait("Implement all 4 stubs")
    terminal.draw(Path(out) / "neovim-all-stubs.svg")
    terminal.keys("2\r:Zeroerr runs\r")
    terminal.wait("/8 checks @v")
    terminal.pump(3)
    terminal.keys("\r")
    terminal.draw(Path(out) / "neovim-runs.svg")
    terminal.keys(":Zeroerr runs\r/def last\rgra")
    terminal.wait("should raise")
    terminal.draw(Path(out) / "neovim-answers.svg")
    terminal.keys("\r/def first_word\rgra")
    terminal.wait("as a guess")
    terminal.draw(Path(out) / "neovim-guess.svg")
    terminal.keys("\r/def total\r:Zeroerr verify\r")
    terminal.wait("gave 9")
    terminal.keys("\x17d")
    terminal.draw(Path(out) / "neovim-failing.svg")
    since(terminal, Path(out))
    terminal.keys("\x1b:qa!\r")
    shutil.rmtree(folder)


def since(terminal: Terminal, out: Path) -> None:
    """What comes after the first verdict."""
    terminal.keys("\x1b/def larger\rzt5\x19:Zeroerr verify\r")
    terminal.wait("contracts failed")
    terminal.keys("gra")
    terminal.wait("Keep the counterexample")
    terminal.draw(out / "neovim-counterexample.svg")
    terminal.keys("\r:%s/the even numbers/the odd numbers/\r")
    terminal.keys(":%s/evens(\\[2, 4\\]) == \\[2, 4\\]/evens([1, 2]) == [1]/\r")
    terminal.keys("/def evens\r")
    terminal.wait("changed since")
    terminal.keys("gra")
    terminal.wait("Implement with verified code")
    terminal.draw(out / "neovim-reimplement.svg")
    terminal.keys("1\r")
    terminal.wait("x % 2 == 1")
    terminal.keys(":%s/% 2 == 1/% 2/\r")
    terminal.wait("changed since")
    terminal.keys("gra")
    terminal.wait("Verify 1 changed function")
    terminal.draw(out / "neovim-changed.svg")
    terminal.keys("\r:Zeroerr runs\r/def last\r:Zeroerr implement\r")
    terminal.wait("sampling")
    terminal.keys(":Zeroerr cancel")
    terminal.draw(out / "neovim-cancel.svg")
    terminal.keys("\r")
    terminal.wait("cancelled")


if __name__ == "__main__":
    main(*sys.argv[1:])
