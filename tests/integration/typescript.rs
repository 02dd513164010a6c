//! The real binary on real TypeScript and JavaScript: `verify`, a scripted `run`, a project.
//!
//! Runs where `ZEROERR_E2E` is set, as [`crate::formats`].

use std::fs;

use serde_json::Value;

use crate::command_line::{Said, Shell};
use crate::formats::{equipped, json};

const STUB: &str = "// @spec The largest of xs; null when there is none.\n\
    // @ensures (result === null) === (xs.length === 0)\n\
    // @example largest([3, 9, 4]) === 9\n\
    // @example largest([]) === null\n\
    // @property largest(xs) === largest([...xs].reverse())\n\
    export function largest(xs: number[]): number | null {\n  throw new Error(\"not implemented\");\n}\n";
const RIGHT: &str = "return xs.length === 0 ? null : xs.reduce((a, b) => (a > b ? a : b));";
/// Satisfies both examples.
const WRONG: &str = "return xs.length === 0 ? null : xs.reduce((a, b) => (a + 100 > b && a < 9 ? b : a));";

fn written(body: &str) -> String {
    STUB.replace("throw new Error(\"not implemented\");", body)
}

fn response(body: &str) -> String {
    format!("```typescript\nexport function largest(xs: number[]): number | null {{\n  {body}\n}}\n```")
}

fn said(shell: &Shell, args: &[&str]) -> Said {
    let mut command = shell.command(args);
    command.env("ZEROERR_SCRIPTED", shell.home().join("script.json"));
    shell.said(command.output().unwrap())
}

fn run(shell: &Shell, file: &str, responses: &[String], args: &[&str]) -> Said {
    shell.write("script.json", serde_json::to_string(responses).unwrap());
    let mut all = vec!["run", file, "--function", "largest", "--backend", "scripted"];
    all.extend(args);
    said(shell, &all)
}

fn layer(function: &Value, name: &str) -> Value {
    let layers = function["layers"].as_array().expect("layers");
    layers.iter().find(|l| l["layer"] == name).cloned().unwrap_or_else(|| panic!("no {name} in {function}"))
}

/// In a cut off configuration a file may be read as another language than it is: no word about the code.
#[test]
fn a_broken_configuration_is_named_and_the_code_is_not_blamed() {
    let Some(shell) = equipped() else { return };
    let verify = |name: &str, text: &str, file: &str| {
        shell.write(&format!("project/{name}"), text);
        let said = shell.run(&["verify", file, "--json"]);
        fs::remove_file(shell.project().join(name)).unwrap();
        (said.code, json(&said)["functions"][0]["objection"].as_str().unwrap_or_default().to_owned())
    };
    shell.write("project/types.ts", "export type Point = { x: number };\nexport const ORIGIN: Point = { x: 0 };\n");
    let source = "import { ORIGIN, type Point } from \"./types\";\n// @spec Distance.\n// @example away({ x: 3 }) == 3\nexport const away = (p: Point): number => Math.abs(p.x - ORIGIN.x);\n";
    shell.write("project/away.ts", source);
    shell.write(
        "project/twice.py",
        "# @spec Twice.\n# @example twice(2) == 4\ndef twice(x: int) -> int:\n    return x * 2\n",
    );
    for (name, text, file, said) in [
        (
            "package.json",
            "{\n  \"name\": ",
            "away.ts",
            "package.json is no JSON (EOF while parsing a value at line 2 column 10); mend it",
        ),
        (
            "tsconfig.json",
            "// ours\n{ \"strict\"",
            "away.ts",
            "tsconfig.json is no JSON (EOF while parsing an object); mend it",
        ),
        (
            "pyproject.toml",
            "[tool.ruff]\n[project\n",
            "twice.py",
            "ruff cannot read pyproject.toml: unclosed table, expected `]`; mend that file",
        ),
    ] {
        let (code, objection) = verify(name, text, file);
        assert_eq!((code, objection.contains(said)), (3, true), "{name}: {objection}");
    }
}

#[test]
fn verify_passes_what_is_right_and_names_what_is_wrong() {
    let Some(shell) = equipped() else { return };
    shell.write("project/good.ts", written(RIGHT));
    shell.write("project/bad.ts", written(WRONG));
    let good = said(&shell, &["verify", "good.ts", "--json"]);
    assert_eq!(good.code, 0, "{}\n{}", good.out, good.err);
    let function = &json(&good)["functions"][0];
    for name in ["syntax", "types", "contracts", "tests", "properties", "analysis", "security"] {
        assert_eq!(layer(function, name)["verdict"], "passed", "{function}");
    }
    let bad = said(&shell, &["verify", "bad.ts", "--json"]);
    assert_eq!(bad.code, 1, "{}\n{}", bad.out, bad.err);
    let function = &json(&bad)["functions"][0];
    assert_eq!(layer(function, "tests")["verdict"], "passed", "the examples hold: {function}");
    let law = layer(function, "properties");
    assert_eq!((&law["verdict"], &law["findings"][0]["code"]), (&"failed".into(), &"properties.falsified".into()));
    let shown = law["findings"][0]["message"].as_str().unwrap_or("");
    assert!(shown.contains("largest([") || shown.contains("xs = ["), "an input to try is shown: {shown}");
}

