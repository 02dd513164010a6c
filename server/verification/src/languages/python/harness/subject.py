"""The function under test inside the process that runs it: loading, calling, evaluating clauses.

Only the worker imports candidate code. `Subject.target` is what spec expressions call instead of
the bare function: it notes what each call gave, whether `@requires` held, and whether the result
is an object that pretends (`values.deception`).
"""
import builtins

__builtins__ = dict(vars(builtins))

import ast
import copy
import functools
import sys
import types

import apart
import blame
import state
import values
import waiting
import wrong
from waiting import plain

_deepcopy = copy.deepcopy
_frame = sys._getframe
_YIELDS = 0x20 | 0x200  # code of a generator, and of an asynchronous one
# What the spec's expressions call `len` and `sorted`, whatever the candidate makes of them.
_PRISTINE = __builtins__
# What runs when a class is made, before anybody watches.
_BEFORE_ALL = frozenset(["__init_subclass__", "__set_name__"])


class Untrusted(BaseException):
    """The candidate returned an object that pretends to be equal to anything."""


class Load(Exception):
    """The file does not load. `args` is `(exception name, message, missing module)`, and what `blame` says."""


class Clause:
    """One expression of the spec, compiled once; a clause that does not compile raises when used."""

    def __init__(self, text):
        self.text = text
        try:
            self.code = compile(plain(ast.parse(text.strip(), "<spec>", "eval")), "<spec>", "eval")
        except SyntaxError as error:
            self.code, self.error = None, error

    def value(self, names):
        if self.code is None:
            raise self.error
        return eval(self.code, names)


def find(tree, function, class_name, line):
    """The `def` of a function: by class, name and, when there are several, the line."""
    body = tree.body
    owner = None
    for part in class_name.split(".") if class_name else []:
        owners = [n for n in flat(body) if isinstance(n, ast.ClassDef) and n.name == part]
        around = [n for n in owners if _first_line(n) <= line <= (n.end_lineno or n.lineno)]
        if not owners:
            return None, None
        owner = (around or owners)[0]
        body = owner.body
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [n for n in flat(body) if isinstance(n, kinds) and n.name == function]
    exact = [n for n in found if _first_line(n) <= line <= (n.end_lineno or n.lineno)]
    # With a line, a namesake that stands elsewhere is another function.
    return (exact or ([] if line else found) or [None])[-1], owner


def flat(body):
    """The statements of a body, and those below an `if`, a `try` or a `with` among them."""
    for node in body:
        yield node
        for field in ("body", "orelse", "handlers", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.ExceptHandler, ast.With)):
                yield from flat(getattr(node, field, []))


def part_of(marks):
    """Which function of a property stands below these decorators."""
    return "fset" if "setter" in marks else "fdel" if "deleter" in marks else "fget"


def _first_line(node):
    return min([node.lineno] + [d.lineno for d in node.decorator_list])


def decorators(node):
    """The last names of a function's decorators."""
    heads = [d.func if isinstance(d, ast.Call) else d for d in node.decorator_list]
    return {h.attr if isinstance(h, ast.Attribute) else getattr(h, "id", "") for h in heads}


class _Inside:
    """Puts the bare method in the place of the guarded one for a while."""

    def __init__(self, subject):
        self.subject = subject

    def __enter__(self):
        self.is_first, self.subject.is_inside = not self.subject.is_inside, True
        self._put("raw")

    def __exit__(self, *_):
        if self.is_first:
            self.subject.is_inside = False
            self._put("guarded")

    def _put(self, which):
        subject = self.subject
        if self.is_first and subject.raw is not subject.guarded:
            setattr(subject.owner, subject.name, getattr(subject, which))


