//! A file of a Cargo project: a copy of the project that cargo works in, kept from one check to the
//! next, so that its dependencies are compiled once.
//!
//! Cargo, build scripts and macros run in the sandbox, without network: what they need of the
//! registry must be on this machine already. There are two copies, one for reading tools and one for
//! the code under test with what is generated around it.

use std::collections::{HashMap, HashSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as PlainMutex};
use std::time::{Duration, SystemTime};

use dashmap::DashMap;
use ignore::WalkBuilder;
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex, MutexGuard};
use zeroerr_sandbox::Output;

use super::build::Speed;
use super::compiling::{self, BuildError};
use super::modules;
use super::targets::Metadata;
use super::toolchain::RustTools;
use crate::languages::carried::Carried;
use crate::languages::{CheckError, Subject};
use crate::toolchain::Toolchain;

/// Folders that no copy carries.
const FOREIGN: &[&str] = &["target", "node_modules", ".git"];
/// Endings of what nothing compiles without.
const CODE: &[&str] = &["rs", "toml", "lock"];
/// What a copy carries although it is hidden, or `.gitignore` leaves it out.
const OWN: [&str; 5] = [".cargo/config.toml", ".cargo/config", "clippy.toml", ".clippy.toml", "Cargo.lock"];

/// Which copy of a project.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Copy {
    /// As the user has it, with the edit.
    Plain,
    /// With generated code.
    Glued,
}

impl Copy {
    pub(super) fn folder(self) -> &'static str {
        match self {
            Copy::Plain => "plain",
            Copy::Glued => "glued",
        }
    }
}

/// The projects that were worked in. What is built as it will be shipped is built in a place of its own, so
/// that neither waits for the other.
#[derive(Debug, Default)]
pub(super) struct Workspaces(DashMap<(PathBuf, Speed), Arc<Workspace>>);

/// One Cargo workspace, or package of its own.
#[derive(Debug)]
pub(super) struct Workspace {
    /// The user's folder.
    pub(super) root: PathBuf,
    /// Where the copies and cargo's output lie.
    work: PathBuf,
    /// Held while a copy is in use.
    busy: Mutex<()>,
    seen: PlainMutex<HashMap<PathBuf, (SystemTime, u64)>>,
    /// What was carried last.
    carried: PlainMutex<Carried>,
    /// What cargo said of the targets of each copy, and of which manifests.
    pub(super) targets: PlainMutex<HashMap<Copy, (String, Arc<Metadata>)>>,
}

impl Workspaces {
    /// The project of a subject; `None` for a file that belongs to none.
    pub fn of(&self, tools: &Toolchain, subject: &Subject, speed: Speed) -> Option<Arc<Workspace>> {
        let root = root_of(&subject.task.file)?;
        let make = || {
            let mut key: String = Sha256::digest(root.as_os_str().as_encoded_bytes())
                .iter()
                .take(8)
                .map(|b| format!("{b:02x}"))
                .collect();
            if speed == Speed::Optimised {
                key.push_str("-shipped");
            }
            Arc::new(Workspace {
                work: tools.data_dir().join("cache/rust").join(key),
                root: root.clone(),
                busy: Mutex::default(),
                seen: PlainMutex::default(),
                carried: PlainMutex::default(),
                targets: PlainMutex::default(),
            })
        };
        Some(self.0.entry((root.clone(), speed)).or_insert_with(make).clone())
    }
}

/// The folder of the nearest `Cargo.toml`, or of the workspace above it.
fn root_of(file: &Path) -> Option<PathBuf> {
    let manifest = |folder: &Path| std::fs::read_to_string(folder.join("Cargo.toml")).ok();
    let folders: Vec<&Path> = file.ancestors().skip(1).filter(|f| !f.as_os_str().is_empty()).collect();
    let nearest = folders.iter().position(|f| manifest(f).is_some())?;
    let is_workspace =
        |f: &&&Path| manifest(f).is_some_and(|t| t.lines().any(|l| l.trim_start().starts_with("[workspace")));
    let own = folders.get(nearest)?;
    // As cargo does: a package that a workspace leaves out is a project of its own.
    let root = folders.iter().skip(nearest).find(is_workspace).filter(|root| !leaves_out(root, own));
    Some(root.unwrap_or(own).to_path_buf())
}

