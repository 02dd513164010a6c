//! Layer 7 for Rust: what the code reaches for. Every path is resolved through the file's `use`
//! declarations and looked up in the [table](super::capabilities); `unsafe`, foreign code, attributes
//! of the linker and macros that read files when compiled count too, in macro calls as well.
//!
//! A spec is a function's contract, and a function that reaches for the network says so there:
//! `@uses std::net` permits what it names and nothing else; `@uses unsafe` permits unsafe code.

use std::collections::{HashMap, HashSet};

use tree_sitter::Node;
use zeroerr_core::code::TextRange;
use zeroerr_core::verdict::{Finding, Layer, LayerReport};

use super::capabilities;
use super::functions::FileIndex;
use super::imports::{UseItem, parse_declaration};
use super::signature::parameters;
use super::tree::{children, is_comment, is_text_literal, nodes, parse, text, words};
use crate::languages::Subject;
use crate::layers::security::{Capability, Reach, permits};
use crate::layers::{self, Remark};

/// Runs the layer. It reads and runs nothing, so it never fails to run.
pub(super) fn check(subject: &Subject) -> LayerReport {
    let mut found = capabilities(subject);
    found.sort_by_key(|f| f.line);
    layers::report(Layer::Security, found, "no new capability", vec!["zeroerr capabilities".into()])
}

/// What the function reaches for without permission: all of it in code as it stands, what is new in
/// an edit, new imports of the file included.
fn capabilities(subject: &Subject) -> Vec<Finding> {
    let task = &subject.task;
    let here = |index: &FileIndex<'_>| index.function_of(task).map(|f| f.node.start_byte());
    let mut reaches = of_function(&task.source, |f, _, at| Some(f.node.start_byte()) == at, here);
    let mut known: HashSet<String> = HashSet::new();
    if subject.is_edit() {
        let (name, class) = (task.signature.name.as_str(), task.class.as_deref());
        let before =
            of_function(&subject.previous, |f, s, _| f.name(s) == name && f.class.as_deref() == class, |_| None);
        known.extend(before.into_iter().map(|r| r.target));
        let imported: HashSet<String> = of_imports(&subject.previous).into_iter().map(|r| r.target).collect();
        let lines = subject.function_lines();
        let new = of_imports(&task.source).into_iter().filter(|r| !imported.contains(&r.target));
        reaches.extend(new.filter(|r| !lines.contains(&r.line)));
    }
    let mut findings = Vec::new();
    for reach in reaches {
        if !permits(&task.spec, &reach.target) && known.insert(reach.target.clone()) {
            findings.push(layers::finding(Layer::Security, remark_of(&reach)));
        }
    }
    findings
}

fn remark_of(reach: &Reach) -> Remark {
    let target = &reach.target;
    let message = format!("`{target}` {}; the spec permits it with `@uses {target}`", reach.capability.phrase());
    Remark { rule: reach.capability.name().into(), message, line: reach.line, url: None }
}

