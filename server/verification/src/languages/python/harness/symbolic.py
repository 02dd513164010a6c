"""Mode `symbolic`: CrossHair looks for inputs that violate `@ensures`; what it finds is run again.

CrossHair is given a function with the same parameters whose body asserts the preconditions, calls
the candidate and asserts the postconditions. Floats are taken as finite, as everywhere in the
harness: NaN and infinity come from examples only. It runs in a child of its own, as it executes the
candidate in its process. A counterexample counts only when an ordinary worker confirms it.
"""
import ast
import os
import resource
import select
import signal
import sys
import time

import channel
import contracts
import gate
from judge import Worker
from subject import find

FINITE = """
def zeroerr_finite(value):
    if isinstance(value, float):
        return value - value == 0
    if isinstance(value, dict):
        return all(map(zeroerr_finite, value.values()))
    return not isinstance(value, (list, tuple, set, frozenset)) or all(map(zeroerr_finite, value))
"""
# Of the processor: what is found must not depend on what else the machine does.
CONDITION_SECONDS = 4.0
ALL_SECONDS = 12
# Of the clock, for code that waits.
WALL_SECONDS = 45.0


def run(request):
    """Facts: `status`, and `violations`, `raised` and so on as in mode `contracts`."""
    facts = {"violations": [], "raised": [], "timeouts": [], "checked": 0, "invalid": 0, "crashes": [], "status": ""}
    text = contract_source(request)
    if text is None:
        facts["status"] = "skipped"
        return facts
    facts["status"], calls = _search(request, text)
    if facts["status"] == "confirmed" and not _is_covered(request):
        facts["status"] = "nothing found"
    worker = Worker(request)
    try:
        # A function that CrossHair made up and that changes its mind is none that anybody passes.
        for arguments in (c for c in calls if ":=" not in c):
            contracts.record(facts, request, ("", arguments), worker.ask(["contract", "", arguments], gate.CALL_SECONDS))
    finally:
        worker.stop()
    return facts


def contract_source(request):
    """The module that CrossHair analyses, or `None` when it has nothing to go by (no annotations)."""
    node, _ = find(ast.parse(request["source"]), request["function"], request.get("class") or "", request.get("line", 0))
    if node is None or request.get("class") or isinstance(node, ast.AsyncFunctionDef) or not request.get("ensures"):
        return None
    args = node.args
    every = args.posonlyargs + args.args + args.kwonlyargs
    if not every or args.vararg or args.kwarg or any(a.annotation is None for a in every):
        return None
    words = " ".join(request["ensures"])
    if "old." in words or "new." in words:
        return None
    positional = ["zeroerr_copy(%s)" % a.arg for a in args.posonlyargs + args.args]
    keyword = ["%s=zeroerr_copy(%s)" % (a.arg, a.arg) for a in args.kwonlyargs]
    lines = ["", "", "from copy import deepcopy as zeroerr_copy", "", "def zeroerr_contract(%s):" % ast.unparse(args)]
    finite = [a.arg for a in every if "float" in ast.unparse(a.annotation)]
    lines[-1:] = FINITE.splitlines() + ["", lines[-1]] if finite else lines[-1:]
    lines += ["    assert zeroerr_finite(%s)" % name for name in finite]
    lines += ["    assert (%s)" % r for r in request.get("requires", []) or ["True"]]
    lines += ["    result = %s(%s)" % (request["function"], ", ".join(positional + keyword))]
    lines += ["    assert (%s)" % e for e in request["ensures"]]
    return request["source"] + "\n".join(lines) + "\n"


# Types all of whose values CrossHair's search covers: no floats, which it takes for real numbers, no iterators, no
# objects with fields of their own, no records with keys that may be missing.
COVERED = {"int", "bool", "str", "bytes", "list", "List", "dict", "Dict", "set", "Set", "frozenset", "FrozenSet", "tuple", "Tuple", "Optional", "Union", "Literal", "None", "typing"}
ENUMS = {"Enum", "IntEnum", "StrEnum"}


