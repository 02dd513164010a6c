"""Calls made smaller by structure: shorter lists and texts, smaller numbers, fewer arguments.

What a parameter can be, its kind says: a tuple of fixed length keeps it, an enum stays one. The
order in which variants are tried, and so the result, depends on the call alone.
"""
import ast

import kinds

# Elements of one container, or letters of one text, that are varied one by one.
EACH = 12
REACH = 1 << 40


def arguments_of(node):
    """`([1, 2], k=3)` of a call."""
    parts = [ast.unparse(a) for a in node.args]
    parts += ["%s=%s" % (k.arg, ast.unparse(k.value)) if k.arg else "**" + ast.unparse(k.value) for k in node.keywords]
    return "(%s)" % ", ".join(parts)


def canonical(call):
    """The call spelled as this module spells it."""
    return (call[0], arguments_of(_parse(call)))


def _parse(call):
    return ast.parse("f" + call[1], mode="eval").body


def size(call):
    """What small means: fewer parts, then smaller values, then a shorter text."""
    node = _parse(call)
    receiver = ast.parse(call[0], mode="eval").body if call[0] else None
    parts, reach = 0, 0
    for tree in (node, receiver):
        for part in ast.walk(tree) if tree is not None else ():
            parts += isinstance(part, (ast.expr, ast.keyword)) and not isinstance(part, (ast.UnaryOp, ast.Name))
            if isinstance(part, ast.Constant):
                more, far = _extent(part.value)
                parts, reach = parts + more, reach + far
            reach += isinstance(part, ast.USub)
    return (parts, reach, len(call[1]), call)


def _extent(value):
    """Parts and reach of a constant: letters count as parts, their distance from `a` as reach."""
    if type(value) in (str, bytes):
        letters = [ord(c) if type(c) is str else c for c in value]
        return 2 * len(letters), sum(min(abs(c - 97), 999) for c in letters)
    if type(value) in (int, float):
        if value != value or abs(value) >= REACH:
            return 0, REACH
        whole = int(abs(value))
        return 0, whole + (0 if value == int(value) else len(repr(value)))
    return 0, 0


def shrunk(plan, call, still):
    """The smallest call found by steps of which each is smaller, no longer, and `still` holds."""
    call = canonical(call)
    longest = len(call[1])
    while True:
        now = size(call)
        smaller = [(size(c), c) for c in dict.fromkeys(map(canonical, variants(plan, call))) if len(c[1]) <= longest]
        better = next((c for weight, c in sorted(smaller) if weight < now and still(c)), None)
        if better is None:
            return call
        call = better


def variants(plan, call):
    """Calls that differ from `call` in one respect."""
    receiver, node = call[0], _parse(call)
    for other in plan.receivers:
        if other != receiver:
            yield (other, call[1])
    plain = [p for p in plan.params if p.how in ("plain", "only")]
    rest = next((p for p in plan.params if p.how == "rest"), None)
    keys = next((p for p in plan.params if p.how == "keys"), None)
    named = {p.name: p for p in plan.params if p.how in ("plain", "keyword")}
    for place, value in enumerate(node.args):
        param = plain[place] if place < len(plain) else rest
        last = place == len(node.args) - 1
        if param is rest or (last and param.has_default):
            yield _without(receiver, node, place)
        for text in values(value, param.kind if param else None):
            yield _with(receiver, node, place, text)
    for place, keyword in enumerate(node.keywords):
        param = named.get(keyword.arg, keys)
        at = len(node.args) + place
        if param is not None and param.has_default:
            yield _without(receiver, node, at)
        for text in values(keyword.value, param.kind if param else None):
            yield _with(receiver, node, at, text)
    yield from _together(plan, receiver, node)


def is_meant(plan, call):
    """Whether the arguments are of their kinds; changed examples can be of another."""
    node = _parse(call)
    plain = [p for p in plan.params if p.how in ("plain", "only")]
    named = {p.name: p for p in plan.params}
    pairs = list(zip(node.args, plain)) + [(k.value, named.get(k.arg)) for k in node.keywords]
    return all(param is None or param.kind is None or fits(value, param.kind) for value, param in pairs)


def _texts(node):
    return [ast.unparse(a) for a in node.args] + ["%s=%s" % (k.arg, ast.unparse(k.value)) for k in node.keywords]


