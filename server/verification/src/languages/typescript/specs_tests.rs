//! What is read of a file, and where its faults are shown. A line `//   ^^^ code` under a line of the
//! text marks a fault there, `~~~` a warning.

use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use zeroerr_core::code::line_of;
use zeroerr_core::task_specification::render_diagnostics;

fn analysed(source: &str) -> FileAnalysis {
    analyse(Path::new("f.ts"), &Arc::from(source))
}

/// Takes the marker lines out: the text, and `line:column-column severity code` for each marker.
fn fixture(marked: &str) -> (String, Vec<String>) {
    let (mut text, mut expected, mut line) = (String::new(), Vec::new(), 0);
    for raw in marked.split_inclusive('\n') {
        let at = raw.trim_start_matches('/').trim_start_matches(' ');
        let mark = at.chars().next().filter(|c| matches!(c, '^' | '~') && raw.starts_with("//"));
        let Some(mark) = mark else {
            text.push_str(raw);
            line += 1;
            continue;
        };
        let column = raw.len() - at.len();
        let length = at.chars().take_while(|c| *c == mark).count();
        let severity = if mark == '^' { "error" } else { "warning" };
        expected.push(format!("{line}:{column}-{} {severity} {}", column + length, at[length..].trim()));
    }
    (text, expected)
}

/// Checks that exactly the marked faults are found, and nothing else.
fn check_faults(marked: &str) -> FileAnalysis {
    let (text, mut expected) = fixture(marked);
    let analysis = analysed(&text);
    let column = |offset: usize| text[text[..offset].rfind('\n').map_or(0, |p| p + 1)..offset].chars().count();
    let place = |d: &SpecDiagnostic| {
        let severity = format!("{:?}", d.severity).to_lowercase();
        let line = line_of(&text, d.range.start);
        format!("{line}:{}-{} {severity} {}", column(d.range.start), column(d.range.end), d.code)
    };
    let mut found: Vec<String> = analysis.diagnostics.iter().map(place).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{}", render_diagnostics(&text, &analysis.diagnostics));
    analysis
}

/// Shows every task: name, type, stub, and the texts of its ranges.
fn check_tasks(source: &str, expected: Expect) {
    let analysis = analysed(source);
    let mut out = String::new();
    for t in &analysis.tasks {
        let class = t.class.as_ref().map(|c| format!(" in {c}")).unwrap_or_default();
        out += &format!("{}{class} stub={} {:?}\n", t.signature.name, t.is_stub, t.spec.intent);
        out += &format!(
            "  spec {:?}\n  whole {:?}\n  body {:?}\n",
            t.spec_range.slice(source),
            t.function_range.slice(source),
            t.body_range.slice(source)
        );
    }
    out += &render_diagnostics(source, &analysis.diagnostics);
    expected.assert_eq(&out);
}

