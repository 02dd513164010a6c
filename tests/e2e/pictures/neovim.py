"""Draws what a Neovim user sees (docs/images/neovim-*.svg): a real Neovim in a terminal, typed into.

    pip install pyte
    ZEROERR_SCRIPTED=script.json python neovim.py NVIM ZEROERR FILE OUT_DIR

FILE is tests/fixtures/flows.py, the script is the one of tests/e2e/walk.rs; the machine's own data folder
needs its tools (`zeroerr doctor --fix`), the configuration `llm.backend: scripted`.
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

from screen import Terminal

PLUGIN = Path(__file__).parents[3] / "editors/neovim"


def started(nvim: str, server: str, file: Path, settings: str = "{}") -> Terminal:
    """A Neovim with our plugin and nothing else."""
    setup = (
        f"vim.opt.runtimepath:prepend('{PLUGIN}') vim.opt.swapfile = false vim.o.termguicolors = true "
        f"vim.lsp.config('zeroerr', {{ cmd = {{ '{server}', 'lsp' }}, settings = {{ zeroerr = {settings} }} }}) require('zeroerr').setup() "
        "vim.o.hlsearch = false vim.o.laststatus = 2 vim.o.winborder = 'rounded' "
        "vim.o.statusline = \"%f %m%=%{%v:lua.require'zeroerr'.statusline()%} %l:%c\" vim.cmd.filetype('on') vim.cmd.syntax('on')"
    )
    return Terminal([nvim, "--clean", "--cmd", f"lua {setup}", file.name], file.parent)


def main(nvim: str, server: str, file: str, out: str) -> None:
    for walk, settings in ((tour, "{}"), (preview, "{ lsp = { confirm_edits = true } }")):
        folder = Path(tempfile.mkdtemp())
        (folder / ".git").mkdir()
        copy = Path(shutil.copy(file, folder / "flows.py"))
        terminal = started(nvim, server, copy, settings)
        terminal.wait("Generate")
        walk(terminal, Path(out))
        terminal.keys("\x1b\x1b:qa!\r")
        shutil.rmtree(folder)


def at(terminal: Terminal, name: str, below: int = 4) -> None:
    """Goes to a function, and puts it near the top, so that nothing lies over it."""
    terminal.keys(f"\x1b/def {name}\r")
    terminal.keys(f"zt{below}\x19")


def choose(terminal: Terminal, title: str) -> None:
    """Chooses an entry of the menu by its title."""
    number = next(m[1] for line in terminal.screen.display if (m := re.match(rf"\s*(\d+): {re.escape(title)}", line)))
    terminal.keys(f"{number}\r")


def tour(terminal: Terminal, out: Path) -> None:
    def picture(name: str) -> None:
        terminal.draw(out / f"neovim-{name}.svg")

    def hover(text: str, name: str) -> None:
        terminal.keys("K")
        terminal.wait(text)
        picture(name)
        terminal.keys("j")

    def menu(title: str, name: str) -> None:
        terminal.keys("gra")
        terminal.wait(title)
        picture(name)

    at(terminal, "evens")
    terminal.keys("gra")
    terminal.wait("Implement with verified code")
    choose(terminal, "Implement with verified code")
    terminal.wait("/8 checks @v")
    hover("Written by zeroerr", "stub")
    at(terminal, "backwards", 12)
    menu("Implement all 3 stubs", "all-stubs")
    terminal.keys("q\r:Zeroerr runs\r:Zeroerr all\r")
    terminal.wait("ahead by 0 | Generate")
    terminal.wait("ahead by 3 | Generate")
    terminal.pump(2)
    picture("runs")
    terminal.keys(":Zeroerr runs\r")
    at(terminal, "last")
    hover("candidates differ on", "abstained")
    at(terminal, "last")
    menu("should raise", "answers")
    choose(terminal, "`last([])` should raise")
    at(terminal, "first_word")
    menu("as a guess", "guess")
    terminal.keys("\r")
    at(terminal, "backwards")
    terminal.keys(":Zeroerr verify\r")
    terminal.wait("of 8 done")
    terminal.gone("of 8 done")
    hover("Checked as it stands", "verify")
    at(terminal, "total")
    terminal.keys(":Zeroerr verify\r")
    terminal.wait("tests failed")
    terminal.keys("\x17d")
    terminal.wait("gave 9")
    picture("failing")
    since(terminal, picture, menu)


def since(terminal: Terminal, picture, menu) -> None:
    """What comes after the first verdict."""
    at(terminal, "larger")
    terminal.keys(":Zeroerr verify\r")
    terminal.wait("contracts failed")
    menu("Keep the counterexample", "counterexample")
    terminal.keys("\r:%s/the even numbers/the odd numbers/\r")
    terminal.keys(":%s/evens(\\[2, 4\\]) == \\[2, 4\\]/evens([1, 2]) == [1]/\r")
    at(terminal, "evens")
    terminal.wait("changed since")
    menu("Implement with verified code", "reimplement")
    choose(terminal, "Implement with verified code")
    terminal.wait("x % 2 == 1")
    terminal.keys(":%s/% 2 == 1/% 2/\r")
    terminal.wait("changed since")
    menu("Verify 1 changed function", "changed")
    terminal.keys("\r")
    at(terminal, "doubled", 0)
    terminal.keys("V6j:Zeroerr selection\r")
    terminal.wait("what is it to do?")
    terminal.keys("return each number twice as large")
    picture("selection")
    terminal.keys("\r")
    terminal.wait("2 * x for x in xs")
    terminal.keys(":Zeroerr runs\r")
    at(terminal, "larger")
    terminal.keys(":Zeroerr implement\r")
    terminal.wait("sampling")
    terminal.keys(":Zeroerr cancel")
    picture("cancel")
    terminal.keys("\r")
    terminal.wait("cancelled")


def preview(terminal: Terminal, out: Path) -> None:
    """The difference before it is accepted."""
    at(terminal, "evens")
    terminal.keys(":Zeroerr implement\r")
    terminal.wait("Show the diff")
    choose(terminal, "Show the diff")
    terminal.wait("+    return")
    terminal.wait("3: Discard")
    terminal.draw(out / "neovim-preview.svg")
    choose(terminal, "Apply")


if __name__ == "__main__":
    main(*sys.argv[1:])
