//! Puts a candidate into the file: its body at the file's own depth and unit of indentation, and the
//! imports that are not there yet. Header, documentation, comments and line breaks stay as they are.

use tree_sitter::Node;
use zeroerr_core::code::{Candidate, Task, TextEdit, TextRange};

use super::functions::{FileIndex, Function};
use super::imports::{Import, What, Writing, declared_in, imports_of, parse_all};
use super::layout::{Style, inside_of, unit_of};
use super::tree::{Dialect, children, indent_at, is_comment, line_end, newline_of, parse, parts, text};

/// The edits that put the candidate into the file; none of them overlap.
///
/// # Errors
/// One sentence when the task does not fit its text, when the candidate's body does not parse, or
/// when an import would change what a name of the file means.
pub fn splice(task: &Task, candidate: &Candidate) -> Result<Vec<TextEdit>, String> {
    let source: &str = &task.source;
    let stale = || format!("`{}` is no longer where it was; analyse the file again", task.signature.name);
    let tree = parse(source, Dialect::of(&task.file)).ok_or_else(stale)?;
    let index = FileIndex::of_file(tree.root_node(), source, &task.file);
    let here =
        |f: &&Function<'_>| f.range(source).start == task.function_range.start && f.name(source) == task.signature.name;
    let function = index.functions.iter().find(here).ok_or_else(stale)?;
    if function.body(source).range != task.body_range {
        return Err(stale());
    }
    let mut edits = imports(task, candidate, tree.root_node())?;
    edits.push(body_edit(task, &index, function, candidate)?);
    Ok(edits)
}

fn body_edit(
    task: &Task,
    index: &FileIndex<'_>,
    function: &Function<'_>,
    candidate: &Candidate,
) -> Result<TextEdit, String> {
    let source: &str = &task.source;
    let whole = format!("async function* f() {{\n{}\n}}\n", candidate.body);
    let tree = parse(&whole, Dialect::of(&task.file));
    let tree = tree.filter(|t| !t.root_node().has_error() && !candidate.body.trim().is_empty());
    let item = tree.as_ref().map(|t| children(t.root_node())).filter(|all| all.len() == 1);
    let block = item.and_then(|all| all.first()?.child_by_field_name("body"));
    let block = block.ok_or_else(|| "the candidate's body does not parse".to_owned())?;
    let newline = newline_of(source);
    let outer = indent_at(source, function.outer.start_byte());
    let unit = unit(source, index, function, outer);
    let base = format!("{outer}{unit}");
    let inner = inside_of(block, &whole, Style { base: &base, unit, newline });
    let range = function.body(source).range;
    // A semicolon, or nothing, in the body's place stands right behind the header.
    let has_body = function.node.child_by_field_name("body").is_some();
    let gap = if has_body { "" } else { " " };
    Ok(TextEdit { range, new_text: format!("{gap}{{{newline}{inner}{newline}{outer}}}") })
}

/// One level of indentation: the function's own, else its neighbours', else two spaces.
fn unit<'s>(source: &'s str, index: &FileIndex<'_>, function: &Function<'_>, outer: &'s str) -> &'s str {
    let of = |f: &Function<'_>| f.node.child_by_field_name("body").and_then(|body| unit_of(f.outer, body, source));
    match std::iter::once(function).chain(&index.functions).find_map(of) {
        Some(unit) => unit,
        None if outer.starts_with('\t') => "\t",
        // A method's own depth is one level, when its class is at top level.
        None if function.class.is_some() && !outer.is_empty() && outer.len() <= 8 => outer,
        None => other_unit(source),
    }
}

/// The unit of whatever else is indented in the file: objects, classes.
fn other_unit(source: &str) -> &str {
    let opened = source.lines().zip(source.lines().skip(1)).find_map(|(above, below)| {
        let opens = above.trim_end().ends_with(['{', '[', '(']) && !above.starts_with([' ', '\t']);
        let indent = below.get(..below.len() - below.trim_start().len()).unwrap_or("");
        (opens && !indent.is_empty() && !below.trim().is_empty()).then_some(indent)
    });
    opened.filter(|indent| indent.len() <= 8 && !indent.contains(" \t")).unwrap_or("  ")
}

/// The edits that add the imports which the file does not have.
fn imports(task: &Task, candidate: &Candidate, root: Node<'_>) -> Result<Vec<TextEdit>, String> {
    let source: &str = &task.source;
    let declared = declared_in(root, source);
    let mut missing: Vec<Import> =
        parse_all(&candidate.imports).into_iter().filter(|item| !declared.iter().any(|d| d.is_same(item))).collect();
    let bound = names_bound(root, source);
    for item in missing.iter().filter(|i| !i.local.is_empty()) {
        let local = item.local.as_str();
        if bound.contains(&local) || declared.iter().any(|d| d.local == local) {
            let statement = item.statement(Writing::PLAIN);
            return Err(format!(
                "`{}` would change the meaning of `{local}` in this file",
                statement.trim_end_matches(';')
            ));
        }
    }
    let mut edits = Vec::new();
    missing.retain(|item| match joined(item, root, source) {
        Some(edit) => {
            edits.push(edit);
            false
        }
        None => true,
    });
    let mut edits = merged(edits);
    if !missing.is_empty() {
        edits.push(place(task, root, &missing));
    }
    Ok(edits)
}

