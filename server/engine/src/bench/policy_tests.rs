//! Policies on cases made by hand.

use zeroerr_core::advice::{Claim, Trial};
use zeroerr_core::voting_engine::domain::Domain;

use super::*;

fn voter(passes: bool, outcomes: &[&str]) -> Voter {
    let outcomes = outcomes.iter().enumerate().map(|(n, o)| (format!("f({})", n + 1), format!("= {o}")));
    let behaviour = Fingerprint { outcomes: outcomes.collect() };
    Voter {
        text: format!("{behaviour:?}"),
        tree: None,
        passes,
        is_near: false,
        is_unfit: false,
        behaviour: Some(behaviour),
        is_right: false,
    }
}

/// Three candidates: two that pass and differ on `f(2)`, one that fails an example.
fn case(samples: &[usize]) -> Case {
    let voters = vec![voter(true, &["1", "2"]), voter(true, &["1", "3"]), voter(false, &["7", "7"])];
    let reference = voters[1].behaviour.clone();
    let samples = samples.iter().map(|s| if *s == 9 { Err(RedFlag::Empty) } else { Ok(*s) }).collect();
    let evidence = Evidence::new(Domain::of("f", ["f(1) == 1", "f(3) == 1"]), 2);
    Case::new("t/0".into(), evidence, samples, voters, reference.as_ref())
}

fn rules(k: u32) -> StepRules {
    StepRules { k, max_attempts: 20, in_flight: 1 }
}

fn replay(case: &Case, policy: Policy, k: u32) -> (Option<usize>, u32) {
    let order: Vec<usize> = (0..case.samples.len()).collect();
    let replayed = case.replay(policy, rules(k), &order, &[], &|_| Some(true));
    (replayed.winner, replayed.samples)
}

#[test]
fn each_policy_sees_what_it_may() {
    let case = case(&[9, 2, 2, 0, 1, 1, 1]);
    assert_eq!(replay(&case, Policy::FirstPassing, 1), (Some(0), 4));
    assert_eq!(replay(&case, Policy::Behaviour, 2), (Some(2), 3), "no gate");
    assert_eq!(replay(&case, Policy::Gated, 2), (Some(1), 7));
    assert_eq!(replay(&case, Policy::Text, 2), (Some(2), 3));
    assert_eq!(replay(&case, Policy::Tree, 1), (None, 7), "no trees, no votes");
    assert_eq!(replay(&case, Policy::Ours, 2).0, None, "three to one is not four to one");
}

#[test]
fn what_those_that_fail_do_counts_on_inputs_like_the_examples() {
    let replayed = |failing: [&str; 4]| {
        let voters = vec![voter(true, &["1", "2", "3", "4"]), voter(false, &failing)];
        let samples = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0].map(Ok).to_vec();
        let evidence = Evidence::new(Domain::of("f", (3..9).map(|_| "f(2) == 1")), 6);
        replay(&Case::new("t/0".into(), evidence, samples, voters, None), Policy::Ours, 4)
    };
    assert_eq!(replayed(["9", "9", "9", "9"]), (Some(0), 9), "strict, and no luck: one vote decides");
    assert_eq!(replayed(["1", "9", "9", "9"]), (Some(0), 9), "8 · (1.5/5)⁶ is 0.006");
    assert_eq!(replayed(["1", "2", "9", "9"]), (Some(0), 11), "8 · (2.5/5)⁶ is 0.1");
    assert_eq!(replayed(["1", "9", "9", "4"]), (Some(0), 11), "and inputs on which all are alike count, too");
}

