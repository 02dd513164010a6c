//! Signatures of functions, as written, and when two of them mean the same.

use tree_sitter::Node;
use zeroerr_core::code::{Param, ParamKind, Signature};

use super::functions::{FileIndex, Form, Function};
use super::tree::{children, end_of, has_word, normalised, parse_any, parts, text};

/// The signature of a function as its text has it, JSDoc left aside.
pub(super) fn signature(function: &Function<'_>, source: &str) -> Signature {
    let mut params = parameters(function.node, source);
    let mut returns = function.node.child_by_field_name("return_type").map(|n| annotation(n, source));
    // `const f: (x: number) => string = (x) => ...` says the types at the name.
    let is_typed = matches!(function.form, Form::Variable | Form::Field);
    let declared = function.named.child_by_field_name("type").filter(|_| is_typed);
    let declared = declared.and_then(|n| parts(n).into_iter().next()).filter(|n| n.kind() == "function_type");
    if let Some(kind) = declared {
        for (own, said) in params.iter_mut().zip(parameters(kind, source)) {
            own.annotation = own.annotation.take().or(said.annotation);
        }
        returns = returns.or_else(|| kind.child_by_field_name("return_type").map(|n| text(n, source).to_owned()));
    }
    Signature {
        name: function.name(source).to_owned(),
        params,
        returns,
        is_async: has_word(function.node, "async"),
        header: source.get(function.outer.start_byte()..header_end(function, source)).unwrap_or("").to_owned(),
    }
}

/// The type of an annotation, without its colon.
fn annotation(node: Node<'_>, source: &str) -> String {
    text(node, source).trim_start_matches(':').trim().to_owned()
}

/// The offset after the header: parameters, return type and the arrow.
pub(super) fn header_end(function: &Function<'_>, source: &str) -> usize {
    let start = function.outer.start_byte();
    let end = function.node.child_by_field_name("body").map_or_else(|| end_of(function.outer), |n| n.start_byte());
    let head = source.get(start..end).unwrap_or("");
    start + head.trim_end().trim_end_matches(';').trim_end().len()
}

/// All parameters in order; `this: T` is none.
pub(super) fn parameters(function: Node<'_>, source: &str) -> Vec<Param> {
    if let Some(single) = function.child_by_field_name("parameter") {
        let name = text(single, source).to_owned();
        return vec![Param { name, annotation: None, default: None, kind: ParamKind::Plain }];
    }
    let Some(list) = function.child_by_field_name("parameters") else { return Vec::new() };
    children(list).into_iter().filter_map(|node| parameter(node, source)).collect()
}

fn parameter(node: Node<'_>, source: &str) -> Option<Param> {
    if !matches!(node.kind(), "required_parameter" | "optional_parameter") {
        return None;
    }
    let target = node.child_by_field_name("pattern").or_else(|| node.child_by_field_name("name"))?;
    if target.kind() == "this" {
        return None;
    }
    let (kind, name) = match target.kind() {
        "rest_pattern" => (ParamKind::Rest, text(target, source).trim_start_matches("...").trim()),
        _ => (ParamKind::Plain, text(target, source)),
    };
    let default = node.child_by_field_name("value").map(|n| text(n, source).to_owned());
    let may_be_missing = node.kind() == "optional_parameter";
    Some(Param {
        name: name.to_owned(),
        annotation: node.child_by_field_name("type").map(|n| annotation(n, source)),
        default: default.or_else(|| may_be_missing.then(|| "undefined".to_owned())),
        kind,
    })
}

/// What calls and callers depend on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    is_async: bool,
    is_generator: bool,
    params: Vec<(String, ParamKind, Option<String>)>,
    types: Vec<Option<String>>,
}

