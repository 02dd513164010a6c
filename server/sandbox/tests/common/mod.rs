//! What the escape tests share: a sandbox, jobs in sh and Python, and a look at the host.
#![allow(dead_code, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a broken fixture fails its test")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use zeroerr_sandbox::{Exit, Job, Limits, Output, Sandbox, SandboxOptions};

/// The sandbox of this machine, with the bubblewrap that `zeroerr doctor --fix` installs if there is
/// one. A machine without any fails the tests, with the remedy.
pub fn sandbox() -> Sandbox {
    let places = zeroerr_settings::paths::data_dir().map(|data| data.join("tools/python/bin")).into_iter().collect();
    let options = SandboxOptions { places, ..SandboxOptions::default() };
    Sandbox::detect(&options).unwrap_or_else(|error| panic!("{error}"))
}

/// One job in a scratch folder of its own.
pub struct Case {
    pub scratch: TempDir,
    pub job: Job,
}

impl Case {
    /// `sh -c script`.
    pub fn sh(script: &str) -> Self {
        Self::new(Path::new("/bin/sh"), &["-c", script])
    }

    /// `python3 -I -c script`, whichever Python this machine has.
    pub fn python(script: &str) -> Self {
        let (program, readable) = python();
        let mut case = Self::new(program, &["-I", "-c", script]);
        case.job.readable = readable.clone();
        case
    }

    pub fn new(program: &Path, args: &[&str]) -> Self {
        let scratch = tempfile::tempdir().unwrap();
        let job = Job {
            program: program.to_path_buf(),
            args: args.iter().map(OsString::from).collect(),
            scratch: scratch.path().canonicalize().unwrap(),
            limits: Limits { wall: Duration::from_secs(20), ..Limits::default() },
            ..Job::default()
        };
        Self { scratch, job }
    }

    pub fn limits(mut self, change: impl FnOnce(&mut Limits)) -> Self {
        change(&mut self.job.limits);
        self
    }

    pub fn readable(mut self, path: &Path) -> Self {
        self.job.readable.push(path.to_path_buf());
        self
    }

    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.job.args.push(arg.into());
        self
    }

    pub fn run(&self) -> Ran {
        self.run_in(&sandbox())
    }

    pub fn run_in(&self, sandbox: &Sandbox) -> Ran {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let output = runtime.block_on(sandbox.run(self.job.clone())).unwrap_or_else(|error| panic!("{error}"));
        Ran(output)
    }
}

/// What came out, as text.
#[derive(Debug)]
pub struct Ran(pub Output);

impl Ran {
    pub fn exit(&self) -> Exit {
        self.0.exit
    }

    pub fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.stdout).into_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.0.stderr).into_owned()
    }

    /// It ended well and printed exactly this.
    #[track_caller]
    pub fn prints(&self, want: &str) {
        assert_eq!((self.exit(), self.stdout().as_str()), (Exit::Code(0), want), "stderr: {}", self.stderr());
    }
}

/// The real interpreter behind `python3`, and what it needs to be read.
pub fn python() -> &'static (PathBuf, Vec<PathBuf>) {
    static PYTHON: OnceLock<(PathBuf, Vec<PathBuf>)> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let ask = "import os, sys; print(os.path.realpath(sys.executable)); print(sys.base_prefix)";
        let said = Command::new("python3").args(["-I", "-c", ask]).output().expect("python3 is on PATH");
        let said = String::from_utf8(said.stdout).unwrap();
        let mut lines = said.lines().map(PathBuf::from);
        (lines.next().expect("python3 runs"), lines.collect())
    })
}

/// Host processes whose command line contains `marker`.
pub fn processes_with(marker: &str) -> Vec<u32> {
    let own = std::process::id();
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid| *pid != own)
        .filter(|pid| {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            String::from_utf8_lossy(&line).contains(marker)
        })
        .collect()
}

/// Waits until `done`, for at most `limit`; says whether it came true.
pub fn eventually(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    done()
}

/// A word that nothing else on this machine contains.
pub fn marker(name: &str) -> String {
    use std::time::{SystemTime, UNIX_EPOCH};
    let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos();
    format!("zeroerr-marker-{name}-{}-{nanos}", std::process::id())
}

/// What no job may do, as expressions of Python's, and what it may be told instead.
pub fn forbidden() -> [(String, [&'static str; 2]); 4] {
    let home = std::env::home_dir().expect("a home");
    [
        ("open('/etc/zeroerr-was-here', 'w')".to_owned(), ["OSError", "PermissionError"]),
        (format!("os.listdir({:?})", home.display().to_string()), ["FileNotFoundError", "PermissionError"]),
        ("socket.create_connection(('127.0.0.1', 80), 2)".to_owned(), ["PermissionError", "OSError"]),
        ("os.unshare(0x10000000)".to_owned(), ["PermissionError", "AttributeError"]),
    ]
}
