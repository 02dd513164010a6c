"""How a project wants pytest to run its tests: what its configuration chooses, and how it imports.

Its `addopts` are heeded as far as they do that. What they say of the report changes no outcome and is left out; what
they say to a plugin that is not here is left out too, and told.
"""
import fnmatch
import importlib.util
import os
import re
import shlex
from pathlib import Path

MAX_FILES = 40  # test files that are run
MAX_READ = 400  # files that are looked through for marks
FILES = ["test_*.py", "*_test.py"]
# Options with a value that choose tests, or say how they are imported and what is an error.
_HEEDED = {"-m", "-k", "-W", "--pythonwarnings", "--deselect", "--import-mode"}
_VALUED = _HEEDED | {"-p", "-o", "--override-ini", "--ignore", "--ignore-glob"}
# What may be set by `-o` among them.
_SETTINGS = {
    "consider_namespace_packages", "filterwarnings", "markers", "python_classes", "python_files", "python_functions",
    "pythonpath", "usefixtures", "xfail_strict",
}
# Parts of pytest that a project may do without; of others `-p no:` would keep from tests what they need.
_SPARED = {"doctest", "faulthandler", "logging", "threadexception", "unraisableexception", "warnings"}
# Options of pytest itself that change the report, the order or the place of files, or are the judge's to say.
_OWN = re.compile(
    r"-[qvrsxlch]$|--(assert|basetemp|cache|capture|code-highlight|co$|collect|color|config-file|confcutdir|continue-on|debug|disable-|"
    r"doctest|durations|exitfirst|failed-first|ff$|fixtures|force-short|full-trace|import-mode|junit|keep-dup|last-failed|lf|"
    r"lfnf|log-|max-?fail|new-first|nf$|no-(header|summary|fold|showlocals)|pastebin|pdb|pyargs|quiet|rootdir|setup|show|"
    r"step|strict|sw|tb|trace|verbos|xfail-tb)"
)


class Wishes:
    """What the configuration asks for."""

    def __init__(self, suite, files):
        self.file, config = _settings(suite, files)
        self.options, self.told = [], []
        self._ignored, self._globs = [], []
        self._read(_words(config.get("addopts")), config)
        self.told += [re.split(r"[^\w.-]", name)[0] for name in _words(config.get("required_plugins"))]
        self._patterns = _words(config.get("python_files")) or FILES
        base = os.path.dirname(str(self.file)) if self.file else suite["root"]
        self._ignored = [os.path.normpath(os.path.join(base, p)) for p in self._ignored]
        self._globs = [os.path.join(base, p) for p in self._globs]

    def _read(self, words, config):
        words = iter(words)
        for word in words:
            name, is_given, value = word.partition("=")
            if not word.startswith("-"):
                continue  # a path, or the value of an option that is left out
            if not word.startswith("--") and len(word) > 2:
                name, is_given, value = word[:2], True, word[2:].removeprefix("=")
            if name in _VALUED and not is_given:
                value = next(words, "")
            if name in _HEEDED:
                self.options += [name, value] if not name.startswith("--") else [name + "=" + value]
            elif name == "--runxfail":
                self.options.append(name)
            elif name == "--ignore":
                self._ignored.append(value)
            elif name == "--ignore-glob":
                self._globs.append(value)
            elif name == "-p":
                self._plugin(value)
            elif name in ("-o", "--override-ini"):
                key, _, text = value.partition("=")
                if key in _SETTINGS:
                    config[key] = text
                    self.options += ["-o", value]
            elif not _OWN.match(name) and name not in self.told:
                self.told.append(name)

    def _plugin(self, name):
        if name.startswith("no:"):
            self.options += ["-p", name] if name[3:] in _SPARED else []
        elif _can_be_found("_pytest." + name.split(".")[0]) or _can_be_found(name.split(".")[0]):
            self.options += ["-p", name]
        else:
            self.told.append("-p " + name)

    def chooses(self, path):
        """Whether a file is one of tests."""
        return any(_matches(pattern, path) for pattern in self._patterns)

    def ignores(self, path):
        """Whether the project leaves a file of tests out."""
        is_below = any(path == p or path.startswith(p + os.sep) for p in self._ignored)
        return is_below or any(fnmatch.fnmatch(path, glob) for glob in self._globs)


def _settings(suite, files):
    """The file that configures pytest for the file under test, or else for its tests, and what it says."""
    from _pytest.config.findpaths import locate_config
    root = Path(suite["root"])
    tests = [f for f in files if any(_matches(p, f) for p in FILES)]
    around = [Path(suite["path"]).parent] + ([Path(os.path.commonpath([os.path.dirname(f) for f in tests]))] if tests else [])
    for folder in around:
        try:
            found = locate_config(root, [folder])
        except Exception:  # pytest will say what is wrong with it
            continue
        if found[2]:
            return found[1], {name: getattr(value, "value", value) for name, value in found[2].items()}
    return None, {}


def _words(value):
    if isinstance(value, str):
        try:
            return shlex.split(value)
        except ValueError:
            return []
    return [str(word) for word in value] if isinstance(value, (list, tuple)) else []


def _matches(pattern, path):
    """As pytest matches."""
    if os.sep not in pattern:
        return fnmatch.fnmatch(os.path.basename(path), pattern)
    return fnmatch.fnmatch(path, pattern if os.path.isabs(pattern) else "*" + os.sep + pattern)


def _can_be_found(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def marks(files, root):
    """Names of the marks in test files and what stands beside or above them: whoever registers one of a plugin is not
    here, and a mark changes no outcome by itself."""
    folders = set()
    for path in files:
        folder = os.path.dirname(path)
        while folder.startswith(root):
            folders.add(folder)
            folder = os.path.dirname(folder)
    above = [os.path.join(f, "conftest.py") for f in sorted(folders)]
    beside = [e.path for f in sorted({os.path.dirname(p) for p in files}) for e in os.scandir(f) if e.name.endswith(".py")]
    found = set()
    for path in (list(files) + above + beside)[:MAX_READ]:
        try:
            with open(path, encoding="utf-8", errors="replace") as file:
                found.update(re.findall(r"\bmark\.([A-Za-z_]\w*)", file.read()))
        except OSError:
            pass
    return sorted(found)
