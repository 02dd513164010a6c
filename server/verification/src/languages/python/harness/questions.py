"""Mode `questions`: the smallest calls on which behaviours differ, and what each answers to them.

One worker per behaviour holds its representative candidate. A call is worth the more, the more
votes its answers tell apart; among the best ones the smallest is taken and made smaller (`shrink`)
as long as it tells as many votes apart. Floats that differ by rounding are one answer, time-outs
and crashes are answers that nobody can choose.
"""
import ast
import itertools
import time

import gate
import inputs
import shrink
from judge import Worker

RUNS = 300  # calls that are tried, over all questions
POOL = 80  # of which generated ones that no fingerprint holds
SLOW = 3  # calls that may run out of time before no further one is tried
QUESTIONS = 3
CALL_SECONDS = 0.5
ALL_SECONDS = 8.0
TEXT = 300  # longest answer that anybody would choose
CLOSE = 1e-9
BROKEN_OFF = ("RecursionError", "MemoryError")


def run(request):
    """Facts: `questions`: `[{"input", "answers": [{"text", "clause", "members"}]}]`."""
    panel = Panel(request, time.monotonic() + request.get("seconds", ALL_SECONDS))
    try:
        plan = inputs.Plan(dict(request, **request["subjects"][0]))
        if "only" in request:
            calls = [c for c in [_call(request, request["only"])] if c and panel.answers(c)]
        else:
            calls = list(_find(panel, plan, request))
        return {"questions": [panel.question(call, plan) for call in calls]}
    finally:
        panel.stop()


class Panel:
    """The behaviours, each in a process of its own, with their votes."""

    def __init__(self, request, end):
        self.request, self.end = request, end
        self.votes = request["votes"]
        self.workers = [Worker(dict(request, **subject)) for subject in request["subjects"]]
        self.pairs = list(itertools.combinations(range(len(self.workers)), 2))
        self.known = {}
        self.left, self.slow = request.get("runs", RUNS), 0

    def answers(self, call):
        """One answer per behaviour; `None` outside `@requires`, or when nothing more may be tried."""
        if call in self.known:
            return self.known[call]
        if self.left <= 0 or self.slow >= SLOW or time.monotonic() > self.end:
            return None
        self.left -= 1
        found = []
        for worker in self.workers:
            answer = Answer(worker.ask(["answer", *call], CALL_SECONDS))
            if answer.kind == "invalid":
                found = None
                break
            found.append(answer)
        self.slow += bool(found) and any(a.kind == "timeout" for a in found)
        self.known[call] = found
        return found

    def worth(self, call, pairs):
        """How many pairs of votes the call tells apart; those that are hardly asked for count half."""
        found = self.answers(call)
        if not found or not any(a.can_be_chosen() for a in found):
            return 0
        return sum(self.votes[a] * self.votes[b] * found[a].distance(found[b]) for a, b in pairs)

    def question(self, call, plan):
        """The question about a call: its answers, those that are the same taken together."""
        spelled = gate.spelled(self.request, *call)
        groups = []
        for member, answer in enumerate(self.answers(call)):
            group = next((g for g in groups if g[0][1].distance(answer) == 0), None)
            if group is None:
                groups.append([(member, answer)])
            else:
                group.append((member, answer))
        answers = []
        for group in groups:
            answer = max(group, key=lambda m: (self.votes[m[0]], -m[0]))[1]
            exact = all(a.key == answer.key for _, a in group)
            answers.append({"text": answer.text, "clause": answer.clause(spelled, exact), "members": [m for m, _ in group]})
        return {"input": spelled, "answers": answers}

    def stop(self):
        for worker in self.workers:
            worker.stop()


