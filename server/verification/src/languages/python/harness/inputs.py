"""Inputs for a function, as source text, from its annotations, its examples and a seed.

All candidates of a step must see the same inputs: they depend on the signature, the spec and the
file around the function, never on its body (but for layers that ask what the body names), and this module reads text only. The same seed gives
the same inputs in the same order, the small ones first.

What is not annotated is inferred from the examples. What can neither be read from an annotation
nor taken from an example (callables, foreign classes) is not made up.
"""
import ast
import functools
import itertools

import annotations
import kinds
import mutation
import rests
import said
from kinds import Rng
from subject import decorators, find

SMALL, LARGE = 200, 400


class Plan:
    """How to make calls of one function: a kind per parameter, a receiver, the examples' calls.

    With `names`, also of what the clauses and the body name; without, inputs are the same for every body.
    """

    def __init__(self, request, names=False):
        try:
            self.tree = ast.parse(request["source"])
        except SyntaxError:  # whoever loads the file says so
            self.tree = ast.Module([], [])
        self.name = request["function"]
        self.class_name = request.get("class") or ""
        self.node, _ = find(self.tree, self.name, self.class_name, request.get("line", 0))
        self.is_property = False
        self.examples = []
        self.params, self.left = [], []
        self.receivers = [""]
        self.said = said.NOTHING
        if self.node is None:
            return
        marks = decorators(self.node)
        self.is_property = bool(marks & _READ)
        self.is_static = bool(marks & {"staticmethod", "classmethod"})
        self.has_receiver = bool(self.class_name) and "staticmethod" not in marks
        self._read_examples(request.get("example_code", []))
        reader = annotations.Reader(self.tree)
        if names:
            self.said = reader.said = said.of(request, reader.aliases, self.node)
        self._read_params(reader)
        if self.class_name and not self.is_static:
            self.receivers = self._find_receivers(reader, request.get("example_code", []))

    def _read_params(self, reader):
        args = self.node.args
        plain = args.posonlyargs + args.args
        if self.has_receiver:
            plain = plain[1:]
        missing = len(args.posonlyargs + args.args) - len(args.defaults)
        skipped = 1 if self.has_receiver else 0
        for place, arg in enumerate(plain):
            default = place + skipped >= missing
            value = args.defaults[place + skipped - missing] if default else None
            self._add(reader, arg, "only" if arg in args.posonlyargs else "plain", default, value)
        if args.vararg:
            self._add(reader, args.vararg, "rest", True)
        for arg, default in zip(args.kwonlyargs, args.kw_defaults):
            self._add(reader, arg, "keyword", default is not None, default)
        if args.kwarg:
            self._add(reader, args.kwarg, "keys", True)

    def _add(self, reader, arg, how, has_default, default=None):
        passed = [call[arg.arg] for call in self.examples if arg.arg in call]
        is_whole = how not in ("rest", "keys")
        seen = passed if is_whole else [v for p in passed for v in (p.values() if how == "keys" else p)]
        told = [v for v in seen if not isinstance(v, mutation.Source)]
        if arg.annotation is None and default is not None:  # `scale=1` is a number
            told += annotations.literal(default)
        kind = reader.kind(arg.annotation, told, 0 if is_whole else 1)
        if kind is None and seen:
            kind = kinds.Fixed(sorted({mutation.text(v) for v in seen}, key=lambda t: (len(t), t)))
        names = rests.names_of(passed, arg.annotation, {p.name for p in self.params}) if how == "keys" else []
        texts = sorted({rests.text(how, v, names) for v in passed}, key=lambda t: (len(t), t))
        self.params.append(Param(arg.arg, how, has_default, kind, texts, names))
        self.params[-1].default = ast.unparse(default) if default is not None else ""

    def _read_examples(self, codes):
        """The arguments by parameter of every call of the function in the examples."""
        args = self.node.args
        names = [a.arg for a in args.posonlyargs + args.args][1 if self.has_receiver else 0:]
        for code in codes:
            for call in _calls(code, self.name):
                if any(isinstance(a, ast.Starred) for a in call.args) or any(k.arg is None for k in call.keywords):
                    continue
                by_name = {a.arg for a in args.args + args.kwonlyargs}
                others = [k.arg for k in call.keywords if k.arg not in by_name]
                if len(call.args) > len(names) and not args.vararg or others and not args.kwarg:
                    continue
                found = [mutation.value(v, self.tree) for v in call.args]
                named = {k.arg: mutation.value(k.value, self.tree) for k in call.keywords}
                if None in found or None in named.values():
                    continue
                example = {n: mutation.unwrap(v) for n, v in [*zip(names, found), *named.items()] if n not in others}
                if found[len(names):]:
                    example[args.vararg.arg] = [mutation.unwrap(v) for v in found[len(names):]]
                if others:
                    example[args.kwarg.arg] = {n: mutation.unwrap(named[n]) for n in others}
                self.examples.append(example)

    def _find_receivers(self, reader, codes):
        """Ways to construct the object: as the examples do, else from its own `__init__`."""
        leaf = self.class_name.split(".")[-1]
        found = {ast.unparse(c) for code in codes for c in _calls(code, leaf) if mutation.value(c, self.tree) is not None}
        built = reader.constructor(self.class_name)
        if built is not None:
            found.update(built.small()[:6])
            self.left = [n for n in getattr(built, "left", []) if not any(n in text for text in found)]
        return sorted(found, key=lambda t: (len(t), t))[:6]

    def unvaried(self, request):
        """The parameters, of the function or of what makes its receiver, that are what their default says in all calls
        and that somebody reads."""
        if self.node is None:
            return []
        trees = list(self.node.body)
        for clause in request.get("ensures", ()):
            try:
                trees.append(ast.parse(clause.strip(), mode="eval"))
            except SyntaxError:
                pass
        nodes = [n for tree in trees for n in ast.walk(tree)]
        read, attributes = ({getattr(n, part, "") for n in nodes} for part in ("id", "attr"))
        own = [p.name for p in self.params if p.is_always_default() and p.name in read]
        return own + [name for name in self.left if name in attributes]

    def can_generate(self):
        """Whether every parameter that must be given has values."""
        return self.node is not None and bool(self.receivers) and all(p.kind or p.has_default for p in self.params)

    def call(self, values, omit=()):
        """`([1, 2], k=3)` from texts by parameter; parameters in `omit` keep their default."""
        parts, by_name = [], False
        for param in self.params:
            if param.how in ("rest", "keys"):
                if values.get(param.name) and not (by_name and param.how == "rest"):
                    parts.append(values[param.name])
                continue
            if param.name in omit or param.name not in values:
                by_name = True
            elif by_name or param.how == "keyword":
                if param.how != "only":
                    parts.append("%s=%s" % (param.name, values[param.name]))
            else:
                parts.append(values[param.name])
        return "(%s)" % ", ".join(parts)


