"""The judge's side: it forks workers, gives them jobs and takes no answer on trust.

The judge never imports candidate code. A worker that hangs is killed with everything it started, a
worker that dies has crashed, and either way the next job gets a fresh worker.
"""
import collections
import os
import select
import signal
import time

import channel

LOAD_SECONDS = 5.0
PATIENCE = 5  # how many times its limit a call may take while it waits for a busy machine
TICK = os.sysconf("SC_CLK_TCK")
DATA_BYTES = 768 << 20
# What a worker must know of a request: not what examples expect, nor what other candidates are.
KNOWN = ("class", "ensures", "function", "line", "module", "numbers", "path", "paths", "properties", "requires", "source", "uses")
AHEAD = 16  # jobs that are sent before the first of them is answered
AHEAD_SIZE = 8 << 10  # letters of them, well below what a pipe holds: the judge never waits for it to be emptied


class Worker:
    """A child process that holds one loaded candidate."""

    def __init__(self, request, prepare=None):
        self.request = {name: request[name] for name in KNOWN if name in request}
        self.prepare = prepare
        self.pid = None
        self.is_new = False
        self.broken = None

    def ask(self, job, seconds):
        """The answer to one job, or `["timeout"]`, `["crash", how]`, `["broken", error, text, module, place, origin]`."""
        return next(self.ask_all([job], seconds))

    def _ready(self):
        """Whether there is a worker with the candidate loaded; `is_new` when it was started just now."""
        if self.pid is not None:
            return True
        hello = self._start()
        self.is_new = hello[0] == "ready"
        if not self.is_new:
            self.broken = hello if hello[0] == "broken" else ["broken", hello[0], "loading the file: " + (hello + [""])[1], ""]
            self.stop()
        return self.is_new

    def ask_all(self, jobs, seconds):
        """The answers to many jobs, in their order; `seconds` as in `ask`, or a function of none.

        Some jobs are sent ahead, so that neither side waits for its turn at every one. A job that hangs or
        crashes takes only itself along: what was sent behind it is asked again of the next worker.
        """
        limit = seconds if callable(seconds) else lambda: seconds
        ahead = collections.deque()
        try:
            for job in jobs:
                while len(ahead) == AHEAD or (ahead and sum(map(_size, ahead)) + _size(job) > AHEAD_SIZE):
                    yield self._next(ahead, limit)
                ahead.append(job)
                if self.pid is not None:
                    self._send(job)
            while ahead:
                yield self._next(ahead, limit)
        finally:
            if ahead:  # whoever asked wants no more: those answers must not be taken for later ones
                self.stop()

    def _next(self, ahead, limit):
        """The answer to the first of the jobs ahead; a worker that is started anew is sent all of them."""
        if self.broken or not self._ready():
            ahead.popleft()
            return self.broken
        if self.is_new:
            self.is_new = False
            for job in ahead:
                self._send(job)
        ahead.popleft()
        return self._answer(limit())

    def _send(self, job):
        """A worker that reads no more is found out when its answer is waited for."""
        try:
            channel.send(self.jobs, self.key, job)
        except OSError:
            pass

    def _start(self):
        import worker
        self.key = os.urandom(channel.KEY_SIZE)
        job_out, job_in = os.pipe()
        answer_out, answer_in = os.pipe()
        pid = os.fork()
        if pid == 0:
            self._become_worker(worker, job_out, answer_in)
        os.close(job_out)
        os.close(answer_in)
        self.pid, self.jobs, self.answers = pid, job_in, answer_out
        return self._answer(LOAD_SECONDS)

    def _become_worker(self, worker, jobs, answers):
        try:
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDWR)
            for fd in (0, 1, 2):
                os.dup2(nothing, fd)
            keep = sorted((jobs, answers))
            os.closerange(3, keep[0])
            os.closerange(keep[0] + 1, keep[1])
            os.closerange(keep[1] + 1, 1024)
            _limit_memory()
            if self.prepare:
                self.prepare()
            worker.serve(self.request, jobs, answers, self.key)
        finally:
            os._exit(71)

    def _answer(self, seconds):
        begin, spent = time.monotonic(), _cpu_seconds(self.pid)[0]
        end = begin + seconds

        def read_exactly(count):
            nonlocal end
            data = b""
            while len(data) < count:
                left = end - time.monotonic()
                if left <= 0 or not select.select([self.answers], [], [], left)[0]:
                    now, runnable = _cpu_seconds(self.pid)
                    if not runnable or now - spent >= seconds * 0.9 or end - begin >= seconds * PATIENCE:
                        raise TimeoutError
                    end += max(0.1, seconds - (now - spent))
                    continue
                more = os.read(self.answers, count - len(data))
                if not more:
                    raise EOFError
                data += more
            return data

        try:
            return channel.receive(read_exactly, self.key)
        except TimeoutError:
            self.stop()
            return ["timeout"]
        except EOFError:
            return self._crashed(None)
        except channel.Broken as error:
            return self._crashed(str(error))

    def _crashed(self, how):
        if how is None:
            how = _ending(self.pid)
            if how:
                self.pid = None
                self._close()
        self.stop()
        return ["crash", how or "it closed the harness's channel"]

    def stop(self):
        """Kills the worker and all that it started in its process group."""
        if self.pid is None:
            return
        pid, self.pid = self.pid, None
        for kill in (os.killpg, os.kill):
            try:
                kill(pid, signal.SIGKILL)
            except OSError:
                pass
        try:
            os.waitpid(pid, 0)
        except OSError:
            pass
        self._close()

    def _close(self):
        """Else some hundred crashes would use up the descriptors."""
        for fd in (self.jobs, self.answers):
            os.close(fd)


def _size(job):
    """Letters of a job and its frame, about."""
    return 40 + sum(map(len, job))


def _cpu_seconds(pid):
    """CPU seconds a process has used, and whether it wants more: on a busy machine a call is given
    the time it is kept waiting. A process that sleeps has had its chance."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICK, fields[0] == b"R"
    except (OSError, ValueError, IndexError):
        return 0.0, False


def _ending(pid):
    """How a dead child ended, in words; `None` while it lives."""
    for _ in range(50):
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            if os.WIFSIGNALED(status):
                return "killed by %s" % signal.Signals(os.WTERMSIG(status)).name
            return "the process exited with code %d" % os.WEXITSTATUS(status)
        time.sleep(0.002)
    return None


def _limit_memory():
    """So that a greedy candidate gets a `MemoryError` instead of taking the judge down with it."""
    try:
        import resource
        resource.setrlimit(resource.RLIMIT_DATA, (DATA_BYTES, DATA_BYTES))
    except (ImportError, ValueError, OSError):
        pass
