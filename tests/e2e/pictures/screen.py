"""An editor in a terminal, typed into, and its screen as a picture."""

import fcntl
import os
import pty
import select
import struct
import sys
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


class Screen(pyte.Screen):
    """A screen that answers what editors ask a terminal at their start."""

    answer = staticmethod(lambda data: None)

    def report_device_status(self, mode: int = 0, **private: bool) -> None:
        if not private:
            super().report_device_status(mode)

    def write_process_input(self, data: str) -> None:
        self.answer(data)


class Terminal:
    """An editor, and the screen that its terminal would show."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.screen = Screen(COLUMNS, ROWS)
        self.stream = pyte.ByteStream(self.screen)
        pid, self.fd = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm-256color"
            os.environ["COLORTERM"] = "truecolor"
            os.chdir(folder)
            os.execv(command[0], command)
        self.screen.answer = lambda data: os.write(self.fd, data.encode())
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

    def gone(self, text: str, seconds: float = 90) -> None:
        """Waits until the screen no longer shows a text."""
        end = time.monotonic() + seconds
        while text in "\n".join(self.screen.display) and time.monotonic() < end:
            self.pump(0.1)
        self.lacks(text)

    def lacks(self, text: str) -> None:
        """The screen does not show a text."""
        if text in "\n".join(self.screen.display):
            sys.exit(f"{text!r} is on the screen:\n" + "\n".join(self.screen.display))

    def pump(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self.fd], [], [], left)[0]:
                try:
                    self.stream.feed(os.read(self.fd, 65536))
                except OSError:  # the editor has ended
                    return

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
