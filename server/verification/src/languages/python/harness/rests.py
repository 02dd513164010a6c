"""What `*args` and `**kwargs` can be given, as it stands in a call: `1, 2`, `a=1, b=2`, or nothing."""
import keyword

import mutation
from kinds import Many

# Names beside those of the examples: a parameter that is annotated takes any.
FOREIGN = ("a", "b", "key", "name", "value", "x", "other", "size_2")


class Rest(Many):
    """Arguments by position, of any number."""

    def __init__(self, element):
        super().__init__(element, "%s")


class Keys:
    """Arguments by name."""

    def __init__(self, names, item):
        self.names, self.item = names, item

    def _text(self, pairs):
        return ", ".join("%s=%s" % pair for pair in pairs)

    def small(self):
        values, names = self.item.small(), self.names
        rows = [[], [0], [1], [2], [0, 1], [1, 2], [3, 0], [0, 1, 2], [4, 2, 0, 1], range(len(names))]
        pairs = ([(n, values[(turn + p) % len(values)]) for p, n in enumerate(dict.fromkeys(names[i % len(names)] for i in row))] for turn, row in enumerate(rows))
        return list(dict.fromkeys(map(self._text, pairs)))

    def random(self, rng, size):
        left, pairs = list(self.names), []
        for _ in range(rng.below(min(len(left), size) + 1)):
            pairs.append((left.pop(rng.below(len(left))), self.item.random(rng, max(2, size // 2))))
        return self._text(pairs)

    def strategy(self, st):
        return st.dictionaries(st.sampled_from(self.names), self.item.strategy(st), max_size=6).map(lambda d: self._text(d.items()))


def names_of(passed, is_annotated, taken):
    """The names that calls use: those of the examples, and any where the annotation says so."""
    known = sorted({name for names in passed for name in names})
    return [n for n in known + [f for f in FOREIGN if is_annotated and f not in known] if n not in taken]


def text(how, value, names=()):
    """What an example passes as it stands in a call; a name that was changed into none is left out."""
    if isinstance(value, mutation.Source) or how not in ("rest", "keys"):
        return mutation.text(value)
    if how == "rest":
        return ", ".join(map(mutation.text, value))
    return ", ".join("%s=%s" % (n, mutation.text(v)) for n, v in value.items() if n in names and not keyword.iskeyword(n))


def bound(how, written):
    """The value of the parameter itself in a call that is written so."""
    if how == "rest":
        return "(%s,)" % written if written else "()"
    return "dict(%s)" % written if how == "keys" else written
