//! Layer 2 for TypeScript: our own look for ways around the compiler, then tsc, which stays loaded with the
//! declarations of libraries read. Plain JavaScript is checked by what its JSDoc says.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};
use zeroerr_core::code::TextRange;
use zeroerr_core::verdict::{Finding, Layer, LayerReport};

use super::escapes::escapes;
use super::harness;
use super::project::{Mirror, write};
use super::tree::{Dialect, is_javascript};
use crate::languages::Subject;
use crate::layers::types::Escape;
use crate::layers::{self, Failure, Remark, tool};
use crate::toolchain::{NodeEnv, Toolchain};

/// The compiler's configuration for one file.
const CONFIG: &str = "tsconfig.zeroerr.json";
/// What a compiler says of its configuration, of a file that is not there, or of the type roots: no
/// statement about the code.
const OF_CONFIGURATION: [&str; 5] = ["TS5", "TS6", "TS18003", "TS18002", "TS2688"];

/// What fails when plain JavaScript runs, whatever its types: names that are not there or not there yet, modules without
/// what is asked of them, a constant that is assigned to.
const AT_RUN_TIME: [&str; 11] =
    ["TS2300", "TS2304", "TS2305", "TS2307", "TS2448", "TS2451", "TS2454", "TS2552", "TS2588", "TS2724", "TS18004"];

/// Runs the layer.
pub(super) async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Types),
    }
}

async fn judge(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let node = tools.node()?;
    let found = new_escapes(subject);
    if !found.is_empty() {
        return Ok(layers::report(Layer::Types, found, "", vec!["zeroerr escapes".into()]));
    }
    let tsc = node.tool("typescript")?;
    let found = compare(tools, subject).await?;
    Ok(layers::report(Layer::Types, found, "tsc has no new objection", vec![tsc.version]))
}

/// Ways around the compiler that were not there before, and for an edit those around a linter: in code as it stands they
/// are the user's word.
fn new_escapes(subject: &Subject) -> Vec<Finding> {
    let dialect = Dialect::of(&subject.task.file);
    let all = |source: &str| -> Vec<Remark> {
        let range = TextRange::new(0, source.len());
        let found = escapes(source, dialect, range).into_iter().filter(|e| subject.is_edit() || !e.is_for_linters());
        found.map(remark).collect()
    };
    layers::objections(Layer::Types, subject, &all(&subject.previous), all(&subject.task.source))
}

fn remark(found: super::escapes::Escape) -> Remark {
    let kind = match found.rule {
        "any" | "as-any" => Escape::AnyType,
        "as-unknown-as" => Escape::Cast,
        _ => Escape::Suppression,
    };
    let text = found.text.split_whitespace().collect::<Vec<_>>().join(" ");
    Remark { rule: kind.name().into(), message: kind.message(&text), line: found.line, url: None }
}

/// The compiler's objections; the file before the edit is only looked at when there are any.
async fn compare(tools: &Toolchain, subject: &Subject) -> Result<Vec<Finding>, Failure> {
    let after = remarks(tools, subject, &subject.task.source).await?;
    if after.is_empty() {
        return Ok(Vec::new());
    }
    let before = if subject.is_edit() { remarks(tools, subject, &subject.previous).await? } else { Vec::new() };
    Ok(layers::objections(Layer::Types, subject, &before, after))
}

/// Errors in one text. A project configuration that the compiler cannot read is left out: it is about
/// the project, not about the edit.
async fn remarks(tools: &Toolchain, subject: &Subject, text: &str) -> Result<Vec<Remark>, Failure> {
    let mirror = Mirror::make(tools, subject, text)?;
    mirror.tsconfig_is_read()?;
    let own = mirror.tsconfig.file.clone();
    if let Some(config) = own {
        let extends = config.file_name().map(|n| format!("./{}", n.to_string_lossy()));
        let place = config.with_file_name(CONFIG);
        if let Some(remarks) = run(tools, subject, &mirror, place, extends).await? {
            return Ok(remarks);
        }
    }
    let place = mirror.root.join(CONFIG);
    let remarks = run(tools, subject, &mirror, place, None).await?;
    remarks.ok_or_else(|| Failure::Unavailable("the compiler cannot read its own configuration".into()))
}

