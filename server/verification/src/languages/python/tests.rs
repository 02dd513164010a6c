//! Examples, doctests and the project's own tests of a Python function.
//!
//! The tests run in a copy of the project with the edit applied (`languages/carried.rs` says what it holds).

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use zeroerr_core::verdict::{Layer, LayerReport};

use super::harness::{self, Mode, Trouble};
use super::load::hindered;
use super::performance::replaced;
use super::probe::read;
use crate::fingerprint::Broken;
use crate::languages::carried::Carried;
use crate::languages::{CheckError, Subject};
use crate::layers::Failure;
use crate::layers::tests::{Facts, judge};
use crate::toolchain::Toolchain;

/// Most test files that are run.
const MAX_SUITES: usize = 40;
/// Code, which is carried before data.
const CODE: [&str; 5] = ["py", "pyi", "toml", "ini", "cfg"];
/// Folders that are nobody's project.
const FOREIGN: &[&str] = &["node_modules", "venv", "env", "site-packages", "__pycache__", "build", "dist"];

/// Runs the layer.
pub async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match run(tools, subject).await {
        Ok(report) => report,
        Err(trouble) => Failure::from(trouble).report(Layer::Tests),
    }
}

async fn run(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Trouble> {
    let environment = tools.python()?;
    let scratch = tools.scratch()?;
    let root = scratch.path().join("project");
    let copy = Copy::make(subject, &root)?;
    let (suite, left) = suite(subject, &copy);
    let reaches = !suite["files"].as_array().is_none_or(Vec::is_empty);
    if subject.task.spec.examples.is_empty() && !reaches {
        return Ok(judge(subject, &Facts::default()));
    }
    let request = harness::request(subject, &root, &copy.file, json!({"suite": suite}));
    let answer = harness::run(tools, scratch.path(), Mode::Tests, request).await?;
    let broken: Option<Broken> = read(answer["broken"].clone())?;
    if let Some(error) = hindered(subject, broken.as_ref()) {
        return Err(error.into());
    }
    let mut facts: Facts = read(answer)?;
    let left = match left {
        0 => None,
        1 => Some("1 more test file that names it was not run".to_owned()),
        n => Some(format!("{n} more test files that name it were not run")),
    };
    let missed: Vec<String> = left.into_iter().chain(copy.carried.missed(facts.has_failed())).collect();
    facts.missed = (!missed.is_empty()).then(|| missed.join("; "));
    let mut named = vec![environment.named("python")];
    if facts.project.is_some() {
        named.push(environment.named("pytest"));
    }
    Ok(LayerReport { tools: named, ..judge(subject, &facts) })
}

/// The project's tests that mention the function or its module, for the harness, and how many files were too many.
fn suite(subject: &Subject, copy: &Copy) -> (Value, usize) {
    let function = subject.task.signature.name.as_str();
    let module = copy.file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let words = [function, subject.task.class.as_deref().unwrap_or(function), &module];
    // Those that name the function itself come first.
    let named = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).ok()?;
        words.iter().position(|w| mentions_word(&text, w)).map(|at| at > 0)
    };
    let others = copy.tests.iter().filter(|p| **p != copy.file);
    let mut files: Vec<(bool, &PathBuf)> = others.filter_map(|p| Some((named(p)?, p))).collect();
    files.sort_by_key(|(is_indirect, _)| *is_indirect);
    let left = files.len().saturating_sub(MAX_SUITES);
    let files: Vec<&PathBuf> = files.into_iter().take(MAX_SUITES).map(|(_, path)| path).collect();
    let top = copy.file.parent().unwrap_or(&copy.root);
    let suite = json!({
        "root": copy.root,
        "files": files,
        "path": copy.file,
        "paths": harness::search_paths(&copy.root, top),
        "previous": replaced(subject).map(|_| subject.previous.to_string()),
    });
    (suite, left)
}

fn mentions_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
}

/// A copy of a project.
struct Copy {
    root: PathBuf,
    file: PathBuf,
    tests: Vec<PathBuf>,
    carried: Carried,
}

impl Copy {
    fn make(subject: &Subject, root: &Path) -> Result<Self, CheckError> {
        let name = subject.task.file.file_name().unwrap_or_else(|| "edited.py".as_ref());
        let inside = subject.workspace.as_deref().and_then(|w| subject.task.file.strip_prefix(w).ok());
        let file = root.join(inside.unwrap_or_else(|| Path::new(name)));
        let mut copy = Self { root: root.to_path_buf(), file, tests: Vec::new(), carried: Carried::default() };
        if let Some(workspace) = subject.workspace.as_deref().filter(|_| inside.is_some()) {
            copy.project(workspace)?;
        }
        put(&copy.file, subject.task.source.as_bytes())?;
        copy.tests.sort();
        Ok(copy)
    }

    /// Copies what the bounds let in; links are not followed.
    fn project(&mut self, workspace: &Path) -> Result<(), CheckError> {
        let carried = carried(workspace);
        for (path, below) in &carried.files {
            let to = self.root.join(below);
            let Ok(content) = std::fs::read(path) else { continue };
            put(&to, &content)?;
            if is_test(&to) {
                self.tests.push(to);
            }
        }
        self.carried = carried;
        Ok(())
    }
}

/// A hash of all that the project's tests could read.
pub fn project_hash(subject: &Subject) -> String {
    let inside = subject.workspace.as_deref().filter(|w| subject.task.file.starts_with(w));
    let mut hasher = Sha256::new();
    for (path, below) in inside.map(|w| carried(w).files).unwrap_or_default() {
        for part in [below.as_os_str().as_encoded_bytes(), &std::fs::read(path).unwrap_or_default()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// The files of a project that a copy of it holds.
fn carried(workspace: &Path) -> Carried {
    Carried::read(workspace, FOREIGN, |ending| CODE.contains(&ending))
}

fn is_test(path: &Path) -> bool {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"))
}

fn put(path: &Path, content: &[u8]) -> Result<(), CheckError> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, content))
        .map_err(|e| CheckError(format!("cannot write {}: {e}; free some space or set TMPDIR", path.display())))
}
