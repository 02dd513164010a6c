"""Kinds of values: what a parameter can be.

A kind knows its boundary values (`small`), random values (`random`), values of a given size for
timing (`sized`) and a Hypothesis strategy (`strategy`), all as source text.
"""
import math

from said import NOTHING

MASK = (1 << 64) - 1
WORDS = ["''", "'a'", "'ab'", "'aa'", "'Ab'", "'hello'", "'racecar'", "'Hello World'", "'a b  c'", "' x '", "'123'", "'-1'", "'a,b'", "'été'", "'日本'", "'A man, a plan'", "'🙂'", "'a\\nb'", "'0123456789'", "'AZaz09'", "'\\t'", "'a\\tb'", "'xyz'"]
PRINTABLE = "".join(map(chr, range(32, 127)))
# Integers that are named become ordinary inputs up to here: a function may loop or recurse so often.
NEAR = 100
# What Hypothesis tries of those.
REACH = 1000


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


def _often(st, strategy, named):
    """What is named in every fourth case, else what the strategy gives."""
    return st.one_of(strategy, strategy, strategy, st.sampled_from(list(dict.fromkeys(named)))) if named else strategy


def _beside(number):
    return [number, math.nextafter(number, math.inf), math.nextafter(number, -math.inf)]


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

    def __init__(self, hints=(), said=NOTHING):
        self.hints = [h for h in hints if type(h) is int]
        self.named = [v + step for v in said.numbers if type(v) is int for step in (0, 1, -1)]
        self.top = max([abs(h) for h in self.hints] + [12])
        values = [0, 1, 2, -1, 3, 5, 10, -3, 4, 7, 12, 6, -10, 8, 9, 11]
        for h in self.hints:
            values += [h, h + 1, h - 1]
        self.near = [v for v in self.named if abs(v) <= NEAR]
        values += self.near
        super().__init__(map(repr, values))

    def random(self, rng, size):
        if self.near and rng.below(8) == 0:
            return repr(self.near[rng.below(len(self.near))])
        reach = min(self.top, 3 + size * size)
        return repr(rng.below(2 * reach + 1) - reach // 2)

    def sized(self, rng, size, shape):
        return repr(size)

    def nth(self, size):
        return "%s %% %d" % (HASH, max(2, size * 4))

    def strategy(self, st):
        near = [v for v in self.named if abs(v) <= REACH]
        return _often(st, st.integers(-max(self.top, REACH), max(self.top, REACH)), near).map(repr)


class Float(Fixed):
    """Finite floats; NaN and infinity come from examples only."""

    def __init__(self, hints=(), said=NOTHING):
        self.named = [v for n in said.numbers if abs(n) < 1e300 for v in _beside(float(n))]
        values = [0.0, 1.0, -1.0, 0.5, 2.5, -0.25, 3.0, 10.0, 3.14159, 100.0, -7.5, 1e-6, 1e6]
        values += [float(h) for h in hints if type(h) in (int, float) and h == h and abs(h) < 1e300]
        self.near = [v for v in self.named if abs(v) <= 1e6]
        super().__init__(map(repr, values + self.near))

    def random(self, rng, size):
        if self.near and rng.below(8) == 0:
            return repr(self.near[rng.below(len(self.near))])
        return repr((rng.below(200 * size) - 60 * size) / (1, 2, 4, 10)[rng.below(4)])

    def sized(self, rng, size, shape):
        return repr(float(size))

    def nth(self, size):
        return "%s %% %d / 4" % (HASH, max(2, size * 16))

    def strategy(self, st):
        return _often(st, st.floats(min_value=-1e9, max_value=1e9, allow_nan=False), self.named).map(repr)


class Str(Fixed):
    """Text, in the examples' own alphabet too."""
    scalable = True

    def __init__(self, hints=(), said=NOTHING):
        hints = [h for h in hints if type(h) is str]
        self.alphabet = "".join(sorted(set("".join(hints)))) or "abcAB 1"
        own = [repr(c * n) for c in self.alphabet[:6] for n in (1, 2)]
        words = WORDS if not hints else WORDS[:3] + own + WORDS[3:] + [repr(h) for h in hints]
        self.named = [text for v in said.texts for text in (v, v + "a", "a" + v, v.swapcase())]
        super().__init__(words + list(map(repr, self.named)))
        self.alphabet += "".join(sorted(set("".join(said.texts)) - set(self.alphabet)))[:12]

    def random(self, rng, size):
        if self.named and rng.below(8) == 0:
            return repr(self.named[rng.below(len(self.named))])
        if rng.below(4) == 0:
            return repr("".join(PRINTABLE[rng.below(len(PRINTABLE))] for _ in range(rng.below(size + 2))))
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
        printable = st.text(alphabet=PRINTABLE, max_size=12)
        every = st.text(alphabet=st.characters(exclude_categories=("Cs",)), max_size=12)
        return _often(st, st.one_of(own, every, printable), self.named).map(repr)


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


class Entry:
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


class Argument(Entry):
    """An argument by name, or nothing where there is a default."""

    def _text(self, value):
        return "%s=%s" % (self.name, value)

    def small(self):
        return ([] if self.needed else [""]) + [self._text(v) for v in self.kind.small()]

    def sized(self, rng, size, shape):
        return self._text(self.kind.sized(rng, size, shape)) if self.needed else ""

    def nth(self, size):
        return self._text(self.kind.nth(size)) if self.needed else ""


class Construction(Row):
    """A call of a constructor."""

    def _text(self, items):
        return self.template % ", ".join(filter(None, items))


class Record(Row):
    """A TypedDict: one entry per field."""
    closed = True

    def _text(self, items):
        return "{%s}" % ", ".join(filter(None, items))


def is_closed(kind):
    """Whether a value that is changed a little may be none of the kind any more."""
    inner = [getattr(kind, n, None) for n in ("element", "key", "item")] + list(getattr(kind, "parts", ()))
    return getattr(kind, "closed", False) or any(map(is_closed, filter(None, inner)))
