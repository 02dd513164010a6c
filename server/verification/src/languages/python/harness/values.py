"""Values as text: what two candidates' results are compared by.

Python's own `repr` and `==` can be overloaded by the object that is looked at, depend on the hash
seed and show addresses. The text written here depends on the value alone:

* a type is recognised by identity (`type(x) is list`), a subclass is shown with its name;
* sets, and dicts by their keys, are sorted: order is no part of their equality in Python;
* floats are rounded to 12 significant digits, `-0.0` is `0.0`, every NaN is `nan`;
* generators and other iterators are run for at most `ITEMS` items: `iterator [1, 2]`;
* objects are shown by their attributes, never by an address.
"""
import builtins

__builtins__ = dict(vars(builtins))

import re
import sys
import types

ITEMS = 100
DEPTH = 40
NODES = 100_000
TEXT = 3_000

# Python 3.9 cannot list its own modules; these are the ones whose objects functions return.
_LIBRARY = getattr(sys, "stdlib_module_names", frozenset(
    "array collections datetime decimal fractions ipaddress pathlib re string time types uuid zoneinfo".split()
))
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
_PLAIN = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)


class Text:
    """One rendering. `mode` says how numbers are written:

    * `"exact"`: as they are, floats rounded: the fingerprint, and what people read;
    * `"float"`: integers too are written as floats, for a function that is declared to return
      floats, where `2` and `2.0` are one answer;
    * `"equal"`: two values have one text exactly when Python's `==` calls them equal, except
      that `True` and `1` differ. `opaque` is set when only the objects themselves can tell;
    * `"source"`: every digit of a float, so that the text can be evaluated again.
    """

    def __init__(self, mode="exact"):
        self.mode = mode
        self.opaque = False
        self.nodes = 0

    def of(self, value, depth=0):
        self.nodes += 1
        kind = type(value)
        if value is None or kind is bool or value is Ellipsis or value is NotImplemented:
            return repr(value)
        if depth > DEPTH or self.nodes > NODES:
            self.opaque = True
            return "..."
        handler = _HANDLERS.get(kind)
        if handler is not None:
            return handler(self, value, depth)
        try:
            return self._object(value, kind, depth)
        except Exception as error:  # a property or slot of the candidate's class raised
            self.opaque = True
            return "<%s that raises %s>" % (kind.__name__, type(error).__name__)

    def _int(self, value, depth):
        if self.mode == "float" and abs(value) < 1 << 1000:
            return self._float(float(value), depth)
        return hex(value) if value.bit_length() > 10_000 else int.__repr__(value)

    def _float(self, value, _depth):
        if value != value:
            return "nan"
        if self.mode == "equal":
            return int.__repr__(int(value)) if value.is_integer() else float.__repr__(value)
        if self.mode == "source":
            return "float('%s')" % float.__repr__(value) if value - value != 0 else float.__repr__(value)
        return float.__repr__(float("%.12g" % value) + 0.0)

    def _complex(self, value, depth):
        if self.mode == "equal" and value.imag == 0:
            return self._float(value.real, depth)
        return "complex(%s, %s)" % (self._float(value.real, depth), self._float(value.imag, depth))

    def _str(self, value, _depth):
        return str.__repr__(value)

    def _bytes(self, value, _depth):
        text = bytes.__repr__(bytes(value))
        return text if type(value) is bytes or self.mode == "equal" else "bytearray(%s)" % text

    def _list(self, value, depth):
        return "[%s]" % self._join(list.__iter__(value), depth)

    def _tuple(self, value, depth):
        return "(%s%s)" % (self._join(tuple.__iter__(value), depth), "," if tuple.__len__(value) == 1 else "")

    def _set(self, value, depth):
        items = sorted(self.of(v, depth + 1) for v in value)
        inner = "{%s}" % ", ".join(items) if items else "set()"
        if type(value) is frozenset and self.mode != "equal":
            return "frozenset(%s)" % (inner if items else "")
        return inner

    def _dict(self, value, depth):
        items = sorted((self.of(k, depth + 1), self.of(v, depth + 1)) for k, v in dict.items(value))
        return "{%s}" % ", ".join("%s: %s" % pair for pair in items)

    def _ordered(self, value, depth):
        self.opaque = True  # in order among themselves, without it beside other dicts
        pairs = ["(%s, %s)" % (self.of(k, depth + 1), self.of(v, depth + 1)) for k, v in value.items()]
        return "OrderedDict([%s])" % ", ".join(pairs)

    def _range(self, value, _depth):
        return range.__repr__(value)

    def _view(self, value, depth):
        self.opaque = True
        return "%s([%s])" % (type(value).__name__, self._join(value, depth))

    def _join(self, values, depth):
        return ", ".join([self.of(v, depth + 1) for v in values])

    def _named(self, value, _depth):
        self.opaque = True
        return "<%s %s>" % (type(value).__name__, getattr(value, "__name__", "?"))

    def _iterator(self, value, depth):
        self.opaque = True
        shown = []
        try:
            for item in value:
                if len(shown) == ITEMS:
                    shown.append("...")
                    break
                shown.append(self.of(item, depth + 1))
        except Exception as error:
            shown.append("! " + exception_name(error))
        return "iterator [%s]" % ", ".join(shown)

    def _object(self, value, kind, depth):
        for base in kind.__mro__[1:]:
            if base in _PLAIN:
                return self._subclass(value, kind, base, depth)
        self.opaque = True
        enum = sys.modules.get("enum")
        if enum is not None and isinstance(value, enum.Enum):
            return "%s.%s" % (kind.__name__, value._name_)
        if isinstance(value, BaseException):
            return "%s(%s)" % (exception_name(value), self._join(value.args, depth))
        if hasattr(kind, "__next__"):
            return self._iterator(value, depth)
        if isinstance(value, type):
            return "<class %s>" % value.__name__
        return self._attributes(value, kind, depth)

    def _subclass(self, value, kind, base, depth):
        if kind.__name__ == "OrderedDict" and kind.__module__ == "collections":
            return self._ordered(value, depth)
        enum = sys.modules.get("enum")
        if self.mode != "equal" and enum is not None and isinstance(value, enum.Enum):
            return "%s.%s" % (kind.__name__, value._name_)
        if "__eq__" in kind.__dict__ and kind.__module__ != "collections":
            self.opaque = True
        inner = _HANDLERS[base](self, value, depth)
        return inner if self.mode == "equal" else "%s(%s)" % (kind.__name__, inner)

    def _attributes(self, value, kind, depth):
        if kind.__module__.split(".")[0] in _LIBRARY:  # Decimal, date, Path, Match: they show what they are
            return _ADDRESS.sub("", repr(value))
        names = list(getattr(value, "__dict__", ()))
        for base in kind.__mro__:
            slots = base.__dict__.get("__slots__", ())
            names += [slots] if isinstance(slots, str) else list(slots)
        if not names and kind.__repr__ is not object.__repr__:
            return _ADDRESS.sub("", repr(value))
        shown = ["%s=%s" % (n, self.of(getattr(value, n), depth + 1)) for n in sorted(set(names)) if hasattr(value, n)]
        return "%s(%s)" % (kind.__name__, ", ".join(shown))