def _with(receiver, node, place, text):
    parts = _texts(node)
    named = place - len(node.args)
    parts[place] = text if named < 0 else "%s=%s" % (node.keywords[named].arg, text)
    return (receiver, "(%s)" % ", ".join(parts))


def _without(receiver, node, place):
    parts = _texts(node)
    del parts[place]
    return (receiver, "(%s)" % ", ".join(parts))


def _together(plan, receiver, node):
    """All places of one number changed at once: `find([7], 7)` becomes `find([0], 0)`."""
    if any(p.kind is None or type(p.kind) is kinds.Fixed for p in plan.params):
        return
    seen = [n.value for n in ast.walk(node) if isinstance(n, ast.Constant) and type(n.value) in (int, str)]
    for value in sorted({v for v in seen if seen.count(v) > 1}, key=lambda v: (str(type(v)), v)):
        for text in _number(value, int) if type(value) is int else _text(value):
            swap = _Swap(value, ast.literal_eval(text))
            yield (receiver, arguments_of(swap.visit(_parse((receiver, arguments_of(node))))))


class _Swap(ast.NodeTransformer):
    """Puts one constant in the place of another."""

    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit_Constant(self, node):
        same = type(node.value) is type(self.old) and node.value == self.old
        return ast.copy_location(ast.Constant(self.new), node) if same else node


def values(node, kind):
    """Source texts of values of the kind that are simpler than the one in `node`, or another."""
    if isinstance(kind, kinds.Either):
        yield from kind.small()
        for part in kind.parts:
            if fits(node, part):
                yield from values(node, part)
    elif isinstance(kind, kinds.Iterables) and ast.unparse(node).startswith("iter("):
        inner = kinds.Many(kind.element, "iter([%s])")
        yield from (_many(node, inner) if fits(node, inner) else kind.small())
    elif isinstance(kind, kinds.Many):
        yield from _many(node, kind) if fits(node, kind) else kind.small()
    elif isinstance(kind, kinds.Map):
        yield from _map(node, kind) if fits(node, kind) else kind.small()
    elif isinstance(kind, kinds.Row):
        yield from _row(node, kind) if fits(node, kind) else kind.small()
    elif isinstance(kind, kinds.Argument):
        yield from [] if kind.needed or node is None else [""]
        yield from [] if node is None else map(kind._text, values(node, kind.kind))
    elif isinstance(kind, kinds.Fixed):
        yield from _scalar(node, kind)


def fits(node, kind):
    """Whether a syntax tree is a value of the kind."""
    if isinstance(kind, kinds.Either):
        return any(fits(node, part) for part in kind.parts)
    if isinstance(kind, kinds.Iterables) and ast.unparse(node).startswith("iter("):
        return fits(node, kinds.Many(kind.element, "iter([%s])"))
    if isinstance(kind, kinds.Many):
        found = items(node, kind)
        return found is not None and all(fits(i, kind.element) for i in found)
    if isinstance(kind, kinds.Map):
        whole = isinstance(node, ast.Dict) and None not in node.keys
        return whole and all(map(fits, node.keys, [kind.key] * len(node.keys))) and all(map(fits, node.values, [kind.item] * len(node.values)))
    if isinstance(kind, kinds.Row):
        found = parts(node, kind)
        return found is not None and all(map(fits, found, kind.parts))
    if isinstance(kind, kinds.Argument):
        return not kind.needed if node is None else fits(node, kind.kind)
    wanted = {kinds.Int: (int,), kinds.Float: (int, float), kinds.Str: (str,), kinds.Bytes: (bytes,)}.get(type(kind))
    if wanted is None and hasattr(kind, "head"):
        return isinstance(node, ast.Call) and ast.unparse(node.func) == kind.head
    if wanted is None:
        return ast.unparse(node) in kind.texts
    return type(_value(node)) in wanted


def _value(node):
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, RecursionError):
        return None


