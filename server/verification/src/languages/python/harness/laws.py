"""Mode `properties`: Hypothesis falsifies `@property` laws and shrinks what it finds.

Hypothesis runs here, with the judge; it makes up source text, and a worker evaluates the law. So a
candidate can neither see the generator nor end it, and a law that hangs is a time-out of one case.

Which cases it makes up depends on what stands around the function, the seed, and which cases
`@requires` allows; as long as a law holds, on nothing else. So the cases of a law that held are told, and
when they are handed in for another candidate it is asked for the same ones without Hypothesis. When one
is answered otherwise, all starts anew with Hypothesis: what is found does not depend on what was known.
"""
import ast
import functools
import hashlib
import time

import doubts
import far
import inputs
import rests
from judge import Worker

CASES = 200
FEWEST = 10
CASE_SECONDS = 2.0
ALL_SECONDS = 20.0


def run(request):
    """Facts: per law `{"index", "valid", "invalid", "status", "bindings", "why"}`, and `cases` of those that held."""
    import hypothesis
    end = time.monotonic() + request.get("seconds", ALL_SECONDS)
    plan = inputs.Plan(request, names=True)
    worker = Worker(request)
    try:
        cases = {}
        laws = [_law(hypothesis, worker, plan, index, request, cases, end) for index in range(len(request["properties"]))]
        return {"laws": laws, "broken": worker.broken, "cases": cases}
    finally:
        worker.stop()


class _Falsified(Exception):
    """The law does not hold for the case under test."""


class _Hangs(BaseException):
    """A case that does not end is not shrunk."""


class _Late(BaseException):
    """The time for all laws is used up."""


def _law(hypothesis, worker, plan, index, request, cases, end):
    state = {"index": index, "called": 0, "valid": 0, "invalid": 0, "status": "held", "bindings": "", "why": "", "hollow": False}
    edge = None
    text = request["properties"][index]
    params = _variables(text, plan)
    unknown = [p.name for p in params if p.whole is None]
    if unknown:
        return dict(state, status="no values", why=", ".join(unknown))

    key, made, known = _key(plan, index, request), [], request.get("cases_known", {}).get(str(index), {})

    def case(bindings):
        if time.monotonic() > end:
            raise _Late
        answer = worker.ask(["law", str(index), bindings], CASE_SECONDS)
        made.append([bindings, answer[0] != "invalid"])
        if answer[0] == "invalid":
            state["invalid"] += 1
            hypothesis.reject()
        state["valid"] += 1
        if _holds(answer):
            state["called"] += answer[-4] == "called"
            return
        state.update(bindings=bindings, why=_why(answer, plan.name))
        if answer[0] == "timeout":  # shrinking would wait for many more
            raise _Hangs
        raise _Falsified

    try:
        edge = _edges(worker, index, params, state)
        if known.get("key") == key and _same(worker, index, known["cases"], end):
            made = known["cases"]
            state.update(called=1, valid=sum(valid for _, valid in made), invalid=sum(not valid for _, valid in made))
        else:
            if worker.pid is None:  # whatever the known cases have left behind is gone; on from where it was
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
    if state["status"] == "held" and state["called"]:
        cases[str(index)] = {"key": key, "cases": made}
    if state["status"] == "held" and edge is not None:
        state.update(status="falsified", bindings=edge[0], why=_why(edge[1], plan.name))
    # Fewer cases than were asked for: there are no more (`bool`, an enumeration).
    is_all = 0 < state["valid"] and state["valid"] + state["invalid"] < request.get("cases", CASES)
    if state["status"] == "held" and params and state["valid"] < FEWEST and not is_all:
        state["status"] = "starved"
    if state["status"] == "held" and not state["called"]:
        state["status"] = "uncalled"
    if state["status"] == "held":
        _far(worker, index, params, plan, state)
    if state["status"] == "held":
        state["hollow"] = doubts.is_hollow(worker, index, [bindings for bindings, valid in made if valid], end)
    return state


