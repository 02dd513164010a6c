"""Mode `tests`: every example and doctest in the file as it will be, then the project's own tests.

pytest runs in a child, since test modules import the candidate; its reports come over the same
private channel as everything else, so a candidate that ends the process has not passed.
"""
import builtins

__builtins__ = dict(vars(builtins))  # whatever tests, and what they test, make of the language

import os
import re
import select
import sys
import time

import channel
import configured
import doubts
import gate
import lacking
from judge import Worker, _ending

EXAMPLE_SECONDS = 20.0
PYTEST_SECONDS = 60.0
MAX_RUNS = 4  # of one set of files, each without what another `conftest.py` lacks


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
    if facts["pytest"] and not facts["pytest"].pop("chosen") and not facts["pytest"]["tests"]:
        facts["pytest"] = None
    if facts["pytest"]:
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
    """A run of test files; with the function of the request `hollowed`, if there is one (`_hollow`).

    What needs a `conftest.py` that lacks something is not run, and the other files are run without it.
    """
    files = [os.path.join(suite["root"], f) for f in files]
    barred, blocked = [], []
    for _ in range(MAX_RUNS):
        run = _run(suite, files, blocked, hollowed)
        place, lack = run.pop("conftest", ("", ""))
        needs = lack and lacking.in_words(lack, suite)
        if not needs:
            break
        if place.startswith("plugin "):
            blocked.append(place[7:])
            continue
        below = os.path.dirname(place) + os.sep
        gone = [f for f in run.pop("files") if f.startswith(below)]
        files = [f for f in files if not f.startswith(below)]
        barred += [{"id": os.path.relpath(f, suite["root"]), "outcome": "unable", "message": needs} for f in gone]
    run.pop("files", None)
    run["tests"] = barred + [_weigh_lack(test, suite) for test in run["tests"]]
    run["left_out"] += blocked
    return run


def _weigh_lack(test, suite):
    """The judge believes what a test lacks only where it does not find it either."""
    lack = test.pop("lack", "")
    needs = lacking.in_words(lack, suite) if lack and test["outcome"] == "failed" else ""
    return dict(test, outcome="unable", message=needs) if needs else test


def _run(suite, files, blocked, hollowed):
    key = os.urandom(channel.KEY_SIZE)
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become_pytest(suite, files, blocked, into, key, hollowed)
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
    run = {"tests": tests, "chosen": 0, "left": 0, "left_out": [], "files": []}
    try:
        while True:
            kind, *rest = channel.receive(read_exactly, key)
            if kind == "done":
                return dict(run, ended="done", code=int(rest[0]), text=rest[1])
            if kind == "start":
                running = rest[0]
            elif kind == "wishes":
                run.update(left=int(rest[0]), left_out=rest[1:])
            elif kind == "chosen":
                run.update(chosen=len(rest), files=rest)
            elif kind == "conftest":
                run["conftest"] = rest[0], rest[1]
            else:
                tests.append({"id": rest[0], "outcome": rest[1], "message": rest[2], "lack": rest[3]})
    except TimeoutError:
        return dict(run, ended="timeout", code=-1, text=running)
    except EOFError:
        return dict(run, ended="crash", code=-1, text="%s: %s" % (running, _ending(pid) or "it closed the channel"))
    except channel.Broken as error:
        return dict(run, ended="crash", code=-1, text=str(error))


