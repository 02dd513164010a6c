//! Signatures of Rust functions, as written.

use tree_sitter::Node;
use zeroerr_core::code::{Param, ParamKind, Signature};

use super::tree::{children, normalised, parse, parts, text};

/// The signature of a `function_item`; a method's receiver is left out.
pub(super) fn signature(function: Node<'_>, source: &str) -> Signature {
    let params = parameters(function, source).into_iter().map(|p| p.param).collect();
    Signature {
        name: function.child_by_field_name("name").map_or("", |n| text(n, source)).to_owned(),
        params,
        returns: function.child_by_field_name("return_type").map(|n| text(n, source).to_owned()),
        is_async: modifiers(function, source).contains(&"async"),
        header: source.get(function.start_byte()..header_end(function, source)).unwrap_or("").to_owned(),
    }
}

/// The words between visibility and `fn`: `async`, `const`, `unsafe`, `extern "C"`.
pub(super) fn modifiers<'s>(function: Node<'_>, source: &'s str) -> Vec<&'s str> {
    let found = children(function).into_iter().find(|n| n.kind() == "function_modifiers");
    found.map_or_else(Vec::new, |n| children(n).into_iter().map(|m| text(m, source)).collect())
}

/// The offset after the header: parameters, return type and `where` clause.
pub(super) fn header_end(function: Node<'_>, source: &str) -> usize {
    let body = function.child_by_field_name("body");
    let semicolon = || children(function).into_iter().find(|n| n.kind() == ";");
    let end = body.or_else(semicolon).map_or(function.end_byte(), |n| n.start_byte());
    let head = source.get(function.start_byte()..end).unwrap_or("");
    function.start_byte() + head.trim_end().len()
}

/// A parameter with what only Rust says of it.
pub(super) struct Parameter {
    /// As every language has it.
    pub param: Param,
    /// Whether its binding is `mut`: the body may change its own copy.
    pub is_mut: bool,
}

/// All parameters in order, without the receiver.
pub(super) fn parameters(function: Node<'_>, source: &str) -> Vec<Parameter> {
    let Some(list) = function.child_by_field_name("parameters") else { return Vec::new() };
    let found = children(list).into_iter().filter(|n| n.kind() == "parameter");
    found
        .map(|node| {
            let field = |name| node.child_by_field_name(name).map(|n| text(n, source).to_owned());
            let name = field("pattern").unwrap_or_default();
            let is_mut = children(node).iter().any(|n| n.kind() == "mutable_specifier");
            Parameter {
                param: Param { name, annotation: field("type"), default: None, kind: ParamKind::Plain },
                is_mut,
            }
        })
        .collect()
}

/// The names of the type parameters and constants that a function sees, of the `impl` around it too.
pub(super) fn generics<'s>(function: Node<'_>, source: &'s str) -> Vec<&'s str> {
    let around = std::iter::successors(Some(function), |n| n.parent());
    let all = around.filter_map(|n| n.child_by_field_name("type_parameters")).flat_map(parts);
    all.filter_map(|n| n.child_by_field_name("name")).map(|n| text(n, source)).collect()
}

/// The receiver as written (`&mut self`), if there is one.
pub(super) fn receiver<'s>(function: Node<'_>, source: &'s str) -> Option<&'s str> {
    let list = function.child_by_field_name("parameters")?;
    children(list).into_iter().find(|n| n.kind() == "self_parameter").map(|n| text(n, source))
}

