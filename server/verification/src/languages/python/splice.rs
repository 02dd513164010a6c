//! Puts a candidate into the file: its body at the file's own depth and unit of indentation, and the
//! imports that are not there yet. Header, docstring, comments and line breaks stay as they are.

use tree_sitter::Node;
use zeroerr_core::code::{Candidate, Task, TextEdit, TextRange};

use super::functions::{Body, FileIndex, Function};
use super::imports::{ImportItem, is_import, parse_all, parse_statement, render};
use super::layout::{Style, relayout, unit_of};
use super::signature::header_end;
use super::tree::{Visit, children, indent_at, line_end, line_start, newline_of, parse, starts_line, text, walk};

/// The edits that put the candidate into the file; none of them overlap.
///
/// # Errors
/// One sentence when the task does not fit its text, when the candidate's body does not parse, or
/// when an import would change what a name of the file means.
pub fn splice(task: &Task, candidate: &Candidate) -> Result<Vec<TextEdit>, String> {
    let source: &str = &task.source;
    let name = &task.signature.name;
    let stale = || format!("`{name}` is no longer where it was; analyse the file again");
    let tree = parse(source).ok_or_else(stale)?;
    let index = FileIndex::new(tree.root_node(), source);
    let here = |f: &&Function<'_>| f.outer.start_byte() == task.function_range.start && f.name(source) == name.as_str();
    let function = index.functions.iter().find(here).ok_or_else(stale)?;
    let body = function.body(source);
    if body.range != task.body_range {
        return Err(stale());
    }
    let mut edits = imports(task, candidate, tree.root_node(), &index)?;
    edits.extend(body_edits(source, &index, function, &body, candidate)?);
    Ok(edits)
}

fn edit(start: usize, end: usize, new_text: String) -> TextEdit {
    TextEdit { range: TextRange::new(start, end), new_text }
}

fn body_edits(
    source: &str,
    index: &FileIndex<'_>,
    function: &Function<'_>,
    body: &Body<'_>,
    candidate: &Candidate,
) -> Result<Vec<TextEdit>, String> {
    let code = candidate.body.trim_end();
    let tree = parse(code).filter(|t| !t.root_node().has_error() && !code.trim().is_empty());
    let tree = tree.ok_or_else(|| "the candidate's body does not parse".to_owned())?;
    let newline = newline_of(source);
    let outer = indent_at(source, function.node.start_byte());
    let unit = unit(source, index, function, outer);
    let own_line = !body.range.is_empty() && starts_line(source, body.range.start);
    // A body that stands on its own lines keeps its depth, even an unusual one.
    let base = if own_line { indent_at(source, body.range.start).to_owned() } else { format!("{outer}{unit}") };
    let text = relayout(tree.root_node(), code, TextRange::new(0, code.len()), Style { base: &base, unit, newline });
    let colon = header_end(function.node, source);
    let doc = body.docstring.as_ref().map(|d| (d.node.start_byte(), d.node.end_byte()));
    if own_line {
        let text = text.strip_prefix(&base).unwrap_or(&text).to_owned();
        return Ok(vec![edit(body.range.start, body.range.end, text)]);
    }
    let mut edits = Vec::new();
    let mut from = colon;
    // `def f(): "doc"` becomes a block: the docstring goes to a line of its own.
    if let Some((start, end)) = doc {
        if !starts_line(source, start) {
            edits.push(edit(colon, start, format!("{newline}{base}")));
        }
        from = end;
    }
    if body.range.is_empty() {
        edits.push(edit(body.range.start, body.range.end, format!("{newline}{text}")));
        return Ok(edits);
    }
    let line = source.get(body.range.end..line_end(source, body.range.end)).unwrap_or("");
    let rest = line.trim_start_matches([' ', '\t', ';']);
    let end = body.range.end + if rest.is_empty() { line.len() } else { line.trim_end_matches(rest).trim_end().len() };
    if rest.is_empty() {
        edits.push(edit(from, end, format!("{newline}{text}")));
    } else {
        // A comment behind a one-line function belongs to its header.
        let after = body.range.end + line.len();
        edits.push(edit(from, end, String::new()));
        edits.push(edit(after, after, format!("{newline}{text}")));
    }
    Ok(edits)
}

/// One level of indentation: the function's own, else its neighbours', else four spaces.
fn unit<'s>(source: &'s str, index: &FileIndex<'_>, function: &Function<'_>, outer: &'s str) -> &'s str {
    let others = index.functions.iter().map(|f| f.node);
    let found = std::iter::once(function.node).chain(others).find_map(|node| unit_of(node, source));
    match found {
        Some(unit) => unit,
        None if outer.starts_with('\t') => "\t",
        // A method's own depth is one level of its class, when the class is at top level.
        None if function.class.is_some() && !outer.is_empty() && outer.len() <= 8 => outer,
        None => "    ",
    }
}

