"""Functions that are wrong on purpose, made of the one under test. Runs in the worker.

A claim that each of them meets as well shows nothing of the right one: `f(2) == f(2)`, `result == result`.
Each is a function of its arguments and gives values of the kind that the right one gives, so that a claim is not
taken for good evidence because it says something of types, which another layer has checked, nor for none because
it compares two calls (`f(a, b) == f(b, a)`).
"""
import builtins

__builtins__ = dict(vars(builtins))

import ast
import copy
import itertools
import types
import zlib

import values

# The ways to be wrong: to give something else (chosen by the arguments), to leave arguments as they are, to do nothing.
COPIES, NOTHING = 5, 6

_copy, _deepcopy = copy.copy, copy.deepcopy


class Other:
    """What equals nothing but itself: for what no other value of its kind can be made."""


_OTHER = Other()


def call(subject, function, args, kwargs):
    """What a wrong function gives, `subject.way` says which."""
    way, subject.way = subject.way, 0  # the function itself may call itself
    try:
        return _called(subject, way, function, args, kwargs)
    finally:
        subject.way = way


def _called(subject, way, function, args, kwargs):
    gives = ast.unparse(subject.node.returns) if subject.node.returns else ""
    if way == NOTHING and ("None" in gives or "Optional" in gives or not gives):
        return None
    if way >= COPIES:
        try:
            args, kwargs = _deepcopy((args, kwargs))
        except Exception:  # what cannot be copied is changed by the right one alone
            return _OTHER
    given = list(args) + list(kwargs.values())
    before = [_shown(a) for a in given]
    seed = zlib.crc32(repr((way, before)).encode("utf-8", "surrogatepass"))
    try:
        result = subject.settled(function(*args, **kwargs))
    except Exception:
        return None if gives == "None" else _OTHER
    if way >= COPIES:
        return result
    for argument, was in zip(given, before):
        if _shown(argument) != was:
            _disturb(argument, seed)
    if result is None:
        return None if gives == "None" else _OTHER
    if way > 1 or hasattr(type(result), "__next__"):
        return altered(result, seed)
    # The same for the same arguments, whatever the right one gives the second time.
    return subject.given.setdefault(seed, altered(result, seed - seed % 12))


def _shown(value):
    return "" if hasattr(type(value), "__next__") else values.show(value)


def altered(value, seed, depth=0):
    """Another value of the same kind, which one `seed` says."""
    kind = type(value)
    try:
        if kind in _ALTERED:
            return _ALTERED[kind](value, seed, depth)
        return _object(value, kind, seed, depth)
    except Exception:
        return _OTHER


def _one_of(seed, value, *others):
    """One of the others that differs from the value."""
    others = [o for o in others if values.show(o) != values.show(value)] or [_OTHER]
    return others[seed % len(others)]


def _int(value, seed, _depth):
    return _one_of(seed, value, value + 1, -value - 1, value * 2 + 1, value - 1, 0, value + seed % 97)


def _float(value, seed, _depth):
    return _one_of(seed, value, value + 1.0, -value - 0.5, value * 2 + 0.25, value - 1.0, 0.0, float(seed % 97))


def _str(value, seed, _depth):
    more = value + (value[:1] or "x")
    return _one_of(seed, value, more, value[:-1], value[::-1], value.swapcase(), "", value + str(seed % 97))


def _bytes(value, seed, _depth):
    return type(value)(_one_of(seed, value, value + b"x", value[:-1], value[::-1], value[:0]))


def _sequence(value, seed, depth):
    items = list(value)
    if not items:
        return type(value)([0])
    place = seed // 7 % len(items)
    inner = items[:place] + [altered(items[place], seed, depth + 1)] + items[place + 1 :] if depth < 4 else items[1:]
    return type(value)(_one_of(seed, items, inner, items[:-1], items + items[:1], items[::-1], [], items[1:]))


def _set(value, seed, depth):
    items = sorted(value, key=values.show)
    more = items + [altered(items[-1], seed, depth + 1) if items else 0]
    return type(value)(_one_of(seed, items, more, items[1:], []))


def _dict(value, seed, depth):
    items = list(value.items())
    if not items:
        return {0: 0}
    key, held = items[seed // 7 % len(items)]
    return _one_of(seed, value, {**value, key: altered(held, seed, depth + 1)}, dict(items[1:]), {})


def _function(value, seed, _depth):
    return lambda *args, **kwargs: altered(value(*args, **kwargs), seed)


def _object(value, kind, seed, depth):
    if hasattr(kind, "__next__"):
        return iter(_sequence(list(itertools.islice(value, values.ITEMS)), seed, depth))
    if hasattr(kind, "__members__"):
        return _one_of(seed, value, *kind)
    if hasattr(value, "_replace") and hasattr(kind, "_fields"):
        name = kind._fields[seed % len(kind._fields)]
        return value._replace(**{name: altered(getattr(value, name), seed, depth + 1)})
    held = sorted(n for n in getattr(value, "__dict__", ()) if value.__dict__[n] is not None)
    if held and depth < 4:
        other, name = _copy(value), held[seed % len(held)]
        other.__dict__[name] = altered(other.__dict__[name], seed, depth + 1)
        return other
    for base in _ALTERED:
        if issubclass(kind, base):
            return kind(_ALTERED[base](base(value), seed, depth))
    for step in (1, kind(1)) if hasattr(kind, "__add__") else ():
        try:
            return value + step
        except Exception:
            continue
    return _OTHER


def _disturb(argument, seed):
    """Makes another of what the function has changed."""
    if isinstance(argument, list):
        argument[:] = _sequence(argument, seed, 0)
    elif isinstance(argument, (dict, set)):
        other = _dict(dict(argument), seed, 0) if isinstance(argument, dict) else _set(set(argument), seed, 0)
        argument.clear()
        argument.update(other)
    elif getattr(argument, "__dict__", None):
        held = sorted(argument.__dict__)
        name = held[seed % len(held)]
        argument.__dict__[name] = altered(argument.__dict__[name], seed)


_ALTERED = {
    bool: lambda value, seed, _: not value if seed % 12 == 0 else seed % 2 == 1,
    int: _int, float: _float, complex: lambda value, seed, _: value + 1 + seed % 97, str: _str, bytes: _bytes,
    bytearray: _bytes, list: _sequence, tuple: _sequence, set: _set, frozenset: _set, dict: _dict,
    types.FunctionType: _function, types.BuiltinFunctionType: _function, types.MethodType: _function,
}