_HANDLERS = {
    int: Text._int, float: Text._float, complex: Text._complex, str: Text._str, bytes: Text._bytes,
    bytearray: Text._bytes, list: Text._list, tuple: Text._tuple, set: Text._set, frozenset: Text._set,
    dict: Text._dict, range: Text._range, bool: Text._int,
    type({}.keys()): Text._view, type({}.values()): Text._view, type({}.items()): Text._view,
    type(lambda: 0): Text._named, type(len): Text._named,
    type(i for i in ()): Text._iterator,
}


def show(value, mode="exact"):
    """The text of a value; long texts are cut and end in a digest of the whole."""
    return bounded(Text(mode).of(value))


def bounded(text):
    """`text`, or its beginning and a digest when it is long."""
    if len(text) <= TEXT:
        return text
    import hashlib
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return "%s... (%d characters, sha256 %s)" % (text[:200], len(text), digest[:16])


def equality(value):
    """`(text, opaque)`: see the mode `"equal"`."""
    text = Text("equal")
    return text.of(value), text.opaque


def error_text(error, size):
    """What an exception says. The address of an object is another one in each run."""
    try:
        return _ADDRESS.sub(" at 0x...", str(error))[:size]
    except BaseException:
        return ""


def exception_name(error):
    """The name of the nearest class of an exception that other code could name too."""
    for kind in type(error).__mro__:
        if "<locals>" not in kind.__qualname__:
            return kind.__name__
    return "BaseException"


