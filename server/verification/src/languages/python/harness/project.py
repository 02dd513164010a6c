"""Mode `tests`: every example and doctest in the file as it will be, then the project's own tests.

pytest runs in a child, since test modules import the candidate; its reports come over the same
private channel as everything else, so a candidate that ends the process has not passed.
"""
import os
import re
import select
import sys
import time

import channel
import doubts
import gate
from judge import Worker, _ending

EXAMPLE_SECONDS = 20.0
PYTEST_SECONDS = 60.0


def run(request):
    """Facts: `examples` as in the gate; `pytest` with one entry per test, and how the run ended."""
    worker = Worker(request)
    try:
        end = time.monotonic() + EXAMPLE_SECONDS
        examples = gate.examples(worker, request, end)
        doubts.claims(worker, request, examples, end)
        facts = {"examples": examples, "broken": worker.broken, "pytest": None}
    finally:
        worker.stop()
    suite = request.get("suite")
    if suite and suite["files"]:
        facts["pytest"] = _pytest(suite, suite["files"])
        passed = [t for t in facts["pytest"]["tests"] if t["outcome"] == "passed"]
        # Where no example speaks for the function, its tests must: which of them could fail?
        if passed and all(f.get("hollow") for f in examples):
            facts["hollow"] = _weighed(suite, request, passed)
        failed = sorted({t["id"].split("::")[0] for t in facts["pytest"]["tests"] if t["outcome"] == "failed"})
        if failed and suite.get("previous") is not None:
            facts["before"] = _before(suite, failed)
    return facts


def _weighed(suite, request, passed):
    """The files of tests that passed, run with a function that gives nothing of use: first what is true of nothing else,
    then what is false."""
    files = sorted({t["id"].split("::")[0] for t in passed})
    first = _pytest(suite, files, request)
    noticed = {t["id"] for t in first["tests"] if t["outcome"] == "failed"}
    left = sorted({t["id"].split("::")[0] for t in passed if t["id"] not in noticed})
    if first["ended"] != "done" or not left:
        return first
    second = _pytest(suite, left, dict(request, gives="None"))
    return dict(second, tests=first["tests"] + second["tests"])


def _before(suite, files):
    """The same test files with the code that the edit replaces."""
    with open(suite["path"], encoding="utf-8", newline="") as file:
        edited = file.read()
    with open(suite["path"], "w", encoding="utf-8", newline="") as file:
        file.write(suite["previous"])
    try:
        return _pytest(suite, files)
    finally:
        with open(suite["path"], "w", encoding="utf-8", newline="") as file:
            file.write(edited)


def _pytest(suite, files, hollowed=None):
    """A run of test files; with the function of the request `hollowed`, if there is one (`_hollow`)."""
    key = os.urandom(channel.KEY_SIZE)
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become_pytest(suite, files, into, key, hollowed)
    os.close(into)
    try:
        return _collect(pid, out, key, time.monotonic() + suite.get("seconds", PYTEST_SECONDS))
    finally:
        for kill in (os.killpg, os.kill):
            try:
                kill(pid, 9)
            except OSError:
                pass
        try:
            os.waitpid(pid, 0)
        except OSError:
            pass
        os.close(out)


def _collect(pid, fd, key, end):
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

    tests, running = [], ""
    try:
        while True:
            kind, *rest = channel.receive(read_exactly, key)
            if kind == "done":
                return {"tests": tests, "ended": "done", "code": int(rest[0]), "text": rest[1]}
            if kind == "start":
                running = rest[0]
            else:
                tests.append({"id": rest[0], "outcome": rest[1], "message": rest[2]})
    except TimeoutError:
        return {"tests": tests, "ended": "timeout", "code": -1, "text": running}
    except EOFError:
        return {"tests": tests, "ended": "crash", "code": -1, "text": "%s: %s" % (running, _ending(pid) or "it closed the channel")}
    except channel.Broken as error:
        return {"tests": tests, "ended": "crash", "code": -1, "text": str(error)}


