"""Gate and fingerprint of many candidates of one task, in one job: for recorded samples.

Each candidate runs in workers of its own and is asked what mode `judge` asks; the two interpreters are
shared, and calls that do not end are given up sooner. A candidate that fails an example is asked for its outcomes all the same,
since that is what a vote without a gate would count.
"""
import ast
import time

import gate
import inputs
import subject
from judge import Worker

# Thousands of candidates wait less for calls that do not end than one does.
INPUT_SECONDS = 0.5
HANGS = 2


def run(request):
    """`{"candidates": [facts, ...]}`, in the order of the request's candidates."""
    plans = Plans()
    each = [dict(request, candidates=None, input_seconds=INPUT_SECONDS, hangs=HANGS, **c) for c in request["candidates"]]
    if request.get("replay"):
        return {"candidates": [_outcomes(one, plans) for one in each]}
    answers = [_first(one, plans) for one in each]
    passed = [i for i, a in enumerate(answers) if not a.get("rejected") and a["outcomes"]]
    again = gate.Replay(dict(request, candidates=[request["candidates"][i] for i in passed])) if passed else None
    seconds = request.get("seconds", gate.ALL_SECONDS) * len(passed)
    second = again.answer(time.monotonic() + seconds, "candidates") if again else None
    for place, facts in zip(passed, second or []):
        answers[place]["unstable"] = gate._compare(answers[place]["outcomes"], facts["outcomes"])
    if again:
        again.stop()
    return {"candidates": answers}


def _first(request, plans):
    """Examples and outcomes of one candidate."""
    end = time.monotonic() + request.get("seconds", gate.ALL_SECONDS)
    worker = Worker(request)
    try:
        facts = gate.examples(worker, request, end, failures=2)
        rejected = not all(f["ok"] for f in facts)
        answer = {"examples": facts, "outcomes": [], "broken": worker.broken, "unstable": None, "rejected": rejected}
        answer["tree"] = tree(request)
        if request.get("inputs") != 0 and not worker.broken and not (rejected and facts[-1]["got"] == "timeout"):
            answer["outcomes"] = gate.fingerprint(worker, request, plans.of(request), end)
            answer["broken"] = worker.broken
        return answer
    finally:
        worker.stop()


def _outcomes(request, plans):
    """The outcomes alone, for the second interpreter."""
    end = time.monotonic() + request.get("seconds", gate.ALL_SECONDS)
    worker = Worker(request)
    try:
        return {"outcomes": gate.fingerprint(worker, request, plans.of(request), end)}
    finally:
        worker.stop()


def tree(request):
    """The syntax tree of the function, whatever its locals are called: fields, callees, types and keywords keep
    their names, since `a.min(b)` is not `a.max(b)`."""
    try:
        node, _ = subject.find(ast.parse(request["source"]), request["function"], request.get("class"), request.get("line", 0))
    except (SyntaxError, ValueError, RecursionError):
        return None
    if node is None:
        return None
    if ast.get_docstring(node) is not None:
        node.body = node.body[1:]
    inside = list(ast.walk(node))
    local = {n.arg for n in inside if isinstance(n, ast.arg)}
    local |= {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    local |= {n.name for n in inside if isinstance(n, (ast.FunctionDef, ast.ExceptHandler)) and n is not node}
    places = {}
    for part in inside:
        field = {ast.arg: "arg", ast.Name: "id", ast.FunctionDef: "name", ast.ExceptHandler: "name"}.get(type(part))
        name = field and getattr(part, field)
        if name and name in local and part is not node:
            setattr(part, field, places.setdefault(name, "local %d" % len(places)))
    return ast.dump(node)


class Plans:
    """Inputs depend on what stands around the function's body; most candidates change nothing there."""

    def __init__(self):
        self.known = {}

    def of(self, request):
        """The plan of a candidate's file."""
        plan = inputs.Plan(request)
        if plan.node is None:
            return plan
        lines = request["source"].splitlines()
        first, last = plan.node.body[0].lineno - 1, plan.node.end_lineno or len(lines)
        return self.known.setdefault((tuple(lines[:first]), tuple(lines[last:])), plan)
