//! Votes input by input.

use super::*;
use crate::voting_engine::tally::Decision;
use proptest::prelude::*;

fn print(outcomes: &[&str]) -> Fingerprint {
    Fingerprint { outcomes: outcomes.iter().enumerate().map(|(n, o)| (format!("f({n})"), (*o).to_owned())).collect() }
}

/// `f(0)` and `f(-1)` would be beyond these examples.
fn evidence(votes: &[&[&str]]) -> Evidence {
    let mut evidence = Evidence::new(Domain::of("f", ["f(1) == 1", "f(4) == 4"]), 2);
    for (id, outcomes) in votes.iter().enumerate() {
        evidence.cast(id as u64, &print(outcomes));
    }
    evidence
}

fn winner(evidence: &Evidence, k: u32) -> Option<u64> {
    evidence.decided(k).map(|l| l.id)
}

#[test]
fn what_examples_do_not_speak_of_does_not_split_the_vote() {
    let e = evidence(&[&["= 0", "= 1"], &["= 7", "= 1"], &["! ValueError", "= 1"], &["= 0", "= 1"]]);
    assert_eq!(winner(&e, 4), Some(0), "all agree on f(1); f(0) only chooses");
    assert_eq!(winner(&e, 5), None);
}

#[test]
fn on_inputs_like_the_examples_the_lead_is_counted() {
    let e = evidence(&[&["= 0", "= 1"], &["= 0", "= 2"], &["= 0", "= 1"], &["= 0", "= 1"]]);
    assert_eq!(e.leader().map(|l| (l.id, l.lead, l.is_frequent)), Some((0, 2, false)), "3 is not 4 times 1");
    assert_eq!(winner(&e, 2), None);
    let e = evidence(&[&["", "= 1"], &["", "= 2"], &["", "= 1"], &["", "= 1"], &["", "= 1"]]);
    assert_eq!(winner(&e, 3), Some(0));
    assert_eq!((e.votes_needed(3), e.votes_needed(5)), (0, 2));
}

#[test]
fn a_candidate_that_gives_up_votes_for_nobody() {
    let e = evidence(&[&["", "! IndexError"], &["", "= 1"], &["", "= 1"], &["", "= 2"]]);
    let leader = e.leader().map(|l| (l.id, l.lead));
    assert_eq!(leader, Some((1, 1)), "two to one; the first cannot win");
    let tie: [&[&str]; 8] = std::array::from_fn(|id| if id % 2 == 0 { &["", "= 1"] } else { &["", "= 2"] } as &[&str]);
    let mut e = evidence(&tie);
    assert_eq!((winner(&e, 3), e.votes_needed(3)), (None, 3));
    e.cast(8, &print(&["", "! IndexError"]));
    assert_eq!((winner(&e, 3), e.votes_needed(3)), (None, 3), "four to four it is still");
}

#[test]
fn changed_arguments_matter_where_nothing_is_returned() {
    let plain = evidence(&[&["", "= 1; mutates xs -> []"], &["", "= 1"]]);
    assert_eq!(winner(&plain, 2), Some(1), "both count, the one that changes nothing is taken");
    let in_place = evidence(&[&["", "= None; mutates xs -> [1]"], &["", "= None; mutates xs -> [2]"]]);
    assert_eq!(winner(&in_place, 1), None);
}

#[test]
fn near_misses_ask_for_more_votes_unless_most_fail_by_far() {
    let mut e = evidence(&[&["", "= 1"], &["", "= 1"]]);
    assert_eq!((e.needed(2), winner(&e, 2)), (2, Some(0)));
    for needed in [3, 4, 5, 6] {
        e.miss(true, None);
        assert_eq!(e.needed(2), needed);
    }
    assert_eq!((winner(&e, 2), e.votes_needed(2)), (None, 0));
    for needed in [6, 5, 4, 4, 4, 4, 3] {
        e.miss(false, None);
        assert_eq!(e.needed(2), needed, "16 / 2 (far + 1), rounded up");
    }
    let mut single = Evidence::new(Domain::default(), 1);
    (0..5).for_each(|_| single.miss(true, None));
    assert_eq!(single.needed(2), 4, "with one example every miss is a near one");
}