class _Reporter:
    """A pytest plugin that tells the judge what happened."""

    def __init__(self, send, suite, marks):
        self.send, self.suite, self.marks, self.running = send, suite, marks, "pytest"
        self.subject = os.path.realpath(suite["path"])
        self.skips = self.takes_part = False
        self.lack = ""
        self.lacks = {}
        self.language = {}

    def pytest_configure(self, config):
        for name in self.marks:
            config.addinivalue_line("markers", name)

    def pytest_deselected(self, items):
        for item in items:
            self._test(item.nodeid, "deselected", "")

    def note_conftests(self):
        """What keeps a `conftest.py`, or a plugin that it names, from being loaded."""
        try:
            return (yield)
        except Exception as error:
            name = re.match(r'Error importing plugin "([^"]+)"', str(error))
            cause = error.__cause__ or getattr(error, "cause", None)
            if name and isinstance(cause, ModuleNotFoundError):
                self.send(["conftest", "plugin " + name[1], "module %s" % cause.name])
            elif getattr(error, "path", None):
                self.send(["conftest", str(error.path), lacking.of(cause, self.suite)])
            raise

    def note_collected(self, collector):
        report = yield
        call = getattr(report, "call", None)
        if call is not None and call.excinfo is not None:
            self.lacks[report.nodeid] = lacking.of(call.excinfo.value, self.suite)
        return report

    def note_call(self, item, call):
        """Whether it is the code under test that skips: pytest itself tells only that somebody did."""
        skip = call.excinfo is not None and call.excinfo.typename in ("Skipped", "SkipTest")
        own = call.excinfo is not None and any(os.path.realpath(e.path) == self.subject for e in call.excinfo.traceback)
        self.skips, self.takes_part = skip and own, own
        self.lack = lacking.of(call.excinfo.value, self.suite) if call.excinfo is not None else ""
        if call.when == "teardown":
            self._put_back(item.nodeid)

    def _put_back(self, nodeid):
        """A test whose `sorted` is another one than before has compared nothing; what fixtures replace, they put back."""
        changed = {n: value for n, value in self.language.items() if vars(builtins).get(n) is not value}
        if changed:
            vars(builtins).update(changed)
            self._test(nodeid, "failed", "`%s` of the language is not what it was before the test" % min(changed))

    def pytest_runtest_logstart(self, nodeid):
        self.running, self.language = nodeid, dict(vars(builtins))
        self.send(["start", nodeid])

    def pytest_keyboard_interrupt(self, excinfo):
        """Whoever ends the run takes all other tests along; after errors of collection pytest does so itself."""
        if excinfo.typename != "Interrupted":
            self._test(self.running, "failed", "the run was ended by %s" % excinfo.typename)

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.outcome != "failed" or report.outcome != "passed":
            if not (report.when == "teardown" and report.outcome == "passed"):
                self._test(report.nodeid, *self._outcome(report), self.lack)

    def _test(self, name, outcome, reason, lack=""):
        self.send(["test", name, outcome, reason, lack])

    def _outcome(self, report):
        """The outcome and its reason: a test that the code under test skips has not passed."""
        reason = _reason(report)
        if report.outcome == "skipped" and hasattr(report, "wasxfail"):
            return "xfailed", reason
        if report.outcome == "skipped" and self.skips:
            return "failed", "the code under test skips it: %s" % report.longrepr[2].replace("Skipped: ", "", 1)
        if report.outcome == "failed" and not self.takes_part and _NEEDS_PLUGIN.search(reason):
            return "unable", reason
        return report.outcome, reason

    def pytest_collectreport(self, report):
        if report.outcome == "failed":
            self._test(report.nodeid or "collection", "failed", _reason(report), self.lacks.get(report.nodeid, ""))


def _reason(report):
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr or "")
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if crash is None and lines:  # errors of collection and of fixtures
        lines = [line[2:].strip() for line in lines if line.startswith("E ")][-1:] or lines[-1:]
    return " ".join(" ".join(lines[:4]).split())[:400]


# Plugins of the project's are not here: without them such a test says nothing of the code.
_NEEDS_PLUGIN = re.compile(
    r"^(Failed: )?async def functions are not natively supported|^fixture '\w+' not found|'\w+' not found in `markers`"
)


def _hollow(request):
    """Lets the file be loaded with a function that does nothing, and gives what equals nothing but what it gave for
    the same arguments; or what the request says that it `gives`.

    A test that passes all the same would pass whatever the function does.
    """
    import ast
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


def _become_pytest(suite, files, blocked, into, key, hollowed):
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
        sys.path += suite["behind"]
        sys.dont_write_bytecode = True
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.chdir(suite["root"])
        code = _pytest_of(suite, files, blocked, send)
    except BaseException:
        code = 70
    finally:
        os.lseek(1, 0, 0)
        text = os.read(1, 1 << 16).decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in text if line.startswith("ERROR")] or text
        send(["done", str(code), " ".join(errors[-2:])[:400]])
        os._exit(0)


def _pytest_of(suite, files, blocked, send):
    """Runs those of the files that the project's configuration calls tests, as it asks for it; pytest's exit code."""
    import pytest
    wishes = configured.Wishes(suite, files)
    tests = [f for f in files if wishes.chooses(f)]
    chosen = [f for f in tests if not wishes.ignores(f)]
    for path in tests:
        if path not in chosen:
            send(["test", os.path.relpath(path, suite["root"]), "deselected", "", ""])
    left, chosen = chosen[configured.MAX_FILES:], chosen[:configured.MAX_FILES]
    send(["wishes", str(len(left)), *wishes.told])
    send(["chosen", *chosen])
    if not chosen:
        return 5
    _Reporter.pytest_runtest_makereport = pytest.hookimpl(tryfirst=True)(_Reporter.note_call)
    _Reporter.pytest_make_collect_report = pytest.hookimpl(wrapper=True)(_Reporter.note_collected)
    _Reporter.pytest_load_initial_conftests = pytest.hookimpl(wrapper=True)(_Reporter.note_conftests)
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", suite["root"], "--tb=short", "--continue-on-collection-errors"]
    options += ["-c", str(wishes.file)] if wishes.file else []
    # What plugins that are not here would register, or are required for, is no fault of any test.
    settings = ["addopts=", "required_plugins=", "strict_config=false"]
    options += [word for setting in settings for word in ("-o", setting)] + wishes.options
    options += ["-W", "ignore::pytest.PytestConfigWarning", "-W", "ignore::pytest.PytestUnknownMarkWarning"]
    options += [word for name in blocked for word in ("-p", "no:" + name)]
    reporter = _Reporter(send, suite, configured.marks(chosen, suite["root"]))
    return int(pytest.main(options + chosen, plugins=[reporter]))
