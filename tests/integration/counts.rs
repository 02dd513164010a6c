//! Counted things in what commands print: one is not called several, and none is not called nothing.

use crate::command_line::Shell;

fn check_hanoi(options: &str, says: &[&str], never: &[&str]) {
    let mut args = vec!["simulate", "hanoi", "--quiet"];
    args.extend(options.split(' '));
    let said = Shell::new().run(&args).out;
    says.iter().for_each(|text| assert!(said.contains(text), "no {text:?}: {said}"));
    never.iter().for_each(|text| assert!(!said.contains(text), "{text:?}: {said}"));
}

#[test]
fn one_error_vote_or_step_is_not_several() {
    check_hanoi("--disks 1 --p 1 --k 1", &["1 step, p 1, k 1: 0 errors;", "worst step 1 vote\n"], &["1 steps"]);
    check_hanoi(
        "--disks 6 --p 0.97 --k 1 --seeds 6",
        &[": 1 error, ", "worst step 1 vote, "],
        &[": 1 errors", " 1 votes"],
    );
    check_hanoi("--disks 8 --p 0.9 --k 3 --max-attempts 3", &[" errors (", " never decided); "], &[]);
    let said = Shell::new().run(&["plan-k", "--p", "0.9", "--target", "0.5", "--steps", "1"]).out;
    assert!(said.ends_with("1.00 votes a step, 1.00 samples with 0 % flagged, 1 sample in all\n"), "{said}");
}

#[test]
fn a_list_that_was_to_hold_nothing_does_not_say_that_there_is_nothing() {
    let said = Shell::new().run(&["runs", "list", "-n", "0"]);
    assert_eq!((said.code, said.err.as_str()), (0, "`--limit 0` lists none; leave it out to see the newest runs\n"));
}
