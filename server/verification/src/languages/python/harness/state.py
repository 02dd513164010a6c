"""What clauses read beside their variables: data of the file, its functions and classes, the modules that it imports.

The function under test can change all of that while it runs (`LIMITS.clear()`, `math.isclose = ...`, the defaults of a
helper), and a clause that is evaluated afterwards would speak of what the function has made of it. So what was there
when the file had been loaded is kept, and a clause that holds of something else is asked of that.

Data in which there is nothing yet (`CACHE = {}`, `COUNT = 0`) is there to be changed, and so is what `@uses` names.
"""
import builtins

__builtins__ = dict(vars(builtins))

import collections
import contextlib
import copy
import types

import values

_deepcopy = copy.deepcopy
_BUILTINS = builtins
_ATOMS = (bool, int, float, complex, str, bytes, type(None))
_EMPTY = (list, dict, set, frozenset, tuple, bytearray, collections.deque)
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType, type)
_PARTS = ("__code__", "__defaults__", "__kwdefaults__")
_METHODS = (types.FunctionType, staticmethod, classmethod, property)
_NOTHING = object()
# Values beyond so many parts are compared by `==`, which is fast, and not as text, which nobody can fool.
NODES = 2000


class _Place:
    """Where something stands that can be replaced: a name of a module or a class, or a part of a function."""

    def __init__(self, label, holder, key, first):
        self.label, self.holder, self.key, self.first = label, holder, key, first

    def now(self):
        return getattr(self.holder, self.key) if self.key in _PARTS else vars(self.holder).get(self.key, _NOTHING)

    def is_changed(self):
        return self.now() is not self.first

    def fresh(self):
        """What stood there."""
        return self.first

    def put(self, value):
        if value is _NOTHING:
            delattr(self.holder, self.key)
        else:
            setattr(self.holder, self.key, value)


class _Data(_Place):
    """A place whose value can be changed itself."""

    def __init__(self, label, holder, key, first):
        super().__init__(label, holder, key, first)
        self.copy = _deepcopy(first)
        text = values.Text("source")
        self.text = text.of(_deepcopy(first))
        self.is_large = text.nodes > NODES
        if "iterator [" in self.text:  # looking at it uses it up
            raise TypeError(label)

    def is_changed(self):
        now = self.now()
        if self.is_large:
            return type(now) is not type(self.copy) or not now == self.copy
        return values.Text("source").of(now) != self.text

    def fresh(self):
        return self.first if type(self.first) in _ATOMS else _deepcopy(self.copy)


class State:
    """A module as it was loaded, but for the function under test, which is looked at by nobody here."""

    def __init__(self, module, own, owner, allowed):
        self.module, self.own, self.owner, self.allowed = module, own, owner, allowed
        self.data, self.known = {}, {}
        scope = list(vars(module).items())
        self.loose = {name for name, held in scope if _is_nothing_yet(held)} | allowed
        self.modules = [(name, held, dict(vars(held))) for name, held in scope if type(held) is types.ModuleType]
        self.modules.append(("", _BUILTINS, dict(vars(_BUILTINS))))
        self.modules.append(("", module, {name: held for name, held in scope if isinstance(held, _CODE) and name != own}))
        self.classes = [(name, held, dict(vars(held))) for name, held in scope if isinstance(held, type) and _is_of(held, module)]
        functions = [(name, held) for name, held in scope if type(held) is types.FunctionType and name != own]
        for label, _, held in self.modules:
            functions += [("%s.%s" % (label, n), f) for n, f in held.items() if type(f) is types.FunctionType and label]
        for label, kind, held in self.classes:
            functions += [("%s.%s" % (label, n), f) for n, f in held.items() if type(f) is types.FunctionType and not self._is_own(kind, n)]
        self.functions = {}  # by the last part of their names
        for label, function in functions:
            parts = [_Place(label, function, part, getattr(function, part)) for part in _PARTS]
            self.functions.setdefault(label.split(".")[-1], []).extend(parts)

    def _is_own(self, kind, name):
        return kind is self.owner and name == self.own

    def reached(self, code):
        """The names that code reads, and the file's functions that it calls, and those that they call."""
        if code not in self.known:
            found, rest = set(), [code]
            while rest:
                for name in _names(rest.pop()) - found:
                    found.add(name)
                    rest += self._codes(name)
            self.known[code] = found
        return self.known[code]

    def _codes(self, name):
        held = vars(self.module).get(name)
        methods = [attributes.get(name) for _, kind, attributes in self.classes if not self._is_own(kind, name)]
        if any(held is kind for _, kind, _ in self.classes):
            methods += [m for n, m in vars(held).items() if not self._is_own(held, n)]
        found = [held] * (name != self.own) + [getattr(m, "__func__", None) or getattr(m, "fget", None) or m for m in methods]
        codes = [getattr(f, "__code__", None) for f in found if type(f) is types.FunctionType]
        return [code for code in codes if code.co_filename == self.module.__file__]

    def watch(self, code):
        """Keeps the data that code reads. Before the function has run."""
        for name in self.reached(code):
            value = vars(self.module).get(name, _NOTHING)
            if name in self.data or name in self.allowed or value is _NOTHING or isinstance(value, _CODE) or _is_nothing_yet(value):
                continue
            try:
                self.data[name] = _Data(name, self.module, name, value)
            except Exception:  # what cannot be copied cannot be kept
                pass

    def changed(self, code, data=True):
        """The places that code reads and that are not as they were; without `data`, of functions and modules only."""
        names = self.reached(code) - self.allowed
        found = [self.data[n] for n in sorted(names & self.data.keys()) if self.data[n].is_changed()] if data else []
        for label, module, first in self.modules:
            held = vars(module)
            for name in sorted(names & first.keys()):
                if held.get(name, _NOTHING) is not first[name] and not name.startswith("__"):
                    found.append(_Place(label and "%s.%s" % (label, name) or name, module, name, first[name]))
        for label, kind, first in self.classes:
            held = vars(kind)
            for name in [n for n in {**first, **held} if n in names or n.startswith("__") and label in names]:
                was, now = first.get(name, _NOTHING), held.get(name, _NOTHING)
                if was is not now and (isinstance(was, _METHODS) or isinstance(now, _METHODS)) and not self._is_own(kind, name):
                    found.append(_Place("%s.%s" % (label, name), kind, name, was))
        for name in sorted(names & self.functions.keys()):
            found += [part for part in self.functions[name] if part.is_changed()]
        return found

    @contextlib.contextmanager
    def as_it_was(self, places):
        """Puts back what stood in these places, for a while."""
        kept = [(place, place.now()) for place in places]
        try:
            self.restore(places)
            yield
        finally:
            for place, value in kept:
                place.put(value)

    @staticmethod
    def restore(places):
        for place in places:
            place.put(place.fresh())


def labels(places):
    """What places are called, for people."""
    return ", ".join(dict.fromkeys(place.label for place in places))


def _is_of(kind, module):
    return getattr(kind, "__module__", "") == module.__name__


def _is_nothing_yet(value):
    return value is None or type(value) in (bool, int, str) and not value or isinstance(value, _EMPTY) and len(value) == 0


def _names(code):
    names = set(code.co_names)
    for inner in code.co_consts:
        if type(inner) is types.CodeType:
            names |= _names(inner)
    return names