#[test]
fn a_gate_that_most_fail_by_far_is_worth_a_vote() {
    let mut strict = Evidence::new(Domain::default(), 3);
    strict.cast(0, &print(&["= 1"]));
    assert_eq!((strict.needed(2), strict.votes_needed(2)), (2, 0), "it may turn out so");
    (0..8).for_each(|_| strict.miss(false, None));
    assert_eq!((strict.needed(2), winner(&strict, 2)), (1, Some(0)));
    strict.miss(true, None);
    assert_eq!(strict.needed(2), 3, "a near miss shows another way past it");
    let mut two = Evidence::new(Domain::default(), 2);
    (0..8).for_each(|_| two.miss(false, None));
    assert_eq!(two.needed(2), 2);
}

#[test]
fn two_votes_less_where_those_that_fail_do_nothing_as_the_leader() {
    let failing = |outcome: &str| print(&["= 9", outcome, outcome, outcome, outcome]);
    let mut e = Evidence::new(Domain::of("f", ["f(1) == 1", "f(4) == 4"]), 2);
    (0..7).for_each(|_| e.miss(false, Some(failing("= 2"))));
    e.cast(0, &print(&["= 9", "= 1", "= 1", "= 1", "= 1"]));
    assert_eq!((e.needed(3), e.votes_needed(3)), (3, 0), "seven are not enough yet");
    e.miss(false, Some(failing("! ValueError")));
    assert_eq!((e.needed(3), winner(&e, 2)), (3, None), "8 times (0.5 / 5)²: four inputs are few");
    let mut more = Evidence::new(Domain::of("f", ["f(1) == 1", "f(4) == 4", "f(2) == 2"]), 3);
    (0..8).for_each(|_| more.miss(true, Some(failing("= 2"))));
    more.cast(0, &print(&["= 9", "= 1", "= 1", "= 1", "= 1"]));
    assert_eq!(more.needed(2), 2 + 8 - 2, "near misses are feared all the same");
    more.miss(true, Some(failing("= 1")));
    assert_eq!(more.needed(2), 2 + 9, "one of them is the leader's twin on all inputs but those of the examples");
}

#[test]
fn beyond_the_examples_a_tie_of_values_waits_for_one_more_vote() {
    let e = evidence(&[&["= 0", "= 1"], &["= 7", "= 1"]]);
    assert_eq!(winner(&e, 2), None, "one says 0, one says 7");
    let e = evidence(&[&["= 0", "= 1"], &["! IndexError", "= 1"]]);
    assert_eq!(winner(&e, 2), Some(0), "who gives no value there holds nothing up");
    let mut e = evidence(&[&["= 0", "= 1"], &["= 7", "= 1"], &["= 0", "= 1"]]);
    assert_eq!((winner(&e, 2), winner(&e, 3)), (Some(0), None), "2 : 1 is enough for a lead of 2, not of 3");
    e.cast(3, &print(&["= 0", "= 1"]));
    assert_eq!(winner(&e, 3), Some(0));
}

#[test]
fn an_answered_question_is_worth_a_vote() {
    let e = evidence(&[&["", "= 1"]]);
    assert_eq!(winner(&e, 2), None);
    let e = e.answered(1);
    assert_eq!((e.needed(2), winner(&e, 2), e.votes_needed(3)), (1, Some(0), 1));
    assert_eq!(e.answered(5).needed(3), 1, "never less than one vote");
}

#[test]
fn a_barred_class_is_gone() {
    let mut e = evidence(&[&["= 0", "= 1"], &["= 0", "= 1"], &["= 0", "= 2"]]);
    e.bar(&print(&["= 0", "= 1"]).class());
    assert_eq!(winner(&e, 1), Some(2));
    (3..9).for_each(|id| e.cast(id, &print(&["= 0", "= 1"])));
    assert_eq!(winner(&e, 1), Some(2), "whoever votes for it");
    e.forget_votes();
    e.cast(0, &print(&["= 0", "= 1"]));
    assert_eq!(winner(&e, 1), Some(0));
}

