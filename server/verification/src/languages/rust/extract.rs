//! Takes the candidate out of a model's response, or says why the sample is discarded.
//!
//! Extraction is no repair: nothing of the function is changed. What real models put around it is
//! left behind: prose around a code fence, the header's spelling and documentation (the file keeps
//! its own), imports that the body does not use, a `main` and tests beside it. Anything else beside
//! the one function is a red flag.

use tree_sitter::Node;
use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::red_flag_detector::RedFlag;

use super::forbidden::check_forbidden;
use super::functions::body_of;
use super::imports::{needed, parse_all, used_names};
use super::layout::{Style, inside_of};
use super::signature::{parameters, shape, with_header};
use super::tree::{children, indent_at, is_comment, parse, text};
use crate::languages::response::fenced;

/// Attributes of a response's function that change nothing of what it does.
const HARMLESS: &[&str] = &["inline", "must_use", "allow", "expect", "doc", "cold", "rustfmt", "clippy", "deprecated"];

/// Takes the candidate out of a model's response.
///
/// # Errors
/// The red flag that discards the sample.
pub fn extract(response: &str, task: &Task) -> Result<Candidate, RedFlag> {
    if response.trim().is_empty() {
        return Err(RedFlag::Empty);
    }
    let code = code_of(response, &task.signature.name)?;
    let (code, tree) = parsed(&code)?;
    let found = Found::read(tree.root_node(), &code, task)?;
    let block = found.function.child_by_field_name("body").ok_or(RedFlag::Placeholder)?;
    check_signature(&found, &code, task)?;
    if body_of(found.function, &code).is_stub {
        return Err(RedFlag::Placeholder);
    }
    let used = used_names(block, &code);
    let imports: Vec<_> = parse_all(&found.imports).into_iter().filter(|i| !(i.is_relative() && i.is_star())).collect();
    let imports = needed(imports, &used);
    check_forbidden(block, &code, &imports, task)?;
    let body = |base| inside_of(block, &code, Style { base, unit: "    ", newline: "\n" });
    let rebound = rebound(&found, &code, task);
    let with = |indent: &str| rebound.iter().map(|n| format!("{indent}let mut {n} = {n};\n")).collect::<String>();
    let header = dedented(&task.signature.header, indent_at(&task.source, task.function_range.start));
    Ok(Candidate {
        function: format!("{header} {{\n{}{}\n}}\n", with("    "), body("    ")),
        body: format!("{}{}", with(""), body("")),
        imports: imports.iter().map(super::imports::UseItem::statement).collect(),
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

/// Parses the code. A stop text that ends decoding after the function takes its last brace with it.
fn parsed(code: &str) -> Result<(String, tree_sitter::Tree), RedFlag> {
    for whole in [code.to_owned(), format!("{code}\n}}\n")] {
        let tree = parse(&whole).ok_or(RedFlag::DoesNotParse)?;
        if !tree.root_node().has_error() {
            return Ok((whole, tree));
        }
    }
    // Words alone are a different failure from code that is broken.
    let has_function = code.lines().any(|l| starts_function(l, None));
    Err(if has_function { RedFlag::DoesNotParse } else { RedFlag::NotOneFunction })
}

/// Parameters that the response binds as `mut` and the file does not: the same thing said in the body.
fn rebound(found: &Found<'_>, code: &str, task: &Task) -> Vec<String> {
    let names = |list: Vec<super::signature::Parameter>| -> Vec<String> {
        list.into_iter().filter(|p| p.is_mut).map(|p| p.param.name).collect()
    };
    let own = with_header(&task.signature.header, |f, s| names(parameters(f, s))).unwrap_or_default();
    names(parameters(found.function, code)).into_iter().filter(|n| !own.contains(n)).collect()
}

/// The one function of a response, and the imports beside it.
struct Found<'t> {
    function: Node<'t>,
    attributes: Vec<Node<'t>>,
    imports: Vec<String>,
}

impl<'t> Found<'t> {
    fn read(root: Node<'t>, code: &str, task: &Task) -> Result<Self, RedFlag> {
        let mut reader = Reader { function: None, imports: Vec::new(), attributes: Vec::new(), task, code };
        for node in children(root) {
            reader.take(node, false)?;
        }
        let (function, attributes) = reader.function.ok_or(RedFlag::NotOneFunction)?;
        Ok(Self { function, attributes, imports: reader.imports })
    }
}

struct Reader<'t, 'c> {
    function: Option<(Node<'t>, Vec<Node<'t>>)>,
    imports: Vec<String>,
    attributes: Vec<Node<'t>>,
    task: &'c Task,
    code: &'c str,
}

impl<'t> Reader<'t, '_> {
    fn take(&mut self, node: Node<'t>, in_impl: bool) -> Result<(), RedFlag> {
        if node.kind() == "attribute_item" {
            self.attributes.push(node);
            return Ok(());
        }
        if is_comment(node) || matches!(node.kind(), ";" | "{" | "}" | "inner_attribute_item") {
            return Ok(());
        }
        let attributes = std::mem::take(&mut self.attributes);
        let is_test = attributes.iter().any(|a| matches!(attribute_name(*a, self.code).as_str(), "test" | "cfg(test)"));
        let name = node.child_by_field_name("name").map_or("", |n| text(n, self.code));
        match node.kind() {
            "function_item" | "mod_item" | "use_declaration" if is_test => Ok(()),
            "function_item" if self.function.is_none() && name == self.task.signature.name => {
                self.function = Some((node, attributes));
                Ok(())
            }
            "function_item" if name == "main" && !in_impl => Ok(()),
            "use_declaration" => {
                self.imports.push(text(node, self.code).to_owned());
                Ok(())
            }
            // A method may come in its `impl`, if it comes alone.
            "impl_item" if self.function.is_none() && !in_impl => {
                let of = node.child_by_field_name("type").map_or("", |n| text(n, self.code));
                let of: String = of.split('<').next().unwrap_or("").split_whitespace().collect();
                if self.task.class.as_deref() != Some(of.as_str()) {
                    return Err(RedFlag::NotOneFunction);
                }
                let members = node.child_by_field_name("body").map(children).unwrap_or_default();
                members.into_iter().try_for_each(|member| self.take(member, true))
            }
            _ => Err(RedFlag::NotOneFunction),
        }
    }
}

/// `cfg(test)` of `#[cfg(test)]`.
fn attribute_name(node: Node<'_>, source: &str) -> String {
    let whole: String = text(node, source).split_whitespace().collect();
    whole.trim_start_matches("#[").trim_end_matches(']').to_owned()
}

fn check_signature(found: &Found<'_>, code: &str, task: &Task) -> Result<(), RedFlag> {
    let asked = with_header(&task.signature.header, shape);
    let head = task.source.get(task.function_range.start..task.body_range.start).unwrap_or("");
    // The file keeps its own attributes; another one would be lost, and with it what it does.
    let known = |a: &Node<'_>| {
        let name = attribute_name(*a, code);
        let root = name.split(['(', '=', ':']).next().unwrap_or("");
        HARMLESS.contains(&root) || head.contains(text(*a, code))
    };
    let same = asked == Some(shape(found.function, code)) && found.attributes.iter().all(known);
    if same { Ok(()) } else { Err(RedFlag::WrongSignature) }
}

