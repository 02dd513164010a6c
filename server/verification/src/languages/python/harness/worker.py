"""What the forked child does: it loads the candidate and answers one job after the other.

Every answer is a list of strings, the first of which says what happened. The child never learns
what an example expects when that is a literal: the judge compares.
"""
import builtins

__builtins__ = dict(vars(builtins))

import ast
import gc
import io
import os
import sys
import time
import types

import answers
import apart
import channel
import nested
import state
import values
import walls
from subject import Clause, Load, Subject, Untrusted, _deepcopy
from waiting import plain

_exit, _getpid = os._exit, os.getpid
# The thread's clock: under a CPU limit the process's own moves in steps of a scheduler tick.
_wall, _cpu = time.perf_counter_ns, time.thread_time_ns
LONG = 1_000_000_000  # nanoseconds of a call that is not repeated
_ATOMS = {int, float, str, bytes, bool, type(None)}
_COROUTINE = types.CoroutineType


def serve(request, jobs, answers, key):
    """Answers jobs until the judge is gone. Never returns."""
    me = _getpid()
    read = channel.blocking_reader(jobs)

    def reply(parts):
        if _getpid() != me:  # a child that the candidate forked has come back into our loop
            _exit(0)
        channel.send(answers, key, parts)

    try:
        channel.forget_harness()
        walls.stand(request.get("path", "<candidate>"))
        try:
            subject = Subject(request)
        except Load as error:
            reply(["broken"] + [str(a) for a in error.args])
            _exit(0)
        reply(["ready"])
        while True:
            job = channel.receive(read, key)
            subject.fresh()
            try:
                reply(HANDLERS[job[0]](subject, *job[1:]))
            except Untrusted as error:
                reply(["untrusted", str(error)])
    except BaseException:
        _exit(70)


def _raised(error, names=None):
    """An exception as an answer: its name, the names of all its bases, its text.

    With `names`, a base that is not what its name stands for there has a `~` in front; one that was made
    up inside the function is left out.
    """
    if isinstance(error, Untrusted):
        return ["untrusted", str(error)]
    text = values.error_text(error, 500)
    bases = []
    for kind in type(error).__mro__[:-1]:
        meant = kind if names is None else names.get(kind.__name__, getattr(builtins, kind.__name__, kind))
        if meant is kind or "<locals>" not in kind.__qualname__:
            bases.append(kind.__name__ if meant is kind else "~" + kind.__name__)
    return ["raised", values.exception_name(error), " ".join(bases), text]


def _notes(subject, text=""):
    """What every answer about an example ends with: the clause of `@requires` that a call
    violated, an object that pretended, and the first calls with their results. That a result of the function, given
    to it in `text`, violates it is the result's fault, and none of the example's."""
    if subject.violated is not None and text and nested.by_result(subject, text, {}):
        subject.violated = None
    calls = "; ".join("%s gave %s" % (call, values.bounded(got)) for call, got in subject.calls[:3])
    return ["" if subject.violated is None else str(subject.violated), subject.pretender or "", calls]


def equation(subject, left, right):
    """`f(ARGS) == EXPECTED`; `right` is empty when the judge knows the expected value itself."""
    try:
        wanted = Clause(right) if right else None
        # What the call is there to count up is looked at behind it, as Python does; all else before it.
        is_late = right and wanted.code is not None and subject.state.reached(wanted.code) & subject.state.loose
        expected = wanted.value(subject.scope()) if right and not is_late else None
        subject.fresh()
        result = _given(subject, left)
        if is_late:
            expected = wanted.value(subject.scope())
        if subject.is_uncalled:
            return ["uncalled", subject.name] + _notes(subject, left)
        subject.result = result
        if hasattr(type(result), "__next__"):  # looking at an iterator uses it up: look once
            shown = values.show(result)
            text, opaque = shown, True
        else:
            (text, opaque), shown = values.equality(result), values.show(result)
        answer = ["value", values.bounded(text), shown, "opaque" if opaque else ""]
        if right:
            expects, also = values.equality(expected)
            same = (result == expected) is True if opaque or also else text == expects
            answer += _alike(subject, same, shown, expected)
        return answer + _notes(subject, left)
    except BaseException as error:
        return _raised(error) + _notes(subject, left)