class Param:
    """One parameter: its kind of values (or `None`), and the texts that examples pass.

    `kind` is that of one argument, `whole` that of all which `*args` and `**kwargs` take.
    """

    def __init__(self, name, how, has_default, kind, texts, names):
        self.name, self.how, self.has_default, self.kind, self.texts, self.names = name, how, has_default, kind, texts, names
        self.whole = kind
        if kind is not None and how == "rest":
            self.whole = rests.Rest(kind)
        elif how == "keys":
            self.whole = rests.Keys(names, kind) if kind is not None and names else None
        self.default = ""

    def is_always_default(self):
        """Whether no other value can be made up."""
        if not self.has_default or self.how in ("rest", "keys"):
            return False
        return self.kind is None or type(self.kind) is kinds.Fixed and self.kind.texts == [self.default]


_READ = frozenset(["property", "cached_property"])


@functools.lru_cache(maxsize=64)
def access(source, function, class_name, line):
    """`get` for what is read like an attribute, `set` for what is assigned to, nothing for what is called."""
    try:
        node, _ = find(ast.parse(source), function, class_name, line)
    except SyntaxError:
        node = None
    marks = decorators(node) if node is not None and class_name else frozenset()
    return "get" if marks & _READ else "set" if "setter" in marks else ""


def _calls(code, name):
    try:
        tree = ast.parse(code.strip())
    except SyntaxError:
        return []
    named = (lambda f: f.id if isinstance(f, ast.Name) else getattr(f, "attr", None))
    return [n for n in ast.walk(tree) if isinstance(n, ast.Call) and named(n.func) == name]


