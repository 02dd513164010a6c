"""Messages between the judge and the process that runs candidate code.

A message is a list of strings behind a secret prefix. Nothing that candidate code can replace
(`json`, `pickle`, `print`, the `builtins` module) takes part in writing one, and a message with
the wrong prefix or shape is taken as a crash of the candidate, never as an answer.
"""
import builtins

# Private copies: candidate code that patches `builtins` or `os` changes nothing here.
__builtins__ = dict(vars(builtins))

import sys
from os import path, read as _read, write as _write

KEY_SIZE = 16
MAX_SIZE = 8 << 20


class Broken(Exception):
    """The other side is gone, or wrote something that is no message."""


def send(fd, key, parts):
    """Writes one message."""
    body = bytearray()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        body += b"%d:" % len(data)
        body += data
    message = memoryview(key + b"%08x" % len(body) + bytes(body))
    while message:
        message = message[_write(fd, message):]


def receive(read_exactly, key):
    """Reads one message with `read_exactly(count) -> bytes`."""
    head = read_exactly(KEY_SIZE + 8)
    try:
        size = int(head[KEY_SIZE:], 16)
    except ValueError:
        raise Broken("the candidate wrote to the harness's channel") from None
    if head[:KEY_SIZE] != key or size > MAX_SIZE:
        raise Broken("the candidate wrote to the harness's channel")
    return _split(read_exactly(size))


def _split(body):
    parts, at = [], 0
    try:
        while at < len(body):
            colon = body.index(b":", at)
            start = colon + 1
            end = start + int(body[at:colon])
            if end > len(body):
                raise ValueError
            parts.append(body[start:end].decode("utf-8", "surrogatepass"))
            at = end
    except (ValueError, UnicodeDecodeError):
        raise Broken("the candidate wrote to the harness's channel") from None
    return parts


def blocking_reader(fd):
    """A `read_exactly` that waits for ever; the child's side."""
    def read_exactly(count):
        data = b""
        while len(data) < count:
            more = _read(fd, count - len(data))
            if not more:
                raise Broken("the judge is gone")
            data += more
        return data
    return read_exactly


def forget_harness():
    """Hides these modules from candidate code: a project may have a `values.py` of its own."""
    here = path.dirname(path.abspath(__file__))
    sys.path[:] = [p for p in sys.path if path.abspath(p or ".") != here]
    for name, module in list(sys.modules.items()):
        if name != "__main__" and path.dirname(getattr(module, "__file__", None) or "") == here:
            del sys.modules[name]
