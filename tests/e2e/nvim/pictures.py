"""Draws what a Neovim user sees (docs/images/neovim-*.svg): a real Neovim in a terminal, typed into.

    pip install pyte
    ZEROERR_SCRIPTED=script.json python pictures.py NVIM ZEROERR FILE OUT_DIR

FILE is tests/fixtures/flows.py, the script is the one of tests/e2e/walk.rs; the machine's own data folder
needs its tools (`zeroerr doctor --fix`), the configuration `llm.backend: scripted`.
"""

import fcntl
import os
import pty
import select
import shutil
import struct
import sys
import tempfile
import termios
import time
from html import escape
from pathlib import Path

import pyte

COLUMNS, ROWS = 108, 34
WIDTH, HEIGHT = 8.4, 18
NAMED = {
    "black": "#14161b", "red": "#f14c4c", "green": "#73c991", "brown": "#e2c08d", "blue": "#4fa6ed",
    "magenta": "#c586c0", "cyan": "#4ec9b0", "white": "#d4d4d4", "default": None,
}
PLUGIN = Path(__file__).parents[3] / "editors/neovim"


class Terminal:
    """A Neovim, and the screen that its terminal would show."""

    def __init__(self, nvim: str, server: str, file: Path) -> None:
        self.screen = pyte.Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        setup = (
            f"vim.opt.runtimepath:prepend('{PLUGIN}') vim.opt.swapfile = false vim.o.termguicolors = true "
            f"vim.lsp.config('zeroerr', {{ cmd = {{ '{server}', 'lsp' }} }}) require('zeroerr').setup() "
            "vim.diagnostic.config({ virtual_text = true }) vim.o.hlsearch = false vim.o.laststatus = 2 "
            "vim.o.statusline = \"%f %m%=%{%v:lua.require'zeroerr'.statusline()%} %l:%c\" vim.cmd.filetype('on') vim.cmd.syntax('on')"
        )
        pid, self.fd = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.chdir(file.parent)
            os.execv(nvim, [nvim, "--clean", "--cmd", f"lua {setup}", file.name])
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def wait(self, text: str, seconds: float = 90) -> None:
        """Waits until the screen shows a text."""
        end = time.monotonic() + seconds
        while text not in "\n".join(self.screen.display):
            if time.monotonic() > end:
                sys.exit(f"no {text!r} on the screen:\n" + "\n".join(self.screen.display))
            self.pump(0.1)
            if any(line.startswith("Press ENTER") for line in self.screen.display):
                self.keys("\r")

    def pump(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                self.stream.feed(os.read(self.fd, 65536))

    def keys(self, keys: str) -> None:
        os.write(self.fd, keys.encode())
        self.pump(0.4)

    def draw(self, path: Path) -> None:
        """Writes the screen as SVG."""
        self.pump(0.6)
        width, height = COLUMNS * WIDTH + 16, ROWS * HEIGHT + 16
        out = [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" font-family="monospace" font-size="14">',
            f'<rect width="100%" height="100%" rx="6" fill="{NAMED["black"]}"/>',
        ]
        for row in range(ROWS):
            line = self.screen.buffer[row]
            start = 0
            while start < COLUMNS:
                end = start + 1
                style = self.style(line[start])
                while end < COLUMNS and self.style(line[end]) == style:
                    end += 1
                out += self.run(row, start, "".join(line[at].data for at in range(start, end)), style)
                start = end
        path.write_text("\n".join(out) + "\n</svg>\n")

    @staticmethod
    def style(cell: pyte.screens.Char) -> tuple:
        def colour(name: str) -> str | None:
            return NAMED[name] if name in NAMED else f"#{name}" if len(name) == 6 else NAMED["white"]

        fore, back = colour(cell.fg) or NAMED["white"], colour(cell.bg)
        if cell.reverse:
            fore, back = back or NAMED["black"], fore
        return fore, back, cell.bold, cell.underscore

    @staticmethod
    def run(row: int, start: int, text: str, style: tuple) -> list[str]:
        fore, back, bold, underscore = style
        x, y = 8 + start * WIDTH, 8 + row * HEIGHT
        out = []
        if back and back != NAMED["black"]:
            out.append(f'<rect x="{x:.1f}" y="{y}" width="{len(text) * WIDTH:.1f}" height="{HEIGHT}" fill="{back}"/>')
        if text.strip():
            extra = (' font-weight="bold"' if bold else "") + (' text-decoration="underline"' if underscore else "")
            out.append(
                f'<text x="{x:.1f}" y="{y + 13}" fill="{fore}" xml:space="preserve" '
                f'textLength="{len(text) * WIDTH:.1f}"{extra}>{escape(text)}</text>'
            )
        return out


def main(nvim: str, server: str, file: str, out: str) -> None:
    folder = Path(tempfile.mkdtemp())
    (folder / ".git").mkdir()
    copy = Path(shutil.copy(file, folder / "flows.py"))
    terminal = Terminal(nvim, server, copy)
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
