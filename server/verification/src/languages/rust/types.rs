//! Layer 2 for Rust: the compiler, in the project where there is one, and the ways around its types
//! that an edit may not add.

use tree_sitter::Node;
use zeroerr_core::verdict::{Layer, LayerReport};

use super::diagnose;
use super::session::State;
use super::tree::{is_comment, is_text_literal, nodes, parse, text};
use crate::languages::Subject;
use crate::layers::types::Escape;
use crate::layers::{self, Failure, Remark};
use crate::toolchain::Toolchain;

/// Runs the layer.
pub(super) async fn check(state: &State, tools: &Toolchain, subject: &Subject) -> LayerReport {
    match judge(state, tools, subject).await {
        Ok(report) => report,
        Err(failure) => failure.report(Layer::Types),
    }
}

async fn judge(state: &State, tools: &Toolchain, subject: &Subject) -> Result<LayerReport, Failure> {
    let said = diagnose::of(state, tools, subject, &subject.task.source).await.map_err(failure)?;
    let mut after: Vec<Remark> = said.own.iter().filter(|m| m.is_own()).map(super::compiler::Message::remark).collect();
    // What another file says of the edit, the function has brought about.
    let at = *subject.function_lines().start();
    after.extend(said.elsewhere.iter().map(|e| Remark {
        rule: "elsewhere".into(),
        message: e.clone(),
        line: at,
        url: None,
    }));
    let mut before = Vec::new();
    if !after.is_empty() && subject.is_edit() {
        let said = diagnose::of(state, tools, subject, &subject.previous).await.map_err(failure)?;
        before.extend(said.own.iter().filter(|m| m.is_own()).map(super::compiler::Message::remark));
        after.retain(|r| r.rule != "elsewhere" || !said.elsewhere.contains(&r.message));
    }
    let mut found = layers::objections(Layer::Types, subject, &before, after);
    found.extend(layers::objections(Layer::Types, subject, &escapes(&subject.previous), escapes(&subject.task.source)));
    found.sort_by_key(|f| f.line);
    let rust = state.rust(tools).await?;
    Ok(layers::report(
        Layer::Types,
        found,
        "the compiler accepts it, no new way around its types",
        vec![rust.version.clone()],
    ))
}

/// A build that could not be tried, as a layer's failure.
pub(super) fn failure(error: super::compiling::BuildError) -> Failure {
    Failure::from(super::session::Trouble::from(error))
}

/// Every way around the type checker in a file.
fn escapes(source: &str) -> Vec<Remark> {
    let Some(tree) = parse(source) else { return Vec::new() };
    let mut out = Vec::new();
    for node in nodes(tree.root_node()) {
        if let Some((escape, shown)) = escape(node, source) {
            let line = node.start_position().row + 1;
            out.push(Remark { rule: escape.name().into(), message: escape.message(&shown), line, url: None });
        }
    }
    out
}

fn escape(node: Node<'_>, source: &str) -> Option<(Escape, String)> {
    let written = || text(node, source).split_whitespace().collect::<Vec<_>>().join(" ");
    match node.kind() {
        "attribute_item" | "inner_attribute_item" => {
            let squeezed: String = text(node, source).split_whitespace().collect();
            let inner = squeezed.trim_start_matches(['#', '!', '[']);
            let silences = inner.starts_with("allow(") || inner.starts_with("expect(") || inner.contains(",allow(");
            silences.then(|| (Escape::Suppression, written()))
        }
        "dynamic_type" | "bounded_type" => {
            let any = nodes(node).iter().any(|n| n.kind() == "type_identifier" && text(*n, source) == "Any");
            any.then(|| (Escape::AnyType, written()))
        }
        "identifier" | "field_identifier" => {
            let name = text(node, source);
            let outside = node.parent().is_none_or(|p| !is_comment(p) && !is_text_literal(p));
            let unchecked = matches!(
                name,
                "transmute"
                    | "transmute_copy"
                    | "downcast_unchecked"
                    | "unwrap_unchecked"
                    | "from_utf8_unchecked"
                    | "from_u32_unchecked"
                    | "assume_init"
                    | "from_raw_parts"
                    | "get_unchecked"
                    | "get_unchecked_mut"
                    | "unreachable_unchecked"
                    | "zeroed"
            );
            (outside && unchecked).then(|| (Escape::Cast, name.to_owned()))
        }
        _ => None,
    }
}
