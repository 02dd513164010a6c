//! Finds functions with specs in Python text, however broken the text is at the moment.
//!
//! A spec is a run of `#` lines with a tag directly above a function (or above its decorators), a
//! docstring with tags or doctests, or both. Only comment nodes of the syntax tree count, so strings
//! and shell flags are never mistaken for specs.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use tree_sitter::Node;
use zeroerr_core::code::{FileAnalysis, LanguageId, Task, TextRange};
use zeroerr_core::task_specification::parser::{self, Block, BlockClass, BlockKind, BlockLine};
use zeroerr_core::task_specification::{Severity, Spec, SpecDiagnostic};

use super::checks::{Context, check};
use super::docstring::{self, take_doctests};
use super::functions::{Body, FileIndex, Function};
use super::lexis::PythonLexis;
use super::prose;
use super::session;
use super::signature::parameters;
use super::tree::{indent_at, line_end, parse, parse_typed, starts_line, text, without_cr};
use crate::languages::blocks::{NO_FUNCTION, chosen, joined, merge, trimmed};
use crate::languages::pieces::cut::cut;
use crate::languages::pieces::elsewhere::{Bound, Elsewhere};
use crate::languages::pieces::{self, Reader};

/// How a file is read piece by piece.
pub(super) static READER: Reader = Reader {
    language: LanguageId::Python,
    cut: |source, earlier| cut(source, &PythonLexis, earlier),
    may_have_spec,
    bound: |_, source| bound(source),
    analyse: analyse_piece,
    names: super::names::of_piece,
};

/// Finds functions with specs. Total and linear: 50,000 lines take a fraction of a second.
pub fn analyse(path: &Path, source: &Arc<str>) -> FileAnalysis {
    pieces::analyse(&READER, path, source)
}

fn bound(source: &str) -> Bound {
    let tree = parse_typed(source);
    let index = tree.as_ref().map(|t| FileIndex::new(t.root_node(), source));
    let star = index.as_ref().is_some_and(|i| i.star_import);
    Bound::new(index.iter().flat_map(|i| i.names_at_top_level()).map(str::to_owned), star)
}

/// Whether any line looks like a part of a spec. Most files have none, and need no parsing.
fn may_have_spec(source: &str) -> bool {
    let mut quotes = 0;
    source.lines().any(|line| {
        quotes += line.matches("\"\"\"").count() + line.matches("'''").count();
        if quotes % 2 == 1 && prose::may_be_example(line) {
            return true;
        }
        let line = line.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let inside =
            line.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | 'r' | 'R' | 'u' | 'U'));
        if line.contains(">>>") || (line.starts_with('#') && line.contains('@')) {
            return true;
        }
        // `@property` alone is a decorator; a tag in a docstring has a text, except `@spec`.
        let is_tag = |rest: &str| {
            let text_of = |name: &str| rest.strip_prefix(name).map(str::trim);
            parser::TAGS.iter().any(|t| text_of(t.name).is_some_and(|text| t.name == "spec" || !text.is_empty()))
        };
        let may_be_docstring = inside.starts_with('@') || line.contains(['"', '\'']);
        may_be_docstring && line.split('@').skip(1).any(is_tag)
    })
}

fn analyse_piece(path: &Path, source: &Arc<str>, elsewhere: &Elsewhere<'_>) -> FileAnalysis {
    let Some(tree) = parse_typed(source) else { return FileAnalysis::default() };
    let index = FileIndex::new(tree.root_node(), source);
    let mut blocks = Blocks::new(&index, source, elsewhere.is_later());
    let mut analysis = FileAnalysis::default();
    for function in &index.functions {
        let found = blocks.above(function).map(|run| (run.range(source), run.lines));
        if let Some((task, faults)) = task_of(path, source, (&index, elsewhere), function, found) {
            analysis.diagnostics.extend(faults);
            analysis.tasks.extend(task);
        }
    }
    analysis.diagnostics.extend(blocks.without_function(source));
    analysis.diagnostics.sort_by_key(|d| (d.range.start, d.range.end));
    analysis
}

