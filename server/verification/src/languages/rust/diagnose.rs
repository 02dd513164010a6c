//! What the compiler and clippy say of a file as it stands in its project: asked once per text, since
//! two layers read the answer.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tokio::sync::OnceCell;
use zeroerr_sandbox::{Exit, Output};

use super::build::Speed;
use super::compiler::{Message, messages};
use super::compiling::{self, BuildError, Run};
use super::project;
use super::session::State;
use super::targets::Place;
use super::toolchain::RustTools;
use super::workspace::{Copy, Held, Workspace, complaint};
use crate::languages::Subject;
use crate::toolchain::Toolchain;

/// Texts whose messages are kept.
const KEPT: usize = 64;

/// Everything that was said of one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Diagnosis {
    /// About the file.
    pub own: Vec<Message>,
    /// Errors in other files.
    pub elsewhere: Vec<String>,
    /// Whether the project says itself which lints it wants.
    pub configured: bool,
    /// Whether clippy was asked, or only the compiler.
    pub by_clippy: bool,
}

type Slot = Arc<OnceCell<Result<Diagnosis, BuildError>>>;

/// The texts that were asked about last.
#[derive(Debug, Default)]
pub(super) struct Diagnoses(Mutex<VecDeque<(String, Slot)>>);

impl Diagnoses {
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

    fn forget(&self, slot: &Slot) {
        if let Ok(mut all) = self.0.lock() {
            all.retain(|(_, s)| !Arc::ptr_eq(s, slot));
        }
    }
}

/// Lints where the project names none. An objection blocks an edit, so these are faults of behaviour
/// only: what the compiler itself warns of and clippy's groups for code that is wrong or suspicious.
/// Taste is the project's business.
const OWN_LINTS: &[&str] = &[
    "-Aclippy::all",
    "-Wclippy::correctness",
    "-Wclippy::suspicious",
    // What nothing uses yet is no fault of a function that was just written.
    "-Adead_code",
    "-Anonstandard_style",
];

/// What is said of `text` in the place of the subject's file.
///
/// # Errors
/// When it could not be asked.
pub(super) async fn of(
    state: &State,
    tools: &Toolchain,
    subject: &Subject,
    text: &str,
) -> Result<Diagnosis, BuildError> {
    let rust = state.rust(tools).await?;
    let project = state.projects.of(tools, subject, Speed::Checked);
    let beside = match &project {
        Some(project) => project.stamp(),
        None => project::surroundings_hash(subject),
    };
    let slot = state.lints.slot(format!("{}\0{beside}\0{text}", subject.task.file.display()));
    let result = slot.get_or_init(|| ask(project, tools, rust, subject, text)).await.clone();
    // What the machine lacked may be there next time.
    if result.is_err() {
        state.lints.forget(&slot);
    }
    result
}

async fn ask(
    project: Option<Arc<Workspace>>,
    tools: &Toolchain,
    rust: &RustTools,
    subject: &Subject,
    text: &str,
) -> Result<Diagnosis, BuildError> {
    match project {
        Some(project) => {
            let held = project.hold(Copy::Plain).await?;
            let place = held.place_of(tools, rust, subject).await?;
            in_project(tools, rust, &held, &place, text).await
        }
        None => alone(tools, rust, subject, text).await,
    }
}

