"""Who is to blame when a call in a clause violates `@requires`: what the clause passes, or what the function gave.

`f(f(x)) == x` hands the function its own result. Where only such a call lies outside the domain, the result is wrong, and
not the question.
"""
import ast

_SCOPES = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


def by_result(subject, text, bound):
    """Whether none but calls that are given a result of the function violate `@requires`, with these variables."""
    if subject.class_name:
        return False
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        return False
    calls = [n for n in ast.walk(tree) if isinstance(n, ast.Call) and getattr(n.func, "id", "") == subject.name]
    inner = [c for c in calls if not any(other in calls for other in ast.walk(c) if other is not c)]
    if len(inner) == len(calls):
        return False
    scoped = {id(n) for scope in ast.walk(tree) if isinstance(scope, _SCOPES) for n in ast.walk(scope)}
    return not any(id(c) in scoped or _is_outside(subject, c, bound) for c in inner)


def _is_outside(subject, call, bound):
    alone = ast.Call(ast.Name("__arguments__", ast.Load()), call.args, call.keywords)
    try:
        code = compile(ast.fix_missing_locations(ast.Expression(alone)), "<spec>", "eval")
        args, kwargs = subject.arguments(code, bound)
        return subject.unmet(subject.bind(args, kwargs)) is not None
    except Exception:
        return True
