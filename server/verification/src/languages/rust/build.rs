//! Compiles the file under test with the generated code: once per text, whoever asks, and again
//! without the pieces that do not compile.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;
use zeroerr_core::code::Task;
use zeroerr_sandbox::{Exit, Output};

use super::compiler::{Message, messages};
use super::compiling::{BuildError, Run, run};
use super::glue::{Glued, Plan, Probe};
use super::targets::Place;
use super::toolchain::{HARNESS, RustTools};
use super::workspace::{Copy, Held, Workspaces, complaint};
use super::{modules, project};
use crate::languages::{CheckError, Subject};
use crate::toolchain::Toolchain;

/// Programs that are kept; each is some megabytes.
const KEPT: usize = 16;
/// How often a piece is left out before it is enough.
const ROUNDS: usize = 6;

/// A program that answers the harness's questions about one function.
#[derive(Debug)]
pub(super) struct Built {
    folder: tempfile::TempDir,
    /// Pieces that do not compile, and why.
    pub dropped: Vec<(Probe, String)>,
    /// What keeps inputs from being made up, in words; empty when nothing does.
    pub unmade: String,
    /// Whether the function can be told to be wrong.
    pub can_be_wrong: bool,
    /// What the constants around the function are: `N = 3`.
    pub constants: String,
}

impl Built {
    /// The program.
    pub fn program(&self) -> PathBuf {
        self.folder.path().join("subject")
    }

    /// The folder that a job must be able to read to run it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Why a piece does not compile, if it does not.
    pub fn fault(&self, probe: Probe) -> Option<&str> {
        self.dropped.iter().find(|(p, _)| *p == probe).map(|(_, why)| why.as_str())
    }
}

/// How much the compiler is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Speed {
    /// As a developer's own build: quick to make, with every overflow a panic.
    Checked,
    /// As it will be shipped.
    Optimised,
}

type Slot = Arc<OnceCell<Result<Arc<Built>, BuildError>>>;

/// The programs that were built last.
#[derive(Debug, Default)]
pub(super) struct Builds(Mutex<VecDeque<(String, Slot)>>);

impl Builds {
    /// The program for a subject; compiled once, however many ask.
    ///
    /// # Errors
    /// [`BuildError`].
    pub async fn get(
        &self,
        tools: &Toolchain,
        rust: &RustTools,
        subject: &Subject,
        projects: &Workspaces,
        speed: Speed,
    ) -> Result<Arc<Built>, BuildError> {
        let task = &subject.task;
        let around = match projects.of(tools, subject, speed) {
            Some(project) => project.stamp(),
            None => project::surroundings_hash(subject),
        };
        let key = format!(
            "{speed:?} {} {} {} {around} {}",
            task.signature.name,
            task.function_range.start,
            task.file.display(),
            &*task.source
        );
        let slot = self.slot(key);
        let result = slot
            .get_or_init(|| async { build(tools, rust, subject, projects, speed).await.map(Arc::new) })
            .await
            .clone();
        // What the machine lacked may be there next time.
        if matches!(result, Err(BuildError::Unavailable(_) | BuildError::TimedOut(_)))
            && let Ok(mut all) = self.0.lock()
        {
            all.retain(|(_, s)| !Arc::ptr_eq(s, &slot));
        }
        result
    }

    fn slot(&self, key: String) -> Slot {
        let Ok(mut all) = self.0.lock() else { return Slot::default() };
        if let Some((_, slot)) = all.iter().find(|(k, _)| *k == key) {
            return slot.clone();
        }
        if all.len() >= KEPT {
            all.pop_front();
        }
        let slot = Slot::default();
        all.push_back((key, slot.clone()));
        slot
    }
}

/// Where and how one subject is compiled.
struct Bench<'a> {
    tools: &'a Toolchain,
    rust: &'a RustTools,
    subject: &'a Subject,
    speed: Speed,
}