def _given(subject, code):
    """What the code of an example gives; when the function changes what helpers do, what it gave without that.

    What it makes of the file's data, examples may well ask for: they say themselves what happens before.
    """
    clause = Clause(code)
    result = subject.value(clause)
    return subject.asked_apart(clause, {}, data=False) if subject.state.changed(clause.code, data=False) else result


def _alike(subject, same, shown, expected):
    """An `==` of the file's own is believed where the values look alike too."""
    alike = same and subject.own_equality and shown != values.show(expected)
    return [("alike" if alike else "same") if same else "differs", values.show(expected)]


def equal(subject, literal):
    """Whether the result of the last equation, of which its text cannot tell, equals a literal.

    Only its `==` runs now, not the function: that has been called by somebody who did not know the answer.
    """
    try:
        expected, result = ast.literal_eval(literal), subject.result
        same = (result == expected) is True and (type(expected) is not bool or type(result) is bool)
        return _alike(subject, same, values.show(result), expected)
    except BaseException as error:
        return _raised(error) + _notes(subject)


def holds(subject, code):
    """An expression that must be true."""
    try:
        value = values.truth(_given(subject, code))
        if subject.is_uncalled:
            return ["uncalled", subject.name] + _notes(subject, code)
        return ["true" if bool(value) is True else "false", values.show(value)] + _notes(subject, code)
    except BaseException as error:
        return _raised(error) + _notes(subject, code)


def session(subject, code):
    """One doctest prompt: runs in a name space that all prompts share, prints as the REPL does."""
    out, stdout = io.StringIO(), sys.stdout
    sys.stdout = out
    held = vars(subject.module)
    subject.opened = subject.session, [n for n in subject.moving if n in held and subject.session.get(n) is held[n]]
    try:
        for node in plain(ast.parse(code, "<doctest>", "exec")).body:
            # Shown here, not by `sys.displayhook`, which is anybody's to replace.
            if isinstance(node, ast.Expr):
                value = eval(compile(ast.Expression(node.value), "<doctest>", "eval"), subject.session)
                if value is not None:
                    out.write(repr(value) + "\n")
                    subject.session["_"] = value
            else:
                exec(compile(ast.Interactive([node]), "<doctest>", "single"), subject.session)
        answer = ["printed", out.getvalue()]
    except BaseException as error:
        answer = _raised(error)
    finally:
        sys.stdout = stdout
    return answer + _notes(subject)


def raises(subject, code):
    """Code in which the function must raise; the answer says what it did."""
    try:
        try:
            value = subject.value(Clause(code))
        except SyntaxError:
            exec(compile(plain(ast.parse(code)), "<spec>", "exec"), subject.open())
            value = None
        return ["value", "", values.show(value), ""] + _notes(subject)
    except BaseException as error:
        if subject.is_uncalled:
            return ["uncalled", subject.name] + _notes(subject)
        return _raised(error, subject.names) + _notes(subject)


def valid(subject, receiver, arguments):
    """Whether `@requires` allows a call: `["valid"]` or `["invalid"]`."""
    try:
        _, args, kwargs = subject.prepare(receiver, arguments)
        return ["valid" if subject.unmet(subject.bind(args, kwargs)) is None else "invalid"]
    except Exception:
        return ["invalid"]


def outcome(subject, receiver, arguments):
    """The fingerprint's view of a call: `["outcome", text]`, or `["invalid"]` outside `@requires`."""
    try:
        function, args, kwargs = subject.prepare(receiver, arguments)
        bound = subject.bind(args, kwargs)
        if subject.unmet(bound) is not None:
            return ["invalid"]
    except Exception:
        return ["invalid"]
    before = _shown(subject, bound)
    try:
        with subject.inside():
            result = subject.settled(function(*args, **kwargs))
        text = "= " + values.show(result, subject.request.get("numbers", "exact"))
    except Untrusted:
        raise
    except BaseException as error:
        text = "! " + values.exception_name(error)
    for name, after in _shown(subject, bound).items():
        if before.get(name) != after:
            text += "; mutates %s -> %s" % (name, after)
    return ["outcome", values.bounded(text)]


