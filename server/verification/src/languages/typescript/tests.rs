//! Examples, JSDoc examples and the project's own tests of a TypeScript function.
//!
//! The tests run in a copy of the project with the edit applied. The copy holds code and small data files;
//! what `.gitignore` excludes and hidden files (keys, environments) stay out, packages are linked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ignore::WalkBuilder;
use serde_json::{Value, json};
use zeroerr_core::verdict::{Layer, LayerReport};

use super::harness::{self, Mode, Trouble};
use super::performance::replaced;
use super::probe::{missing_import, read};
use super::project::{Mirror, relative_file, write};
use super::reaching::reaching;
use crate::fingerprint::Broken;
use crate::languages::{CheckError, Subject};
use crate::layers::Failure;
use crate::layers::tests::{Facts, judge};
use crate::toolchain::Toolchain;

/// Bounds of the copy: files, bytes in all, bytes of one file.
const MAX_FILES: usize = 4_000;
const MAX_BYTES: u64 = 64 << 20;
const MAX_FILE: u64 = 1 << 20;
/// Most test files that are run.
const MAX_SUITES: usize = 20;
/// What tests read.
const DATA: [&str; 18] = [
    "ts", "tsx", "mts", "cts", "js", "jsx", "mjs", "cjs", "json", "txt", "csv", "yaml", "yml", "md", "xml", "html",
    "css", "snap",
];
/// Frameworks whose tests are run when the project has them, and the scripts that start them.
const RUNNERS: [(&str, &str); 3] = [("jest", "bin/jest.js"), ("mocha", "bin/mocha.js"), ("vitest", "vitest.mjs")];
/// Hidden files that configure them.
const HIDDEN: [&str; 8] = [
    ".babelrc",
    ".babelrc.json",
    ".mocharc.json",
    ".mocharc.js",
    ".mocharc.cjs",
    ".mocharc.yaml",
    ".mocharc.yml",
    ".swcrc",
];
/// What our own placeholder throws.
const MARKER: &str = "this placeholder is zeroerr's";
/// Folders that are nobody's project.
const FOREIGN: [&str; 5] = ["node_modules", "build", "dist", "coverage", "out"];

/// Runs the layer.
pub(super) async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match run(tools, subject).await {
        Ok(report) => report,
        Err(trouble) => Failure::from(trouble).report(Layer::Tests),
    }
}

async fn run(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Trouble> {
    let node = tools.node()?;
    let mirror = Mirror::make(tools, subject, &subject.task.source)?;
    let files = project(subject, &mirror.root)?;
    let suites: Vec<PathBuf> =
        reaching(&mirror.root, &files, &moved(subject, &mirror)).into_iter().take(MAX_SUITES).collect();
    if subject.task.spec.examples.is_empty() && suites.is_empty() {
        return Ok(judge(subject, &Facts::default()));
    }
    let runners: BTreeMap<&str, PathBuf> = mirror.packages.as_deref().map(runners).unwrap_or_default();
    let mut named = vec![node.named("node")];
    named.extend(runners.iter().filter_map(|(name, path)| Some(format!("{name} {}", version_above(path)?))));
    let suite = json!({
        "files": suites,
        "packages": runners,
        "command": test_command(&mirror.root),
        "previous": previous(subject),
        "hollow": harness::hollow_texts(subject),
        "marker": MARKER,
    });
    let request = harness::request(tools, subject, &mirror, json!({"suite": suite}))?;
    let answer = harness::run(tools, &mirror, Mode::Tests, request).await?;
    let broken: Option<Broken> = read(answer["broken"].clone())?;
    if let Some(error) = missing_import(subject, broken.as_ref().map_or("", |b| &b.3)) {
        return Err(error.into());
    }
    let facts: Facts = read(answer)?;
    Ok(LayerReport { tools: named, ..judge(subject, &facts) })
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

/// Copies what the bounds let in, links not followed; the paths of the copies.
fn project(subject: &Subject, root: &Path) -> Result<Vec<PathBuf>, CheckError> {
    let inside = subject.workspace.as_deref().filter(|w| subject.task.file.starts_with(w));
    let Some(workspace) = inside else { return Ok(Vec::new()) };
    let foreign = |name: &std::ffi::OsStr| name.to_str().is_some_and(|n| FOREIGN.contains(&n));
    let is_secret = |name: &str| name.starts_with('.') && !HIDDEN.contains(&name);
    let hidden = move |e: &ignore::DirEntry| e.depth() > 0 && e.file_name().to_str().is_none_or(is_secret);
    let walk = WalkBuilder::new(workspace)
        .require_git(false)
        .hidden(false)
        .filter_entry(move |e| !foreign(e.file_name()) && !hidden(e))
        .sort_by_file_path(Path::cmp)
        .build();
    let (mut count, mut bytes, mut out) = (0, 0, Vec::new());
    for entry in walk.flatten().filter(|e| e.file_type().is_some_and(|t| t.is_file())) {
        let path = entry.path();
        let size = entry.metadata().map_or(u64::MAX, |m| m.len());
        let wanted = path.extension().and_then(|e| e.to_str()).is_some_and(|e| DATA.contains(&e))
            || path.file_name().and_then(|n| n.to_str()).is_some_and(|n| HIDDEN.contains(&n));
        let Some(below) = path.strip_prefix(workspace).ok().filter(|_| wanted && size <= MAX_FILE) else { continue };
        (count, bytes) = (count + 1, bytes + size);
        if count > MAX_FILES || bytes > MAX_BYTES {
            break;
        }
        let to = root.join(below);
        let Ok(content) = std::fs::read(path) else { continue };
        if path != subject.task.file {
            write(&to, &content)?;
        }
        out.push(to);
    }
    Ok(out)
}
