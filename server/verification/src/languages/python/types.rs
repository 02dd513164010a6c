//! Layer 2 for Python: ty decides, and mypy confirms what ty lets pass, since ty is a preview and
//! the two go wrong in different places. Then our own look for ways around both.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tree_sitter::Node;
use zeroerr_core::verdict::{Finding, Layer, LayerReport};

use super::harness;
use super::place::{installed, search_paths};
use super::project::{Extent, Mirror};
use super::tree::parse;
use crate::languages::Subject;
use crate::layers::types::Escape;
use crate::layers::{self, Failure, Remark, tool};
use crate::toolchain::{Loaded, Toolchain};

/// What mypy objects to by taste where the project did not ask for mypy: it wants help with
/// inference, or takes a variable's first value for its type. ty, which decides first, checks
/// declared types; imports are ty's to judge as well.
const MYPY_TASTE: &[&str] = &[
    "var-annotated",
    "assignment",
    "no-redef",
    "import-not-found",
    "import-untyped",
    "import",
    "annotation-unchecked",
];

/// Stands behind the file while a checker reads it: who does not object to this has been told to look away.
const CANARY: &str = "\n\n\ndef zeroerr_canary__() -> int:\n    return \"\"\n";

/// Runs the layer.
pub async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Types),
    }
}

async fn judge(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let ty = tools.tool("ty")?.version;
    let found = escapes(subject);
    if !found.is_empty() {
        return Ok(layers::report(Layer::Types, found, "", vec!["zeroerr escapes".into()]));
    }
    // Side by side: nearly every edit that comes this far passes both.
    let mypy = async { Ok::<_, Failure>((tools.tool("mypy")?.version, compare(tools, subject, Checker::Mypy).await?)) };
    let (found, mypy) = tokio::join!(compare(tools, subject, Checker::Ty), mypy);
    let found = found?;
    if !found.is_empty() {
        return Ok(layers::report(Layer::Types, found, "", vec![ty]));
    }
    let (mypy, found) = mypy?;
    Ok(layers::report(Layer::Types, found, "ty and mypy have no new objection", vec![ty, mypy]))
}

/// The checker's objections; the file before the edit is only looked at when there are any.
async fn compare(tools: &Toolchain, subject: &Subject, checker: Checker) -> Result<Vec<Finding>, Failure> {
    let after = checker.remarks(tools, subject, &subject.task.source).await?;
    if after.is_empty() {
        return Ok(Vec::new());
    }
    let before = if subject.is_edit() { checker.remarks(tools, subject, &subject.previous).await? } else { Vec::new() };
    Ok(layers::objections(Layer::Types, subject, &before, after))
}

#[derive(Debug, Clone, Copy)]
enum Checker {
    Ty,
    Mypy,
}

impl Checker {
    /// Errors in one text. A project configuration that the tool cannot read is left out: it is
    /// about the project, not about the edit. So is one that silences the tool, since a project may tighten a check
    /// and not switch it off.
    async fn remarks(self, tools: &Toolchain, subject: &Subject, text: &str) -> Result<Vec<Remark>, Failure> {
        let is_project = subject.workspace.is_some();
        let (found, hears) = match self.run(tools, subject, text, Extent::Imports).await {
            Err(Failure::Unavailable(_)) if is_project => self.run(tools, subject, text, Extent::ImportsOnly).await?,
            other => other?,
        };
        if hears || !is_project {
            return Ok(found);
        }
        Ok(self.run(tools, subject, text, Extent::ImportsOnly).await?.0)
    }

    /// The errors, and whether the tool objects to what is wrong for certain.
    async fn run(
        self,
        tools: &Toolchain,
        subject: &Subject,
        text: &str,
        extent: Extent,
    ) -> Result<(Vec<Remark>, bool), Failure> {
        let mirror = Mirror::make(tools, subject, &format!("{text}{CANARY}"), extent)?;
        let mut found = match self {
            Checker::Ty => ty(tools, &mirror, text).await?,
            Checker::Mypy => mypy(tools, &mirror, text).await?,
        };
        let (all, end) = (found.len(), text.lines().count().max(1));
        found.retain(|r| r.line <= end);
        let hears = found.len() < all;
        Ok((found, hears))
    }
}

