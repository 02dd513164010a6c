"""Coroutines in what a spec says: `await f(1)`, `asyncio.run(f(1))`, `async for`, and methods that others await.

The function under test is run to its end where a claim calls it, so that what waits in the claim has nothing left to
wait for. Where a coroutine of the file calls it, it stays one.
"""
import builtins

__builtins__ = dict(vars(builtins))

import ast
import sys
import types

_COROUTINE = types.CoroutineType
# Flags of code: that of a coroutine.
_AWAITED = 0x80
RUN, GATHERED, TOGETHER = "__zeroerr_run__", "__zeroerr_gathered__", "__zeroerr_together__"
_CALLS = {"asyncio.run": RUN, "asyncio.wait_for": RUN, "asyncio.gather": TOGETHER}


class _NoAwait(ast.NodeTransformer):
    def visit_Await(self, node):
        return ast.Call(ast.Name(RUN, ast.Load()), [self.visit(node.value)], [])

    def visit_Call(self, node):
        """`asyncio.run(f(1))` is `await f(1)`, where what it runs has been run already."""
        if ast.unparse(node.func) in _CALLS and node.args:
            node.func = ast.Name(_CALLS[ast.unparse(node.func)], ast.Load())
        return self.generic_visit(node)

    def visit_comprehension(self, node):
        if node.is_async:
            node.is_async, node.iter = 0, ast.Call(ast.Name(GATHERED, ast.Load()), [node.iter], [])
        return self.generic_visit(node)


def plain(tree):
    """An expression or statements that wait for nothing."""
    return ast.fix_missing_locations(_NoAwait().visit(tree))


def is_running():
    """Whether somebody further out is running coroutines."""
    events = sys.modules.get("asyncio.events")
    return events is not None and events._get_running_loop() is not None


def is_awaited(function):
    """Whether a call gives a coroutine to a coroutine that awaits it."""
    code = getattr(function, "__code__", None)
    return code is not None and bool(code.co_flags & _AWAITED) and is_running()


def run(value, *_, **__):
    """What `asyncio.run` gives, of a coroutine or of what one has given."""
    if type(value) is not _COROUTINE:
        return value
    import asyncio
    return asyncio.run(value)


def gathered(stream):
    """The items of an asynchronous generator."""
    async def items():
        return [item async for item in stream]
    return run(items())


def together(*values, **_):
    """What `asyncio.gather` gives, one after another."""
    return [run(value) for value in values]


NAMES = {RUN: run, GATHERED: gathered, TOGETHER: together}
