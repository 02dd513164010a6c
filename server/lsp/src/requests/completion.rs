//! `textDocument/completion` inside spec comments: tags, and after a tag the names and types it may
//! use.

use std::sync::Arc;

use lsp_types::*;
use zeroerr_core::code::{LanguageId, NameKind, ScopeName, Task, TextRange};
use zeroerr_core::task_specification::{TAGS, TagInfo};

use crate::document::Snapshot;
use crate::position::{byte_at, range_of};
use crate::spec_tokens::{behind_marker, tag_of};
use crate::state::{Reply, State};

/// Entries of one answer. A longer list is told to be incomplete: the client asks again with the next key.
const MAX_ENTRIES: usize = 200;

/// Answers at once, or, when the names of the file are wanted, by a worker that reads it.
pub(crate) fn answer(state: &State, params: &CompletionParams, reply: Reply<Option<CompletionResponse>>) {
    let Some(place) = Place::find(state, params) else { return drop(reply.send(Ok(None))) };
    let markdown = state.profile.completion_markdown;
    if !place.wants_names() {
        return drop(reply.send(Ok(Some(place.response(&[], markdown)))));
    }
    let workbench = state.options.workbench.clone();
    let path = state.documents.get(&params.text_document_position.text_document.uri).map(|d| d.path.clone());
    tokio::task::spawn_blocking(move || {
        let snapshot = place.snapshot.clone();
        let names = snapshot.names(|text| path.map(|p| workbench.names(&p, text)).unwrap_or_default());
        drop(reply.send(Ok(Some(place.response(names, markdown)))));
    });
}

/// Where the cursor is.
struct Place {
    snapshot: Arc<Snapshot>,
    /// What has been typed of the word, and where it stands.
    word: String,
    range: Range,
    /// The tag of the line and what is between it and the word; none where a tag itself goes.
    clause: Option<(&'static str, String)>,
    /// The function that the spec is about.
    task: Option<Task>,
}

impl Place {
    fn find(state: &State, params: &CompletionParams) -> Option<Self> {
        let place = &params.text_document_position;
        let snapshot = state.snapshot(&place.text_document.uri)?;
        let at = byte_at(&snapshot.rope, place.position, state.profile.encoding);
        let line_start = snapshot.rope.line_to_byte(snapshot.line_at(at));
        let before = snapshot.text.get(line_start..at)?;
        let (indent, comment) = behind_marker(before);
        // By the line: the cursor may stand behind white space that ends the spec.
        let line = TextRange::new(line_start, at);
        let task = snapshot.analysis.tasks.iter().find(|t| t.spec_range.overlaps(line)).cloned();
        let is_marked = before.trim_start().len() > before.get(indent..)?.len();
        if !is_marked && task.is_none() {
            return None;
        }
        let word: String = comment
            .rsplit(|c: char| !(c.is_alphanumeric() || c == '_' || c == '@'))
            .next()
            .unwrap_or_default()
            .to_owned();
        let begins_line = word.len() == comment.len() && (word.is_empty() || word.starts_with('@'));
        let clause = if begins_line {
            None
        } else {
            let (tag, length) = tag_of(comment)?;
            Some((tag.name, comment.get(length..comment.len() - word.len())?.trim_start().to_owned()))
        };
        let range = range_of(&snapshot.rope, TextRange::new(at - word.len(), at), state.profile.encoding);
        Some(Self { snapshot, word, range, clause, task })
    }

    fn wants_names(&self) -> bool {
        let speaks = |tag: &str| !matches!(tag, "spec" | "complexity" | "forbid");
        self.clause.as_ref().is_some_and(|(tag, _)| speaks(tag))
    }

    fn response(&self, names: &[ScopeName], markdown: bool) -> CompletionResponse {
        let candidates = match &self.clause {
            // Guesses are for machines to make.
            None => TAGS.iter().filter(|t| !t.name.ends_with('?')).map(Candidate::tag).collect(),
            Some((tag, rest)) => self.values(tag, rest, names),
        };
        let mut seen = std::collections::HashSet::new();
        let mut fitting =
            candidates.into_iter().filter(|c| c.label.starts_with(&self.word) && seen.insert(c.label.clone()));
        let entries = fitting.by_ref().take(MAX_ENTRIES).enumerate();
        let items = entries.map(|(n, c)| self.item(n, c, markdown)).collect();
        match fitting.next() {
            None => CompletionResponse::Array(items),
            Some(_) => CompletionResponse::List(CompletionList { is_incomplete: true, items }),
        }
    }

