"""Keeps candidate code out of the frames and the objects of the harness that runs it.

A candidate shares its process with the code that evaluates claims. Who walks from its own frame to
that of its caller can take the way to the judge and answer for itself. Only code of the file under
test is refused: libraries look at frames for good reasons.
"""
import builtins

__builtins__ = dict(vars(builtins))

import sys
from _thread import get_ident
from os import __file__ as _library
from os.path import dirname as _dirname

_frame = sys._getframe
_EVENTS = frozenset([
    "gc.get_objects", "gc.get_referents", "gc.get_referrers",
    "sys._current_exceptions", "sys._current_frames", "sys._getframe", "sys.setprofile", "sys.settrace",
])
_ATTRIBUTES = frozenset(["ag_frame", "cr_frame", "gi_frame", "tb_frame"])
_LIBRARY = _dirname(_library) + "/"
# Modules that fetch frames for whoever calls them, and those that call what they are given.
_FETCHERS = frozenset(_LIBRARY + name for name in ("inspect.py", "traceback.py", "contextlib.py", "functools.py"))
# Functions of `traceback` that give nothing but text, without the values of any frame.
_TELLERS = frozenset(["format_exc", "format_exception", "print_exc", "print_exception"])
# Functions of the standard library that keep the frame they fetch to themselves; any other hands it on.
_DISCREET = frozenset(["_caller", "make_dataclass", "namedtuple", "warn"])


def _is_foreign(filename, path):
    """Whether code is the candidate's, or was made out of a text by whoever it was."""
    made_up = filename.startswith("<") and not filename.startswith("<frozen ") and filename not in ("<spec>", "<bind>")
    return filename == path or made_up


def stand(path):
    """From now on code of the file `path` sees no frame but its own, and no list of all objects."""
    busy = set()

    def hook(event, arguments):
        if event == "object.__getattr__":
            if arguments[1] not in _ATTRIBUTES:
                return
        elif event not in _EVENTS:
            return
        me = get_ident()
        if me in busy:
            return
        busy.add(me)
        try:
            frame = _frame(1)
            code = frame.f_code
            if code.co_filename.startswith(_LIBRARY) and code.co_name not in _DISCREET and "-packages/" not in code.co_filename:
                frame = frame.f_back  # `logging.currentframe` fetches a frame for its caller
            while frame is not None and frame.f_code.co_filename in _FETCHERS:
                if frame.f_code.co_name in _TELLERS:
                    return
                frame = frame.f_back
            if frame is not None and _is_foreign(frame.f_code.co_filename, path):
                raise PermissionError("code under test may not look into the code that runs it")
        finally:
            busy.discard(me)

    sys.addaudithook(hook)
