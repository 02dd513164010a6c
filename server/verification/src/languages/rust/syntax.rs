//! Layer 1 for Rust: the compiler's own parser, and tree-sitter beside it.

use std::path::Path;

use zeroerr_core::verdict::{Layer, LayerReport};
use zeroerr_sandbox::Exit;

use super::compiling::{self, Run};
use super::session::State;
use super::targets;
use super::tree::parse;
use super::types::failure;
use crate::languages::Subject;
use crate::layers::{self, Failure, Remark, syntax};
use crate::toolchain::Toolchain;

/// Runs the layer.
pub(super) async fn check(state: &State, tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(state, tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Syntax),
    }
}

async fn judge(state: &State, tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let faults = |text: &str| parse(text).map(|tree| syntax::faults(&tree)).unwrap_or_default();
    let named = "tree-sitter-rust".to_owned();
    let own = faults(&subject.task.source);
    // The compiler's parser says more exactly where; without it, what tree-sitter sees is still a fault.
    let said = match parsed(state, tools, subject, &subject.task.source).await {
        Ok(said) => said,
        Err(failure) if own.is_empty() => return Err(failure),
        Err(_) => Vec::new(),
    };
    let (before, after, used) = match (said.is_empty(), own.is_empty()) {
        (true, true) => (Vec::new(), Vec::new(), vec![named, state.rust(tools).await?.named("rustfmt")]),
        (true, false) => (faults(&subject.previous), own, vec![named]),
        (false, _) => {
            let before =
                if subject.is_edit() { parsed(state, tools, subject, &subject.previous).await? } else { Vec::new() };
            (before, said, vec![state.rust(tools).await?.named("rustfmt")])
        }
    };
    let found = layers::objections(Layer::Syntax, subject, &before, after);
    Ok(layers::report(Layer::Syntax, found, "parses", used))
}

/// What rustfmt cannot parse; it has the compiler's parser, and looks at nothing else.
async fn parsed(state: &State, tools: &Toolchain, subject: &Subject, text: &str) -> Result<Vec<Remark>, Failure> {
    let rust = state.rust(tools).await?;
    let scratch = tools.scratch()?;
    let file = Path::new("edited.rs");
    // Modules in other files are theirs to parse.
    super::project::write(&scratch.path().join(file), &without_modules(text))?;
    let edition = targets::edition_of(&subject.task.file);
    let args = ["--check", "--quiet", "--color", "never", "--edition", &edition, "edited.rs"].map(Into::into).to_vec();
    let run = Run { program: rust.program("rustfmt")?, args, env: Vec::new(), readable: rust.readable(), seconds: 10 };
    let output = compiling::run(tools, run, scratch.path()).await.map_err(failure)?;
    let said = String::from_utf8_lossy(&output.stderr);
    let mut found = Vec::new();
    let mut lines = said.lines().peekable();
    while let Some(line) = lines.next() {
        let Some(message) = line.strip_prefix("error").and_then(|l| l.split_once(": ")).map(|(_, m)| m.to_owned())
        else {
            continue;
        };
        let place = lines.peek().and_then(|l| l.trim_start().strip_prefix("--> "));
        let row = place.and_then(|p| p.rsplit(':').nth(1)?.parse::<usize>().ok());
        if let Some(row) = row {
            found.push(Remark { rule: "parse".into(), message, line: row, url: None });
        }
    }
    match output.exit {
        // 1 without an error: it would lay the file out in another way, which is nobody's fault.
        Exit::Code(0 | 1) => Ok(found),
        exit => Err(Failure::Unavailable(format!(
            "rustfmt ended with {exit:?}: {}",
            said.lines().next().unwrap_or("it said nothing")
        ))),
    }
}

/// `mod x;` blanked out: rustfmt would look for the file.
fn without_modules(text: &str) -> String {
    let Some(tree) = parse(text) else { return text.to_owned() };
    let mut out = text.to_owned();
    for node in super::tree::nodes(tree.root_node()) {
        if node.kind() == "mod_item" && node.child_by_field_name("body").is_none() {
            let blank: String =
                super::tree::text(node, text).chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect();
            if blank.len() == node.byte_range().len() {
                out.replace_range(node.byte_range(), &blank);
            }
        }
    }
    out
}