class Answer:
    """What one behaviour answers to one call."""

    def __init__(self, said):
        self.kind = said[0] if said[0] in ("value", "raises", "invalid", "timeout") else "crash"
        self.key = self.left = self.right = ""
        self.is_float = False
        if self.kind == "value":
            _, self.key, self.text, self.left, self.right, scalar = said
            self.is_float = bool(scalar)
            if len(self.text) > TEXT:
                self.text = self.text[: TEXT // 2] + "…"
        elif self.kind == "raises":
            self.key, self.left = said[1], said[2]
            self.text = "raises " + self.key
        else:
            self.text = "does not end in its time" if self.kind == "timeout" else _ending(said)

    def distance(self, other):
        """0 for one answer, 2 for two that a user can tell which is meant, 1 for two of little interest."""
        if self.kind != other.kind:
            return 2 if {self.kind, other.kind} == {"value", "raises"} else 1
        if self.key == other.key or (self.kind == "value" and close(_literal(self.key), _literal(other.key))):
            return 0
        return 2 if self.kind == "value" else 1

    def can_be_chosen(self):
        return bool(self.right) if self.kind == "value" else self.kind == "raises" and self.key not in BROKEN_OFF

    def clause(self, spelled, exact=True):
        """The line of the spec that chooses this answer, or `None`."""
        if not self.can_be_chosen():
            return None
        call = "%s(%s)" % (self.left, spelled) if self.left else spelled
        if self.kind == "raises":
            text = "@raises %s %s" % (self.key, call)
        elif self.is_float and not (exact and _is_round(self.right)):
            # Another way to compute it may end in another last digit.
            value = float(self.right)
            reach = max(0, len("%d" % abs(value)) - 1) - 9
            text = "@example abs(%s - %s) <= 1e%d" % (call, "%.12g" % value if value >= 0 else "(%.12g)" % value, reach)
        else:
            text = "@example %s == %s" % (call, self.right)
        return text if len(text.splitlines()) == 1 else None


def _ending(said):
    if said[0] == "untrusted":
        return "gives an object that pretends to equal anything"
    return "does not load" if said[0] == "broken" else "ends its process"


def _is_round(text):
    """Whether twelve digits say all of a float."""
    return float("%.12g" % float(text)) == float(text)


_NONE = object()


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return _NONE


def close(a, b):
    """Whether two literals are equal but for the last digits of their floats."""
    if a is _NONE or b is _NONE:
        return False
    numbers = (int, float)
    if type(a) in numbers and type(b) in numbers and float in (type(a), type(b)):
        return abs(a - b) <= CLOSE * max(1.0, abs(a), abs(b))
    if type(a) is not type(b):
        return False
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(map(close, a, b))
    if type(a) is dict:
        return a.keys() == b.keys() and all(close(a[k], b[k]) for k in a)
    return a == b


def _find(panel, plan, request):
    """The calls to ask about: each tells behaviours apart that no earlier one does."""
    taken = {arguments for _, arguments in map(shrink.canonical, inputs.calls_of_examples(plan))}
    wanted = [_call(request, text) for text in request["inputs"]]
    pool = list(dict.fromkeys(c for c in wanted if c and c[1] not in taken))
    limit = max([len(c[1]) for c in pool] + [0])
    fresh = map(shrink.canonical, inputs.generate(plan, request.get("seed", 0), inputs.LARGE))
    fresh = (c for c in fresh if c[1] not in taken and c not in pool and len(c[1]) <= limit)
    pool += list(itertools.islice(fresh, POOL))
    meant = {call: shrink.is_meant(plan, call) for call in pool}
    pairs = panel.pairs
    for _ in range(QUESTIONS):
        rated = [(panel.worth(call, pairs), call) for call in pool]
        rated = [r for r in rated if r[0]]
        # A call that the annotations do not allow is asked about only for want of a better one.
        rated = [r for r in rated if meant[r[1]]] or rated
        if not rated:
            return
        best = max(worth for worth, _ in rated)
        start = min((c for worth, c in rated if worth == best), key=shrink.size)
        call = shrink.shrunk(plan, start, lambda c: c[1] not in taken and panel.worth(c, pairs) >= best)
        yield call
        found = panel.answers(call)
        pairs = [(a, b) for a, b in pairs if found[a].distance(found[b]) == 0]


def _call(request, text):
    """`(receiver, arguments)` of a call as [`gate.spelled`] writes it; `None` for anything else."""
    try:
        node = ast.parse(text, mode="eval").body
    except SyntaxError:
        return None
    if gate.access(request) == "get" and isinstance(node, ast.Attribute):
        node = ast.Call(node, [], [])
    if not isinstance(node, ast.Call):
        return None
    receiver = ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""
    return ("" if receiver == request.get("class") else receiver, shrink.arguments_of(node))
