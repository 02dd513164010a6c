"""Walks through Helix as its user does, and draws what is seen (docs/images/helix-*.svg).

    pip install pyte
    ZEROERR_SCRIPTED=script.json python helix.py HX ZEROERR FILE OUT_DIR

Helix is in no package registry, so this is no part of the test command: HX is one that was built or installed by hand,
with HELIX_RUNTIME set where it needs it. The rest is as for neovim.py. Helix runs with editors/helix/ as its whole
configuration; a step that does not show what it should ends the walk with the screen.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path

from screen import Terminal

EDITOR = Path(__file__).parents[3] / "editors/helix"


def started(helix: str, server: str, file: Path) -> Terminal:
    """A Helix with our two files as its configuration."""
    config = file.parent / "config/helix"
    config.mkdir(parents=True)
    languages = (EDITOR / "languages.toml").read_text()
    (config / "languages.toml").write_text(languages.replace('command = "zeroerr"', f'command = "{server}"'))
    shutil.copy(EDITOR / "config.toml", config)
    os.environ["XDG_CONFIG_HOME"] = str(file.parent / "config")
    return Terminal([helix, file.name], file.parent)


def main(helix: str, server: str, file: str, out: str) -> None:
    # Helix reads zeroerr's own configuration from the same place.
    own = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "zeroerr"
    folder = Path(tempfile.mkdtemp())
    (folder / ".git").mkdir()
    copy = Path(shutil.copy(file, folder / "flows.py"))
    if own.is_dir():
        shutil.copytree(own, folder / "config/zeroerr")
    walk(started(helix, server, copy), Path(out))
    shutil.rmtree(folder)


def walk(terminal: Terminal, out: Path) -> None:
    def at(name: str) -> None:
        # What follows an escape at once would be a key with Alt.
        terminal.keys("\x1b")
        terminal.keys(f"/def {name}\r")

    def picture(name: str) -> None:
        terminal.draw(out / f"helix-{name}.svg")

    terminal.pump(4)
    # Text that is changed while a run works on it is the user's.
    at("evens")
    terminal.keys(" a")
    terminal.wait("Implement with")
    terminal.keys("\r")
    terminal.wait("implement `evens`")
    terminal.keys("A  # mine")
    terminal.keys("\x1b")
    terminal.wait("changed", 20)
    terminal.pump(4)
    picture("stale")
    terminal.lacks("% 2 == 0")
    terminal.keys("u")
    at("evens")
    terminal.keys(" a")
    terminal.wait("Implement all 4 stubs")
    picture("all-stubs")
    terminal.keys("\x1b[B\r")
    terminal.wait("% 2 == 0")
    terminal.wait("no edit for `first_word`")
    picture("abstained")
    at("last")
    terminal.wait("no edit for `last`")
    terminal.pump(1)
    terminal.keys(" a")
    terminal.wait("should raise")
    picture("answers")
    terminal.keys("\x1b[B\r")
    terminal.wait("if xs else 0")
    picture("answered")
    at("first_word")
    terminal.keys(" a")
    terminal.wait("as a guess")
    picture("guess")
    terminal.keys("\r")
    terminal.pump(2)
    picture("guessed")
    at("total")
    terminal.keys(" a")
    terminal.wait("Verify this function")
    terminal.keys("\x1b[A\r")
    terminal.wait("gave 9")
    picture("failing")
    at("larger")
    terminal.keys(" a")
    terminal.wait("Verify this function")
    terminal.keys("\x1b[A\r")
    terminal.wait("result is 0")
    terminal.keys(" a")
    terminal.pump(2)
    picture("counterexample")
    at("doubled")
    terminal.keys("xxxxxxx a")
    terminal.pump(2)
    picture("selection")
    at("evens")
    terminal.keys(" k")
    terminal.wait("Written by zeroerr")
    picture("hover")
    terminal.keys("\x1b")
    terminal.keys("/even numbers\rcodd numbers")
    terminal.keys("\x1b")
    at("evens")
    terminal.keys(" k")
    terminal.wait("hanged since")
    picture("changed")
    at("evens")
    terminal.keys(" a")
    terminal.wait("Implement with")
    terminal.keys("\r")
    terminal.wait("implement `evens`")
    terminal.keys(" zc")
    terminal.wait("cancelled")
    picture("cancel")
    terminal.keys(" zs")
    terminal.wait("nothing is running")
    picture("status")
    terminal.keys("ga zr")
    terminal.pump(3)
    picture("report")
    terminal.keys("\x1b")
    terminal.keys(":qa!\r")


if __name__ == "__main__":
    main(*sys.argv[1:])