    fn item(&self, n: usize, candidate: Candidate, markdown: bool) -> CompletionItem {
        let documentation = candidate.documentation.map(|tag| {
            if markdown {
                let value = format!("`{}`\n\n```\n{}\n```", tag.syntax, tag.example);
                Documentation::MarkupContent(MarkupContent { kind: MarkupKind::Markdown, value })
            } else {
                Documentation::String(format!("{}\n{}", tag.syntax, tag.example))
            }
        });
        CompletionItem {
            filter_text: Some(candidate.label.clone()),
            // In our order: what belongs to the function before what belongs to the file.
            sort_text: Some(format!("{n:04}")),
            text_edit: Some(CompletionTextEdit::Edit(TextEdit {
                range: self.range,
                new_text: candidate.label.clone(),
            })),
            label: candidate.label,
            kind: Some(candidate.kind),
            detail: Some(candidate.detail),
            documentation,
            ..CompletionItem::default()
        }
    }

    fn values(&self, tag: &str, rest: &str, names: &[ScopeName]) -> Vec<Candidate> {
        let fixed = |list: &[&str]| {
            list.iter().map(|v| Candidate::new(*v, CompletionItemKind::VALUE, format!("@{tag}"))).collect()
        };
        match tag {
            "complexity" if rest.is_empty() => {
                fixed(&["O(1)", "O(log n)", "O(n)", "O(n log n)", "O(n^2)", "O(n^3)", "O(2^n)"])
            }
            "forbid" => fixed(&["recursion", "loops", "imports"]),
            "uses" => of_file(names, |k| k == NameKind::Module),
            // The exception comes first, then the call.
            "raises" if rest.is_empty() => {
                let mut out = of_file(names, |k| k == NameKind::Class);
                out.extend(self.builtin(EXCEPTIONS));
                out
            }
            "step" if rest.contains('(') => {
                let mut out = of_file(names, |k| k == NameKind::Class);
                out.extend(self.builtin(TYPES));
                out
            }
            "requires" | "ensures" | "property" | "example" | "raises" | "budget" => {
                let mut out = self.task.as_ref().map(|t| of_function(tag, t)).unwrap_or_default();
                // A precondition cannot speak of what the function does.
                let own = self.task.as_ref().filter(|_| tag == "requires").map(|t| t.signature.name.as_str());
                out.extend(of_file(names, |_| true).into_iter().filter(|c| Some(c.label.as_str()) != own));
                out
            }
            _ => Vec::new(),
        }
    }

    /// The language's own names of a kind.
    fn builtin(&self, table: [(LanguageId, &[&str]); 3]) -> Vec<Candidate> {
        let language = self.task.as_ref().map(|t| t.language);
        let (_, names) = table.into_iter().find(|(l, _)| Some(*l) == language).unwrap_or(table[0]);
        names.iter().map(|n| Candidate::new(*n, CompletionItemKind::CLASS, "of the language")).collect()
    }
}

const TYPES: [(LanguageId, &[&str]); 3] = [
    (LanguageId::Python, &["int", "float", "str", "bool", "bytes", "list", "dict", "set", "tuple", "None"]),
    (
        LanguageId::Rust,
        &["bool", "char", "f64", "i32", "i64", "u8", "u32", "u64", "usize", "String", "Vec", "Option", "Result"],
    ),
    (LanguageId::TypeScript, &["number", "string", "boolean", "null", "undefined", "Array", "Map", "Set", "Record"]),
];

const EXCEPTIONS: [(LanguageId, &[&str]); 3] = [
    (
        LanguageId::Python,
        &["ValueError", "TypeError", "KeyError", "IndexError", "ZeroDivisionError", "OverflowError", "LookupError"],
    ),
    (LanguageId::Rust, &[]),
    (LanguageId::TypeScript, &["Error", "RangeError", "TypeError", "SyntaxError"]),
];

struct Candidate {
    label: String,
    kind: CompletionItemKind,
    detail: String,
    documentation: Option<&'static TagInfo>,
}

impl Candidate {
    fn new(label: impl Into<String>, kind: CompletionItemKind, detail: impl Into<String>) -> Self {
        Self { label: label.into(), kind, detail: detail.into(), documentation: None }
    }

    fn tag(tag: &'static TagInfo) -> Self {
        let label = format!("@{}", tag.name);
        Self { documentation: Some(tag), ..Self::new(label, CompletionItemKind::KEYWORD, tag.summary) }
    }
}

/// The names of the file that are of a kind.
fn of_file(names: &[ScopeName], wanted: impl Fn(NameKind) -> bool) -> Vec<Candidate> {
    let kind = |kind| match kind {
        NameKind::Function => CompletionItemKind::FUNCTION,
        NameKind::Class => CompletionItemKind::CLASS,
        NameKind::Module => CompletionItemKind::MODULE,
        NameKind::Variable => CompletionItemKind::VARIABLE,
    };
    names.iter().filter(|n| wanted(n.kind)).map(|n| Candidate::new(&n.name, kind(n.kind), &n.detail)).collect()
}

/// The names that belong to the function.
fn of_function(tag: &str, task: &Task) -> Vec<Candidate> {
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
