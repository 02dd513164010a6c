//! The orchestrator without a runtime: scripted events in, commands out.

use super::*;
use proptest::prelude::*;
use zeroerr_core::code::Candidate;

fn vote(behaviour: &str) -> SampleFate {
    SampleFate::Votes {
        candidate: Candidate { function: behaviour.into(), body: behaviour.into(), imports: vec![] },
        fingerprint: Fingerprint { outcomes: vec![("f(0)".into(), format!("= {behaviour}"))] },
    }
}

fn sampled(id: u64, fate: SampleFate) -> Event {
    Event::Sampled { id, completion_tokens: 10, fate }
}

fn rules(k: u32, max_attempts: u32, in_flight: u32) -> StepRules {
    StepRules { k, max_attempts, in_flight }
}

fn drawn(commands: &[Command]) -> Vec<u64> {
    commands.iter().filter_map(|c| if let Command::Draw { id } = c { Some(*id) } else { None }).collect()
}

#[test]
fn decides_cancels_what_is_outstanding_and_verifies() {
    let mut m = StepMachine::new("f", rules(2, 20, 4));
    assert_eq!(drawn(&m.start()), [0, 1], "no more than the two votes that decide");
    assert_eq!(
        drawn(&m.handle(sampled(1, SampleFate::Flagged(RedFlag::Empty)))),
        [2, 3, 4],
        "fewer valid samples, more in flight"
    );
    m.handle(sampled(0, vote("a")));
    let commands = m.handle(sampled(2, vote("a")));
    assert_eq!(commands[0], Command::Cancel { ids: vec![3, 4] });
    assert!(matches!(&commands[1], Command::Verify { id: 0, .. }));
    assert!(m.handle(sampled(3, vote("b"))).is_empty(), "a cancelled sample no longer counts");
    let end = m.handle(Event::Verified(Verification::Accepted));
    assert!(matches!(&end[0], Command::Finish(StepEnd::Won { id: 0, .. })));
    assert_eq!(m.report().samples, 3);
}

#[test]
fn a_refuted_class_may_not_win_again() {
    let mut m = StepMachine::new("f", rules(1, 3, 1));
    m.start();
    assert!(matches!(m.handle(sampled(0, vote("a")))[0], Command::Verify { .. }));
    assert_eq!(drawn(&m.handle(Event::Verified(Verification::Refuted("types failed".into())))), [1]);
    assert_eq!(drawn(&m.handle(sampled(1, vote("a")))), [2], "a second vote for it decides nothing");
    assert!(matches!(m.handle(sampled(2, vote("b")))[0], Command::Verify { id: 2, .. }));
    assert_eq!(m.feedback(), ["types failed"]);
}

#[test]
fn abstains_with_votes_and_reason() {
    let mut m = StepMachine::new("f", rules(3, 4, 1));
    m.start();
    for (id, fate) in [(0, vote("1")), (1, vote("2")), (2, SampleFate::GateRejected("f(1) gave 2, expected 3".into()))]
    {
        if m.end.is_none() {
            m.handle(sampled(id, fate));
        }
    }
    expect_test::expect!["no behaviour can still get ahead by 3 (votes 1 : 1 after 2 of 4 samples)"].assert_eq(match m
        .end
        .as_ref()
    {
        Some(StepEnd::Abstained(why)) => why,
        other => panic!("{other:?}"),
    });
    let report = m.report();
    assert_eq!(report.disagreements.len(), 1);
    assert_eq!(report.disagreements[0].answers, [("= 1".to_owned(), 1), ("= 2".to_owned(), 1)]);
}

#[test]
fn says_why_nobody_could_vote() {
    let mut m = StepMachine::new("f", rules(1, 2, 1));
    m.start();
    m.handle(sampled(0, SampleFate::Flagged(RedFlag::Truncated)));
    m.handle(sampled(1, SampleFate::GateRejected("f(1) gave 2, expected 3".into())));
    expect_test::expect!["no candidate could vote in 2 samples: 1 failed an example, 1 were discarded as malformed; last: f(1) gave 2, expected 3"].assert_eq(match m.end.as_ref() {
        Some(StepEnd::Abstained(why)) => why,
        other => panic!("{other:?}"),
    });
}

