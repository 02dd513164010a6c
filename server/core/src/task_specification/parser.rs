//! Reads one spec block, in any language: the caller strips the comment marker and says where each
//! line stands, so that every diagnostic lands on the exact range.
//!
//! The rules, the same for `#`, `//`, `///`, JSDoc and docstrings:
//! * a line that starts with a tag starts a clause; one that starts with none continues it;
//! * an empty line ends the clause, and words after it belong to the intent again;
//! * words above the first tag are the intent when there is no `@spec`.

use std::collections::HashMap;

use super::clauses::{self, Found};
use super::tags::closest_tag;
pub use super::tags::{TAGS, TagInfo};
use super::{Clause, Example, ExampleClaim, ExampleOrigin, Severity, Spec, SpecDiagnostic};
use crate::code::TextRange;

/// One line of a block without its comment marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLine<'a> {
    /// The text after the marker; white space at both ends does not matter.
    pub text: &'a str,
    /// The byte offset of `text` in the file.
    pub start: usize,
}

/// Who else writes tags into a block of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockKind {
    /// Line comments: every `@word` is ours, an unknown one is a fault.
    Comments,
    /// Documentation (docstring, JSDoc): `@param` and its like are prose, only near misses are faults.
    Doc,
}

/// Whether a run of lines is a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockClass {
    /// It has a tag.
    Spec,
    /// It has only a misspelt tag: worth a diagnostic, but nothing to run.
    Suspect,
    /// Words that are not for us.
    Prose,
}

/// A clause as it stands in the file; maps places of its joined text back to the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClauseSource {
    /// Continuation lines joined by a space.
    pub text: String,
    /// First to last byte of the text in the file.
    pub range: TextRange,
    /// Where each line's part starts: (in `text`, in the file).
    parts: Vec<(usize, usize)>,
}

impl ClauseSource {
    /// The file offset of a byte of `text`.
    pub fn file_offset(&self, at: usize) -> usize {
        let part = self.parts.iter().rev().find(|(text_at, _)| *text_at <= at);
        part.map_or(self.range.start, |(text_at, file_at)| file_at + (at - text_at)).min(self.range.end)
    }

    /// The file range of a part of `text`.
    pub fn file_range(&self, start: usize, end: usize) -> TextRange {
        // The end belongs to the part of the last byte, not to the part that starts there.
        let last = if end > start { self.file_offset(end - 1) + 1 } else { self.file_offset(end) };
        TextRange::new(self.file_offset(start), last.min(self.range.end))
    }

    fn new(text: &str, start: usize) -> Self {
        Self { text: text.to_owned(), range: TextRange::new(start, start + text.len()), parts: vec![(0, start)] }
    }

    fn extend(&mut self, text: &str, start: usize) {
        if self.text.is_empty() {
            *self = Self::new(text, start);
            return;
        }
        self.text.push(' ');
        self.parts.push((self.text.len(), start));
        self.text.push_str(text);
        self.range.end = start + text.len();
    }
}

/// A parsed block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Block {
    /// What it says.
    pub spec: Spec,
    /// What is wrong with it, in file order.
    pub diagnostics: Vec<SpecDiagnostic>,
    /// The text behind every clause of `spec`, found by its range.
    pub sources: Vec<ClauseSource>,
}

