"""The numbers and texts that a spec names, and those that the function's body does.

Most of what decides between two cases is written down somewhere, and few inputs that are made up would meet it.
Constants of the file are looked up. What clauses name comes first, as far as the count of values is limited.
"""
import ast

DEPTH = 3
# Most literals of one constant of the file: a table is no limit.
MOST = 6
LONGEST = 60
NUMBERS, TEXTS = 24, 12


class Said:
    """`numbers` (whole and broken ones) and `texts`, each once."""

    def __init__(self, numbers=(), texts=()):
        self.numbers, self.texts = list(numbers)[:NUMBERS], list(texts)[:TEXTS]


NOTHING = Said()


def of(request, constants, node):
    """What the clauses of a request and the body of its function name; `constants` are the file's, by name."""
    trees = [_parsed(clause) for kind in ("requires", "ensures", "properties") for clause in request.get(kind) or ()]
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    found = []
    for tree in [t for t in trees if t is not None] + body:
        _collect(tree, constants, found, DEPTH)
    values = list({(type(v), v): v for v in found}.values())
    return Said([v for v in values if type(v) is not str], [v for v in values if type(v) is str])


def _parsed(clause):
    try:
        return ast.parse(clause.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError):
        return None


def _collect(tree, constants, found, depth):
    """Adds the literals below a node, and those of the constants that it names."""
    for node in [tree, *ast.walk(tree)][1:]:
        value = _value(node, 0)
        if type(value) is str and 0 < len(value) <= LONGEST:
            found.append(value)
        elif type(value) in (int, float) and value - value == 0 and abs(value) < 1 << 128:
            found.append(value)
        elif isinstance(node, ast.Name) and depth and node.id in constants:
            inner = []
            _collect(constants[node.id], constants, inner, depth - 1)
            found.extend(inner[:MOST])


def _value(node, depth):
    """The value of a literal, of one with a sign, or of a product or sum of some (`60 * 60`, `2 ** 31`)."""
    if isinstance(node, ast.Constant):
        return node.value
    if depth > 4:
        return None
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        value = _value(node.operand, depth + 1)
        return -value if type(value) in (int, float) else None
    if isinstance(node, ast.BinOp):
        left, right = _value(node.left, depth + 1), _value(node.right, depth + 1)
        if type(left) is not int or type(right) is not int:
            return None
        if isinstance(node.op, ast.Pow):
            return left**right if abs(left) <= 1000 and 0 <= right <= 64 else None
        if isinstance(node.op, ast.Mult):
            return left * right
        return left + right if isinstance(node.op, ast.Add) else left - right if isinstance(node.op, ast.Sub) else None
    return None
