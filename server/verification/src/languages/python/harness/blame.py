"""Where a file that does not load fails, and in whose code."""
import builtins

__builtins__ = dict(vars(builtins))


def of(error, request):
    """`PATH:LINE` of the innermost line of the project's, and where the error comes from: the file's own line at top
    level, `elsewhere` where it never came to the file, `function` where the function under test took part, or nothing.
    """
    path, paths = request.get("path", ""), tuple(p + "/" for p in request.get("paths", []))
    if isinstance(error, SyntaxError) and error.filename == path:
        return "", ""
    frames, tb = [], error.__traceback__
    while tb is not None:
        frames.append((tb.tb_frame.f_code.co_filename, tb.tb_lineno, tb.tb_frame.f_code.co_name))
        tb = tb.tb_next
    if isinstance(error, SyntaxError) and isinstance(error.filename, str):
        frames.append((error.filename, error.lineno or 0, ""))
    ours = ["%s:%d" % (file, line) for file, line, _ in frames if file.startswith(paths)]
    own = [(line, name) for file, line, name in frames if file == path]
    if request["function"] in [name for _, name in own]:
        origin = "function"
    else:
        origin = "%d" % own[0][0] if own else "elsewhere"
    return (ours or [""])[-1], origin
