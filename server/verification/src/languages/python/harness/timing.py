"""Mode `performance`: how long calls take. The judging of the figures is not done here.

* `budgets`: wall time of the given calls;
* `points`: CPU time (or wall time, of code that waits or has threads work for it) at doubling sizes, the worst of several shapes of input, for `@complexity`;
* `regression`: the new code and the code it replaces, in turns, on the same inputs.
"""
import ast
import time

import inputs
from judge import Worker
from kinds import Rng

CALL_SECONDS = 5.0
MOST_SECONDS = 40.0  # for a call whose budget is longer
SHAPES = ("distinct", "repeated", "ascending", "descending", "equal")
LARGEST = 1 << 17
LONG = 150_000_000  # nanoseconds of one call after which sizes stop growing
GROWTH_SECONDS = 6.0
REMEMBERED = 10  # times as long as the calls after it a first call must take to look like work that is kept
# The CPU time of one thread says nothing of code that speaks of these.
ELSEWHERE = ("thread", "concurrent", "executor", "sleep")
NOTABLE = 1_000_000  # nanoseconds of a first call below which nobody looks


def run(request):
    """Facts as in the module's text; what could not be measured carries its reason."""
    worker = Worker(request)
    facts = {"budgets": [], "growth": None, "regression": None}
    try:
        for call, milliseconds in zip(request.get("budgets", []), request.get("budget_milliseconds", [])):
            facts["budgets"].append(_budget(worker, request, call, milliseconds))
        if request.get("complexity"):
            facts["growth"] = _growth(worker, request)
        if request.get("previous"):
            facts["regression"] = _regression(worker, request)
        facts["broken"] = worker.broken
        return facts
    finally:
        worker.stop()


def _budget(worker, request, call, milliseconds):
    parts = _parts(request, call)
    limit = min(MOST_SECONDS, max(CALL_SECONDS, 3 * milliseconds / 1e3 + 2))
    figures = _read(worker.ask(["time", *parts, "15", "1.5"], limit))
    if len(figures.get("wall", [])) == 1 and figures["wall"][0] > milliseconds * 1e6:  # too long to be repeated by itself
        again = _read(worker.ask(["time", *parts, "1", "0"], limit))
        figures = figures if "error" in again else {kind: figures[kind] + again[kind] for kind in figures}
    return {"call": call, **_unremembered(worker, request, parts, figures)}


def _unremembered(worker, request, call, figures):
    """The figures of a call, or those of first calls where later ones only look up what the first has kept."""
    return _firsts(worker, request, call) or figures if _looks_remembered(figures) else figures


def _looks_remembered(figures):
    times = figures.get("cpu", [])
    return len(times) > 1 and times[0] >= NOTABLE and times[0] >= REMEMBERED * min(times[1:])


def _firsts(worker, request, call):
    """The figures of first calls, each in a process of its own that the examples' calls have warmed up: what is
    imported or built once, whatever the arguments, is no cost of this call. `None` when one fails."""
    others = [c for c in inputs.calls_of_examples(inputs.Plan(request)) if c[1] != call[1]][:3]
    firsts = {"wall": [], "cpu": []}
    for _ in range(3):
        worker.stop()
        for other in others:
            worker.ask(["outcome", *other], CALL_SECONDS)
        again = _read(worker.ask(["time", *call, "1", "0.1"], CALL_SECONDS))
        if "error" in again:
            return None
        firsts["wall"].append(again["wall"][0])
        firsts["cpu"].append(again["cpu"][0])
    return firsts


def _parts(request, call):
    """Receiver and arguments of a call, so that making the arguments is not counted."""
    try:
        node = ast.parse(call.strip(), mode="eval").body
    except SyntaxError:
        return call, ""
    if isinstance(node, ast.Await):
        node = node.value
    if not isinstance(node, ast.Call):
        return call, ""
    arguments = "(%s)" % ", ".join([ast.unparse(a) for a in node.args] + [ast.unparse(k) for k in node.keywords])
    if isinstance(node.func, ast.Name) and node.func.id == request["function"] and not request.get("class"):
        return "", arguments
    if isinstance(node.func, ast.Attribute) and node.func.attr == request["function"] and request.get("class"):
        return ast.unparse(node.func.value), arguments
    return call, ""


def _read(answer):
    """`{"wall": [ns], "cpu": [ns]}` or `{"error": text}`."""
    if answer[0] == "times":
        pairs = [p.split(" ") for p in answer[1:]]
        return {"wall": [int(p[0]) for p in pairs], "cpu": [int(p[1]) for p in pairs]}
    return {"error": {"timeout": "timeout", "invalid": "violates @requires"}.get(answer[0], ": ".join(answer[:3]))}


