//! What counts as a function, and where it stands.

use super::*;
use crate::languages::typescript::specs::analyse;
use crate::languages::typescript::tree::parse_any;
use expect_test::{Expect, expect};
use std::path::Path;
use std::sync::Arc;

fn check(source: &str, expected: Expect) {
    let tree = parse_any(source).unwrap();
    let index = FileIndex::new(tree.root_node(), source);
    let mut out = String::new();
    for f in &index.functions {
        let body = f.body(source);
        let class = f.class.as_ref().map(|c| format!("{c}.")).unwrap_or_default();
        let above: Vec<&str> = f.above.iter().map(|n| text(*n, source)).collect();
        let stub = if body.is_stub { " stub" } else { "" };
        let top = if f.top_level { "" } else { " inner" };
        out += &format!("{class}{} {:?}{stub}{top} {above:?}\n", f.name(source), body.range.slice(source));
    }
    expected.assert_eq(&out);
}

#[test]
fn every_form_of_function_is_found_with_what_stands_above_it() {
    check(
        "const a = 1\n// one\n// two\nexport async function* f() { yield 1 }\n\n// apart\n\nexport default function g() {}\n/** doc */\n// @ts\nexport const k = (x: number): number => x + 1;\nconst m = async x => { return x };\nlet n = function () { function inner() { return 2 } return 1 }, o = 2;\nconst p = function () { function inner() { return 2 } return 1 };\nnamespace N { export function q(): void {} }\n",
        expect![[r#"
            f "{ yield 1 }" ["// one", "// two"]
            g "{}" stub []
            k "x + 1" ["/** doc */", "// @ts"]
            m "{ return x }" []
            inner "{ return 2 }" inner []
            p "{ function inner() { return 2 } return 1 }" []
            inner "{ return 2 }" inner []
            q "{}" stub inner []
        "#]],
    );
}

#[test]
fn methods_and_overloads() {
    check(
        "export class A<T> extends B {\n  x = () => 1;\n  constructor() { super() }\n  // one\n  @dec() static async push(x: T): Promise<void> { }\n  get size(): number { return 1 }\n  #p(x) { return x }\n  over(x: string): string;\n  ['computed']() {}\n}\nabstract class Q { abstract z(): void; }\nconst C = class { r() { return 3 } };\ninterface I { s(): void }\ndeclare function t(): void;\ndeclare module 'x' { function u(): void; }\n// overloads\nfunction v(x: string): string;\nfunction v(x: number): number;\nfunction v(x: unknown): unknown { return x }\n// alone\nexport function w(x: number): number\n// @spec next\nfunction y(x: number): number;\n",
        expect![[r#"
            A.x "1" []
            A.push "{ }" stub ["// one", "@dec()"]
            A.size "{ return 1 }" []
            A.#p "{ return x }" []
            A.over ";" stub []
            C.r "{ return 3 }" []
            v "{ return x }" ["// overloads"]
            w "" stub ["// alone"]
            y ";" stub ["// @spec next"]
        "#]],
    );
}

#[test]
fn members_of_objects_fields_and_exports() {
    check(
        "const api = {\n  // one\n  f(x) { return x },\n  // two\n  async g: 1,\n  h: async (x: number) => x, get size() { return 1 },\n  'quoted': () => 1, [computed]() {},\n  deep: { k: function* () { yield 1 } },\n} as const;\nexport const sealed = { s: () => {} } satisfies Api;\nrun({ unnamed() {} });\nclass A { static t = (x) => x; readonly u = function () {}; v = 1; #w = () => 2 }\nfunction outer() { const inner = { z: () => 1 } }\n",
        expect![[r#"
            api.f "{ return x }" ["// one"]
            api.h "x" []
            api.size "{ return 1 }" []
            api.deep.k "{ yield 1 }" []
            sealed.s "{}" stub []
            A.t "x" []
            A.u "{}" stub []
            A.#w "2" []
            outer "{ const inner = { z: () => 1 } }" []
            inner.z "1" inner []
        "#]],
    );
    check(
        "// one\nexports.f = function (x) { return x };\nmodule.exports.g = (x) => x;\nmodule.exports = { h() {}, i: () => 1 };\nmodule.exports = function j() {};\nA.prototype.k = function () {};\nexports['l'] = () => 1;\nif (1) { exports.m = () => 2 }\n",
        expect![[r#"
            f "{ return x }" ["// one"]
            g "x" []
            module.exports.h "{}" stub []
            module.exports.i "1" []
            j "{}" stub []
            A.k "{}" stub []
            m "2" inner []
        "#]],
    );
    check(
        "// one\nexport default { a() { return 1 }, deep: { b: () => 2 } };\nA.prototype = { c() { return 3 } };\nns.A.prototype.d = (x) => x;\napi.e = (() => 5) as F;\nconst g = Object.freeze({ h: () => 6 });\nString.prototype.i = function () { return 7 };\nthis.j = () => 8;\nrun({ k: () => 9 });\n",
        expect![[r#"
            default.a "{ return 1 }" []
            default.deep.b "2" []
            A.c "{ return 3 }" []
            ns.A.d "x" []
            api.e "5" []
            g.h "6" []
        "#]],
    );
    for whole in ["export = function f() { return 1 };", "export = { f: () => 1 };", "export = () => 1;"] {
        let tree = parse_any(whole).unwrap();
        assert_eq!(FileIndex::new(tree.root_node(), whole).functions.len(), 1, "{whole}");
    }
}

#[test]
fn what_a_file_exports_without_a_name_has_the_files() {
    let name = |file: &str, source: &str| {
        let tasks = analyse(Path::new(file), &Arc::from(source)).tasks;
        tasks.into_iter().map(|t| t.signature.name).collect::<Vec<_>>()
    };
    let source = "// @spec A slug.\nexport default function (text: string): string {}\n";
    assert_eq!(name("src/to-slug.ts", source), ["toSlug"]);
    assert_eq!(name("src/clamp.test.mjs", "// @spec C.\nexport default async (x) => x;\n"), ["clamp"]);
    assert_eq!(name("src/slugs/index.js", "// @spec S.\nmodule.exports = (x) => x;\n"), ["slugs"]);
    assert_eq!(name("src/new.ts", source), [""; 0], "no word of the language");
    assert_eq!(name("src/42.ts", source), [""; 0]);
    // The name would mean the other function.
    assert_eq!(name("src/to-slug.ts", &format!("import {{ toSlug }} from './other';\n{source}")), [""; 0]);
}

#[test]
fn placeholders_are_told_from_bodies() {
    let is_stub = |body: &str| {
        let source = format!("function f(xs) {{{body}}}");
        let tree = parse_any(&source).unwrap();
        FileIndex::new(tree.root_node(), &source).functions[0].body(&source).is_stub
    };
    for stub in [
        "",
        " // TODO\n",
        ";",
        "throw new Error('not implemented');",
        "void xs; throw new Error(\"Not yet implemented\")",
        "throw new NotImplementedError()",
        "throw 'TODO'",
    ] {
        assert!(is_stub(stub), "{stub}");
    }
    for body in
        ["return", "return undefined;", "throw new RangeError('empty');", "xs; throw new Error('todo');", "if (xs) {}"]
    {
        assert!(!is_stub(body), "{body}");
    }
}

#[test]
fn a_place_says_how_to_get_at_the_function() {
    let place = |source: &str| {
        let task = analyse(Path::new("f.ts"), &Arc::from(source)).tasks.remove(0);
        place_of(&task).unwrap()
    };
    let plain = place("// @spec F.\nfunction f() {}\nexport { f as g };\n");
    assert_eq!((plain.form, plain.exported.as_deref(), plain.top_level), (Form::Declaration, Some("g"), true));
    assert_eq!(place("// @spec F.\nexport default async function f() {}\n").exported.as_deref(), Some("default"));
    assert_eq!(place("// @spec F.\nexport const f = () => {};\n").exported.as_deref(), Some("f"));
    assert_eq!(place("// @spec F.\nconst f = () => {};\n").exported, None);
    assert_eq!(place("// @spec F.\nfunction f() {}\nexport default f;\n").exported.as_deref(), Some("default"));
    let method = place("export class A {\n  // @spec F.\n  static async *f() {}\n}\n");
    assert_eq!((method.form, method.exported.as_deref()), (Form::Method, Some("A")));
    assert!(method.is_static && method.is_async && method.is_generator && method.top_level);
    let member = place("export const api = {\n  // @spec F.\n  f() {},\n};\n");
    assert_eq!((member.holder.as_deref(), member.is_bare, member.is_static), (Some("api"), true, false));
    let member = place("const f = 1;\nconst api = {\n  // @spec F.\n  f() {},\n};\n");
    assert!(!member.is_bare, "the bare name is that of the number");
    let assigned = place("// @spec F.\nexports.f = () => 1;\n");
    assert_eq!((assigned.form, assigned.holder.as_deref()), (Form::Assigned, Some("exports")));
    let field = place("class A {\n  // @spec F.\n  static f = async () => 1;\n}\n");
    assert_eq!((field.form, field.is_static, field.is_async), (Form::Field, true, true));
    let whole = place("// @spec F.\nexport default () => 1;\n");
    assert_eq!((whole.form, whole.exported.as_deref()), (Form::Default, Some("default")));
    let whole = place("// @spec F.\nmodule.exports = () => 1;\n");
    assert_eq!((whole.form, whole.exported.as_deref()), (Form::Default, None));
    let inner = place("export function g() {\n  // @spec F.\n  function f() {}\n}\n");
    assert_eq!((inner.top_level, inner.exported), (false, None));
}
