//! `@step` plans in the real binary with the real tools: written, certified as a whole, and checked again later. The
//! model is the scripted one.

use std::fs;

use serde_json::{Value, json as list};

use crate::command_line::Shell;
use crate::formats::{equipped, json};
use crate::rust;

const SPEC: &str = "# @spec Four times x.\n# @step one(x: int) -> int: Twice x.\n# @example one(3) == 6\n# @raises TypeError one(None)\n# @example quad(2) == 8\n# @ensures result == 4 * x\ndef quad(x: int) -> int:\n    ...\n";

/// A project whose plan of one helper was written.
fn written() -> Option<(Shell, String)> {
    let shell = equipped()?;
    shell.write("project/a.py", SPEC);
    let says = |header: &str, body: &str| list!([format!("```python\n{header}\n    {body}\n```")]);
    let script = list!({ "by_words": [
        { "words": "def quad(", "say": says("def quad(x: int) -> int:", "return one(one(x))") },
        { "words": "def one(", "say": says("def one(x: int) -> int:", "return x + x") },
    ] });
    shell.write("script.json", script.to_string());
    let mut command = shell.command(&["run", "a.py", "--backend", "scripted", "--apply"]);
    let said = shell.said(command.env("ZEROERR_SCRIPTED", shell.home().join("script.json")).output().unwrap());
    assert_eq!(said.code, 0, "{}\n{}", said.out, said.err);
    let written = fs::read_to_string(shell.project().join("a.py")).unwrap();
    Some((shell, written))
}

#[test]
fn the_certificate_of_a_plan_is_of_the_function_that_was_written() {
    let Some((shell, written)) = written() else { return };
    assert!(written.contains("return x + x") && written.contains("return one(one(x))"), "{written}");
    let said = shell.run(&["audit", "a.py", "--quiet"]);
    assert_eq!((said.code, said.out.contains("changed")), (0, false), "{}{}", said.out, said.err);
    // The function's last bytes are in it, too.
    shell.write("project/a.py", written.replace("return one(one(x))", "return one(one(x)) + 0"));
    let said = shell.run(&["audit", "a.py", "--quiet"]);
    assert_eq!((said.code, said.out.contains("✗ quad changed")), (1, true), "{}{}", said.out, said.err);
}

#[test]
fn what_a_spec_claims_of_its_steps_is_asked_of_the_code_that_stands_there() {
    let Some(shell) = equipped() else { return };
    let tests = |helper: &str| {
        let spec = SPEC.replace("    ...\n", "    return one(one(x))\n").replace("# @ensures result == 4 * x\n", "");
        shell.write("project/a.py", format!("def one(x: int) -> int:\n    {helper}\n\n\n{spec}"));
        let said = shell.run(&["verify", "a.py", "--json"]);
        let layers = json(&said)["functions"][0]["layers"].clone();
        (said.code, layers.as_array().unwrap().iter().find(|l| l["layer"] == "tests").unwrap().clone())
    };
    let (code, layer) = tests("return x + x");
    assert_eq!((code, &layer["detail"]), (0, &list!("1 example, 2 claims on steps")), "{layer}");
    // Right for the function's own example alone.
    let (code, layer) = tests("return x + x if x != 3 else 7");
    let lines: Vec<&Value> = layer["findings"].as_array().unwrap().iter().map(|f| &f["spec_line"]).collect();
    assert_eq!((code, lines), (1, vec![&list!(7)]), "{layer}");
    let (code, layer) = tests("return x + x if x is not None else 0");
    assert_eq!((code, layer["findings"].as_array().unwrap().len()), (1, 1), "{layer}");
}

#[test]
fn steps_of_typescript_and_rust_are_asked_too() {
    let Some(shell) = equipped() else { return };
    let check = |file: &str, helper: &str, wrong: &str, spec: &str| {
        for (helper, code) in [(helper.to_owned(), 0), (helper.replace("x + x", wrong), 1)] {
            shell.write(&format!("project/{file}"), format!("{helper}\n{spec}"));
            let said = rust::said(&shell, &["verify", file, "--json"]);
            let layers = json(&said)["functions"][0]["layers"].clone();
            let tests = layers.as_array().unwrap().iter().find(|l| l["layer"] == "tests").unwrap().clone();
            let findings = tests["findings"].as_array().unwrap().len();
            assert_eq!((said.code, findings), (code, usize::from(code > 0)), "{tests}");
        }
    };
    let typescript = "// @spec Four times x.\n// @step one(x: number) -> number: Twice x.\n// @example one(3) === 6\n// @example quad(2) === 8\nexport function quad(x: number): number {\n  return one(one(x));\n}\n";
    let helper = "function one(x: number): number {\n  return x + x;\n}\n";
    check("a.ts", helper, "x === 3 ? 7 : x + x", typescript);
    let rust = "// @spec Four times x.\n// @step one(x: i64) -> i64: Twice x.\n// @example one(3) == 6\n// @example quad(2) == 8\npub fn quad(x: i64) -> i64 {\n    one(one(x))\n}\n";
    let helper = "fn one(x: i64) -> i64 {\n    x + x\n}\n";
    check("a.rs", helper, "if x == 3 { 7 } else { x + x }", rust);
}

#[test]
fn claims_on_steps_are_no_evidence_for_the_function() {
    let Some(shell) = equipped() else { return };
    let spec = "# @step one(x: int) -> int: Twice x.\n# @example one(3) == 6\n";
    let helper = "def one(x: int) -> int:\n    return x + x\n";
    shell.write("project/a.py", format!("{helper}\n\n{spec}def quad(x: int) -> int:\n    return one(x)\n"));
    let said = shell.run(&["verify", "a.py"]);
    assert_eq!((said.code, said.out.contains("not verified")), (1, true), "{}{}", said.out, said.err);
}
