"""Runs mypy on one file.

    python -s -B checker.py CACHE CONFIG FILE    prints mypy's JSON, a line per remark

Without a configuration of the project's (`CONFIG` is empty) the flags are ours. An interpreter that waits
(`zygote.py` imports this module) then has the types of the standard library in mind, as mypy's daemon does,
and a job adds its file to them: what mypy says is the same, in a tenth of the time. With a configuration, or
when the daemon's way ends in any error, mypy runs as it does from a shell.
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
CACHE = os.path.join(HERE, "mypy-cache")
COMMON = os.path.join(HERE, "common.py")
FLAGS = ["--output=json", "--no-error-summary", "--no-sqlite-cache"]
OURS = FLAGS + ["--config-file=", "--cache-dir=" + CACHE, "--cache-fine-grained", "--local-partial-types"]


def run(cache, config, file):
    """Prints what mypy says of the file; ends with mypy's exit code."""
    if config or not os.path.isdir(CACHE):
        return _plain(FLAGS + ["--follow-imports=silent", "--config-file=" + config, "--cache-dir=" + cache, file])
    if KNOWN is not None:
        try:
            remarks = _added(file)
        except Exception:  # a syntax error, or a fault of the daemon's: mypy itself decides
            pass
        else:
            sys.stdout.writelines(line + "\n" for line in remarks)
            return 1 if remarks else 0
    return _plain(OURS + [file])


def fill(cache):
    """Writes the cache that everything here reads."""
    return _plain(OURS + ["--cache-dir=" + cache, COMMON])


def _plain(args):
    from mypy.main import main
    try:
        main(args=args, stdout=sys.stdout, stderr=sys.stderr)
    except SystemExit as end:
        return end.code
    return 0


def _added(file):
    from mypy.main import process_options
    sources, _ = process_options(OURS + [COMMON, file])
    remarks = KNOWN.fine_grained_increment_follow_imports(sources)
    states = [state for state in KNOWN.fine_grained_manager.graph.values() if state.path == file]
    if [state.ignore_all for state in states] != [False]:  # nothing would be said of it, whatever is wrong
        raise LookupError(file)
    return remarks


def _know():
    """mypy's daemon with the standard library read, or `None` where that cannot be."""
    try:
        from mypy import dmypy_server
        from mypy.main import process_options
        sources, options = process_options(OURS + [COMMON])
        options.use_fine_grained_cache = True
        server = dmypy_server.Server(options, os.path.join(os.sep, "nowhere", "status"))
        answer = server.check(sources, False, False, 80)
        return server if answer["status"] == 0 and server.fine_grained_manager else None
    except Exception:
        return None


# mypy says nothing of what lies in a folder that the interpreter imports from.
sys.path[:] = [p for p in sys.path if os.path.abspath(p or ".") != HERE]
KNOWN = None
if __name__ == "__main__":
    loaded = sys.modules.get("checker")
    if sys.argv[1] == "--fill":
        sys.exit(fill(sys.argv[2]))
    sys.exit((loaded.run if loaded else run)(*sys.argv[1:]))
elif os.path.isdir(CACHE):
    KNOWN = _know()