/// Parses the lines of one block of comments. Never fails and never panics.
pub fn parse_block(lines: &[BlockLine<'_>]) -> (Spec, Vec<SpecDiagnostic>) {
    let block = parse(lines, BlockKind::Comments);
    (block.spec, block.diagnostics)
}

/// Parses the lines of one block, and keeps the map from clauses to the file.
pub fn parse(lines: &[BlockLine<'_>], kind: BlockKind) -> Block {
    let mut reader = Reader::default();
    for clause in split(lines, kind) {
        reader.clause(clause);
    }
    let words = if reader.intent.is_empty() { reader.preamble } else { reader.intent };
    reader.block.spec.intent = words.join("\n");
    reader.block.diagnostics.sort_by_key(|d| (d.range.start, d.range.end));
    reader.block
}

/// Says whether a run of lines is a spec, cheaply: for every comment of a file.
pub fn classify(lines: &[BlockLine<'_>], kind: BlockKind) -> BlockClass {
    let mut class = BlockClass::Prose;
    for line in lines {
        let Some(head) = tag_of(line, kind) else { continue };
        let has_text = !line.text.get(head.rest..).unwrap_or("").trim().is_empty();
        // A lone `@property` is a decorator that someone commented out, so other tags need a text.
        if head.known && (has_text || head.word == "spec") {
            return BlockClass::Spec;
        }
        if !head.known && has_text && kind == BlockKind::Comments && closest_tag(head.word).is_some() {
            class = BlockClass::Suspect;
        }
    }
    class
}

/// The start of a line that starts with a tag.
struct TagHead<'a> {
    word: &'a str,
    known: bool,
    /// Offsets in the line's text: of the `@`, and of what follows the tag.
    at: usize,
    rest: usize,
}

fn tag_of<'a>(line: &BlockLine<'a>, kind: BlockKind) -> Option<TagHead<'a>> {
    let trimmed = line.text.trim_start();
    let at = line.text.len() - trimmed.len();
    let after = trimmed.strip_prefix('@')?;
    let length = after.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '-')).unwrap_or(after.len());
    // `@example?` is a tag of its own: a guess.
    let guess = after.get(length..).is_some_and(|tail| tail.starts_with('?'))
        && after.get(..=length).is_some_and(|word| TAGS.iter().any(|t| t.name == word));
    let (word, tail) = after.split_at(length + usize::from(guess));
    // `@app.route(...)` and `@cache()` are code, not tags.
    let colon = usize::from(tail.starts_with(':'));
    let separated = tail.get(colon..)?.chars().next().is_none_or(char::is_whitespace);
    if word.is_empty() || !separated {
        return None;
    }
    // The word of JavaScript and Java; in documentation it stands before words.
    let word = if word == "throws" && kind == BlockKind::Comments { "raises" } else { word };
    let known = TAGS.iter().any(|t| t.name == word);
    let prose = kind == BlockKind::Doc
        && if known { clauses::is_epydoc_raises(word, tail) } else { closest_tag(word).is_none() };
    (!prose).then_some(TagHead { word, known, at, rest: at + 1 + word.len() + colon })
}

/// A run of lines that belong together: a tag with its text, or prose.
struct RawClause<'a> {
    tag: Option<(&'a str, TextRange)>,
    source: ClauseSource,
    after_first_tag: bool,
}

fn split<'a>(lines: &[BlockLine<'a>], kind: BlockKind) -> Vec<RawClause<'a>> {
    let mut out: Vec<RawClause<'a>> = Vec::new();
    let (mut open, mut seen_tag) = (false, false);
    for line in lines {
        if let Some(head) = tag_of(line, kind) {
            let rest = line.text.get(head.rest..).unwrap_or("");
            let text = rest.trim();
            let start = line.start + head.rest + (rest.len() - rest.trim_start().len());
            let tag_range = TextRange::new(line.start + head.at, line.start + head.at + 1 + head.word.len());
            out.push(RawClause {
                tag: Some((head.word, tag_range)),
                source: ClauseSource::new(text, start),
                after_first_tag: true,
            });
            (open, seen_tag) = (true, true);
            continue;
        }
        let text = line.text.trim();
        if text.is_empty() {
            open = false;
            continue;
        }
        let start = line.start + (line.text.len() - line.text.trim_start().len());
        match out.last_mut() {
            Some(last) if open => last.source.extend(text, start),
            _ => out.push(RawClause { tag: None, source: ClauseSource::new(text, start), after_first_tag: seen_tag }),
        }
        open = true;
    }
    out
}

#[derive(Default)]
struct Reader {
    block: Block,
    preamble: Vec<String>,
    intent: Vec<String>,
    /// Where each step was declared first.
    step_places: HashMap<String, TextRange>,
}

impl Reader {
    fn clause(&mut self, raw: RawClause<'_>) {
        let Some((tag, tag_range)) = raw.tag else {
            let words = if raw.after_first_tag { &mut self.intent } else { &mut self.preamble };
            words.push(raw.source.text);
            return;
        };
        if !TAGS.iter().any(|t| t.name == tag) {
            return self.unknown_tag(tag, tag_range);
        }
        if raw.source.text.is_empty() {
            let syntax = TAGS.iter().find(|t| t.name == tag).map_or("", |t| t.syntax);
            return self.fault(
                "spec.empty-clause",
                format!("`@{tag}` says nothing; write `{syntax}`"),
                tag_range,
                None,
            );
        }
        if tag.ends_with('?') {
            self.guess(tag, tag_range, &raw.source);
        } else {
            self.known(tag, &raw.source);
        }
        self.block.sources.push(raw.source);
    }

