//! Signatures of Python functions, as written.

use tree_sitter::Node;
use zeroerr_core::code::{Param, ParamKind, Signature};

use super::tree::{children, parse, text};

/// The signature of a `function_definition`; a method's receiver is left out.
pub(super) fn signature(function: Node<'_>, source: &str, has_receiver: bool) -> Signature {
    let mut params = parameters(function, source);
    if has_receiver && params.first().is_some_and(|p| p.kind == ParamKind::Plain) {
        params.remove(0);
    }
    Signature {
        name: function.child_by_field_name("name").map_or("", |n| text(n, source)).to_owned(),
        params,
        returns: function.child_by_field_name("return_type").map(|n| text(n, source).to_owned()),
        is_async: is_async(function),
        header: source.get(function.start_byte()..header_end(function, source)).unwrap_or("").to_owned(),
    }
}

/// Whether the definition starts with `async`.
pub(super) fn is_async(function: Node<'_>) -> bool {
    function.child(0).is_some_and(|n| n.kind() == "async")
}

/// The offset after the colon of the header.
pub(super) fn header_end(function: Node<'_>, source: &str) -> usize {
    let colon = children(function).into_iter().find(|n| n.kind() == ":" && !n.is_missing());
    let fallback = || {
        let end = function.child_by_field_name("body").map_or(function.end_byte(), |b| b.start_byte());
        let head = source.get(function.start_byte()..end).unwrap_or("");
        function.start_byte() + head.trim_end().len()
    };
    colon.map_or_else(fallback, |n| n.end_byte())
}

/// All parameters in order, a receiver included. The separators `*` and `/` are no parameters.
pub(super) fn parameters(function: Node<'_>, source: &str) -> Vec<Param> {
    let Some(list) = function.child_by_field_name("parameters") else { return Vec::new() };
    let mut keyword_only = false;
    let mut out = Vec::new();
    for node in children(list) {
        if node.kind() == "keyword_separator" {
            keyword_only = true;
        } else if let Some(param) = parameter(node, source, keyword_only) {
            keyword_only |= param.kind == ParamKind::Rest;
            out.push(param);
        }
    }
    out
}

fn parameter(node: Node<'_>, source: &str, keyword_only: bool) -> Option<Param> {
    let field = |name| node.child_by_field_name(name).map(|n| text(n, source).to_owned());
    let target = match node.kind() {
        "identifier" | "list_splat_pattern" | "dictionary_splat_pattern" | "tuple_pattern" => node,
        "typed_parameter" => node.child(0)?,
        "default_parameter" | "typed_default_parameter" => node.child_by_field_name("name")?,
        _ => return None,
    };
    let (kind, name) = match target.kind() {
        "list_splat_pattern" => (ParamKind::Rest, text(target, source).trim_start_matches('*').trim()),
        "dictionary_splat_pattern" => (ParamKind::KeywordRest, text(target, source).trim_start_matches('*').trim()),
        _ if keyword_only => (ParamKind::KeywordOnly, text(target, source)),
        _ => (ParamKind::Plain, text(target, source)),
    };
    Some(Param { name: name.to_owned(), annotation: field("type"), default: field("value"), kind })
}

/// All parameters of a header that was taken from a file, a receiver included.
pub(super) fn parameters_of_header(header: &str) -> Vec<Param> {
    let whole = format!("{header} ...\n");
    let Some(tree) = parse(&whole) else { return Vec::new() };
    let function = tree.root_node().child(0).filter(|n| n.kind() == "function_definition");
    function.map_or_else(Vec::new, |f| parameters(f, &whole))
}

/// Whether calls mean the same for both lists: names, order, kinds and defaults, not annotations.
pub(super) fn same_parameters(a: &[Param], b: &[Param]) -> bool {
    let squeeze = |default: &Option<String>| default.as_deref().map(normalised_default);
    a.len() == b.len()
        && a.iter()
            .zip(b)
            .all(|(a, b)| a.name == b.name && a.kind == b.kind && squeeze(&a.default) == squeeze(&b.default))
}

/// A default without the freedom of spelling: white space, and the kind of quotes.
fn normalised_default(default: &str) -> String {
    let tokens = parse(default).map_or_else(|| default.to_owned(), |t| super::tree::normalised(t.root_node(), default));
    if tokens.contains('"') && !tokens.contains(['\'', '\\']) { tokens.replace('"', "'") } else { tokens }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(source: &str, has_receiver: bool, expected: Expect) {
        let tree = parse(source).unwrap();
        let signature = signature(tree.root_node().child(0).unwrap(), source, has_receiver);
        let mut out = format!(
            "{} -> {:?} async={}\n{:?}\n",
            signature.name, signature.returns, signature.is_async, signature.header
        );
        for p in &signature.params {
            out += &format!("{:?} {}: {:?} = {:?}\n", p.kind, p.name, p.annotation, p.default);
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn every_kind_of_parameter() {
        check(
            "async def f(self, a, /, b: int = 1, c='x', *rest: str, d, e: float = .5, **more: dict[str, int]) -> list[int]:  # note\n    ...\n",
            true,
            expect![[r#"
                f -> Some("list[int]") async=true
                "async def f(self, a, /, b: int = 1, c='x', *rest: str, d, e: float = .5, **more: dict[str, int]) -> list[int]:"
                Plain a: None = None
                Plain b: Some("int") = Some("1")
                Plain c: None = Some("'x'")
                Rest rest: Some("str") = None
                KeywordOnly d: None = None
                KeywordOnly e: Some("float") = Some(".5")
                KeywordRest more: Some("dict[str, int]") = None
            "#]],
        );
        check(
            "def g[T](\n    x: T,  # first\n    *,\n    y=1,\n) -> T: ...\n",
            false,
            expect![[r#"
                g -> Some("T") async=false
                "def g[T](\n    x: T,  # first\n    *,\n    y=1,\n) -> T:"
                Plain x: Some("T") = None
                KeywordOnly y: None = Some("1")
            "#]],
        );
    }

    #[test]
    fn annotations_and_spelling_do_not_matter_but_order_and_defaults_do() {
        let same = |a: &str, b: &str| same_parameters(&parameters_of_header(a), &parameters_of_header(b));
        assert!(same("def f(a: int, b: str = \"x\") -> int:", "def f(a, b='x'):"));
        assert!(same("def f(a=(1,2)):", "def f(a = (1, 2)):"));
        for other in [
            "def f(b, a='x'):",
            "def f(a, b='y'):",
            "def f(a, b):",
            "def f(a, *, b='x'):",
            "def f(a):",
            "def f(a, b='x', *c):",
        ] {
            assert!(!same("def f(a, b='x'):", other), "{other}");
        }
    }
}