#[test]
fn specs_above_functions_of_every_kind() {
    check_tasks(
        "import fs from 'fs';\n\n// @spec One.\n// @example one() === 1\nexport function one(): number {\n  throw new Error(\"not implemented\");\n}\n\nclass Stack<T> {\n\t/**\n\t * Words.\n\t *\n\t * More.\n\t */\n\t// @spec Two.\n\t@log()\n\tasync two(x: number): Promise<number> {\n\t\treturn x; // here\n\t}\n}\n\n// @spec Three.\nexport const three = (xs: number[]): number => xs.length;\n\nfunction outer() {\n  // @spec Four.\n  const four = function () {};\n  four();\n}\n",
        expect![[r#"
            one stub=true "One."
              spec "// @spec One.\n// @example one() === 1"
              whole "export function one(): number {\n  throw new Error(\"not implemented\");\n}"
              body "{\n  throw new Error(\"not implemented\");\n}"
            two in Stack stub=false "Two.\nWords.\nMore."
              spec "// @spec Two."
              whole "async two(x: number): Promise<number> {\n\t\treturn x; // here\n\t}"
              body "{\n\t\treturn x; // here\n\t}"
            three stub=false "Three."
              spec "// @spec Three."
              whole "export const three = (xs: number[]): number => xs.length;"
              body "xs.length"
            four stub=true "Four."
              spec "// @spec Four."
              whole "const four = function () {};"
              body "{}"
        "#]],
    );
}

#[test]
fn jsdoc_is_a_spec_when_it_shows_calls_or_has_tags() {
    let source = "/**\n * Doubles a number.\n *\n * @param {number} x - what is doubled\n * @returns {number} twice as much\n * @throws {RangeError} double(-1)\n * @ensures result >= x\n * @example\n * double(1); // => 2\n * @example double(3) === 6\n */\nfunction double(x) { throw new Error('stub'); }\n\n/** Only words, and a @param. */\nfunction plain() {}\n/**\n * @param {string} s\n * @property {string} name\n */\nfunction typed(s) {}\n";
    let analysis = analysed(source);
    assert_eq!(render_diagnostics(source, &analysis.diagnostics), "");
    let mut out = String::new();
    for task in &analysis.tasks {
        out += &format!("{} {:?} ensures {}\n", task.signature.name, task.spec.intent, task.spec.ensures.len());
        out += &format!("  {:?} {:?}\n", task.signature.params, task.signature.returns);
        for e in &task.spec.examples {
            out += &format!("  {} | {:?} | {:?}\n", e.code, e.claim, e.equation);
        }
        for r in &task.spec.raises {
            out += &format!("  {} raises {}\n", r.call, r.exception);
        }
    }
    expect![[r#"
        double "Doubles a number.\nx - what is doubled\ntwice as much\nthrows {RangeError} double(-1)" ensures 1
          [Param { name: "x", annotation: Some("number"), default: None, kind: Plain }] Some("number")
          double(1) === 2 | Holds | Some(("double(1)", "2"))
          double(3) === 6 | Holds | Some(("double(3)", "6"))
          double(-1) raises RangeError
    "#]]
    .assert_eq(&out);
}

#[test]
fn steps_have_their_own_claims() {
    let analysis = analysed(
        "// @spec Median.\n// @example median([3, 1, 2]) === 2\n// @step half(n: number) -> number: half of n\n// @example half(4) === 2\n// @throws RangeError half(-1)\nfunction median(xs: number[]): number {}\n",
    );
    assert!(analysis.diagnostics.is_empty(), "{:?}", analysis.diagnostics);
    let spec = &analysis.tasks[0].spec;
    assert_eq!((spec.examples.len(), spec.raises.len()), (1, 0));
    let step = &spec.steps[0];
    assert_eq!(step.examples[0].equation, Some(("half(4)".into(), "2".into())));
    assert_eq!(step.raises[0].exception, "RangeError");
}

#[test]
fn what_only_looks_like_a_spec_is_none() {
    check_tasks(
        "const s = `\n// @spec no\nfunction g() {}`;\n/* // @spec no */\nfunction g() {}\n// see @user and https://x.y/@z\nfunction h() {}\n/// <reference types=\"@types/node\" />\nfunction i() {}\n",
        expect![""],
    );
    assert!(analyse(Path::new("a.d.ts"), &Arc::from("// @spec F.\nexport function f(): void;\n")).tasks.is_empty());
}

#[test]
fn faults_stand_on_their_exact_place() {
    check_faults(
        "import { max } from './m';\nconst LIMIT = 3;\nfunction helper(x: number) { return x }\n// @spec F.\n// @requires xs.length > 0 and LIMIT > 0\n//                         ^^^ spec.bad-expression\n// @ensures 0 <= result <= LIMIT\n//          ^^^^^^^^^^^^^^^^^^^^ spec.bad-expression\n// @ensures helper(result) === max(1, reslt)\n//                                    ~~~~~ spec.unknown-name\n// @example f([1]) = 1\n//                 ^ spec.bad-expression\n// @example helper(1) === 2\n//          ^^^^^^ spec.other-function\n// @example f([1)\n//              ^ spec.bad-expression\n// @example f([2, 1]) === 1\n// @example f([2, 1,]) == 2 // no\n//          ^^^^^^^^^^^^^^^^^^^^^ spec.contradiction\n// @exmaple f([]) === 0\n// ^^^^^^^^ spec.unknown-tag\n// @uses node path, fs!\n//                  ^^^ spec.bad-uses\n// @step half(x: number -> number: half of x\n//       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ spec.bad-step\n// @raises RangError f([])\n//         ~~~~~~~~~ spec.unknown-name\n// @property f(xs) === f(xs.map((y) => y + x)) && True\n//                                         ~ spec.unknown-name\n//                                                ~~~~ spec.unknown-name\nfunction f(xs: number[]): number { throw new Error('stub') }\n",
    );
}

#[test]
fn clauses_that_say_nothing_of_the_function_are_faults() {
    check_faults(
        "const LIMIT = 3;\n// @spec F.\n// @ensures x > 0\n//          ^^^^^ spec.no-result\n// @ensures result > x\n// @ensures f(x) === 1\n// @property x === x\n//           ^^^^^^^ spec.no-result\n// @property f(x) === f(-x)\n// @property [x].map(f).length === 1\n// @requires x > 0\nfunction f(x: number): number { throw new Error('stub') }\n",
    );
}

#[test]
fn specs_without_a_function_are_said() {
    check_faults(
        "// @spec A.\n// ^^^^^^^^ spec.no-function\n\nfunction a() {}\n\n// @spec B.\n// ^^^^^^^^ spec.no-function\nclass B {}\n\nfunction c() {\n  let x = 1; // @spec no\n  // @spec C.\n//   ^^^^^^^^ spec.no-function\n  return x + 1;\n}\n",
    );
    let said = |source: &str| analysed(source).diagnostics.remove(0).message;
    // A file whose own name is none for a function.
    let unnamed = analyse(Path::new("new.ts"), &Arc::from("// @spec A.\nexport default function () {}\n"));
    assert_eq!(unnamed.diagnostics[0].message, "the function below this spec has no name; give it one");
    assert_eq!(
        said("// @spec A.\nthis.a = function () {};\n"),
        "nothing leads to the function below this spec; declare it by a name, or in an object with a name"
    );
    assert_eq!(
        said("// @spec A.\n\nconst f = () => {};\n"),
        "an empty line separates this spec from its function; remove it"
    );
}

#[test]
fn a_bare_name_that_means_something_else_is_no_example_of_a_member() {
    let with = |other: &str| {
        let source =
            format!("{other}const api = {{\n  // @spec Twice x.\n  // @example f(1) === 2\n  f: (x) => x + x,\n}};\n");
        let analysis = analysed(&source);
        (analysis.tasks[0].spec.examples.len(), analysis.diagnostics.first().map(|d| d.code.clone()))
    };
    assert_eq!(with(""), (1, None));
    assert_eq!(with("const f = (x) => 2;\n"), (0, Some("spec.other-function".to_owned())));
}

#[test]
fn a_misspelt_tag_alone_is_worth_a_word_above_a_function_only() {
    check_faults(
        "// @exmaple f() === 1\n// ^^^^^^^^ spec.unknown-tag\nfunction f() { return 1 }\n// @exmaple f() === 1\nclass X {}\n",
    );
}

#[test]
fn a_selection_with_an_instruction_is_a_task() {
    let source: Arc<str> =
        Arc::from("/** Adds. */\nfunction add(a: number) {\n  return a;\n}\n\nconst sub = () => {};\n");
    let ask = |start: usize, end: usize, words: &str| {
        task_for_selection(Path::new("f.ts"), &source, TextRange::new(start, end), words)
            .map(|t| (t.signature.name, t.spec.intent))
    };
    let at = source.find("  return").unwrap();
    assert_eq!(ask(at, at, "Add one."), Ok(("add".into(), "Adds.\nAdd one.".into())));
    assert_eq!(ask(3, 3, "Add one.").map(|t| t.0), Ok("add".into()));
    let both = ask(at, source.len(), "x").unwrap_err();
    assert_eq!(both, "the selection touches 2 functions (add, sub); select one");
    assert_eq!(
        ask(source.find("sub").unwrap(), source.find("sub").unwrap(), " ").unwrap_err(),
        "nothing says what `sub` must do; write an instruction or a spec"
    );
}

#[test]
fn line_breaks_of_windows_and_other_scripts_move_nothing() {
    let unix = "// @spec Größe: Zahl der Zeichen. 日本\n// @example größe(\"日本\") == 2\n/** Wörter. */\nfunction größe(s: string): number {\n  throw new Error('TODO');\n}\n";
    let windows = unix.replace('\n', "\r\n");
    for source in [unix, &windows, &format!("\u{feff}{unix}")] {
        let analysis = analysed(source);
        assert_eq!(render_diagnostics(source, &analysis.diagnostics), "");
        let task = &analysis.tasks[0];
        assert_eq!(task.signature.name, "größe");
        assert!(task.is_stub);
        assert_eq!(task.spec.examples[0].equation, Some(("größe(\"日本\")".into(), "2".into())));
        assert!(task.body_range.slice(source).starts_with('{') && task.body_range.slice(source).ends_with('}'));
        assert!(
            task.spec_range.slice(source).starts_with("// @spec") && !task.spec_range.slice(source).ends_with('\r')
        );
    }
}

#[test]
fn every_file_ending_is_read_by_its_grammar() {
    for (path, source) in [
        ("a.ts", "// @spec F.\nfunction f(x) { return <T>x }\n"),
        ("a.mts", "// @spec F.\nexport const f = async <T>(x: T) => x;\n"),
        ("a.tsx", "// @spec F.\nexport const f = (x: string) => <b>{x}</b>;\n"),
        ("a.jsx", "// @spec F.\nexport function f(x) { return <b/> }\n"),
        ("a.cjs", "// @spec F.\nfunction f(x) { return x }\nmodule.exports = { f };\n"),
    ] {
        let analysis = analyse(Path::new(path), &Arc::from(source));
        assert_eq!(analysis.tasks.len(), 1, "{path}");
        assert!(!parse(source, Dialect::of(Path::new(path))).unwrap().root_node().has_error(), "{path}");
    }
}

#[test]
fn large_and_deep_text_takes_no_time_and_no_stack() {
    let many = "// @spec A.\n// @example f() === 1\nfunction f() { throw new Error('stub') }\n".repeat(4_000);
    assert_eq!(analysed(&many).tasks.len(), 4_000);
    let deep = format!(
        "// @spec A.\n// @example f({}) === 1\nfunction f(x) {{ {} }}\n",
        "(".repeat(4_000),
        "{".repeat(20_000)
    );
    analysed(&deep);
}

proptest! {
    #[test]
    fn any_text_gives_ranges_that_fit(parts in prop::collection::vec(prop_oneof![
        Just("// @spec A.\n"), Just("/** @example f(1) // => 2\n"), Just(" * @param {x\n"), Just("*/"), Just("// @example f(1) == 2\n"),
        Just("function f(x: number) "), Just("{}\n"), Just("{"), Just("}"), Just("class A {\n"), Just("@x\n"), Just("\""), Just("`${"),
        Just("é"), Just("\r\n"), Just(";"), Just("// @requires x >\n"), Just("/* "), Just("const f = ("), Just(") => "), Just("export "),
    ], 0..24)) {
        let source = parts.concat();
        let analysis = analysed(&source);
        for d in &analysis.diagnostics {
            prop_assert!(source.get(d.range.start..d.range.end).is_some(), "{:?}", d);
        }
        for t in &analysis.tasks {
            for r in [t.spec_range, t.function_range, t.body_range] {
                prop_assert!(source.get(r.start..r.end).is_some(), "{:?} in {:?}", r, source);
            }
        }
    }
}

#[test]
fn what_nothing_leads_to_is_told_why() {
    for (source, why) in [
        ("const f = memo((n) => n + 1);", "handed to `memo`"),
        ("run({\n  // @spec F.\n  f() {},\n});", "handed to `run`"),
        ("class A {\n  // @spec F.\n  constructor() {}\n}", "a constructor gives nothing"),
        ("class A {\n  // @spec F.\n  ['f']() {}\n}", "no plain word"),
        ("export default class {\n  // @spec F.\n  f() {}\n}", "the class of the function below this spec has no name"),
        ("const f = () => 1, g = 2;", "declares several things"),
        ("String.prototype.f = function () {};", "`String` is not this file's own"),
        ("const f = 3;", "what stands below this one is none"),
        ("export const f = table[0];", "what stands below this one is none"),
        ("const f = (a) => {", "does not parse"),
        ("function f(", "does not parse"),
    ] {
        let source = if source.contains("@spec") { source.to_owned() } else { format!("// @spec F.\n{source}\n") };
        let analysis = analysed(&source);
        let said: Vec<&str> = analysis.diagnostics.iter().map(|d| d.message.as_str()).collect();
        assert!(analysis.tasks.is_empty() && said.len() == 1 && said[0].contains(why), "{source}\n{said:?}");
    }
}