/// The shape of a function.
pub(super) fn shape(function: &Function<'_>, source: &str) -> Shape {
    let signature = signature(function, source);
    let tokens = |code: &str| parse_any(code).map_or_else(|| code.to_owned(), |t| normalised(t.root_node(), code));
    let returns = signature.returns.as_deref().map(loose_type);
    Shape {
        is_async: signature.is_async,
        is_generator: function.is_generator(),
        types: signature.params.iter().map(|p| p.annotation.as_deref().map(loose_type)).chain([returns]).collect(),
        params: signature
            .params
            .into_iter()
            .map(|p| (normalised_pattern(&p.name), p.kind, p.default.map(|d| tokens(&d))))
            .collect(),
    }
}

fn normalised_pattern(name: &str) -> String {
    let whole = format!("({name}) => 0");
    let tokens = parse_any(&whole).filter(|t| !t.root_node().has_error());
    tokens.map_or_else(|| name.to_owned(), |t| normalised(t.root_node(), &whole))
}

/// Whether a response's function is the asked one: names, order, kinds and defaults of the parameters,
/// `async` and `*`; types where both have them, since the file keeps its own.
pub(super) fn same(asked: &Shape, found: &Shape) -> bool {
    let alike = |pair: (&Option<String>, &Option<String>)| pair.0.is_none() || pair.1.is_none() || pair.0 == pair.1;
    asked.is_async == found.is_async
        && asked.is_generator == found.is_generator
        && asked.params == found.params
        && asked.types.iter().zip(&found.types).all(alike)
}

