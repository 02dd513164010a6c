"""Claims that hold are doubted: asked once more, in another order, and of functions that are wrong on purpose.

What held once may have held of the first call only. What holds of a wrong function too (`wrong`) shows nothing.
"""
import ast
import time

import gate
from judge import Worker

WAYS = [str(way) for way in range(1, 7)]
CASES = 24  # of generated inputs, for each way to be wrong
ROW = 8
SECONDS = 0.5


class Wrong:
    """A worker that asks a wrong function in the place of the right one."""

    def __init__(self, worker, way):
        self.worker, self.way = worker, way

    def ask(self, job, seconds):
        return self.worker.ask(["as", self.way, *job], min(seconds, SECONDS))


def claims(worker, request, facts, end):
    """Takes back what does not hold when it is asked again, and marks what shows nothing as `hollow`."""
    examples = request.get("examples", [])
    if not facts or not all(f["ok"] for f in facts) or worker.broken:
        return
    repeated(worker, request, examples, facts, end)
    if all(f["ok"] for f in facts) and not any(_is_plain(e, request) for e in examples):
        hollow = set(range(len(facts)))
        for way in WAYS:
            hollow -= _noticed(worker, examples, hollow, way, end)
        for index in hollow:
            facts[index]["hollow"] = True


def repeated(worker, request, examples, facts, end):
    """Asks again in the same process, and in another one the last first. A session is one story, told once."""
    single = [i for i, e in enumerate(examples) if e["kind"] != "prints" and e.get("origin") != "doctest"]
    _ask_again(worker, examples, facts, single, end, "asked again")
    if len(single) > 1:
        fresh = Worker(request)
        try:
            _ask_again(fresh, examples, facts, single[::-1], end, "asked in another order")
        finally:
            fresh.stop()


def _ask_again(worker, examples, facts, order, end, when):
    for index in order:
        if time.monotonic() > end or not facts[index]["ok"]:
            return
        fact = gate.check_example(worker, examples[index], gate.CALL_SECONDS)
        if not fact["ok"]:
            facts[index] = dict(fact, index=index, again=when)


def _is_plain(example, request):
    """Whether it compares the bare result of a call with a literal, which no wrong function can meet."""
    if example["kind"] == "equation":
        return _is_call(example["left"], request) and _is_literal(example["right"])
    return example["kind"] in ("prints", "raises") and _is_call(example["code"], request)


def _is_call(code, request):
    try:
        node = ast.parse(code.strip(), mode="eval").body
    except SyntaxError:
        return False
    if isinstance(node, ast.Await):
        node = node.value
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    name = called.attr if isinstance(called, ast.Attribute) and request.get("class") else getattr(called, "id", "")
    return name == request["function"]


def _is_literal(code):
    try:
        ast.literal_eval(code.strip())
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return False
    return True


def _noticed(worker, examples, wanted, way, end):
    """Which claims a function that is wrong in this way does not meet; a session is told from its start."""
    wrong, noticed = Wrong(worker, way), set()
    if not wanted:
        return noticed
    worker.ask(["afresh"], SECONDS)
    for index, example in enumerate(examples):
        is_told = example["kind"] == "prints" or example.get("origin") == "doctest"
        if time.monotonic() > end:
            return wanted  # nobody knows
        if (index in wanted or is_told) and not gate.check_example(wrong, example, SECONDS)["ok"]:
            noticed.add(index)
    return noticed


def clauses(worker, request, calls, end):
    """The clauses of `@ensures` that wrong functions meet on all of these calls."""
    hollow = set(range(len(request.get("ensures", []))))
    for way in WAYS:
        for row in _rows(calls):
            if not hollow or time.monotonic() > end:
                return []
            for answer in list(worker.ask_all((["as", way, "unheld", *call] for call in row), SECONDS)):
                if answer[0] != "invalid":
                    hollow -= {int(i) for i in answer[1].split()} if answer[0] == "unheld" else hollow
    return sorted(hollow)


def is_hollow(worker, index, cases, end):
    """Whether wrong functions obey a law in all of these cases."""
    for way in WAYS:
        for row in _rows(cases):
            if time.monotonic() > end:
                return False
            for answer in list(worker.ask_all((["as", way, "law", str(index), case] for case in row), SECONDS)):
                if answer[0] not in ("true", "invalid"):
                    return False
    return bool(cases)


def _rows(items):
    """Some of the items, from all over the list."""
    items = [items[int(at * max(1, len(items) / CASES))] for at in range(min(CASES, len(items)))]
    return [items[at : at + ROW] for at in range(0, len(items), ROW)]