/// What the functions that are meant reach for, in order.
fn of_function(
    source: &str,
    meant: impl Fn(&super::functions::Function<'_>, &str, Option<usize>) -> bool,
    place: impl Fn(&FileIndex<'_>) -> Option<usize>,
) -> Vec<Reach> {
    let Some(tree) = parse(source) else { return Vec::new() };
    let root = tree.root_node();
    let index = FileIndex::new(root, source);
    let names = Names::read(root, source);
    let at = place(&index);
    let mut out = Vec::new();
    for function in index.functions.iter().filter(|f| meant(f, source, at)) {
        let range = function.range(source);
        for node in nodes(function.node).into_iter().chain(function.attributes()) {
            names.look(node, source, range, &mut out);
        }
    }
    out.sort_by_key(|r| r.line);
    out
}

/// What the file's `use` declarations alone reach for.
fn of_imports(source: &str) -> Vec<Reach> {
    let Some(tree) = parse(source) else { return Vec::new() };
    let names = Names::read(tree.root_node(), source);
    let declarations = nodes(tree.root_node()).into_iter().filter(|n| n.kind() == "use_declaration");
    let mut out = Vec::new();
    for node in declarations {
        let line = node.start_position().row + 1;
        for item in parse_declaration(node, source) {
            let target = names.full(&item.full_name());
            if let Some(capability) = capabilities::of_path(&target) {
                out.push(Reach { capability, target, line });
            }
        }
    }
    out
}

/// What the names of a file mean.
struct Names {
    imported: HashMap<String, String>,
    /// Modules of which everything is imported.
    stars: Vec<String>,
    uses_paths: bool,
}

impl Names {
    fn read(root: Node<'_>, source: &str) -> Self {
        let items: Vec<UseItem> = nodes(root)
            .into_iter()
            .filter(|n| n.kind() == "use_declaration")
            .flat_map(|n| parse_declaration(n, source))
            .collect();
        let named = items.iter().filter(|i| !i.is_star() && !i.is_relative());
        let mut imported: HashMap<String, String> = named.map(|i| (i.binds().to_owned(), i.full_name())).collect();
        for node in nodes(root).into_iter().filter(|n| n.kind() == "extern_crate_declaration") {
            if let (Some(name), Some(alias)) = (node.child_by_field_name("name"), node.child_by_field_name("alias")) {
                imported.insert(text(alias, source).to_owned(), text(name, source).to_owned());
            }
        }
        let uses_paths = source.contains("Path");
        let mut names = Self { imported, stars: Vec::new(), uses_paths };
        let stars = items.iter().filter(|i| i.is_star());
        names.stars = stars.map(|i| names.full(i.full_name().trim_end_matches("::*"))).collect();
        // What is imported by another name's way, `use std as s; use s::fs`.
        let further = |(name, full): (&String, &String)| {
            let first = full.split("::").next().unwrap_or(full);
            (first != name.as_str()).then(|| (name.clone(), names.full(full)))
        };
        names.imported = names.imported.iter().map(|i| further(i).unwrap_or((i.0.clone(), i.1.clone()))).collect();
        names
    }

    /// The full path behind one that is written out.
    fn full(&self, written: &str) -> String {
        let squeezed: String = written.split_whitespace().collect();
        // `<Path>::exists` is `Path::exists`.
        let squeezed = match squeezed.strip_prefix('<').and_then(|inner| inner.split_once(">::")) {
            Some((owner, name)) => format!("{owner}::{name}"),
            None => squeezed,
        };
        let (first, rest) = squeezed.split_once("::").map_or((squeezed.as_str(), None), |(f, r)| (f, Some(r)));
        let star = self.stars.iter().find(|module| capabilities::is_of_star(module, &squeezed));
        if let Some(module) = star.filter(|_| !self.imported.contains_key(first)) {
            return format!("{module}::{squeezed}");
        }
        let meant = self.imported.get(first).map_or(first, String::as_str);
        rest.map_or_else(|| meant.to_owned(), |rest| format!("{meant}::{rest}"))
    }

    fn look(&self, node: Node<'_>, source: &str, function: TextRange, out: &mut Vec<Reach>) {
        let line = node.start_position().row + 1;
        let written = text(node, source);
        let mut add = |capability: Capability, target: &str| {
            let reach = Reach { capability, target: target.to_owned(), line };
            if !out.contains(&reach) && function.touches(node.start_byte()) {
                out.push(reach);
            }
        };
        let parent = node.parent().map_or("", |p| p.kind());
        match node.kind() {
            "unsafe" | "unsafe_block" => add(Capability::Native, "unsafe"),
            "foreign_mod_item" | "extern_modifier" => add(Capability::Native, "extern"),
            "attribute_item" | "inner_attribute_item" => {
                if let Some(name) = capabilities::of_attribute(written) {
                    add(Capability::Native, name);
                }
                if depends_on_build(written) {
                    add(Capability::Reflection, "cfg");
                }
            }
            "static_item" if remembers(node, source) => add(Capability::Reflection, "static"),
            "impl_item" if reaches_out(node, source) => add(Capability::Reflection, "impl"),
            "macro_invocation" => {
                let name = node.child_by_field_name("macro").map_or("", |n| text(n, source));
                let last = name.rsplit("::").next().unwrap_or(name);
                if let Some(capability) = capabilities::of_macro(last) {
                    add(capability, &format!("{last}!"));
                }
                if last == "cfg" && depends_on_build(written) {
                    add(Capability::Reflection, "cfg");
                }
            }
            "token_tree" => {
                for path in paths_in(node, source) {
                    let full = self.full(&path);
                    if let Some(capability) = capabilities::of_path(&full) {
                        add(capability, &full);
                    }
                }
                let tokens = children(node);
                if tokens.iter().any(|n| text(*n, source) == "unsafe") {
                    add(Capability::Native, "unsafe");
                }
                for call in tokens.windows(3) {
                    let [dot, name, arguments] = call else { continue };
                    let is_call = text(*dot, source) == "." && arguments.kind() == "token_tree";
                    let name = text(*name, source);
                    if let Some(capability) = capabilities::of_method(name, self.uses_paths).filter(|_| is_call) {
                        add(capability, &format!("Path::{name}"));
                    }
                }
                for pair in tokens.windows(2) {
                    let [name, mark] = pair else { continue };
                    let capability = capabilities::of_macro(text(*name, source)).filter(|_| mark.kind() == "!");
                    if let Some(capability) = capability {
                        add(capability, &format!("{}!", text(*name, source)));
                    }
                }
            }
            "scoped_identifier" | "scoped_type_identifier"
                if !parent.starts_with("scoped_") && parent != "use_declaration" =>
            {
                let full = self.full(written);
                if let Some(capability) = capabilities::of_path(&full) {
                    add(capability, &full);
                }
            }
            "use_declaration" => {
                for item in parse_declaration(node, source) {
                    let target = self.full(&item.full_name());
                    if let Some(capability) = capabilities::of_path(&target) {
                        add(capability, &target);
                    }
                }
            }
            "identifier" | "type_identifier" if !parent.starts_with("scoped_") && !in_text(node) => {
                let full = self.full(written);
                let is_foreign = full != written || self.imported.contains_key(written);
                if let Some(capability) = capabilities::of_path(&full).filter(|_| is_foreign) {
                    add(capability, &full);
                }
            }
            "field_identifier" => {
                let is_call = node.parent().and_then(|p| p.parent()).is_some_and(|p| p.kind() == "call_expression");
                if let Some(capability) = capabilities::of_method(written, self.uses_paths).filter(|_| is_call) {
                    add(capability, &format!("Path::{written}"));
                }
            }
            _ => {}
        }
    }
}

/// Whether a `static` keeps what one call leaves for the next: answers then depend on more than the
/// arguments, and no number of calls shows from when on.
fn remembers(item: Node<'_>, source: &str) -> bool {
    let kind = item.child_by_field_name("type").map_or("", |t| text(t, source));
    let once = words(kind).any(|w| matches!(w, "OnceLock" | "OnceCell")) && keeps_an_argument(item, source);
    let keeps =
        |w: &str| matches!(w, "Mutex" | "RwLock" | "Cell" | "RefCell" | "UnsafeCell") || w.starts_with("Atomic");
    once || children(item).iter().any(|n| n.kind() == "mutable_specifier") || words(kind).any(keeps)
}

/// Whether what is set once depends on the arguments of the first call.
fn keeps_an_argument(item: Node<'_>, source: &str) -> bool {
    let function = std::iter::successors(item.parent(), Node::parent).find(|n| n.kind() == "function_item");
    let Some(function) = function else { return false };
    let own = parameters(function, source);
    let sets = |n: &Node<'_>| {
        n.kind() == "call_expression"
            && n.child_by_field_name("function").and_then(|f| f.child_by_field_name("field")).is_some_and(|field| {
                matches!(text(field, source), "get_or_init" | "get_or_try_init" | "get_mut_or_init" | "set")
            })
    };
    nodes(function).into_iter().filter(sets).filter_map(|n| n.child_by_field_name("arguments")).any(|arguments| {
        let named = |n: &Node<'_>| n.kind() == "identifier" && own.iter().any(|p| p.param.name == text(*n, source));
        nodes(arguments).iter().any(named)
    })
}

/// Whether an `impl` inside of a function is for a type from outside of it: it changes what that type
/// does everywhere, comparing included.
fn reaches_out(item: Node<'_>, source: &str) -> bool {
    let body = std::iter::successors(item.parent(), Node::parent).filter(|n| n.kind() == "function_item").last();
    let Some(body) = body else { return false };
    let kind = item.child_by_field_name("type").map_or("", |t| text(t, source));
    let bare = kind.split('<').next().unwrap_or(kind).trim();
    let own = nodes(body).into_iter().filter(|n| matches!(n.kind(), "struct_item" | "enum_item" | "union_item"));
    !own.filter_map(|n| n.child_by_field_name("name")).any(|n| text(n, source) == bare)
}

fn in_text(node: Node<'_>) -> bool {
    node.parent().is_some_and(|p| is_comment(p) || is_text_literal(p))
}

/// Whether a condition lets code be another one where it is checked than where it is used.
fn depends_on_build(written: &str) -> bool {
    let squeezed: String = written.split_whitespace().collect();
    let has = |word: &str| words(&squeezed).any(|w| w == word);
    has("cfg") && ["test", "debug_assertions", "doctest", "overflow_checks", "panic"].into_iter().any(has)
}

/// `std::fs::read` in the tokens of a macro call.
fn paths_in(tree: Node<'_>, source: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let mut open = String::new();
    for token in children(tree) {
        let word = text(token, source);
        match token.kind() {
            "identifier" | "crate" | "super" | "self" if open.is_empty() || open.ends_with("::") => open.push_str(word),
            "::" => open.push_str(word),
            _ => out.extend(Some(std::mem::take(&mut open)).filter(|p| !p.is_empty())),
        }
    }
    out.extend(Some(open).filter(|p| !p.is_empty()));
    out
}