/// Makes a task of the one function that a selection (or cursor) is in, with an instruction as its
/// intent; an existing spec of the function is kept.
///
/// # Errors
/// One sentence when the selection holds no function or several, or when nothing says what to do.
pub fn task_for_selection(
    path: &Path,
    source: &Arc<str>,
    selection: TextRange,
    instruction: &str,
) -> Result<Task, String> {
    let tree = parse(source).ok_or(NO_FUNCTION)?;
    let index = FileIndex::new(tree.root_node(), source);
    let mut blocks = Blocks::new(&index, source, false);
    let (mut spans, mut found) = (Vec::new(), Vec::new());
    for function in index.functions.iter().filter(|f| !f.name(source).is_empty()) {
        let run = blocks.above(function);
        let body = function.body(source);
        let range = function.range(source, &body);
        let start = run.as_ref().map_or(range.start, |run| run.range(source).start);
        spans.push((TextRange::new(start, range.end), function.name(source)));
        found.push((function, run));
    }
    let at = chosen(&spans, trimmed(source, selection))?;
    let (function, run) = found.into_iter().nth(at).ok_or(NO_FUNCTION)?;
    let found = run.map(|run| (run.range(source), run.lines));
    let existing = task_of(path, source, (&index, &Elsewhere::nothing()), function, found).and_then(|(task, _)| task);
    let mut task = existing.unwrap_or_else(|| bare_task(path, source, function));
    task.spec.intent = joined(&task.spec.intent, instruction.trim());
    if task.spec == Spec::default() {
        return Err(format!("nothing says what `{}` must do; write an instruction or a spec", task.signature.name));
    }
    Ok(task)
}

/// A run of comment lines.
struct Run<'s> {
    lines: Vec<BlockLine<'s>>,
    first: usize,
    last: usize,
}

impl Run<'_> {
    /// From the first `#` to the end of the last line.
    fn range(&self, source: &str) -> TextRange {
        TextRange::new(self.first, without_cr(source, self.last))
    }
}

/// The runs of comment lines that have tags, by the row below each.
struct Blocks<'s> {
    by_row: HashMap<usize, (Run<'s>, BlockClass)>,
    source: &'s str,
}

impl<'s> Blocks<'s> {
    /// `later` when the text is not the beginning of its file.
    fn new(index: &FileIndex<'_>, source: &'s str, later: bool) -> Self {
        let mut by_row = HashMap::new();
        let mut close = |run: Run<'s>, row: usize| {
            let class = parser::classify(&run.lines, BlockKind::Comments);
            if class != BlockClass::Prose {
                by_row.insert(row, (run, class));
            }
        };
        let mut open: Option<(Run<'s>, usize)> = None;
        let is_header = |c: Node<'_>| !later && is_file_header(c, source);
        let own_line = index.comments.iter().filter(|c| starts_line(source, c.start_byte()) && !is_header(**c));
        for comment in own_line {
            let row = comment.start_position().row;
            let line = comment_line(*comment, source);
            let continues = open.as_ref().is_some_and(|(run, next)| {
                *next == row && indent_at(source, run.first) == indent_at(source, comment.start_byte())
            });
            match open.as_mut().filter(|_| continues) {
                Some((run, next)) => {
                    run.lines.push(line);
                    run.last = comment.end_byte();
                    *next = row + 1;
                }
                None => {
                    let run = Run { lines: vec![line], first: comment.start_byte(), last: comment.end_byte() };
                    if let Some((run, row)) = open.replace((run, row + 1)) {
                        close(run, row);
                    }
                }
            }
        }
        if let Some((run, row)) = open {
            close(run, row);
        }
        Self { by_row, source }
    }