/// `None` when the compiler objects to the configuration.
async fn run(
    tools: &Toolchain,
    subject: &Subject,
    mirror: &Mirror,
    place: PathBuf,
    extends: Option<String>,
) -> Result<Option<Vec<Remark>>, Failure> {
    let node = tools.node()?;
    let config = config(&node.root, mirror, extends).to_string();
    let is_loose = is_loose(subject, mirror);
    write(&place, config.as_bytes())?;
    let errors = match loaded(tools, &node, mirror, &place, config).await {
        Some(errors) => errors,
        None => started(tools, &node, mirror, place).await?,
    };
    if errors.iter().any(|e| e.file.is_empty() && OF_CONFIGURATION.iter().any(|c| e.code.starts_with(c))) {
        return Ok(None);
    }
    // Paths of a process of its own are relative to the working folder.
    let is_own = |m: &Message| mirror.scratch().join(&m.file) == mirror.file;
    let counts = |m: &Message| !is_loose || m.is_at_run_time();
    Ok(Some(errors.into_iter().filter(|m| is_own(m) && counts(m)).map(Message::remark).collect()))
}

/// Whether a file is plain JavaScript for which nobody has said types: those that the compiler makes up are no promise.
fn is_loose(subject: &Subject, mirror: &Mirror) -> bool {
    let signature = &subject.task.signature;
    let is_typed = signature.returns.is_some() || signature.params.iter().any(|p| p.annotation.is_some());
    is_javascript(&mirror.file)
        && !is_typed
        && !mirror.tsconfig.checks_javascript()
        && !subject.task.source.contains("@ts-check")
}

/// The errors as the compiler that stays loaded tells them.
async fn loaded(
    tools: &Toolchain,
    node: &NodeEnv,
    mirror: &Mirror,
    place: &Path,
    config: String,
) -> Option<Vec<Message>> {
    let read = |path: &PathBuf| Some((path.clone(), std::fs::read_to_string(path).ok()?));
    let mut texts: BTreeMap<PathBuf, String> =
        mirror.configs.iter().chain([&mirror.file]).filter_map(read).chain(mirror.texts()).collect();
    texts.insert(place.to_path_buf(), config);
    let question = json!({
        "mode": "types",
        "tools": node.root.join("package.json"),
        "texts": texts,
        "config": place,
        "folder": mirror.scratch(),
        "links": mirror.links(),
        "packages": mirror.packages,
    });
    let answer = harness::ask_resident(tools, &mirror.scratch(), mirror.packages.as_ref(), &question).await?;
    serde_json::from_value(answer.get("said")?.clone()).ok()
}

/// The errors as a compiler prints them that was started for them.
async fn started(tools: &Toolchain, node: &NodeEnv, mirror: &Mirror, place: PathBuf) -> Result<Vec<Message>, Failure> {
    let program = node.tool("typescript")?.path;
    let mut command: Vec<OsString> = vec![node.node.clone().into(), "--no-warnings".into(), program.into()];
    command.extend(["--pretty", "false", "-p"].map(OsString::from));
    command.push(place.into());
    let readable = node.readable.iter().chain(&mirror.packages).cloned().collect();
    let run = tool::Run {
        name: "tsc",
        command,
        env: Vec::new(),
        stdin: Vec::new(),
        readable,
        scratch: mirror.scratch(),
        seconds: 30,
        loaded: None,
        accepted: &[0, 1, 2],
    };
    let output = tool::run(tools, run).await?;
    let said = String::from_utf8_lossy(&output.stdout);
    let errors: Vec<Message> = said.lines().filter_map(Message::read).collect();
    if errors.is_empty() && output.exit != zeroerr_sandbox::Exit::Code(0) {
        return Err(tool::garbage("tsc", said.lines().next().unwrap_or("nothing")));
    }
    Ok(errors)
}

