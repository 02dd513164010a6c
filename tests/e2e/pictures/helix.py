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


def started(helix: str, server: str, file: Path, settings: str) -> Terminal:
    """A Helix with our two files as its configuration."""
    config = file.parent / "config/helix"
    config.mkdir(parents=True)
    languages = (EDITOR / "languages.toml").read_text()
    languages = languages.replace('command = "zeroerr"', f'command = "{server}"')
    (config / "languages.toml").write_text(languages.replace('args = ["lsp"]', f'args = ["lsp"]\n{settings}'))
    shutil.copy(EDITOR / "config.toml", config)
    os.environ["XDG_CONFIG_HOME"] = str(file.parent / "config")
    return Terminal([helix, file.name], file.parent)


def main(helix: str, server: str, file: str, out: str) -> None:
    # Helix reads zeroerr's own configuration from the same place.
    own = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config")) / "zeroerr"
    confirm = "config.lsp.confirm_edits = true"
    for walk, settings in ((tour, ""), (preview, confirm)):
        folder = Path(tempfile.mkdtemp())
        (folder / ".git").mkdir()
        copy = Path(shutil.copy(file, folder / "flows.py"))
        if own.is_dir():
            shutil.copytree(own, folder / "config/zeroerr")
        terminal = started(helix, server, copy, settings)
        terminal.pump(4)
        walk(terminal, Path(out))
        terminal.keys("\x1b")
        terminal.keys(":qa!\r")
        shutil.rmtree(folder)


def at(terminal: Terminal, name: str) -> None:
    # What follows an escape at once would be a key with Alt.
    terminal.keys("\x1b")
    terminal.keys(f"/def {name}\r")


def menu(terminal: Terminal, title: str) -> None:
    """Opens the menu of actions."""
    terminal.keys(" a")
    terminal.wait(title)


def choose(terminal: Terminal, title: str) -> None:
    """Chooses an entry of the open menu: the one that is marked is the only one with its background."""
    for _ in range(12):
        row = next(n for n, line in enumerate(terminal.screen.display) if title in line)
        column = terminal.screen.display[row].index(title)
        if terminal.screen.buffer[row][column].bg in ("ffffff", "white"):
            terminal.keys("\r")
            return
        terminal.keys("\x1b[B")
    sys.exit(f"{title!r} cannot be chosen:\n" + "\n".join(terminal.screen.display))


def tour(terminal: Terminal, out: Path) -> None:
    def picture(name: str) -> None:
        terminal.draw(out / f"helix-{name}.svg")

    # Text that is changed while a run works on it is the user's.
    at(terminal, "evens")
    menu(terminal, "Implement with")
    choose(terminal, "Implement with")
    terminal.wait("implement `evens`")
    terminal.keys("A  # mine")
    terminal.keys("\x1b")
    terminal.wait("changed", 20)
    terminal.pump(4)
    picture("stale")
    terminal.lacks("% 2 == 0")
    terminal.keys("u")
    at(terminal, "evens")
    menu(terminal, "Implement with")
    choose(terminal, "Implement with")
    terminal.wait("% 2 == 0")
    terminal.pump(1)
    terminal.keys(" k")
    terminal.wait("Written by zeroerr")
    picture("stub")
    at(terminal, "backwards")
    menu(terminal, "Implement all 3 stubs")
    picture("all-stubs")
    choose(terminal, "Implement all 3")
    terminal.wait("[::-1]")
    terminal.wait("no edit for `first_word`")
    at(terminal, "last")
    terminal.wait("no edit for `last`")
    terminal.pump(1)
    picture("abstained")
    menu(terminal, "should raise")
    picture("answers")
    choose(terminal, "should raise")
    terminal.wait("return xs[-1]")
    at(terminal, "first_word")
    menu(terminal, "as a guess")
    picture("guess")
    terminal.keys("\r")
    terminal.wait("@example? first_word")
    at(terminal, "backwards")
    menu(terminal, "Verify this function")
    choose(terminal, "Verify this")
    terminal.wait("verify `backwards`")
    terminal.pump(5)
    terminal.keys(" k")
    terminal.wait("Checked as it stands")
    picture("verify")
    at(terminal, "total")
    menu(terminal, "Verify this function")
    choose(terminal, "Verify this")
    terminal.wait("gave 9")
    picture("failing")
    at(terminal, "larger")
    menu(terminal, "Verify this function")
    choose(terminal, "Verify this")
    terminal.wait("result is 0")
    menu(terminal, "Keep the counterexample")
    picture("counterexample")
    since(terminal, picture)


def since(terminal: Terminal, picture) -> None:
    """What comes after the first verdict."""
    at(terminal, "doubled")
    terminal.keys("xxxxxxx")
    menu(terminal, "Implement selection")
    picture("selection")
    choose(terminal, "Implement selection")
    terminal.wait("2 * x for x in xs")
    at(terminal, "evens")
    terminal.keys("/even numbers\rcodd numbers")
    terminal.keys("\x1b")
    terminal.keys("/evens\\(\\[2\r")
    terminal.keys("x_c# @example evens([1, 2]) == [1]")
    terminal.keys("\x1b")
    at(terminal, "evens")
    terminal.keys(" k")
    terminal.wait("hanged since")
    picture("spec-changed")
    terminal.keys("\x1b")
    menu(terminal, "Implement with")
    picture("reimplement")
    choose(terminal, "Implement with")
    terminal.wait("% 2 == 1")
    terminal.pump(1)
    terminal.keys("/ == 1]\r")
    terminal.keys("c]")
    terminal.keys("\x1b")
    at(terminal, "evens")
    menu(terminal, "Verify 1 changed function")
    picture("changed")
    choose(terminal, "Verify 1 changed")
    terminal.wait("verify `evens`")
    terminal.pump(5)
    at(terminal, "evens")
    menu(terminal, "Implement with")
    choose(terminal, "Implement with")
    terminal.wait("implement `evens`")
    terminal.keys(" zc")
    terminal.wait("cancelled")
    picture("cancel")
    terminal.keys(" zs")
    terminal.wait("nothing is running")
    terminal.keys("ga zr")
    terminal.pump(3)


def preview(terminal: Terminal, out: Path) -> None:
    """The difference before it is accepted."""
    at(terminal, "evens")
    menu(terminal, "Implement with")
    choose(terminal, "Implement with")
    terminal.wait("is ready")
    terminal.draw(out / "helix-preview.svg")


if __name__ == "__main__":
    main(*sys.argv[1:])
