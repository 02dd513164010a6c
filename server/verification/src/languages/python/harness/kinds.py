"""Kinds of values: what an annotation, or the values of examples, say a parameter can be.

A kind knows its boundary values (`small`), random values (`random`), values of a given size for
timing (`sized`) and a Hypothesis strategy (`strategy`), all as source text.
"""
import ast

MASK = (1 << 64) - 1
WORDS = ["''", "'a'", "'ab'", "'aa'", "'Ab'", "'hello'", "'racecar'", "'Hello World'", "'a b  c'", "' x '", "'123'", "'-1'", "'a,b'", "'été'", "'日本'", "'A man, a plan'", "'🙂'", "'a\\nb'"]


# Distinct for the first 2^m values of `i` modulo any 2^m: an odd multiplier permutes them.
HASH = "i * 2654435761"


class Rng:
    """xorshift64*: the same numbers in every Python, and nothing to import."""

    def __init__(self, seed):
        self.state = (seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) & MASK or 1

    def below(self, count):
        """A number in `0..count`."""
        x = self.state
        x ^= x >> 12
        x = (x ^ (x << 25)) & MASK
        x ^= x >> 27
        self.state = x
        return ((x * 0x2545F4914F6CDD1D) & MASK) % count


class Fixed:
    """One of the given texts."""
    scalable = False

    def __init__(self, texts):
        self.texts = list(dict.fromkeys(texts))

    def small(self):
        return self.texts

    def random(self, rng, _size):
        return self.texts[rng.below(len(self.texts))]

    def sized(self, rng, _size, _shape):
        return self.random(rng, 1)

    def nth(self, _size):
        """An expression in `i` whose values look random: elements of a large container."""
        texts = self.texts[:16]
        return "(%s,)[%s %% %d]" % (", ".join(texts), HASH, len(texts))

    def strategy(self, st):
        return st.sampled_from(self.texts)


class Choice(Fixed):
    """One of the values that a `Literal` lists: nothing near them is one."""
    closed = True


class Int(Fixed):
    """Integers. Their magnitude stays near that of the examples: many functions loop `n` times."""

    def __init__(self, hints=()):
        self.hints = [h for h in hints if type(h) is int]
        self.top = max([abs(h) for h in self.hints] + [12])
        values = [0, 1, 2, -1, 3, 5, 10, -3, 4, 7, 12, 6, -10, 8, 9, 11]
        for h in self.hints:
            values += [h, h + 1, h - 1]
        super().__init__(map(repr, values))

    def random(self, rng, size):
        reach = min(self.top, 3 + size * size)
        return repr(rng.below(2 * reach + 1) - reach // 2)

    def sized(self, rng, size, shape):
        return repr(size)

    def nth(self, size):
        return "%s %% %d" % (HASH, max(2, size * 4))

    def strategy(self, st):
        return st.integers(-max(self.top, 1000), max(self.top, 1000)).map(repr)


class Float(Fixed):
    """Finite floats; NaN and infinity come from examples only."""

    def __init__(self, hints=()):
        values = [0.0, 1.0, -1.0, 0.5, 2.5, -0.25, 3.0, 10.0, 3.14159, 100.0, -7.5, 1e-6, 1e6]
        values += [float(h) for h in hints if type(h) in (int, float) and h == h and abs(h) < 1e300]
        super().__init__(map(repr, values))

    def random(self, rng, size):
        return repr((rng.below(200 * size) - 60 * size) / (1, 2, 4, 10)[rng.below(4)])

    def sized(self, rng, size, shape):
        return repr(float(size))

    def nth(self, size):
        return "%s %% %d / 4" % (HASH, max(2, size * 16))

    def strategy(self, st):
        return st.floats(min_value=-1e9, max_value=1e9, allow_nan=False).map(repr)


class Str(Fixed):
    """Text, in the examples' own alphabet too."""
    scalable = True

    def __init__(self, hints=()):
        hints = [h for h in hints if type(h) is str]
        self.alphabet = "".join(sorted(set("".join(hints)))) or "abcAB 1"
        own = [repr(c * n) for c in self.alphabet[:6] for n in (1, 2)]
        words = WORDS if not hints else WORDS[:3] + own + WORDS[3:] + [repr(h) for h in hints]
        super().__init__(words)

    def random(self, rng, size):
        return repr("".join(self.alphabet[rng.below(len(self.alphabet))] for _ in range(rng.below(size + 2))))

    def sized(self, rng, size, shape):
        if shape == "equal":
            return "%r * %d" % (self.alphabet[0], size)
        body = "%r[%s %% %d] for i in range(%d)" % (self.alphabet, HASH, len(self.alphabet), size)
        order = {"ascending": "sorted(%s)", "descending": "sorted((%s), reverse=True)"}.get(shape, "[%s]")
        return "''.join(%s)" % order % body

    def nth(self, size):
        return "'w%%d' %% (%s %% %d)" % (HASH, max(2, size))

    def strategy(self, st):
        own = st.text(alphabet=self.alphabet, max_size=20)
        return st.one_of(own, st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=12)).map(repr)


