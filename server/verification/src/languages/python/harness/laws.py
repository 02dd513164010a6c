"""Mode `properties`: Hypothesis falsifies `@property` laws and shrinks what it finds.

Hypothesis runs here, with the judge; it makes up source text, and a worker evaluates the law. So a
candidate can neither see the generator nor end it, and a law that hangs is a time-out of one case.
"""
import ast
import time

import inputs
from judge import Worker

CASES = 200
FEWEST = 10
CASE_SECONDS = 2.0
ALL_SECONDS = 20.0


def run(request):
    """Facts: per law `{"index", "valid", "invalid", "status", "bindings", "why"}`."""
    import hypothesis
    end = time.monotonic() + request.get("seconds", ALL_SECONDS)
    plan = inputs.Plan(request)
    worker = Worker(request)
    try:
        laws = [_law(hypothesis, worker, plan, index, text, request, end) for index, text in enumerate(request["properties"])]
        return {"laws": laws, "broken": worker.broken}
    finally:
        worker.stop()


class _Falsified(Exception):
    """The law does not hold for the case under test."""


class _Hangs(BaseException):
    """A case that does not end is not shrunk."""


class _Late(BaseException):
    """The time for all laws is used up."""


def _law(hypothesis, worker, plan, index, text, request, end):
    state = {"index": index, "valid": 0, "invalid": 0, "status": "held", "bindings": "", "why": ""}
    params = _variables(text, plan)
    unknown = [p.name for p in params if p.kind is None]
    if unknown:
        return dict(state, status="no values", why=", ".join(unknown))

    def case(bindings):
        if time.monotonic() > end:
            raise _Late
        answer = worker.ask(["law", str(index), bindings], CASE_SECONDS)
        if answer[0] == "invalid":
            state["invalid"] += 1
            hypothesis.reject()
        state["valid"] += 1
        if answer[0] == "true" and not answer[-2]:
            return
        state.update(bindings=bindings, why=_why(answer))
        if answer[0] == "timeout":  # shrinking would wait for many more
            raise _Hangs
        raise _Falsified

    try:
        _edges(worker, index, params, state)
        _settle(hypothesis, _strategy(hypothesis.strategies, params), case, request)
    except _Late:
        state["status"] = "falsified" if state["why"] else "timed out"
    except (_Falsified, _Hangs):
        state["status"] = "falsified"
    except (hypothesis.errors.Unsatisfiable, hypothesis.errors.FailedHealthCheck):
        pass
    except hypothesis.errors.HypothesisException:
        state["status"] = "falsified" if state["why"] else "broken"
    if state["status"] == "held" and params and state["valid"] < FEWEST:
        state["status"] = "starved"
    return state


def _edges(worker, index, params, state):
    """Boundary values first, smallest first: what hangs on one is found small without shrinking."""
    lists = [p.kind.small()[:16] for p in params]
    for turn in range(max([len(x) for x in lists] + [0])):
        row = ["%s=%s" % (p.name, x[turn % len(x)]) for p, x in zip(params, lists)]
        bindings = "(%s)" % ", ".join(row)
        answer = worker.ask(["law", str(index), bindings], CASE_SECONDS)
        if answer[0] in ("timeout", "crash"):
            state.update(bindings=bindings, why=_why(answer))
            raise _Hangs


def _variables(text, plan):
    try:
        names = {n.id for n in ast.walk(ast.parse(text.strip(), mode="eval")) if isinstance(n, ast.Name)}
    except SyntaxError:
        names = set()
    return [p for p in plan.params if p.name in names and p.how != "rest"]


def _strategy(st, params):
    """Texts like `(xs=[1, 2], k=3)`; what the examples pass is tried too."""
    if not params:
        return st.just("()")
    parts = []
    for p in params:
        generated = p.kind.strategy(st)
        parts.append(st.one_of(generated, st.sampled_from(p.texts)) if p.texts else generated)
    names = [p.name for p in params]
    return st.tuples(*parts).map(lambda row: "(%s)" % ", ".join("%s=%s" % pair for pair in zip(names, row)))


def _settle(hypothesis, strategy, case, request):
    """The same cases every time: no database, no clock, a fixed seed."""
    settings = hypothesis.settings(
        max_examples=request.get("cases", CASES),
        database=None,
        deadline=None,
        derandomize=True,
        report_multiple_bugs=False,
        suppress_health_check=list(hypothesis.HealthCheck),
        verbosity=hypothesis.Verbosity.quiet,
        phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
    )
    hypothesis.seed(request.get("seed", 0))(settings(hypothesis.given(strategy)(case)))()


def _why(answer):
    if answer[0] == "raised":
        return "raised %s" % answer[1] + (": " + answer[3] if answer[3] else "")
    if answer[0] == "true":
        return "untrusted"
    return {"false": "false", "timeout": "timeout", "broken": "broken"}.get(answer[0], "crash")