/// Whether the workspace of a folder says that a package below it is none of its own.
fn leaves_out(root: &Path, package: &Path) -> bool {
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap_or_default();
    let holds = |key: &str| listed(&manifest, key).iter().any(|folder| package.starts_with(root.join(folder)));
    package != root && holds("exclude") && !holds("members")
}

/// The texts of a list in the `[workspace]` of a manifest.
fn listed(manifest: &str, key: &str) -> Vec<String> {
    let bare = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
    let lines = manifest.lines().map(bare).skip_while(|line| line != "[workspace]").skip(1);
    let table: Vec<String> = lines.take_while(|line| !line.starts_with('[')).collect();
    let value = |line: &String| line.strip_prefix(key)?.trim_start().strip_prefix('=').map(str::to_owned);
    let Some(at) = table.iter().position(|line| value(line).is_some()) else { return Vec::new() };
    let first = table.get(at).and_then(value).unwrap_or_default();
    let all = [&[first], table.get(at + 1..).unwrap_or_default()].concat().concat();
    let list = all.split(']').next().unwrap_or_default();
    // Every other piece between quotes is one of the texts.
    list.split(['"', '\'']).skip(1).step_by(2).map(|text| text.trim_start_matches("./").to_owned()).collect()
}

/// A copy in use: nobody else changes it meanwhile.
pub(super) struct Held<'w> {
    pub(super) workspace: &'w Workspace,
    pub(super) copy: Copy,
    _busy: MutexGuard<'w, ()>,
    _lock: std::fs::File,
}

