//! Layer 6 for TypeScript: the project's own eslint where it is configured and installed, else oxlint, with
//! the project's configuration where there is one.

use std::ffi::OsString;
use std::path::Path;

use serde::Deserialize;
use serde_json::json;
use zeroerr_core::verdict::{Layer, LayerReport};

use super::forbidden::offences;
use super::project::{Mirror, write};
use crate::languages::Subject;
use crate::layers::{self, Failure, Remark, analysis, tool};
use crate::toolchain::Toolchain;

/// Rules about a line whose fault is elsewhere: an import whose last user the edit rewrote.
const LEFT_BEHIND: &[&str] = &["no-unused-vars", "@typescript-eslint/no-unused-vars"];
/// What oxlint is told where the project says nothing. An objection blocks an edit, so these are faults of
/// behaviour; taste is the project's business.
const RULES: [&str; 5] = [
    "array-callback-return",
    "no-constructor-return",
    "no-self-compare",
    "no-unmodified-loop-condition",
    "no-fallthrough",
];

/// Rules that are on by themselves and object to what is right: `new Array(rows).fill(0)`, `/[\u0000-\u001f]/`.
const OFF: [&str; 2] = ["unicorn/no-new-array", "no-control-regex"];

/// Runs the layer.
pub(super) async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Analysis),
    }
}

async fn judge(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let mut said = linted(tools, subject, &subject.task.source).await?;
    said.remarks.retain(|r| !analysis::left_behind(subject, r, LEFT_BEHIND) && !is_about_itself(subject, r));
    let before = if said.remarks.is_empty() || !subject.is_edit() {
        Vec::new()
    } else {
        linted(tools, subject, &subject.previous).await?.remarks
    };
    let mut found = layers::objections(Layer::Analysis, subject, &before, said.remarks);
    found.extend(analysis::forbidden(subject, offences(subject)));
    let whose = if said.is_configured { "with the project's rules" } else { "with the default rules" };
    let name = said.tool.split(' ').next().unwrap_or_default();
    let clean = format!("{name} has no new objection, {whose}");
    Ok(layers::report(Layer::Analysis, found, clean, vec![said.tool]))
}

/// That nobody uses the function yet is no fault of it.
fn is_about_itself(subject: &Subject, remark: &Remark) -> bool {
    let name = &subject.task.signature.name;
    LEFT_BEHIND.contains(&remark.rule.as_str())
        && remark.message.contains(&format!("'{name}'"))
        && !subject.task.body_range.slice(&subject.task.source).contains(&format!("{name} ="))
}

/// What a linter said of one text.
struct Said {
    remarks: Vec<Remark>,
    is_configured: bool,
    tool: String,
}

async fn linted(tools: &Toolchain, subject: &Subject, text: &str) -> Result<Said, Failure> {
    let mirror = Mirror::make(tools, subject, text)?;
    let eslint = mirror.packages.as_ref().map(|p| p.join("eslint/bin/eslint.js")).filter(|p| p.is_file());
    let configured = mirror.config(|name| name.starts_with("eslint.config.")).is_some();
    let own = mirror.config(|name| name == ".oxlintrc.json").map(Path::to_path_buf);
    if let Some(program) = eslint.filter(|_| configured && own.is_none())
        && let Some(said) = with_eslint(tools, &mirror, &program).await?
    {
        return Ok(said);
    }
    with_oxlint(tools, &mirror, own.as_deref()).await
}

#[derive(Debug, Deserialize)]
struct OxlintReport {
    diagnostics: Vec<OxlintRemark>,
}

#[derive(Debug, Deserialize)]
struct OxlintRemark {
    message: String,
    code: Option<String>,
    url: Option<String>,
    labels: Vec<OxlintLabel>,
}

#[derive(Debug, Deserialize)]
struct OxlintLabel {
    span: OxlintSpan,
}

#[derive(Debug, Deserialize)]
struct OxlintSpan {
    line: usize,
}

