"""The gate and the fingerprint: does the candidate do what the examples say, and what else does it do?

The judge compares; see `values` for when two values count as equal. Everything is run a second
time by another interpreter with another hash seed and the calls in reverse order: a candidate that
then answers differently is not a function of its arguments.
"""
import ast
import builtins
import json
import os
import sys
import time

import inputs
import values
from judge import Worker

CALL_SECONDS = 2.0
INPUT_SECONDS = 1.0
ALL_SECONDS = 10.0
HANGS = 4  # after so many calls that did not end, the others are not waited for
OTHER_SEED = "1"


def run(request):
    """Mode `judge`: examples first, then outcomes on generated inputs."""
    if request.get("candidates"):
        import batch
        return batch.run(request)
    end = time.monotonic() + request.get("seconds", ALL_SECONDS)
    replay = None if request.get("replay") else Replay(request)
    worker = Worker(request)
    try:
        facts = []
        if replay is not None:
            facts = examples(worker, request, end, failures=2)
            if not all(f["ok"] for f in facts):
                return {"examples": facts, "outcomes": [], "broken": worker.broken}
        outcomes = fingerprint(worker, request, inputs.Plan(request), end)
        answer = {"examples": facts, "outcomes": outcomes, "broken": worker.broken}
        if replay is not None:
            answer["unstable"] = _compare(outcomes, replay.outcomes(end))
        return answer
    finally:
        worker.stop()
        if replay is not None:
            replay.stop()


def examples(worker, request, end, failures=None):
    """One fact per example: `{"index", "ok", "got", "expected", "violates", "calls"}`.

    After `failures` of them nothing more is asked: one failed example or several is all that matters.
    """
    facts = []
    for index, example in enumerate(request.get("examples", [])):
        left = min(request.get("call_seconds", CALL_SECONDS), end - time.monotonic())
        fact = check_example(worker, example, left) if left > 0 else {"ok": False, "got": "timeout", "expected": ""}
        fact["index"] = index
        facts.append(fact)
        if failures and sum(not f["ok"] for f in facts) >= failures:
            break
    return facts


def check_example(worker, example, seconds):
    """Asks the worker, compares the answer with the claim."""
    if example.get("on_step"):
        worker = _OnStep(worker)
    return {"equation": _equation, "holds": _holds, "prints": _prints, "raises": _raises}[example["kind"]](worker, example, seconds)


class _OnStep:
    """A worker that is asked about a step of the function's plan."""

    def __init__(self, worker):
        self.worker = worker

    def ask(self, job, seconds):
        return self.worker.ask(["on_step"] + job, seconds)


def _equation(worker, example, seconds):
    expected, known = example["right"], True
    try:
        text, _ = values.equality(ast.literal_eval(expected))
    except (ValueError, TypeError, SyntaxError, RecursionError):
        text, known = "", False
    answer = worker.ask(["equation", example["left"], "" if known else expected], seconds)
    if answer[0] != "value":
        return _other(answer, expected)
    notes = answer[-3:]
    if known and not answer[3]:
        return _fact(answer[1] == values.bounded(text), answer[2], expected, notes, answer[1])
    how = worker.ask(["equal", expected], seconds) if known else answer[4:6]
    if how[0] not in ("same", "alike", "differs"):
        return _other(how, expected)
    fact = _fact(how[0] == "same", answer[2], expected if known else how[1], notes, answer[1])
    if how[0] == "alike":
        fact["got"] += ", which only an `__eq__` of this file calls equal"
    return fact


def _holds(worker, example, seconds):
    answer = worker.ask(["holds", example["code"]], seconds)
    if answer[0] not in ("true", "false"):
        return _other(answer, "True")
    return _fact(answer[0] == "true", answer[1], "True", answer[-3:])


def _prints(worker, example, seconds):
    answer = worker.ask(["session", example["code"]], seconds)
    if answer[0] != "printed":
        return _other(answer, example["expected"])
    wanted = example["expected"]
    same = same_output(wanted, answer[1], example) or _written(wanted) == answer[1]
    return _fact(same, answer[1], wanted, answer[-3:])