def _sized(plan, size, shape):
    """The call with every container `size` long; without containers, every integer `size`."""
    rng = Rng(size)
    params = [p for p in plan.params if p.kind is not None and p.how != "rest" and not p.has_default]
    containers = [p for p in params if getattr(p.kind, "scalable", False)]
    values = {}
    for p in params:
        inner = size // 2 if containers and p not in containers else size
        values[p.name] = p.kind.sized(rng, inner, shape)
    return plan.call(values, {p.name for p in plan.params if p.has_default})


def _can_grow(plan):
    kinds = [p.kind for p in plan.params if p.kind is not None and not p.has_default]
    return any(getattr(k, "scalable", False) or type(k).__name__ == "Int" for k in kinds)


def _sizes(bound):
    if bound == "Exponential":
        return list(range(4, 27, 2))
    sizes = [4]
    while sizes[-1] < LARGEST:
        sizes.append(sizes[-1] * 2)
    return sizes


def _growth(worker, request):
    plan = inputs.Plan(request)
    if plan.node is None or not plan.can_generate() or not _can_grow(plan):
        return {"points": [], "reason": "no parameter whose size can grow"}
    end = time.monotonic() + GROWTH_SECONDS
    clock = "wall" if any(word in request["source"].lower() for word in ELSEWHERE) else "cpu"
    shapes, points, stopped, remembers = list(SHAPES), [], None, False
    for size in _sizes(request["complexity"]):
        worst = None
        for shape in list(shapes):
            call = (plan.receivers[0], _sized(plan, size, shape))
            answer = _read(worker.ask(["time", *call, "5", "0.3"], 2.0))
            if not remembers and _looks_remembered(answer):
                remembers = True  # so did the smaller ones, too fast to be seen
                points = [_again(worker, request, plan, clock, point) for point in points]
            if remembers and "error" not in answer:
                answer = _firsts(worker, request, call) or answer
            if "error" in answer:
                if answer["error"] == "timeout":
                    stopped = {"size": size, "shape": shape, "why": "timeout"}
                    break
                shapes.remove(shape)  # not a valid input: `@requires`, or the code raises on it
                stopped_by = answer["error"]
                if not shapes:
                    stopped = {"size": size, "shape": shape, "why": stopped_by}
                continue
            cost = min(answer[clock])
            if worst is None or cost > worst[1]:
                worst = [size, cost, min(answer["wall"]), shape]
        if worst and not (stopped and stopped["why"] == "timeout"):
            points.append(worst)
        if stopped or (worst and worst[1] > LONG) or time.monotonic() > end:
            break
    return {"points": points, "stopped": stopped, "reason": ""}


def _again(worker, request, plan, clock, point):
    """A point of the growth, by first calls."""
    size, _, _, shape = point
    figures = _firsts(worker, request, (plan.receivers[0], _sized(plan, size, shape)))
    return [size, min(figures[clock]), min(figures["wall"]), shape] if figures else point


def _regression(worker, request):
    """Medians of both, measured in turns, on the calls that say most about the cost."""
    plan = inputs.Plan(request)
    before = Worker(dict(request, source=request["previous"], line=request.get("previous_line", 0)))
    rows = []
    try:
        for receiver, arguments in _comparable(plan, request):
            first = _read(before.ask(["time", receiver, arguments, "1", "0.3"], 2.0))
            second = _read(worker.ask(["time", receiver, arguments, "1", "0.3"], 2.0))
            if "error" in first or "error" in second:
                continue
            old, new = [], []
            for _ in range(5):
                old += _read(before.ask(["time", receiver, arguments, "2", "0.05"], 2.0)).get("cpu", [])
                new += _read(worker.ask(["time", receiver, arguments, "2", "0.05"], 2.0)).get("cpu", [])
            rows.append({"call": request["function"] + arguments, "old": old, "new": new})
    finally:
        before.stop()
    return rows


def _comparable(plan, request):
    calls = [_parts(request, c) for c in request.get("budgets", [])]
    calls = [c for c in calls if c[1]]
    if plan.node is not None and plan.can_generate() and _can_grow(plan):
        calls.append((plan.receivers[0], _sized(plan, 1000, "distinct")))
    calls += inputs.calls_of_examples(plan)[:2]
    return calls[:3]