/// The function of a header that was taken from a file, parsed with an empty body: in a class or an object, if
/// it stood in one.
pub(super) fn with_header<T>(header: &str, is_member: bool, read: impl FnOnce(&Function<'_>, &str) -> T) -> Option<T> {
    let whole = format!("{header} {{}}");
    let mut forms = vec![format!("{whole}\n")];
    if is_member {
        // `A.prototype.f = function ()` stands by itself.
        forms.splice(0..0, [format!("class C {{ {whole} }}\n"), format!("const c = {{ {whole} }};\n")]);
    }
    // What does not parse is read as well as it can be, when nothing else is there.
    for may_be_broken in [false, true] {
        for whole in &forms {
            let Some(tree) = parse_any(whole).filter(|t| may_be_broken || !t.root_node().has_error()) else { continue };
            if let Some(function) = FileIndex::new(tree.root_node(), whole).functions.first() {
                return Some(read(function, whole));
            }
        }
    }
    None
}

/// A type without the freedom of spelling: `Array<T>` is `T[]`, the order of a union does not matter,
/// and whether a list may be changed is the type checker's business.
pub(super) fn loose_type(written: &str) -> String {
    let whole = format!("type T = {written};");
    let Some(tree) = parse_any(&whole).filter(|t| !t.root_node().has_error()) else { return written.to_owned() };
    match tree.root_node().child(0).and_then(|n| n.child_by_field_name("value")) {
        Some(node) => loose(node, &whole, 0),
        None => written.to_owned(),
    }
}

fn loose(node: Node<'_>, source: &str, depth: usize) -> String {
    // Deeper types are compared as written, so that no text can exhaust the stack.
    if depth > 32 {
        return normalised(node, source);
    }
    let inner: Vec<Node<'_>> = parts(node);
    let all = |nodes: &[Node<'_>]| nodes.iter().map(|n| loose(*n, source, depth + 1)).collect::<Vec<_>>();
    match (node.kind(), inner.as_slice()) {
        ("parenthesized_type" | "readonly_type", [one]) => loose(*one, source, depth + 1),
        ("array_type", [one]) => format!("{}[]", loose(*one, source, depth + 1)),
        ("generic_type", [name, arguments]) => {
            let arguments = all(&parts(*arguments));
            match (text(*name, source), arguments.as_slice()) {
                ("Array" | "ReadonlyArray", [one]) => format!("{one}[]"),
                (name, several) => format!("{name}<{}>", several.join(", ")),
            }
        }
        ("union_type", _) => {
            let mut members: Vec<String> = all(&inner).iter().flat_map(|m| m.split(" | ")).map(str::to_owned).collect();
            members.sort();
            members.join(" | ")
        }
        _ => normalised(node, source),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tree::parse_any;
    use super::*;
    use expect_test::{Expect, expect};

    fn check(source: &str, expected: Expect) {
        let tree = parse_any(source).unwrap();
        let index = FileIndex::new(tree.root_node(), source);
        let signature = index.functions[0].signature(source);
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
            "export async function f<T extends object>(this: Window, a: T, b?: string, c = 'x', { d, e = 1 }: P = {}, ...rest: number[]): Promise<\n  T[]\n> {\n}\n",
            expect![[r#"
                f -> Some("Promise<\n  T[]\n>") async=true
                "export async function f<T extends object>(this: Window, a: T, b?: string, c = 'x', { d, e = 1 }: P = {}, ...rest: number[]): Promise<\n  T[]\n>"
                Plain a: Some("T") = None
                Plain b: Some("string") = Some("undefined")
                Plain c: None = Some("'x'")
                Plain { d, e = 1 }: Some("P") = Some("{}")
                Rest rest: Some("number[]") = None
            "#]],
        );
    }

    #[test]
    fn arrows_methods_and_types_said_elsewhere() {
        check(
            "const f: (x: number, y?: string) => boolean = (x, y) => true;",
            expect![[r#"
                f -> Some("boolean") async=false
                "const f: (x: number, y?: string) => boolean = (x, y) =>"
                Plain x: Some("number") = None
                Plain y: Some("string") = None
            "#]],
        );
        check(
            "class A {\n  static async *f(x: number): AsyncGenerator<number> {\n  }\n}",
            expect![[r#"
                f -> Some("AsyncGenerator<number>") async=true
                "static async *f(x: number): AsyncGenerator<number>"
                Plain x: Some("number") = None
            "#]],
        );
        check(
            "/**\n * Sums.\n * @param {Array.<number>} xs - the numbers\n * @param {string=} sep\n * @param {?number} [k=1] how many\n * @param {...*} rest\n * @returns {number} the sum\n */\nmodule = x => x;\nfunction f(xs, sep, k, ...rest) {}\n",
            expect![[r#"
                f -> None async=false
                "function f(xs, sep, k, ...rest)"
                Plain xs: None = None
                Plain sep: None = None
                Plain k: None = None
                Rest rest: None = None
            "#]],
        );
        check(
            "/**\n * Sums.\n * @param {Array.<number>} xs - the numbers\n * @param {string=} sep\n * @param {?number} [k=1] how many\n * @param {...*} rest\n * @returns {number} the sum\n */\nexport const f = function (xs, sep, k, ...rest) {};\n",
            expect![[r#"
                f -> Some("number") async=false
                "export const f = function (xs, sep, k, ...rest)"
                Plain xs: Some("Array<number>") = None
                Plain sep: Some("string") = Some("undefined")
                Plain k: Some("number | null") = Some("1")
                Rest rest: Some("any[]") = None
            "#]],
        );
    }

    #[test]
    fn spelling_does_not_matter_but_names_and_types_do() {
        let shape_of = |header: &str| with_header(header, false, shape).unwrap();
        let asked = shape_of("export function f(xs: readonly number[], m: Map<string, number> | null = null): string");
        for alike in [
            "function f(xs: Array<number>, m: null | Map<string,number> = null): string",
            "const f = (xs: number[], m: Map<string, number> | null = null): string =>",
            "function f(xs, m = null)",
        ] {
            assert!(same(&asked, &shape_of(alike)), "{alike}");
        }
        for other in [
            "function f(ys: number[], m: Map<string, number> | null = null): string",
            "function f(xs: string[], m: Map<string, number> | null = null): string",
            "function f(xs: number[], m: Map<string, number> | null): string",
            "function f(xs: number[], ...m: Map<string, number>[]): string",
            "function f(xs: number[], m: Map<string, number> | null = null): number",
            "async function f(xs: number[], m: Map<string, number> | null = null): string",
            "function* f(xs: number[], m: Map<string, number> | null = null): string",
            "function f(xs: number[]): string",
        ] {
            assert!(!same(&asked, &shape_of(other)), "{other}");
        }
    }
}