class _Reporter:
    """A pytest plugin that tells the judge what happened."""

    def __init__(self, send, subject):
        self.send, self.subject, self.running = send, os.path.realpath(subject), "pytest"
        self.skips = False

    def note_skip(self, item, call):
        """Whether it is the code under test that skips: pytest itself tells only that somebody did."""
        skip = call.excinfo is not None and call.excinfo.typename in ("Skipped", "SkipTest")
        self.skips = skip and any(os.path.realpath(e.path) == self.subject for e in call.excinfo.traceback)

    def pytest_runtest_logstart(self, nodeid):
        self.running = nodeid
        self.send(["start", nodeid])

    def pytest_keyboard_interrupt(self, excinfo):
        """Whoever ends the run takes all other tests along; after errors of collection pytest does so itself."""
        if excinfo.typename != "Interrupted":
            self.send(["test", self.running, "failed", "the run was ended by %s" % excinfo.typename])

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.outcome != "failed" or report.outcome != "passed":
            if not (report.when == "teardown" and report.outcome == "passed"):
                self.send(["test", report.nodeid, *self._outcome(report)])

    def _outcome(self, report):
        """The outcome and its reason: a test that the code under test skips has not passed."""
        reason = _reason(report)
        if report.outcome == "skipped" and hasattr(report, "wasxfail"):
            return "xfailed", reason
        if report.outcome == "skipped" and self.skips:
            return "failed", "the code under test skips it: %s" % report.longrepr[2].replace("Skipped: ", "", 1)
        if report.outcome == "failed" and _NEEDS_PLUGIN.search(reason):
            return "unable", reason
        return report.outcome, reason

    def pytest_collectreport(self, report):
        if report.outcome == "failed":
            self.send(["test", report.nodeid or "collection", "failed", _reason(report)])


def _reason(report):
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr or "")
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if crash is None and lines:  # errors of collection and of fixtures
        lines = [line[2:].strip() for line in lines if line.startswith("E ")][-1:] or lines[-1:]
    return " ".join(" ".join(lines[:4]).split())[:400]


# Plugins of the project's are not here: without them such a test says nothing of the code.
_NEEDS_PLUGIN = re.compile(r"^(Failed: )?async def functions are not natively supported|^fixture '\w+' not found")


def _hollow(request):
    """Lets the file be loaded with a function that does nothing, and gives what equals nothing but what it gave for
    the same arguments; or what the request says that it `gives`.

    A test that passes all the same would pass whatever the function does.
    """
    import ast
    import builtins
    import importlib.machinery
    import values
    from subject import find
    given = {}

    def hollow(arguments):
        return given.setdefault(tuple((name, values.show(value)) for name, value in arguments.items()), object())

    builtins.__zeroerr_hollow__ = hollow
    loader = importlib.machinery.SourceFileLoader
    whole, place = loader.get_code, os.path.realpath(request["suite"]["path"])

    def get_code(self, name):
        path = self.get_filename(name)
        if os.path.realpath(path) != place:
            return whole(self, name)
        tree = ast.parse(self.get_data(path))
        node, _ = find(tree, request["function"], request.get("class") or "", request.get("line", 0))
        if node is not None:
            node.body = ast.parse("return " + request.get("gives", "__zeroerr_hollow__(locals())")).body
        return compile(ast.fix_missing_locations(tree), path, "exec", dont_inherit=True)

    loader.get_code = get_code


def _become_pytest(suite, files, into, key, hollowed):
    me = os.getpid()

    def send(parts):
        if os.getpid() == me:
            channel.send(into, key, parts)

    code = 70
    try:
        os.setsid()
        log = os.open(os.path.join(os.getcwd(), "pytest.log"), os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.closerange(3, into)
        os.closerange(into + 1, 1024)
        import walls
        if hollowed:
            _hollow(hollowed)
        channel.forget_harness()
        walls.stand(suite["path"])
        sys.path[:0] = suite["paths"]
        sys.dont_write_bytecode = True
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.chdir(suite["root"])
        import pytest
        _Reporter.pytest_runtest_makereport = pytest.hookimpl(tryfirst=True)(_Reporter.note_skip)
        options = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "--rootdir", suite["root"], "--tb=short"]
        code = int(pytest.main(options + files, plugins=[_Reporter(send, suite["path"])]))
    except BaseException:
        code = 70
    finally:
        os.lseek(1, 0, 0)
        text = os.read(1, 1 << 16).decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in text if line.startswith("ERROR")] or text
        send(["done", str(code), " ".join(errors[-2:])[:400]])
        os._exit(0)
