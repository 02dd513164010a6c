//! Examples, JSDoc examples and the project's own tests of a TypeScript function.
//!
//! The tests run in a copy of the project with the edit applied (`languages/carried.rs` says what it holds); packages
//! are linked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use zeroerr_core::verdict::{Layer, LayerReport};

use super::harness::{self, Mode, Trouble};
use super::performance::replaced;
use super::probe::{missing_import, read};
use super::project::{Mirror, relative_file, write};
use super::reaching::reaching;
use crate::fingerprint::Broken;
use crate::languages::carried::Carried;
use crate::languages::{CheckError, Subject};
use crate::layers::Failure;
use crate::layers::tests::{Facts, judge};
use crate::toolchain::Toolchain;

/// Most test files that are run.
const MAX_SUITES: usize = 20;
/// Code, which is carried before data.
const CODE: [&str; 9] = ["ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "json"];
/// Frameworks whose tests are run when the project has them, and the scripts that start them.
const RUNNERS: [(&str, &str); 3] = [("jest", "bin/jest.js"), ("mocha", "bin/mocha.js"), ("vitest", "vitest.mjs")];
/// What our own placeholder throws.
const MARKER: &str = "this placeholder is zeroerr's";
/// Folders that are nobody's project.
const FOREIGN: &[&str] = &["node_modules", "build", "dist", "coverage", "out"];

/// Runs the layer.
pub(super) async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match run(tools, subject).await {
        Ok(report) => report,
        Err(trouble) => Failure::from(trouble).report(Layer::Tests),
    }
}

async fn run(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Trouble> {
    let asked = harness::ask_with(tools, subject, Mode::Tests, |mirror| prepare(tools, subject, mirror)).await?;
    let Some((answer, (named, carried, left))) = asked else { return Ok(judge(subject, &Facts::default())) };
    let broken: Option<Broken> = read(answer["broken"].clone())?;
    if let Some(error) = missing_import(subject, broken.as_ref().map_or("", |b| &b.3)) {
        return Err(error.into());
    }
    let mut facts: Facts = read(answer)?;
    let left = match left {
        0 => None,
        1 => Some("1 more test file that imports it was not run".to_owned()),
        n => Some(format!("{n} more test files that import it were not run")),
    };
    let missed: Vec<String> = left.into_iter().chain(carried.missed(facts.has_failed())).collect();
    facts.missed = (!missed.is_empty()).then(|| missed.join("; "));
    Ok(LayerReport { tools: named, ..judge(subject, &facts) })
}

/// The tools that a run names, what of the project it holds, and how many test files are left out.
type Prepared = (Vec<String>, Carried, usize);

/// What is asked of a copy of the project; `None` without an example and a test.
fn prepare(tools: &Toolchain, subject: &Subject, mirror: &Mirror) -> Result<Option<(Value, Prepared)>, Trouble> {
    let (files, carried) = project(subject, &mirror.root)?;
    let mut suites = reaching(&mirror.root, &files, &moved(subject, mirror), &mirror.tsconfig);
    let left = suites.len().saturating_sub(MAX_SUITES);
    suites.truncate(MAX_SUITES);
    if subject.task.spec.examples.is_empty() && suites.is_empty() {
        return Ok(None);
    }
    let runners: BTreeMap<&str, PathBuf> = mirror.packages.as_deref().map(runners).unwrap_or_default();
    let mut named = vec![tools.node()?.named("node")];
    named.extend(runners.iter().filter_map(|(name, path)| Some(format!("{name} {}", version_above(path)?))));
    let suite = json!({
        "files": suites,
        "packages": runners,
        "command": test_command(&mirror.root),
        "previous": previous(subject),
        "hollow": harness::hollow_texts(subject),
        "marker": MARKER,
    });
    let request = harness::request(tools, subject, mirror, json!({"suite": suite}))?;
    Ok(Some((request, (named, carried, left))))
}

/// The text that failing tests are run with again, to see whether they failed before: the file before the
/// edit, or, where that held a placeholder, one whose placeholder says its name. A test that fails at that
/// name reaches the function; one that fails at another placeholder is not this edit's fault.
fn previous(subject: &Subject) -> Option<String> {
    if replaced(subject).is_some() {
        return Some(subject.previous.to_string());
    }
    let (source, body) = (&*subject.task.source, subject.task.body_range);
    let (head, tail) = (source.get(..body.start)?, source.get(body.end..)?);
    subject.is_edit().then(|| format!("{head}{{ throw new Error(\"{MARKER}\"); }}{tail}"))
}

/// The subject as it stands in the copy.
fn moved(subject: &Subject, mirror: &Mirror) -> Subject {
    let mut moved = subject.clone();
    moved.task.file = mirror.root.join(relative_file(subject));
    moved
}

/// The test frameworks among the project's packages, by the scripts that start them.
fn runners(packages: &Path) -> BTreeMap<&'static str, PathBuf> {
    let found = RUNNERS.into_iter().map(|(name, script)| (name, packages.join(name).join(script)));
    found.filter(|(_, path)| path.is_file()).collect()
}

/// What `npm test` runs; empty when the project does not say.
fn test_command(root: &Path) -> String {
    json_in(&root.join("package.json"))
        .and_then(|p| p["scripts"]["test"].as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// The version of the package that a script belongs to.
fn version_above(script: &Path) -> Option<String> {
    let folders = script.ancestors().skip(1).take(2);
    folders.filter_map(|f| json_in(&f.join("package.json"))).find_map(|p| p["version"].as_str().map(str::to_owned))
}

fn json_in(path: &Path) -> Option<Value> {
    serde_json::from_slice(&std::fs::read(path).ok()?).ok()
}

/// Copies the project's files; the paths of the copies, and what was carried.
fn project(subject: &Subject, root: &Path) -> Result<(Vec<PathBuf>, Carried), CheckError> {
    let inside = subject.workspace.as_deref().filter(|w| subject.task.file.starts_with(w));
    let Some(workspace) = inside else { return Ok((Vec::new(), Carried::default())) };
    let carried = Carried::read(workspace, FOREIGN, |ending| CODE.contains(&ending));
    let mut out = Vec::new();
    for (path, below) in &carried.files {
        let to = root.join(below);
        let Ok(content) = std::fs::read(path) else { continue };
        if *path != subject.task.file {
            write(&to, &content)?;
        }
        out.push(to);
    }
    Ok((out, carried))
}
