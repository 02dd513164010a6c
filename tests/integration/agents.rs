//! Testers, discriminators and critics in the real binary with the real tools: what they propose is tried in
//! the sandbox, what came of it is printed, and a spec without evidence stays without. The model is the scripted one.

use serde_json::{Value, json as list};

use crate::command_line::{Said, Shell};
use crate::formats::{equipped, json};

/// The coder that says `bodies` in turn, and everybody else.
fn run(shell: &Shell, spec: &str, bodies: &[&str], args: &[&str]) -> Said {
    let header = "def below(xs: list[int], cap: int) -> int:";
    shell.write("project/a.py", format!("{spec}{header}\n    ...\n"));
    let code = |body: &&str| format!("```python\n{header}\n    {body}\n```");
    let tests = "assert below([6, 2], 6) == 6\nassert below([8, 4, 1], 4) == 4\nassert below([9], 3) == 9";
    let script = list!({ "by_words": [
        { "words": "assert below(", "say": [tests] },
        { "words": "```python\nbelow(", "say": ["below([6], 6)", "babble"] },
        { "words": "do what is asked?", "say": ["OBJECTION: below([6], 6) should be 0", "OK"] },
        { "words": "def below(", "say": bodies.iter().map(code).collect::<Vec<_>>() },
    ] });
    shell.write("script.json", script.to_string());
    let rules = ["--set", "voting.samples_in_flight=1", "--set", "voting.max_attempts=30"];
    let all = [&["run", "a.py", "--backend", "scripted"], &rules[..], args].concat();
    let mut command = shell.command(&all);
    shell.said(command.env("ZEROERR_SCRIPTED", shell.home().join("script.json")).output().unwrap())
}

const SPEC: &str = "# @spec The largest of xs that is not larger than cap; 0 when there is none.\n# @example below([3, 9, 5], 6) == 5\n# @example below([7], 6) == 0\n";
const RIGHT: &str = "return max((x for x in xs if x <= cap), default=0)";
const WRONG: &str = "return max([x for x in xs if x < cap] + [0])";
const ON: [&str; 6] = ["--set", "agents.testers=1", "--set", "agents.discriminators=1", "--set", "agents.critic=true"];

#[test]
fn what_agents_contribute_is_tried_and_told() {
    let Some(shell) = equipped() else { return };
    let bodies = [WRONG, RIGHT, WRONG, RIGHT, RIGHT, RIGHT];
    let plain = run(&shell, SPEC, &bodies, &["--json"]);
    assert_eq!(json(&plain)["runs"][0]["steps"][0].get("advice"), None, "off as shipped: {}", plain.err);

    let said = run(&shell, SPEC, &bodies, &[&ON[..], &["--json"]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let step = &json(&said)["runs"][0]["steps"][0];
    let advice = &step["advice"];
    let passed: Vec<&Value> = advice["tests"].as_array().unwrap().iter().map(|t| &t["passed"]).collect();
    let (right, wrong) = (&step["tally"][0]["votes"], &step["tally"][1]["votes"]);
    assert_eq!(passed, [right, right, &list!(0)], "two tests are true, one is false: {advice}");
    assert_eq!(advice["agreement"][0]["votes"], *right);
    assert_eq!((advice["tests_object"].as_bool(), advice["agreement"][1]["votes"] == *wrong), (Some(false), true));
    assert_eq!(advice["objections"][0]["text"], "below([6], 6) should be 0");
    assert_eq!((advice["extra_lead"].as_u64(), step["k"].as_u64()), (Some(1), Some(4)), "an objection costs a vote");
    let samples = |said: &Said| json(said)["runs"][0]["steps"][0]["samples"].as_u64();
    assert!(samples(&said) > samples(&plain), "{:?} and {:?}", samples(&said), samples(&plain));
    for line in ["tester: 3 tests", "discriminator: 1 input", "critic: objects: below([6], 6) should be 0"] {
        assert!(said.err.contains(line), "{line} in {}", said.err);
    }
}

#[test]
fn tests_of_a_model_are_no_evidence() {
    let Some(shell) = equipped() else { return };
    let said = run(&shell, "# @spec The largest of xs that is not larger than cap.\n", &[RIGHT], &ON);
    assert_eq!(said.code, 1, "{}\n{}", said.out, said.err);
    assert!(said.out.contains("below abstained") && said.out.contains("evidence"), "{}", said.out);
    assert!(said.err.contains("tester: 3 tests"), "{}", said.err);
}