/// Where the file's imports lie, beside the places that every checker looks at. The file's own folder is none: what
/// lies there may be called like a module of the library.
fn further_paths(mirror: &Mirror, text: &str) -> Vec<PathBuf> {
    let known = [mirror.root.clone(), mirror.root.join("src"), installed(&mirror.root)];
    let own = mirror.file.parent().map(Path::to_path_buf);
    let paths = search_paths(&mirror.root, &mirror.file, text).into_iter();
    paths.filter(|p| !known.contains(p) && Some(p) != own.as_ref()).collect()
}

#[derive(Debug, Deserialize)]
struct GitlabIssue {
    check_name: String,
    description: String,
    severity: String,
    location: GitlabLocation,
}

#[derive(Debug, Deserialize)]
struct GitlabLocation {
    path: PathBuf,
    positions: GitlabPositions,
}

#[derive(Debug, Deserialize)]
struct GitlabPositions {
    begin: GitlabPosition,
}

#[derive(Debug, Deserialize)]
struct GitlabPosition {
    line: usize,
}

async fn ty(tools: &Toolchain, mirror: &Mirror, text: &str) -> Result<Vec<Remark>, Failure> {
    let python = tools.python()?;
    let mut command: Vec<OsString> = vec![
        tools.tool("ty")?.path.into(),
        "check".into(),
        "--output-format=gitlab".into(),
        "--no-progress".into(),
        "--project".into(),
        mirror.root.clone().into(),
        "--python".into(),
        python.root.clone().into(),
    ];
    command.extend(further_paths(mirror, text).into_iter().flat_map(|p| ["--extra-search-path".into(), p.into()]));
    command.push(mirror.file.clone().into());
    let run = tool::Run {
        name: "ty",
        command,
        env: Vec::new(),
        stdin: Vec::new(),
        readable: python.readable,
        scratch: mirror.scratch(),
        seconds: 20,
        accepted: &[0, 1],
        loaded: None,
    };
    let output = tool::run(tools, run).await?;
    let issues: Vec<GitlabIssue> = serde_json::from_slice(&output.stdout).map_err(|e| tool::garbage("ty", e))?;
    let errors = issues.into_iter().filter(|i| matches!(i.severity.as_str(), "major" | "critical" | "blocker"));
    Ok(errors
        .filter(|i| mirror.file.ends_with(&i.location.path) || i.location.path == mirror.file)
        .map(ty_remark)
        .collect())
}

fn ty_remark(issue: GitlabIssue) -> Remark {
    let prefix = format!("{}: ", issue.check_name);
    let message = issue.description.strip_prefix(&prefix).unwrap_or(&issue.description).to_string();
    let url = Some(format!("https://ty.dev/rules#{}", issue.check_name));
    Remark { rule: issue.check_name, message, line: issue.location.positions.begin.line, url }
}

#[derive(Debug, Deserialize)]
struct MypyLine {
    file: PathBuf,
    line: i64,
    message: String,
    code: Option<String>,
    severity: String,
}

async fn mypy(tools: &Toolchain, mirror: &Mirror, text: &str) -> Result<Vec<Remark>, Failure> {
    let python = tools.python()?;
    let config =
        [("mypy.ini", "[mypy"), (".mypy.ini", "[mypy"), ("pyproject.toml", "[tool.mypy"), ("setup.cfg", "[mypy")]
            .into_iter()
            .find_map(|(name, mark)| mirror.config_with(name, mark));
    let mut path = OsString::from(&mirror.root);
    for further in std::iter::once(mirror.root.join("src")).chain(further_paths(mirror, text)) {
        path.push(":");
        path.push(further);
    }
    let harness = harness::installed(tools, &python, &mirror.scratch()).await?;
    let command: Vec<OsString> = vec![
        python.interpreter.clone().into(),
        "-s".into(),
        "-B".into(),
        harness.join("checker.py").into(),
        python.mypy_cache().into(),
        config.unwrap_or("".as_ref()).into(),
        mirror.file.clone().into(),
    ];
    let run = tool::Run {
        name: "mypy",
        command,
        env: vec![("MYPYPATH".into(), path)],
        stdin: Vec::new(),
        readable: python.readable.clone(),
        scratch: mirror.scratch(),
        seconds: 30,
        accepted: &[0, 1],
        loaded: Some(Loaded { harness: &harness, flags: 2, modules: &["checker", "mypy.main"] }),
    };
    let output = tool::run(tools, run).await?;
    let mut remarks = Vec::new();
    for line in output.stdout.split(|&b| b == b'\n').filter(|l| !l.is_empty()) {
        let line: MypyLine = serde_json::from_slice(line).map_err(|e| tool::garbage("mypy", e))?;
        let ours = mirror.file.ends_with(&line.file) || mirror.file == line.file;
        let code = line.code.unwrap_or_else(|| "error".into());
        if ours && line.severity == "error" && (config.is_some() || !MYPY_TASTE.contains(&code.as_str())) {
            let url = Some(format!("https://mypy.readthedocs.io/en/stable/_refs.html#code-{code}"));
            remarks.push(Remark {
                rule: code,
                message: line.message,
                line: usize::try_from(line.line).unwrap_or(1).max(1),
                url,
            });
        }
    }
    Ok(remarks)
}

