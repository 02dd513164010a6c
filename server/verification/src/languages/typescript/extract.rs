//! Takes the candidate out of a model's response, or says why the sample is discarded.
//!
//! Extraction is no repair: nothing of the function is changed. What real models put around it is
//! left behind: prose around a code fence, the header's spelling, types and documentation (the file
//! keeps its own), `export`, imports that the body does not use, and usage after the function
//! (`console.log(f(1))`, `module.exports = f`). Anything else beside the one function is a red flag.

use tree_sitter::{Node, Tree};
use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::red_flag_detector::RedFlag;

use super::expressions::mentions;
use super::forbidden::check_forbidden;
use super::forms::DEFAULT;
use super::functions::{FileIndex, Form, Function};
use super::imports::{Writing, imports_of, needed, parse_all, used_names};
use super::layout::{Style, inside_of};
use super::signature::{same, shape, with_header};
use super::tree::{Dialect, Visit, children, indent_at, is_comment, is_javascript, nodes, parse, parts, text, walk};
use crate::languages::response::fenced;

/// Takes the candidate out of a model's response.
///
/// # Errors
/// The red flag that discards the sample.
pub fn extract(response: &str, task: &Task) -> Result<Candidate, RedFlag> {
    let candidate = read(response, task)?;
    // What reads otherwise the second time is not what stands there.
    match read(&candidate.function, task) {
        Ok(again) if again.body == candidate.body => Ok(candidate),
        _ => Err(RedFlag::DoesNotParse),
    }
}

/// One reading of a response.
fn read(response: &str, task: &Task) -> Result<Candidate, RedFlag> {
    if response.trim().is_empty() {
        return Err(RedFlag::Empty);
    }
    let code = code_of(response, task)?;
    let (code, tree) = parsed(&code, task)?;
    let index = FileIndex::of_file(tree.root_node(), &code, &task.file);
    let found = Found::read(tree.root_node(), &index, &code, task)?;
    let body = found.function.node.child_by_field_name("body").ok_or(RedFlag::Placeholder)?;
    let is_method = task.class.is_some();
    let (asked, is_arrow) = with_header(&task.signature.header, is_method, |f, s| (shape(f, s), f.is_arrow()))
        .ok_or(RedFlag::WrongSignature)?;
    if !same(&asked, &shape(found.function, &code)) {
        return Err(RedFlag::WrongSignature);
    }
    // An arrow has no `this` and no `arguments` of its own: the same words would mean something else.
    if is_arrow != found.function.is_arrow() && speaks_of_its_call(body, &code) {
        return Err(RedFlag::WrongSignature);
    }
    if found.function.body(&code).is_stub {
        return Err(RedFlag::Placeholder);
    }
    if is_javascript(&task.file) && has_types(body) {
        return Err(RedFlag::DoesNotParse);
    }
    let imports = needed(parse_all(&found.imports), &used_names(body, &code));
    check_forbidden(body, &code, &imports, task)?;
    let inside = |base| inside_of(body, &code, Style { base, unit: "  ", newline: "\n" });
    let header = dedented(&task.signature.header, indent_at(&task.source, task.function_range.start));
    Ok(Candidate {
        function: format!("{header} {{\n{}\n}}\n", inside("  ")),
        body: inside(""),
        imports: imports.iter().map(|i| i.statement(Writing::PLAIN)).collect(),
    })
}

/// The text of a header that stood at some depth, as it would stand at top level.
fn dedented(header: &str, indent: &str) -> String {
    let lines = header.split('\n').map(|l| l.strip_suffix('\r').unwrap_or(l));
    lines
        .enumerate()
        .map(|(i, l)| if i == 0 { l } else { l.strip_prefix(indent).unwrap_or(l) })
        .collect::<Vec<_>>()
        .join("\n")
}

/// Parses the code. A stop text that ends decoding after the function takes its last brace with it, and
/// a method may come without its class.
fn parsed(code: &str, task: &Task) -> Result<(String, Tree), RedFlag> {
    let mut forms = vec![code.to_owned(), format!("{code}\n}}\n")];
    if let Some(class) = &task.class {
        forms.extend([format!("class {class} {{\n{code}\n}}\n"), format!("class {class} {{\n{code}\n}}\n}}\n")]);
        forms.extend([in_object(class, code), in_object(class, &format!("{code}\n}}"))]);
    }
    let mut first = None;
    for whole in forms {
        let tree = parse(&whole, Dialect::of(&task.file)).ok_or(RedFlag::DoesNotParse)?;
        if tree.root_node().has_error() {
            continue;
        }
        // A member alone may read as something else: `f: (x) => x` as a label.
        if holds(&whole, &tree, task) {
            return Ok((whole, tree));
        }
        first.get_or_insert((whole, tree));
    }
    if let Some(found) = first {
        return Ok(found);
    }
    // Words alone are a different failure from code that is broken.
    let has_function = code.lines().any(|l| starts_function(l, None));
    Err(if has_function { RedFlag::DoesNotParse } else { RedFlag::NotOneFunction })
}