async fn build(
    tools: &Toolchain,
    rust: &RustTools,
    subject: &Subject,
    projects: &Workspaces,
    speed: Speed,
) -> Result<Built, BuildError> {
    let task: &Task = &subject.task;
    let bench = Bench { tools, rust, subject, speed };
    let mut plan = Plan::read(task).map_err(BuildError::Unavailable)?;
    // What is shipped is measured, and nothing of ours is in its way.
    if speed == Speed::Optimised {
        plan.without(Probe::Wrong);
    }
    let folder = tools.scratch()?;
    let program = folder.path().join("subject");
    let project = projects.of(tools, subject, speed);
    let held = match &project {
        Some(project) => {
            let held = project.hold(Copy::Glued).await?;
            let place = held.place_of(tools, rust, subject).await?;
            Some((held, place))
        }
        None => None,
    };
    let mut dropped: Vec<(Probe, String)> = Vec::new();
    for _ in 0..ROUNDS {
        let is_root = held.as_ref().is_none_or(|(_, place)| !place.is_library && place.file == place.crate_root);
        // What its documentation calls the crate, where it is one that others use.
        let own = match &held {
            Some((_, place)) => place.is_library.then(|| place.crate_name.clone()),
            None => Some(project::crate_name(subject)),
        };
        let glued = plan.glued(is_root, own.as_deref());
        let found = match &held {
            Some((held, place)) => bench.in_project(held, place, &plan, &glued, &program).await,
            None => bench.alone(&glued, &program).await,
        };
        // Another line or file may need that the compiler can evaluate the function.
        if matches!(found, Err(BuildError::Broken(..))) && plan.can_be_wrong() && glued.wrong_is_felt_elsewhere {
            plan.without(Probe::Wrong);
            continue;
        }
        let Some(errors) = found? else {
            let (unmade, can_be_wrong, constants) = (plan.unmade(), plan.can_be_wrong(), plan.constants());
            return Ok(Built { folder, dropped, unmade, can_be_wrong, constants });
        };
        let faults = sorted(&glued, &errors)?;
        if faults.iter().any(|(probe, _)| *probe == Probe::Presence) {
            return Err(BuildError::Unavailable(format!(
                "`{}` is left out of this build by a `cfg`, so nothing of it can be run here",
                task.signature.name
            )));
        }
        if faults.is_empty() {
            let first = errors.first().map_or_else(|| "it said nothing".to_owned(), |m| m.text.clone());
            return Err(BuildError::Unavailable(format!(
                "the code around `{}` does not compile: {first}",
                task.signature.name
            )));
        }
        for (probe, why) in faults {
            plan.without(probe);
            dropped.push((probe, why));
        }
    }
    Err(BuildError::Unavailable(format!("the spec of `{}` does not compile", task.signature.name)))
}

/// The pieces that errors are about.
///
/// # Errors
/// [`BuildError::Broken`] when the file itself is at fault.
fn sorted(glued: &Glued, errors: &[Message]) -> Result<Vec<(Probe, String)>, BuildError> {
    let mut faults: Vec<(Probe, String)> = Vec::new();
    // Whether the line is at fault itself shows without what was added to it.
    if let Some(error) = errors.iter().find(|e| glued.wrong_is_felt_elsewhere || glued.wrong.contains(&e.line)) {
        return Ok(vec![(Probe::Wrong, error.text.clone())]);
    }
    for error in errors {
        if !glued.lines.contains(&error.line) {
            let count = glued.lines.len();
            let line = if error.line >= glued.lines.end { error.line - count } else { error.line };
            return Err(BuildError::Broken(error.text.clone(), line));
        }
        if let Some((_, probe)) = glued.marks.iter().find(|(lines, _)| lines.contains(&error.line))
            && !faults.iter().any(|(p, _)| p == probe)
        {
            faults.push((*probe, error.text.clone()));
        }
    }
    Ok(faults)
}