    /// Takes the run directly above a function's decorators, or between them and its `def`.
    fn above(&mut self, function: &Function<'_>) -> Option<Run<'s>> {
        for node in [function.outer, function.node] {
            let row = node.start_position().row;
            let fits = self.by_row.get(&row).is_some_and(|(run, class)| {
                *class == BlockClass::Spec
                    && indent_at(self.source, run.first) == indent_at(self.source, node.start_byte())
            });
            // `if x: def f(): ...` cannot be; what stands before `def` on its line is something else.
            if fits && starts_line(self.source, node.start_byte()) {
                return self.by_row.remove(&row).map(|(run, _)| run);
            }
        }
        None
    }

    /// Reports the runs that no function has taken.
    fn without_function(self, source: &str) -> Vec<SpecDiagnostic> {
        let mut out = Vec::new();
        for (run, class) in self.by_row.into_values() {
            let block = parser::parse(&run.lines, BlockKind::Comments);
            if class == BlockClass::Suspect {
                // A misspelt tag is worth a word only where a function is meant.
                let below = source.get(line_end(source, run.last)..).unwrap_or("").trim_start();
                let is_function = ["def ", "async ", "@"].iter().any(|start| below.starts_with(start));
                out.extend(block.diagnostics.into_iter().filter(|_| is_function));
                continue;
            }
            out.push(no_function(&run, source));
            out.extend(block.diagnostics);
        }
        out
    }
}

/// Whether a comment speaks to the system: a shebang, or the file's encoding.
fn is_file_header(comment: Node<'_>, source: &str) -> bool {
    let (row, line) = (comment.start_position().row, text(comment, source));
    (row == 0 && line.starts_with("#!")) || (row < 2 && (line.contains("coding:") || line.contains("coding=")))
}

fn comment_line<'s>(comment: Node<'_>, source: &'s str) -> BlockLine<'s> {
    let whole = text(comment, source);
    let body = whole.trim_start_matches('#');
    BlockLine { text: body, start: comment.start_byte() + (whole.len() - body.len()) }
}

fn no_function(run: &Run<'_>, source: &str) -> SpecDiagnostic {
    let rest = source.get(line_end(source, run.last)..).unwrap_or("");
    let rest = rest.strip_prefix('\r').unwrap_or(rest);
    let mut lines = rest.strip_prefix('\n').unwrap_or(rest).lines();
    let next = lines.next().unwrap_or("");
    let after_blank = lines.find(|line| !line.trim().is_empty()).unwrap_or("");
    let starts = |line: &str, words: &[&str]| words.iter().any(|word| line.trim_start().starts_with(word));
    let message = if starts(next, &["def ", "async def ", "@"]) && indent_at(source, run.first) != leading(next) {
        "this spec and the function below it are indented differently"
    } else if starts(next, &["def ", "async def ", "@"]) {
        "the function below this spec does not parse; mend its header"
    } else if starts(next, &["class "]) {
        "a spec belongs to a function, and this one stands above a class; move it to a method"
    } else if next.trim().is_empty() && starts(after_blank, &["def ", "async def ", "@"]) {
        "an empty line separates this spec from its function; remove it"
    } else {
        "there is no function below this spec; write one, or remove the spec"
    };
    let tagged = run.lines.iter().find(|l| l.text.trim_start().starts_with('@')).or(run.lines.first());
    let (start, line) =
        tagged.map_or((run.first, ""), |l| (l.start + (l.text.len() - l.text.trim_start().len()), l.text.trim()));
    SpecDiagnostic {
        code: "spec.no-function".to_owned(),
        message: message.to_owned(),
        range: TextRange::new(start, start + line.len()),
        severity: Severity::Error,
        fix: None,
        related: None,
    }
}

fn leading(line: &str) -> &str {
    line.get(..line.len() - line.trim_start().len()).unwrap_or("")
}

/// The task of a function with a spec, and what is wrong with the spec. No task, but faults, when
/// nothing of the spec can be used; `None` when there is no spec.
fn task_of(
    path: &Path,
    source: &Arc<str>,
    (index, elsewhere): (&FileIndex<'_>, &Elsewhere<'_>),
    function: &Function<'_>,
    above: Option<(TextRange, Vec<BlockLine<'_>>)>,
) -> Option<(Option<Task>, Vec<SpecDiagnostic>)> {
    let body = function.body(source);
    let doc = body.docstring.as_ref().map(|d| read_docstring(d, source, function));
    let doc_is_spec = doc.as_ref().is_some_and(|d| d.is_spec);
    if above.is_none() && !doc_is_spec || function.name(source).is_empty() {
        return None;
    }
    let mut block = above.as_ref().map_or_else(Block::default, |(_, lines)| parser::parse(lines, BlockKind::Comments));
    let doc_range = doc.as_ref().filter(|d| d.is_spec).map(|d| d.range);
    let spec_range = match (above.as_ref().map(|(range, _)| *range), doc_range) {
        (Some(a), Some(b)) => TextRange::new(a.start, b.end),
        (Some(range), None) | (None, Some(range)) => range,
        (None, None) => return None,
    };
    if let Some(doc) = doc {
        merge(&mut block, doc.block);
    }
    let all_parameters = parameters(function.node, source);
    let steps: Vec<String> = block.spec.steps.iter().map(|s| s.name.clone()).collect();
    let own = all_parameters.iter().map(|p| p.name.as_str()).chain(steps.iter().map(String::as_str));
    let names = own.chain([function.name(source)]).collect();
    let context = Context {
        function: function.name(source),
        names,
        params: &all_parameters,
        steps: steps.iter().map(String::as_str).collect(),
        file: (index, function),
        elsewhere,
        sources: &block.sources,
    };
    let mut faults = check(&mut block.spec, &context);
    block.spec.give_steps_their_claims(function.name(source));
    faults.append(&mut block.diagnostics);
    let task = (block.spec != Spec::default()).then(|| task(path, source, function, &body, block.spec, spec_range));
    Some((task, faults))
}

fn task(
    path: &Path,
    source: &Arc<str>,
    function: &Function<'_>,
    body: &Body<'_>,
    spec: Spec,
    spec_range: TextRange,
) -> Task {
    Task {
        file: path.to_owned(),
        language: LanguageId::Python,
        source: Arc::clone(source),
        signature: function.signature(source),
        spec,
        spec_range,
        function_range: function.range(source, body),
        body_range: body.range,
        class: function.class.clone(),
        is_stub: body.is_stub,
    }
}

/// A task for a function without a spec; the words of its docstring are its intent.
fn bare_task(path: &Path, source: &Arc<str>, function: &Function<'_>) -> Task {
    let body = function.body(source);
    let start = function.outer.start_byte();
    let doc = body.docstring.as_ref().map(|d| read_docstring(d, source, function));
    let (spec, range) = doc.map_or((Spec::default(), TextRange::new(start, start)), |d| (d.block.spec, d.range));
    task(path, source, function, &body, spec, range)
}

/// What a docstring says.
struct DocSpec {
    block: Block,
    range: TextRange,
    is_spec: bool,
}

fn read_docstring(doc: &docstring::Docstring<'_>, source: &str, function: &Function<'_>) -> DocSpec {
    let (name, is_raw) = (function.name(source), docstring::is_raw(doc, source));
    let lines = docstring::lines(doc, source);
    let (tests, prose) = take_doctests(&lines, is_raw);
    let params = function.signature(source).params;
    let params: Vec<&str> = params.iter().map(|p| p.name.as_str()).collect();
    let has_tags = parser::classify(&prose, BlockKind::Doc) == BlockClass::Spec;
    // Who writes tags or doctests writes examples as such: there the words are words.
    let in_words =
        if has_tags || !tests.is_empty() { Vec::new() } else { prose::examples(&prose, is_raw, name, &params) };
    let is_spec = has_tags || !tests.is_empty() || !in_words.is_empty();
    let mut block = parser::parse(&prose, BlockKind::Doc);
    block.spec.examples.extend(in_words);
    let (examples, faults) = session::examples(tests, name);
    block.spec.examples.extend(examples);
    block.diagnostics.extend(faults);
    DocSpec { block, range: TextRange::new(doc.node.start_byte(), doc.node.end_byte()), is_spec }
}

#[cfg(test)]
#[path = "specs_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "specs_total_tests.rs"]
mod total_tests;
