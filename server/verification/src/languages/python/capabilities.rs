//! Which Python names reach outside of pure computation: the table behind layer 7's capability check.
//!
//! The table is by full dotted name, the longest entry wins, and what it does not name is taken as
//! harmless, except in `os`, where the harmless names are listed and everything else counts. The
//! check is static; the sandbox holds what static reading misses.

use std::collections::HashSet;

use crate::layers::security::Capability;
use Capability::{Environment, Evaluation, Files, Native, Network, Process, Reflection};

/// Modules and names with the capability they stand for. `None` marks a harmless part of something
/// that is not.
const TABLE: &[(&str, Option<Capability>)] = &[
    // Network.
    ("aiohttp", Some(Network)),
    ("asyncio.open_connection", Some(Network)),
    ("asyncio.open_unix_connection", Some(Network)),
    ("asyncio.start_server", Some(Network)),
    ("asyncio.start_unix_server", Some(Network)),
    ("boto3", Some(Network)),
    ("ftplib", Some(Network)),
    ("grpc", Some(Network)),
    ("http.client", Some(Network)),
    ("http.cookiejar", Some(Network)),
    ("http.server", Some(Network)),
    ("httpx", Some(Network)),
    ("imaplib", Some(Network)),
    ("nntplib", Some(Network)),
    ("paramiko", Some(Network)),
    ("poplib", Some(Network)),
    ("requests", Some(Network)),
    ("smtplib", Some(Network)),
    ("socket", Some(Network)),
    ("socketserver", Some(Network)),
    ("ssl", Some(Network)),
    ("telnetlib", Some(Network)),
    ("urllib", Some(Network)),
    ("urllib.error", None),
    ("urllib.parse", None),
    ("urllib3", Some(Network)),
    ("webbrowser", Some(Network)),
    ("websocket", Some(Network)),
    ("websockets", Some(Network)),
    ("wsgiref", Some(Network)),
    ("xmlrpc", Some(Network)),
    // Process.
    ("asyncio.create_subprocess_exec", Some(Process)),
    ("asyncio.create_subprocess_shell", Some(Process)),
    ("atexit", Some(Process)),
    ("breakpoint", Some(Process)),
    ("concurrent.futures.ProcessPoolExecutor", Some(Process)),
    ("exit", Some(Process)),
    ("multiprocessing", Some(Process)),
    ("pdb", Some(Process)),
    ("psutil", Some(Process)),
    ("pty", Some(Process)),
    ("quit", Some(Process)),
    ("signal", Some(Process)),
    ("subprocess", Some(Process)),
    ("sys.exit", Some(Process)),
    // Files.
    ("dbm", Some(Files)),
    ("fileinput", Some(Files)),
    ("glob", Some(Files)),
    ("io.FileIO", Some(Files)),
    ("io.open", Some(Files)),
    ("logging.FileHandler", Some(Files)),
    ("mmap", Some(Files)),
    ("open", Some(Files)),
    ("pathlib.Path.cwd", Some(Files)),
    ("pathlib.Path.home", Some(Files)),
    ("shutil", Some(Files)),
    ("sqlite3", Some(Files)),
    ("tarfile", Some(Files)),
    ("tempfile", Some(Files)),
    ("zipfile", Some(Files)),
    // Evaluation.
    ("__import__", Some(Evaluation)),
    ("cloudpickle", Some(Evaluation)),
    ("code", Some(Evaluation)),
    ("codeop", Some(Evaluation)),
    ("compile", Some(Evaluation)),
    ("dill", Some(Evaluation)),
    ("eval", Some(Evaluation)),
    ("exec", Some(Evaluation)),
    ("importlib", Some(Evaluation)),
    ("marshal", Some(Evaluation)),
    ("pickle", Some(Evaluation)),
    ("pkgutil", Some(Evaluation)),
    ("runpy", Some(Evaluation)),
    ("shelve", Some(Evaluation)),
    ("types.CodeType", Some(Evaluation)),
    ("types.FunctionType", Some(Evaluation)),
    // Native.
    ("_ctypes", Some(Native)),
    ("_posixsubprocess", Some(Process)),
    ("_socket", Some(Network)),
    ("cffi", Some(Native)),
    ("ctypes", Some(Native)),
    // Environment.
    ("getpass", Some(Environment)),
    ("input", Some(Environment)),
    ("locale.setlocale", Some(Environment)),
    ("os", Some(Environment)),
    ("resource", Some(Environment)),
    ("sys.path", Some(Environment)),
    ("sys.setrecursionlimit", Some(Environment)),
    ("sys.stdin", Some(Environment)),
    // Reflection.
    ("__builtins__", Some(Reflection)),
    ("__main__", Some(Reflection)),
    ("_pytest", Some(Reflection)),
    ("_testcapi", Some(Native)),
    ("__loader__", Some(Reflection)),
    ("__spec__", Some(Reflection)),
    ("__file__", Some(Environment)),
    ("builtins", Some(Reflection)),
    ("gc", Some(Reflection)),
    ("globals", Some(Reflection)),
    ("inspect.currentframe", Some(Reflection)),
    ("inspect.getmodule", Some(Reflection)),
    ("inspect.getinnerframes", Some(Reflection)),
    ("inspect.getouterframes", Some(Reflection)),
    ("inspect.stack", Some(Reflection)),
    ("inspect.trace", Some(Reflection)),
    ("logging.currentframe", Some(Reflection)),
    ("pytest", Some(Reflection)),
    ("sys._current_exceptions", Some(Reflection)),
    ("sys._current_frames", Some(Reflection)),
    ("sys._getframe", Some(Reflection)),
    ("sys.addaudithook", Some(Reflection)),
    ("sys.displayhook", Some(Reflection)),
    ("sys.exc_info", Some(Reflection)),
    ("sys.excepthook", Some(Reflection)),
    ("sys.modules", Some(Reflection)),
    ("sys.monitoring", Some(Reflection)),
    ("sys.setprofile", Some(Reflection)),
    ("sys.settrace", Some(Reflection)),
    ("sys.meta_path", Some(Reflection)),
    ("sys.path_hooks", Some(Reflection)),
    ("threading.setprofile", Some(Reflection)),
    ("threading.settrace", Some(Reflection)),
    ("traceback.StackSummary", Some(Reflection)),
    ("traceback.walk_stack", Some(Reflection)),
    ("traceback.walk_tb", Some(Reflection)),
];

