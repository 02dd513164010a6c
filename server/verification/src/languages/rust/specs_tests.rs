//! Tests of what is found in Rust text: tasks, their ranges, and faults on their exact place.
//!
//! Faults are written in the fixture itself: a line `//^^^ code` (or `//~~~ code` for a warning)
//! marks bytes of the line above. The marker lines are taken out before the text is read.

use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use zeroerr_core::code::line_of;
use zeroerr_core::task_specification::render_diagnostics;

fn analysed(source: &str) -> FileAnalysis {
    analyse(Path::new("f.rs"), &Arc::from(source))
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
fn steps_have_their_own_claims() {
    let source = "// @spec Median.\n// @example median(&[3, 1, 2]) == 2\n// @step half(n: i32) -> i32: half of n\n// @example half(4) == 2\n// @raises panic half(-1)\nfn median(xs: &[i32]) -> i32 { todo!() }\n";
    let analysis = analyse(Path::new("f.rs"), &Arc::from(source));
    assert!(analysis.diagnostics.is_empty(), "{:?}", analysis.diagnostics);
    let spec = &analysis.tasks[0].spec;
    assert_eq!((spec.examples.len(), spec.raises.len()), (1, 0));
    let step = &spec.steps[0];
    assert_eq!(step.examples[0].equation, Some(("half(4)".into(), "2".into())));
    assert_eq!(step.raises[0].exception, "panic");
}

#[test]
fn specs_above_functions_of_every_kind() {
    check_tasks(
        "//! File.\nuse std::fmt;\n\n// @spec One.\n// @example one() == 1\n#[inline]\n#[must_use]\npub fn one() -> i32 {\n    todo!()\n}\n\nimpl<T: Ord> Stack<T> {\n\t/// Words.\n\t///\n\t/// More.\n\t// @spec Two.\n\tpub(crate) async fn two(&self, x: u8) -> u8 {\n\t\tx // here\n\t}\n}\n\nmod inner {\n    #[test]\n    // @spec Three.\n    fn three() {}\n\n    fn outer() {\n        // @spec Four.\n        fn four() -> u8 { let _ = 1; unimplemented!(\"later\") }\n        four();\n    }\n}\ntrait T {\n    // @spec Five.\n    fn five(&self) -> u8 { 5 }\n}\n",
        expect![[r##"
            one stub=true "One."
              spec "// @spec One.\n// @example one() == 1"
              whole "#[inline]\n#[must_use]\npub fn one() -> i32 {\n    todo!()\n}"
              body "{\n    todo!()\n}"
            two in Stack stub=false "Two.\nWords.\nMore."
              spec "// @spec Two."
              whole "pub(crate) async fn two(&self, x: u8) -> u8 {\n\t\tx // here\n\t}"
              body "{\n\t\tx // here\n\t}"
            three stub=true "Three."
              spec "// @spec Three."
              whole "#[test]\n    // @spec Three.\n    fn three() {}"
              body "{}"
            four stub=true "Four."
              spec "// @spec Four."
              whole "fn four() -> u8 { let _ = 1; unimplemented!(\"later\") }"
              body "{ let _ = 1; unimplemented!(\"later\") }"
            five in T stub=false "Five."
              spec "// @spec Five."
              whole "fn five(&self) -> u8 { 5 }"
              body "{ 5 }"
        "##]],
    );
}

#[test]
fn functions_without_a_body_yet() {
    check_tasks(
        "// @spec A.\nfn a(x: u8) -> u8;\n\n// @spec B.\nfn b(x: u8)\nwhere\n    u8: Copy,\n{\n    // nothing yet\n}\n// @spec C.\nfn c() -> u8 { panic!(\"not implemented\") }\n// @spec D.\nfn d() -> u8 { panic!(\"never\") }\n",
        expect![[r#"
            a stub=true "A."
              spec "// @spec A."
              whole "fn a(x: u8) -> u8;"
              body ";"
            b stub=true "B."
              spec "// @spec B."
              whole "fn b(x: u8)\nwhere\n    u8: Copy,\n{\n    // nothing yet\n}"
              body "{\n    // nothing yet\n}"
            c stub=true "C."
              spec "// @spec C."
              whole "fn c() -> u8 { panic!(\"not implemented\") }"
              body "{ panic!(\"not implemented\") }"
            d stub=false "D."
              spec "// @spec D."
              whole "fn d() -> u8 { panic!(\"never\") }"
              body "{ panic!(\"never\") }"
        "#]],
    );
}

#[test]
fn documentation_is_a_spec_when_it_shows_calls_or_has_tags() {
    let source = "/// Doubles.\n///\n/// # Examples\n///\n/// ```\n/// use my_crate::double;\n/// use std::collections::HashMap;\n/// # let y = 2;\n/// assert_eq!(double(1), 2); // why\n/// assert_eq!(double(y), 4, \"doubled {}\", y);\n/// assert!(double(0) == 0);\n/// let m: HashMap<u8, u8> = HashMap::new();\n/// assert!(m.is_empty());\n/// ```\n///\n/// ```should_panic\n/// double(i32::MAX);\n/// ```\n/// ```text\n/// double(3) is six\n/// ```\n/// ```ignore\n/// assert_eq!(double(1), 3);\n/// ```\n/// @ensures result % 2 == 0\nfn double(x: i32) -> i32 { todo!() }\n\n/** Block.\n *\n * ```\n * let mut v = vec![2, 1];\n * sort(&mut v);\n * assert_eq!(v, [1, 2]);\n * ```\n */\nfn sort(v: &mut Vec<i32>) { v.sort() }\n\n/// Only words, and a @param.\nfn plain() {}\n";
    let analysis = analysed(source);
    assert_eq!(render_diagnostics(source, &analysis.diagnostics), "");
    let mut out = String::new();
    for task in &analysis.tasks {
        out += &format!("{} {:?} ensures {}\n", task.signature.name, task.spec.intent, task.spec.ensures.len());
        for e in &task.spec.examples {
            out += &format!("  {} | {:?} | {:?}\n", e.code, e.claim, e.equation);
        }
    }
    expect![[r#"
        double "Doubles." ensures 1
          double(1) == 2 | Holds | Some(("double(1)", "2"))
          { use std::collections::HashMap; let y = 2; double(y) == 4 } | Holds | None
          double(0) == 0 | Holds | Some(("double(0)", "0"))
          { double(i32::MAX); } | Raises("panic") | None
        sort "Block." ensures 0
          { let mut v = vec![2, 1]; sort(&mut v); v == [1, 2] } | Holds | None
    "#]]
    .assert_eq(&out);
}

#[test]
fn what_only_looks_like_a_spec_is_none() {
    check_tasks(
        "fn f() -> &'static str {\n    \"// @spec no\n    fn g() {}\"\n}\n/* // @spec no */\nfn g() {}\n// see @user and https://x.y/@z\nfn h() {}\n",
        expect![[r#""#]],
    );
}

#[test]
fn faults_stand_on_their_exact_place() {
    check_faults(
        "use std::cmp::max;\nconst LIMIT: i32 = 3;\nfn helper(x: i32) -> i32 { x }\n// @spec F.\n// @requires xs.len() > 0 and LIMIT > 0\n//                        ^^^ spec.bad-expression\n// @ensures 0 <= result <= LIMIT\n//          ^^^^^^^^^^^^^^^^^^^^ spec.bad-expression\n// @ensures helper(result) == max(1, reslt)\n//                                   ~~~~~ spec.unknown-name\n// @example f(&[1]) = 1\n//                  ^ spec.bad-expression\n// @example helper(1) == 2\n//          ^^^^^^ spec.other-function\n// @example f(&[1)\n//               ^ spec.bad-expression\n// @example f(&[2, 1]) == 1\n// @example f(&[2, 1,]) == 2 // no\n//          ^^^^^^^^^^^^^^^^^^^^^^ spec.contradiction\n// @exmaple f(&[]) == 0\n// ^^^^^^^^ spec.unknown-tag\n// @uses std:collections\n//       ^^^^^^^^^^^^^^^ spec.bad-uses\n// @step half(x: i32 -> i32: half of x\n//       ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ spec.bad-step\n// @property f(xs) == f(xs.iter().map(|y| y + x).collect::<Vec<_>>())\n//                                            ~ spec.unknown-name\nfn f(xs: &[i32]) -> i32 { todo!() }\n",
    );
}

#[test]
fn specs_without_a_function_are_said() {
    check_faults(
        "// @spec A.\n// ^^^^^^^^ spec.no-function\n\nfn a() {}\n\n// @spec B.\n// ^^^^^^^^ spec.no-function\nstruct B;\n\nfn c() {\n    let x = 1; // @spec no\n    // @spec C.\n//     ^^^^^^^^ spec.no-function\n    x + 1;\n}\n",
    );
}

#[test]
fn a_misspelt_tag_alone_is_worth_a_word_above_a_function_only() {
    check_faults(
        "// @exmaple f() == 1\n// ^^^^^^^^ spec.unknown-tag\nfn f() -> i32 { 1 }\n// @exmaple f() == 1\nconst X: u8 = 1;\n",
    );
}

#[test]
fn a_selection_with_an_instruction_is_a_task() {
    let source: Arc<str> = Arc::from("/// Adds.\nfn add(a: i32) -> i32 {\n    a\n}\n\nfn sub() {}\n");
    let ask = |start: usize, end: usize, words: &str| {
        task_for_selection(Path::new("f.rs"), &source, TextRange::new(start, end), words)
            .map(|t| (t.signature.name, t.spec.intent))
    };
    let at = source.find("    a").unwrap();
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
    let unix = "// @spec Größe: Zahl der Zeichen. 日本\n// @example größe(\"日本\") == 2\n/// Wörter.\nfn größe(s: &str) -> usize {\n    todo!()\n}\n";
    let windows = unix.replace('\n', "\r\n");
    for source in [unix, &windows, &format!("\u{feff}{unix}")] {
        let analysis = analysed(source);
        assert_eq!(render_diagnostics(source, &analysis.diagnostics), "");
        let task = &analysis.tasks[0];
        assert_eq!(task.signature.name, "größe");
        assert_eq!(task.spec.examples[0].equation, Some(("größe(\"日本\")".into(), "2".into())));
        assert!(task.body_range.slice(source).starts_with('{') && task.body_range.slice(source).ends_with('}'));
        assert!(
            task.spec_range.slice(source).starts_with("// @spec") && !task.spec_range.slice(source).ends_with('\r')
        );
    }
}

#[test]
fn large_and_deep_text_takes_no_time_and_no_stack() {
    let many = "// @spec A.\n// @example f() == 1\nfn f() -> i32 { todo!() }\n".repeat(4_000);
    assert_eq!(analysed(&many).tasks.len(), 4_000);
    let deep =
        format!("// @spec A.\n// @example f({}) == 1\nfn f(x: i32) {{ {} }}\n", "(".repeat(4_000), "{".repeat(20_000));
    analysed(&deep);
}

proptest! {
    #[test]
    fn any_text_gives_ranges_that_fit(parts in prop::collection::vec(prop_oneof![
        Just("// @spec A.\n"), Just("/// ```\n"), Just("/// assert_eq!(f(1), 2);\n"), Just("// @example f(1) == 2\n"),
        Just("fn f(x: i32) -> i32 "), Just("{ todo!() }\n"), Just("{"), Just("}"), Just("impl A {\n"), Just("#[x]\n"), Just("\""),
        Just("é"), Just("\r\n"), Just(";"), Just("// @requires x >\n"), Just("/* "), Just("*/"), Just("mod m {"), Just("r#\""),
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