impl Workspace {
    /// Brings a copy up to date and holds it.
    ///
    /// # Errors
    /// When it cannot be written, or is too large.
    pub async fn hold(&self, copy: Copy) -> Result<Held<'_>, CheckError> {
        let busy = self.busy.lock().await;
        if !self.work.is_dir() {
            remove_old(self.work.parent().unwrap_or(&self.work));
        }
        std::fs::create_dir_all(&self.work).map_err(|e| cannot(&self.work, &e))?;
        let path = self.work.join("lock");
        let lock = std::fs::File::create(&path).map_err(|e| cannot(&path, &e))?;
        // Another process may work in the same copy; it does so for seconds.
        for _ in 0..6_000 {
            if lock.try_lock().is_ok() {
                self.update(copy)?;
                return Ok(Held { workspace: self, copy, _busy: busy, _lock: lock });
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err(CheckError(format!(
            "{} has been in use by another zeroerr for five minutes; end it and start again",
            self.work.display()
        )))
    }

    /// Copies what has changed since it was copied last, and removes what is gone.
    fn update(&self, copy: Copy) -> Result<(), CheckError> {
        let to = self.work.join(copy.folder());
        let carried = self.carried();
        if carried.beyond.iter().any(|below| is_code(below)) {
            return Err(CheckError(format!(
                "{} is too large to be copied for checks; exclude what is not code in its .gitignore",
                self.root.display()
            )));
        }
        let Ok(mut seen) = self.seen.lock() else { return Ok(()) };
        let mut present = HashSet::new();
        for (from, below) in &carried.files {
            let Ok(meta) = std::fs::metadata(from) else { continue };
            present.insert(below.as_path());
            let stamp = (meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len());
            let target = to.join(below);
            if seen.get(&target) == Some(&stamp) && target.is_file() {
                continue;
            }
            let content = std::fs::read(from).map_err(|e| cannot(from, &e))?;
            place(&target, &content)?;
            seen.insert(target, stamp);
        }
        remove_others(&to, &present);
        if let Ok(mut last) = self.carried.lock() {
            *last = carried;
        }
        Ok(())
    }

    /// What a check of the project may depend on. What may hold secrets is left out, unless the project's own code takes it
    /// in when it is compiled: without that nothing could be checked.
    fn carried(&self) -> Carried {
        let mut carried = Carried::read(&self.root, FOREIGN, |ending| CODE.contains(&ending));
        let mut wanted: Vec<PathBuf> = OWN.map(PathBuf::from).to_vec();
        if !carried.secret.is_empty() {
            let sources = carried.files.iter().filter(|(_, below)| below.extension().is_some_and(|e| e == "rs"));
            let included = sources
                .flat_map(|(path, below)| modules::included(&std::fs::read_to_string(path).unwrap_or_default(), below));
            let included: HashSet<PathBuf> = included.collect();
            wanted.extend(carried.secret.iter().filter(|below| included.contains(*below)).cloned());
        }
        carried.admit(&self.root, &wanted);
        carried
    }

    /// What a check may have missed of it, in words.
    pub fn missed(&self, failed: bool) -> Option<String> {
        self.carried.lock().ok()?.missed(failed)
    }

    /// A hash of when its files were changed: what was compiled under another says nothing any more.
    pub fn stamp(&self) -> String {
        let mut all: Vec<(PathBuf, SystemTime, u64)> = self
            .carried()
            .files
            .into_iter()
            .filter_map(|(path, _)| {
                let meta = std::fs::metadata(&path).ok()?;
                Some((path, meta.modified().unwrap_or(SystemTime::UNIX_EPOCH), meta.len()))
            })
            .collect();
        all.sort();
        Sha256::digest(format!("{all:?}")).iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// Removes the files of a copy that the project no longer has.
fn remove_others(to: &Path, present: &HashSet<&Path>) {
    let walk = WalkBuilder::new(to).standard_filters(false).build();
    for entry in walk.filter_map(Result::ok).filter(|e| e.file_type().is_some_and(|t| t.is_file())) {
        let relative = entry.path().strip_prefix(to).unwrap_or(entry.path());
        if !present.contains(relative) && relative != Path::new("Cargo.lock") {
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

/// Whether nothing compiles without a file.
fn is_code(path: &Path) -> bool {
    path.extension().and_then(|e| e.to_str()).is_some_and(|ending| CODE.contains(&ending))
}

/// Removes the copies of projects that nobody has checked for two weeks.
fn remove_old(cache: &Path) {
    let long = Duration::from_secs(14 * 24 * 3600);
    for copy in std::fs::read_dir(cache).into_iter().flatten().flatten().map(|e| e.path()) {
        let used = std::fs::metadata(copy.join("lock")).and_then(|m| m.modified());
        if used.is_ok_and(|t| t.elapsed().is_ok_and(|age| age > long)) {
            let _ = std::fs::remove_dir_all(copy);
        }
    }
}

fn cannot(path: &Path, error: &std::io::Error) -> CheckError {
    CheckError(format!("cannot use {}: {error}; free some space or make it writable", path.display()))
}

/// Writes a file whose content differs; cargo takes a new time for a change.
fn place(path: &Path, content: &[u8]) -> Result<(), CheckError> {
    if std::fs::read(path).is_ok_and(|old| old == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| cannot(folder, &e))?;
    }
    std::fs::write(path, content).map_err(|e| cannot(path, &e))
}

impl Held<'_> {
    /// The copy's folder.
    pub fn folder(&self) -> PathBuf {
        self.workspace.work.join(self.copy.folder())
    }

    /// Where cargo puts what it makes.
    pub fn target(&self) -> PathBuf {
        self.made().join("target")
    }

    /// The one folder that jobs may write to: what they leave there, we follow no links of.
    fn made(&self) -> PathBuf {
        self.workspace.work.join("made")
    }

    /// Whether a file that cargo says it has made lies where cargo was told to make it, links followed.
    pub fn has_made(&self, file: &Path) -> bool {
        let (work, real) = (self.workspace.work.canonicalize(), file.canonicalize());
        work.is_ok_and(|work| real.is_ok_and(|real| real.starts_with(work.join("made/target"))))
    }

    /// Puts a text in the place of a file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, file: &Path, text: &str) -> Result<(), CheckError> {
        let path = self.folder().join(file);
        if let Ok(mut seen) = self.workspace.seen.lock() {
            // It is no longer what the project has.
            seen.remove(&path);
        }
        place(&path, text.as_bytes())
    }

    /// The text of a file of the copy.
    pub fn text(&self, file: &Path) -> Option<String> {
        std::fs::read_to_string(self.folder().join(file)).ok()
    }

    /// Runs cargo, or another program of the toolchain, in the copy, which it can only read.
    ///
    /// # Errors
    /// When it cannot be started or does not end in its time.
    pub async fn cargo(
        &self,
        tools: &Toolchain,
        rust: &RustTools,
        program: &str,
        args: &[&str],
        seconds: u64,
    ) -> Result<Output, BuildError> {
        let made = self.made();
        std::fs::create_dir_all(&made).map_err(|e| cannot(&made, &e))?;
        let run = self.run(rust, program, args, seconds)?;
        self.recall(program);
        let output = compiling::run(tools, run, &made).await?;
        self.remember(program);
        Ok(output)
    }

    /// Brings the copy's `Cargo.lock` in line with its manifests. This reads the project and runs nothing of it, so
    /// it may write where nothing else may.
    ///
    /// # Errors
    /// As [`cargo`](Self::cargo).
    pub async fn lock(&self, tools: &Toolchain, rust: &RustTools) -> Result<(), BuildError> {
        let args = ["metadata", "--format-version", "1", "--offline"];
        compiling::run(tools, self.run(rust, "cargo", &args, 60)?, &self.folder()).await.map(drop)
    }

    /// What cargo complains of, with what it may have missed.
    pub fn complaint(&self, output: &Output) -> String {
        let missed = self.workspace.missed(true).map_or_else(String::new, |missed| format!("; {missed}"));
        format!("{}{missed}", complaint(output))
    }

    fn run(&self, rust: &RustTools, program: &str, args: &[&str], seconds: u64) -> Result<compiling::Run, BuildError> {
        let home = self.home()?;
        let folder = self.folder();
        let mut readable = rust.readable();
        let real = cargo_home();
        readable.extend(["registry", "git"].map(|f| real.join(f)).into_iter().filter(|f| f.is_dir()));
        readable.extend([home.clone(), folder.clone()]);
        let bin = rust.sysroot.join("bin");
        let path = format!("{}:/usr/local/bin:/usr/bin:/bin", bin.display());
        let pairs: [(&str, OsString); 13] = [
            ("CARGO_HOME", home.into()),
            ("CARGO_TARGET_DIR", self.target().into()),
            ("CARGO_NET_OFFLINE", "true".into()),
            ("CARGO_TERM_COLOR", "never".into()),
            ("CARGO_INCREMENTAL", "1".into()),
            ("PATH", path.into()),
            ("RUSTC", bin.join("rustc").into()),
            ("CARGO", bin.join("cargo").into()),
            // A cache of somebody's own, which is not to be had in the sandbox.
            ("RUSTC_WRAPPER", OsString::new()),
            // A panic must be something that can be caught, and the optimised build no minutes' work.
            ("CARGO_PROFILE_DEV_PANIC", "unwind".into()),
            ("CARGO_PROFILE_RELEASE_PANIC", "unwind".into()),
            ("CARGO_PROFILE_RELEASE_LTO", "false".into()),
            ("CARGO_PROFILE_DEV_DEBUG", "0".into()),
        ];
        let env = pairs.map(|(k, v)| (k.into(), v)).to_vec();
        let mut all: Vec<OsString> = args.iter().map(OsString::from).collect();
        let manifest = ["--manifest-path".into(), folder.join("Cargo.toml").into()];
        let at = all.iter().position(|a| a == "--").unwrap_or(all.len());
        all.splice(at..at, manifest);
        Ok(compiling::Run { program: rust.program(program)?, args: all, env, readable, seconds })
    }

    /// Lays out what cargo has been told by its compiler, when this program ran last: it forgets that whenever clippy
    /// stands in the compiler's place, and asks anew.
    fn recall(&self, program: &str) {
        let Some((known, kept)) = self.told(program) else { return };
        let _ = std::fs::remove_file(&known);
        // Where nothing is kept, cargo asks.
        let _ = std::fs::copy(kept, known);
    }

    fn remember(&self, program: &str) {
        let Some((known, kept)) = self.told(program) else { return };
        if std::fs::symlink_metadata(&known).is_ok_and(|m| m.is_file()) {
            let _ = std::fs::copy(known, kept);
        }
    }

    /// Where cargo looks for what its compiler has told it, and where it is kept. `None` where a job has put
    /// something else in the place of the folder.
    fn told(&self, program: &str) -> Option<(PathBuf, PathBuf)> {
        let target = Some(self.target()).filter(|folder| self.has_made(folder))?;
        Some((target.join(".rustc_info.json"), self.workspace.work.join(format!("{program}.json"))))
    }

    /// A cargo home of its own: the registry of the user's, read-only, and nothing of its secrets.
    fn home(&self) -> Result<PathBuf, CheckError> {
        let home = self.workspace.work.join("cargo-home");
        std::fs::create_dir_all(&home).map_err(|e| cannot(&home, &e))?;
        let real = cargo_home();
        for folder in ["registry", "git"] {
            let (link, to) = (home.join(folder), real.join(folder));
            if to.is_dir() && std::fs::read_link(&link).ok().as_deref() != Some(&to) {
                let _ = std::fs::remove_file(&link);
                std::os::unix::fs::symlink(&to, &link).map_err(|e| cannot(&link, &e))?;
            }
        }
        let config = ["config.toml", "config"].iter().find_map(|f| std::fs::read_to_string(real.join(f)).ok());
        place(&home.join("config.toml"), sources_of(config.as_deref().unwrap_or("")).as_bytes())?;
        Ok(home)
    }
}

/// The user's cargo home.
fn cargo_home() -> PathBuf {
    let own = std::env::var_os("CARGO_HOME").map(PathBuf::from).filter(|p| p.is_absolute());
    own.or_else(|| std::env::home_dir().map(|h| h.join(".cargo"))).unwrap_or_else(|| "/nonexistent".into())
}

/// What of a cargo configuration says where packages come from: `[source]` and the indexes of
/// `[registries]`, without tokens.
fn sources_of(config: &str) -> String {
    let mut out = String::new();
    let mut kept = false;
    for line in config.lines() {
        let trimmed = line.trim();
        if trimmed.starts_with('[') {
            let table = trimmed.trim_matches(['[', ']']);
            kept = table == "source" || table.starts_with("source.") || table.starts_with("registries.");
        }
        let is_secret = ["token", "credential", "secret", "password"].iter().any(|w| trimmed.contains(w));
        if kept && !is_secret {
            out.push_str(line);
            out.push('\n');
        }
    }
    out
}

/// What cargo complains of, with what to do about packages that are not there.
pub(super) fn complaint(output: &Output) -> String {
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with("warning")).collect();
    let first = lines.iter().find(|l| l.starts_with("error")).or(lines.last()).copied().unwrap_or("it said nothing");
    let offline =
        said.contains("offline") || said.contains("failed to download") || said.contains("no matching package");
    let remedy = if offline { "; run `cargo fetch` in the project, checks have no network" } else { "" };
    format!("{}{remedy}", first.trim_start_matches("error: "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_a_workspace_are_read() {
        let manifest = "[package]\nexclude = [\"no\"]\n[workspace] # all\nmembers = [\"a\"]\nexclude = [\n  \"./b\", # why\n  'c/d',\n]\nresolver = \"2\"\n[workspace.dependencies]\n";
        assert_eq!(listed(manifest, "exclude"), ["b", "c/d"]);
        assert_eq!(listed(manifest, "members"), ["a"]);
        assert!(listed("[package]\nname = \"x\"\n", "exclude").is_empty());
    }

    #[test]
    fn secrets_of_the_configuration_stay_behind() {
        let config = "[net]\noffline = true\n[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"sparse+https://m/\"\n[registries.own]\nindex = \"x\"\ntoken = \"s3cret\"\n[registry]\ntoken = \"t\"\n";
        assert_eq!(
            sources_of(config),
            "[source.crates-io]\nreplace-with = \"mirror\"\n[source.mirror]\nregistry = \"sparse+https://m/\"\n[registries.own]\nindex = \"x\"\n"
        );
    }
}
