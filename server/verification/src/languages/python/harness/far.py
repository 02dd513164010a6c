"""Calls far from what examples show: numbers and texts that the spec or the body names, long lists and texts, integers
that floats round, dates with a zone.

Most faults show on small inputs; a limit in the wrong place, or a part of the input that is not looked at, does not.
A correct function may lack the time or the stack for such calls, and no spec says so: whoever asks counts
only what a clause says of a result.
"""
import ast
import time

import kinds
import library

LENGTHS = (40, 300)
# Longest list or text, one longer than a number of the spec says.
LONGEST = 1001
# Beyond what a machine word and what a float hold.
HUGE = ("2147483648", "9007199254740993", "-9007199254740993", "1000000000000000007", "9223372036854775807")
SOON = 0.1
SECONDS = 2.0
# Calls of one kind for one parameter.
MOST = 120


def asked(worker, plan, job):
    """`(values by parameter, answer)` of each call; the first one that takes too long is the last of its kind."""
    end = time.monotonic() + SECONDS
    for rows in _groups(plan) if plan.can_generate() else ():
        for values in rows[:MOST]:
            if time.monotonic() > end:
                return
            answer = worker.ask(job(values), SOON)
            if answer[0] in ("timeout", "crash"):
                break
            yield values, answer


def _groups(plan):
    params = [p for p in plan.params if p.kind is not None and p.how not in ("rest", "keys")]
    for make in (_named, _long):
        for param in params:
            around = [_around(params, param, text) for text in dict.fromkeys(make(param.kind, plan.said))]
            yield [row for rows in zip(*around) for row in rows]  # every text once, before others of the rest
    yield _zoned(params)
    yield _huge(plan, params)


def _around(params, far, text):
    """One parameter far away, the others as usual, or of numbers all the same."""
    bases = [{p.name: p.kind.small()[turn % len(p.kind.small())] for p in params} for turn in (1, 0, 2)]
    if len(params) == 1:
        bases = bases[:1]
    elif type(far.kind) in (kinds.Int, kinds.Float):
        bases.append({**bases[0], **{p.name: text for p in params if type(p.kind) is type(far.kind)}})
    return [{**base, far.name: text} for base in bases]


def _named(kind, said):
    """What the spec and the body name, alone and within."""
    if isinstance(kind, (kinds.Int, kinds.Float)):
        return [repr(v) for v in sorted(kind.named, key=abs)]
    if isinstance(kind, kinds.Str):
        return [repr(text) for text in kind.named]
    if isinstance(kind, kinds.Either):
        return [text for part in kind.parts for text in _named(part, said)]
    if isinstance(kind, kinds.Many):
        usual = kind.element.small()[0]
        return [kind._text(row) for text in _named(kind.element, said) for row in ([text], [usual, text])]
    if isinstance(kind, kinds.Map):
        key, item = kind.key.small()[0], kind.item.small()[1 % len(kind.item.small())]
        keys, items = _named(kind.key, said), _named(kind.item, said)
        return ["{%s: %s}" % pair for pair in [(k, item) for k in keys] + [(key, v) for v in items]]
    return _parts(kind, said, _named)


def _long(kind, said):
    """Lists, texts and dictionaries, also just longer than what is named."""
    lengths = _lengths(said)
    if isinstance(kind, kinds.Str):
        return [repr(text) for n in lengths for text in ((kind.alphabet * n)[:n], kind.alphabet[0] * n)]
    if isinstance(kind, kinds.Either):
        return [text for part in kind.parts for text in _long(part, said)]
    if isinstance(kind, kinds.Many):
        return [kind._text(row) for n in lengths for row in _lists(kind, n)]
    if isinstance(kind, kinds.Map):
        pairs = (lambda n: zip(_ascending(kind.key, n), _mixed(kind.item, n)))
        return ["{%s}" % ", ".join(map("%s: %s".__mod__, pairs(n))) for n in lengths]
    return _parts(kind, said, _long)


def _parts(kind, said, make):
    """Each part of a tuple or an object far away."""
    parts = kind.parts if isinstance(kind, kinds.Row) else []
    usual = [p.small()[1 % len(p.small())] for p in parts]
    return [kind._text(usual[:i] + [text] + usual[i + 1 :]) for i, part in enumerate(parts) for text in make(part, said)]


def _lengths(said):
    named = {v + 1 for v in said.numbers if type(v) is int and 12 <= v < LONGEST}
    return sorted(named - set(LENGTHS))[:4] + list(LENGTHS)


def _lists(kind, length):
    """Elements as they come, and in ascending order without equal ones."""
    ascending = _ascending(kind.element, length)
    return [ascending] if kind.hashed else [_mixed(kind.element, length), ascending]


def _mixed(kind, length):
    exact = ["0.5", "2.0", "1.5", "-1.0", "3.25", "7.0"]  # whatever the order of summing, the sum is one
    usual = exact if isinstance(kind, kinds.Float) else kind.small()[:16]
    return [usual[i % len(usual)] for i in range(length)]


def _ascending(kind, length):
    make = {kinds.Int: lambda i: repr(i), kinds.Float: lambda i: repr(i / 2), kinds.Str: lambda i: "'w%04d'" % i}.get(type(kind))
    return list(map(make, range(length))) if make else list(dict.fromkeys(_mixed(kind, length)))


def _zoned(params):
    """All dates with a time have a zone: such cannot be compared with those that have none."""
    dates = [p for p in params if isinstance(p.kind, library.Made) and p.kind.name == "datetime"]
    if not dates:
        return []
    usual = {p.name: p.kind.small()[1 % len(p.kind.small())] for p in params}
    text = (lambda p, i: "%s.fromisoformat('%s')" % (p.kind.head, library.ZONED[i % len(library.ZONED)]))
    turns = [(turn, step) for step in (1, 2, 0) for turn in range(len(library.ZONED))]
    return [{**usual, **{p.name: text(p, turn + place * step) for place, p in enumerate(dates)}} for turn, step in turns]


def _huge(plan, params):
    """Integers that floats round, where the function itself is declared to give none."""
    gives = ast.unparse(plan.node.returns) if plan.node is not None and plan.node.returns else "float"
    if "float" in gives or "complex" in gives:
        return []
    needed = [p for p in params if not p.has_default]
    ints = [p.name for p in needed if type(p.kind) is kinds.Int][:3]
    rows = []
    for value in HUGE if ints else ():
        for large in [ints] + ([[name] for name in ints] if len(ints) > 1 else []):
            rest = {p.name: "3" if p.name in ints else p.kind.small()[-1] for p in needed}
            rows.append({**rest, **{name: value for name in large}})
    return rows
