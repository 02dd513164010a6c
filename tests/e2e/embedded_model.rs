//! The embedded model (SmolLM2-135M, the real one) through the real binary: what it is offered as
//! verified passes examples that it never saw, and what it cannot solve ends in an abstention.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// Examples that are in no spec; Python.
const HIDDEN: &str = r#"
assert total([5]) == 5 and total([-1, 1]) == 0 and total([10**20, 1]) == 10**20 + 1 and total([7] * 99) == 693
assert evens([1, 3]) == [] and evens([0, -2, 5, 2, 2]) == [0, -2, 2, 2] and evens([-3]) == []
assert backwards("a") == "a" and backwards("ab c\n") == "\nc ba" and backwards("née") == "eén"
assert squares([]) == [] and squares([0, 5, -3, 3]) == [0, 25, 9, 9]
given = [3, 1, 2]
total(given), evens(given), squares(given)
assert given == [3, 1, 2], "the argument was changed"
"#;

fn run(path: &Path, apply: bool) -> (i32, Value) {
    let mut command = Command::new(zeroerr_tests::zeroerr());
    command.args(["run", "--json", "--quiet"]).arg(path);
    if apply {
        command.arg("--apply");
    }
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let json = serde_json::from_str(&text)
        .unwrap_or_else(|e| panic!("{e}: {text}{}", String::from_utf8_lossy(&output.stderr)));
    (output.status.code().unwrap(), json)
}

#[test]
fn what_is_offered_passes_examples_that_nobody_showed_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hello.py");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/hello_world/hello.py");
    std::fs::copy(source, &file).unwrap();
    let (code, json) = run(&file, true);
    let runs = json["runs"].as_array().unwrap();
    let outcomes: Vec<_> =
        runs.iter().map(|r| (r["function"].as_str().unwrap(), r["outcome"].as_str().unwrap())).collect();
    assert_eq!(outcomes, ["total", "evens", "backwards", "squares"].map(|name| (name, "verified")), "{json:#}");
    assert_eq!(code, 0);
    for run in runs {
        let layers = run["layers"].as_array().unwrap();
        assert_eq!(layers.len(), 8, "every layer has its say: {run:#}");
        assert!(run["steps"][0]["margin"].as_u64().unwrap() >= 3, "{run:#}");
    }
    let check = folder.path().join("check.py");
    std::fs::write(&check, format!("from hello import *\n{HIDDEN}")).unwrap();
    let python = Command::new("python3").arg(&check).current_dir(folder.path()).output().unwrap();
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(
        python.status.success(),
        "offered as verified, and wrong:\n{written}\n{}",
        String::from_utf8_lossy(&python.stderr)
    );
}

#[test]
fn what_it_cannot_solve_is_not_offered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hard.py");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/hard.py");
    std::fs::copy(&source, &file).unwrap();
    let (code, json) = run(&file, true);
    assert_eq!(code, 1, "{json:#}");
    for run in json["runs"].as_array().unwrap() {
        assert_eq!(run["outcome"], "abstained", "{run:#}");
        assert!(run["edit"].is_null(), "{run:#}");
        let reason = run["reason"].as_str().unwrap();
        assert!(reason.contains("samples"), "the reason names the votes: {reason}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), std::fs::read(&source).unwrap(), "nothing was written");
}
