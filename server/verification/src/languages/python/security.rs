//! Layer 7 for Python: what the code reaches for ([`reach`](super::reach)), then bandit for what is
//! dangerous in how it does it.
//!
//! A spec is a function's contract, and a function that reaches for the network says so there:
//! `@uses socket` permits what it names and nothing else.

use std::collections::{BTreeMap, HashSet};
use std::ffi::OsString;

use serde::Deserialize;
use serde::de::IgnoredAny;
use zeroerr_core::verdict::{Finding, Layer, LayerReport};

use super::harness;
use super::project::{Extent, Mirror};
use super::reach;
use crate::languages::Subject;
use crate::layers::security::{Reach, permits};
use crate::layers::{self, Failure, Remark, tool};
use crate::toolchain::{Loaded, Toolchain};

/// bandit's remarks of low severity are hints (`assert`, `random`, imports that the capability check
/// judges), except secrets in the text.
const LOW_BUT_COUNTED: &[&str] = &["B105", "B106", "B107"];

/// Runs the layer.
pub async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Security),
    }
}

async fn judge(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let mut found = capabilities(subject);
    let reached: HashSet<usize> = found.iter().map(|f| f.line).collect();
    let bandit = tools.tool("bandit")?.version;
    let after = remarks(tools, subject, &subject.task.source).await?;
    let before = if after.is_empty() || !subject.is_edit() {
        Vec::new()
    } else {
        remarks(tools, subject, &subject.previous).await?
    };
    // One line, one objection: where the capability check has spoken, bandit's echo adds nothing.
    found.extend(
        layers::objections(Layer::Security, subject, &before, after).into_iter().filter(|f| !reached.contains(&f.line)),
    );
    found.sort_by_key(|f| f.line);
    Ok(layers::report(
        Layer::Security,
        found,
        "no new capability, bandit has no new objection",
        vec!["zeroerr capabilities".into(), bandit],
    ))
}

/// What the function reaches for without permission: all of it in code as it stands, what is new
/// in an edit, new imports of the file included.
fn capabilities(subject: &Subject) -> Vec<Finding> {
    let task = &subject.task;
    let mut reaches = reach::of_function(&task.source, task.function_range);
    let mut known: HashSet<String> = HashSet::new();
    if subject.is_edit() {
        let name = task.signature.name.as_str();
        known.extend(
            reach::of_named_function(&subject.previous, name, task.class.as_deref()).into_iter().map(|r| r.target),
        );
        let imported: HashSet<String> = reach::of_imports(&subject.previous).into_iter().map(|r| r.target).collect();
        let new = reach::of_imports(&task.source).into_iter().filter(|r| !imported.contains(&r.target));
        let lines = subject.function_lines();
        reaches.extend(new.filter(|r| !lines.contains(&r.line)));
    }
    let mut findings = Vec::new();
    for reach in reaches {
        if !permits(&task.spec, &reach.target) && known.insert(reach.target.clone()) {
            findings.push(layers::finding(Layer::Security, remark_of(&reach)));
        }
    }
    findings
}

fn remark_of(reach: &Reach) -> Remark {
    let name = reach.target.split(':').next().unwrap_or(&reach.target);
    let message = format!("`{name}` {}; the spec permits it with `@uses {}`", reach.capability.phrase(), reach.target);
    Remark { rule: reach.capability.name().into(), message, line: reach.line, url: None }
}

#[derive(Debug, Deserialize)]
struct BanditReport {
    errors: Vec<BanditError>,
    results: Vec<BanditRemark>,
    /// What was looked at, by path, and the sums.
    metrics: BTreeMap<String, IgnoredAny>,
}

impl BanditReport {
    fn has_looked(&self) -> bool {
        self.metrics.keys().any(|name| name != "_totals")
    }
}

#[derive(Debug, Deserialize)]
struct BanditError {
    reason: String,
}

#[derive(Debug, Deserialize)]
struct BanditRemark {
    test_id: String,
    issue_text: String,
    issue_severity: String,
    line_number: usize,
    more_info: Option<String>,
}