def _written(wanted):
    """What a session prints for the value that a literal stands for: `"a"` and `'a'` are one value."""
    try:
        return repr(ast.literal_eval(wanted.strip())) + "\n"
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None


def _raises(worker, example, seconds):
    wanted = example["expected"]
    name, _, text = wanted.partition(":")
    name = name.strip().split(".")[-1]
    name = getattr(getattr(builtins, name, None), "__name__", name)  # `IOError` is `OSError`
    doctest = example.get("origin") == "doctest"
    answer = worker.ask(["session" if doctest else "raises", example["code"]], seconds)
    if answer[0] == "raised":
        bases = answer[2].split()
        accepted = answer[1] == name if doctest else name in bases or ("." in wanted.partition(":")[0] and "~" + name in bases)
        accepted = accepted and (not text.strip() or same_output(text.strip() + "\n", answer[3] + "\n", example))
        fact = _fact(accepted, "! " + _exception(answer), wanted, answer[-3:])
        fact["violates"], fact["outside"] = None, fact["violates"] is not None  # as a rule it lies outside `@requires`
        return fact
    if answer[0] == "value":
        return _fact(False, answer[2], wanted, ["", "", ""])
    if answer[0] == "printed":
        return _fact(False, answer[1], wanted, ["", "", ""])
    return _other(answer, wanted)


def same_output(expected, got, example):
    """Doctest's own comparison, with the options that the project and the example switch on."""
    if expected and not expected.endswith("\n"):
        expected += "\n"
    if expected == got:
        return True
    import doctest  # slow to import, and most examples match as they are
    flags = doctest.DONT_ACCEPT_TRUE_FOR_1  # a truth value is no number, in examples as in doctests
    for name in example.get("options", ()):
        flags |= doctest.OPTIONFLAGS_BY_NAME.get(name, 0)
    for part in example["code"].split("# doctest:")[1:]:
        for word in part.splitlines()[0].replace(",", " ").split():
            flag = doctest.OPTIONFLAGS_BY_NAME.get(word[1:], 0)
            flags = flags | flag if word[0] == "+" else flags & ~flag if word[0] == "-" else flags
    return doctest.OutputChecker().check_output(expected, got, flags)


def _exception(answer):
    return "%s: %s" % (answer[1], answer[3]) if answer[3] else answer[1]


def _fact(ok, got, expected, notes, digits=""):
    """`digits` says more of what was given, where the two look alike and are not."""
    violates, pretender, calls = notes
    if pretender:
        ok, got = False, "an object of class %s, which can pretend to equal anything" % pretender
    if not ok and got == expected.strip() and digits:
        got = digits
    return {"ok": ok, "got": got, "expected": expected, "violates": int(violates) if violates else None, "calls": calls}


def _other(answer, expected):
    """Facts of an answer that is no value: nothing of this can satisfy an example."""
    kind = answer[0]
    notes = ["", "", ""]
    if kind == "raised":
        got, notes = "! " + _exception(answer), answer[-3:]
    elif kind == "untrusted":
        got = "an object of class %s, which can pretend to equal anything" % answer[1]
    elif kind == "timeout":
        got = "timeout"
    elif kind == "crash":
        got = "crash: " + answer[1]
    elif kind == "uncalled":
        got = "uncalled: " + answer[1]
    else:
        got = "broken: %s: %s" % (answer[1], answer[2])
    fact = _fact(False, got, expected, notes)
    if kind == "broken":
        fact["missing_module"] = answer[3] if len(answer) > 3 else ""
    return fact


