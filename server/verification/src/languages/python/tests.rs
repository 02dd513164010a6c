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
use super::place::{module_name, search_paths};
use super::probe::read;
use super::{metadata, project};
use crate::fingerprint::Broken;
use crate::languages::carried::Carried;
use crate::languages::{CheckError, Subject};
use crate::layers::Failure;
use crate::layers::tests::{Facts, judge};
use crate::toolchain::Toolchain;

/// Most files that may be tests and are handed to the harness, which runs some of them.
const MAX_SUITES: usize = 400;
/// Code, which is carried before data.
const CODE: [&str; 5] = ["py", "pyi", "toml", "ini", "cfg"];
/// Files that may say which files are tests.
const SETTINGS: [&str; 5] = ["pytest.toml", "pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg"];

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
    let suite = suite(subject, &copy);
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
    let left = answer["pytest"]["left"].as_u64().unwrap_or(0);
    let options: Vec<String> = read(answer["pytest"]["left_out"].clone()).unwrap_or_default();
    let mut facts: Facts = read(answer)?;
    let left = match left {
        0 => None,
        1 => Some("1 more test file that names it was not run".to_owned()),
        n => Some(format!("{n} more test files that name it were not run")),
    };
    let options = (!options.is_empty())
        .then(|| format!("left out, since it needs a plugin of pytest that is not here: {}", options.join(", ")));
    let missed: Vec<String> = left.into_iter().chain(options).chain(copy.carried.missed(facts.has_failed())).collect();
    facts.missed = (!missed.is_empty()).then(|| missed.join("; "));
    let mut named = vec![environment.named("python")];
    if facts.project.is_some() {
        named.push(environment.named("pytest"));
    }
    Ok(LayerReport { tools: named, ..judge(subject, &facts) })
}

/// The files of the project's that mention the function or its module and may be tests, for the harness.
fn suite(subject: &Subject, copy: &Copy) -> Value {
    let function = subject.task.signature.name.as_str();
    let module = copy.file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned());
    let words = [function, subject.task.class.as_deref().unwrap_or(function), &module];
    // Those that name the function itself come first.
    let named = |path: &PathBuf| {
        let text = std::fs::read_to_string(path).ok()?;
        words.iter().position(|w| mentions_word(&text, w)).map(|at| at > 0)
    };
    let others = copy.python.iter().filter(|p| **p != copy.file && (copy.names_tests || is_test(p)));
    let mut files: Vec<(bool, &PathBuf)> = others.filter_map(|p| Some((named(p)?, p))).collect();
    files.sort_by_key(|(is_indirect, _)| *is_indirect);
    let files: Vec<&PathBuf> = files.into_iter().take(MAX_SUITES).map(|(_, path)| path).collect();
    let source = &subject.task.source;
    let (_, top) = module_name(&copy.root, &copy.file, source);
    let folder = copy.file.parent().filter(|f| *f != top);
    json!({
        "root": copy.root,
        "files": files,
        "path": copy.file,
        "paths": search_paths(&copy.root, &copy.file, source),
        // A package's own modules stand behind all others: one may be called like one of the library.
        "behind": folder.into_iter().collect::<Vec<_>>(),
        "old": &*subject.previous,
        "previous": replaced(subject).map(|_| subject.previous.to_string()),
    })
}

fn mentions_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word)
}

/// A copy of a project.
struct Copy {
    root: PathBuf,
    file: PathBuf,
    /// Its files of Python.
    python: Vec<PathBuf>,
    /// Whether the project says itself what its files of tests are called.
    names_tests: bool,
    carried: Carried,
}

impl Copy {
    fn make(subject: &Subject, root: &Path) -> Result<Self, CheckError> {
        let file = root.join(project::relative_file(subject));
        let carried = carried(subject);
        let mut copy = Self { root: root.to_path_buf(), file, python: Vec::new(), names_tests: false, carried };
        copy.fill()?;
        put(&copy.file, subject.task.source.as_bytes())?;
        copy.python.sort();
        metadata::install(subject, root).map_err(|e| project::unwritable(root, &e))?;
        Ok(copy)
    }

    /// Copies what the bounds let in; links are not followed.
    fn fill(&mut self) -> Result<(), CheckError> {
        for (path, below) in &self.carried.files {
            let to = self.root.join(below);
            let Ok(content) = std::fs::read(path) else { continue };
            put(&to, &content)?;
            let is_settings = to.file_name().and_then(|n| n.to_str()).is_some_and(|n| SETTINGS.contains(&n));
            self.names_tests |= is_settings && String::from_utf8_lossy(&content).contains("python_files");
            if to.extension().is_some_and(|e| e == "py") {
                self.python.push(to);
            }
        }
        Ok(())
    }
}

/// A hash of all that the project's tests could read.
pub fn project_hash(subject: &Subject) -> String {
    let mut hasher = Sha256::new();
    for (path, below) in carried(subject).files {
        for part in [below.as_os_str().as_encoded_bytes(), &std::fs::read(path).unwrap_or_default()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// The files that a copy of a project holds; of a file that belongs to none what it imports. A module that is kept out
/// of the repository, since it is made when the project is built, is not kept out of the copy.
fn carried(subject: &Subject) -> Carried {
    let home = project::home(subject);
    let is_inside = subject.workspace.as_deref().is_some_and(|w| subject.task.file.starts_with(w));
    let mut carried = if is_inside {
        Carried::read_without(&home, project::is_foreign, |ending| CODE.contains(&ending))
    } else {
        Carried::default()
    };
    let needed = project::neighbours(subject, &subject.task.source).into_iter();
    let below: Vec<PathBuf> = needed.filter_map(|p| p.strip_prefix(&home).map(Path::to_path_buf).ok()).collect();
    carried.admit(&home, &below);
    carried
}

/// Whether pytest takes a file for one of tests where nobody says otherwise.
fn is_test(path: &Path) -> bool {
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"))
}

fn put(path: &Path, content: &[u8]) -> Result<(), CheckError> {
    let folder = path.parent().unwrap_or(path);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(path, content))
        .map_err(|e| project::unwritable(path, &e))
}