/// The edit that puts a name into the braces of an import of its module that is there already.
fn joined(item: &Import, root: Node<'_>, source: &str) -> Option<TextEdit> {
    let What::Named(_) = item.what else { return None };
    for statement in children(root) {
        let of_module = imports_of(statement, source);
        let fits = of_module.iter().all(|i| i.module == item.module && i.is_type == item.is_type && !i.is_require);
        if of_module.is_empty() || !fits {
            continue;
        }
        let clause = parts(statement).into_iter().find(|n| n.kind() == "import_clause")?;
        let Some(names) = parts(clause).into_iter().find(|n| n.kind() == "named_imports") else { continue };
        let last = parts(names).into_iter().next_back()?;
        let at = last.end_byte();
        return Some(TextEdit { range: TextRange::new(at, at), new_text: format!(", {}", item.specifier()) });
    }
    None
}

/// Insertions at one place become one edit.
fn merged(edits: Vec<TextEdit>) -> Vec<TextEdit> {
    let mut out: Vec<TextEdit> = Vec::new();
    for edit in edits {
        match out.iter_mut().find(|known| known.range == edit.range) {
            Some(known) => known.new_text.push_str(&edit.new_text),
            None => out.push(edit),
        }
    }
    out
}

/// The names that a module declares itself.
fn names_bound<'s>(root: Node<'_>, source: &'s str) -> Vec<&'s str> {
    let declared = children(root).into_iter().map(|n| match n.kind() {
        "export_statement" => n.child_by_field_name("declaration").unwrap_or(n),
        _ => n,
    });
    let mut out = Vec::new();
    for node in declared.filter(|n| imports_of(*n, source).is_empty()) {
        let declarators = parts(node).into_iter().filter(|n| n.kind() == "variable_declarator");
        let named = std::iter::once(node).chain(declarators);
        out.extend(named.filter_map(|n| n.child_by_field_name("name")).map(|n| text(n, source)));
    }
    out
}

/// After the last import above the function, else below what a file starts with: a shebang, a licence,
/// `"use strict"`.
fn place(task: &Task, root: Node<'_>, missing: &[Import]) -> TextEdit {
    let source: &str = &task.source;
    let newline = newline_of(source);
    let limit =
        task.function_range.start.min(if task.spec_range.is_empty() { usize::MAX } else { task.spec_range.start });
    let items: Vec<Node<'_>> = children(root);
    let above = |n: &&Node<'_>| n.end_byte() <= limit;
    let style = Writing::of(root, source);
    let lines: Vec<String> = missing.iter().map(|i| i.statement(style)).collect();
    let edit = |at: usize, new_text: String| TextEdit { range: TextRange::new(at, at), new_text };
    let is_import = |n: &&Node<'_>| !imports_of(**n, source).is_empty();
    if let Some(last) = items.iter().filter(above).rfind(is_import) {
        let at = line_end(source, last.end_byte());
        return edit(at, format!("{newline}{}", lines.join(newline)));
    }
    let is_directive = |n: &&Node<'_>| {
        n.kind() == "expression_statement" && n.child(0).is_some_and(|c| c.kind() == "string") && n.end_byte() <= limit
    };
    if let Some(last) = items.iter().find(|n| !is_comment(**n)).filter(is_directive) {
        let at = line_end(source, last.end_byte());
        return edit(at, format!("{newline}{newline}{}", lines.join(newline)));
    }
    let at = below_licence(&items, source, limit);
    edit(at, format!("{}{newline}{newline}", lines.join(newline)))
}

/// The start of the first line that is neither shebang nor a licence of its own paragraph.
fn below_licence(items: &[Node<'_>], source: &str, limit: usize) -> usize {
    let bom = if source.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let shebang = items.first().filter(|n| n.kind() == "hash_bang_line");
    let below_shebang = shebang.map(|n| {
        source.get(n.end_byte()..).and_then(|r| r.find('\n')).map_or(source.len(), |at| n.end_byte() + at + 1)
    });
    let first = below_shebang.unwrap_or(bom);
    let mut end = first;
    let mut next_row = usize::from(shebang.is_some());
    for node in items.iter().skip(next_row) {
        if !is_comment(*node) || node.start_position().row != next_row {
            break;
        }
        next_row = node.end_position().row + 1;
        end = line_end(source, node.start_byte() + text(*node, source).trim_end_matches(['\r', '\n']).len());
    }
    let rest = source.get(end..).unwrap_or("");
    let blank = rest.trim_start_matches(['\r', '\n']);
    let gap = rest.get(..rest.len() - blank.len()).unwrap_or("");
    // A run that an empty line ends is about the file; one that touches the code is about the code.
    let ends_paragraph = gap.matches('\n').count() > 1 || (end == first && !gap.is_empty());
    let after = end + gap.len();
    if end > bom && ends_paragraph && after <= limit { after } else { first }
}

#[cfg(test)]
#[path = "splice_tests.rs"]
mod tests;