async fn in_project(
    tools: &Toolchain,
    rust: &RustTools,
    held: &Held<'_>,
    place: &Place,
    text: &str,
) -> Result<Diagnosis, BuildError> {
    let configured = is_configured(held, place);
    held.put(&place.file, text)?;
    let by_clippy = rust.program("cargo-clippy").is_ok() && rust.program("clippy-driver").is_ok();
    let (program, command) = if by_clippy { ("cargo-clippy", "clippy") } else { ("cargo", "check") };
    let mut args = vec![command, "-p", &place.package, "--offline", "--message-format=json"];
    args.extend(place.target.iter().map(String::as_str));
    if by_clippy && !configured {
        args.push("--");
        args.extend(OWN_LINTS);
    }
    let output = held.cargo(tools, rust, program, &args, 400).await?;
    let (own, elsewhere) = messages(&output.stdout, &place.file);
    // cargo itself fails with 101 when the code has errors, and so does clippy with denied lints.
    let explained = own.iter().any(|m| m.is_error) || !elsewhere.is_empty();
    if output.exit != Exit::Code(0) && !explained {
        return Err(BuildError::Unavailable(format!("cargo: {}", complaint(&output))));
    }
    let ended = String::from_utf8_lossy(&output.stdout).lines().any(|l| l.contains("\"build-finished\""));
    if output.exit == Exit::Code(0) && !ended {
        return Err(BuildError::Unavailable(format!("{program} ended without a result; run `cargo {command}`")));
    }
    Ok(Diagnosis { own, elsewhere, configured, by_clippy })
}

/// Whether a project has an opinion on lints: in its manifests, in clippy's file, or in the crate's root.
fn is_configured(held: &Held<'_>, place: &Place) -> bool {
    let manifests = [Path::new("Cargo.toml").to_path_buf(), place.folder.join("Cargo.toml")];
    let in_manifest = |p: &std::path::PathBuf| {
        held.text(p).is_some_and(|t| {
            t.lines().any(|l| l.trim_start().starts_with("[lints") || l.trim_start().starts_with("[workspace.lints"))
        })
    };
    let files = ["clippy.toml", ".clippy.toml"].map(Path::new);
    let by_file = files.iter().any(|f| held.text(f).is_some() || held.text(&place.folder.join(f)).is_some());
    let root = held.text(&place.crate_root).unwrap_or_default();
    let in_root = root.lines().any(|l| {
        let squeezed: String = l.split_whitespace().collect();
        ["#![warn(", "#![deny(", "#![forbid("].iter().any(|w| squeezed.starts_with(w)) && squeezed.contains("clippy")
    });
    manifests.iter().any(in_manifest) || by_file || in_root
}

async fn alone(tools: &Toolchain, rust: &RustTools, subject: &Subject, text: &str) -> Result<Diagnosis, BuildError> {
    let scratch = tools.scratch()?;
    let file = project::alone(subject, text, scratch.path())?;
    let by_clippy = rust.program("clippy-driver").is_ok();
    let program = if by_clippy { rust.program("clippy-driver")? } else { rust.program("rustc")? };
    let mut args: Vec<OsString> = project::flags(subject);
    let kind = if has_main(text) { "bin" } else { "lib" };
    args.extend(["--crate-type", kind, "--emit=metadata", "--error-format=json", "-o", "out"].map(Into::into));
    args.extend(OWN_LINTS.iter().filter(|l| by_clippy || !l.contains("clippy")).map(Into::into));
    args.push(file.clone().into());
    // clippy-driver finds the standard library by itself only where rustup put it.
    args.extend(["--sysroot".into(), rust.sysroot.clone().into()]);
    let run = Run { program, args, env: Vec::new(), readable: rust.readable(), seconds: 60 };
    let output = compiling::run(tools, run, scratch.path()).await?;
    let (own, elsewhere) = messages(&output.stderr, &file);
    let explained = own.iter().any(|m| m.is_error) || !elsewhere.is_empty();
    if output.exit != Exit::Code(0) && !explained {
        return Err(BuildError::Unavailable(format!("rustc ended with {:?}: {}", output.exit, last(&output))));
    }
    // Who has nothing to say has at least read the file.
    if output.exit == Exit::Code(0) && !scratch.path().join("out").is_file() {
        let name = if by_clippy { "clippy-driver" } else { "rustc" };
        let remedy = "run `rustup toolchain install stable`";
        return Err(BuildError::Unavailable(format!("{name} ended without a result; {remedy}")));
    }
    Ok(Diagnosis { own, elsewhere, configured: false, by_clippy })
}

fn has_main(text: &str) -> bool {
    super::glue::without_main(text) != text
}

fn last(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr)
        .lines()
        .rfind(|l| !l.trim().is_empty())
        .unwrap_or("it said nothing")
        .to_owned()
}
