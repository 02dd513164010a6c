//! Types as written, and what is made up for them.

use super::*;
use crate::languages::typescript::specs::analyse;
use std::sync::Arc;

fn kinds(source: &str) -> Vec<String> {
    let task = analyse(Path::new("f.ts"), &Arc::from(source)).tasks.remove(0);
    kinds_of_with(&task, &[]).iter().map(|k| serde_json::to_string(k).unwrap()).collect()
}

fn check(annotation: &str, declarations: &str, expected: &str) {
    let source = format!("{declarations}\n// @spec F.\nfunction f(x: {annotation}): void {{}}\n");
    assert_eq!(kinds(&source), [expected], "{annotation}");
}

#[test]
fn every_kind_of_type() {
    check("readonly number[]", "", r#"{"kind":"array","of":{"kind":"number"}}"#);
    check("[string, boolean?]", "", r#"{"kind":"tuple","of":[{"kind":"string"},{"kind":"boolean"}]}"#);
    check(
        "{ a: bigint; b?: 'x' | 3 }",
        "",
        r#"{"kind":"object","of":[["a",{"kind":"big_int"},false],["b",{"kind":"union","of":[{"kind":"literal","of":"'x'"},{"kind":"literal","of":"3"}]},true]]}"#,
    );
    check(
        "Map<string, Set<number>>",
        "",
        r#"{"kind":"map","of":[{"kind":"string"},{"kind":"set","of":{"kind":"number"}}]}"#,
    );
    check(
        "Record<'a' | 'b', number>",
        "",
        r#"{"kind":"object","of":[["a",{"kind":"number"},false],["b",{"kind":"number"},false]]}"#,
    );
    check("{ [k: string]: number }", "", r#"{"kind":"record","of":[{"kind":"string"},{"kind":"number"}]}"#);
    check(
        "(a: number, b: string) => boolean",
        "",
        r#"{"kind":"function","of":{"params":2,"returns":{"kind":"boolean"}}}"#,
    );
    check(
        "string | null | undefined",
        "",
        r#"{"kind":"union","of":[{"kind":"string"},{"kind":"null"},{"kind":"undefined"}]}"#,
    );
    check("Uint8Array", "", r#"{"kind":"typed_array","of":"Uint8Array"}"#);
    check("Elsewhere", "", r#"{"kind":"named","of":"Elsewhere"}"#);
    check("unknown", "", r#"{"kind":"any"}"#);
}

#[test]
fn names_of_the_file_are_resolved() {
    check(
        "Pair<string>[]",
        "type Pair<T> = [T, T];",
        r#"{"kind":"array","of":{"kind":"tuple","of":[{"kind":"string"},{"kind":"string"}]}}"#,
    );
    check(
        "B",
        "interface A { x: number }\nexport interface B extends A { y: string }",
        r#"{"kind":"object","of":[["x",{"kind":"number"},false],["y",{"kind":"string"},false]]}"#,
    );
    check(
        "Color",
        "enum Color { Red, Green = 'g' }",
        r#"{"kind":"union","of":[{"kind":"literal","of":"Color.Red"},{"kind":"literal","of":"Color.Green"}]}"#,
    );
    check(
        "Point",
        "class Point extends Base {}\nclass Base { constructor(public x: number, y = 'a') {} }",
        r#"{"kind":"class","of":["Point",[{"kind":"number"},{"kind":"string"}]]}"#,
    );
    check(
        "keyof P",
        "type P = { a: 1; b: 2 };",
        r#"{"kind":"union","of":[{"kind":"literal","of":"\"a\""},{"kind":"literal","of":"\"b\""}]}"#,
    );
    let deep = |source: &str| kinds(&format!("{source}\n// @spec F.\nfunction f(x: Tree): void {{}}\n")).remove(0);
    // As far down as is made, what may be missing is, and a list is empty.
    let left = deep("type Tree = { left?: Tree };");
    assert!(left.contains(r#"["left",{"kind":"object","of":[]},true]"#), "{left}");
    let below = deep("interface Tree { below: Tree[] }");
    assert!(
        below.ends_with(r#"[["below",{"kind":"array","of":{"kind":"deeper"}},false]]}},false]]}},false]]}"#),
        "{below}"
    );
    assert_eq!(deep("interface Tree { next: Tree }"), r#"{"kind":"shown"}"#);
}

#[test]
fn types_that_are_made_of_others() {
    let colors = "const COLORS = ['red', 'blue'] as const;\nconst CODES = { a: 1, b: 2 } as const;";
    let literals = |all: &[&str]| {
        let one: Vec<String> = all.iter().map(|l| format!(r#"{{"kind":"literal","of":{l:?}}}"#)).collect();
        format!(r#"{{"kind":"union","of":[{}]}}"#, one.join(","))
    };
    check("(typeof COLORS)[number]", colors, &literals(&["'red'", "'blue'"]));
    check("typeof COLORS[number]", colors, &literals(&["'red'", "'blue'"]));
    check("keyof typeof CODES", colors, &literals(&["\"a\"", "\"b\""]));
    check("(typeof CODES)[keyof typeof CODES]", colors, &literals(&["1", "2"]));
    check("keyof typeof t", "const t = { x: 1 };", r#"{"kind":"literal","of":"\"x\""}"#);
    check("typeof t", "const t = [1, 2];", r#"{"kind":"array","of":{"kind":"number"}}"#);
    check("typeof elsewhere", colors, r#"{"kind":"shown"}"#);
    check("P['x']", "interface P { x: number }", r#"{"kind":"number"}"#);
    check("`#${string}`", "", r##"{"kind":"template","of":[["#",{"kind":"string"}],["",null]]}"##);
    check(
        "{ [K in 'a' | 'b']?: number }",
        "",
        r#"{"kind":"object","of":[["a",{"kind":"number"},true],["b",{"kind":"number"},true]]}"#,
    );
    check(
        "{ [K in keyof P]: P[K] }",
        "interface P { x: number }",
        r#"{"kind":"object","of":[["x",{"kind":"number"},false]]}"#,
    );
    check(
        "Pick<P, 'x'>",
        "interface P { x: number; y: string }",
        r#"{"kind":"object","of":[["x",{"kind":"number"},false]]}"#,
    );
    check("Exclude<'a' | 'b' | 'c', 'a'>", "", &literals(&["'b'", "'c'"]));
    check("string & { readonly __id: 'x' }", "", r#"{"kind":"shown"}"#);
    check("string & {}", "", r#"{"kind":"string"}"#);
    check("T extends string ? 1 : 2", "type T = string;", r#"{"kind":"shown"}"#);
    check("Age", "class Age { private constructor(readonly years: number) {} }", r#"{"kind":"shown"}"#);
}

#[test]
fn types_of_other_modules_by_any_name() {
    let source = "import type * as T from './types';\nimport { Tree as Twig, Color } from './types';\n// @spec F.\nfunction f(a: T.Tree, b: Twig, c: T.Color, d: Color.Red): void {}\n";
    let types = "export type Tree = { size: number };\nexport enum Color { Red, Green }\n";
    let task = analyse(Path::new("f.ts"), &Arc::from(source)).tasks.remove(0);
    let kinds = kinds_of_with(&task, &[(PathBuf::from("types.ts"), types.to_owned())]);
    let tree = TypeKind::Object(vec![("size".to_owned(), TypeKind::Number, false)]);
    let literal = |text: &str| TypeKind::Literal(text.to_owned());
    assert_eq!(
        kinds,
        [
            tree.clone(),
            tree,
            TypeKind::Union(vec![literal("T.Color.Red"), literal("T.Color.Green")]),
            literal("Color.Red")
        ]
    );
}

#[test]
fn type_parameters_defaults_jsdoc_and_receivers() {
    assert_eq!(
        kinds("// @spec F.\nconst f = <T, U extends string>(x: T[], y: U, z = 3, w = [], v) => {};\n"),
        [
            r#"{"kind":"array","of":{"kind":"generic","of":"T"}}"#,
            r#"{"kind":"string"}"#,
            r#"{"kind":"number"}"#,
            r#"{"kind":"array","of":{"kind":"any"}}"#,
            r#"{"kind":"any"}"#,
        ]
    );
    assert_eq!(
        kinds("/**\n * @spec F.\n * @param {?string} x\n */\nfunction f(x) {}\n"),
        [r#"{"kind":"union","of":[{"kind":"string"},{"kind":"null"}]}"#]
    );
    let source = "class A {\n  constructor(n: number) {}\n  // @spec F.\n  f(): void {}\n  // @spec G.\n  static g(): void {}\n}\n";
    let tasks = analyse(Path::new("f.ts"), &Arc::from(source)).tasks;
    let receivers: Vec<_> = tasks.iter().map(receiver_kind).collect();
    assert_eq!(receivers, [Some(TypeKind::Class("A".to_owned(), vec![TypeKind::Number])), None]);
}
