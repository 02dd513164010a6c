//! Numbers for which there is no answer: one line that says what is wrong and what would be right, code 2.

use expect_test::{Expect, expect};

use crate::command_line::Shell;

fn check(args: &[&str], expected: Expect) {
    let shell = Shell::new();
    shell.write("project/text.txt", "this is no database, whatever its name says; it is long enough for a header\n");
    let said = shell.run(args);
    expected.assert_eq(&said.err);
    assert_eq!((said.code, said.out.as_str()), (2, ""), "{args:?}");
}

fn check_plan(p: &str, target: &str, steps: &str, expected: Expect) {
    check(&["plan-k", "--p", p, "--target", target, "--steps", steps], expected);
}

fn check_hanoi(options: &str, expected: Expect) {
    let mut args = vec!["simulate", "hanoi"];
    args.extend(options.split(' '));
    check(&args, expected);
}

fn check_setting(settings: &[&str], expected: Expect) {
    let mut args = vec!["config", "check"];
    settings.iter().for_each(|s| args.extend(["--set", s]));
    check(&args, expected);
}

#[test]
fn no_k_makes_a_coin_or_a_certainty() {
    check_plan(
        "0.5",
        "0.95",
        "10",
        expect![[r#"
        error: p must be above 0.5 and below 1 (it is 0.5): at one half or below no k helps, and at 1 there is nothing to vote on
    "#]],
    );
    check_plan(
        "0.2",
        "0.95",
        "10",
        expect![[r#"
        error: p must be above 0.5 and below 1 (it is 0.2): at one half or below no k helps, and at 1 there is nothing to vote on
    "#]],
    );
    check_plan(
        "1",
        "0.95",
        "10",
        expect![[r#"
        error: p must be above 0.5 and below 1 (it is 1): at one half or below no k helps, and at 1 there is nothing to vote on
    "#]],
    );
    check_plan(
        "-1",
        "0.95",
        "10",
        expect![[r#"
        error: p must be above 0.5 and below 1 (it is -1): at one half or below no k helps, and at 1 there is nothing to vote on
    "#]],
    );
    check_plan(
        "0.500000001",
        "0.95",
        "10",
        expect![[r#"
        error: with p 0.500000001 the lead would have to be larger than 1000000: that p is too near to one half
    "#]],
    );
    check_plan(
        "0.9",
        "1.0",
        "10",
        expect![[r#"
        error: the target must be above 0 and below 1 (it is 1): no finite k gives certainty
    "#]],
    );
    check_plan(
        "0.9",
        "0",
        "10",
        expect![[r#"
        error: the target must be above 0 and below 1 (it is 0): no finite k gives certainty
    "#]],
    );
    check_plan(
        "0.9",
        "0.95",
        "0",
        expect![[r#"
        error: there must be at least one step
    "#]],
    );
}

#[test]
fn a_simulation_that_could_not_end_is_not_begun() {
    check_hanoi(
        "--k 0",
        expect![[r#"
        error: --k must be at least 1: somebody has to be ahead
    "#]],
    );
    check_hanoi(
        "--k 4000000000 --max-attempts 4000000000",
        expect![[r#"
        error: --k must be at most 10000
    "#]],
    );
    check_hanoi(
        "--k 5 --max-attempts 3",
        expect![[r#"
        error: --max-attempts (3) is below --k (5): no step could ever be decided; allow at least 5
    "#]],
    );
    check_hanoi(
        "--p 0.5",
        expect![[r#"
        error: --p must be above 0.5: at or below one half no k helps
    "#]],
    );
    check_hanoi(
        "--p NaN",
        expect![[r#"
        error: --p must be above 0.5: at or below one half no k helps
    "#]],
    );
    check_hanoi(
        "--disks 0",
        expect![[r#"
        error: --disks must be between 1 and 31
    "#]],
    );
    check_hanoi(
        "--disks 64",
        expect![[r#"
        error: --disks must be between 1 and 31
    "#]],
    );
    check_hanoi(
        "--flag-rate 1",
        expect![[r#"
        error: --flag-rate must be at least 0 and below 1
    "#]],
    );
    check_hanoi(
        "--correlation 2",
        expect![[r#"
        error: --correlation must be from 0 to 1
    "#]],
    );
    check_hanoi(
        "--seeds 3 --checkpoint c.sqlite",
        expect![[r#"
        error: a checkpoint holds one run; leave out --checkpoint or --seeds
    "#]],
    );
    check_hanoi(
        "--checkpoint text.txt",
        expect![[r#"
        error: cannot use the checkpoint text.txt: it is no checkpoint, or a damaged one (file is not a database); give another file, or delete this one to begin anew
    "#]],
    );
}

#[test]
fn votes_that_could_not_be_decided_are_no_settings() {
    check_setting(
        &["voting.k=0"],
        expect![[r#"
        error: --set: `voting.k` must be a whole number from 1 to 1000, or `auto`, not `0`
    "#]],
    );
    check_setting(
        &["voting.k=5", "voting.max_attempts=4"],
        expect![[r#"
        error: --set: `voting.max_attempts` is 4, and `voting.k` is 5: no step could ever be decided; allow at least 5 samples, better 25
    "#]],
    );
    check_setting(
        &["voting.assumed_success=0.5"],
        expect![[r#"
        error: --set: `voting.assumed_success` must be from 0.51 to 0.999, not 0.5
    "#]],
    );
    check_setting(
        &["voting.target_reliability=1.0"],
        expect![[r#"
        error: --set: `voting.target_reliability` must be from 0.5 to 0.999999, not 1.0
    "#]],
    );
}

#[test]
fn a_lead_that_is_computed_may_be_out_of_reach() {
    let shell = Shell::new();
    shell.write("project/a.py", "# @spec Twice x.\n# @example double(2) == 4\ndef double(x: int) -> int:\n    ...\n");
    let said = shell.run(&["run", "a.py", "--set", "voting.k=auto", "--set", "voting.assumed_success=0.51"]);
    expect![[r#"
        error: `voting.k: auto` comes to 74, and `voting.max_attempts` is 20: no step could ever be decided; allow at least 74 samples
    "#]].assert_eq(&said.err);
    assert_eq!(said.code, 2);
}
