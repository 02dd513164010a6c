"""Runs candidate code and says what it does. Started by the server inside the sandbox.

    python -s -B <this folder>   < request.json   > answer.json

Not with `-I`: that would ignore PYTHONHASHSEED, which must be fixed for equal runs to give equal
answers. The sandbox hands over no other environment, no user site and no foreign working folder,
so nothing is lost.

What is defended against: a candidate that prints, exits, calls `os._exit`, raises any
`BaseException`, hangs, sleeps, recurses, allocates, forks, starts threads, closes or writes to
file descriptors, patches `builtins`, `json`, `os` or `time`, registers `atexit` functions, changes
its arguments, walks up to its callers' frames, lists all objects, or returns objects that claim to
equal anything. None of it can turn a failed check
into a passed one: the judge is another process, which never imports candidate code, holds the
expected values and the only way to answer, and counts everything unexpected as failure.
What is not: code that reads its own process's memory by `ctypes` or finds the evaluator's functions
in the closure of what it was called through (the security layer objects to both), or that was
written to read the judge's memory from a child of the same user.
The kernel's own rules (no ptrace of a process that is not dumpable) are asked for, not proven.
"""
import json
import os
import sys


def main():
    """Reads the request, answers it on a descriptor that no candidate ever holds."""
    answers = os.dup(1)
    os.set_inheritable(answers, False)
    request = json.loads(sys.stdin.buffer.read())
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    _hide()
    answer = _mode(request["mode"]).run(request)
    answer["nonce"] = request.get("nonce", "")
    answer["python"] = "%d.%d.%d" % sys.version_info[:3]
    data = json.dumps(answer).encode("ascii")
    while data:
        data = data[os.write(answers, data):]
    os._exit(0)


def _mode(name):
    """The module of a mode, imported when it is asked for: some are slow to load."""
    if name == "judge":
        import gate as mode
    elif name == "questions":
        import questions as mode
    elif name == "examine":
        import examine as mode
    elif name == "tests":
        import project as mode
    elif name == "contracts":
        import contracts as mode
    elif name == "symbolic":
        import symbolic as mode
    elif name == "properties":
        import laws as mode
    elif name == "performance":
        import timing as mode
    else:
        raise ValueError("no mode %r" % name)
    return mode


def _hide():
    """Asks the kernel to keep children from reading this process's memory or descriptors."""
    try:
        import ctypes
        ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)  # PR_SET_DUMPABLE
    except Exception:
        pass


main()