/// The code in a response: the fenced block with the function, or the bare text.
fn code_of(response: &str, name: &str) -> Result<String, RedFlag> {
    let (before, blocks) = fenced(response);
    let has = |text: &str| text.lines().any(|l| starts_function(l, Some(name)));
    if blocks.is_empty() || has(&before) {
        // The prompt may have opened the fence, so that the response starts with code.
        return Ok(before);
    }
    let mut with_function: Vec<String> = blocks.into_iter().filter(|b| has(b)).collect();
    with_function.dedup();
    <[String; 1]>::try_from(with_function).map(|[code]| code).map_err(|_| RedFlag::NotOneFunction)
}

fn starts_function(line: &str, name: Option<&str>) -> bool {
    let Some(at) = line.find("fn ") else { return false };
    let before = line.get(..at).unwrap_or("").trim();
    let is_modifier =
        |w: &str| matches!(w, "async" | "const" | "unsafe" | "extern") || w.starts_with("pub") || w.starts_with('"');
    let rest = line.get(at + 3..).unwrap_or("").trim_start();
    let named = name.is_none_or(|n| rest.strip_prefix(n).is_some_and(|tail| tail.trim_start().starts_with(['(', '<'])));
    named && before.split_whitespace().all(|w| is_modifier(w) || w.starts_with("#[") || w.ends_with('{') || w == "impl")
}

#[cfg(test)]
#[path = "extract_tests.rs"]
mod tests;
