//! What `verify` writes for other tools, checked against the definitions of others: SARIF by its JSON schema, JUnit by
//! Jenkins' XML schema, annotations of GitHub by reading them as its runner does. The file's name and what the layers
//! say of it hold all that these formats give a meaning to.
//!
//! Runs where `ZEROERR_E2E` is set, as [`crate::formats`].

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::command_line::Shell;
use crate::formats::{equipped, json};

const FILE: &str = "a,b: 100% [x]^é?.py";
const PLACE: &str = "/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri";
const CODE: &str = "# @spec What stands between: 100%, & so on.\n# @example between('x') == 'y]]>'\n# @example between('%0A::error::') == 'y'\ndef between(x: str) -> str:\n    return x + ': 100%, ]]> & <b> \\x1b[31m\\0 \\r\\n \\ufffe'\n";

fn shell() -> Option<Shell> {
    let shell = equipped()?;
    shell.write(&format!("project/{FILE}"), CODE);
    Some(shell)
}

/// What the layers found, as `--json` tells it: `(line, message)`.
fn findings(shell: &Shell) -> Vec<(u64, String)> {
    let all = json(&shell.run(&["verify", FILE, "--json"]));
    let layers = all["functions"][0]["layers"].as_array().unwrap().clone();
    let found = layers.iter().flat_map(|l| l["findings"].as_array().cloned().unwrap_or_default());
    let found: Vec<_> =
        found.map(|f| (f["line"].as_u64().unwrap(), f["message"].as_str().unwrap().to_owned())).collect();
    assert!(found.len() >= 2, "{all}");
    found
}

#[test]
fn sarif_is_what_its_schema_says() {
    let Some(shell) = shell() else { return };
    let validated = |sarif: &Value| {
        let script = "import json, sys\nfrom jsonschema import Draft7Validator as V\nwrong = V(json.load(open(sys.argv[2])), \
                      format_checker=V.FORMAT_CHECKER).iter_errors(json.load(open(sys.argv[1])))\n\
                      sys.exit('\\n'.join(f'{e.json_path}: {e.message}' for e in wrong) or 0)";
        validated(&shell, script, &sarif.to_string(), "sarif-2.1.0.json")
    };
    let sarif = json(&shell.run(&["verify", FILE, "--format", "sarif"]));
    let (is_valid, why) = validated(&sarif);
    assert!(is_valid, "{why}\n{sarif:#}");
    let uri = sarif.pointer(PLACE).unwrap().as_str().unwrap();
    assert!(!uri.split('/').next().unwrap().contains(':'), "what stands before a colon is a scheme: {uri}");
    assert_eq!(decoded(uri), FILE);
    // The schema tells what is wrong from what is right.
    for (at, wrong) in [("/runs/0/results/0/level", "fatal"), (PLACE, "a b")] {
        let mut broken = sarif.clone();
        *broken.pointer_mut(at).unwrap() = wrong.into();
        let (is_valid, why) = validated(&broken);
        assert!(!is_valid && why.contains(wrong), "{why}");
    }
}

/// Whether a Python script with the packages of `cargo xtask test` accepts a document by a schema of the fixtures, and what
/// it says.
fn validated(shell: &Shell, script: &str, document: &str, schema: &str) -> (bool, String) {
    let python = zeroerr_settings::paths::data_dir().unwrap().join("e2e/formats/bin/python");
    assert!(python.exists(), "{} is missing; run `cargo xtask test`", python.display());
    shell.write("document", document);
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(schema);
    let mut command = Command::new(&python);
    command.args(["-I", "-c", script]).arg(shell.home().join("document")).arg(&schema);
    let output = command.output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A URI without its escapes.
fn decoded(uri: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = uri.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        if first == b'%' {
            let code = std::str::from_utf8(&tail[..2]).unwrap();
            bytes.push(u8::from_str_radix(code, 16).unwrap());
            rest = &tail[2..];
        } else {
            assert!(first.is_ascii_graphic(), "{uri}");
            bytes.push(first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).unwrap()
}

#[test]
fn junit_is_what_jenkins_reads() {
    let Some(shell) = shell() else { return };
    let script = "import sys, xmlschema; xmlschema.validate(sys.argv[1], sys.argv[2])";
    let validated = |document: &str| validated(&shell, script, document, "junit-10.xsd");
    let document = shell.run(&["verify", FILE, "--format", "junit"]).out;
    let (is_valid, why) = validated(&document);
    assert!(is_valid, "{why}\n{document}");
    assert!(document.contains("<failure "), "{document}");
    let (is_valid, _) = validated(&document.replace("<failure ", "<failed ").replace("</failure>", "</failed>"));
    assert!(!is_valid, "the schema tells what is wrong from what is right");
}

#[test]
fn githubs_runner_reads_what_was_found() {
    let Some(shell) = shell() else { return };
    let said = shell.run(&["verify", FILE, "--format", "github"]).out;
    let found: Vec<_> = said.lines().map(command).filter(|(level, ..)| level == "error").collect();
    let wanted = findings(&shell);
    assert_eq!(found.len(), wanted.len(), "{said}");
    for ((_, properties, message), (line, text)) in found.iter().zip(&wanted) {
        let of = |name: &str| properties.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(of("file"), Some(FILE), "{said}");
        assert_eq!(of("line"), Some(line.to_string().as_str()));
        assert!(message.starts_with(text.as_str()), "{message:?} is not {text:?}");
    }
}

/// A workflow command as the runner reads it: `::level key=value,key=value::message`, then the escapes of each part.
fn command(line: &str) -> (String, Vec<(String, String)>, String) {
    let rest = line.strip_prefix("::").unwrap_or_else(|| panic!("no command: {line}"));
    let (head, message) = rest.split_once("::").unwrap();
    let (level, properties) = head.split_once(' ').unwrap();
    let data = |text: &str| text.replace("%0D", "\r").replace("%0A", "\n");
    let property = |text: &str| data(text).replace("%3A", ":").replace("%2C", ",").replace("%25", "%");
    let pairs = properties.split(',').map(|pair| pair.split_once('=').unwrap());
    let pairs = pairs.map(|(key, value)| (key.to_owned(), property(value))).collect();
    (level.to_owned(), pairs, data(message).replace("%25", "%"))
}