/// Three inputs; 0 is no answer.
fn votes(most: usize) -> impl Strategy<Value = Vec<Vec<u8>>> {
    prop::collection::vec(prop::collection::vec(0u8..4, 3), 1..most)
}

fn cast(e: &mut Evidence, id: usize, answers: &[u8]) {
    let outcomes: Vec<String> = answers.iter().map(|x| if *x == 0 { "! E".into() } else { format!("= {x}") }).collect();
    e.cast(id as u64, &print(&outcomes.iter().map(String::as_str).collect::<Vec<_>>()));
}

proptest! {
    #[test]
    fn whole_behaviours_with_one_input_decide_as_the_tally_does(votes in prop::collection::vec(0u8..3, 0..30), k in 1u32..5) {
        let mut tally = crate::voting_engine::tally::Tally::default();
        let mut e = Evidence::default();
        for (id, v) in votes.iter().enumerate() {
            let print = Fingerprint { outcomes: vec![("f(1)".into(), format!("= {v}"))] };
            tally.cast(id as u64, print.class());
            e.cast(id as u64, &print);
        }
        if let Some(leader) = e.leader() {
            prop_assert_eq!(leader.lead, i64::from(tally.margin()));
        }
        prop_assert_eq!(e.votes_needed(k), tally.votes_needed(k));
        let standing = tally.standing();
        let rival = standing.get(1).map_or(0, |second| second.votes);
        let decided = match tally.decision(k) {
            Decision::Decided(class) if standing[0].votes >= SHARE * rival => Some(class),
            _ => None,
        };
        prop_assert_eq!(e.decided(k).map(|l| l.class), decided);
    }

    #[test]
    fn a_winner_leads_on_every_input_that_counts(votes in votes(24), k in 1u32..4) {
        let mut e = Evidence::default();
        votes.iter().enumerate().for_each(|(id, v)| cast(&mut e, id, v));
        if let Some(leader) = e.decided(k) {
            let winner = &votes[leader.id as usize];
            for place in 0..3 {
                let votes_for = |answer: u8| votes.iter().filter(|v| v[place] == answer).count();
                let own = if winner[place] == 0 { 0 } else { votes_for(winner[place]) };
                for rival in (1..4u8).filter(|r| *r != winner[place] && votes_for(*r) > 0) {
                    prop_assert!(own >= votes_for(rival) + k as usize && own >= 4 * votes_for(rival));
                }
                prop_assert!(own >= k as usize || votes_for(0) == votes.len(), "of those who answer");
            }
        }
    }

    #[test]
    fn who_gives_no_value_decides_nothing(votes in votes(20), k in 1u32..4) {
        prop_assume!(votes.iter().flatten().any(|answer| *answer != 0));
        let mut e = Evidence::default();
        votes.iter().enumerate().for_each(|(id, v)| cast(&mut e, id, v));
        let (before, needed) = (e.decided(k).map(|l| l.id), e.votes_needed(k));
        cast(&mut e, votes.len(), &[0, 0, 0]);
        prop_assert_eq!((e.decided(k).map(|l| l.id), e.votes_needed(k)), (before, needed));
    }

    #[test]
    fn fewer_votes_than_are_needed_never_decide(votes in votes(24), k in 1u32..6, seen in 0usize..24) {
        let seen = seen.min(votes.len());
        let mut e = Evidence::default();
        votes[..seen].iter().enumerate().for_each(|(id, v)| cast(&mut e, id, v));
        let needed = e.votes_needed(k) as usize;
        for (id, v) in votes.iter().enumerate().skip(seen) {
            cast(&mut e, id, v);
            prop_assert!(e.decided(k).is_none() || id + 1 - seen >= needed, "{} of {needed}", id + 1 - seen);
        }
    }
}
