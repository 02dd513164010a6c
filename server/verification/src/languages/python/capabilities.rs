//! Which Python names reach outside of pure computation: the table behind layer 7's capability check.
//!
//! The table is by full dotted name, the longest entry wins, and what it does not name is taken as
//! harmless, except in `os`, where the harmless names are listed and everything else counts. The
//! check is static; the sandbox holds what static reading misses.

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
    ("builtins", Some(Reflection)),
    ("gc", Some(Reflection)),
    ("globals", Some(Reflection)),
    ("inspect.currentframe", Some(Reflection)),
    ("inspect.getinnerframes", Some(Reflection)),
    ("inspect.getouterframes", Some(Reflection)),
    ("inspect.stack", Some(Reflection)),
    ("inspect.trace", Some(Reflection)),
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
    "__getattribute__",
    "__globals__",
    "__import__",
    "__loader__",
    "__mro__",
    "__reduce__",
    "__reduce_ex__",
    "__subclasses__",
    "__traceback__",
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

/// Methods that touch files where the file works with `pathlib`, and mean something else elsewhere.
const PATHLIB_METHODS: &[&str] = &["chmod", "exists", "glob", "mkdir", "open", "rename", "resolve", "stat"];

/// The capability of a full dotted name (`os.system`, `open`), if it has one.
pub fn of_name(dotted: &str) -> Option<Capability> {
    if let Some(rest) = dotted.strip_prefix("os.") {
        return of_os(rest);
    }
    if dotted == "os" || dotted == "posixpath" {
        return None; // The module alone is nothing yet; what is taken from it counts.
    }
    let mut prefix = dotted;
    loop {
        if let Some((_, capability)) = TABLE.iter().find(|(name, _)| *name == prefix) {
            return *capability;
        }
        prefix = prefix.rsplit_once('.')?.0;
    }
}

fn of_os(name: &str) -> Option<Capability> {
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    if first == "path" {
        let call = rest.split('.').next().unwrap_or("");
        return OS_PATH_FILES.contains(&call).then_some(Files);
    }
    if OS_HARMLESS.contains(&first) {
        return None;
    }
    if OS_PROCESS.iter().any(|p| first.starts_with(p)) {
        return Some(Process);
    }
    Some(if OS_FILES.contains(&first) { Files } else { Environment })
}

/// The capability of an attribute by its name alone, whatever the object.
pub fn of_attribute(name: &str, uses_pathlib: bool) -> Option<Capability> {
    if REFLECTIVE_ATTRIBUTES.contains(&name) {
        Some(Reflection)
    } else if FILE_METHODS.contains(&name) || (uses_pathlib && PATHLIB_METHODS.contains(&name)) {
        Some(Files)
    } else {
        None
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
mod tests {
    use super::*;

    #[test]
    fn the_longest_entry_wins_and_neighbours_are_left_alone() {
        assert_eq!(of_name("urllib.request.urlopen"), Some(Network));
        assert_eq!(of_name("urllib.parse.quote"), None);
        assert_eq!(of_name("urllib3.PoolManager"), Some(Network));
        assert_eq!(of_name("opener"), None);
        assert_eq!(of_name("re.compile"), None);
        assert_eq!(of_name("socketlike"), None);
    }

    #[test]
    fn os_is_guilty_until_listed_as_harmless() {
        assert_eq!(of_name("os"), None);
        assert_eq!(of_name("os.path.join"), None);
        assert_eq!(of_name("os.path.exists"), Some(Files));
        assert_eq!(of_name("os.sep"), None);
        assert_eq!(of_name("os.execvp"), Some(Process));
        assert_eq!(of_name("os.environ.get"), Some(Environment));
        assert_eq!(of_name("os.something_of_tomorrow"), Some(Environment));
    }
}
