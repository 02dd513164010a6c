"""Mode `tests`: every example and doctest in the file as it will be, then the project's own tests.

pytest runs in a child, since test modules import the candidate; its reports come over the same
private channel as everything else, so a candidate that ends the process has not passed.
"""
import os
import select
import sys
import time

import channel
import gate
from judge import Worker, _ending

EXAMPLE_SECONDS = 20.0
PYTEST_SECONDS = 60.0


def run(request):
    """Facts: `examples` as in the gate; `pytest` with one entry per test, and how the run ended."""
    worker = Worker(request)
    try:
        examples = gate.examples(worker, request, time.monotonic() + EXAMPLE_SECONDS)
        facts = {"examples": examples, "broken": worker.broken, "pytest": None}
    finally:
        worker.stop()
    suite = request.get("suite")
    if suite and suite["files"]:
        facts["pytest"] = _pytest(suite, suite["files"])
        failed = sorted({t["id"].split("::")[0] for t in facts["pytest"]["tests"] if t["outcome"] == "failed"})
        if failed and suite.get("previous") is not None:
            facts["before"] = _before(suite, failed)
    return facts


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


def _pytest(suite, files):
    key = os.urandom(channel.KEY_SIZE)
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become_pytest(suite, files, into, key)
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

    def __init__(self, send):
        self.send = send

    def pytest_runtest_logstart(self, nodeid):
        self.send(["start", nodeid])

    def pytest_runtest_logreport(self, report):
        if report.when == "call" and report.outcome != "failed" or report.outcome != "passed":
            if not (report.when == "teardown" and report.outcome == "passed"):
                expected = hasattr(report, "wasxfail") and report.outcome == "skipped"
                self.send(["test", report.nodeid, "xfailed" if expected else report.outcome, _reason(report)])

    def pytest_collectreport(self, report):
        if report.outcome == "failed":
            self.send(["test", report.nodeid or "collection", "failed", _reason(report)])


def _reason(report):
    crash = getattr(getattr(report, "longrepr", None), "reprcrash", None)
    text = crash.message if crash is not None else str(report.longrepr or "")
    lines = [line for line in text.strip().splitlines() if line.strip()]
    if crash is None and lines:  # collection errors end with the exception
        lines = [line[2:].strip() if line.startswith("E ") else line for line in lines][-1:]
    return " ".join(" ".join(lines[:4]).split())[:400]


def _become_pytest(suite, files, into, key):
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
        channel.forget_harness()
        walls.stand(suite["path"])
        sys.path[:0] = suite["paths"]
        sys.dont_write_bytecode = True
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        os.chdir(suite["root"])
        import pytest
        options = ["-q", "-p", "no:cacheprovider", "-o", "addopts=", "--rootdir", suite["root"], "--tb=short"]
        code = int(pytest.main(options + files, plugins=[_Reporter(send)]))
    except BaseException:
        code = 70
    finally:
        os.lseek(1, 0, 0)
        text = os.read(1, 1 << 16).decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in text if line.startswith("ERROR")] or text
        send(["done", str(code), " ".join(errors[-2:])[:400]])
        os._exit(0)