def generate(plan, seed, limit):
    """Up to `limit` distinct calls `(receiver, arguments)`, small ones first."""
    if plan.node is None:
        return []
    if plan.is_property:
        return [(r, "()") for r in plan.receivers]
    rng = Rng(seed)
    sources = [_mutations(plan, rng, limit)]
    if plan.can_generate():
        sources = [_boundaries(plan, limit)] + sources + [_random(plan, rng, limit)]
    from_examples = {plan.call(_texts(plan, e)) for e in plan.examples}
    chosen, seen = [], set(from_examples)
    live = sources
    while live and len(chosen) < limit:
        for source in list(live):
            call = next((c for c in source if c not in seen), None)
            if call is None:
                live = [s for s in live if s is not source]
                continue
            seen.add(call)
            chosen.append(call)
    if not chosen:
        chosen = sorted(from_examples)
    chosen = sorted(chosen[:limit], key=lambda c: (len(c), c))
    return _received(plan.receivers or [""], chosen, limit)


def _received(receivers, calls, limit):
    """Half of the pairs are the smallest calls on every receiver; the others are spread over the larger ones.

    One receiver per call, in turn, would let the arguments grow along with what the receivers hold.
    """
    whole = calls[: limit // (2 * len(receivers))] if len(receivers) > 1 else []
    rest = calls[len(whole):]
    pairs = [(r, c) for c in whole for r in receivers]
    left = min(limit - len(pairs), len(rest))
    picked = [rest[turn * len(rest) // left] for turn in range(left)]
    return pairs + [(receivers[(turn + turn // len(receivers)) % len(receivers)], c) for turn, c in enumerate(picked)]


def calls_of_examples(plan):
    """The calls that the examples make, as `(receiver, arguments)`."""
    return [(r, plan.call(_texts(plan, e))) for e in plan.examples for r in plan.receivers[:1]]


def _texts(plan, values):
    params = {p.name: p for p in plan.params}
    return {n: rests.text(params[n].how, v, params[n].names) for n, v in values.items() if n in params}


def _needed(plan):
    return [p for p in plan.params if p.whole is not None]


def _omitted(plan, turn):
    """Every second call leaves out the parameters that have defaults."""
    return {p.name for p in plan.params if p.has_default and p.how not in ("rest", "keys") and (p.kind is None or turn % 2 == 0)}


def _boundaries(plan, limit):
    """Boundary values: each parameter walks through its own, at different strides."""
    params = _needed(plan)
    lists = [p.whole.small() for p in params]
    longest = max([len(x) for x in lists] + [1])
    total = 1
    for values in lists:
        total *= len(values)
    if total <= limit * 4:  # all combinations, those of early values first
        rows = sorted(itertools.product(*[range(len(x)) for x in lists]), key=lambda row: (sum(row), row))
    else:
        rows = [[(turn + place * (1 + turn // longest)) % len(x) for place, x in enumerate(lists)] for turn in range(limit * 2)]
    for turn, row in enumerate(rows):
        picked = [values[place] for values, place in zip(lists, row)]
        values = {p.name: v for p, v in zip(params, picked)}
        yield plan.call(values, _omitted(plan, turn))


def _random(plan, rng, limit):
    params = _needed(plan)
    if not params:
        return
    for turn in range(limit * 2):
        size = 1 + turn * 8 // (limit * 2) + rng.below(3)
        values = {p.name: p.whole.random(rng, size) for p in params}
        yield plan.call(values, _omitted(plan, turn))


def _mutations(plan, rng, limit):
    """The examples' calls with one or all arguments changed a little, and mixed."""
    if not plan.examples:
        return
    closed = {p.name: p.whole for p in plan.params if p.whole is not None and kinds.is_closed(p.kind)}
    for turn in range(limit * 4):
        values = dict(plan.examples[turn % len(plan.examples)])
        names = sorted(values)
        if not names:
            return
        for _ in range(1 + turn * 3 // (limit * 4)):
            name = names[rng.below(len(names))]
            other = plan.examples[rng.below(len(plan.examples))]
            if turn % 5 == 4 and name in other:
                values[name] = other[name]
            elif name in closed:
                values[name] = mutation.Source(closed[name].random(rng, 3))
            else:
                values[name] = mutation.mutate(values[name], rng, [e[name] for e in plan.examples if name in e])
        yield plan.call(_texts(plan, values))