impl Bench<'_> {
    /// Compiles a file of its own; its errors when it does not compile.
    async fn alone(&self, glued: &Glued, program: &Path) -> Result<Option<Vec<Message>>, BuildError> {
        let scratch = self.tools.scratch()?;
        let file = project::alone(self.subject, &glued.text, scratch.path())?;
        let mut args: Vec<OsString> = project::flags(self.subject);
        args.extend(["--crate-type", "bin", "--error-format=json", "-C", "debuginfo=0"].map(Into::into));
        args.extend(match self.speed {
            Speed::Checked => {
                ["-C", "opt-level=0", "-C", "overflow-checks=on", "-C", "debug-assertions=on"].map(OsString::from)
            }
            Speed::Optimised => {
                ["-C", "opt-level=3", "-C", "overflow-checks=off", "-C", "codegen-units=1"].map(OsString::from)
            }
        });
        args.extend(self.harness());
        args.extend(["-o".into(), "subject".into(), file.clone().into()]);
        let output = self.rustc(args, Vec::new(), scratch.path()).await?;
        if output.exit == Exit::Code(0) {
            install(&scratch.path().join("subject"), program)?;
            return Ok(None);
        }
        errors_of(&output, &file).map(Some)
    }

    /// What makes the harness known, and the lints of the project unheard: they are another layer's.
    fn harness(&self) -> Vec<OsString> {
        let library = self.rust.library();
        vec!["--cap-lints".into(), "allow".into(), "--extern".into(), format!("{HARNESS}={}", library.display()).into()]
    }

    async fn rustc(&self, args: Vec<OsString>, more: Vec<PathBuf>, scratch: &Path) -> Result<Output, BuildError> {
        let mut readable = self.rust.readable();
        readable.extend(more);
        let program = self.rust.sysroot.join("bin/rustc");
        run(self.tools, Run { program, args, env: Vec::new(), readable, seconds: 60 }, scratch).await
    }

    /// Compiles a file where it stands in its project.
    async fn in_project(
        &self,
        held: &Held<'_>,
        place: &Place,
        plan: &Plan,
        glued: &Glued,
        program: &Path,
    ) -> Result<Option<Vec<Message>>, BuildError> {
        put(held, place, plan, glued)?;
        let harness: Vec<String> = self.harness().into_iter().map(|a| a.to_string_lossy().into_owned()).collect();
        let mut args = vec!["rustc", "-p", &place.package, "--offline", "--message-format=json"];
        args.extend(place.target.iter().map(String::as_str));
        args.extend(place.is_library.then_some(["--crate-type", "rlib"]).into_iter().flatten());
        args.extend((self.speed == Speed::Optimised).then_some("--release"));
        args.push("--");
        args.extend(harness.iter().map(String::as_str));
        let output = held.cargo(self.tools, self.rust, "cargo", &args, 400).await?;
        if output.exit != Exit::Code(0) {
            return errors_of(&output, &place.file).map(Some).map_err(|error| match error {
                BuildError::Unavailable(_) => BuildError::Unavailable(format!("cargo: {}", held.complaint(&output))),
                other => other,
            });
        }
        let made = Made::read(held, &output.stdout, &place.crate_name);
        if !place.is_library {
            let own = made.executable.ok_or_else(|| BuildError::Unavailable("cargo made no program".into()))?;
            install(&own, program)?;
            return Ok(None);
        }
        let library = made.library.ok_or_else(|| BuildError::Unavailable("cargo made no library".into()))?;
        self.link(held, place, &library, &made.searched, program).await?;
        Ok(None)
    }

    /// Makes a program of a library: its `main` is the one that was added to the root.
    async fn link(
        &self,
        held: &Held<'_>,
        place: &Place,
        library: &Path,
        searched: &[String],
        program: &Path,
    ) -> Result<(), BuildError> {
        let scratch = self.tools.scratch()?;
        let name = &place.crate_name;
        project::write(&scratch.path().join("main.rs"), &format!("fn main() {{ {name}::__zeroerr_main() }}\n"))?;
        let deps = library.parent().map(|p| if p.ends_with("deps") { p.to_path_buf() } else { p.join("deps") });
        let mut args: Vec<OsString> =
            ["--edition", "2021", "-C", "debuginfo=0", "-o", "subject", "main.rs", "--extern"].map(Into::into).to_vec();
        args.push(format!("{name}={}", library.display()).into());
        args.extend(["-L".into(), format!("dependency={}", deps.unwrap_or_default().display()).into()]);
        args.extend(["-L".into(), self.rust.harness.clone().into()]);
        args.extend(searched.iter().flat_map(|path| ["-L".into(), OsString::from(path)]));
        let output = self.rustc(args, vec![held.target()], scratch.path()).await?;
        if output.exit != Exit::Code(0) {
            return Err(BuildError::Unavailable(format!("the library cannot be linked: {}", complaint(&output))));
        }
        install(&scratch.path().join("subject"), program)
    }
}