/// The rest of the standard library, in the same sense: names by what they stand for.
const STANDARD: &[(Option<Capability>, &str)] = &[
    (Some(Network), "antigravity asynchat asyncore logging.config.listen logging.handlers nis smtpd"),
    (
        None,
        "logging.handlers.BufferingHandler logging.handlers.MemoryHandler logging.handlers.QueueHandler \
         logging.handlers.QueueListener",
    ),
    (
        Some(Process),
        "_aix_support _bootsubprocess _interpchannels _interpqueues _remote_debugging _multiprocessing _osx_support _signal _winapi asyncio.subprocess \
         concurrent.futures.process concurrent.interpreters distutils ensurepip faulthandler idlelib mailcap pipes \
         sys.breakpointhook sys.remote_exec venv",
    ),
    (
        Some(Files),
        "_dbm _gdbm _io.FileIO _io.open _io.open_code _msi _posixshmem _pyio _sqlite3 aifc binhex argparse.FileType \
         bz2.BZ2File bz2.open codecs.open compileall compression.bz2.BZ2File compression.bz2.open \
         compression.gzip.GzipFile compression.gzip.open compression.lzma.LZMAFile compression.lzma.open \
         compression.zstd.ZstdFile compression.zstd.open fcntl filecmp gettext gzip.GzipFile gzip.open imghdr \
         inspect.getsource inspect.getsourcelines io.open_code lib2to3 linecache \
         logging.handlers.BaseRotatingHandler logging.handlers.RotatingFileHandler \
         logging.handlers.TimedRotatingFileHandler logging.handlers.WatchedFileHandler lzma.LZMAFile lzma.open \
         mailbox mimetypes.MimeTypes mimetypes.init mimetypes.read_mime_types modulefinder msilib netrc ossaudiodev \
         pstats py_compile pyclbr sndhdr sunau tabnanny tokenize.open uu wave.open xml.dom.minidom.parse \
         xml.dom.pulldom.parse xml.etree.ElementInclude xml.etree.ElementTree.iterparse \
         xml.etree.ElementTree.parse xml.sax.parse zipapp",
    ),
    (
        Some(Evaluation),
        "_frozen_importlib _frozen_importlib_external _imp _interpreters _pickle annotationlib bdb cProfile doctest \
         imp logging.config profile pydoc rlcompleter timeit trace typing.get_type_hints zipimport",
    ),
    (None, "gettext.NullTranslations timeit.default_timer"),
    (Some(Native), "_opcode _overlapped _wmi sys.activate_stack_trampoline"),
    (
        Some(Environment),
        "_curses _curses_panel _pyrepl _locale.setlocale _scproxy _tkinter cgi cmd curses grp logging.basicConfig msvcrt \
         platform pwd readline site spwd sys.argv sys.set_int_max_str_digits sys.setswitchinterval sysconfig syslog \
         termios tkinter tty turtle turtledemo uuid.getnode uuid.uuid1 winreg winsound zoneinfo.reset_tzpath",
    ),
    (None, "platform.python_implementation platform.python_version platform.python_version_tuple"),
    (
        Some(Reflection),
        "_lsprof _sitebuiltins _tracemalloc cgitb copyreg sys.path_importer_cache sys.unraisablehook \
         threading.excepthook tracemalloc unittest",
    ),
];