def _is_covered(request):
    """Whether a search that found nothing is a proof."""
    tree = ast.parse(request["source"])
    node, _ = find(tree, request["function"], "", request.get("line", 0))
    args = node.args.posonlyargs + node.args.args + node.args.kwonlyargs
    enums = {n.name for n in tree.body if isinstance(n, ast.ClassDef) and len(n.bases) == 1 and ast.unparse(n.bases[0]).split(".")[-1] in ENUMS}
    return all(_names(a.annotation) <= COVERED | enums for a in args)


def _names(annotation):
    """The types that an annotation names, quoted or not."""
    found = set()
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found.add(node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.add(node.value)
    if "Literal" in found:
        return found - {n.value for n in ast.walk(annotation) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return found


def _search(request, text):
    """Runs CrossHair in a child: `(status, [arguments])`."""
    folder = os.path.join(os.getcwd(), "symbolic")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "zeroerr_subject.py"), "w", encoding="utf-8") as file:
        file.write(text)
    key = os.urandom(channel.KEY_SIZE)
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become_crosshair(request, folder, into, key)
    os.close(into)
    try:
        status, calls = _collect(out, key, time.monotonic() + WALL_SECONDS)
    finally:
        for kill in (os.killpg, os.kill):
            try:
                kill(pid, 9)
            except OSError:
                pass
        _, how = os.waitpid(pid, 0)
        os.close(out)
    # What had ended already was not ended by us.
    if os.WIFSIGNALED(how) and os.WTERMSIG(how) == signal.SIGXCPU:
        status = "timed out"
    return status, calls


def _collect(fd, key, end):
    def read_exactly(count):
        data = b""
        while len(data) < count:
            left = end - time.monotonic()
            if left <= 0 or not select.select([fd], [], [], left)[0]:
                raise TimeoutError
            more = os.read(fd, count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    try:
        status, *calls = channel.receive(read_exactly, key)
        return status, calls
    except TimeoutError:
        return "timed out", []
    except (EOFError, channel.Broken):
        return "crashed", []


def _become_crosshair(request, folder, into, key):
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (ALL_SECONDS, ALL_SECONDS + 1))
        nothing = os.open(os.devnull, os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(nothing, fd)
        os.closerange(3, into)
        os.closerange(into + 1, 1024)
        channel.send(into, key, _crosshair(request, folder))
    except BaseException as error:
        channel.send(into, key, ["crashed: %s" % type(error).__name__])
    finally:
        os._exit(0)


def _crosshair(request, folder):
    from crosshair.core_and_libs import MessageType, analyze_function, run_checkables
    from crosshair.options import AnalysisKind, AnalysisOptionSet
    channel.forget_harness()
    sys.path[:0] = [folder] + request.get("paths", [])
    import zeroerr_subject
    options = AnalysisOptionSet(
        analysis_kind=(AnalysisKind.asserts,),
        per_condition_timeout=request.get("condition_seconds", CONDITION_SECONDS),
        report_all=True,
    )
    status, calls = "nothing found", []
    for message in run_checkables(analyze_function(zeroerr_subject.zeroerr_contract, options)):
        if message.state == MessageType.CONFIRMED:
            status = "confirmed"
        elif message.state in (MessageType.CANNOT_CONFIRM, MessageType.PRE_UNSAT):
            status = "nothing found"
        calls += _arguments(message.message)
    return [status] + calls


def _arguments(message):
    """`([2, 1])` out of "AssertionError: when calling zeroerr_contract([2, 1])"."""
    start = message.find("zeroerr_contract(")
    if start < 0:
        return []
    text = message[start + len("zeroerr_contract"):]
    for stop in range(len(text), 0, -1):
        if text[stop - 1] != ")":
            continue
        try:
            ast.parse("f" + text[:stop], mode="eval")
            return [text[:stop]]
        except SyntaxError:
            continue
    return []
