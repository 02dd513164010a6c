//! The machine's Rust: where it is, which version, and the harness compiled for it.
//!
//! It is looked for once, outside of any project: a `rust-toolchain.toml` may name a program, and a
//! project must not choose what is started outside of the sandbox.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};
use zeroerr_sandbox::trusted::{self, TrustedError};
use zeroerr_sandbox::{Exit, Job, Limits};

use crate::languages::CheckError;
use crate::toolchain::{ToolCheck, ToolStatus, Toolchain};

/// The harness, file by file.
const FILES: [(&str, &str); 20] = [
    ("claims.rs", include_str!("harness/claims.rs")),
    ("containers.rs", include_str!("harness/containers.rs")),
    ("contracts.rs", include_str!("harness/contracts.rs")),
    ("depth.rs", include_str!("harness/depth.rs")),
    ("further.rs", include_str!("harness/further.rs")),
    ("iterators.rs", include_str!("harness/iterators.rs")),
    ("judge.rs", include_str!("harness/judge.rs")),
    ("laws.rs", include_str!("harness/laws.rs")),
    ("lib.rs", include_str!("harness/lib.rs")),
    ("shipped.rs", include_str!("harness/shipped.rs")),
    ("show.rs", include_str!("harness/show.rs")),
    ("source.rs", include_str!("harness/source.rs")),
    ("supervisor.rs", include_str!("harness/supervisor.rs")),
    ("text.rs", include_str!("harness/text.rs")),
    ("timing.rs", include_str!("harness/timing.rs")),
    ("values.rs", include_str!("harness/values.rs")),
    ("vast.rs", include_str!("harness/vast.rs")),
    ("wire.rs", include_str!("harness/wire.rs")),
    ("worker.rs", include_str!("harness/worker.rs")),
    ("wrong.rs", include_str!("harness/wrong.rs")),
];

/// The name of the harness as a crate.
pub(super) const HARNESS: &str = "zeroerr_harness";

/// What mends a missing compiler.
pub(super) const REMEDY: &str = "install Rust from https://rustup.rs and start again";

/// How long the compiler may take to say what it is; a toolchain on a slow disk needs a few seconds.
const ANSWER: Duration = Duration::from_secs(20);

/// The first version whose `std` and edition the harness needs.
const OLDEST: (u32, u32) = (1, 85);

/// The machine's Rust.
#[derive(Debug, Clone)]
pub(super) struct RustTools {
    /// The folder of the toolchain.
    pub sysroot: PathBuf,
    /// `rustc 1.95.0`.
    pub version: String,
    /// The folder with the compiled harness; its library is a link in it.
    pub harness: PathBuf,
}

impl RustTools {
    /// Looks for the compiler and sees that the harness is compiled for it.
    ///
    /// # Errors
    /// One sentence with the remedy: no compiler, too old, no sandbox.
    pub async fn find(tools: &Toolchain) -> Result<Self, CheckError> {
        let root = Path::new("/");
        let ask = |program: PathBuf, args: &[&str]| {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            async move { trusted::run(&program, &args, &[], Some(root), ANSWER, |_, _| {}).await }
        };
        let missing = |why: String| CheckError(format!("the Rust compiler is missing ({why}); {REMEDY}"));
        let no_answer = |error: TrustedError| match error {
            TrustedError::TimedOut { after, .. } => {
                let seconds = after.as_secs();
                CheckError(format!("the Rust compiler says nothing for {seconds} s; see what `rustc --version` does"))
            }
            error => missing(error.to_string()),
        };
        let said = ask("rustc".into(), &["--print", "sysroot"]).await.map_err(no_answer)?;
        let sysroot = PathBuf::from(said.stdout.trim());
        if !said.success() || !sysroot.join("bin/rustc").is_file() {
            let last = said.stderr.lines().last().unwrap_or("rustc names no toolchain").to_owned();
            return Err(missing(last));
        }
        let said = ask(sysroot.join("bin/rustc"), &["--version"]).await.map_err(no_answer)?;
        let version = said.stdout.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        if number(&version).is_none_or(|v| v < OLDEST) {
            let (major, minor) = OLDEST;
            return Err(CheckError(format!("{version} is too old, {major}.{minor} is needed; run `rustup update`")));
        }
        let harness = harness(tools, &sysroot, &version).await?;
        Ok(Self { sysroot, version, harness })
    }

    /// A program of the toolchain.
    ///
    /// # Errors
    /// One sentence with the remedy when it is not installed.
    pub fn program(&self, name: &str) -> Result<PathBuf, CheckError> {
        let path = self.sysroot.join("bin").join(name);
        let component = match name {
            "clippy-driver" | "cargo-clippy" => "clippy",
            other => other,
        };
        if path.is_file() {
            Ok(path)
        } else {
            Err(CheckError(format!(
                "{name} is missing from the Rust toolchain; run `rustup component add {component}`"
            )))
        }
    }

    /// `clippy 1.95.0`.
    pub fn named(&self, tool: &str) -> String {
        self.version.replacen("rustc", tool, 1)
    }

    /// What a job that compiles must be able to read.
    pub fn readable(&self) -> Vec<PathBuf> {
        vec![self.sysroot.clone(), self.harness.clone()]
    }

    /// The compiled harness.
    pub fn library(&self) -> PathBuf {
        self.harness.join(format!("lib{HARNESS}.rlib"))
    }
}

/// Whether there is a compiler on PATH; asking starts nothing.
///
/// # Errors
/// One sentence with the remedy.
pub(super) fn is_there() -> Result<(), CheckError> {
    let found = trusted::which("rustc").map(drop);
    found.ok_or_else(|| CheckError(format!("the Rust compiler is missing; {REMEDY}")))
}