/// What is harmless in `os`.
const OS_HARMLESS: &[&str] = &[
    "PathLike",
    "altsep",
    "cpu_count",
    "curdir",
    "devnull",
    "extsep",
    "fsdecode",
    "fsencode",
    "fspath",
    "linesep",
    "name",
    "pardir",
    "pathsep",
    "sep",
    "strerror",
    "urandom",
];

/// What looks at files in `os.path`; the rest computes on strings.
const OS_PATH_FILES: &[&str] = &[
    "exists", "getatime", "getctime", "getmtime", "getsize", "isdir", "isfile", "islink", "ismount", "lexists",
    "realpath", "samefile",
];

/// Calls of `os` that start or end processes, by prefix.
const OS_PROCESS: &[&str] =
    &["_exit", "abort", "exec", "fork", "kill", "popen", "posix_spawn", "spawn", "startfile", "system", "wait"];

/// Calls of `os` that touch files.
const OS_FILES: &[&str] = &[
    "access",
    "chmod",
    "chown",
    "close",
    "fdopen",
    "link",
    "listdir",
    "lstat",
    "makedirs",
    "mkdir",
    "mkfifo",
    "mknod",
    "open",
    "read",
    "readlink",
    "remove",
    "removedirs",
    "rename",
    "renames",
    "replace",
    "rmdir",
    "scandir",
    "stat",
    "symlink",
    "truncate",
    "unlink",
    "utime",
    "walk",
    "write",
];

/// Attributes of any object that reach around the language's walls.
const REFLECTIVE_ATTRIBUTES: &[&str] = &[
    "__base__",
    "__bases__",
    "__builtins__",
    "__closure__",
    "__code__",
    "__defaults__",
    "__func__",
    "__getattribute__",
    "__globals__",
    "__import__",
    "__kwdefaults__",
    "__loader__",
    "__mro__",
    "__reduce__",
    "__reduce_ex__",
    "__self__",
    "__subclasses__",
    "__traceback__",
    "__wrapped__",
    "ag_frame",
    "cr_frame",
    "f_back",
    "f_builtins",
    "f_globals",
    "f_locals",
    "gi_frame",
    "tb_frame",
];

/// Methods that touch files on whatever object has them.
const FILE_METHODS: &[&str] = &[
    "hardlink_to",
    "is_dir",
    "is_file",
    "iterdir",
    "read_bytes",
    "read_text",
    "rglob",
    "rmdir",
    "symlink_to",
    "touch",
    "unlink",
    "write_bytes",
    "write_text",
];

/// Methods that touch files where the code's file works with a module, and mean something else elsewhere.
const METHODS_OF: &[(&str, &[&str])] = &[
    ("configparser", &["read"]),
    ("pathlib", &["chmod", "exists", "glob", "mkdir", "open", "rename", "resolve", "stat"]),
];

/// Methods of event loops, in a file that works with `asyncio`.
const LOOP_METHODS: &[(Capability, &[&str])] = &[
    (
        Network,
        &[
            "create_connection",
            "create_datagram_endpoint",
            "create_server",
            "create_unix_connection",
            "create_unix_server",
        ],
    ),
    (Process, &["subprocess_exec", "subprocess_shell"]),
];