class Subject:
    """A loaded file and the function in it."""

    def __init__(self, request):
        self.request = request
        self.name = request["function"]
        self.class_name = request.get("class") or ""
        self.requires = [Clause(t) for t in request.get("requires", [])]
        self.ensures = [Clause(t) for t in request.get("ensures", [])]
        self.laws = [Clause(t) for t in request.get("properties", [])]
        self.calls, self.moving, self.opened = [], [], ({}, ())
        self.entered = self.is_guarded = self.is_inside = False
        self.raw = self.guarded = None  # a method of the class, and what stands in its place
        self.way = 0  # in which way the function is to be wrong; 0 is in none
        self.given = {}  # what a wrong one has given
        self.violated = None
        self.pretender = None
        self.is_for_step = False  # whether the present job may do without the function
        self.result = object()  # of the last equation; nothing equals this one
        self.watch = self.apart = None  # a law's variables; how a claim is asked once more
        self._load()
        self.names = {**vars(self.module), "__builtins__": _PRISTINE, **waiting.NAMES}
        self.own_equality = "__eq__" not in request.get("uses", ()) and self._own_equality()
        self._install()
        self.gives_nothing = apart.gives_nothing(self.node)
        self.state = state.State(self.module, self.name, getattr(self, "owner", None), frozenset(request.get("uses", ())))
        for clause in self.requires + self.ensures + self.laws:
            if clause.code is not None:
                self.state.watch(clause.code)
        rebound = {name for node in ast.walk(self.tree) if isinstance(node, ast.Global) for name in node.names}
        self.moving = sorted((rebound | self.state.data.keys()) - {self.name})  # names of the file that can become others
        self.session = self.scope()

    def _load(self):
        request = self.request
        sys.path[:0] = request.get("paths", [])
        sys.dont_write_bytecode = True
        module_name = request.get("module") or "subject"
        module = types.ModuleType(module_name)
        module.__file__ = request.get("path", "<candidate>")
        try:
            if "." in module_name:
                parent, _, leaf = module_name.rpartition(".")
                module.__package__ = parent
                __import__(parent)
                setattr(sys.modules[parent], leaf, module)
            sys.modules[module_name] = module
            self.tree = ast.parse(request["source"], module.__file__)
            exec(compile(self.tree, module.__file__, "exec", dont_inherit=True), vars(module))
        except BaseException as error:
            missing = getattr(error, "name", None) if isinstance(error, ModuleNotFoundError) else None
            text = values.error_text(error, 300)
            if isinstance(error, SyntaxError) and error.filename == module.__file__:
                text += "; checks run with Python %d.%d" % sys.version_info[:2]
            raise Load(type(error).__name__, text, missing or "", *blame.of(error, request)) from None
        self.module = module
        values.know(module)
        self.node, _ = find(self.tree, self.name, self.class_name, request.get("line", 0))
        if self.node is None:
            raise Load("NameError", "the file has no function `%s`" % self.name, "")

    def _own_equality(self):
        """Whether a class of the file says itself what it is equal to; that of a dataclass is made."""
        path = self.module.__file__
        own = [k for k in vars(self.module).values() if isinstance(k, type) and k.__module__ == self.module.__name__]
        codes = [getattr(vars(k).get("__eq__"), "__code__", None) for k in own]
        return any(code is not None and code.co_filename == path for code in codes)

    def _install(self):
        """Puts the guarded target where spec expressions find it."""
        marks = decorators(self.node)
        self.part = part_of(marks)
        self.bound_params = self._binder(bool(self.class_name) and "staticmethod" not in marks)
        if not self.class_name:
            if self.name not in self.names:
                raise Load("NameError", "loading the file does not define `%s`" % self.name, "")
            self.function = self.names[self.name]
            self._refuse_namesake(self.function)
            self.names[self.name] = self.target = self._guard(self.function)
            return
        owner = self.module
        for part in self.class_name.split("."):
            owner = getattr(owner, part)
        self.owner = owner
        self.raw = raw = owner.__dict__.get(self.name)
        self._refuse_namesake(self._bare(raw))
        if isinstance(raw, types.FunctionType):
            setattr(owner, self.name, self._guard(raw))
        elif isinstance(raw, staticmethod):
            setattr(owner, self.name, staticmethod(self._guard(raw.__func__)))
        elif isinstance(raw, classmethod):
            setattr(owner, self.name, classmethod(self._guard(raw.__func__)))
        elif isinstance(raw, property):
            parts = {part: getattr(raw, part) for part in ("fget", "fset", "fdel")}
            setattr(owner, self.name, property(**{**parts, self.part: self._guard(parts[self.part])}))
        elif isinstance(raw, functools.cached_property):
            cached = functools.cached_property(self._guard(raw.func))
            cached.__set_name__(owner, self.name)
            setattr(owner, self.name, cached)
        self.guarded = owner.__dict__.get(self.name)

    def _bare(self, raw):
        """The function of what stands in a class."""
        if isinstance(raw, property):
            return getattr(raw, self.part) or raw
        return raw.func if isinstance(raw, functools.cached_property) else getattr(raw, "__func__", raw)

    def _refuse_namesake(self, function):
        """A name stands for one function: what another `def` of the file does is no word for this one."""
        while hasattr(function, "__wrapped__"):
            function = function.__wrapped__
        code, line = getattr(function, "__code__", None), _first_line(self.node)
        if code is None or code.co_filename != self.module.__file__ or code.co_firstlineno == line:
            return
        kept = [cell.cell_contents for cell in function.__closure__ or ()]
        wraps = any(getattr(getattr(k, "__code__", None), "co_firstlineno", 0) == line for k in kept)
        if code.co_name == self.name or not (wraps or self.node.decorator_list):
            told = "`%s` is the one that is defined in line %d, so this one never runs"
            raise Load("NameError", told % (self.name, code.co_firstlineno), "")

    def _binder(self, has_receiver):
        """A function with the target's parameters that returns them by name."""
        arguments = _deepcopy(self.node.args)
        everything = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
        for arg in everything + [a for a in (arguments.vararg, arguments.kwarg) if a]:
            arg.annotation = None
        self.receiver = None
        named = [a for a in self.node.args.posonlyargs + self.node.args.args + self.node.args.kwonlyargs if a.annotation]
        self.iterables = {a.arg for a in named if ast.unparse(a.annotation).split("[")[0].split(".")[-1] == "Iterable"}
        self.params = {a.arg for a in everything} | {a.arg for a in (arguments.vararg, arguments.kwarg) if a}
        if has_receiver and (arguments.posonlyargs or arguments.args):
            self.receiver = (arguments.posonlyargs or arguments.args)[0].arg
        names = {}
        source = "def bind(%s):\n    return dict(locals())" % ast.unparse(arguments)
        try:
            exec(compile(source, "<bind>", "exec"), dict(vars(self.module)), names)
        except Exception:  # a default that names a local of the class body
            return None
        return names["bind"]

    def bind(self, args, kwargs):
        """Parameter names and values of a call; `{}` when the call does not fit the signature."""
        try:
            return self.bound_params(*args, **kwargs) if self.bound_params else {}
        except TypeError:
            return {}

    def seen(self, bound):
        """Parameters for one clause: it uses up no iterator, and can go through an `Iterable` again and again."""
        return {n: self._seen(n, v) if hasattr(type(v), "__next__") else v for n, v in bound.items()}

    def _seen(self, name, iterator):
        try:
            copied = _deepcopy(iterator)
        except Exception:  # a generator cannot be copied
            return iterator
        return list(copied) if name in self.iterables else copied

    def unmet(self, bound):
        """The index of the first `@requires` clause that is false or raises, or `None`.

        A clause about a parameter that is not bound says nothing (a `@property` may use some only).
        """
        unbound = self.params - bound.keys()
        for index, clause in enumerate(self.requires):
            if clause.code is not None and unbound.intersection(clause.code.co_names):
                continue
            try:
                if not values.truth(clause.value(self.scope(self.seen(bound)))):
                    return index
            except Exception:
                return index
        return None

    def strayed(self, bound):
        """The places for which a call lies outside `@requires` now, and did not when the file had been loaded."""
        found = [place for clause in self.requires if clause.code is not None for place in self.state.changed(clause.code)]
        if not found:
            return []
        with self.state.as_it_was(found):
            return found if self.unmet(bound) is None else []

    def _guard(self, function):
        self.is_guarded = self.name not in _BEFORE_ALL
        own = getattr(function, "__code__", None)
        yields = own is not None and own.co_flags & _YIELDS

        def target(*args, **kwargs):
            # A generator runs when its call is over: what it calls itself is no call of the spec.
            if self.is_inside or (yields and _frame(1).f_code is own):
                return function(*args, **kwargs)
            self.entered = True
            call = self._describe(args, kwargs)
            unmet = self.unmet(self.bind(args, kwargs)) if self.requires else None
            if unmet is not None and self.violated is None:
                self.violated = unmet
            if self.apart is not None:
                args, kwargs = self.apart.given(args, kwargs, self.receiver is not None)
            if waiting.is_awaited(function):  # whoever calls it is a coroutine itself
                return self._later(function, args, kwargs, call)
            return self._note(call, self.called(function, args, kwargs))

        target.__name__ = target.__qualname__ = self.name
        target.__doc__ = getattr(function, "__doc__", None)
        target.__wrapped__ = function
        return target

    async def _later(self, function, args, kwargs, call):
        with self.inside():
            result = await function(*args, **kwargs)
        return self._note(call, self.called(lambda *_, **__: result, args, kwargs))

    def _note(self, call, result):
        """After a call that the spec makes."""
        self.calls.append((call, values.show(result) if not hasattr(type(result), "__next__") else "an iterator"))
        if self.apart is not None:
            self.apart.called()
        if self.watch is not None:
            self.watch.look()
        names, moving = self.opened
        for name in moving:
            if name in vars(self.module):
                names[name] = vars(self.module)[name]
        return result

    def scope(self, bound=()):
        """What an expression of the spec sees: the file as it is now, and these names."""
        held = vars(self.module)
        return {**self.names, **{name: held[name] for name in self.moving if name in held}, **dict(bound)}

    def open(self, bound=()):
        """The same for an expression that calls the function: it sees what the function makes of the file."""
        names = self.scope(bound)
        self.opened = names, [name for name in self.moving if name not in bound]
        return names

    def value(self, clause, bound=()):
        """What an example or a law gives."""
        return clause.value(self.open(bound))

    def asked_apart(self, clause, bound, data=True):
        """The same, of what went in: see `apart`."""
        places = self.state.changed(clause.code, data)
        notes = self.calls, self.entered, self.violated, self.pretender
        is_shared = self.gives_nothing or apart.speaks_of_identity(clause.text) or apart.speaks_of_changes(clause.text, self.name)
        with self.state.as_it_was(places):
            self.apart, self.watch = apart.Apart({} if is_shared else bound, self.state, clause.code, data), None
            self.calls = []
            try:
                return self.value(clause, bound)
            finally:
                self.apart = None
                self.calls, self.entered, self.violated, self.pretender = notes

    def _describe(self, args, kwargs):
        if self.receiver is not None:
            args = args[1:]
        try:
            shown = [values.show(a) for a in args] + ["%s=%s" % (k, values.show(v)) for k, v in kwargs.items()]
        except Exception:
            shown = ["..."]
        return "%s(%s)" % (self.name, ", ".join(shown))

    def called(self, function, args, kwargs):
        """What the function gives, or a wrong one in its place."""
        with self.inside():
            return wrong.call(self, function, args, kwargs) if self.way else self.finish(function(*args, **kwargs))

    def inside(self):
        """While the function runs: calls that it makes of itself are its own affair, neither noted nor slowed down."""
        return _Inside(self)

    def put(self, function):
        """Lets the file's own code call this by the function's name."""
        if function is not None:
            setattr(self.module, self.name, function)

    def finish(self, result):
        """Awaits a coroutine, and refuses an object that pretends."""
        if type(result) is types.CoroutineType and not waiting.is_running():
            result = waiting.run(result)
        if self.pretender is None:
            self.pretender = values.deception(result)
        if self.pretender is not None:
            raise Untrusted(self.pretender)
        return result

    def settled(self, result):
        """As `finish`, and what an asynchronous generator yields."""
        result = self.finish(result)
        return self.finish(waiting.gathered(result)) if type(result) is types.AsyncGeneratorType else result

    def fresh(self):
        """Forgets what earlier calls left in the notes."""
        self.calls, self.entered, self.violated, self.pretender = [], False, None, None
        self.watch, self.opened = None, ({}, ())

    @property
    def is_uncalled(self):
        """Whether the function is known not to have been called since `fresh`."""
        return self.is_guarded and not self.entered and not self.is_for_step

    def arguments(self, code, bound=()):
        """The arguments of a call: `code` is the text behind its name, or compiled of a call of `__arguments__`."""
        code = "__arguments__" + code if isinstance(code, str) else code
        return eval(code, {**self.scope(bound), "__arguments__": lambda *args, **kwargs: (args, kwargs)})

    def prepare(self, receiver, arguments):
        """Evaluates the source of a call's receiver and arguments: `(callable, args, kwargs)`."""
        args, kwargs = self.arguments(arguments)
        if not self.class_name:
            return self.function, args, kwargs
        holder = eval(receiver, self.scope()) if receiver else self.owner
        raw = self._bare(self.owner.__dict__.get(self.name))
        function = getattr(raw, "__wrapped__", raw)
        if self.receiver is not None:
            args = (holder,) + args
        return function, args, kwargs