/// What changes when the compiler does: the program itself, and what rustup notes of its toolchains.
pub(super) fn stamp() -> String {
    let mut places: Vec<PathBuf> = trusted::which("rustc").into_iter().collect();
    let rustup = std::env::var_os("RUSTUP_HOME").map(PathBuf::from);
    if let Some(rustup) = rustup.or_else(|| std::env::home_dir().map(|home| home.join(".rustup"))) {
        let noted = std::fs::read_dir(rustup.join("update-hashes")).into_iter().flatten().flatten();
        let mut noted: Vec<PathBuf> = noted.map(|entry| entry.path()).collect();
        noted.sort();
        places.push(rustup.join("settings.toml"));
        places.extend(noted);
    }
    stamp_of(&places, std::env::var("RUSTUP_TOOLCHAIN").unwrap_or_default())
}

/// When files were changed, and how long they are.
fn stamp_of(places: &[PathBuf], chosen: String) -> String {
    let mut out = chosen;
    for place in places {
        let Ok(meta) = std::fs::metadata(place) else { continue };
        let since = meta.modified().ok().and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
        out.push_str(&format!(" {} {} {}", place.display(), since.unwrap_or_default().as_nanos(), meta.len()));
    }
    out
}

/// The report on a machine without Rust, which only Rust files need.
pub(super) fn nothing_there() -> Vec<ToolCheck> {
    vec![ToolCheck {
        name: "rust".into(),
        status: ToolStatus::Ok,
        detail: format!("not installed; only Rust files need it ({REMEDY})"),
        remedy: String::new(),
    }]
}

/// The report on a toolchain.
pub(super) fn checks(found: Result<&RustTools, CheckError>) -> Vec<ToolCheck> {
    let line = |name: &str, worse: ToolStatus, answer: Result<String, CheckError>| {
        let (status, detail) = match answer {
            Ok(version) => (ToolStatus::Ok, version),
            Err(error) => (worse, error.0),
        };
        let (detail, remedy) = match detail.rsplit_once("; ") {
            Some((what, remedy)) if status != ToolStatus::Ok => (what.to_owned(), remedy.to_owned()),
            _ => (detail, String::new()),
        };
        ToolCheck { name: name.to_owned(), status, detail, remedy }
    };
    let rust = match found {
        Ok(rust) => rust,
        Err(error) => return vec![line("rustc", ToolStatus::Broken, Err(error))],
    };
    let mut out = vec![line("rustc", ToolStatus::Broken, Ok(rust.version.clone()))];
    let others = [("cargo", "cargo"), ("clippy", "clippy-driver"), ("rustfmt", "rustfmt")];
    let found = |name, program| line(name, ToolStatus::Missing, rust.program(program).map(|_| rust.named(name)));
    out.extend(others.map(|(name, program)| found(name, program)));
    out
}

fn number(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split_whitespace().nth(1)?.split(['.', '-']);
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// The folder with the harness as a library. It lies beside the other tools, where jobs can read and
/// not write; what is compiled for another compiler lies in another folder.
async fn harness(tools: &Toolchain, sysroot: &Path, version: &str) -> Result<PathBuf, CheckError> {
    let mut hasher = Sha256::new();
    hasher.update(version);
    hasher.update(sysroot.as_os_str().as_encoded_bytes());
    FILES.iter().for_each(|(name, text)| {
        hasher.update(name);
        hasher.update(text);
    });
    let key: String = hasher.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect();
    let folder = tools.data_dir().join("tools/rust").join(format!("harness-{key}"));
    let name = format!("lib{HARNESS}.rlib");
    if folder.join(&name).is_file() {
        return Ok(folder);
    }
    let scratch = tools.scratch()?;
    let wrong =
        |path: &Path, e: std::io::Error| CheckError(format!("cannot write {}: {e}; free some space", path.display()));
    for (file, text) in FILES {
        std::fs::write(scratch.path().join(file), text).map_err(|e| wrong(scratch.path(), e))?;
    }
    let args =
        ["--edition", "2024", "--crate-type", "rlib", "--crate-name", HARNESS, "-O", "--cap-lints", "allow", "lib.rs"];
    let limits =
        Limits { wall: Duration::from_secs(240), cpu: Duration::from_secs(120), memory: 4 << 30, ..Limits::default() };
    let job = Job {
        program: sysroot.join("bin/rustc"),
        args: args.iter().map(OsString::from).collect(),
        readable: vec![sysroot.to_path_buf()],
        scratch: scratch.path().to_path_buf(),
        limits,
        ..Job::default()
    };
    let output = tools.run_tool("rustc", job, |_| None).await?;
    if output.exit != Exit::Code(0) {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().find(|l| l.starts_with("error")).unwrap_or("it said nothing");
        return Err(CheckError(format!("rustc cannot compile the harness ({:?}: {first}); {REMEDY}", output.exit)));
    }
    publish(&scratch.path().join(&name), &folder, &name).map_err(|e| wrong(&folder, e))?;
    Ok(folder)
}

/// Moves the finished library into place in one step, so that no job ever reads half of it.
fn publish(from: &Path, folder: &Path, name: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let fresh = tempfile::NamedTempFile::new_in(folder)?;
    std::fs::copy(from, fresh.path())?;
    let mut permissions = std::fs::metadata(fresh.path())?.permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o644);
    std::fs::set_permissions(fresh.path(), permissions)?;
    fresh.persist(folder.join(name)).map_err(|e| e.error)?;
    Ok(())
}
