"""Waits with its imports done and forks once for every job: a job costs a fork, not a start.

    python FLAGS zygote.py MODULE...    with a socket for stdout

It runs no candidate code and reads none: what stands behind a job's header is bytes, handed on as they are.
Each job gets namespaces of its own (user, pid, mount, ipc), a `/proc`, `/tmp` and `/dev/shm` of its own, sees of
all scratch folders its own only, and gives up its rights as a job that is started by itself does: limits,
capabilities, no_new_privs, Landlock, seccomp, all as the request says (server/sandbox/src/nursery.rs).
The first process of a job's namespaces is ours; when it ends, the kernel kills what the job left behind.
"""
import ctypes
import gc
import importlib
import json
import os
import resource
import runpy
import select
import signal
import struct
import sys
import time

NAMESPACES = 0x00020000 | 0x08000000 | 0x10000000 | 0x20000000  # mount, ipc, user, pid
CLONE, CAPSET, SECCOMP = {"x86_64": (56, 126, 317), "aarch64": (220, 91, 277)}[os.uname().machine]
LANDLOCK_CREATE, LANDLOCK_ADD, LANDLOCK_RESTRICT = 444, 445, 446
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 1 << 12, 1 << 14, 1 << 18
PR_DEATHSIG, PR_DUMPABLE, PR_NO_NEW_PRIVS = 1, 4, 38
OF_FILES = 0xC007  # the rights of Landlock that mean something for what is no folder
TICK = os.sysconf("SC_CLK_TCK")
SAMPLE = 0.05
BEAT = 1.0

libc = ctypes.PyDLL(None, use_errno=True)


def check(result, what):
    """The result of a call of libc, or its error."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, "%s: %s" % (what, os.strerror(number)))
    return result


def syscall(what, number, *args):
    """A system call that Python has no function for."""
    args = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return check(libc.syscall(ctypes.c_long(number), *args), what)


def mount(source, target, kind, flags, data=None):
    """mount(2)."""
    source, target, kind, data = [None if n is None else os.fsencode(n) for n in (source, target, kind, data)]
    check(libc.mount(source, target, kind, ctypes.c_ulong(flags), data), "mount")


def serve(control):
    """Says that it waits, then answers jobs for ever; in the process of a job, returns what it shall run."""
    os.write(control, b"\0")
    while True:
        head, size = struct.unpack("<QQ", exactly(control, 16))
        job = json.loads(exactly(control, head))
        stdin = os.memfd_create("stdin")
        while size:
            part = os.read(control, min(size, 1 << 20))
            if not part:
                os._exit(0)
            send(stdin, part)
            size -= len(part)
        os.lseek(stdin, 0, os.SEEK_SET)
        pipes = [os.pipe() for _ in range(3)]
        pid = syscall("clone", CLONE, NAMESPACES | signal.SIGCHLD, 0, 0, 0, 0)
        if pid == 0:
            return first(job, stdin, [into for _, into in pipes])
        os.close(stdin)
        for _, into in pipes:
            os.close(into)
        answer(control, job, pid, [out for out, _ in pipes])


def exactly(fd, size):
    """So many bytes; the end of the socket is the end of us."""
    data = b""
    while len(data) < size:
        part = os.read(fd, size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data


def send(fd, data):
    """Writes all of it."""
    data = memoryview(data)
    while data:
        data = data[os.write(fd, data):]


def answer(control, job, pid, pipes):
    """Collects what a job writes, stops it at its limits, and passes on how it ended."""
    texts, limit = {fd: bytearray() for fd in pipes}, ""
    told = pipes[2]
    opened = set(pipes)
    beat = time.monotonic()
    while opened and not limit:
        ready = select.select(list(opened) + [control], [], [], SAMPLE)[0]
        if control in ready:  # nothing is asked before the answer: it is the end
            os._exit(0)
        for fd in ready:
            part = os.read(fd, 1 << 16)
            if not part:
                opened.discard(fd)
            texts[fd] += part
            if len(texts[fd]) > job["output"]:
                limit = "output"
        if not ready and cpu_seconds() > job["cpu"]:
            limit = "cpu"
        if time.monotonic() - beat > BEAT:  # an answer whose head is empty: we are there, the job is not done
            beat = time.monotonic()
            send(control, struct.pack("<Q", 0))
    if limit:
        os.kill(pid, signal.SIGKILL)
    _, _, usage = os.wait4(pid, 0)
    if usage.ru_utime + usage.ru_stime > job["cpu"]:
        limit = limit or "cpu"
    for fd in pipes:
        os.close(fd)
    word, _, rest = texts[told].decode("utf-8", "replace").partition(" ")
    ended = word == "exit"
    head = {"code": int(rest) if ended else -9, "limit": limit, "trouble": ""}
    if not ended and not limit:
        head["trouble"] = word + " " + rest if word else "it ended without a word"
    head = json.dumps(head).encode("ascii")
    out, err = (bytes(texts[fd][:job["output"]]) for fd in pipes[:2])
    send(control, struct.pack("<QQQ", len(head), len(out), len(err)) + head + out + err)


def cpu_seconds():
    """What the processes of the job have used, and those that they have reaped."""
    spent, ours = 0, (1, os.getpid())
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) not in ours:
            try:
                with open("/proc/%s/stat" % name, "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
                spent += sum(map(int, fields[11:15]))
            except (OSError, IndexError):
                pass
    return spent / TICK


def first(job, stdin, outputs):
    """Pid 1 of a job's namespaces: makes what the job sees, forks it, says how it ended."""
    out, err, tell = outputs
    try:
        libc.prctl(PR_DEATHSIG, signal.SIGKILL, 0, 0, 0)
        libc.prctl(PR_DUMPABLE, 1, 0, 0, 0)  # else its own files in `/proc` are not its own
        own = "%d %d 1" % (job["uid"], job["uid"])
        for name, text in (("setgroups", "deny"), ("uid_map", own), ("gid_map", own)):
            with open("/proc/self/" + name, "w") as file:
                file.write(text)
        mount(None, "/", None, MS_REC | MS_PRIVATE)
        hide(job)
        mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
        libc.prctl(PR_DUMPABLE, 0, 0, 0, 0)
        pid = os.fork()
        if pid == 0:
            libc.prctl(PR_DUMPABLE, 1, 0, 0, 0)
            confine(job, stdin, out, err)
            return job["args"]
    except BaseException as error:
        send(tell, ("cannot wall the job in: %s" % error).encode("utf-8", "replace"))
        os._exit(125)
    os.dup2(tell, 3)
    os.closerange(4, 1024)
    for fd in (0, 1, 2):
        os.close(fd)
    while True:
        done, status = os.wait()
        if done == pid:
            send(3, b"exit %d" % os.waitstatus_to_exitcode(status))
            os._exit(0)