/// Ways around the checkers that the edit adds. A signature that speaks of `Any` itself excuses it
/// in the body: there it is the user's word.
fn escapes(subject: &Subject) -> Vec<Finding> {
    if !subject.is_edit() {
        return Vec::new();
    }
    let header_has_any = subject.task.signature.header.contains("Any");
    let read = |text: &str| {
        let found = escapes_in(text).into_iter().filter(|(escape, ..)| !(header_has_any && *escape == Escape::AnyType));
        found
            .map(|(escape, line, text)| Remark {
                rule: escape.name().into(),
                message: escape.message(&text),
                line,
                url: None,
            })
            .collect()
    };
    let after: Vec<Remark> = read(&subject.task.source);
    let before: Vec<Remark> = read(&subject.previous);
    layers::objections(Layer::Types, subject, &before, after)
}

fn escapes_in(source: &str) -> Vec<(Escape, usize, String)> {
    let Some(tree) = parse(source) else { return Vec::new() };
    let mut found = Vec::new();
    let mut stack = vec![tree.root_node()];
    while let Some(node) = stack.pop() {
        if let Some(escape) = escape_at(node, source) {
            let text = source.get(node.byte_range()).unwrap_or("").lines().next().unwrap_or("").to_string();
            found.push((escape, node.start_position().row + 1, text));
        }
        if !matches!(node.kind(), "import_statement" | "import_from_statement") {
            let mut cursor = node.walk();
            stack.extend(node.children(&mut cursor));
        }
    }
    found
}

fn escape_at(node: Node<'_>, source: &str) -> Option<Escape> {
    let text = source.get(node.byte_range())?;
    match node.kind() {
        "identifier" if text == "Any" => Some(Escape::AnyType),
        "call" => {
            let function = source.get(node.child_by_field_name("function")?.byte_range())?;
            (function == "cast" || function.ends_with(".cast")).then_some(Escape::Cast)
        }
        "comment" => {
            // Words may stand before: `# kept for later  # noqa`.
            let squeezed: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
            let silences = [
                "type:ignore",
                "ty:ignore",
                "pyright:ignore",
                "pyright:basic",
                "mypy:",
                "noqa",
                "flake8:noqa",
                "ruff:",
                "nosec",
                "pylint:disable",
            ];
            let silences = |part: &str| silences.iter().any(|s| part.starts_with(s));
            squeezed.split('#').any(silences).then_some(Escape::Suppression)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_seen_in_code_and_not_in_strings_or_imports() {
        let source = "from typing import Any, cast\nx: Any = 1\ny = cast(int, x)  # type: ignore\nz = 'Any # noqa'\n#noqa: E501\ny = 1  # kept  # nosec\n# not noqa\n";
        let mut found: Vec<_> = escapes_in(source).into_iter().map(|(e, line, _)| (line, e.name())).collect();
        found.sort_unstable();
        assert_eq!(
            found,
            [(2, "escape-any"), (3, "escape-cast"), (3, "suppression"), (5, "suppression"), (6, "suppression")]
        );
    }
}
