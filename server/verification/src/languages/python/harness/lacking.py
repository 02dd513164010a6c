"""What a test needs and does not find here, where that is not the work of the code under test.

A module that is not installed is no fault of the code whose test imports it. It counts as missing only where a line of
the project's own imports it, the code under test takes no part (but for what it imported before the edit already), and
the judge, who never runs that code, does not find it either.
"""
import builtins

__builtins__ = dict(vars(builtins))

import importlib.machinery
import importlib.metadata
import linecache
import os
import sys

CLASH = "clash"  # two test files of one name


def of(error, suite):
    """`module NAME`, `package NAME`, `clash`, or nothing."""
    for _ in range(4):  # pytest wraps what happens while it collects
        if error is None or isinstance(error, ImportError):
            break
        error = error.__cause__
    if type(error).__name__ == "ImportPathMismatchError":
        return CLASH
    if not isinstance(error, ModuleNotFoundError) or not isinstance(error.name, str):
        return ""
    frames, tb = [], error.__traceback__
    while tb is not None:
        code = tb.tb_frame.f_code
        frames.append((os.path.realpath(code.co_filename), tb.tb_lineno, code.co_name))
        if code.co_filename.startswith("<") and not code.co_filename.startswith("<frozen "):
            return ""
        tb = tb.tb_next
    if takes_part(frames, suite):
        return ""
    root = os.path.realpath(suite["root"]) + os.sep
    ours = [(file, line) for file, line, _ in frames if file.startswith(root)]
    line = linecache.getline(*ours[-1]).strip() if ours else ""
    if type(error).__name__ == "PackageNotFoundError":
        return "package %s" % error.name if line else ""
    imports = line.startswith(("import ", "from ")) or "import_module(" in line
    return "module %s" % error.name if imports else ""


def takes_part(frames, suite):
    """Whether the code under test has more to do with it than that it imports what it imported before."""
    subject = os.path.realpath(suite["path"])
    old = {line.strip() for line in suite.get("old", "").splitlines()}
    own = [(line, name) for file, line, name in frames if file == subject]
    return any(name != "<module>" or linecache.getline(subject, line).strip() not in old for line, name in own)


def in_words(lack, suite):
    """What the test needs, for the user; nothing where it is here after all."""
    if lack == CLASH:
        return "needs a name of its own for its file"
    kind, _, name = lack.partition(" ")
    found = _installed(name) if kind == "package" else _is_here(name, suite)
    return "" if found or not name else "needs `%s`" % name


def _installed(name):
    try:
        importlib.metadata.distribution(name)
    except Exception:
        return False
    return True


def _is_here(name, suite):
    """Whether a module can be found; nothing is imported for that."""
    parts = name.split(".")
    if parts[0] in sys.stdlib_module_names:
        return True
    here = os.path.dirname(os.path.abspath(__file__))
    beside = {os.path.dirname(path) for path in suite["files"]}
    places = suite["paths"] + suite["behind"] + sorted(beside) + [p for p in sys.path if os.path.abspath(p or ".") != here]
    for at in range(len(parts)):
        spec = importlib.machinery.PathFinder.find_spec(".".join(parts[:at + 1]), places)
        if spec is None:
            return False
        places = list(spec.submodule_search_locations or [])
    return True