/// Modules that many others import, and so hold among their names.
const SHARED: &[&str] =
    &["builtins", "ctypes", "importlib", "inspect", "io", "os", "shutil", "socket", "subprocess", "sys"];

/// The capability of a full dotted name (`os.system`, `open`), if it has one.
///
/// A module that another one has imported is the same module (`random._os.system`, `helpers.os.remove`).
pub fn of_name(dotted: &str) -> Option<Capability> {
    let inner = || {
        dotted.match_indices('.').find_map(|(dot, _)| {
            let rest = dotted[dot + 1..].trim_start_matches('_');
            let first = rest.split('.').next().unwrap_or("");
            SHARED.contains(&first).then(|| of_plain_name(rest)).flatten()
        })
    };
    of_plain_name(dotted).or_else(inner)
}

fn of_plain_name(dotted: &str) -> Option<Capability> {
    match dotted.split_once('.') {
        Some(("os" | "posix" | "nt", rest)) => return of_os(rest),
        Some(("posixpath" | "ntpath" | "genericpath", rest)) => return of_os_path(rest),
        None if dotted == "os" => return None, // The module alone is nothing yet; what is taken from it counts.
        _ => {}
    }
    longest(dotted)?
}

/// Whether a name is a harmless part of something that is not (`urllib.parse.quote`).
pub fn is_cleared(dotted: &str) -> bool {
    longest(dotted) == Some(None)
}

fn longest(dotted: &str) -> Option<Option<Capability>> {
    let mut prefix = dotted;
    loop {
        if let Some(capability) = entry(prefix) {
            return Some(capability);
        }
        prefix = prefix.rsplit_once('.')?.0;
    }
}

/// What the tables say about exactly this name.
fn entry(name: &str) -> Option<Option<Capability>> {
    let written = TABLE.iter().find(|(known, _)| *known == name).map(|(_, capability)| *capability);
    let standard = || STANDARD.iter().find(|(_, names)| names.split_whitespace().any(|n| n == name));
    written.or_else(|| standard().map(|(capability, _)| *capability))
}

fn of_os(name: &str) -> Option<Capability> {
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    if first == "path" {
        return of_os_path(rest);
    }
    if OS_HARMLESS.contains(&first) {
        return None;
    }
    if OS_PROCESS.iter().any(|p| first.starts_with(p)) {
        return Some(Process);
    }
    Some(if OS_FILES.contains(&first) { Files } else { Environment })
}

fn of_os_path(name: &str) -> Option<Capability> {
    let call = name.split('.').next().unwrap_or("");
    if matches!(call, "expanduser" | "expandvars") {
        return Some(Environment);
    }
    OS_PATH_FILES.contains(&call).then_some(Files)
}

/// The capability of an attribute by its name alone, whatever the object, in a file with these imports.
pub fn of_attribute(name: &str, imported: &HashSet<String>) -> Option<Capability> {
    let has_module = |module: &str| imported.contains(module);
    if REFLECTIVE_ATTRIBUTES.contains(&name) {
        Some(Reflection)
    } else if FILE_METHODS.contains(&name) || METHODS_OF.iter().any(|(m, names)| names.contains(&name) && has_module(m))
    {
        Some(Files)
    } else {
        let of_loop = LOOP_METHODS.iter().filter(|_| has_module("asyncio"));
        of_loop.into_iter().find(|(_, names)| names.contains(&name)).map(|(capability, _)| *capability)
    }
}

/// The first reflective name inside a string (`"{0.__globals__}"` walks objects when formatted).
pub fn in_string(text: &str) -> Option<&'static str> {
    REFLECTIVE_ATTRIBUTES.iter().copied().filter(|n| n.starts_with("__")).find(|n| text.contains(n))
}

/// Whether a builtin of this name matters at all; a quick filter for plain identifiers.
pub fn is_builtin(name: &str) -> bool {
    matches!(
        name,
        "__import__"
            | "__builtins__"
            | "__file__"
            | "__loader__"
            | "__spec__"
            | "breakpoint"
            | "compile"
            | "eval"
            | "exec"
            | "exit"
            | "globals"
            | "input"
            | "open"
            | "quit"
    )
}

#[cfg(test)]
#[path = "capabilities_tests.rs"]
mod tests;
