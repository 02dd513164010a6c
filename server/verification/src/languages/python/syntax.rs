//! Layer 1 for Python: tree-sitter for the place, the interpreter's own `compile()` for the rest
//! (`return` outside a function, `nonlocal` without a binding, duplicate arguments).

use serde::Deserialize;
use zeroerr_core::verdict::{Finding, Layer, LayerReport, Verdict};

use super::harness;
use super::tree::parse;
use crate::languages::Subject;
use crate::layers::{self, Failure, Remark, syntax, tool};
use crate::toolchain::{Loaded, Toolchain};

/// Compiles stdin and prints what is wrong. Nothing of it is run.
const COMPILE: &str = r#"
import json, sys, warnings
warnings.simplefilter("ignore")
try:
    compile(sys.stdin.buffer.read(), sys.argv[1], "exec", dont_inherit=True)
    out = None
except SyntaxError as e:
    out = {"line": e.lineno or 1, "message": e.msg}
except (ValueError, RecursionError, MemoryError, OverflowError) as e:
    out = {"line": 1, "message": f"{type(e).__name__}: {e}"}
json.dump(out, sys.stdout)
"#;

#[derive(Debug, Deserialize)]
struct CompileError {
    line: usize,
    message: String,
}

/// Runs the layer.
pub async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Syntax),
    }
}

async fn judge(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let python = tools.python()?;
    let used = vec!["tree-sitter-python 0.25".to_string(), python.named("python")];
    let parsed = tree_faults(subject)?;
    if !parsed.is_empty() {
        return Ok(layers::report(Layer::Syntax, parsed, "", used));
    }
    match compile(tools, &subject.task.source).await? {
        None => Ok(layers::report(Layer::Syntax, Vec::new(), format!("compiles with Python {}", python.version), used)),
        Some(error) => blame(tools, subject, error, used).await,
    }
}

/// Faults of the tree that count against the subject.
fn tree_faults(subject: &Subject) -> Result<Vec<Finding>, Failure> {
    let read = |text: &str| {
        parse(text)
            .map(|t| syntax::faults(&t))
            .ok_or_else(|| Failure::TimedOut("the parser gave up on this file".into()))
    };
    let after = read(&subject.task.source)?;
    let before = if after.is_empty() || !subject.is_edit() { Vec::new() } else { read(&subject.previous)? };
    Ok(layers::objections(Layer::Syntax, subject, &before, after))
}

/// A file that does not compile fails the layer when the subject is to blame; when it never
/// compiled, nothing can be said of the function and the file has to be mended first.
async fn blame(
    tools: &Toolchain,
    subject: &Subject,
    error: CompileError,
    used: Vec<String>,
) -> Result<LayerReport, Failure> {
    let inside = subject.function_lines().contains(&error.line);
    let old = if subject.is_edit() { compile(tools, &subject.previous).await?.is_some() && !inside } else { !inside };
    if old {
        let detail = format!(
            "line {} does not compile, outside of this function: {}; mend that first",
            error.line, error.message
        );
        return Ok(LayerReport { tools: used, ..LayerReport::new(Layer::Syntax, Verdict::Unavailable, detail) });
    }
    let remark = Remark { rule: "compile".into(), message: error.message, line: error.line, url: None };
    Ok(layers::report(Layer::Syntax, vec![layers::finding(Layer::Syntax, remark)], "", used))
}

async fn compile(tools: &Toolchain, source: &str) -> Result<Option<CompileError>, Failure> {
    let python = tools.python()?;
    let scratch = tools.scratch()?;
    let harness = harness::installed(tools, &python, scratch.path()).await?;
    let output = tool::run(
        tools,
        tool::Run {
            name: "python",
            command: vec![
                python.interpreter.into(),
                "-I".into(),
                "-S".into(),
                "-c".into(),
                COMPILE.into(),
                "edited.py".into(),
            ],
            env: Vec::new(),
            stdin: source.as_bytes().to_vec(),
            readable: python.readable,
            scratch: scratch.path().to_path_buf(),
            seconds: 10,
            accepted: &[0],
            loaded: Some(Loaded { harness: &harness, flags: 2, modules: &["warnings"] }),
        },
    )
    .await?;
    serde_json::from_slice(&output.stdout).map_err(|e| tool::garbage("python", e))
}