async fn remarks(tools: &Toolchain, subject: &Subject, text: &str) -> Result<Vec<Remark>, Failure> {
    let mirror = Mirror::make(tools, subject, text, Extent::Configs)?;
    let mut rules: Vec<OsString> = Vec::new();
    if let Some(config) = mirror.config_with("pyproject.toml", "[tool.bandit") {
        rules.extend(["-c".into(), config.into()]);
    }
    if let Some(ini) = mirror.config_with(".bandit", "[bandit]") {
        rules.extend(["--ini".into(), ini.into()]);
    }
    let mut report = scanned(tools, &mirror, &rules).await?;
    // A project may exclude the file, and what was not looked at is not clean.
    if !report.has_looked() && !rules.is_empty() {
        report = scanned(tools, &mirror, &[]).await?;
    }
    if !report.has_looked() {
        return Err(Failure::Unavailable("bandit did not look at the file".to_owned()));
    }
    let counts = |r: &BanditRemark| r.issue_severity != "LOW" || LOW_BUT_COUNTED.contains(&r.test_id.as_str());
    let permitted = |r: &BanditRemark| {
        (is_blacklist(&r.test_id) && names_permitted(subject, text, r)) || is_asked_for(subject, text, r)
    };
    let kept = report.results.into_iter().filter(|r| counts(r) && !permitted(r));
    Ok(kept.map(|r| Remark { rule: r.test_id, message: r.issue_text, line: r.line_number, url: r.more_info }).collect())
}

/// One run of bandit by these rules.
async fn scanned(tools: &Toolchain, mirror: &Mirror, rules: &[OsString]) -> Result<BanditReport, Failure> {
    let python = tools.python()?;
    let mut command: Vec<OsString> = vec![python.interpreter.clone().into()];
    command.extend(["-I", "-m", "bandit", "--quiet", "--format=json", "--exit-zero"].map(Into::into));
    command.extend(rules.iter().cloned());
    command.push(mirror.file.clone().into());
    let harness = harness::installed(tools, &python, &mirror.scratch()).await?;
    let run = tool::Run {
        name: "bandit",
        command,
        env: Vec::new(),
        stdin: Vec::new(),
        readable: python.readable,
        scratch: mirror.scratch(),
        seconds: 20,
        accepted: &[0],
        loaded: Some(Loaded { harness: &harness, flags: 1, modules: &["bandit.cli.main", "bandit.formatters.json"] }),
    };
    let output = tool::run(tools, run).await?;
    let report: BanditReport = serde_json::from_slice(&output.stdout).map_err(|e| tool::garbage("bandit", e))?;
    // bandit ends with 0 when it could not read the file; that is no clean bill.
    if let Some(error) = report.errors.first() {
        return Err(Failure::Unavailable(format!("bandit could not read the file: {}", error.reason)));
    }
    Ok(report)
}

/// bandit's lists of calls and imports that are dangerous as such; a permission covers those, never
/// a finding about how something is used (B5xx and B6xx).
fn is_blacklist(test_id: &str) -> bool {
    test_id.starts_with("B3") || test_id.starts_with("B4") || test_id == "B102"
}

/// A weak hash that the spec asks for by its name: there is no other way to do what is asked.
fn is_asked_for(subject: &Subject, text: &str, remark: &BanditRemark) -> bool {
    let (task, line) = (&subject.task, text.lines().nth(remark.line_number.saturating_sub(1)).unwrap_or(""));
    let asked = format!("{} {}", task.signature.name, task.spec.intent).to_lowercase();
    let asks = |name: &str| asked.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == name);
    remark.test_id == "B324" && ["md5", "sha1", "md4"].iter().any(|name| line.contains(name) && asks(name))
}

fn names_permitted(subject: &Subject, text: &str, remark: &BanditRemark) -> bool {
    let line = text.lines().nth(remark.line_number.saturating_sub(1)).unwrap_or("");
    let mut names = subject.task.spec.uses.iter().flat_map(|c| c.text.split([',', ' '])).filter(|n| !n.is_empty());
    names.any(|name| line.contains(name.rsplit('.').next().unwrap_or(name)))
}