async fn with_oxlint(tools: &Toolchain, mirror: &Mirror, own: Option<&Path>) -> Result<Said, Failure> {
    let node = tools.node()?;
    let oxlint = node.tool("oxlint")?;
    let mut command: Vec<OsString> =
        vec![node.node.clone().into(), "--no-warnings".into(), oxlint.path.into(), "--format=json".into()];
    if own.is_none() {
        let place = mirror.scratch().join("oxlint.json");
        write(&place, defaults().to_string().as_bytes())?;
        command.extend(["--config".into(), place.into(), "--disable-nested-config".into()]);
    }
    command.push(mirror.file.clone().into());
    let mut readable = node.readable;
    readable.extend(mirror.packages.clone());
    let run = tool::Run {
        name: "oxlint",
        command,
        env: Vec::new(),
        stdin: Vec::new(),
        readable,
        scratch: mirror.scratch(),
        seconds: 10,
        loaded: None,
        accepted: &[0, 1],
    };
    let output = tool::run(tools, run).await?;
    let said: OxlintReport = serde_json::from_slice(&output.stdout).map_err(|e| tool::garbage("oxlint", e))?;
    let remark = |r: OxlintRemark| Remark {
        rule: r.code.as_deref().map_or("syntax", rule_of).to_owned(),
        message: r.message,
        line: r.labels.first().map_or(1, |l| l.span.line),
        url: r.url,
    };
    Ok(Said {
        remarks: said.diagnostics.into_iter().map(remark).collect(),
        is_configured: own.is_some(),
        tool: oxlint.version,
    })
}

/// `no-unused-vars` of `eslint(no-unused-vars)`.
fn rule_of(code: &str) -> &str {
    code.split_once('(').map_or(code, |(_, rule)| rule.trim_end_matches(')'))
}

fn defaults() -> serde_json::Value {
    let mut rules = serde_json::Map::from_iter(RULES.map(|rule| (rule.to_owned(), json!("error"))));
    rules.extend(OFF.map(|rule| (rule.to_owned(), json!("off"))));
    // A parameter belongs to the signature, which the edit must keep.
    let unused = json!(["error", {"args": "none", "caughtErrors": "none", "ignoreRestSiblings": true}]);
    rules.insert("no-unused-vars".into(), unused);
    json!({"categories": {"correctness": "error"}, "rules": rules})
}

#[derive(Debug, Deserialize)]
struct EslintFile {
    messages: Vec<EslintRemark>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct EslintRemark {
    rule_id: Option<String>,
    message: String,
    severity: u8,
    #[serde(default)]
    line: usize,
}

/// `None` when the project's rules leave the file out: what was not read is not clean.
async fn with_eslint(tools: &Toolchain, mirror: &Mirror, program: &Path) -> Result<Option<Said>, Failure> {
    let node = tools.node()?;
    let mut readable = node.readable.clone();
    readable.extend(mirror.packages.clone());
    let relative = mirror.file.strip_prefix(mirror.scratch()).unwrap_or(&mirror.file);
    let version = version_of(program);
    // The configuration is looked for from the file upwards; the working folder lies above it. Since 10 there is no
    // other way, and no flag for it.
    let flag = version.starts_with("9.").then(|| ("ESLINT_FLAGS".into(), "v10_config_lookup_from_file".into()));
    let run = tool::Run {
        name: "eslint",
        command: vec![
            node.node.clone().into(),
            "--no-warnings".into(),
            program.into(),
            "--format=json".into(),
            relative.into(),
        ],
        env: flag.into_iter().collect(),
        stdin: Vec::new(),
        readable,
        scratch: mirror.scratch(),
        seconds: 30,
        loaded: None,
        accepted: &[0, 1],
    };
    let output = tool::run(tools, run).await?;
    let said: Vec<EslintFile> = serde_json::from_slice(&output.stdout).map_err(|e| tool::garbage("eslint", e))?;
    let messages: Vec<EslintRemark> = said.into_iter().flat_map(|f| f.messages).collect();
    if messages.iter().any(|m| m.rule_id.is_none() && m.severity < 2 && m.message.starts_with("File ignored")) {
        return Ok(None);
    }
    let errors = messages.into_iter().filter(|m| m.severity == 2);
    let remark = |m: EslintRemark| Remark {
        rule: m.rule_id.unwrap_or_else(|| "syntax".into()),
        message: m.message,
        line: m.line.max(1),
        url: None,
    };
    Ok(Some(Said { remarks: errors.map(remark).collect(), is_configured: true, tool: format!("eslint {version}") }))
}

/// The version of the eslint that a script belongs to.
fn version_of(program: &Path) -> String {
    let package = program.ancestors().nth(2).map(|p| p.join("package.json"));
    let text = package.and_then(|p| std::fs::read(p).ok());
    let package = text.and_then(|t| serde_json::from_slice::<serde_json::Value>(&t).ok());
    package.and_then(|v| v["version"].as_str().map(str::to_owned)).unwrap_or_default()
}
