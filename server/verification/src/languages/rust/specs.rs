//! Finds functions with specs in Rust text, however broken the text is at the moment.
//!
//! A spec is a run of `//` lines with a tag directly above a function (attributes may stand between),
//! documentation with tags or code blocks, or both. Only comment nodes of the syntax tree count, so
//! strings are never mistaken for specs.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use zeroerr_core::code::{FileAnalysis, LanguageId, Task, TextRange};
use zeroerr_core::task_specification::parser::{self, Block, BlockClass, BlockKind};
use zeroerr_core::task_specification::{Severity, Spec, SpecDiagnostic};

use super::checks::{Context, check};
use super::comments::{Above, Run, above, is_plain, other_runs};
use super::doctests::{self, take_doctests};
use super::functions::{FileIndex, Function};
use super::lexis::RustLexis;
use super::signature::{generics, parameters};
use super::tree::{indent_at, line_end, parse, parse_typed};
use crate::languages::blocks::{NO_FUNCTION, chosen, joined, merge, trimmed};
use crate::languages::pieces::cut::cut;
use crate::languages::pieces::elsewhere::{Bound, Elsewhere};
use crate::languages::pieces::{self, Reader};

/// How a file is read piece by piece.
static READER: Reader = Reader {
    language: LanguageId::Rust,
    cut: |source, earlier| cut(source, &RustLexis, earlier),
    may_have_spec,
    bound: |_, source| bound(source),
    analyse: analyse_piece,
    // A spec speaks of no names of the file yet.
    names: |_| Vec::new(),
};

/// Finds functions with specs. Total and linear: 50,000 lines take a fraction of a second.
pub fn analyse(path: &Path, source: &Arc<str>) -> FileAnalysis {
    pieces::analyse(&READER, path, source)
}

fn bound(source: &str) -> Bound {
    let tree = parse_typed(source);
    let index = tree.as_ref().map(|t| FileIndex::new(t.root_node(), source));
    let star = index.as_ref().is_some_and(|i| i.star_import);
    Bound::new(index.into_iter().flat_map(|i| i.names), star)
}

/// Whether any line looks like a part of a spec. Most files have none, and need no parsing.
fn may_have_spec(source: &str) -> bool {
    source.lines().any(|line| {
        let line = line.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let is_comment = line.starts_with("//") || line.starts_with("/*") || line.starts_with('*');
        let marks = ["@", "```", "~~~"];
        line.starts_with('@') || (is_comment && marks.iter().any(|m| line.contains(m)))
    })
}

fn analyse_piece(path: &Path, source: &Arc<str>, elsewhere: &Elsewhere<'_>) -> FileAnalysis {
    let Some(tree) = parse_typed(source) else { return FileAnalysis::default() };
    let index = FileIndex::new(tree.root_node(), source);
    let mut analysis = FileAnalysis::default();
    let mut taken = HashSet::new();
    for function in &index.functions {
        if let Some((task, faults)) = task_of(path, source, (&index, elsewhere), function) {
            analysis.diagnostics.extend(faults);
            analysis.tasks.extend(task);
            taken.extend(function.above.iter().filter(|n| is_plain(**n, source)).map(|n| n.start_byte()));
        }
    }
    for run in other_runs(&index.comments, &taken, source) {
        analysis.diagnostics.extend(without_function(&run, source));
    }
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
    let named: Vec<&Function<'_>> = index.functions.iter().filter(|f| !f.name(source).is_empty()).collect();
    let span = |f: &&Function<'_>| {
        let range = f.range(source);
        let start = f.above.first().map_or(range.start, |n| n.start_byte().min(range.start));
        (TextRange::new(start, range.end), f.name(source))
    };
    let spans: Vec<_> = named.iter().map(span).collect();
    let at = chosen(&spans, trimmed(source, selection))?;
    let function = named.get(at).ok_or(NO_FUNCTION)?;
    let existing = task_of(path, source, (&index, &Elsewhere::nothing()), function).and_then(|(task, _)| task);
    let mut task = existing.unwrap_or_else(|| bare_task(path, source, function));
    task.spec.intent = joined(&task.spec.intent, instruction.trim());
    if task.spec == Spec::default() {
        return Err(format!("nothing says what `{}` must do; write an instruction or a spec", task.signature.name));
    }
    Ok(task)
}

/// Reports a run of comments with tags that belongs to no function.
fn without_function(run: &Run<'_>, source: &str) -> Vec<SpecDiagnostic> {
    match parser::classify(&run.lines, BlockKind::Comments) {
        BlockClass::Prose => Vec::new(),
        BlockClass::Spec => {
            let mut out = parser::parse(&run.lines, BlockKind::Comments).diagnostics;
            out.push(no_function(run, source));
            out
        }
        // A misspelt tag is worth a word only where a function is meant.
        BlockClass::Suspect => {
            let below = source.get(line_end(source, run.last)..).unwrap_or("").trim_start();
            let is_function = starts_function(below.lines().next().unwrap_or(""));
            if is_function { parser::parse(&run.lines, BlockKind::Comments).diagnostics } else { Vec::new() }
        }
    }
}