    fn known(&mut self, tag: &str, source: &ClauseSource) {
        let range = source.range;
        let clause = Clause { text: source.text.clone(), range };
        match tag {
            "spec" => self.intent.push(clause.text),
            "requires" => self.block.spec.requires.push(clause),
            "ensures" => self.block.spec.ensures.push(clause),
            "property" => self.block.spec.properties.push(clause),
            "example" => self.block.spec.examples.push(Example {
                code: clause.text,
                claim: ExampleClaim::Holds,
                equation: None,
                origin: ExampleOrigin::Tag,
                range,
            }),
            "uses" => self.block.spec.uses.extend(clauses::names(source)),
            "forbid" => self.block.spec.forbids.extend(clauses::names(source)),
            "raises" => self.found(clauses::raises(source), |spec, item| spec.raises.push(item)),
            "budget" => self.found(clauses::budget(source), |spec, item| spec.budgets.push(item)),
            "step" => self.step(source),
            _ => self.complexity(source),
        }
    }

    /// What a user has not accepted yet: shown, with a way to accept it, and otherwise without effect.
    fn guess(&mut self, tag: &str, tag_range: TextRange, source: &ClauseSource) {
        let accepted = tag.trim_end_matches('?');
        self.block.spec.guesses.push(Clause { text: format!("@{accepted} {}", source.text), range: source.range });
        self.block.diagnostics.push(SpecDiagnostic {
            code: "spec.guess".to_owned(),
            message: format!(
                "a guess that counts for nothing yet; if it is right, make it `@{accepted}`, else delete it"
            ),
            range: tag_range,
            severity: Severity::Hint,
            fix: Some((format!("Accept the guess `{}`", source.text), format!("@{accepted}"))),
            related: None,
        });
    }

    fn found<T>(&mut self, found: Found<T>, put: impl FnOnce(&mut Spec, T)) {
        match found {
            Ok(item) => put(&mut self.block.spec, item),
            Err(fault) => self.block.diagnostics.push(*fault),
        }
    }

    fn step(&mut self, source: &ClauseSource) {
        let found = clauses::step(source);
        if let Ok(step) = &found {
            if let Some(first) = self.step_places.get(&step.name) {
                let message = format!("two steps are named `{}`; give each its own name", step.name);
                let related = Some((*first, "the first one is here".to_owned()));
                return self.fault("spec.duplicate-step", message, source.range, related);
            }
            self.step_places.insert(step.name.clone(), step.range);
        }
        self.found(found, |spec, item| spec.steps.push(item));
    }

    fn complexity(&mut self, source: &ClauseSource) {
        if let Some(first) = &self.block.spec.complexity {
            let related = Some((first.range, "the first one is here".to_owned()));
            let message = "a spec has one `@complexity`; remove this one or the other".to_owned();
            return self.fault("spec.duplicate-complexity", message, source.range, related);
        }
        self.found(clauses::complexity(source), |spec, item| spec.complexity = Some(item));
    }

    fn unknown_tag(&mut self, tag: &str, range: TextRange) {
        let meant = closest_tag(tag);
        let message = match meant {
            Some(name) => format!("there is no tag `@{tag}`; did you mean `@{name}`?"),
            None => format!("there is no tag `@{tag}`; there are {}", list_of_tags()),
        };
        let fix = meant.map(|name| (format!("Change to `@{name}`"), format!("@{name}")));
        self.fault("spec.unknown-tag", message, range, None);
        if let Some(last) = self.block.diagnostics.last_mut() {
            last.fix = fix;
        }
    }

    fn fault(&mut self, code: &str, message: String, range: TextRange, related: Option<(TextRange, String)>) {
        self.block.diagnostics.push(SpecDiagnostic {
            code: code.to_owned(),
            message,
            range,
            severity: Severity::Error,
            fix: None,
            related,
        });
    }
}

fn list_of_tags() -> String {
    TAGS.iter().filter(|t| !t.name.ends_with('?')).map(|t| format!("@{}", t.name)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
#[path = "parser_tests.rs"]
mod tests;
