//! `textDocument/completion` inside spec comments: tags, and after a tag the names it may use.

use lsp_types::*;
use zeroerr_core::code::{Task, TextRange};
use zeroerr_core::task_specification::TAGS;

use crate::position::{byte_at, range_of};
use crate::state::State;

/// What begins a comment line in one of our languages.
const MARKERS: [&str; 5] = ["///", "//!", "//", "#", "*"];

pub(crate) fn answer(state: &State, params: &CompletionParams) -> Option<CompletionResponse> {
    let place = &params.text_document_position;
    let snapshot = state.snapshot(&place.text_document.uri)?;
    let at = byte_at(&snapshot.rope, place.position, state.profile.encoding);
    let line_start = snapshot.rope.line_to_byte(snapshot.line_at(at));
    let before = snapshot.text.get(line_start..at)?;
    let comment = MARKERS.iter().find_map(|m| before.trim_start().strip_prefix(m))?.trim_start();
    let word = comment.rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '@')).next().unwrap_or_default();
    let range = range_of(&snapshot.rope, TextRange::new(at - word.len(), at), state.profile.encoding);
    let candidates = if word.len() == comment.len() && (word.is_empty() || word.starts_with('@')) {
        tags()
    } else {
        let (tag, rest) = comment.strip_prefix('@')?.split_once(char::is_whitespace)?;
        // By the line: the cursor may stand behind white space that ends the spec.
        let line = TextRange::new(line_start, at);
        values(tag, rest, snapshot.analysis.tasks.iter().find(|t| t.spec_range.overlaps(line)))
    };
    let item = |c: Candidate| CompletionItem {
        filter_text: Some(c.label.clone()),
        text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: c.label.clone() })),
        label: c.label,
        kind: Some(c.kind),
        detail: Some(c.detail),
        ..CompletionItem::default()
    };
    Some(CompletionResponse::Array(candidates.into_iter().filter(|c| c.label.starts_with(word)).map(item).collect()))
}

struct Candidate {
    label: String,
    kind: CompletionItemKind,
    detail: String,
}

impl Candidate {
    fn new(label: impl Into<String>, kind: CompletionItemKind, detail: impl Into<String>) -> Self {
        Self { label: label.into(), kind, detail: detail.into() }
    }
}

fn tags() -> Vec<Candidate> {
    TAGS.iter().map(|t| Candidate::new(format!("@{}", t.name), CompletionItemKind::KEYWORD, t.summary)).collect()
}

fn values(tag: &str, rest: &str, task: Option<&Task>) -> Vec<Candidate> {
    let fixed =
        |list: &[&str]| list.iter().map(|v| Candidate::new(*v, CompletionItemKind::VALUE, format!("@{tag}"))).collect();
    match tag {
        "complexity" if rest.is_empty() => {
            fixed(&["O(1)", "O(log n)", "O(n)", "O(n log n)", "O(n^2)", "O(n^3)", "O(2^n)"])
        }
        "forbid" => fixed(&["recursion", "loops", "imports"]),
        "requires" | "ensures" | "property" | "example" | "raises" | "budget" => {
            task.map(|t| names(tag, t)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

fn names(tag: &str, task: &Task) -> Vec<Candidate> {
    let mut out = Vec::new();
    if matches!(tag, "requires" | "ensures" | "property") {
        out.extend(task.signature.params.iter().map(|p| {
            let detail = p.annotation.clone().unwrap_or_else(|| "parameter".into());
            Candidate::new(&p.name, CompletionItemKind::VARIABLE, detail)
        }));
    }
    if tag == "ensures" {
        let detail = task.signature.returns.clone().unwrap_or_else(|| "what the function returns".into());
        out.push(Candidate::new("result", CompletionItemKind::VARIABLE, detail));
    }
    if tag != "requires" {
        out.push(Candidate::new(&task.signature.name, CompletionItemKind::FUNCTION, task.signature.header.trim()));
    }
    out
}
