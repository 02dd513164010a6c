//! Layer 1 for TypeScript: tree-sitter for the place, esbuild for what a grammar cannot say (`await` in a
//! function that is not async, a name declared twice, `return` outside of a function).

use zeroerr_core::verdict::{Finding, Layer, LayerReport, Verdict};

use super::tree::{Dialect, parse};
use crate::languages::Subject;
use crate::layers::{self, Failure, Remark, syntax, tool};
use crate::toolchain::Toolchain;

/// Runs the layer.
pub(super) async fn check(tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Syntax),
    }
}

async fn judge(tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let esbuild = tools.node()?.tool("esbuild")?;
    let used = vec!["tree-sitter-typescript 0.23".to_string(), esbuild.version.clone()];
    let parsed = tree_faults(subject)?;
    if !parsed.is_empty() {
        return Ok(layers::report(Layer::Syntax, parsed, "", used));
    }
    match compile(tools, subject, &subject.task.source).await? {
        None => Ok(layers::report(Layer::Syntax, Vec::new(), format!("{} reads it", esbuild.version), used)),
        Some(error) => blame(tools, subject, error, used).await,
    }
}

/// Faults of the tree that count against the subject.
fn tree_faults(subject: &Subject) -> Result<Vec<Finding>, Failure> {
    let read = |text: &str| {
        parse(text, Dialect::of(&subject.task.file))
            .map(|t| syntax::faults(&t))
            .ok_or_else(|| Failure::TimedOut("the parser gave up on this file".into()))
    };
    let after = read(&subject.task.source)?;
    let before = if after.is_empty() || !subject.is_edit() { Vec::new() } else { read(&subject.previous)? };
    Ok(layers::objections(Layer::Syntax, subject, &before, after))
}

/// A file that cannot be read fails the layer when the subject is to blame; when it never could be,
/// nothing can be said of the function and the file has to be mended first.
async fn blame(tools: &Toolchain, subject: &Subject, error: Remark, used: Vec<String>) -> Result<LayerReport, Failure> {
    let inside = subject.function_lines().contains(&error.line);
    let old = match subject.is_edit() {
        true => !inside && compile(tools, subject, &subject.previous).await?.is_some(),
        false => !inside,
    };
    if old {
        let detail =
            format!("line {} cannot be read, outside of this function: {}; mend that first", error.line, error.message);
        return Ok(LayerReport { tools: used, ..LayerReport::new(Layer::Syntax, Verdict::Unavailable, detail) });
    }
    Ok(layers::report(Layer::Syntax, vec![layers::finding(Layer::Syntax, error)], "", used))
}

/// Where an error is, and what it is.
struct Place {
    line: usize,
    message: String,
}

/// The first error that esbuild finds.
async fn compile(tools: &Toolchain, subject: &Subject, source: &str) -> Result<Option<Remark>, Failure> {
    let node = tools.node()?;
    let scratch = tools.scratch()?;
    let loader = match subject.task.file.extension().and_then(|e| e.to_str()) {
        Some("tsx") => "tsx",
        Some("js" | "jsx" | "mjs" | "cjs") => "jsx",
        _ => "ts",
    };
    let run = tool::Run {
        name: "esbuild",
        command: vec![
            node.tool("esbuild")?.path.into(),
            format!("--loader={loader}").into(),
            "--target=esnext".into(),
            "--jsx=preserve".into(),
            "--log-level=error".into(),
            "--log-limit=1".into(),
            "--color=false".into(),
        ],
        env: Vec::new(),
        stdin: source.as_bytes().to_vec(),
        readable: node.readable,
        scratch: scratch.path().to_path_buf(),
        seconds: 10,
        loaded: None,
        accepted: &[0, 1],
    };
    let output = tool::run(tools, run).await?;
    if output.exit == zeroerr_sandbox::Exit::Code(0) {
        return Ok(None);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let place = read(&said).ok_or_else(|| tool::garbage("esbuild", said.lines().next().unwrap_or("nothing")))?;
    Ok(Some(Remark { rule: "compile".into(), message: place.message, line: place.line, url: None }))
}

/// `✘ [ERROR] message`, then `<stdin>:LINE:COLUMN:`.
fn read(said: &str) -> Option<Place> {
    let message = said.lines().find_map(|l| l.split_once("[ERROR] ")).map(|(_, m)| m.trim().to_owned())?;
    let line = said.lines().find_map(|l| l.trim().strip_prefix("<stdin>:")?.split(':').next()?.parse().ok())?;
    Some(Place { line, message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_is_read_with_its_place() {
        let said = "✘ [ERROR] \"await\" can only be used inside an \"async\" function\n\n    <stdin>:3:9:\n      3 │   return await x;\n";
        let place = read(said).unwrap();
        assert_eq!(
            (place.line, place.message.as_str()),
            (3, "\"await\" can only be used inside an \"async\" function")
        );
        assert!(read("Segmentation fault").is_none());
    }
}