def hide(job):
    """A fresh `/tmp` and `/dev/shm`, no scratch folder but the own; what the job may read stays."""
    scratch = job["scratch"]
    fresh = ["/tmp", "/dev/shm"]
    if not scratch.startswith("/tmp/"):
        fresh.append(os.path.dirname(scratch))
    below = tuple(place + "/" for place in fresh)
    seen = sorted(p for p in set(job["readable"] + [scratch]) if p.startswith(below) and os.path.exists(p))
    seen = [(p, os.open(p, os.O_PATH)) for p in seen if not any(p.startswith(q + "/") for q in seen)]
    for place in fresh:
        mount("tmpfs", place, "tmpfs", MS_NOSUID | MS_NODEV, "size=%d,mode=1777" % max(job["disk"], 4096))
    for path, fd in seen:
        source = "/proc/self/fd/%d" % fd
        if os.path.isdir(source):
            os.makedirs(path, 0o755)
        else:
            os.makedirs(os.path.dirname(path), 0o755, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o644))
        mount(source, path, None, MS_BIND | MS_REC)
        os.close(fd)


def confine(job, stdin, out, err):
    """The last steps of a job that is started by itself, in the same order, without the start."""
    for fd, place in ((stdin, 0), (out, 1), (err, 2)):
        os.dup2(fd, place)
    os.closerange(3, 1024)
    os.chdir(job["scratch"])
    for name, soft, hard in job["rlimits"]:
        kind = getattr(resource, name)
        most = resource.getrlimit(kind)[1]
        lower = [value if most == resource.RLIM_INFINITY else min(value, most) for value in (soft, hard)]
        resource.setrlimit(kind, tuple(lower))
    syscall("capset", CAPSET, ctypes.byref((ctypes.c_uint32 * 2)(0x20080522, 0)), ctypes.byref((ctypes.c_uint32 * 6)()))
    check(libc.prctl(PR_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    landlock(job)
    for program in job["seccomp"]:
        code = bytes.fromhex(program)
        held = ctypes.create_string_buffer(code, len(code))
        filter_ = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(code) // 8, ctypes.addressof(held)))
        syscall("seccomp", SECCOMP, 1, 0, ctypes.byref(filter_))
    os.environ.clear()
    os.environ.update(job["env"])


def landlock(job):
    """As much of the rights as the kernel knows; nothing where it has no Landlock."""
    try:
        version = syscall("landlock", LANDLOCK_CREATE, None, 0, 1)
    except OSError:
        return
    known = (1 << {1: 13, 2: 14, 3: 15, 4: 15}.get(version, 16)) - 1
    fs, net, scope = job["handled"]
    words = [fs & known] + [net] * (version >= 4) + [scope] * (version >= 6)
    rules = ctypes.create_string_buffer(struct.pack("Q" * len(words), *words))
    ruleset = syscall("landlock", LANDLOCK_CREATE, ctypes.byref(rules), 8 * len(words), 0)
    for access, paths in job["rights"]:
        for path in paths:
            try:
                fd = os.open(path, os.O_PATH)
            except OSError:
                continue
            of_kind = access & known if os.path.isdir(path) else access & known & OF_FILES
            rule = ctypes.create_string_buffer(struct.pack("=Qi", of_kind, fd))
            syscall("landlock", LANDLOCK_ADD, ruleset, 1, ctypes.byref(rule), 0)
            os.close(fd)
    syscall("landlock", LANDLOCK_RESTRICT, ruleset, 0)
    os.close(ruleset)


def run(args):
    """What the interpreter does with what stands behind its flags."""
    if args[0] == "-m":
        sys.argv = args[1:]
        runpy.run_module(args[1], run_name="__main__", alter_sys=True)
    elif args[0] == "-c":
        sys.argv = ["-c"] + args[2:]
        exec(compile(args[1], "<string>", "exec"), {"__name__": "__main__"})
    else:
        sys.argv = args
        runpy.run_path(args[0], run_name="__main__")


def end(code):
    """Ends as an interpreter does that comes to the end of its program."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except ValueError:  # the program has closed it
            pass
    os._exit(code)


for module in sys.argv[1:]:
    importlib.import_module(module)
gc.collect()
gc.freeze()
libc.prctl(PR_DUMPABLE, 0, 0, 0, 0)
work = serve(1)
try:
    run(work)
except SystemExit as leaving:
    if leaving.code is not None and not isinstance(leaving.code, int):
        print(leaving.code, file=sys.stderr)
    end(0 if leaving.code is None else leaving.code if isinstance(leaving.code, int) else 1)
except BaseException:
    sys.excepthook(*sys.exc_info())
    end(1)
end(0)
