"""Mode `examine`: what candidates make of calls and tests that a model wrote.

Nobody vouches for them, so a failed test is a fact and no verdict. A call outside of `@requires` has no
outcome and fulfils nothing.
"""
import time

import gate
import questions
from judge import Worker

CALL_SECONDS = 1.0
ALL_SECONDS = 20.0


def run(request):
    """`{"candidates": [[{"outcome", "holds"}, ...], ...]}`, a candidate that does not load with an empty list."""
    end = time.monotonic() + request.get("seconds", ALL_SECONDS)
    return {"candidates": [_tried(dict(request, **subject), end) for subject in request["subjects"]]}


def _tried(request, end):
    worker, trials, hangs = Worker(request), [], 0
    try:
        for claim in request["claims"]:
            left = min(CALL_SECONDS, end - time.monotonic())
            if left <= 0 or hangs >= gate.HANGS:
                return []  # half a word would tell candidates apart that are the same
            call = questions._call(request, claim["call"])
            answer = worker.ask(["outcome", *call], left) if call else ["invalid"]
            if answer[0] == "broken":
                return []
            hangs += answer[0] == "timeout"
            if answer[0] == "invalid":
                trials.append({"outcome": None, "holds": False})
                continue
            holds = False
            if claim["expected"] is not None and answer[0] == "outcome":
                example = {"kind": "equation", "left": claim["call"], "right": claim["expected"]}
                holds = gate.check_example(worker, example, CALL_SECONDS)["ok"]
            trials.append({"outcome": gate._outcome(answer), "holds": holds})
        return trials
    finally:
        worker.stop()