/// Whether a text holds a function of the asked name.
fn holds(code: &str, tree: &Tree, task: &Task) -> bool {
    let index = FileIndex::of_file(tree.root_node(), code, &task.file);
    index.functions.iter().any(|f| f.name(code) == task.signature.name)
}

/// Members in the object that a path names: `api`, `api.text`, `module.exports`.
fn in_object(path: &str, members: &str) -> String {
    let mut names = path.split('.');
    let root = names.next().unwrap_or(path);
    if matches!(root, "module" | "exports") {
        return format!("{path} = {{\n{members}\n}};\n");
    }
    let inner: Vec<&str> = names.collect();
    let opened: String = inner.iter().map(|name| format!("{name}: {{ ")).collect();
    let head = if root == DEFAULT { "export default".to_owned() } else { format!("const {root} =") };
    format!("{head} {{ {opened}\n{members}\n{} }};\n", "}".repeat(inner.len()))
}

/// The one function of a response, and the imports beside it.
struct Found<'t, 'i> {
    function: &'i Function<'t>,
    imports: Vec<String>,
}

impl<'t, 'i> Found<'t, 'i> {
    fn read(root: Node<'t>, index: &'i FileIndex<'t>, code: &str, task: &Task) -> Result<Self, RedFlag> {
        let mut reader = Reader { function: None, imports: Vec::new(), task, code, index };
        for node in children(root) {
            reader.take(node)?;
        }
        let function = reader.function.ok_or(RedFlag::NotOneFunction)?;
        Ok(Self { function, imports: reader.imports })
    }
}

struct Reader<'t, 'i, 'c> {
    function: Option<&'i Function<'t>>,
    imports: Vec<String>,
    task: &'c Task,
    code: &'c str,
    index: &'i FileIndex<'t>,
}

impl<'t, 'i> Reader<'t, 'i, '_> {
    fn take(&mut self, node: Node<'t>) -> Result<(), RedFlag> {
        if is_comment(node) || !node.is_named() || matches!(node.kind(), "empty_statement" | "hash_bang_line") {
            return Ok(());
        }
        if !imports_of(node, self.code).is_empty() {
            self.imports.push(text(node, self.code).to_owned());
            return Ok(());
        }
        let name = self.task.signature.name.as_str();
        let here = |f: &&Function<'t>| f.outer == node && f.name(self.code) == name;
        if let Some(function) = self.index.functions.iter().find(here) {
            return self.found(function);
        }
        if let Some(function) = self.member(node) {
            return self.found(function);
        }
        match node.kind() {
            "function_signature" if node.child_by_field_name("name").is_some_and(|n| text(n, self.code) == name) => {
                Ok(())
            }
            _ if self.is_usage(node) => Ok(()),
            _ => match Some(node).filter(is_class).or(node.child_by_field_name("declaration").filter(is_class)) {
                Some(class) => self.class(class),
                None => Err(RedFlag::NotOneFunction),
            },
        }
    }

    fn found(&mut self, function: &Function<'t>) -> Result<(), RedFlag> {
        if self.function.is_some() {
            return Err(RedFlag::NotOneFunction);
        }
        self.function = self.index.functions.iter().find(|f| f.node == function.node);
        Ok(())
    }

    /// A method may come in its class, if it comes alone.
    fn class(&mut self, class: Node<'t>) -> Result<(), RedFlag> {
        let name = class.child_by_field_name("name").map(|n| text(n, self.code));
        let body = class.child_by_field_name("body").filter(|_| name == self.task.class.as_deref());
        let Some(body) = body.filter(|_| self.function.is_none()) else { return Err(RedFlag::NotOneFunction) };
        for member in parts(body) {
            let own = self.task.signature.name.as_str();
            let here = |f: &&Function<'t>| f.outer == member && f.name(self.code) == own;
            let Some(function) = self.index.functions.iter().find(here) else { return Err(RedFlag::NotOneFunction) };
            self.found(function)?;
        }
        Ok(())
    }

    /// A member may come in its object, if it comes alone.
    fn member(&self, statement: Node<'t>) -> Option<&'i Function<'t>> {
        let is_alone = |f: &Function<'t>| {
            let objects = std::iter::successors(f.outer.parent(), Node::parent).take_while(|n| *n != statement);
            objects.filter(|n| n.kind() == "object").all(|n| parts(n).len() == 1)
        };
        let asked = |f: &&Function<'t>| f.name(self.code) == self.task.signature.name && f.class == self.task.class;
        let inside =
            |f: &&Function<'t>| f.form == Form::Member && statement.byte_range().contains(&f.outer.start_byte());
        self.index.functions.iter().filter(asked).find(inside).filter(|f| is_alone(f))
    }

    /// What uses the function, and what exports it.
    fn is_usage(&self, node: Node<'t>) -> bool {
        let whole = text(node, self.code);
        let uses = || self.function.is_some() && mentions(node, self.code, &self.task.signature.name);
        match node.kind() {
            "export_statement" => node.child_by_field_name("declaration").is_none(),
            "expression_statement" => {
                ["console.", "module.exports", "exports.", "\"use strict\"", "'use strict'"]
                    .iter()
                    .any(|start| whole.starts_with(start))
                    || uses()
            }
            "lexical_declaration" | "variable_declaration" => {
                let functions = ["arrow_function", "function_expression"];
                uses() && !nodes(node).iter().any(|n| functions.contains(&n.kind()))
            }
            _ => false,
        }
    }
}