#[test]
fn who_fails_no_example_makes_no_gate_strict() {
    let replayed = |is_unfit: bool, asked: &[usize]| {
        let unfit = Voter { is_unfit, ..voter(false, &["1", "2"]) };
        let voters = vec![voter(true, &["1", "2"]), unfit, voter(true, &["1", "3"])];
        let reference = voters[0].behaviour.clone();
        let samples =
            if asked.is_empty() { [1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0] } else { [2, 2, 2, 2, 2, 2, 2, 2, 0, 0, 0] };
        let evidence = Evidence::new(Domain::of("f", (3..6).map(|_| "f(2) == 1")), 3);
        let case = Case::new("t/0".into(), evidence, samples.map(Ok).to_vec(), voters, reference.as_ref());
        let order: Vec<usize> = (0..11).collect();
        let replayed = case.replay(Policy::Ours, rules(3), &order, asked, &|_| Some(true));
        (replayed.winner, replayed.samples)
    };
    assert_eq!(replayed(false, &[]), (Some(0), 10), "a strict gate is worth a vote");
    assert_eq!(replayed(true, &[]), (Some(0), 11), "what does not fit the file was put to no example");
    assert_eq!(replayed(true, &[1]), (Some(0), 10), "and who contradicts an answer is worth no more than the answer");
}

#[test]
fn a_refused_winner_may_not_win_and_an_unknown_one_is_named() {
    let case = case(&[0, 0, 1, 1]);
    let order = [0, 1, 2, 3];
    let refused = case.replay(Policy::Ours, rules(2), &order, &[], &|c| Some(c != 0));
    assert_eq!((refused.winner, refused.samples, refused.unverified), (Some(1), 4, None));
    let unknown = case.replay(Policy::Ours, rules(2), &order, &[], &|_| None);
    assert_eq!((unknown.winner, unknown.unverified), (Some(0), Some(0)));
}

#[test]
fn an_answer_takes_the_votes_of_those_who_contradict_it() {
    let case = case(&[0, 0, 0, 1]);
    let asked = case.ask(rules(2), &[0, 3, 1, 2], 2, &|_| Some(true));
    let winners: Vec<(Option<usize>, usize)> = asked.iter().map(|(r, n)| (r.winner, *n)).collect();
    assert_eq!(winners, [(None, 0), (Some(1), 1), (Some(1), 1)], "the second question has nothing to ask");
}

#[test]
fn a_guess_abstains_never_and_answers_mend_it() {
    let case = case(&[9, 2, 2, 0, 0, 1]);
    let order = [0, 1, 2, 3, 4, 5];
    assert_eq!(case.guesses(&order, 1, true), [(Some(0), 0), (Some(1), 1)], "2 : 1 among those that pass");
    assert_eq!(case.guesses(&order, 1, false), [(Some(2), 0), (Some(1), 1)], "the one that fails comes first");
    assert_eq!(case.guesses(&order[..1], 1, true), [(None, 0), (None, 0)], "a red flag is no candidate");
    assert_eq!(case.guesses(&order[..2], 0, true), [(Some(2), 0)], "nothing passes");
}

#[test]
fn fewer_samples_than_allowed_end_the_replay() {
    assert_eq!(replay(&case(&[0]), Policy::Gated, 2), (None, 0), "one sample is never two ahead");
}

#[test]
fn tests_that_speak_against_the_leader_cost_it_a_vote() {
    let claim = Claim { call: "f(2)".into(), expected: Some("3".into()), inside: true };
    let trial = |outcome: &str| (claim.code(), Trial { outcome: Some(format!("= {outcome}")), holds: outcome == "3" });
    let trials = [(0, vec![trial("2")]), (1, vec![trial("3")])].into();
    let advice = Advice { said: vec![Said::Claims(vec![claim.clone()])], trials, truth: Vec::new() };
    let rules = AgentRules { testers: 1, weak_votes: 1, ..AgentRules::default() };
    let case = |samples: &[usize]| {
        let mut case = case(samples);
        case.heard = Heard { tests: Some(advice.clone()), rules, ..Heard::default() };
        case
    };
    assert_eq!(replay(&case(&[1, 0, 0, 0]), Policy::Gated, 2), (Some(0), 4));
    assert_eq!(
        replay(&case(&[1, 0, 0, 0]), Policy::GatedAdvised(Adviser::Testers), 2).0,
        None,
        "the sample it is granted is not there"
    );
    assert_eq!(replay(&case(&[1, 0, 0, 0, 0]), Policy::GatedAdvised(Adviser::Testers), 2), (Some(0), 5));
    assert_eq!(
        replay(&case(&[0, 1, 1, 1]), Policy::GatedAdvised(Adviser::Testers), 2),
        (Some(1), 4),
        "they speak for this one"
    );
}