fn starts_function(line: &str) -> bool {
    let line = line.trim_start();
    let words = line.split([' ', '(', '<', '\t']).take(6);
    line.starts_with("#[") || words.into_iter().any(|w| w == "fn")
}

fn no_function(run: &Run<'_>, source: &str) -> SpecDiagnostic {
    let rest = source.get(line_end(source, run.last)..).unwrap_or("");
    let rest = rest.strip_prefix('\r').unwrap_or(rest);
    let mut lines = rest.strip_prefix('\n').unwrap_or(rest).lines();
    let next = lines.next().unwrap_or("");
    let after_blank = lines.find(|line| !line.trim().is_empty()).unwrap_or("");
    let is_type = ["struct ", "enum ", "pub struct ", "pub enum ", "impl", "trait ", "pub trait ", "mod ", "pub mod "];
    let message = if starts_function(next) && indent_at(source, run.first).len() != next.len() - next.trim_start().len()
    {
        "this spec and the function below it are indented differently"
    } else if starts_function(next) {
        "the function below this spec does not parse; mend its header"
    } else if is_type.iter().any(|word| next.trim_start().starts_with(word)) {
        "a spec belongs to a function, and this one stands above something else; move it to a function"
    } else if next.trim().is_empty() && starts_function(after_blank) {
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

/// The task of a function with a spec, and what is wrong with the spec. No task, but faults, when
/// nothing of the spec can be used; `None` when there is no spec.
fn task_of(
    path: &Path,
    source: &Arc<str>,
    (index, elsewhere): (&FileIndex<'_>, &Elsewhere<'_>),
    function: &Function<'_>,
) -> Option<(Option<Task>, Vec<SpecDiagnostic>)> {
    let name = function.name(source);
    let above = self::above(function, source);
    let class = parser::classify(&above.comments.lines, BlockKind::Comments);
    let doc = read_docs(&above, name);
    if name.is_empty() || (class != BlockClass::Spec && !doc.is_spec) {
        return None;
    }
    let comments = above.comments.range.filter(|_| class == BlockClass::Spec);
    let mut block = match class {
        BlockClass::Spec => parser::parse(&above.comments.lines, BlockKind::Comments),
        _ => Block::default(),
    };
    let spec_range = match (comments, above.docs.range.filter(|_| doc.is_spec)) {
        (Some(a), Some(b)) => TextRange::new(a.start.min(b.start), a.end.max(b.end)),
        (Some(range), None) | (None, Some(range)) => range,
        (None, None) => return None,
    };
    merge(&mut block, doc.block);
    let own = parameters(function.node, source);
    let steps: Vec<String> = block.spec.steps.iter().map(|s| s.name.clone()).collect();
    let generics = generics(function.node, source);
    let names = own.iter().map(|p| p.param.name.as_str()).chain(steps.iter().map(String::as_str));
    let names = names.chain(generics).chain([name]).collect();
    let implementor = function.implementor(source);
    let context = Context {
        function: name,
        implementor,
        names,
        steps: steps.iter().map(String::as_str).collect(),
        file: index,
        elsewhere,
        sources: &block.sources,
    };
    let mut faults = check(&mut block.spec, &context);
    block.spec.give_steps_their_claims(name);
    faults.append(&mut block.diagnostics);
    let task = (block.spec != Spec::default()).then(|| task(path, source, function, block.spec, spec_range));
    Some((task, faults))
}

fn task(path: &Path, source: &Arc<str>, function: &Function<'_>, spec: Spec, spec_range: TextRange) -> Task {
    let body = function.body(source);
    Task {
        file: path.to_owned(),
        language: LanguageId::Rust,
        source: Arc::clone(source),
        signature: function.signature(source),
        spec,
        spec_range,
        function_range: function.range(source),
        body_range: body.range,
        class: function.class.clone(),
        is_stub: body.is_stub,
    }
}

/// A task for a function without a spec; the words of its documentation are its intent.
fn bare_task(path: &Path, source: &Arc<str>, function: &Function<'_>) -> Task {
    let above = self::above(function, source);
    let start = function.range(source).start;
    let doc = read_docs(&above, function.name(source));
    let range = above.docs.range.unwrap_or_else(|| TextRange::new(start, start));
    task(path, source, function, doc.block.spec, range)
}

/// What a function's documentation says.
struct DocSpec {
    block: Block,
    is_spec: bool,
}

fn read_docs(above: &Above<'_>, function: &str) -> DocSpec {
    let (tests, prose) = take_doctests(&above.docs.lines);
    let mut block = parser::parse(&prose, BlockKind::Doc);
    let (examples, faults) = doctests::examples(tests, function);
    let is_spec = !examples.is_empty() || parser::classify(&prose, BlockKind::Doc) == BlockClass::Spec;
    block.spec.examples.extend(examples);
    block.diagnostics.extend(faults);
    DocSpec { block, is_spec }
}

#[cfg(test)]
#[path = "specs_tests.rs"]
mod tests;