def _shown(subject, bound):
    """Arguments as text; an iterator is left alone, since looking would use it up."""
    return {n: values.show(v) for n, v in bound.items() if not hasattr(type(v), "__next__")}


def contract(subject, receiver, arguments):
    """Checks `@ensures` for one call: `["holds", how many]`, `["invalid"]`, `["ensures", index, result]`,
    `["ensures-raised", index, exception, text, result]`, `["raised", ...]`, `["ensures-changed", index, names, result]`
    where it holds of what the function has made of the file, or `["strayed", names]` where it is invalid by that."""
    try:
        names = _after(subject, receiver, arguments)
    except BaseException as error:
        return _raised(error)
    if names is None:
        return ["invalid"]
    if isinstance(names, str):
        return ["strayed", names]
    shown = values.show(names["result"])
    for index, clause in enumerate(subject.ensures):
        try:
            if not _is_met(subject, clause, names):
                return ["ensures", str(index), shown]
        except BaseException as error:
            return ["ensures-raised", str(index), values.exception_name(error), values.error_text(error, 200), shown]
        changed = subject.state.changed(clause.code)
        if changed and not _was_met(subject, clause, names, changed):
            return ["ensures-changed", str(index), state.labels(changed), shown]
    return ["holds", str(len(subject.ensures))]


def _is_met(subject, clause, names):
    return values.truth(clause.value(subject.scope({**names, **subject.seen(names["old"].__dict__)})))


def _was_met(subject, clause, names, changed):
    """Whether a clause holds without what the function has changed beside its arguments."""
    with subject.state.as_it_was(changed):
        try:
            return _is_met(subject, clause, names)
        except BaseException:
            return False


def _after(subject, receiver, arguments):
    """The names that clauses see after a call; `None` where it is not valid, and what has changed where it was."""
    try:
        function, args, kwargs = subject.prepare(receiver, arguments)
        bound = subject.bind(args, kwargs)
        if subject.unmet(bound) is not None:
            return state.labels(subject.strayed(bound)) or None
        old = _deepcopy(bound)
    except Exception:
        return None
    result = subject.settled(subject.called(function, args, kwargs))
    if hasattr(type(result), "__next__"):
        result = list(result)
    return {**old, "result": result, "old": _Old(subject.seen(old)), "new": _Old(bound)}


def unheld(subject, receiver, arguments):
    """The clauses of `@ensures` that do not hold for one call: `["unheld", "0 2"]`, or `["invalid"]`."""
    names = _after(subject, receiver, arguments)
    if names is None or isinstance(names, str):
        return ["invalid"]
    found = []
    for index, clause in enumerate(subject.ensures):
        try:
            holds = _is_met(subject, clause, names)
        except BaseException:
            holds = False
        if not holds:
            found.append(str(index))
    return ["unheld", " ".join(found)]


def wronged(subject, way, *job):
    """Another job, done with a function that is wrong in some way."""
    if not subject.is_guarded:  # it would be the right one
        return ["unknown", "", ""]
    subject.way, subject.given = int(way), {}
    subject.put(subject.names[subject.name] if not subject.class_name else None)
    try:
        return HANDLERS[job[0]](subject, *job[1:])
    except Exception as error:
        return _raised(error) + ["", "", ""]
    finally:
        subject.put(None if subject.class_name else subject.function)
        subject.way = 0


def afresh(subject):
    """Forgets what doctests have bound."""
    subject.session = subject.scope()
    return ["afresh"]


class _Old:
    """`old.xs` and `new.xs` in `@ensures`: a parameter before and after the call."""

    def __init__(self, names):
        self.__dict__.update(names)


