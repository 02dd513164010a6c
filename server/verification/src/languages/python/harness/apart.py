"""A claim is asked of what went in: not of what the function under test has made of it.

`len(unique(xs)) <= len(xs)` says something of the list that was given. A function that empties it would be measured
by an empty list. So where a law holds and its variables are others afterwards, it is asked once more, and each call
is given lists of its own. Objects of classes are not copied: to change is what they are there for. Neither is what
the law itself makes for the call (`(ys := list(xs), sort(ys), ys)`), nor anything where it speaks of changes.
"""
import builtins

__builtins__ = dict(vars(builtins))

import ast
import collections

_deque = collections.deque
_CONTAINERS = (list, dict, set, bytearray, _deque)
DEPTH = 12


class Watch:
    """The variables of a law, and whether a call of the function has changed one."""

    def __init__(self, bound):
        self.bound, self.changed = bound, False
        self.first = copied(list(bound.values()), {})

    def look(self):
        """To be called after each call: a later one could put back what an earlier one took."""
        self.changed = self.changed or not _is_same(list(self.bound.values()), self.first, 0)
        return self.changed


class Apart:
    """How calls are made while a claim is asked once more."""

    def __init__(self, bound, state, code, data=True):
        self.mutable, self.state, self.code, self.data = set(), state, code, data
        _collect(list(bound.values()), self.mutable, 0)

    def given(self, args, kwargs, first):
        """The arguments of a call; those before the place `first` are the receiver."""
        if not self.mutable:
            return args, kwargs
        memo = {}
        own = (lambda value: copied(value, memo) if self._is_shared(value, 0) else value)
        return args[:first] + tuple(map(own, args[first:])), {name: own(value) for name, value in kwargs.items()}

    def _is_shared(self, value, depth):
        if id(value) in self.mutable:
            return True
        return depth < DEPTH and any(self._is_shared(part, depth + 1) for part in _parts(value))

    def called(self):
        """After a call: what the claim reads beside its variables is as it was."""
        self.state.restore(self.state.changed(self.code, self.data))


def speaks_of_identity(text):
    """Whether a claim asks if two things are one: a copy would be another."""
    for node in ast.walk(ast.parse(text.strip(), mode="eval")):
        if isinstance(node, ast.Compare):
            both = zip([node.left] + node.comparators, node.ops, node.comparators)
            if any(isinstance(op, (ast.Is, ast.IsNot)) and not _is_constant(a) and not _is_constant(b) for a, op, b in both):
                return True
    return False


def speaks_of_changes(text, name):
    """Whether a law compares before and after: it notes something first (`(n := len(xs))`), or calls the function for
    what that does (`(put(xs), len(xs))[1]`)."""
    for node in ast.walk(ast.parse(text.strip(), mode="eval")):
        if isinstance(node, ast.NamedExpr) and not any(_calls(inner, name) for inner in ast.walk(node.value)):
            return True
        parts = node.value.elts[:-1] if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Tuple) else []
        if any(_calls(part, name) for part in parts):
            return True
    return False


def _calls(node, name):
    return isinstance(node, ast.Call) and name == getattr(node.func, "attr", getattr(node.func, "id", ""))


def gives_nothing(node):
    """Whether a function is there for what it does to its arguments: it is declared to give nothing, or never does."""
    if node.returns is not None:
        return ast.unparse(node.returns).strip("'\"") in ("None", "NoReturn", "Never")
    rest, found = list(node.body), False
    while rest:
        inner = rest.pop()
        found = found or isinstance(inner, (ast.Yield, ast.YieldFrom)) or isinstance(inner, ast.Return) and not _is_none(inner.value)
        if not isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            rest += ast.iter_child_nodes(inner)
    return not found


def _is_none(node):
    return node is None or isinstance(node, ast.Constant) and node.value is None


def _is_constant(node):
    return isinstance(node, ast.Constant)


def _parts(value):
    """What a container of the language holds."""
    if type(value) is dict:
        return list(value.values())
    return list(value) if type(value) in (list, tuple, set, frozenset, _deque) else []


def _collect(value, found, depth):
    if type(value) in _CONTAINERS:
        found.add(id(value))
    if depth < DEPTH:
        for part in _parts(value):
            _collect(part, found, depth + 1)


def copied(value, memo):
    """Another of the same containers; what they hold in the end stays the same."""
    kind = type(value)
    if kind not in _CONTAINERS and kind is not tuple or len(memo) > 100_000:
        return value
    if id(value) in memo:
        return memo[id(value)]
    if kind is list:
        made = memo[id(value)] = []
        made += [copied(part, memo) for part in value]
    elif kind is dict:
        made = memo[id(value)] = {}
        made.update((key, copied(part, memo)) for key, part in value.items())
    elif kind is _deque:
        made = memo[id(value)] = _deque(maxlen=value.maxlen)
        made.extend(copied(part, memo) for part in value)
    elif kind is tuple:
        made = memo[id(value)] = tuple([copied(part, memo) for part in value])
    else:
        made = memo[id(value)] = kind(value)
    return made


def _is_same(value, other, depth):
    kind = type(value)
    if kind is not type(other):
        return False
    if kind not in _CONTAINERS and kind is not tuple or depth > DEPTH:
        return value is other
    if kind in (set, bytearray) or len(value) != len(other):
        return value == other
    if kind is dict:
        return list(value) == list(other) and all(_is_same(a, b, depth + 1) for a, b in zip(value.values(), other.values()))
    return all(_is_same(a, b, depth + 1) for a, b in zip(value, other))