/// The edit that adds the imports which the file does not have.
fn imports(task: &Task, candidate: &Candidate, root: Node<'_>, index: &FileIndex<'_>) -> Result<Vec<TextEdit>, String> {
    let source: &str = &task.source;
    let existing = module_imports(root, source, false);
    let missing: Vec<ImportItem> = parse_all(&candidate.imports)
        .into_iter()
        .filter(|item| item.module() != "__future__" && !existing.contains(item))
        .filter(|item| !existing.iter().any(|e| e.is_star() && e.from == item.from))
        .collect();
    let declared = module_imports(root, source, true);
    for item in &missing {
        // `import a.b` and `import a` bind the same `a`; what type checkers import is the same thing too.
        let is_plain = |i: &ImportItem| i.from.is_none() && i.alias.is_none();
        let same = |d: &ImportItem| d == item || (is_plain(d) && is_plain(item) && d.binds() == item.binds());
        if index.binds_at_top_level(item.binds()) && !declared.iter().any(same) {
            return Err(format!("`{}` would change the meaning of `{}` in this file", item.statement(), item.binds()));
        }
    }
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let newline = newline_of(source);
    let lines = render(&missing).join(newline);
    Ok(vec![place_imports(task, root, &lines, newline)])
}

/// Import statements that run when the module is loaded, and those that only type checkers read.
fn module_imports(root: Node<'_>, source: &str, with_type_checking: bool) -> Vec<ImportItem> {
    let mut out = Vec::new();
    walk(root, |node, visit| {
        if visit == Visit::Leave {
            return false;
        }
        if is_import(node) {
            out.extend(parse_statement(node, source));
        }
        let for_types =
            || node.child_by_field_name("condition").is_some_and(|c| text(c, source).contains("TYPE_CHECKING"));
        match node.kind() {
            "function_definition" | "class_definition" => false,
            "if_statement" => with_type_checking || !for_types(),
            _ => true,
        }
    });
    out
}

/// After the last import above the function, else below the module's docstring, else below the
/// comments that a file starts with (shebang, encoding, licence).
fn place_imports(task: &Task, root: Node<'_>, lines: &str, newline: &str) -> TextEdit {
    let source: &str = &task.source;
    let limit =
        task.function_range.start.min(if task.spec_range.is_empty() { usize::MAX } else { task.spec_range.start });
    let top: Vec<Node<'_>> = children(root);
    let above = |n: &&Node<'_>| n.end_byte() <= limit;
    if let Some(last) = top.iter().filter(above).rfind(|n| is_import(**n)) {
        let at = line_end(source, last.end_byte());
        return edit(at, at, format!("{newline}{lines}"));
    }
    let first = top.iter().find(|n| n.kind() != "comment");
    let module_doc = first
        .filter(above)
        .filter(|n| n.kind() == "expression_statement" && n.child(0).is_some_and(|c| c.kind() == "string"));
    if let Some(doc) = module_doc {
        let at = line_end(source, doc.end_byte());
        let below = source.get(at..).unwrap_or("");
        let below = below.strip_prefix(newline).unwrap_or(below);
        let gap = if below.is_empty() || below.starts_with(newline) { "" } else { newline };
        return edit(at, at, format!("{newline}{newline}{lines}{gap}"));
    }
    let at = below_file_comments(&top, source, limit);
    let next = source.get(at..).unwrap_or("");
    let before_definition =
        limit == at || ["def ", "async ", "class ", "@", "#"].iter().any(|start| next.starts_with(start));
    let gap = newline.repeat(if before_definition { 3 } else { 2 });
    edit(at, at, format!("{lines}{gap}"))
}

/// The start of the first line that is neither shebang, encoding nor a licence of its own paragraph.
fn below_file_comments(top: &[Node<'_>], source: &str, limit: usize) -> usize {
    let bom = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut at = bom;
    let next_line =
        |offset: usize| source.get(offset..).and_then(|s| s.find('\n')).map_or(source.len(), |n| offset + n + 1);
    let mut end_of_run = None;
    for (row, comment) in
        top.iter().enumerate().take_while(|(row, n)| n.kind() == "comment" && n.start_position().row == *row)
    {
        let line = text(*comment, source);
        let for_system =
            (row == 0 && line.starts_with("#!")) || (row < 2 && (line.contains("coding:") || line.contains("coding=")));
        if for_system {
            at = next_line(comment.start_byte());
        }
        end_of_run = Some(next_line(comment.start_byte()));
    }
    // A run that an empty line ends is about the file; one that touches the code is about the code.
    match end_of_run {
        Some(end) if end < limit && source.get(end..).is_some_and(|s| s.starts_with(['\n', '\r'])) => {
            let blank = source.get(end..).unwrap_or("");
            line_start(source, end + (blank.len() - blank.trim_start().len())).min(limit)
        }
        _ => at,
    }
}

#[cfg(test)]
#[path = "splice_tests.rs"]
mod tests;
