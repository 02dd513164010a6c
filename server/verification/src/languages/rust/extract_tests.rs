//! Responses as real instruct models write them, and the flag or candidate that each becomes.

use super::*;
use crate::languages::rust::specs::analyse;
use expect_test::expect;
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

fn task(source: &str) -> Task {
    analyse(Path::new("f.rs"), &Arc::from(source)).tasks.remove(0)
}

fn shown(source: &str, response: &str) -> String {
    match extract(response, &task(source)) {
        Ok(c) => {
            let imports = c.imports.iter().map(|i| format!("{i}\n")).collect::<String>();
            format!("{imports}{}", c.function)
        }
        Err(flag) => flag.name().to_owned(),
    }
}

const ADD: &str = "// @spec Add.\n// @example add(1, 2) == 3\npub fn add(a: i32, b: i32) -> i32 {\n    todo!()\n}\n";

fn check_flag(source: &str, response: &str, expected: &str) {
    assert_eq!(shown(source, response), expected, "{response}");
}

#[test]
fn code_as_models_write_it() {
    let candidate = expect![[r#"
        pub fn add(a: i32, b: i32) -> i32 {
            // sum
            a + b
        }
    "#]];
    let code = "fn add(a: i32, b: i32) -> i32 {\n    // sum\n    a + b\n}\n";
    for response in [
        code.to_owned(),
        format!("```rust\n{code}```"),
        format!("Sure! Here it is:\n\n```rs\n{code}```\n\nIt uses `a + b`.\n"),
        format!("~~~\n{code}~~~\n"),
        format!("```rust\n{code}"),
        format!("{code}```\nThis adds.\n"),
        format!("```rust\n{code}```\nUsage:\n```rust\nprintln!(\"{{}}\", add(1, 2));\n```\n"),
        format!(
            "```rust\n/// Adds.\n#[inline]\n#[must_use]\npub {code}\nfn main() {{\n    println!(\"{{}}\", add(1, 2));\n}}\n```"
        ),
        format!(
            "```rust\nuse std::collections::HashMap;\n\n{code}\n#[cfg(test)]\nmod tests {{\n    use super::*;\n    #[test]\n    fn t() {{ assert_eq!(add(1, 2), 3); }}\n}}\n```"
        ),
        format!("```rust\n{code}\n#[test]\nfn t() {{ assert_eq!(add(1, 2), 3); }}\n```"),
        "    pub(crate) fn add(a: i32, b: i32,) -> i32 {\n        // sum\n        a + b\n    }\n".to_owned(),
        "fn add(a: i32, b: i32) -> i32 { // sum\n a + b }".to_owned(),
        "```rust\r\nfn add(a: i32, b: i32) -> i32 {\r\n\t// sum\r\n\ta + b\r\n}\r\n```\r\n".to_owned(),
        // The stop text "\n}\n" takes the last brace.
        "fn add(a: i32, b: i32) -> i32 {\n    // sum\n    a + b".to_owned(),
    ] {
        candidate.assert_eq(&shown(ADD, &response));
    }
}

#[test]
fn what_is_not_the_one_function_is_flagged() {
    for (response, flag) in [
        ("", "empty"),
        ("I would add the numbers.", "not_one_function"),
        ("fn add(a: i32, b: i32) -> i32 { a + }", "does_not_parse"),
        ("fn add(a: i32, b: i32) -> i32 { if a { ", "does_not_parse"),
        ("fn sum(a: i32, b: i32) -> i32 { a + b }", "not_one_function"),
        (
            "fn add(a: i32, b: i32) -> i32 { helper(a, b) }\nfn helper(a: i32, b: i32) -> i32 { a + b }",
            "not_one_function",
        ),
        ("static mut X: i32 = 0;\nfn add(a: i32, b: i32) -> i32 { a + b }", "not_one_function"),
        ("impl Math { fn add(a: i32, b: i32) -> i32 { a + b } }", "not_one_function"),
        ("fn add(a: i64, b: i64) -> i64 { a + b }", "wrong_signature"),
        ("fn add(x: i32, y: i32) -> i32 { x + y }", "wrong_signature"),
        ("async fn add(a: i32, b: i32) -> i32 { a + b }", "wrong_signature"),
        ("#[no_mangle]\nfn add(a: i32, b: i32) -> i32 { a + b }", "wrong_signature"),
        ("fn add(a: i32, b: i32) -> i32 { todo!() }", "placeholder"),
        ("fn add(a: i32, b: i32) -> i32 {\n    // your code here\n}", "placeholder"),
        ("fn add(a: i32, b: i32) -> i32;", "not_one_function"),
    ] {
        check_flag(ADD, response, flag);
    }
}

#[test]
fn a_method_may_come_alone_or_in_its_impl() {
    let source = "struct Stack<T>(Vec<T>);\nimpl<T> Stack<T> {\n    // @spec Take the last.\n    fn pop(&mut self) -> Option<T> {\n        todo!()\n    }\n}\n";
    let expected = expect![[r#"
        fn pop(&mut self) -> Option<T> {
            self.0.pop()
        }
    "#]];
    for response in [
        "fn pop(&mut self) -> Option<T> { self.0.pop() }",
        "impl<T> Stack<T> {\n    pub fn pop(&mut self) -> Option<T> {\n        self.0.pop()\n    }\n}",
    ] {
        expected.assert_eq(&shown(source, response));
    }
    check_flag(
        source,
        "impl<T> Stack<T> { fn pop(&mut self) -> Option<T> { self.0.pop() } fn new() -> Self { Stack(vec![]) } }",
        "not_one_function",
    );
    check_flag(
        source,
        "struct Stack<T>(Vec<T>);\nimpl<T> Stack<T> { fn pop(&mut self) -> Option<T> { self.0.pop() } }",
        "not_one_function",
    );
    check_flag(source, "fn pop(&self) -> Option<T> { None }", "wrong_signature");
}

#[test]
fn imports_that_the_body_uses_come_along() {
    let source = "// @spec Count.\nfn count(s: &str) -> String {\n    todo!()\n}\n";
    expect![[r#"
        use std::collections::BTreeMap;
        use std::fmt::Write;
        fn count(s: &str) -> String {
            let mut s = s;
            let m: BTreeMap<char, usize> = BTreeMap::new();
            let mut out = String::new();
            write!(out, "{}", m.len()).unwrap();
            s = "x";
            out + s
        }
    "#]]
    .assert_eq(&shown(source, "use std::collections::{BTreeMap, HashMap};\nuse std::fmt::Write;\nuse super::*;\n\nfn count(mut s: &str) -> String {\n    let m: BTreeMap<char, usize> = BTreeMap::new();\n    let mut out = String::new();\n    write!(out, \"{}\", m.len()).unwrap();\n    s = \"x\";\n    out + s\n}\n"));
}

#[test]
fn what_the_spec_forbids_is_flagged() {
    let with = |rule: &str| format!("// @spec Add.\n// {rule}\nfn f(n: u64) -> u64 {{\n    todo!()\n}}\n");
    let recursive = "fn f(n: u64) -> u64 { if n == 0 { 0 } else { 1 + f(n - 1) } }";
    let looping = "fn f(n: u64) -> u64 { let mut f = 0; for _ in 0..n { f += 1; } f }";
    let collecting = "use std::collections::HashSet;\nfn f(n: u64) -> u64 { let s: HashSet<u64> = (0..n).collect(); s.len() as u64 }";
    let inside = "fn f(n: u64) -> u64 { use std::collections::HashSet; HashSet::from([n]).len() as u64 }";
    let helper = "fn f(n: u64) -> u64 { fn g(n: u64) -> u64 { if n == 0 { 0 } else { 1 + g(n - 1) } } g(n) }";
    let unwrapping = "fn f(n: u64) -> u64 { let s = \"unwrap\"; n.checked_add(s.len() as u64).unwrap() }";
    let printing = "fn f(n: u64) -> u64 { println!(\"{}\", n); n }";
    for (rule, response, flagged) in [
        ("@forbid recursion", recursive, true),
        ("@forbid recursion", helper, true),
        ("@forbid recursion", looping, false),
        ("@forbid loops", looping, true),
        ("@forbid loops", recursive, false),
        ("@forbid imports", collecting, true),
        ("@forbid imports", inside, true),
        ("@forbid HashSet", collecting, true),
        ("@forbid std::collections", collecting, true),
        ("@forbid unwrap", unwrapping, true),
        ("@forbid println", printing, true),
        ("@forbid println!", printing, true),
        ("@forbid expect, unsafe", unwrapping, false),
        ("@uses std::collections", collecting, false),
        ("@uses std::fmt", collecting, true),
        ("@uses std::fmt", inside, true),
    ] {
        let flag = shown(&with(rule), response);
        assert_eq!(flag == "forbidden", flagged, "{rule}: {response} gave {flag}");
    }
}

proptest! {
    #[test]
    fn no_response_can_bring_it_down(parts in prop::collection::vec(prop_oneof![
        Just("```rust\n"), Just("```"), Just("fn add(a: i32, b: i32) -> i32 "), Just("{ a + b }"), Just("{"), Just("}"), Just("impl A "),
        Just("use std::x::{a, b};"), Just("\""), Just("é"), Just("\n"), Just("#["), Just("mod tests {"), Just("todo!()"),
    ], 0..16)) {
        let _ = extract(&parts.concat(), &task(ADD));
    }

    #[test]
    fn what_is_extracted_parses_again(body in "v[a-z]{1,5} \\+ [0-9]{1,3}") {
        let response = format!("fn add(a: i32, b: i32) -> i32 {{\n  {body}\n}}");
        let candidate = extract(&response, &task(ADD)).unwrap();
        prop_assert!(candidate.function.contains(&candidate.body));
        prop_assert!(!parse(&candidate.function).unwrap().root_node().has_error());
    }
}