def fingerprint(worker, request, plan, end):
    """`[call, outcome]` for the inputs that `@requires` allows, in input order."""
    chosen = select(worker, request, plan, end)
    if request.get("replay"):
        chosen.reverse()
    asked, hangs = [], 0
    most, seconds = request.get("hangs", HANGS), request.get("input_seconds", INPUT_SECONDS)

    def left():
        return min(seconds, end - time.monotonic())

    answers = worker.ask_all((["outcome", *call] for call in chosen), left)
    for receiver, arguments in chosen:
        answer = next(answers) if left() > 0 and hangs < most else ["timeout"]
        if answer[0] == "broken":
            break
        if answer[0] == "invalid":
            continue
        hangs += answer[0] == "timeout"
        asked.append([spelled(request, receiver, arguments), _outcome(answer)])
    return sorted(asked, key=lambda pair: (len(pair[0]), pair[0]))


def select(worker, request, plan, end):
    """The first `SMALL` calls that `@requires` allows; from a larger pool when it allows few."""
    wanted, seed = request.get("inputs", inputs.SMALL), request.get("seed", 0)
    if not request.get("requires"):
        return inputs.generate(plan, seed, wanted)
    chosen, seen = [], set()
    for limit in (wanted, inputs.LARGE):
        pool = inputs.generate(plan, seed, limit)
        step = max(1, len(pool) // wanted)
        fresh = [c for start in range(step) for c in pool[start::step] if c not in seen]
        seen.update(fresh)
        while fresh and len(chosen) < wanted and time.monotonic() <= end:
            some, fresh = fresh[: wanted - len(chosen)], fresh[wanted - len(chosen) :]
            answers = worker.ask_all((["valid", *call] for call in some), INPUT_SECONDS)
            chosen += [call for call, answer in zip(some, answers) if answer[0] == "valid"]
    return chosen


def _outcome(answer):
    if answer[0] == "outcome":
        return answer[1]
    return {"timeout": "timeout", "untrusted": "= " + "pretender"}.get(answer[0], "crash")


def spelled(request, receiver, arguments):
    """A call as a developer would write it."""
    head = (receiver + "." if receiver else request["class"] + "." if request.get("class") else "") + request["function"]
    how = access(request)
    return head if how == "get" else "%s = %s" % (head, arguments[1:-1]) if how == "set" else head + arguments


def access(request):
    """How the function under test is reached: see `inputs.access`."""
    return inputs.access(request["source"], request["function"], request.get("class") or "", request.get("line", 0))


def _compare(first, second):
    """The first call whose outcome differs between the two runs; time-outs are left alone."""
    if second is None:
        return None
    again = dict(map(tuple, second))
    for call, outcome in first:
        other = again.get(call, outcome)
        if other != outcome and "timeout" not in (outcome, other):
            return [call, outcome, other]
    return None


class Replay:
    """The second run, in an interpreter of its own that starts while the first one works."""

    def __init__(self, request):
        question_out, question_in = os.pipe()
        answer_out, answer_in = os.pipe()
        environment = dict(os.environ, PYTHONHASHSEED=OTHER_SEED)
        actions = [(os.POSIX_SPAWN_DUP2, question_out, 0), (os.POSIX_SPAWN_DUP2, answer_in, 1)]
        command = [sys.executable, "-s", "-B", os.path.dirname(os.path.abspath(__file__))]
        self.pid = os.posix_spawn(sys.executable, command, environment, file_actions=actions)
        os.close(question_out)
        os.close(answer_in)
        self.answers = answer_out
        with os.fdopen(question_in, "wb") as pipe:
            pipe.write(json.dumps(dict(request, replay=True)).encode())

    def outcomes(self, end):
        """What the second run saw, or `None` when it did not end in time."""
        return self.answer(end, "outcomes")

    def answer(self, end, key):
        """One entry of the second run's answer, or `None` when it did not end in time."""
        import select
        data = b""
        while True:
            left = end + 1 - time.monotonic()
            if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                return None
            more = os.read(self.answers, 1 << 16)
            if not more:
                break
            data += more
        try:
            return json.loads(data)[key]
        except (ValueError, KeyError):
            return None

    def stop(self):
        """Ends the second run."""
        import signal
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except OSError:
            pass
        os.close(self.answers)
