"""Values taken from examples, changed a little without changing their type."""
import ast
import builtins

from subject import flat


class Source(str):
    """An argument that is no literal; it is used as it stands, never changed."""


def value(node, tree):
    """The value of an argument's syntax tree, or `None` when it depends on a local of the example.

    Literals are wrapped in a one-tuple, so that a literal `None` is told from "cannot be used".
    """
    try:
        return (ast.literal_eval(node),)
    except (ValueError, TypeError, SyntaxError, RecursionError):
        pass
    known = {n.name for n in flat(tree.body) if isinstance(n, (ast.FunctionDef, ast.ClassDef))}
    for item in flat(tree.body):
        if isinstance(item, ast.Assign):
            known.update(t.id for t in item.targets if isinstance(t, ast.Name))
        elif isinstance(item, (ast.Import, ast.ImportFrom)):
            known.update((a.asname or a.name).split(".")[0] for a in item.names)
    bound = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    bound |= {a.arg for n in ast.walk(node) if isinstance(n, ast.Lambda) for a in n.args.args}
    free = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - bound
    if free - known - set(dir(builtins)):
        return None
    return (Source(ast.unparse(node)),)


def unwrap(found):
    """The value of what [`value`] returned."""
    return found[0]


def text(v):
    """Source text of a value; equal values of one type have one text, whatever the hash seed."""
    if isinstance(v, Source):
        return str(v)
    kind = type(v)
    if kind is list:
        return "[%s]" % ", ".join(map(text, v))
    if kind is tuple:
        return "(%s%s)" % (", ".join(map(text, v)), "," if len(v) == 1 else "")
    if kind is set:
        return "{%s}" % ", ".join(sorted(map(text, v))) if v else "set()"
    if kind is dict:
        return "{%s}" % ", ".join("%s: %s" % (text(k), text(x)) for k, x in v.items())
    if kind is float and (v != v or v in (float("inf"), float("-inf"))):
        return "float('%r')" % v
    return repr(v)


def mutate(v, rng, pool):
    """A value of the same type near `v`; `pool` are the values other examples have here."""
    kind = type(v)
    if isinstance(v, Source) or v is None or v is Ellipsis:
        return pool[rng.below(len(pool))] if pool else v
    if kind is bool:
        return not v
    if kind is int:
        steps = (v + 1, v - 1, -v, 0, v * 2, v // 2, v + 10, 1)
        return steps[rng.below(len(steps))]
    if kind is float:
        steps = (v + 1.0, v - 0.5, -v, 0.0, v * 2, v / 2, round(v + 0.1, 6))
        return steps[rng.below(len(steps))]
    if kind is str:
        return _string(v, rng, "".join(p for p in pool if type(p) is str))
    if kind is bytes:
        changed = list(v)
        _edit(changed, rng, lambda: rng.below(256), lambda b: (b + 1) % 256)
        return bytes(changed)
    return _container(v, kind, rng, pool)


def _string(v, rng, alphabet):
    alphabet = alphabet or "abc"
    whole = rng.below(12)
    if whole == 0:
        return v.upper()
    if whole == 1:
        return v.swapcase()
    if whole == 2:
        return v + " " + v
    if whole == 3:
        return " " + v + " "
    changed = list(v)
    fresh = (lambda: alphabet[rng.below(len(alphabet))])
    _edit(changed, rng, fresh, lambda _: fresh())
    return "".join(changed)


def _container(v, kind, rng, pool):
    if kind is tuple and v:
        changed = list(v)
        place = rng.below(len(changed))
        changed[place] = mutate(changed[place], rng, [changed[place]])
        return tuple(changed)
    if kind is list:
        elements = [x for p in pool if type(p) is list for x in p]
        changed = list(v)
        _edit(changed, rng, lambda: elements[rng.below(len(elements))] if elements else 0, lambda x: mutate(x, rng, elements))
        return changed
    if kind is set:
        elements = sorted((x for p in pool if type(p) is set for x in p), key=text)
        changed = sorted(v, key=text)
        _edit(changed, rng, lambda: elements[rng.below(len(elements))] if elements else 0, lambda x: mutate(x, rng, elements))
        return set(changed)
    if kind is dict and v:
        changed = dict(v)
        key = list(changed)[rng.below(len(changed))]
        if rng.below(3) == 0:
            del changed[key]
        elif rng.below(2):
            changed[key] = mutate(changed[key], rng, list(v.values()))
        else:
            changed[mutate(key, rng, list(v))] = changed[key]
        return changed
    return v


def _edit(items, rng, fresh, change):
    """One small edit of a list in place."""
    choice = rng.below(9)
    place = rng.below(len(items)) if items else 0
    if not items or choice == 0:
        items.insert(place, fresh())
    elif choice == 1:
        items.append(fresh())
    elif choice == 2:
        del items[place]
    elif choice == 3:
        items.reverse()
    elif choice == 4:
        items.insert(place, items[place])
    elif choice == 5:
        items[:] = items[: 1 + place]
    elif choice == 6:
        items.append(items.pop(0))
    elif choice == 7:
        items.extend(list(items))
    else:
        items[place] = change(items[place])