def _far(worker, index, params, plan, state):
    """Cases far from the examples, as for contracts."""
    bound = (lambda values: "(%s)" % ", ".join("%s=%s" % (p.name, values[p.name]) for p in params if p.name in values))
    for values, answer in far.asked(worker, plan, lambda values: ["law", str(index), bound(values)]) if params else ():
        if answer[0] in ("false", "changed"):
            state.update(bindings=bound(values), why=_why(answer, plan.name), status="falsified")
            return


def _holds(answer):
    return answer[0] == "true" and not answer[-2]


def _same(worker, index, cases, end):
    """Whether every case is answered as one of a law that holds; `_Late` as when Hypothesis asks."""
    answers = worker.ask_all((["law", str(index), bindings] for bindings, _ in cases), CASE_SECONDS)
    for (_, valid), answer in zip(cases, answers):
        if time.monotonic() > end:
            raise _Late
        if not (_holds(answer) if valid else answer[0] == "invalid"):
            worker.stop()
            return False
    return True


def _key(plan, index, request):
    """What the cases of a law come from."""
    lines = request["source"].splitlines()
    first, last = (plan.node.body[0].lineno - 1, plan.node.end_lineno) if plan.node else (0, 0)
    header = ast.unparse(plan.node.args) if plan.node else ""
    around = [header, lines[:first], lines[last:], request["properties"][index], request["requires"], request["example_code"]]
    rest = [request["function"], request.get("class"), request.get("seed", 0), request.get("cases", CASES)]
    rest += [plan.said.numbers, plan.said.texts]
    return hashlib.sha256(repr(around + rest).encode("utf-8", "surrogatepass")).hexdigest()


def _edges(worker, index, params, state):
    """Boundary values first, smallest first: what hangs on one is found small without shrinking.

    Gives the first on which the law is false, and the answer: Hypothesis may find a smaller case, and may find none.
    """
    lists = [[rests.bound(p.how, x) for x in p.whole.small()[:16]] for p in params]
    rows = []
    for turn in range(max([len(x) for x in lists] + [0])):
        row = ["%s=%s" % (p.name, x[turn % len(x)]) for p, x in zip(params, lists)]
        rows.append("(%s)" % ", ".join(row))
    answers, false = worker.ask_all((["law", str(index), bindings] for bindings in rows), CASE_SECONDS), None
    for bindings, answer in zip(rows, answers):
        if answer[0] in ("timeout", "crash"):
            state.update(bindings=bindings, why=_why(answer))
            raise _Hangs
        if answer[0] in ("false", "changed") and false is None:
            false = bindings, answer
    return false


def _variables(text, plan):
    try:
        names = {n.id for n in ast.walk(ast.parse(text.strip(), mode="eval")) if isinstance(n, ast.Name)}
    except SyntaxError:
        names = set()
    return [p for p in plan.params if p.name in names]


def _strategy(st, params):
    """Texts like `(xs=[1, 2], k=3)`; what the examples pass is tried too."""
    if not params:
        return st.just("()")
    parts = []
    for p in params:
        generated = p.whole.strategy(st)
        texts = st.one_of(generated, st.sampled_from(p.texts)) if p.texts else generated
        parts.append(texts if p.how not in ("rest", "keys") else texts.map(functools.partial(rests.bound, p.how)))
    names = [p.name for p in params]
    return st.tuples(*parts).map(lambda row: "(%s)" % ", ".join("%s=%s" % pair for pair in zip(names, row)))


def _settle(hypothesis, strategy, case, request):
    """The same cases every time: no database, no clock, a fixed seed, and no constants of what happens to be loaded."""
    from hypothesis.internal.conjecture import providers
    if hasattr(providers, "_get_local_constants"):
        nothing = providers.Constants()
        providers._get_local_constants = lambda: nothing
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


def _why(answer, name=""):
    if answer[0] == "changed":
        return "holds only because %s changes %s," % (name, answer[1]) if answer[1] else "is false of what went in, which %s changes," % name
    if answer[0] == "raised":
        return "raised %s" % answer[1] + (": " + answer[3] if answer[3] else "")
    if answer[0] == "true":
        return "untrusted"
    return {"false": "false", "timeout": "timeout", "broken": "broken"}.get(answer[0], "crash")
