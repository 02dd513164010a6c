"""What a call gives, in a form that can stand in a spec. Runs in the worker, beside the candidate."""
import builtins

__builtins__ = dict(vars(builtins))

import itertools

import values
from subject import Untrusted


def answer(subject, receiver, arguments):
    """`["value", key, text, wrapper, source, scalar]`, `["raises", name, wrapper]` or `["invalid"]`.

    Equal values have one `key`. `source` evaluates to the value in the file, and is empty when nothing
    does; it is about `wrapper(call)` when there is a wrapper, `list` for an iterator. `scalar` is set
    for a finite float.
    """
    try:
        function, args, kwargs = subject.prepare(receiver, arguments)
        if subject.unmet(subject.bind(args, kwargs)) is not None:
            return ["invalid"]
    except Exception:
        return ["invalid"]
    wrapper, endless = "", False
    try:
        with subject.inside():
            result = subject.finish(function(*args, **kwargs))
        if hasattr(type(result), "__next__"):
            wrapper = "list"
            result = list(itertools.islice(result, values.ITEMS + 1))
            endless = len(result) > values.ITEMS
            subject.finish(result)
    except Untrusted:
        raise
    except BaseException as error:
        return ["raises", values.exception_name(error), wrapper]
    key, _ = values.equality(result)
    text = "an endless iterator" if endless else values.show(result)
    source = "" if endless else _source(subject, result)
    finite = type(result) is float and result - result == 0
    return ["value", values.bounded(key), text, wrapper, source, "float" if finite else ""]


def _source(subject, result):
    """An expression that evaluates to the result in its file, or nothing."""
    wanted = values.equality(result)
    for source in (values.show(result, "source"), values.show(result, "equal")):
        try:
            value = eval(source, subject.scope())
            if values.equality(value) == wanted and (value == result) is True:
                return source
        except Exception:
            continue
    return ""
