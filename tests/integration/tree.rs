//! `verify` over a whole tree, what it remembers, what a policy asks for, and guesses: the real binary with the real
//! tools, about twenty seconds.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::command_line::{Said, Shell};
use crate::formats::{equipped, json};

/// A function with an example, `factor` times its argument.
fn function(name: &str, factor: u32) -> String {
    format!(
        "# @spec Return {factor} times x.\n# @example {name}(2) == {}\ndef {name}(x: int) -> int:\n    return x * {factor}\n",
        2 * factor
    )
}

/// A file of the project, with the folders above it.
fn put(shell: &Shell, file: &str, text: impl AsRef<[u8]>) {
    let path = shell.project().join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn names(said: &Said) -> Vec<String> {
    let all = json(said)["functions"].as_array().unwrap().clone();
    all.iter().map(|f| format!("{} {}", f["file"].as_str().unwrap(), f["function"].as_str().unwrap())).collect()
}

/// Whether every verdict that is worth remembering is a remembered one.
fn is_remembered(function: &Value) -> bool {
    let asked = function["layers"].as_array().unwrap().iter().filter(|l| l["verdict"] == "passed");
    asked.clone().count() > 0 && asked.clone().all(|l| l["remembered"] == true)
}

#[test]
fn a_tree_is_verified_in_order_without_what_others_wrote_and_goes_on_when_it_was_killed() {
    let Some(shell) = equipped() else { return };
    for (file, name) in [("b.py", "b"), ("a/one.py", "one"), ("a/two.py", "two"), ("c.py", "c")] {
        put(&shell, file, function(name, 2));
    }
    for foreign in ["node_modules/x/n.py", "vendor/v.py", "env/lib/e.py", "ignored/i.py", ".hidden/h.py"] {
        put(&shell, foreign, function("foreign", 3));
    }
    put(&shell, "env/pyvenv.cfg", "home = /usr\n");
    put(&shell, ".gitignore", "ignored/\n");

    let mut killed = shell.command(&["verify", ".", "--jobs", "1"]).stdout(Stdio::piped()).spawn().unwrap();
    let first = BufReader::new(killed.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert!(first.contains("one"), "{first}");

    let all = shell.run(&["verify", ".", "--jobs", "2", "--json"]);
    assert_eq!(all.code, 0, "{}\n{}", all.out, all.err);
    assert_eq!(names(&all), ["./a/one.py one", "./a/two.py two", "./b.py b", "./c.py c"]);
    let functions = json(&all)["functions"].as_array().unwrap().clone();
    assert!(is_remembered(&functions[0]), "what the killed one had finished is not asked again: {}", functions[0]);
    assert!(!is_remembered(&functions[3]), "{}", functions[3]);

    put(&shell, "b.py", function("b", 2).replace("x * 2", "x + x"));
    let again = json(&shell.run(&["verify", ".", "--json"]))["functions"].as_array().unwrap().clone();
    let remembered = |layer: &str| -> Vec<bool> {
        let of =
            |f: &Value| f["layers"].as_array().unwrap().iter().any(|l| l["layer"] == layer && l["remembered"] == true);
        again.iter().map(of).collect()
    };
    assert_eq!(remembered("types"), [true, true, false, true], "one has changed, and no other imports it");
    assert_eq!(remembered("tests"), [false; 4], "a test of the project could read what has changed");
    let fresh = json(&shell.run(&["verify", "c.py", "--fresh", "--json"]));
    assert!(!is_remembered(&fresh["functions"][0]));
    let named = shell.run(&["verify", "vendor/v.py", "--json"]);
    assert_eq!(names(&named), ["vendor/v.py foreign"], "what is named is looked at, wherever it lies");
}

#[test]
fn changed_takes_a_commit() {
    let Some(shell) = equipped() else { return };
    std::fs::remove_dir(shell.project().join(".git")).unwrap();
    let git = |args: &[&str]| {
        let mut all = vec!["-c", "user.name=t", "-c", "user.email=t@example.org"];
        all.extend(args);
        let output = std::process::Command::new("git").args(all).current_dir(shell.project()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    git(&["init", "-q"]);
    put(&shell, "a.py", format!("{}\n\n{}", function("one", 2), function("two", 3)));
    git(&["add", "."]);
    git(&["commit", "-qm", "first"]);
    put(&shell, "a.py", format!("{}\n\n{}", function("one", 2), function("two", 4)));
    git(&["commit", "-qam", "second"]);
    assert_eq!(names(&shell.run(&["verify", ".", "--changed", "--json"])), Vec::<String>::new());
    assert_eq!(names(&shell.run(&["verify", ".", "--changed=HEAD~1", "--json"])), ["./a.py two"]);
    // What is no function with a spec may be what they call.
    put(&shell, "a.py", format!("{}\n\n{}\n\nMORE = 1\n", function("one", 2), function("two", 4)));
    assert_eq!(names(&shell.run(&["verify", ".", "--changed", "--json"])), ["./a.py one", "./a.py two"]);
    let unknown = shell.run(&["verify", ".", "--changed=nowhere"]);
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("git knows no commit `nowhere`"), "{}", unknown.err);
    // What a repository wants started when it is compared: it may be anybody's.
    let started = shell.project().with_extension("started");
    let start = format!("touch {}; cat", started.display());
    git(&["config", "filter.x.clean", &start]);
    git(&["config", "diff.x.command", &start]);
    git(&["config", "diff.x.textconv", &start]);
    git(&["config", "diff.external", &start]);
    git(&["config", "core.fsmonitor", &start]);
    put(&shell, ".gitattributes", "*.py filter=x diff=x\n");
    put(&shell, "a.py", format!("{}\n\n{}", function("one", 2), function("two", 5)));
    assert_eq!(names(&shell.run(&["verify", ".", "--changed", "--json"])), ["./a.py two"]);
    assert!(!started.exists(), "git has started a program of the repository's");
}

#[test]
fn each_file_is_held_to_the_rules_of_its_own_project() {
    let Some(shell) = equipped() else { return };
    put(&shell, "plain/a.py", function("one", 2));
    put(&shell, "strict/b.py", function("two", 3));
    put(&shell, "strict/.zeroerr.yaml", "verification:\n  must_pass: [properties]\n");
    for paths in [&["."][..], &["plain", "strict"], &["strict", "plain"]] {
        let said = shell.run(&[&["verify", "--json"], paths].concat());
        let refused = json(&said)["functions"].as_array().unwrap().clone();
        let refused: Vec<_> = refused.iter().filter(|f| !f["objection"].is_null()).map(|f| &f["function"]).collect();
        assert_eq!((said.code, refused), (1, vec![&Value::from("two")]), "{paths:?}");
    }
    // What is written is held to the rules of one project.
    put(&shell, "strict/c.py", "# @spec Twice.\n# @example f(1) == 2\ndef f(x: int) -> int: ...\n");
    shell.write("script.json", "[]");
    let mut command = shell.command(&["run", ".", "--backend", "scripted"]);
    let run = shell.said(command.env("ZEROERR_SCRIPTED", shell.home().join("script.json")).output().unwrap());
    assert_eq!(run.code, 2);
    assert!(run.err.contains("strict/c.py is of another project than the first path"), "{}", run.err);
}

#[test]
fn a_policy_may_ask_for_more_and_a_project_cannot_ask_for_less() {
    let Some(shell) = equipped() else { return };
    put(&shell, "a.py", function("one", 2));
    assert_eq!(shell.run(&["verify", "a.py"]).code, 0);
    put(&shell, ".zeroerr.yaml", "verification:\n  languages:\n    python: {must_pass: [properties]}\n");
    let strict = shell.run(&["verify", "a.py", "--json"]);
    assert_eq!(strict.code, 1, "{}", strict.err);
    let objection = json(&strict)["functions"][0]["objection"].clone();
    assert!(objection.as_str().is_some_and(|o| o.starts_with("properties must pass here")), "{objection}");
    put(&shell, ".zeroerr.yaml", "verification:\n  may_be_unavailable: [types]\n");
    let loose = shell.run(&["verify", "a.py"]);
    assert_eq!(loose.code, 2);
    assert!(loose.err.contains("it would excuse the layer types"), "{}", loose.err);
}

#[test]
fn what_is_missing_is_suggested_and_counts_when_it_is_accepted() {
    let Some(shell) = equipped() else { return };
    let stub = "# @spec Return twice x.\ndef double(x: int) -> int:\n    ...\n";
    let right = "```python\ndef double(x: int) -> int:\n    return x * 2\n```";
    shell.write("script.json", serde_json::to_string(&[right; 20]).unwrap());
    let run = |args: &[&str]| {
        let mut all = vec!["run", "a.py", "--backend", "scripted"];
        all.extend(args);
        let mut command = shell.command(&all);
        shell.said(command.env("ZEROERR_SCRIPTED", shell.home().join("script.json")).output().unwrap())
    };
    put(&shell, "a.py", stub);
    let unproven = run(&["--json"]);
    assert_eq!(unproven.code, 1, "{}", unproven.err);
    let report = json(&unproven)["runs"][0].clone();
    assert!(report["reason"].as_str().is_some_and(|r| r.contains("no evidence")), "{report}");
    let guesses: Vec<String> =
        report["steps"][0]["suggestions"].as_array().unwrap().iter().map(|s| s.as_str().unwrap().to_owned()).collect();
    assert!(!guesses.is_empty() && guesses.iter().all(|g| g.starts_with("@example? double(")), "{guesses:?}");
    assert!(run(&[]).out.contains(&guesses[0]), "people are told as well");
    let with = |line: &str| stub.replace("x.\n", &format!("x.\n# {line}\n"));
    put(&shell, "a.py", with(&guesses[0]));
    let guessed = json(&run(&["--json"]))["runs"][0].clone();
    assert_eq!(guessed["outcome"], "abstained", "a guess is no evidence: {guessed}");
    put(&shell, "a.py", with(&guesses[0].replace("@example?", "@example")));
    let accepted = json(&run(&["--json"]))["runs"][0].clone();
    assert_eq!(accepted["outcome"], "verified", "{accepted}");
}

/// A clause that cannot be read is one that nothing was held to.
#[test]
fn a_function_whose_spec_has_an_error_is_not_called_verified() {
    let Some(shell) = equipped() else { return };
    let text = "# @spec Half of x.\n# @example half(4) == 2\n# @ensures result * 2 = x\ndef half(x: int) -> float:\n    return x / 2\n";
    shell.write("project/half.py", text);
    let said = shell.said(shell.command(&["verify", "half.py"]).output().unwrap());
    assert_eq!(said.code, 1, "{}\n{}", said.out, said.err);
    assert!(
        said.out.contains("! half 5 of 8 checks passed; not verified: its spec has an error on line 3: "),
        "{}",
        said.out
    );
}