/// The function of a header that was taken from a file, parsed with an empty body.
pub(super) fn with_header<T>(header: &str, read: impl FnOnce(Node<'_>, &str) -> T) -> Option<T> {
    let whole = format!("{header} {{}}\n");
    let tree = parse(&whole)?;
    let function = children(tree.root_node()).into_iter().find(|n| n.kind() == "function_item")?;
    Some(read(function, &whole))
}

/// What calls and callers depend on: receiver, names and types of the parameters, return type,
/// generics and modifiers. Paths are compared by their last name, lifetimes not at all: the file keeps
/// its own header, and the compiler has the last word.
pub(super) fn shape(function: Node<'_>, source: &str) -> Vec<String> {
    let mut out = modifiers(function, source).into_iter().map(str::to_owned).collect::<Vec<_>>();
    out.extend(
        receiver(function, source).map(|r| r.split_whitespace().collect::<String>().replace("mutself", "mut self")),
    );
    for p in parameters(function, source) {
        out.push(format!("{}: {}", p.param.name, p.param.annotation.as_deref().map(loose_type).unwrap_or_default()));
    }
    let returns = function.child_by_field_name("return_type").map(|n| loose_type(text(n, source)));
    out.push(returns.filter(|r| r != "()" && r != "( )").unwrap_or_default());
    let generics = function.child_by_field_name("type_parameters").map(parts).unwrap_or_default();
    let names = generics.into_iter().filter(|n| n.kind() != "lifetime_parameter");
    out.extend(names.filter_map(|n| n.child_by_field_name("name").map(|n| text(n, source).to_owned())));
    out
}

/// A type without lifetimes and without the paths before its names.
fn loose_type(written: &str) -> String {
    let whole = format!("type T = {written};");
    let Some(tree) = parse(&whole) else { return written.to_owned() };
    let Some(node) = tree.root_node().child(0).and_then(|n| n.child_by_field_name("type")) else {
        return written.to_owned();
    };
    let mut tokens: Vec<String> = Vec::new();
    for token in normalised(node, &whole).split(' ') {
        if token == "::" {
            tokens.pop();
        } else {
            tokens.push(token.to_owned());
        }
    }
    let mut out = String::new();
    let mut skip = false;
    for token in tokens {
        // `& ' a str`: the quote and the name of a lifetime.
        if token == "'" {
            skip = true;
        } else if skip {
            skip = false;
        } else {
            out.push_str(&token);
            out.push(' ');
        }
    }
    out.trim_end().replace("< ,", "<").replace("< >", "").trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(source: &str, expected: Expect) {
        let tree = parse(source).unwrap();
        let function = tree.root_node().child(0).unwrap();
        let signature = signature(function, source);
        let mut out = format!(
            "{} -> {:?} async={}\n{:?}\n",
            signature.name, signature.returns, signature.is_async, signature.header
        );
        for p in parameters(function, source) {
            out += &format!("{}: {:?} mut={}\n", p.param.name, p.param.annotation, p.is_mut);
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn every_kind_of_parameter() {
        check(
            "pub async unsafe fn f<'a, T: Ord>(&'a mut self, mut xs: Vec<T>, (a, b): (u8, u8), _: &str) -> Option<&'a T>\nwhere\n    T: Copy,\n{\n}\n",
            expect![[r#"
                f -> Some("Option<&'a T>") async=true
                "pub async unsafe fn f<'a, T: Ord>(&'a mut self, mut xs: Vec<T>, (a, b): (u8, u8), _: &str) -> Option<&'a T>\nwhere\n    T: Copy,"
                xs: Some("Vec<T>") mut=true
                (a, b): Some("(u8, u8)") mut=false
                _: Some("&str") mut=false
            "#]],
        );
    }

    #[test]
    fn spelling_does_not_matter_but_names_and_types_do() {
        let same = |a: &str, b: &str| with_header(a, shape) == with_header(b, shape);
        let asked = "fn f(xs: &[i32], m: HashMap<String, Vec<u8>>) -> Option<&str>";
        for alike in [
            "pub fn f(xs: &[ i32 ], m: std::collections::HashMap<String, Vec<u8>>,) -> Option<&'static str>",
            "fn f<'a>(xs: &'a [i32], mut m: HashMap<String, Vec<u8,>>) -> Option<&'a str>",
        ] {
            assert!(same(asked, alike), "{alike}");
        }
        for other in [
            "fn f(ys: &[i32], m: HashMap<String, Vec<u8>>) -> Option<&str>",
            "fn f(xs: &[i64], m: HashMap<String, Vec<u8>>) -> Option<&str>",
            "fn f(xs: &[i32], m: HashMap<String, Vec<u8>>) -> &str",
            "fn f(xs: &[i32], m: HashMap<String, Vec<u8>>)",
            "fn f(xs: &[i32]) -> Option<&str>",
            "async fn f(xs: &[i32], m: HashMap<String, Vec<u8>>) -> Option<&str>",
            "fn f(&self, xs: &[i32], m: HashMap<String, Vec<u8>>) -> Option<&str>",
            "fn f<T>(xs: &[i32], m: HashMap<String, Vec<u8>>) -> Option<&str>",
        ] {
            assert!(!same(asked, other), "{other}");
        }
        assert!(same("fn g()", "fn g() -> ()"));
    }
}