def items(node, kind):
    """The elements of a container that the kind's template writes, or `None`."""
    head = kind.template.split("(")[0]
    if head and head.isidentifier():
        inner = isinstance(node, ast.Call) and ast.unparse(node.func) == head and len(node.args) == 1 and node.args[0]
        return inner.elts if isinstance(inner, ast.List) else None
    if kind.template == "{%s}" and ast.unparse(node) == "set()":
        return []
    shape = {"[%s]": ast.List, "{%s}": ast.Set, "(%s)": ast.Tuple}.get(kind.template)
    return node.elts if shape is not None and isinstance(node, shape) else None


def parts(node, kind):
    """The parts of a tuple, of a constructor's call or of a record, or `None`; an argument that is left out is `None` too."""
    if isinstance(kind, kinds.Record):
        found = node.values if isinstance(node, ast.Dict) else None
    elif kind.template.startswith("("):
        found = node.elts if isinstance(node, ast.Tuple) else None
    else:
        head = kind.template.split("(")[0]
        if not isinstance(node, ast.Call) or ast.unparse(node.func) != head:
            return None
        named = {k.arg: k.value for k in node.keywords}
        found = node.args + [named.pop(p.name, None) for p in kind.parts if isinstance(p, kinds.Argument)]
        found = None if named else found
    return found if found is not None and len(found) == len(kind.parts) else None


def _many(node, kind):
    old = [ast.unparse(i) for i in items(node, kind)]
    for kept in _fewer(old):
        yield kind._text(kept)
    for place, item in list(enumerate(items(node, kind)))[:EACH]:
        for text in values(item, kind.element):
            yield kind._text(old[:place] + [text] + old[place + 1 :])


def _fewer(old):
    """Nothing, one half, the other, all but one."""
    half = len(old) // 2
    if old:
        yield []
    if half:
        yield old[:half]
        yield old[half:]
    for place in range(min(len(old), EACH)):
        yield old[:place] + old[place + 1 :]
    if len(old) > EACH:
        yield old[:-1]


def _map(node, kind):
    old = list(zip(map(ast.unparse, node.keys), map(ast.unparse, node.values)))
    rows = list(_fewer(old))
    for place, (key, value) in list(enumerate(zip(node.keys, node.values)))[:EACH]:
        fresh = (k for k in values(key, kind.key) if k not in dict(old))
        rows += [old[:place] + [(k, old[place][1])] + old[place + 1 :] for k in fresh]
        rows += [old[:place] + [(old[place][0], v)] + old[place + 1 :] for v in values(value, kind.item)]
    for row in rows:
        yield "{%s}" % ", ".join("%s: %s" % pair for pair in row)


def _row(node, kind):
    found = parts(node, kind)
    old = [_written(p, k) for p, k in zip(found, kind.parts)]
    for place, (part, its_kind) in enumerate(zip(found, kind.parts)):
        for text in values(part, its_kind):
            yield kind._text(old[:place] + [text] + old[place + 1 :])


def _written(part, kind):
    if isinstance(kind, kinds.Argument):
        return "" if part is None else kind._text(ast.unparse(part))
    return ast.unparse(part)


def _scalar(node, kind):
    value = _value(node)
    if isinstance(kind, kinds.Int) and type(value) is int or isinstance(kind, kinds.Float) and type(value) in (int, float):
        yield from _number(value, type(value))
    elif isinstance(kind, (kinds.Str, kinds.Bytes)) and type(value) in (str, bytes):
        yield from _text(value)
    else:
        yield from kind.small()


def _number(value, kind):
    if value != value or abs(value) >= REACH:
        yield from map(repr, (kind(0), kind(1)))
        return
    steps = [0, 1, -1, abs(value), int(value / 2), int(value), value - 1 if value > 0 else value + 1]
    if kind is float:
        steps += [value / 2, round(value, 1), round(value, 2)]
    for step in steps:
        if step != value or type(step) is not kind:
            yield repr(kind(step))


def _text(value):
    letter = "a" if type(value) is str else b"a"
    empty = value[:0]
    half = len(value) // 2
    for shorter in (empty, value[:half], value[half:]):
        yield repr(shorter)
    for place in range(min(len(value), EACH)):
        yield repr(value[:place] + value[place + 1 :])
    yield repr(letter * len(value))
    for place in range(min(len(value), EACH)):
        yield repr(value[:place] + letter + value[place + 1 :])
        if type(value) is str:
            yield repr(value[:place] + value[place].lower() + value[place + 1 :])
