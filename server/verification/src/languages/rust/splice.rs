//! Puts a candidate into the file: its body at the file's own depth and unit of indentation, and the
//! imports that are not there yet. Header, documentation, comments and line breaks stay as they are.

use tree_sitter::Node;
use zeroerr_core::code::{Candidate, Task, TextEdit, TextRange};

use super::functions::{FileIndex, Function};
use super::imports::{UseItem, declared_in, parse_all};
use super::layout::{Style, inside_of, unit_of};
use super::tree::{children, indent_at, is_comment, line_end, newline_of, parse, text};

/// The edits that put the candidate into the file; none of them overlap.
///
/// # Errors
/// One sentence when the task does not fit its text, when the candidate's body does not parse, or
/// when an import would change what a name of the file means.
pub fn splice(task: &Task, candidate: &Candidate) -> Result<Vec<TextEdit>, String> {
    let source: &str = &task.source;
    let stale = || format!("`{}` is no longer where it was; analyse the file again", task.signature.name);
    let tree = parse(source).ok_or_else(stale)?;
    let index = FileIndex::new(tree.root_node(), source);
    let here =
        |f: &&Function<'_>| f.range(source).start == task.function_range.start && f.name(source) == task.signature.name;
    let function = index.functions.iter().find(here).ok_or_else(stale)?;
    if function.body(source).range != task.body_range {
        return Err(stale());
    }
    let mut edits = imports(task, candidate, function)?;
    edits.push(body_edit(source, &index, function, candidate)?);
    Ok(edits)
}

fn body_edit(
    source: &str,
    index: &FileIndex<'_>,
    function: &Function<'_>,
    candidate: &Candidate,
) -> Result<TextEdit, String> {
    let whole = format!("fn f() {{\n{}\n}}\n", candidate.body);
    let tree = parse(&whole).filter(|t| !t.root_node().has_error() && !candidate.body.trim().is_empty());
    let item = tree.as_ref().map(|t| children(t.root_node())).filter(|all| all.len() == 1);
    let block = item.and_then(|all| all.first()?.child_by_field_name("body"));
    let block = block.ok_or_else(|| "the candidate's body does not parse".to_owned())?;
    let newline = newline_of(source);
    let outer = indent_at(source, function.node.start_byte());
    let unit = unit(source, index, function, outer);
    let base = format!("{outer}{unit}");
    let inner = inside_of(block, &whole, Style { base: &base, unit, newline });
    let range = function.body(source).range;
    // A semicolon in the body's place stands right behind the header.
    let gap = if range.slice(source).starts_with('{') { "" } else { " " };
    Ok(TextEdit { range, new_text: format!("{gap}{{{newline}{inner}{newline}{outer}}}") })
}

/// One level of indentation: the function's own, else its neighbours', else four spaces.
fn unit<'s>(source: &'s str, index: &FileIndex<'_>, function: &Function<'_>, outer: &'s str) -> &'s str {
    let others = index.functions.iter().map(|f| f.node);
    let found = std::iter::once(function.node).chain(others).find_map(|node| unit_of(node, source));
    match found {
        Some(unit) => unit,
        None if outer.starts_with('\t') => "\t",
        // A method's own depth is one level, when its `impl` is at top level.
        None if function.class.is_some() && !outer.is_empty() && outer.len() <= 8 => outer,
        None => "    ",
    }
}

/// The edit that adds the imports which the function's module does not have.
fn imports(task: &Task, candidate: &Candidate, function: &Function<'_>) -> Result<Vec<TextEdit>, String> {
    let source: &str = &task.source;
    let declared = declared_in(function.scope, source);
    let missing: Vec<UseItem> = parse_all(&candidate.imports)
        .into_iter()
        .filter(|item| !declared.contains(item) && !covered(item, &declared))
        .collect();
    let bound = names_bound(function.scope, source);
    for item in missing.iter().filter(|i| !i.is_star() && i.binds() != "_") {
        let name = item.binds();
        if bound.contains(&name) || declared.iter().any(|d| d.binds() == name) {
            return Err(format!("`{}` would change the meaning of `{name}` in this file", item.statement()));
        }
    }
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![place(task, function, &missing)])
}