class Bytes(Fixed):
    """Byte strings."""
    scalable = True

    def __init__(self, hints=()):
        super().__init__(["b''", "b'a'", "b'ab'", "b'\\x00'", "b'\\xff\\x00'", "b'hello'"] + [repr(h) for h in hints if type(h) is bytes])

    def random(self, rng, size):
        return repr(bytes(rng.below(256) for _ in range(rng.below(size + 2))))

    def sized(self, rng, size, _shape):
        return "bytes(%s %% 256 for i in range(%d))" % (HASH, size)

    def strategy(self, st):
        return st.binary(max_size=16).map(repr)


class Many:
    """A list, set, frozenset, iterator or tuple of any length: `template % elements`."""
    scalable = True

    def __init__(self, element, template="[%s]", hashed=False):
        self.element, self.template, self.hashed = element, template, hashed

    def _text(self, items):
        if self.hashed:
            items = list(dict.fromkeys(items))
        if not items and self.template == "{%s}":
            return "set()"
        tail = "," if len(items) == 1 and self.template == "(%s)" else ""
        return self.template % (", ".join(items) + tail)

    def small(self):
        e = self.element.small()
        pick = (lambda *places: [e[p % len(e)] for p in places])
        ordered = sorted(e[:6], key=lambda t: (len(t), t))
        rows = [[], pick(0), pick(1), pick(0, 1), pick(1, 0), pick(1, 1), pick(0, 1, 2), pick(2, 1, 0), pick(2, 0, 1), pick(1, 2, 1), pick(3), pick(3, 1, 4, 1, 5), pick(0, 0, 0), pick(2, 2, 1, 1), ordered, ordered[::-1], pick(*range(8)), pick(*range(9, 0, -1))]
        return list(dict.fromkeys(self._text(r) for r in rows))

    def random(self, rng, size):
        return self._text([self.element.random(rng, max(2, size // 2)) for _ in range(rng.below(size + 2))])

    def sized(self, rng, size, shape):
        body = "[%s for i in range(%d)]" % (self.element.nth(max(1, size // 16) if shape == "repeated" else size), size)
        if shape == "equal" and not self.hashed:
            body = "[%s] * %d" % (self.element.small()[1 % len(self.element.small())], size)
        elif shape in ("ascending", "descending") and isinstance(self.element, (Int, Float, Str)):
            body = "sorted(%s%s)" % (body, ", reverse=True" if shape == "descending" else "")
        return self.template % ("*" + body + ("," if self.template == "(%s)" else ""))

    def nth(self, size):
        return self._text([self.element.nth(size)] * (1 if self.hashed else 3))

    def strategy(self, st):
        return st.lists(self.element.strategy(st), max_size=12).map(self._text)


class Iterables(Many):
    """Lists, and in every second random call an iterator, through which one can go once.

    A law may call its function several times with one value, so it gets lists.
    """

    def random(self, rng, size):
        return ("iter(%s)" if rng.below(2) else "%s") % super().random(rng, size)


class Row:
    """A tuple of fixed kinds, or the arguments of a constructor: `template % elements`."""
    scalable = False

    def __init__(self, parts, template=None):
        self.parts = parts
        self.template = template or ("(%s,)" if len(parts) == 1 else "(%s)")

    def _text(self, items):
        return self.template % ", ".join(items)

    def small(self):
        lists = [p.small() for p in self.parts]
        count = max([len(x) for x in lists] + [1])
        return list(dict.fromkeys(self._text([x[(turn + place * (turn // 3)) % len(x)] for place, x in enumerate(lists)]) for turn in range(count)))

    def random(self, rng, size):
        return self._text([p.random(rng, size) for p in self.parts])

    def sized(self, rng, size, shape):
        return self._text([p.sized(rng, size, shape) for p in self.parts])

    def nth(self, size):
        return self._text([p.nth(size) for p in self.parts])

    def strategy(self, st):
        return st.tuples(*[p.strategy(st) for p in self.parts]).map(self._text)


class Map:
    """A dictionary."""
    scalable = True

    def __init__(self, key, item):
        self.key, self.item = key, item

    def small(self):
        k, v = self.key.small(), self.item.small()
        pairs = (lambda *places: "{%s}" % ", ".join("%s: %s" % (k[p % len(k)], v[(p + s) % len(v)]) for s, p in enumerate(places)))
        return list(dict.fromkeys([pairs(), pairs(0), pairs(1), pairs(0, 1), pairs(1, 0), pairs(2, 1, 0), pairs(0, 1, 2, 3), pairs(5, 3, 1)]))

    def random(self, rng, size):
        count = rng.below(size + 1)
        pairs = {self.key.random(rng, size): self.item.random(rng, max(2, size // 2)) for _ in range(count)}
        return "{%s}" % ", ".join("%s: %s" % p for p in pairs.items())

    def sized(self, rng, size, _shape):
        key = "i" if isinstance(self.key, Int) else "'k%d' % i" if isinstance(self.key, Str) else self.key.nth(size)
        return "{%s: %s for i in range(%d)}" % (key, self.item.nth(size), size)

    def nth(self, size):
        return "{%s: %s}" % (self.key.nth(size), self.item.nth(size))

    def strategy(self, st):
        pairs = st.dictionaries(self.key.strategy(st), self.item.strategy(st), max_size=8)
        return pairs.map(lambda d: "{%s}" % ", ".join("%s: %s" % p for p in d.items()))


class Either:
    """A union."""

    def __init__(self, parts):
        self.parts = parts
        self.scalable = any(getattr(p, "scalable", False) for p in parts)

    def small(self):
        lists = [p.small() for p in self.parts]
        longest = max(map(len, lists))
        return list(dict.fromkeys(x[i] for i in range(longest) for x in lists if i < len(x)))

    def random(self, rng, size):
        return self.parts[rng.below(len(self.parts))].random(rng, size)

    def sized(self, rng, size, shape):
        return self._best().sized(rng, size, shape)

    def nth(self, size):
        return self._best().nth(size)

    def _best(self):
        return next((p for p in self.parts if getattr(p, "scalable", False)), self.parts[0])

    def strategy(self, st):
        return st.one_of(*[p.strategy(st) for p in self.parts])


_LISTS = frozenset("list List Sequence MutableSequence Iterable Collection Reversible Container".split())
_MAPS = frozenset("dict Dict Mapping MutableMapping OrderedDict defaultdict DefaultDict Counter".split())
_SETS = frozenset("set Set AbstractSet MutableSet".split())


class Reader:
    """Reads annotations of one file, as text: aliases, type variables and classes of the file count."""

    def __init__(self, tree):
        self.aliases, self.classes = {}, {}
        for node in tree.body:
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
            return infer(hints)
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
            return simple[name](hints)
        if name in ("bool", "None", "NoneType"):
            return Fixed(["True", "False"] if name == "bool" else ["None"])
        if name in ("Any", "object", "Hashable"):
            return infer(hints) or Either([Int(), Fixed(["None"]), Str()])
        if name in ("Number", "Real", "SupportsFloat"):
            return Either([Int(hints), Float(hints)])
        if name in ("Sized", "bytearray") or name in _LISTS | _MAPS | _SETS | {"tuple", "Tuple", "frozenset", "Iterator", "deque"}:
            return self._generic(name, [], hints, depth)
        if name in self.classes:
            return self.constructor(name, depth + 1)
        if name in self.aliases:
            return self._alias(self.aliases[name], hints, depth)
        import library  # which needs this module
        return library.Made(ast.unparse(node), name) if name in library.CLASSES else None

    def _alias(self, node, hints, depth):
        if isinstance(node, ast.Call) and _last(node.func) in ("TypeVar", "NewType"):
            bound = [k.value for k in node.keywords if k.arg == "bound"] + (node.args[1:] if node.args else [])
            return self._either(bound, hints, depth) if bound else infer(hints) or Int()
        return self.kind(node, hints, depth + 1)

    def _either(self, nodes, hints, depth):
        parts = [k for k in (self.kind(n, hints, depth + 1) for n in nodes) if k is not None]
        return (Either(parts) if len(parts) > 1 else parts[0]) if parts else None

    def _generic(self, name, parts, hints, depth):
        flat = _elements(h for h in hints if isinstance(h, (list, tuple, set, frozenset)))
        element = (lambda place: self.kind(parts[place], flat, depth + 1) if place < len(parts) else infer(flat) or Int())
        if name == "Optional":
            return self._either([ast.Constant(None)] + parts, hints, depth)
        if name == "Union":
            return self._either(parts, hints, depth)
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
            inner = self.kind(parts[0], flat, depth + 1) if parts else infer(flat) or Int()
            return Many(inner, "(%s)") if inner else None
        columns = [[h[i] for h in hints if type(h) is tuple and len(h) > i] for i in range(len(parts))]
        kinds = [self.kind(p, c, depth + 1) for p, c in zip(parts, columns)]
        return Row(kinds) if all(kinds) else None

    def _map(self, name, parts, hints, depth):
        if name in ("OrderedDict", "defaultdict", "DefaultDict", "Counter"):
            return None
        keys = [k for h in hints if type(h) is dict for k in h]
        items = [v for h in hints if type(h) is dict for v in h.values()]
        key = self.kind(parts[0], keys, depth + 1) if parts else infer(keys) or Str()
        item = self.kind(parts[1], items, depth + 1) if len(parts) > 1 else infer(items) or Int()
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
            return _Record([_Entry(f.target.id, part, _is_needed(f.annotation, total)) for f, part in zip(fields, parts)])
        init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
        if init is not None:
            plain = init.args.posonlyargs + init.args.args
            needed = plain[1 : len(plain) - len(init.args.defaults)]
            parts = [self.kind(a.annotation, (), depth + 1) if a.annotation else None for a in needed]
            return Row(parts, name + "(%s)") if all(parts) and not [d for d in init.args.kw_defaults if d is None] else None
        marks = {_last(d.func if isinstance(d, ast.Call) else d) for d in node.decorator_list}
        if "dataclass" in marks or "NamedTuple" in bases:
            parts = [self.kind(f.annotation, (), depth + 1) for f in fields if f.value is None]
            return Row(parts, name + "(%s)") if all(parts) else None
        return Fixed([name + "()"]) if not bases - {"object", "Generic", "Protocol", "ABC"} else None


class _Entry:
    """A key of a TypedDict with its value, or nothing where it may be missing."""

    def __init__(self, name, kind, needed):
        self.name, self.kind, self.needed = name, kind, needed

    def _text(self, value):
        return "%r: %s" % (self.name, value)

    def small(self):
        found = [self._text(v) for v in self.kind.small()]
        return found if self.needed else found[:1] + [""] + found[1:]

    def random(self, rng, size):
        return "" if not self.needed and rng.below(3) == 0 else self._text(self.kind.random(rng, size))

    def sized(self, rng, size, shape):
        return self._text(self.kind.sized(rng, size, shape))

    def nth(self, size):
        return self._text(self.kind.nth(size))

    def strategy(self, st):
        given = self.kind.strategy(st).map(self._text)
        return given if self.needed else st.one_of(given, st.just(""))


class _Record(Row):
    """A TypedDict: one entry per field."""
    closed = True

    def _text(self, items):
        return "{%s}" % ", ".join(filter(None, items))


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


def is_closed(kind):
    """Whether a value that is changed a little may be none of the kind any more."""
    inner = [getattr(kind, n, None) for n in ("element", "key", "item")] + list(getattr(kind, "parts", ()))
    return getattr(kind, "closed", False) or any(map(is_closed, filter(None, inner)))


def infer(values, depth=0):
    """The kind that example values have in common; `None` when there are none."""
    values = list(values)
    if not values or depth > 5:
        return None
    by_type = {}
    for v in values:
        by_type.setdefault(type(v), []).append(v)
    parts = [k for k in (_infer_one(kind, group, depth) for kind, group in by_type.items()) if k is not None]
    return (Either(parts) if len(parts) > 1 else parts[0]) if parts else None


def _elements(groups):
    """What containers hold; a set's elements in an order that no hash seed changes."""
    return [x for g in groups for x in (sorted(g, key=repr) if isinstance(g, (set, frozenset)) else g)]


def _infer_one(kind, group, depth):
    simple = {int: Int, float: Float, str: Str, bytes: Bytes}
    if kind in simple:
        return simple[kind](group)
    if kind is bool or group[0] is None:
        return Fixed(["True", "False"] if kind is bool else ["None"])
    if kind in (list, set):
        inner = infer(_elements(group), depth + 1) or Int()
        return Many(inner, "[%s]" if kind is list else "{%s}", kind is set)
    if kind is tuple:
        if len({len(g) for g in group}) == 1 and group[0]:
            return Row([infer([g[i] for g in group], depth + 1) for i in range(len(group[0]))])
        return Many(infer([x for g in group for x in g], depth + 1) or Int(), "(%s)")
    if kind is dict:
        return Map(infer([k for g in group for k in g], depth + 1) or Str(), infer([v for g in group for v in g.values()], depth + 1) or Int())
    return None
