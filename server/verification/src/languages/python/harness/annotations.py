"""What kind of values a parameter takes: read from its annotation, or from the values of examples."""
import ast

import library
from kinds import Argument, Bytes, Choice, Construction, Either, Entry, Fixed, Float, Int, Iterables, Many, Map, Record, Row, Str
from said import NOTHING
from subject import flat

_LISTS = frozenset("list List Sequence MutableSequence Iterable Collection Reversible Container".split())
_MAPS = frozenset("dict Dict Mapping MutableMapping OrderedDict defaultdict DefaultDict Counter".split())
_SETS = frozenset("set Set AbstractSet MutableSet".split())


class Reader:
    """Reads annotations of one file, as text: aliases, type variables and classes of the file count."""

    def __init__(self, tree):
        self.aliases, self.classes, self.said = {}, {}, NOTHING
        self.imported = {a.asname or a.name for n in flat(tree.body) if isinstance(n, ast.Import) for a in n.names}
        for node in flat(tree.body):
            if isinstance(node, ast.ClassDef):
                self.classes[node.name] = node
            elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                self.aliases[node.targets[0].id] = node.value
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
                self.aliases[node.target.id] = node.value
            elif type(node).__name__ == "TypeAlias":
                self.aliases[node.name.id] = node.value

    def kind(self, annotation, hints=(), depth=0):
        """The kind an annotation stands for, made richer by example values; `None` if unknown."""
        if depth > 8:
            return None
        if annotation is None:
            return self._infer(hints)
        if isinstance(annotation, ast.Constant):
            if annotation.value is None:
                return Fixed(["None"])
            if isinstance(annotation.value, str):
                try:
                    return self.kind(ast.parse(annotation.value, mode="eval").body, hints, depth + 1)
                except SyntaxError:
                    return None
        if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
            return self._either([annotation.left, annotation.right], hints, depth)
        if isinstance(annotation, ast.Subscript):
            inner = annotation.slice
            inner = getattr(inner, "value", inner) if type(inner).__name__ == "Index" else inner
            parts = inner.elts if isinstance(inner, ast.Tuple) else [inner]
            return self._generic(_last(annotation.value), parts, hints, depth)
        return self._named(annotation, hints, depth)

    def _named(self, node, hints, depth):
        name = _last(node)
        simple = {"int": Int, "float": Float, "str": Str, "bytes": Bytes, "LiteralString": Str, "AnyStr": Str}
        if name in simple:
            return simple[name](hints) if name == "bytes" else simple[name](hints, self.said)
        if name in ("bool", "None", "NoneType"):
            return Fixed(["True", "False"] if name == "bool" else ["None"])
        if name in ("Any", "object", "Hashable"):
            return self._infer(hints) or Either([Int(said=self.said), Fixed(["None"]), Str(said=self.said)])
        if name in ("Number", "Real", "SupportsFloat"):
            return Either([Int(hints, self.said), Float(hints, self.said)])
        if name in ("Sized", "bytearray") or name in _LISTS | _MAPS | _SETS | {"tuple", "Tuple", "frozenset", "Iterator", "deque"}:
            return self._generic(name, [], hints, depth)
        if name in self.classes:
            return self.constructor(name, depth + 1)
        if name in self.aliases:
            return self._alias(self.aliases[name], hints, depth)
        if name == "Pattern":
            return self._pattern([])
        return library.Made(ast.unparse(node), name) if name in library.CLASSES else None

    def _pattern(self, parts):
        """Regular expressions, of bytes where it is said."""
        head = "re" if "re" in self.imported else "__import__('re')"
        mark = "b" if parts and _last(parts[0]) == "bytes" else ""
        return Fixed(["%s.compile(%s%s)" % (head, mark, text) for text in library.PATTERNS])

    def _infer(self, values):
        return infer(values, 0, self.said)

    def _alias(self, node, hints, depth):
        if isinstance(node, ast.Call) and _last(node.func) in ("TypeVar", "NewType"):
            bound = [k.value for k in node.keywords if k.arg == "bound"] + (node.args[1:] if node.args else [])
            return self._either(bound, hints, depth) if bound else self._infer(hints) or Int(said=self.said)
        return self.kind(node, hints, depth + 1)

    def _either(self, nodes, hints, depth):
        parts = [k for k in (self.kind(n, hints, depth + 1) for n in nodes) if k is not None]
        return (Either(parts) if len(parts) > 1 else parts[0]) if parts else None

    def _generic(self, name, parts, hints, depth):
        flat = _elements(h for h in hints if isinstance(h, (list, tuple, set, frozenset)))
        element = (lambda place: self.kind(parts[place], flat, depth + 1) if place < len(parts) else self._infer(flat) or Int(said=self.said))
        if name == "Optional":
            return self._either([ast.Constant(None)] + parts, hints, depth)
        if name == "Union":
            return self._either(parts, hints, depth)
        if name == "Pattern":
            return self._pattern(parts)
        if name == "Literal":
            return Choice([ast.unparse(p) for p in parts])
        if name in ("Annotated", "Final", "ClassVar", "Required", "NotRequired", "ReadOnly"):
            return self.kind(parts[0], hints, depth + 1)
        if name in ("tuple", "Tuple"):
            return self._tuple(parts, hints, flat, depth)
        if name in _MAPS:
            return self._map(name, parts, hints, depth)
        templates = {"frozenset": "frozenset([%s])", "FrozenSet": "frozenset([%s])", "Iterator": "iter([%s])", "Generator": "iter([%s])", "bytearray": "bytearray([%s])"}
        template = "{%s}" if name in _SETS else templates.get(name, "[%s]" if name in _LISTS or name == "Sized" else None)
        inner = Fixed(["0", "1", "97", "255"]) if name == "bytearray" else element(0)
        kind = Iterables if name == "Iterable" and depth == 0 else Many
        return kind(inner, template, name in _SETS) if template and inner is not None else None

    def _tuple(self, parts, hints, flat, depth):
        if len(parts) == 2 and isinstance(parts[1], ast.Constant) and parts[1].value is Ellipsis or not parts:
            inner = self.kind(parts[0], flat, depth + 1) if parts else self._infer(flat) or Int(said=self.said)
            return Many(inner, "(%s)") if inner else None
        columns = [[h[i] for h in hints if type(h) is tuple and len(h) > i] for i in range(len(parts))]
        kinds = [self.kind(p, c, depth + 1) for p, c in zip(parts, columns)]
        return Row(kinds) if all(kinds) else None

    def _map(self, name, parts, hints, depth):
        if name in ("OrderedDict", "defaultdict", "DefaultDict", "Counter"):
            return None
        keys = [k for h in hints if type(h) is dict for k in h]
        items = [v for h in hints if type(h) is dict for v in h.values()]
        key = self.kind(parts[0], keys, depth + 1) if parts else self._infer(keys) or Str(said=self.said)
        item = self.kind(parts[1], items, depth + 1) if len(parts) > 1 else self._infer(items) or Int(said=self.said)
        return Map(key, item) if key and item else None

    def constructor(self, name, depth=0):
        """Objects of a class of this file: enum members, or calls of its constructor."""
        node = self.classes.get(name)
        if node is None or depth > 4:
            return None
        bases = {_last(b) for b in node.bases}
        if bases & {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag"}:
            members = ["%s.%s" % (name, t.id) for n in node.body if isinstance(n, ast.Assign) for t in n.targets if isinstance(t, ast.Name)]
            several = _combined(name, members) if bases & {"Flag", "IntFlag"} else []
            return Fixed(members + several) if members else None
        fields = [n for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)]
        if "TypedDict" in bases:
            total = not any(k.arg == "total" and isinstance(k.value, ast.Constant) and not k.value.value for k in node.keywords)
            parts = [self.kind(f.annotation, (), depth + 1) for f in fields]
            if not (parts and all(parts)):
                return None
            return Record([Entry(f.target.id, part, _is_needed(f.annotation, total)) for f, part in zip(fields, parts)])
        init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
        if init is not None:
            return self._call(name, _arguments(init.args), depth)
        marks = {_last(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list}
        if "dataclass" in marks or "NamedTuple" in bases:
            return self._call(name, list(_of_fields(node, fields)), depth)
        return Fixed([name + "()"]) if not bases - {"object", "Generic", "Protocol", "ABC"} else None


    def _call(self, name, arguments, depth):
        """A call of a constructor: those arguments that it needs, and any of the others that there are values for."""
        parts, left = [], []
        for given, annotation, needed, *default in arguments:
            # Without an annotation the default says of what type it is.
            kind = self.kind(annotation, (), depth + 1) if annotation is not None else self._infer([v for d in default for v in literal(d)])
            if kind is None and needed:
                return None
            if kind is not None:
                parts.append(kind if needed and not given else Argument(given, kind, needed))
            else:
                left.append(given)
        made = Construction(parts, name + "(%s)")
        made.left = left
        return made


def _arguments(args):
    """`(name or "" where a place will do, annotation, whether it must be given, its default)` of each argument but the first."""
    plain = args.posonlyargs + args.args
    missing = len(plain) - len(args.defaults)
    defaults = [None] * missing + list(args.defaults)
    found = [("" if i < missing else a.arg, a.annotation, i < missing, defaults[i]) for i, a in enumerate(plain) if i and a not in args.posonlyargs[missing:]]
    return found + [(a.arg, a.annotation, d is None, d) for a, d in zip(args.kwonlyargs, args.kw_defaults)]


def literal(node):
    """The value of a literal that says of what type a parameter is, in a list; none for `None`."""
    try:
        return [v for v in [ast.literal_eval(node)] if v is not None] if node is not None else []
    except (ValueError, TypeError, SyntaxError, RecursionError):
        return []


def _of_fields(node, fields):
    """The same of the fields of a dataclass or a named tuple."""
    options = [k for d in node.decorator_list if isinstance(d, ast.Call) for k in d.keywords]
    by_name = any(k.arg == "kw_only" and getattr(k.value, "value", False) for k in options)
    for field in fields:
        settings = {k.arg: k.value for k in field.value.keywords} if isinstance(field.value, ast.Call) and _last(field.value.func) == "field" else None
        if _last(field.annotation) == "KW_ONLY":
            by_name = True
        elif _last(getattr(field.annotation, "value", field.annotation)) != "ClassVar" and getattr((settings or {}).get("init"), "value", True):
            needed = not {"default", "default_factory"} & set(settings) if settings is not None else field.value is None
            yield ("" if needed and not by_name else field.target.id, field.annotation, needed)


def _is_needed(annotation, total):
    """Whether every value of a TypedDict has the field (PEP 655)."""
    while isinstance(annotation, ast.Subscript):
        name = _last(annotation.value)
        if name in ("Required", "NotRequired"):
            return name == "Required"
        if name not in ("Annotated", "ReadOnly"):
            return total
        annotation = annotation.slice.elts[0] if isinstance(annotation.slice, ast.Tuple) else annotation.slice
    return total


def _combined(name, members):
    """Flags together: none, each two neighbours, all."""
    pairs = ["%s | %s" % pair for pair in zip(members, members[1:])]
    return ["%s(0)" % name] + pairs + ([" | ".join(members)] if len(members) > 2 else [])


def _last(node):
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def infer(values, depth=0, said=NOTHING):
    """The kind that example values have in common; `None` when there are none."""
    values = list(values)
    if not values or depth > 5:
        return None
    by_type = {}
    for v in values:
        by_type.setdefault(type(v), []).append(v)
    parts = [k for k in (_infer_one(kind, group, depth, said) for kind, group in by_type.items()) if k is not None]
    return (Either(parts) if len(parts) > 1 else parts[0]) if parts else None


def _elements(groups):
    """What containers hold; a set's elements in an order that no hash seed changes."""
    return [x for g in groups for x in (sorted(g, key=repr) if isinstance(g, (set, frozenset)) else g)]


def _infer_one(kind, group, depth, said):
    simple = {int: Int, float: Float, str: Str, bytes: Bytes}
    if kind in simple:
        return Bytes(group) if kind is bytes else simple[kind](group, said)
    if kind is bool or group[0] is None:
        return Fixed(["True", "False"] if kind is bool else ["None"])
    if kind in (list, set):
        inner = infer(_elements(group), depth + 1, said) or Int(said=said)
        return Many(inner, "[%s]" if kind is list else "{%s}", kind is set)
    if kind is tuple:
        if len({len(g) for g in group}) == 1 and group[0]:
            return Row([infer([g[i] for g in group], depth + 1, said) for i in range(len(group[0]))])
        return Many(infer([x for g in group for x in g], depth + 1, said) or Int(said=said), "(%s)")
    if kind is dict:
        return Map(infer([k for g in group for k in g], depth + 1, said) or Str(said=said), infer([v for g in group for v in g.values()], depth + 1, said) or Int(said=said))
    return None