/// Puts the generated code into the project's copy, with a way to it from the crate's root.
fn put(held: &Held<'_>, place: &Place, plan: &Plan, glued: &Glued) -> Result<(), CheckError> {
    let outer: String = place.way.iter().flat_map(|(_, d)| &d.path).map(|name| format!("{name}::")).collect();
    let call = format!("{outer}{}{}::main()", plan.path(), super::glue::MODULE);
    let entry = match place.is_library {
        true => format!("\n#[doc(hidden)] pub fn __zeroerr_main() {{ {call} }}\n"),
        false => format!("\nfn main() {{ {call} }}\n"),
    };
    for (at, (file, declared)) in place.way.iter().enumerate() {
        let text = held.text(file).unwrap_or_default();
        let mut text = modules::opened(&text, declared);
        if at == 0 {
            text = if place.is_library { text } else { super::glue::without_main(&text) };
            text.push_str(&entry);
        }
        held.put(file, &text)?;
    }
    let own =
        if place.way.is_empty() && place.is_library { format!("{}{entry}", glued.text) } else { glued.text.clone() };
    held.put(&place.file, &own)
}

/// What cargo made.
#[derive(Debug, Default)]
struct Made {
    library: Option<PathBuf>,
    executable: Option<PathBuf>,
    /// Where build scripts said that libraries lie.
    searched: Vec<String>,
}

impl Made {
    fn read(held: &Held<'_>, messages: &[u8], name: &str) -> Self {
        let mut out = Self::default();
        for line in String::from_utf8_lossy(messages).lines() {
            let Ok(message) = serde_json::from_str::<serde_json::Value>(line) else { continue };
            let texts = |key: &str| -> Vec<String> {
                let all = message[key].as_array().into_iter().flatten();
                all.filter_map(|v| v.as_str().map(str::to_owned)).collect()
            };
            match message["reason"].as_str() {
                Some("build-script-executed") => out.searched.extend(texts("linked_paths")),
                Some("compiler-artifact") => {
                    let own = message["target"]["name"].as_str().unwrap_or("").replace('-', "_") == name;
                    let library = texts("filenames").into_iter().find(|f| f.ends_with(".rlib"));
                    if own && library.is_some() {
                        out.library = library.map(PathBuf::from);
                    }
                    let program = message["executable"].as_str().map(PathBuf::from);
                    out.executable = program.filter(|file| held.has_made(file)).or(out.executable);
                }
                _ => {}
            }
        }
        out
    }
}

/// Copies a program to where jobs may read and start it.
///
/// # Errors
/// When it cannot be written.
pub(super) fn install(from: &Path, to: &Path) -> Result<(), BuildError> {
    let copied = std::fs::copy(from, to).and_then(|_| {
        let mut mode = std::fs::metadata(to)?.permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut mode, 0o755);
        std::fs::set_permissions(to, mode)
    });
    copied.map_err(|e| BuildError::Unavailable(format!("cannot write {}: {e}; free some space", to.display())))
}

/// The errors that the compiler reported about a file.
///
/// # Errors
/// When it reports none and still failed.
pub(super) fn errors_of(output: &Output, file: &Path) -> Result<Vec<Message>, BuildError> {
    let said: Vec<u8> = output.stdout.iter().chain(&output.stderr).copied().collect();
    let (own, other) = messages(&said, file);
    let errors: Vec<Message> = own.into_iter().filter(|m| m.is_error).collect();
    if !errors.is_empty() {
        return Ok(errors);
    }
    let last = String::from_utf8_lossy(&output.stderr).lines().rfind(|l| !l.trim().is_empty()).unwrap_or("").to_owned();
    Err(match other.into_iter().next() {
        Some(elsewhere) => BuildError::Broken(elsewhere, 0),
        None => BuildError::Unavailable(format!("rustc ended with {:?}: {last}", output.exit)),
    })
}

/// The first error that cargo passed on, whichever file it is about.
pub(super) fn errors_anywhere(output: &Output) -> Option<String> {
    let (_, errors) = messages(&output.stdout, Path::new("\0"));
    errors.into_iter().next()
}

/// The program that cargo made.
pub(super) fn executable(held: &Held<'_>, messages: &[u8]) -> Option<PathBuf> {
    Made::read(held, messages, "").executable
}