fn is_class(node: &Node<'_>) -> bool {
    matches!(node.kind(), "class_declaration" | "abstract_class_declaration")
}

/// Whether a body uses `this` or `arguments` of its own function.
fn speaks_of_its_call(body: Node<'_>, code: &str) -> bool {
    let mut found = false;
    walk(body, |node, visit| {
        let own_call = matches!(
            node.kind(),
            "function_declaration" | "function_expression" | "generator_function" | "class_body" | "method_definition"
        );
        if visit == Visit::Enter && !own_call {
            found |= node.kind() == "this" || (node.kind() == "identifier" && text(node, code) == "arguments");
        }
        !own_call
    });
    found
}

/// Whether code has types in it, which JavaScript does not know.
fn has_types(body: Node<'_>) -> bool {
    const TYPES: &[&str] = &[
        "type_annotation",
        "as_expression",
        "satisfies_expression",
        "non_null_expression",
        "type_arguments",
        "type_parameters",
        "type_alias_declaration",
        "interface_declaration",
        "enum_declaration",
        "optional_parameter",
    ];
    nodes(body).iter().any(|n| TYPES.contains(&n.kind()))
}

/// The code in a response: the fenced block with the function, or the bare text.
fn code_of(response: &str, task: &Task) -> Result<String, RedFlag> {
    let (before, blocks) = fenced(response);
    let name = task.signature.name.as_str();
    let has = |text: &str| text.lines().any(|l| starts_function(l, Some(name)));
    let holds = |text: &str| parsed(text, task).is_ok_and(|(code, tree)| holds(&code, &tree, task));
    if blocks.is_empty() || has(&before) {
        // The prompt may have opened the fence, so that the response starts with code.
        return Ok(before);
    }
    let mut with_function: Vec<String> = blocks;
    if with_function.len() > 1 {
        with_function.retain(|b| has(b) || holds(b));
    }
    with_function.dedup();
    <[String; 1]>::try_from(with_function).map(|[code]| code).map_err(|_| RedFlag::NotOneFunction)
}

/// Whether a line starts a function: `function f(`, `const f = `, a method's `f(`, a member's `f: (`, `exports.f = `, or
/// what a file exports without a name.
fn starts_function(line: &str, name: Option<&str>) -> bool {
    const MODIFIERS: &[&str] =
        &["export", "default", "async", "static", "public", "private", "protected", "override", "get", "set", "*"];
    let mut rest = line.trim_start();
    let (mut is_declared, mut is_default) = (false, false);
    loop {
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).unwrap_or(rest.len());
        let end = if rest.starts_with(['*', '#']) { 1 } else { end };
        let (word, tail) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let gives = |sign: char| {
            tail.trim_start().starts_with(sign)
                && ["=>", "function (", "function(", "function*"].iter().any(|w| line.contains(w))
        };
        match word {
            "" => return is_default && rest.starts_with('('),
            "module" | "exports" if tail.starts_with('.') => {
                rest = tail.trim_start_matches('.');
                continue;
            }
            "exports" if gives('=') => return true,
            "default" => is_default = true,
            "function" | "const" | "let" | "var" => is_declared = true,
            "#" => {}
            _ if MODIFIERS.contains(&word) => {}
            _ => {
                let tail = tail.trim_start();
                let is_asked = name.is_none_or(|n| n.trim_start_matches('#') == word);
                // A call looks like a method, so that one opens its body on the line.
                let opens = tail.starts_with('(') && line.trim_end().ends_with('{');
                let is_value = gives('=') || gives(':');
                return is_asked && (is_value || (is_declared && tail.starts_with(['(', '<', '=', ':'])) || opens);
            }
        }
        rest = tail.trim_start();
    }
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
