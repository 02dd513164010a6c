//! Responses as models write them, and what is made of each.

use super::*;
use crate::languages::typescript::specs::analyse;
use expect_test::expect;
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

fn task_in(path: &str, source: &str) -> Task {
    analyse(Path::new(path), &Arc::from(source)).tasks.remove(0)
}

fn shown_in(path: &str, source: &str, response: &str) -> String {
    match extract(response, &task_in(path, source)) {
        Ok(c) => {
            let imports = c.imports.iter().map(|i| format!("{i}\n")).collect::<String>();
            format!("{imports}{}", c.function)
        }
        Err(flag) => flag.name().to_owned(),
    }
}

fn shown(source: &str, response: &str) -> String {
    shown_in("f.ts", source, response)
}

const ADD: &str = "// @spec Add.\n// @example add(1) === 3\nexport function add(a: number, b = 2): number {\n  throw new Error(\"not implemented\");\n}\n";

fn check_flag(source: &str, response: &str, expected: &str) {
    assert_eq!(shown(source, response), expected, "{response}");
}

#[test]
fn code_as_models_write_it() {
    let candidate = expect![[r#"
        export function add(a: number, b = 2): number {
          // sum
          return a + b;
        }
    "#]];
    let code = "function add(a: number, b = 2): number {\n  // sum\n  return a + b;\n}\n";
    for response in [
        code.to_owned(),
        format!("```typescript\n{code}```"),
        format!("Sure! Here it is:\n\n```ts\n{code}```\n\nIt uses `a + b`.\n"),
        format!("~~~\n{code}~~~\n"),
        format!("```typescript\n{code}"),
        format!("{code}```\nThis adds.\n"),
        format!("```js\n{code}```\nUsage:\n```js\nconsole.log(add(1));\n```\n"),
        format!("```ts\n/**\n * Adds.\n */\nexport {code}\n// Example usage:\nconsole.log(add(1)); // 3\n```"),
        format!("```ts\nimport fs from 'fs';\n\n{code}\nconst result = add(1);\nconsole.log(result);\n```"),
        format!("```js\n'use strict';\n{code}\nmodule.exports = {{ add }};\n```"),
        format!("```js\n{code}\nexport default add;\n```"),
        format!("```js\n{code}\ndescribe('add', () => {{ it('adds', () => {{ expect(add(1)).toBe(3); }}); }});\n```"),
        "export const add = (a: number, b = 2): number => {\n  // sum\n  return a + b;\n};\n".to_owned(),
        "    function add(a, b = 2) {\n        // sum\n        return a + b;\n    }\n".to_owned(),
        "const add = function (a, b = 2) { // sum\n return a + b;}".to_owned(),
        "```ts\r\nfunction add(a: number, b = 2): number {\r\n\t// sum\r\n\treturn a + b;\r\n}\r\n```\r\n".to_owned(),
        // The stop text "\n}\n" takes the last brace.
        "export function add(a: number, b = 2): number {\n  // sum\n  return a + b;".to_owned(),
    ] {
        candidate.assert_eq(&shown(ADD, &response));
    }
}

#[test]
fn arrows_become_what_the_file_has() {
    let source = "// @spec Twice.\nexport const twice = (x: number): number => {\n  throw new Error('todo');\n};\n";
    let expected = expect![[r#"
        export const twice = (x: number): number => {
          return x * 2;
        }
    "#]];
    for response in [
        "const twice = (x: number) => x * 2;",
        "const twice = x => x * 2",
        "function twice(x: number): number {\n  return x * 2;\n}",
        "export const twice = (x: number): number => {\n  return x * 2;",
    ] {
        expected.assert_eq(&shown(source, response));
    }
    // An arrow has no `this` of its own.
    check_flag(source, "function twice(x: number): number { return this.n * x; }", "wrong_signature");
    check_flag(source, "function twice(x: number): number { return arguments[0] * 2; }", "wrong_signature");
}

#[test]
fn what_is_not_the_one_function_is_flagged() {
    for (response, flag) in [
        ("", "empty"),
        ("I would add the numbers.", "not_one_function"),
        ("function add(a: number, b = 2): number { return a + }", "does_not_parse"),
        ("function add(a: number, b = 2): number { if (a) { ", "does_not_parse"),
        ("function sum(a: number, b = 2): number { return a + b }", "not_one_function"),
        (
            "function add(a: number, b = 2): number { return helper(a, b) }\nfunction helper(a, b) { return a + b }",
            "not_one_function",
        ),
        ("let calls = 0;\nfunction add(a: number, b = 2): number { return a + b }", "not_one_function"),
        ("class M { add(a: number, b = 2): number { return a + b } }", "not_one_function"),
        ("function add(a: string, b = 2): number { return 1 }", "wrong_signature"),
        ("function add(x: number, y = 2): number { return x + y }", "wrong_signature"),
        ("function add(a: number, b = 3): number { return a + b }", "wrong_signature"),
        ("function add(a: number, b: number): number { return a + b }", "wrong_signature"),
        ("async function add(a: number, b = 2): number { return a + b }", "wrong_signature"),
        ("function* add(a: number, b = 2): number { return a + b }", "wrong_signature"),
        ("function add(a: number, b = 2): number { throw new Error('not implemented'); }", "placeholder"),
        ("function add(a: number, b = 2): number {\n  // your code here\n}", "placeholder"),
        (
            "```ts\nfunction add(a, b = 2) { return a + b }\n```\nor\n```ts\nfunction add(a, b = 2) { return b + a }\n```",
            "not_one_function",
        ),
    ] {
        check_flag(ADD, response, flag);
    }
}

#[test]
fn ways_around_the_checker_and_code_from_text_are_flagged() {
    for body in [
        "const x: any = a; return x + b;",
        "return (a as any) + b;",
        "// @ts-ignore\n  return a.b;",
        "return eval('a + b');",
        "return new Function('a', 'b', 'return a + b')(a, b);",
        "return a as unknown as string;",
    ] {
        check_flag(ADD, &format!("function add(a: number, b = 2): number {{\n  {body}\n}}"), "forbidden");
    }
    for body in ["const any = a; return any + b;", "return a + b; // not any"] {
        assert!(shown(ADD, &format!("function add(a, b = 2) {{\n  {body}\n}}")).contains(body), "{body}");
    }
}

#[test]
fn a_method_may_come_alone_or_in_its_class() {
    let source = "class Stack<T> {\n  #items: T[] = [];\n  // @spec Take the last.\n  pop(): T | undefined {\n    throw new Error('stub');\n  }\n}\n";
    let expected = expect![[r#"
        pop(): T | undefined {
          return this.#items.pop();
        }
    "#]];
    for response in [
        "pop(): T | undefined {\n  return this.#items.pop();\n}",
        "class Stack<T> {\n  pop(): T | undefined {\n    return this.#items.pop();\n  }\n}",
        "export class Stack<T> {\n  // The last one.\n  pop(): T | undefined {\n    return this.#items.pop();\n  }\n}",
        "```ts\nfunction pop() { return this.#items.pop(); }\n```",
        "  pop(): T | undefined {\n    return this.#items.pop();\n  }\n",
        "pop(): T | undefined {\n  return this.#items.pop();",
    ] {
        expected.assert_eq(&shown(source, response));
    }
    check_flag(source, "class Stack<T> { pop() { return this.#items.pop(); } push(x) {} }", "not_one_function");
    check_flag(source, "class Queue<T> { pop() { return this.#items.pop(); } }", "not_one_function");
    check_flag(source, "export class Queue<T> { pop() { return this.#items.pop(); } }", "not_one_function");
    check_flag(source, "export class Stack<T> { pop() { return this.#items.pop(); } push(x) {} }", "not_one_function");
    check_flag(source, "pop(n: number): T | undefined { return this.#items.pop(); }", "wrong_signature");
    check_flag(source, "static async pop() { return 1; }", "wrong_signature");
}

#[test]
fn javascript_takes_no_types() {
    let source = "/**\n * @spec Sum.\n * @param {number[]} xs\n */\nfunction sum(xs) {}\n";
    let response = "function sum(xs: number[]): number {\n  return xs.reduce((a, b) => a + b, 0);\n}";
    expect![[r#"
        function sum(xs) {
          return xs.reduce((a, b) => a + b, 0);
        }
    "#]]
    .assert_eq(&shown_in("f.js", source, response));
    let typed = "function sum(xs) { let n: number = 0; return n; }";
    assert_eq!(shown_in("f.js", source, typed), "does_not_parse");
    assert_eq!(shown_in("f.cjs", source, "function sum(xs) { return xs as number[]; }"), "does_not_parse");
}

#[test]
fn imports_that_the_body_uses_come_along() {
    let source = "// @spec Join.\nfunction where(s: string): string {\n}\n";
    expect![[r#"
        import { join as j } from "node:path";
        import os from "os";
        function where(s: string): string {
          return j(os.tmpdir(), s);
        }
    "#]]
    .assert_eq(&shown(
        source,
        "import { join as j, resolve } from 'node:path';\nconst os = require('os');\nimport fs from 'fs';\n\nfunction where(s: string): string {\n  return j(os.tmpdir(), s);\n}\n",
    ));
}

#[test]
fn what_the_spec_forbids_is_flagged() {
    let with = |rule: &str| format!("// @spec Add.\n// {rule}\nfunction f(n: number): number {{\n}}\n");
    let recursive = "function f(n: number): number { return n === 0 ? 0 : 1 + f(n - 1); }";
    let looping = "function f(n: number): number { let f = 0; for (const x of [n]) f += x; return f; }";
    let whiling = "function f(n: number): number { while (n > 9) n--; return n; }";
    let importing = "import { sep } from 'node:path';\nfunction f(n: number): number { return sep.length; }";
    let inside = "function f(n: number): number { const { sep } = require('path'); return sep.length; }";
    let helper = "function f(n: number): number { const g = (n) => n === 0 ? 0 : 1 + g(n - 1); return g(n); }";
    let sorting = "function f(n: number): number { const s = 'reduce'; return [n].sort()[0] + s.length; }";
    let maxing = "function f(n: number): number { return Math.max(n, 1); }";
    for (rule, response, flagged) in [
        ("@forbid recursion", recursive, true),
        ("@forbid recursion", helper, true),
        ("@forbid recursion", looping, false),
        ("@forbid loops", looping, true),
        ("@forbid loops", whiling, true),
        ("@forbid loops", recursive, false),
        ("@forbid imports", importing, true),
        ("@forbid imports", inside, true),
        ("@forbid path", importing, true),
        ("@forbid sort", sorting, true),
        ("@forbid reduce", sorting, false),
        ("@forbid Math.max", maxing, true),
        ("@forbid Math.min", maxing, false),
        ("@uses node:path", importing, false),
        ("@uses path", inside, false),
        ("@uses node:fs", importing, true),
        ("@uses node:fs", inside, true),
    ] {
        let flag = shown(&with(rule), response);
        assert_eq!(flag == "forbidden", flagged, "{rule}: {response} gave {flag}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// No response can make extraction panic, and a candidate always reads as itself again.
    #[test]
    fn any_response_is_a_candidate_or_a_flag(pieces in prop::collection::vec(prop_oneof![
        Just("```typescript\n"), Just("```\n"), Just("function add(a, b = 2) {\n"), Just("const add = (a, b = 2) => "), Just("  return a + b;\n"),
        Just("}\n"), Just("  const x = `\n"), Just("`;\n"), Just("import os from 'os';\n"), Just("    "), Just("\t"), Just("Sure.\n"), Just("  if (a) {\n"),
        Just("    return os\n"), Just("\r\n"), Just("é🎉\n"), Just("\0"), Just("console.log(add(1));\n"), Just("  // c\n"), Just("(a\n"), Just(")\n"), Just("{ a }\n"), Just("a + b"),
    ], 0..10)) {
        let task = task_in("f.ts", ADD);
        if let Ok(candidate) = extract(&pieces.concat(), &task) {
            let again = extract(&candidate.function, &task);
            prop_assert_eq!(again.map(|c| c.body), Ok(candidate.body), "{:?}", pieces.concat());
        }
    }
}

#[test]
fn members_fields_and_exports_come_in_many_dresses() {
    let bare = "function f(x) {\n  return x + 1;\n}\n";
    let member = "const api = {\n  // @spec F.\n  f(x) {},\n};\n";
    let arrow = "const api = { text: {\n  // @spec F.\n  f: (x) => 0,\n} };\n";
    let field = "class A {\n  // @spec F.\n  f = (x) => 0;\n}\n";
    let assigned = "// @spec F.\nexports.f = (x) => 0;\n";
    let whole = "// @spec F.\nexport default (x) => 0;\n";
    for (source, header, responses) in [
        (member, "f(x)", vec!["f(x) {\n  return x + 1;\n}", "const api = {\n  f(x) { return x + 1; },\n};"]),
        (
            arrow,
            "f: (x) =>",
            vec!["f: (x) => x + 1", "f: (x) => {\n  return x + 1;\n},", "const api = { text: { f: (x) => x + 1 } };"],
        ),
        (
            field,
            "f = (x) =>",
            vec!["f = (x) => x + 1;", "class A {\n  f = (x) => { return x + 1; };\n}", "f(x) { return x + 1; }"],
        ),
        (
            assigned,
            "exports.f = (x) =>",
            vec!["exports.f = (x) => x + 1;", "const f = (x) => x + 1;\nmodule.exports = { f };"],
        ),
        (
            whole,
            "export default (x) =>",
            vec!["export default (x) => x + 1;", "export default function (x) { return x + 1; }"],
        ),
    ] {
        let expected = format!("{header} {{\n  return x + 1;\n}}\n");
        for response in responses.into_iter().chain([bare]) {
            for fenced in
                [response.to_owned(), format!("```js\n{response}\n```\nUsage:\n```js\nconsole.log(f(1));\n```\n")]
            {
                assert_eq!(shown_in("f.js", source, &fenced), expected, "{fenced}");
            }
        }
    }
    // Others of the object's are not asked for.
    assert_eq!(shown_in("f.js", member, "const api = { f(x) { return 1; }, g() { return 2; } };"), "not_one_function");
    // In an object that is no class an arrow has no `this` of the object's.
    assert_eq!(shown_in("f.js", arrow, "f(x) { return this.k + x; }"), "wrong_signature");
}

#[test]
fn a_method_of_a_prototype_may_come_as_it_stands_or_in_its_class() {
    let source = "function A() {}\n// @spec F.\nA.prototype.f = function (x) {\n};\n";
    for response in [
        "A.prototype.f = function (x) {\n  return this.y + x;\n};\n",
        "class A {\n  f(x) {\n    return this.y + x;\n  }\n}\n",
        "f(x) {\n  return this.y + x;\n}\n",
    ] {
        let found = shown_in("f.js", source, response);
        assert_eq!(found, "A.prototype.f = function (x) {\n  return this.y + x;\n}\n", "{response}");
    }
    assert_eq!(shown_in("f.js", source, "A.prototype.f = (x) => this.y + x;\n"), "wrong_signature");
    let whole = "export default {\n  // @spec F.\n  f(x) {\n  },\n};\n";
    for response in ["export default { f(x) { return x; } };", "f(x) { return x; }"] {
        assert_eq!(shown_in("f.js", whole, response), "f(x) {\n  return x;\n}\n", "{response}");
    }
}
