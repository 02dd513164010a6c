//! `zeroerr audit` of functions that were moved into another file, while theirs is still there.

use std::fs;

use serde_json::{Value, json};

use crate::command_line::Shell;
use crate::formats::json;
use crate::runs::{prepared, run_command};

/// A project whose certified function `double` has left `a.py`, which is still there.
fn moved() -> Option<(Shell, String)> {
    let shell = prepared()?;
    let said = shell.said(run_command(&shell, 1).arg("--apply").output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    let written = fs::read_to_string(shell.project().join("a.py")).unwrap();
    shell.write("project/a.py", "TWO = 2\n");
    fs::create_dir(shell.project().join("lib")).unwrap();
    Some((shell, written))
}

#[test]
fn a_function_that_left_its_file_and_was_changed_is_found_where_it_now_is() {
    let Some((shell, written)) = moved() else { return };
    let audit = |text: &str, path: &str| {
        shell.write("project/lib/b.py", text);
        let said = shell.run(&["audit", path, "--quiet"]);
        (said.code, said.out.trim().to_owned(), said.err)
    };
    let changed = written.replace("* 2", "* 2 + 0");
    for path in ["lib/b.py", "lib", "."] {
        let (code, out, err) = audit(&changed, path);
        assert_eq!(code, 1, "{path}: {out}{err}");
        assert!(
            out.starts_with("✗ double changed since it was accepted on ") && out.contains(" UTC in a.py;"),
            "{out}"
        );
        assert!(!out.contains("gone"), "{path}: told once: {out}");
    }
    let (code, out, _) = audit(&changed, "a.py");
    assert_eq!(code, 0, "{out}");
    assert!(out.ends_with("; it stands in lib/b.py:5 now: audit it there"), "{out}");
    let (_, out, _) = audit(&written, "a.py");
    assert!(out.ends_with("; it stands in lib/b.py:5 now: audit it there"), "moved only: {out}");
    let found = json(&shell.run(&["audit", "a.py", "--json"]))["functions"][0].clone();
    assert_eq!((&found["standing"], &found["now_at"]), (&json!("gone"), &json!("lib/b.py:5")), "{found}");
}

#[test]
fn of_a_function_that_may_be_another_only_its_name_is_told() {
    let Some((shell, written)) = moved() else { return };
    let audit = |path: &str| shell.run(&["audit", path, "--quiet"]).out.trim().to_owned();
    // Spec and code are others: nobody knows whether it is the certified one.
    let other = written.replace("twice x", "the double of x").replace("* 2", "+ x");
    shell.write("project/lib/b.py", &other);
    let told = "; lib/b.py:5 has a function of that name and signature, with another spec and other code";
    assert!(audit("a.py").ends_with(told), "{}", audit("a.py"));
    assert_eq!(audit("lib/b.py"), "", "it has no certificate");
    // Two of them, or one of another signature, are no news.
    shell.write("project/lib/c.py", &other);
    assert!(!audit("a.py").contains("lib/"), "{}", audit("a.py"));
    fs::remove_file(shell.project().join("lib/c.py")).unwrap();
    shell.write("project/lib/b.py", other.replace("x: int)", "x: int, y: int = 0)"));
    assert!(!audit("a.py").contains("lib/"), "{}", audit("a.py"));
    let gone = json(&shell.run(&["audit", "a.py", "--json"]))["functions"][0].clone();
    assert_eq!((&gone["standing"], &gone["now_at"]), (&json!("gone"), &Value::Null), "{gone}");
}

#[test]
fn a_function_that_nobody_accepted_has_no_certificate_of_its_namesake() {
    let Some((shell, written)) = moved() else { return };
    let other = written.replace("twice x", "three times x").replace("* 2", "* 3").replace("== 4", "== 6");
    shell.write("project/a.py", format!("{other}\n\n{written}"));
    let said = shell.run(&["audit", "a.py", "--json"]);
    let functions = json(&said)["functions"].clone();
    let standings: Vec<&Value> = functions.as_array().unwrap().iter().map(|f| &f["standing"]).collect();
    assert_eq!((said.code, standings), (0, vec![&json!("valid")]), "{functions}");
}