/// The configuration: the project's with this one file, or ours.
fn config(tools: &std::path::Path, mirror: &Mirror, extends: Option<String>) -> Value {
    let types = tools.join("node_modules/@types");
    let declarations = mirror.configs.iter().filter(|p| p.to_string_lossy().ends_with(".d.ts"));
    let files: Vec<PathBuf> = std::iter::once(mirror.file.clone()).chain(declarations.cloned()).collect();
    let mut options = json!({
        "noEmit": true, "composite": false, "incremental": false, "emitDeclarationOnly": false, "declaration": false,
        "declarationMap": false, "isolatedDeclarations": false, "skipLibCheck": true, "allowImportingTsExtensions": true,
    });
    let is_plain = is_javascript(&mirror.file);
    if is_plain {
        options["allowJs"] = json!(true);
        options["checkJs"] = json!(true);
    }
    let has_types = mirror.packages.as_ref().is_some_and(|p| p.join("@types/node").is_dir());
    if !has_types {
        options["typeRoots"] = json!([types]);
        options["types"] = json!(["node"]);
    }
    if mirror.has_neighbours() {
        // A package is built by itself, and read with the others.
        options["rootDir"] = Value::Null;
        let paths = mirror.tsconfig.aliases.iter().map(|(name, places)| (name.clone(), json!(places)));
        options["paths"] = Value::Object(paths.collect());
    }
    let Some(extends) = extends else {
        let text = std::fs::read_to_string(&mirror.file).unwrap_or_default();
        let is_for_browsers = ["document", "window", "HTMLElement"].iter().any(|word| text.contains(word));
        let libraries: &[&str] = if is_for_browsers { &["esnext", "dom", "dom.iterable"] } else { &["esnext"] };
        // Without JSDoc there is nothing to hold plain JavaScript to.
        let ours = json!({
            "strict": true, "noImplicitAny": !is_plain, "target": "esnext", "module": "preserve",
            "moduleResolution": "bundler", "esModuleInterop": true, "resolveJsonModule": true, "jsx": "preserve",
            "experimentalDecorators": false, "noImplicitOverride": false, "lib": libraries,
            "noUncheckedIndexedAccess": false,
        });
        if let (Value::Object(options), Value::Object(ours)) = (&mut options, ours) {
            options.extend(ours);
        }
        return json!({"compilerOptions": options, "files": files});
    };
    json!({"extends": extends, "compilerOptions": options, "files": files, "include": [], "references": []})
}

/// One line of a compiler: `src/a.ts(3,87): error TS2322: Type ...`, or without a place.
#[derive(Debug, PartialEq, Eq, Deserialize)]
struct Message {
    file: String,
    line: usize,
    code: String,
    text: String,
}

impl Message {
    fn read(said: &str) -> Option<Self> {
        let (place, rest) = match said.split_once(": error TS") {
            Some((place, rest)) => (place, rest),
            None => ("", said.strip_prefix("error TS")?),
        };
        let (code, text) = rest.split_once(": ")?;
        let (file, at) = place.rsplit_once('(').unwrap_or(("", ""));
        let line = at.split(',').next().and_then(|n| n.parse().ok()).unwrap_or(1);
        Some(Self { file: file.into(), line, code: format!("TS{code}"), text: text.trim().into() })
    }

    /// Whether it is said of any JavaScript; codes below 2000 are of texts that cannot be read.
    fn is_at_run_time(&self) -> bool {
        (self.code.len() == "TS1000".len() && self.code.starts_with("TS1")) || AT_RUN_TIME.contains(&self.code.as_str())
    }

    fn remark(self) -> Remark {
        let url = Some(format!("https://typescript.tv/errors/{}", self.code.to_lowercase()));
        Remark { rule: self.code, message: self.text, line: self.line, url }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_compiler_is_read_with_its_place() {
        let said = "project/src/a (1).ts(3,87): error TS2322: Type 'number' is not assignable to type 'string'.";
        let message = Message::read(said).unwrap();
        assert_eq!((message.file.as_str(), message.line, message.code.as_str()), ("project/src/a (1).ts", 3, "TS2322"));
        let general = Message::read("error TS5023: Unknown compiler option 'x'.").unwrap();
        assert_eq!((general.file.as_str(), general.code.as_str()), ("", "TS5023"));
        assert_eq!(Message::read("  The types of 'a' are incompatible."), None);
    }
}