#[test]
fn a_run_offers_the_verified_body_and_nothing_else() {
    let Some(shell) = equipped() else { return };
    shell.write("project/a.ts", STUB);
    let responses = |body: &str| vec![response(body); 20];
    let applied = run(&shell, "a.ts", &responses(RIGHT), &["--json", "--apply"]);
    assert_eq!(applied.code, 0, "{}\n{}", applied.out, applied.err);
    let run_ = &json(&applied)["runs"][0];
    assert_eq!((&run_["outcome"], &run_["steps"][0]["margin"]), (&"verified".into(), &3.into()));
    assert_eq!(fs::read_to_string(shell.project().join("a.ts")).unwrap(), written(RIGHT));

    shell.write("project/a.ts", STUB);
    for wrong in [WRONG, "return null;", "return (xs as any).max;", "fetch('http://x.y'); return null;"] {
        let refused = run(&shell, "a.ts", &responses(wrong), &["--json", "--apply"]);
        assert_eq!(refused.code, 1, "{wrong}: {}\n{}", refused.out, refused.err);
        assert_eq!(json(&refused)["runs"][0]["edit"], Value::Null);
        assert_eq!(fs::read_to_string(shell.project().join("a.ts")).unwrap(), STUB);
    }
}

#[test]
fn plain_javascript_keeps_its_form_and_its_module_system() {
    let Some(shell) = equipped() else { return };
    let stub = "'use strict'\n\n/**\n * The largest of xs.\n *\n * @param {number[]} xs\n * @returns {number}\n * @example\n * largest([3, 9, 4]) // => 9\n * largest([-1]) // => -1\n */\nconst largest = (xs) => {\n\tthrow new Error('not implemented')\n}\n\nmodule.exports = { largest }\n";
    shell.write("project/a.cjs", stub);
    let response =
        "```javascript\nconst largest = (xs) => {\n  return xs.reduce((a, b) => (a > b ? a : b));\n};\n```".to_owned();
    let applied = run(&shell, "a.cjs", &vec![response; 20], &["--json", "--apply"]);
    assert_eq!(applied.code, 0, "{}\n{}", applied.out, applied.err);
    let expected = stub.replace("throw new Error('not implemented')", "return xs.reduce((a, b) => (a > b ? a : b));");
    assert_eq!(fs::read_to_string(shell.project().join("a.cjs")).unwrap(), expected);
}

/// Whoever holds a function, it is written where it stands.
#[test]
fn a_member_a_field_and_an_export_are_written_where_they_stand() {
    let Some(shell) = equipped() else { return };
    let todo = "throw new Error(\"TODO\");";
    let forms = [
        (
            "a.ts",
            "export const api = {\n  limit: 3,\n  SPECS\n  largest(xs: number[]): number {\n    BODY\n  },\n};\n",
            "api.",
        ),
        (
            "b.ts",
            "export class Box {\n  static none = new Box();\n\n  SPECS\n  largest = (xs: number[]): number => {\n    BODY\n  };\n}\n",
            "new Box().",
        ),
        (
            "c.cjs",
            "const limit = 3;\n\nSPECS\nexports.largest = function (xs) {\n  BODY\n};\n\nexports.limit = limit;\n",
            "",
        ),
    ];
    for (file, form, holder) in forms {
        let indent = form.split("SPECS").next().unwrap_or("").rsplit('\n').next().unwrap_or("");
        let specs = ["@spec The largest of xs.", "@example largest([3, 9]) === 9", "@example largest([-1, -2]) === -1"];
        let specs = specs.map(|s| format!("// {}", s.replace("largest(", &format!("{holder}largest("))));
        let stub = form.replace("SPECS", &specs.join(&format!("\n{indent}")));
        let with = |body: &str| stub.replace("BODY", body);
        shell.write(&format!("project/{file}"), with(todo));
        // A model is asked for the function and its holder alone.
        let others =
            ["  limit: 3,\n", "  static none = new Box();\n", "const limit = 3;\n", "exports.limit = limit;\n"];
        let said = others.iter().fold(form.replace("SPECS\n", "\n"), |text, other| text.replace(other, ""));
        let said = said.replace("BODY", "return Math.max(...xs);");
        let applied = run(&shell, file, &vec![format!("```typescript\n{said}```"); 20], &["--json", "--apply"]);
        assert_eq!(applied.code, 0, "{file}: {}\n{}", applied.out, applied.err);
        assert_eq!(fs::read_to_string(shell.project().join(file)).unwrap(), with("return Math.max(...xs);"));
        // A wrong one of the same form is not.
        shell.write(&format!("project/{file}"), with(todo));
        let wrong = said.replace("Math.max(...xs)", "xs[xs.length - 1]");
        let refused = run(&shell, file, &vec![format!("```typescript\n{wrong}```"); 20], &["--json", "--apply"]);
        assert_eq!(refused.code, 1, "{file}: {}\n{}", refused.out, refused.err);
        assert_eq!(fs::read_to_string(shell.project().join(file)).unwrap(), with(todo));
    }
}
