//! Layer 7 for TypeScript: what the code reaches for ([`reach`](super::reach)), then eslint-plugin-security
//! for what is dangerous in how it does it.
//!
//! A spec is a function's contract, and a function that reaches for the network says so there:
//! `@uses net` permits what it names and nothing else.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::json;
use zeroerr_core::verdict::{Finding, Layer, LayerReport};

use super::harness::{self, Mode};
use super::probe::read;
use super::reach;
use super::tree::Dialect;
use crate::languages::{CheckError, Subject};
use crate::layers::security::{Reach, permits};
use crate::layers::{self, Failure, Remark};
use crate::toolchain::Toolchain;

/// Rules that object to a module as such; a permission covers those, never how something is used.
const OF_MODULES: [&str; 2] = ["child-process", "non-literal-fs-filename"];

/// Runs the layer.
pub(super) async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Security),
    }
}

async fn judge(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let node = tools.node()?;
    let mut found = capabilities(subject)?;
    let reached: HashSet<usize> = found.iter().map(|f| f.line).collect();
    let (before, mut after) = linted(tools, subject).await?;
    after.retain(|r| !OF_MODULES.contains(&r.rule.as_str()) || subject.task.spec.uses.is_empty());
    // One line, one objection: where the capability check has spoken, the linter's echo adds nothing.
    found.extend(
        layers::objections(Layer::Security, subject, &before, after).into_iter().filter(|f| !reached.contains(&f.line)),
    );
    found.sort_by_key(|f| f.line);
    Ok(layers::report(
        Layer::Security,
        found,
        "no new capability, eslint-plugin-security has no new objection",
        vec!["zeroerr capabilities".into(), node.named("eslint-plugin-security")],
    ))
}

/// What the function reaches for without permission: all of it in code as it stands, what is new in an
/// edit, new imports of the file included.
///
/// # Errors
/// When the text does not have the function any more: what was not read is not clean.
fn capabilities(subject: &Subject) -> Result<Vec<Finding>, CheckError> {
    let task = &subject.task;
    let dialect = Dialect::of(&task.file);
    let gone = || CheckError(format!("the edited file has no function `{}`; run again", task.signature.name));
    let mut reaches = reach::of_function(task).ok_or_else(gone)?;
    let mut known: HashSet<String> = HashSet::new();
    if subject.is_edit() {
        let before = reach::before(&subject.previous, task);
        known.extend(before.into_iter().map(|r| r.target));
        let imported: HashSet<String> =
            reach::of_imports(&subject.previous, dialect).into_iter().map(|r| r.target).collect();
        let new = reach::of_imports(&task.source, dialect).into_iter().filter(|r| !imported.contains(&r.target));
        let lines = subject.function_lines();
        reaches.extend(new.filter(|r| !lines.contains(&r.line)));
    }
    let mut findings = Vec::new();
    for reach in reaches {
        if !permits(&task.spec, &reach.target) && known.insert(reach.target.clone()) {
            findings.push(layers::finding(Layer::Security, remark_of(&reach)));
        }
    }
    Ok(findings)
}

fn remark_of(reach: &Reach) -> Remark {
    let message =
        format!("`{}` {}; the spec permits it with `@uses {}`", reach.target, reach.capability.phrase(), reach.target);
    Remark { rule: reach.capability.name().into(), message, line: reach.line, url: None }
}

#[derive(Debug, Deserialize)]
struct Facts {
    texts: Vec<Vec<Said>>,
}

#[derive(Debug, Deserialize)]
struct Said {
    rule: String,
    message: String,
    line: usize,
}

/// What the linter says of the text before and after.
async fn linted(tools: &Toolchain, subject: &Subject) -> Result<(Vec<Remark>, Vec<Remark>), Failure> {
    let node = tools.node()?;
    let task = &subject.task;
    let mut texts = vec![&*task.source];
    if subject.is_edit() {
        texts.push(&*subject.previous);
    }
    let is_common = task.file.extension().is_some_and(|e| e == "cjs" || e == "cts");
    let request = json!({
        "mode": "lint",
        "texts": texts,
        "file": task.file.file_name().map(|n| n.to_string_lossy()),
        "is_common": is_common,
        "tools": node.root.join("package.json"),
    });
    let scratch = tools.scratch()?;
    let answer = match harness::ask_resident(tools, scratch.path(), None, &request).await {
        Some(answer) => answer,
        None => harness::run_in(tools, scratch.path(), Vec::new(), Mode::Lint, request).await.map_err(Failure::from)?,
    };
    let facts: Facts = read(answer)?;
    let mut said = facts.texts.into_iter();
    let after = said.next().unwrap_or_default();
    if let Some(fatal) = after.iter().find(|s| s.rule == "fatal") {
        return Err(CheckError(format!("eslint could not read the file: {}", fatal.message)).into());
    }
    let remarks = |said: Vec<Said>| -> Vec<Remark> { said.into_iter().map(remark).collect() };
    Ok((remarks(said.next().unwrap_or_default()), remarks(after)))
}

fn remark(said: Said) -> Remark {
    let url =
        format!("https://github.com/eslint-community/eslint-plugin-security/blob/main/docs/rules/{}.md", said.rule);
    let message = if said.message.ends_with('.') { said.message } else { format!("{}.", said.message) };
    Remark { rule: said.rule.trim_start_matches("detect-").into(), message, line: said.line, url: Some(url) }
}
