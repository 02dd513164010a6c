//! Layer 6 for Python: ruff, with the project's own configuration where it has one, and what the spec forbids.

use serde::Deserialize;
use zeroerr_core::verdict::{Layer, LayerReport};

use super::forbidden::offences;
use super::project::{Extent, Mirror};
use crate::languages::Subject;
use crate::layers::{self, Failure, Remark, analysis, tool};
use crate::toolchain::Toolchain;

/// Rules where the project has no configuration. An objection blocks an edit, so these are faults
/// of behaviour only: names, arguments, formats and control flow that cannot be meant (pyflakes,
/// pylint's errors), traps of the language (bugbear), and async code that blocks or is never
/// awaited. Taste is the project's business.
const SELECT: &str = "E9,F,B,PLE,ASYNC,RUF006";
/// What those groups hold of taste: unused loop variables, `zip` without `strict`, the wording of
/// a `raise`, `getattr` with a constant, and f-strings without a placeholder.
const IGNORE: &str = "B007,B009,B010,B011,B904,B905,B028,F541";

/// Rules about a line whose fault is elsewhere: an import whose last user the edit rewrote.
const LEFT_BEHIND: &[&str] = &["F401", "F811"];

#[derive(Debug, Deserialize)]
struct RuffRemark {
    code: Option<String>,
    message: String,
    location: RuffLocation,
    url: Option<String>,
}

#[derive(Debug, Deserialize)]
struct RuffLocation {
    row: usize,
}

/// Runs the layer.
pub async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Analysis),
    }
}

async fn judge(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let ruff = tools.tool("ruff")?;
    let (mut after, configured) = remarks(tools, subject, &subject.task.source).await?;
    after.retain(|r| !analysis::left_behind(subject, r, LEFT_BEHIND));
    let before = if after.is_empty() || !subject.is_edit() {
        Vec::new()
    } else {
        remarks(tools, subject, &subject.previous).await?.0
    };
    let mut found = layers::objections(Layer::Analysis, subject, &before, after);
    found.extend(analysis::forbidden(subject, offences(subject)));
    let whose = if configured { "with the project's rules" } else { "with the default rules" };
    Ok(layers::report(Layer::Analysis, found, format!("ruff has no new objection, {whose}"), vec![ruff.version]))
}

/// What ruff says of one text, and whether the project configured it.
async fn remarks(tools: &Toolchain, subject: &Subject, text: &str) -> Result<(Vec<Remark>, bool), Failure> {
    let mirror = Mirror::make(tools, subject, text, Extent::Configs)?;
    let configured = [("ruff.toml", ""), (".ruff.toml", ""), ("pyproject.toml", "[tool.ruff")]
        .into_iter()
        .any(|(name, mark)| mirror.config_with(name, mark).is_some());
    let mut command = vec![
        tools.tool("ruff")?.path.into(),
        "check".into(),
        "--no-cache".into(),
        "--output-format=json".into(),
        "--quiet".into(),
    ];
    if !configured {
        command.extend(["--isolated", "--select", SELECT, "--ignore", IGNORE].map(Into::into));
    }
    command.push(mirror.file.clone().into());
    let python = tools.python()?;
    let run = tool::Run {
        name: "ruff",
        command,
        env: vec![("RUFF_NO_CACHE".into(), "true".into())],
        stdin: Vec::new(),
        readable: python.readable,
        scratch: mirror.scratch(),
        seconds: 5,
        accepted: &[0, 1],
        loaded: None,
    };
    let output = tool::run(tools, run).await?;
    let found: Vec<RuffRemark> = serde_json::from_slice(&output.stdout).map_err(|e| tool::garbage("ruff", e))?;
    let remark = |r: RuffRemark| Remark {
        rule: r.code.unwrap_or_else(|| "syntax".into()),
        message: r.message,
        line: r.location.row,
        url: r.url,
    };
    Ok((found.into_iter().map(remark).collect(), configured))
}