/// Whether `use std::collections::*` brings it in already.
fn covered(item: &UseItem, declared: &[UseItem]) -> bool {
    let parent = |i: &UseItem| i.path.split_last().map(|(_, rest)| rest.to_vec());
    item.alias.is_none() && declared.iter().any(|d| d.is_star() && parent(d) == parent(item))
}

/// The names of the items that a module declares itself.
fn names_bound<'s>(scope: Node<'_>, source: &'s str) -> Vec<&'s str> {
    let list = scope.child_by_field_name("body").unwrap_or(scope);
    let named = children(list).into_iter().filter(|n| n.kind() != "function_signature_item");
    named.filter_map(|n| n.child_by_field_name("name").map(|n| text(n, source))).collect()
}

/// After the last `use` above the function, else below what a file (or module) starts with: inner
/// attributes, inner documentation, a licence.
fn place(task: &Task, function: &Function<'_>, missing: &[UseItem]) -> TextEdit {
    let source: &str = &task.source;
    let newline = newline_of(source);
    let limit =
        task.function_range.start.min(if task.spec_range.is_empty() { usize::MAX } else { task.spec_range.start });
    let list = function.scope.child_by_field_name("body").unwrap_or(function.scope);
    let is_file = function.scope.kind() == "source_file";
    let items: Vec<Node<'_>> = children(list);
    let above = |n: &&Node<'_>| n.end_byte() <= limit;
    let indent = items.iter().find(|n| n.is_named()).map_or("", |n| indent_at(source, n.start_byte()));
    let lines: Vec<String> = missing.iter().map(|i| format!("{indent}{}", i.statement())).collect();
    let edit = |at: usize, new_text: String| TextEdit { range: TextRange::new(at, at), new_text };
    if let Some(last) = items.iter().filter(above).rfind(|n| n.kind() == "use_declaration") {
        let at = line_end(source, last.end_byte());
        return edit(at, format!("{newline}{}", lines.join(newline)));
    }
    let is_inner =
        |n: &&Node<'_>| n.kind() == "inner_attribute_item" || (is_comment(**n) && is_inner_comment(**n, source));
    if let Some(last) = items.iter().filter(above).rfind(is_inner) {
        // An inner documentation comment ends behind its line break.
        let end = last.start_byte() + text(*last, source).trim_end_matches(['\r', '\n']).len();
        let at = line_end(source, end);
        return edit(at, format!("{newline}{newline}{}", lines.join(newline)));
    }
    if !is_file {
        let at = list.start_byte() + 1;
        return edit(at, format!("{newline}{}{newline}", lines.join(newline)));
    }
    let at = below_licence(&items, source, limit);
    edit(at, format!("{}{newline}{newline}", lines.join(newline)))
}

fn is_inner_comment(node: Node<'_>, source: &str) -> bool {
    let whole = text(node, source);
    whole.starts_with("//!") || whole.starts_with("/*!")
}

/// The start of the first line that is neither shebang nor a licence of its own paragraph.
fn below_licence(items: &[Node<'_>], source: &str, limit: usize) -> usize {
    let bom = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let mut end = bom;
    for (row, node) in items.iter().enumerate() {
        if !(is_comment(*node) || node.kind() == "shebang") || node.start_position().row != row {
            break;
        }
        end = line_end(source, node.start_byte() + text(*node, source).trim_end_matches(['\r', '\n']).len());
    }
    let rest = source.get(end..).unwrap_or("");
    let blank = rest.trim_start_matches(['\r', '\n']);
    let gap = rest.get(..rest.len() - blank.len()).unwrap_or("");
    // A run that an empty line ends is about the file; one that touches the code is about the code.
    let ends_paragraph = gap.matches('\n').count() > 1;
    let after = end + gap.len();
    if end > bom && ends_paragraph && after <= limit { after } else { bom }
}

#[cfg(test)]
#[path = "splice_tests.rs"]
mod tests;