/// Runs a machine to its end; `pick` chooses which awaited sample ends next, `fate` its fate.
fn run(
    m: &mut StepMachine,
    mut commands: Vec<Command>,
    pick: &mut dyn FnMut(usize) -> usize,
    fate: &dyn Fn(u64) -> SampleFate,
    log: &mut Vec<Record>,
) -> (StepEnd, usize) {
    let mut awaited: Vec<u64> = Vec::new();
    let mut peak = 0;
    loop {
        let mut verify = None;
        for command in commands.drain(..) {
            match command {
                Command::Draw { id } => awaited.push(id),
                Command::Cancel { ids } => awaited.retain(|i| !ids.contains(i)),
                Command::Verify { class, .. } => verify = Some(class),
                Command::Finish(end) => return (end, peak),
            }
        }
        peak = peak.max(awaited.len());
        if verify.is_some() {
            commands = m.handle(Event::Verified(Verification::Accepted));
            continue;
        }
        assert!(!awaited.is_empty(), "nothing is under way and nothing is decided: a deadlock");
        let id = awaited.remove(pick(awaited.len()) % awaited.len());
        log.push(Record::Sample { step: "f".into(), id, completion_tokens: 10, model: "m".into(), fate: fate(id) });
        commands = m.handle(sampled(id, fate(id)));
        for duplicate in [sampled(id, vote("late")), sampled(id + 1000, vote("never drawn"))] {
            assert!(m.handle(duplicate).is_empty());
        }
    }
}

fn fates() -> impl Strategy<Value = Vec<SampleFate>> {
    let one = prop_oneof![
        4 => (0u8..3).prop_map(|c| vote(&c.to_string())),
        1 => Just(SampleFate::Flagged(RedFlag::Empty)),
        1 => Just(SampleFate::GateRejected("no".into())),
        1 => Just(SampleFate::Failed("no answer".into())),
    ];
    prop::collection::vec(one, 60)
}

proptest! {
    #[test]
    fn always_ends_within_its_budget_and_never_wins_without_the_lead(
        fates in fates(), picks in prop::collection::vec(0usize..8, 64), k in 0u32..5, max in 1u32..40, in_flight in 0u32..8,
    ) {
        let mut m = StepMachine::new("f", rules(k, max, in_flight));
        let mut next = picks.iter().cycle();
        let start = m.start();
        let mut log = Vec::new();
        let (end, peak) = run(&mut m, start, &mut |_| *next.next().unwrap(), &|id| fates[id as usize % fates.len()].clone(), &mut log);
        let report = m.report();
        prop_assert!(report.samples <= max);
        prop_assert!(peak <= in_flight.max(1) as usize);
        match end {
            StepEnd::Won { .. } => prop_assert!(report.margin >= k.max(1)),
            StepEnd::Abstained(_) => prop_assert!(report.margin < k.max(1)),
            StepEnd::Failed(why) => prop_assert!(false, "{why}"),
        }
    }

    #[test]
    fn a_restart_at_any_moment_gives_the_same_decision(
        fates in fates(), k in 1u32..4, max in 1u32..30, cut in 0usize..30,
    ) {
        let fate = |id: u64| fates[id as usize % fates.len()].clone();
        let mut straight = StepMachine::new("f", rules(k, max, 1));
        let start = straight.start();
        let mut log = Vec::new();
        let (end, _) = run(&mut straight, start, &mut |_| 0, &fate, &mut log);

        let mut resumed = StepMachine::new("f", rules(k, max, 1));
        let known: Vec<Record> = log.iter().take(cut).chain(log.iter().take(cut)).cloned().collect();
        resumed.restore(&known);
        let start = resumed.start();
        let (end_again, _) = run(&mut resumed, start, &mut |_| 0, &fate, &mut Vec::new());
        prop_assert_eq!(end, end_again);
        prop_assert_eq!(straight.report(), resumed.report());
    }
}