def law(subject, index, bindings):
    """Evaluates one `@property` with its variables bound: `["true"]`, `["false"]`, `["invalid"]`, or `["changed", what]`
    where it holds, and is false of what went in; `what` of the file has been changed, if anything."""
    clause = subject.laws[int(index)]
    try:
        _, bound = subject.arguments(bindings)
        if subject.unmet(bound) is not None:
            what = state.labels(subject.strayed(bound))
            return ["changed", what, "called", "", "", ""] if what else ["invalid"]
    except Exception:
        return ["invalid"]
    subject.fresh()
    subject.watch = apart.Watch(bound)
    try:
        value = values.truth(subject.value(clause, bound))
        answer = ["true" if bool(value) is True else "false"]
    except BaseException as error:
        answer = _raised(error)
    if subject.violated is not None:
        if not nested.by_result(subject, clause.text, subject.arguments(bindings)[1]):
            return ["invalid"]  # the law itself calls the function outside its domain
        answer = ["false"]
    if answer[0] == "true":
        what = state.labels(subject.state.changed(clause.code))
        if not _holds_apart(subject, clause, bindings, bool(what)):
            answer = ["changed", what]
    return answer + ["" if subject.is_uncalled else "called"] + _notes(subject)


def _holds_apart(subject, clause, bindings, is_file_changed):
    """Whether a law holds of what went in too, where the function has made something else of it."""
    is_changed = subject.watch.look() and not subject.gives_nothing
    if not is_changed and not is_file_changed:
        return True
    try:
        return values.truth(subject.asked_apart(clause, subject.arguments(bindings)[1]))
    except Untrusted:
        raise
    except BaseException:
        return False


def timed(subject, receiver, arguments, repeats, seconds):
    """Times a call: `["times", "WALL CPU", ...]` in nanoseconds per call, one entry per repetition.

    The arguments are made, and copied for each run, outside the measured span. Without `arguments`
    the whole expression in `receiver` is timed. Calls too short to time alone are timed in a row.
    """
    try:
        if arguments:
            function, args, kwargs = subject.prepare(receiver, arguments)
            if subject.unmet(subject.bind(args, kwargs)) is not None:
                return ["invalid"]
        else:
            clause = Clause(receiver)
            function, args, kwargs = (lambda: clause.value(subject.scope())), (), {}
    except Exception:
        return ["invalid"]
    try:
        used = _copied(args, kwargs)
        with subject.inside():
            return ["times"] + ["%d %d" % t for t in _times(function, args, kwargs, used, int(repeats), float(seconds))]
    except BaseException as error:
        return _raised(error)


def _times(function, args, kwargs, used, repeats, seconds):
    """Wall and CPU nanoseconds of each repetition."""
    first = _measure(function, [used])
    if first[0] > LONG:
        return [first]
    row = max(1, min(400, 100_000 // max(1, first[0])))
    # Arguments that a call leaves alone are used again: fresh copies would time the memory.
    again = used == (args, kwargs)
    end = _wall() + int(seconds * 1e9)
    times = [first] if row == 1 else []
    while len(times) < repeats and (_wall() < end or not times):
        calls = [used] * row if again else [_copied(args, kwargs) for _ in range(row)]
        times.append(_measure(function, calls))
    return times


def _measure(function, calls):
    """Mean wall and CPU nanoseconds of a row of calls, results used up."""
    gc.disable()
    wall, cpu = _wall(), _cpu()
    for args, kwargs in calls:
        result = function(*args, **kwargs)
        kind = type(result)
        if kind is _COROUTINE:
            import asyncio
            asyncio.run(result)
        elif hasattr(kind, "__next__"):
            for _ in result:
                pass
    cpu, wall = _cpu() - cpu, _wall() - wall
    gc.enable()
    return wall // len(calls), cpu // len(calls)


def _copied(args, kwargs):
    return tuple([_copy(a) for a in args]), {k: _copy(v) for k, v in kwargs.items()}


def _copy(value):
    """A deep copy, fast for the large flat lists that timing uses."""
    if type(value) is list and set(map(type, value)) <= _ATOMS:
        return value[:]
    return value if type(value) in _ATOMS else _deepcopy(value)


def on_step(subject, *job):
    """Another job, which need not call the function: what a spec claims of a step is about that."""
    subject.is_for_step = True
    try:
        return HANDLERS[job[0]](subject, *job[1:])
    finally:
        subject.is_for_step = False


HANDLERS = {
    "time": timed,
    "equation": equation, "equal": equal, "holds": holds, "session": session, "raises": raises,
    "valid": valid, "outcome": outcome, "answer": answers.answer, "contract": contract, "law": law,
    "unheld": unheld, "as": wronged, "afresh": afresh, "on_step": on_step,
}
