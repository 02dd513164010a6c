//! Finds functions with specs in TypeScript and JavaScript, however broken the text is at the moment.
//!
//! A spec is a run of `//` lines with a tag directly above a function (decorators may stand between),
//! JSDoc with tags or examples, or both. Only comment nodes of the syntax tree count, so strings are
//! never mistaken for specs.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use tree_sitter::Node;
use zeroerr_core::code::{FileAnalysis, LanguageId, Task, TextRange};
use zeroerr_core::task_specification::parser::{self, Block, BlockClass, BlockKind, BlockLine};
use zeroerr_core::task_specification::{Raises, Severity, Spec, SpecDiagnostic};

use super::checks::{Context, check};
use super::comments::{Above, Run, above, is_plain, other_runs};
use super::doctests;
use super::expressions::{called_names, parse_expression};
use super::forms::out_of_reach;
use super::functions::{FileIndex, Function};
use super::jsdoc;
use super::lexis::TypeScriptLexis;
use super::tree::{Dialect, indent_at, line_end, parse, parse_typed};
use crate::languages::blocks::{NO_FUNCTION, chosen, joined, merge, trimmed};
use crate::languages::pieces::cut::cut;
use crate::languages::pieces::elsewhere::{Bound, Elsewhere};
use crate::languages::pieces::{self, Reader};

/// How a file is read piece by piece.
pub(super) static READER: Reader = Reader {
    language: LanguageId::TypeScript,
    cut: |source, earlier| cut(source, &TypeScriptLexis, earlier),
    may_have_spec,
    bound,
    analyse: analyse_piece,
    names: super::names::of_piece,
};

/// Finds functions with specs. Total and linear: 50,000 lines take a fraction of a second.
pub fn analyse(path: &Path, source: &Arc<str>) -> FileAnalysis {
    let is_declarations = path.file_name().is_some_and(|n| {
        let name = n.to_string_lossy();
        [".d.ts", ".d.mts", ".d.cts"].iter().any(|ending| name.ends_with(ending))
    });
    if is_declarations { FileAnalysis::default() } else { pieces::analyse(&READER, path, source) }
}

fn bound(path: &Path, source: &str) -> Bound {
    let tree = parse_typed(source, Dialect::of(path));
    let index = tree.as_ref().map(|t| FileIndex::new(t.root_node(), source));
    Bound::new(index.into_iter().flat_map(|i| i.names), false)
}

/// Whether any line looks like a part of a spec. Most files have none, and need no parsing.
fn may_have_spec(source: &str) -> bool {
    source.lines().any(|line| {
        let line = line.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        let is_comment = line.starts_with("//") || line.starts_with("/*") || line.starts_with('*');
        line.starts_with('@') || (is_comment && line.contains('@'))
    })
}

