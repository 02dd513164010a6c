"""Mode `contracts`: `@raises` on the calls it names, `@requires`/`@ensures` on hundreds of inputs."""
import time

import doubts
import far
import gate
import inputs
from judge import Worker

INPUTS = 400
AGAIN = 16
ALL_SECONDS = 8.0


def run(request):
    """Facts: `raises` (as in the gate), `violations` (one per clause, the smallest call), counts."""
    end = time.monotonic() + request.get("seconds", ALL_SECONDS)
    worker = Worker(request)
    try:
        raises = gate.examples(worker, request, end)
        facts = {"raises": raises, "violations": [], "raised": [], "timeouts": [], "checked": 0, "invalid": 0, "crashes": []}
        if request.get("ensures") or request.get("requires"):
            calls = _calls(request)
            answers = asked(worker, calls, end)
            for place in sorted(answers):
                record(facts, request, calls[place], answers[place])
            held = [calls[place] for place in sorted(answers) if answers[place][0] == "holds"]
            if len(answers) < len(calls):
                facts["left"] = [len(calls) - len(answers), len(calls), request.get("seconds", ALL_SECONDS)]
            if held and not facts["violations"]:
                asked_again(facts, request, worker, held)
                asked_far(facts, request, worker)
                facts["hollow"] = doubts.clauses(worker, request, held, end)
            facts["unvaried"] = inputs.Plan(request).unvaried(request)
        doubts.claims(worker, request, raises, end)
        facts["broken"] = worker.broken
        return facts
    finally:
        worker.stop()


def asked(worker, calls, end):
    """Answers by place. Every third call comes first: of each kind and size there are some, should the time run out."""
    order = [place for start in range(3) for place in range(start, len(calls), 3)]
    answers, timeouts = {}, 0
    for place, answer in zip(order, worker.ask_all((["contract", *calls[place]] for place in order), gate.CALL_SECONDS)):
        answers[place] = answer
        timeouts += answer[0] == "timeout"
        if time.monotonic() > end or timeouts == 3:
            break
    return answers


def asked_again(facts, request, worker, held):
    """Calls that were made before, once more: what is kept of a call must not change the next."""
    for call, answer in zip(held[:AGAIN], list(worker.ask_all((["contract", *call] for call in held[:AGAIN]), gate.CALL_SECONDS))):
        if answer[0] in ("ensures", "ensures-raised", "ensures-changed", "raised", "strayed"):
            record(facts, request, call, answer)


def asked_far(facts, request, worker):
    """Calls far from the examples. Who takes long for them is not waited for, and who refuses them is not blamed."""
    plan = inputs.Plan(request, names=True)
    call = (lambda values: (plan.receivers[0], plan.call(values)))
    for values, answer in far.asked(worker, plan, lambda values: ["contract", *call(values)]):
        if answer[0] in ("ensures", "ensures-changed", "strayed"):
            record(facts, request, call(values), answer)
            return


def _calls(request):
    plan = inputs.Plan(request, names=True)
    fixed = inputs.calls_of_examples(plan)
    rest = inputs.generate(plan, request.get("seed", 0), request.get("inputs", INPUTS))
    return list(dict.fromkeys(sorted(fixed, key=lambda c: (len(c[1]), c)) + rest))


def record(facts, request, call, answer):
    """Adds what one call showed."""
    kind, spelled = answer[0], gate.spelled(request, *call)
    if kind == "invalid":
        facts["invalid"] += 1
        return
    if kind == "holds":
        facts["checked"] += 1
    elif kind in ("ensures", "ensures-raised", "ensures-changed"):
        facts["checked"] += 1
        clause = int(answer[1])
        if all(v["clause"] != clause for v in facts["violations"]):
            error = ": ".join(t for t in answer[2:4] if t) if kind == "ensures-raised" else ""
            changes = answer[2] if kind == "ensures-changed" else ""
            facts["violations"].append({"clause": clause, "call": spelled, "result": answer[-1], "error": error, "changes": changes})
    elif kind == "raised":
        facts["refused"] = facts.get("refused", 0) + 1
        if all(r["exception"] != answer[1] for r in facts["raised"]):
            facts["raised"].append({"call": spelled, "exception": answer[1], "bases": answer[2].split(), "text": answer[3]})
    elif kind == "timeout":
        facts["timeouts"].append(spelled)
    elif kind in ("crash", "untrusted", "strayed"):
        hows = {"crash": "ended its process: %s", "strayed": "is outside of @requires only since an earlier call has changed %s"}
        how = hows.get(kind, "gave an object of class %s, which can pretend to equal anything") % answer[1]
        if all(c["how"] != how for c in facts["crashes"]):
            facts["crashes"].append({"call": spelled, "how": how})