# What is true whatever it is about: a name without its call.
_NO_TRUTH = frozenset([
    types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType, types.MethodDescriptorType,
    types.WrapperDescriptorType, type(NotImplemented), type(Ellipsis),
])


def truth(value):
    """`value`, where it can be true or false; else a `TypeError` that says what is missing."""
    kind = type(value)
    if kind in _NO_TRUTH:
        raise TypeError("%s is always true; is its call missing?" % getattr(value, "__name__", kind.__name__))
    if hasattr(kind, "__next__") or kind in (types.CoroutineType, types.AsyncGeneratorType):
        raise TypeError("an iterator is always true; put it into `all(...)` or `any(...)`")
    return value


# Special methods by which an object can make a wrong answer look right.
_DECEIVING = frozenset(
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __bool__ __len__ __contains__ __hash__ __repr__ __str__ "
    "__class__ __getattribute__ __iter__ __getitem__".split()
)
# Py_TPFLAGS_HEAPTYPE: no class that a candidate makes is without it (`list_iterator`, `async_generator`).
_MADE_IN_PYTHON = 1 << 9
_ANYTHING_MODULES = frozenset(["unittest", "mock", "doctest", "hypothesis", "crosshair", "pytest", "_pytest"])


def deception(value, depth=0):
    """The name of a type in `value` that can pretend to equal anything, or `None`.

    That is a class made up inside the function which overloads comparison, truth or `repr`, and
    the helpers of test libraries (`unittest.mock.ANY`). A class of the user's own file is the
    user's business.
    """
    kind = type(value)
    if kind in _HANDLERS or value is None:
        if depth > 6:
            return None
        if kind is dict:
            value = list(dict.keys(value))[:200] + list(dict.values(value))[:200]
        elif kind in (list, tuple):
            value = value[:400]
        elif kind not in (set, frozenset):
            return None
        for item in value:
            found = deception(item, depth + 1)
            if found is not None:
                return found
        return None
    if not kind.__flags__ & _MADE_IN_PYTHON:
        return None
    if str(kind.__module__).split(".")[0] in _ANYTHING_MODULES:
        return kind.__name__
    made = [] if _importable(kind) else [base for base in kind.__mro__ if not _importable(base)]
    if any(_DECEIVING & set(base.__dict__) for base in made):
        return kind.__name__
    # A number or a list with methods of its own adds up as it likes.
    if issubclass(kind, _PLAIN) and any(set(base.__dict__) - _HARMLESS for base in made):
        return kind.__name__
    return None


_PLAIN = (int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset)
_HARMLESS = frozenset("__module__ __qualname__ __doc__ __dict__ __weakref__ __slots__ __annotations__ __orig_bases__ __parameters__ "
                      "__firstlineno__ __static_attributes__".split())
# The name of the module under test, and the classes that it has made while it was loaded.
_OWN = ["", frozenset()]


def know(module):
    """Takes down the classes of a module: one that is hung into it later is none of the user's."""
    found, rest = set(), [module]
    while rest:
        for kind in list(vars(rest.pop()).values()):
            if isinstance(kind, type) and kind.__module__ == module.__name__ and kind not in found:
                found.add(kind)
                rest.append(kind)
    _OWN[:] = [module.__name__, frozenset(map(id, found))]


def _importable(kind):
    if _OWN[0] and kind.__module__ == _OWN[0]:
        return id(kind) in _OWN[1]
    found = sys.modules.get(kind.__module__)
    for name in kind.__qualname__.split("."):
        found = getattr(found, name, None)
    return found is kind