fn analyse_piece(path: &Path, source: &Arc<str>, elsewhere: &Elsewhere<'_>) -> FileAnalysis {
    let Some(tree) = parse_typed(source, Dialect::of(path)) else { return FileAnalysis::default() };
    let index = FileIndex::of_file(tree.root_node(), source, path);
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
        analysis.diagnostics.extend(without_function(&run, source, tree.root_node()));
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
    let tree = parse(source, Dialect::of(path)).ok_or(NO_FUNCTION)?;
    let index = FileIndex::of_file(tree.root_node(), source, path);
    let named: Vec<&Function<'_>> = index.functions.iter().filter(|f| !f.name(source).is_empty()).collect();
    let span = |f: &Function<'_>| {
        let range = f.range(source);
        let start = f.above.first().map_or(range.start, |n| n.start_byte().min(range.start));
        TextRange::new(start, range.end)
    };
    let spans: Vec<_> = named.iter().map(|f| (span(f), f.name(source))).collect();
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
fn without_function(run: &Run<'_>, source: &str, root: Node<'_>) -> Vec<SpecDiagnostic> {
    match parser::classify(&run.lines, BlockKind::Comments) {
        BlockClass::Prose => Vec::new(),
        BlockClass::Spec => {
            let mut out = parser::parse(&run.lines, BlockKind::Comments).diagnostics;
            out.push(no_function(run, source, root));
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

/// Whether a line looks like the start of a function; one of a method is told by its brackets.
fn starts_function(line: &str) -> bool {
    let line = line.trim_start();
    let words = || line.split([' ', '(', '<', '\t', '*']).take(6);
    line.starts_with('@')
        || words().any(|w| w == "function")
        || (words().any(|w| matches!(w, "const" | "let" | "var")) && line.contains('='))
}

fn no_function(run: &Run<'_>, source: &str, root: Node<'_>) -> SpecDiagnostic {
    const OTHERS: &[&str] = &["class ", "interface ", "type ", "enum ", "namespace ", "abstract class ", "declare "];
    let rest = source.get(line_end(source, run.last)..).unwrap_or("");
    let rest = rest.strip_prefix('\r').unwrap_or(rest);
    let below = rest.strip_prefix('\n').unwrap_or(rest);
    let mut lines = below.lines();
    let next = lines.next().unwrap_or("");
    let after_blank = lines.find(|line| !line.trim().is_empty()).unwrap_or("");
    let bare = next.trim_start().trim_start_matches("export ").trim_start_matches("default ");
    let has_no_name = bare.trim_start_matches("async ").starts_with("function (")
        || (next.contains("export default") && next.contains("=>"));
    let indent = next.len() - next.trim_start().len();
    let is_declared = ["function", "async ", "const ", "let ", "var "].iter().any(|word| bare.starts_with(word));
    let opens = next.contains('(') && next.trim_end().ends_with('{');
    let is_held = !is_declared && (next.contains("=>") || next.contains("= function") || opens);
    let start = source.len() - below.len() + indent;
    let reached = || out_of_reach(root, source, start).filter(|_| !next.trim().is_empty());
    // A declaration without a fault in it was read; had it a function, the spec would be that function's.
    let is_read = || {
        let first = root.descendant_for_byte_range(start, start + 1);
        let mut around = std::iter::successors(first, |n| n.parent());
        let here = |n: &Node<'_>| first.is_some_and(|f| f.start_position().row == n.start_position().row);
        around.find(|n| is_variable(*n) && here(n)).is_some_and(|n| !n.has_error())
    };
    let message = if has_no_name {
        "the function below this spec has no name; give it one".to_owned()
    } else if starts_function(next) && indent_at(source, run.first).len() != indent {
        "this spec and the function below it are indented differently".to_owned()
    } else if OTHERS.iter().any(|word| bare.starts_with(word)) {
        "a spec belongs to a function, and this one stands above something else; move it to a function".to_owned()
    } else if let Some(why) = reached() {
        why
    } else if is_held {
        "nothing leads to the function below this spec; declare it by a name, or in an object with a name".to_owned()
    } else if is_read() {
        "a spec belongs to a function, and what stands below this one is none; move it to a function".to_owned()
    } else if starts_function(next) {
        "the function below this spec does not parse; mend its header".to_owned()
    } else if next.trim().is_empty() && starts_function(after_blank) {
        "an empty line separates this spec from its function; remove it".to_owned()
    } else {
        "there is no function below this spec; write one, or remove the spec".to_owned()
    };
    let tagged = run.lines.iter().find(|l| l.text.trim_start().starts_with('@')).or(run.lines.first());
    let (start, line) =
        tagged.map_or((run.first, ""), |l| (l.start + (l.text.len() - l.text.trim_start().len()), l.text.trim()));
    SpecDiagnostic {
        code: "spec.no-function".to_owned(),
        message,
        range: TextRange::new(start, start + line.len()),
        severity: Severity::Error,
        fix: None,
        related: None,
    }
}

/// Whether a node declares variables, for others too or not.
fn is_variable(node: Node<'_>) -> bool {
    let declared = node.child_by_field_name("declaration").unwrap_or(node);
    matches!(declared.kind(), "lexical_declaration" | "variable_declaration")
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
    let above = above(function, source);
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
    let own = names_of_parameters(function, source);
    let steps: Vec<String> = block.spec.steps.iter().map(|s| s.name.clone()).collect();
    let names = own.iter().map(String::as_str).chain(steps.iter().map(String::as_str)).chain([name]).collect();
    let context = Context {
        function: name,
        is_bare: function.class.is_none() || !index.names.contains(name),
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

/// The names that a function's parameters bind: `a` and `b` of `{ a, b = 1 }`.
fn names_of_parameters(function: &Function<'_>, source: &str) -> Vec<String> {
    let lists = ["parameters", "parameter"].into_iter().filter_map(|field| function.node.child_by_field_name(field));
    lists.flat_map(|list| super::functions::bound_by_pattern(list, source)).collect()
}

fn task(path: &Path, source: &Arc<str>, function: &Function<'_>, spec: Spec, spec_range: TextRange) -> Task {
    let body = function.body(source);
    Task {
        file: path.to_owned(),
        language: LanguageId::TypeScript,
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
    let above = above(function, source);
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
    let doc = jsdoc::read(&above.docs.lines);
    let mut block = parser::parse(&doc.prose, BlockKind::Doc);
    for snippet in &doc.examples {
        match doctests::examples(snippet, function) {
            Ok(examples) => block.spec.examples.extend(examples),
            Err(fault) => block.diagnostics.push(*fault),
        }
    }
    block.spec.raises.extend(above.docs.lines.iter().filter_map(|line| thrown(line, function)));
    let has_claims = !(block.spec.examples.is_empty() && block.spec.raises.is_empty());
    let is_spec = has_claims || parser::classify(&doc.prose, BlockKind::Doc) == BlockClass::Spec;
    DocSpec { block, is_spec }
}

/// `@throws {RangeError} median([])`: a claim where a call follows, words elsewhere.
fn thrown(line: &BlockLine<'_>, function: &str) -> Option<Raises> {
    let start = line.start + (line.text.len() - line.text.trim_start().len());
    let rest = line.text.trim().strip_prefix("@throws")?.trim_start();
    let (exception, call) = match rest.strip_prefix('{') {
        Some(typed) => typed.split_once('}')?,
        None => rest.split_once(' ')?,
    };
    let call = call.trim().trim_start_matches("- ");
    let expression = parse_expression(call).ok()?;
    let calls = called_names(expression.node()?).into_iter().any(|n| expression.text(n) == function);
    let range = TextRange::new(start, start + line.text.trim().len());
    calls.then(|| Raises { exception: exception.trim().to_owned(), call: call.to_owned(), range })
}

#[cfg(test)]
#[path = "specs_tests.rs"]
mod tests;
