//! The orchestrator without a runtime: scripted events in, commands out.

use super::*;
use proptest::prelude::*;
use zeroerr_core::code::Candidate;
use zeroerr_core::report::StepReport;
use zeroerr_core::voting_engine::domain::Domain;
use zeroerr_core::voting_engine::tally::Decision;

fn vote(behaviour: &str) -> SampleFate {
    SampleFate::Votes {
        candidate: Candidate { function: behaviour.into(), body: behaviour.into(), imports: vec![] },
        fingerprint: Fingerprint { outcomes: vec![("f(0)".into(), format!("= {behaviour}"))] },
    }
}

fn sampled(id: u64, fate: SampleFate) -> Event {
    Event::Sampled { id, completion_tokens: 10, fate }
}

fn class_of(behaviour: &str) -> String {
    Fingerprint { outcomes: vec![("f(0)".into(), format!("= {behaviour}"))] }.class()
}

fn verdict(round: u64, verification: Verification) -> Event {
    Event::Verified { round, verification }
}

fn rules(k: u32, max_attempts: u32, in_flight: u32) -> StepRules {
    StepRules { k, max_attempts, in_flight }
}

fn drawn(commands: &[Command]) -> Vec<u64> {
    commands.iter().filter_map(|c| if let Command::Draw { id } = c { Some(*id) } else { None }).collect()
}

#[test]
fn decides_cancels_what_is_outstanding_and_verifies() {
    let mut m = StepMachine::new("f", rules(2, 20, 6));
    assert_eq!(drawn(&m.start()), [0, 1, 2, 3], "as many as are likely to be needed for a lead of two");
    assert_eq!(
        drawn(&m.handle(sampled(1, SampleFate::Flagged(RedFlag::Empty)))),
        [4, 5, 6],
        "fewer valid samples, more in flight"
    );
    assert!(drawn(&m.handle(sampled(0, vote("a")))).is_empty());
    let commands = m.handle(sampled(2, vote("a")));
    assert_eq!(commands[0], Command::Cancel { ids: vec![3, 4, 5, 6] });
    assert!(matches!(&commands[1], Command::Verify { id: 0, .. }));
    assert!(m.handle(sampled(3, vote("b"))).is_empty(), "a cancelled sample no longer counts");
    let end = m.handle(verdict(0, Verification::Accepted));
    assert!(matches!(&end[0], Command::Finish(StepEnd::Won { id: 0, .. })));
    assert_eq!(m.report().samples, 3);
}

#[test]
fn a_refuted_class_may_not_win_again() {
    let mut m = StepMachine::new("f", rules(1, 3, 1));
    m.start();
    assert!(matches!(m.handle(sampled(0, vote("a")))[0], Command::Verify { .. }));
    let next = drawn(&m.handle(verdict(0, Verification::Refuted("types failed".into()))));
    assert_eq!(next, [3], "the next round has numbers of its own");
    assert_eq!(drawn(&m.handle(sampled(3, vote("a")))), [4], "a second vote for it decides nothing");
    assert!(matches!(m.handle(sampled(4, vote("b")))[0], Command::Verify { id: 4, .. }));
    assert_eq!(m.feedback(), ["types failed"]);
    assert_eq!(m.report().diversity, Some(0.6667), "two behaviours in three votes, the refuted included");
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
    expect_test::expect!["no candidate could vote in 2 samples: 1 failed an example, 1 was discarded as malformed; last: f(1) gave 2, expected 3"].assert_eq(match m.end.as_ref() {
        Some(StepEnd::Abstained(why)) => why,
        other => panic!("{other:?}"),
    });
}

#[test]
fn only_who_fails_examples_says_what_they_are_worth() {
    let won_after = |fate: SampleFate| {
        let evidence = Evidence::new(Domain::default(), 3);
        let mut m = StepMachine::new("f", rules(2, 20, 1)).with_evidence(evidence);
        m.start();
        (0..8).for_each(|id| drop(m.handle(sampled(id, fate.clone()))));
        let wins = |m: &mut StepMachine, id| matches!(m.handle(sampled(id, vote("a")))[..], [Command::Verify { .. }]);
        let votes = (1..4).find(|votes| wins(&mut m, 7 + votes));
        assert_eq!(m.report().gate_rejected, 8);
        votes
    };
    assert_eq!(won_after(SampleFate::GateRejected("f(1) gave 2, expected 3".into())), Some(1), "a strict gate");
    assert_eq!(won_after(SampleFate::Unfit("it does not fit the file".into())), Some(2), "they failed no example");
}

#[test]
fn samples_of_an_earlier_run_are_no_attempts_of_this_one() {
    let mut m = StepMachine::new("f", rules(2, 2, 1)).taking_up(2);
    assert_eq!(drawn(&m.start()), [0]);
    m.handle(sampled(0, vote("a")));
    assert_eq!(drawn(&m.handle(sampled(1, vote("b")))), [2], "two more may be drawn");
    assert_eq!(drawn(&m.handle(sampled(2, vote("a")))), [3]);
    m.handle(sampled(3, vote("a")));
    let report = m.report();
    assert_eq!((report.samples, report.taken_up, m.max_attempts()), (4, 2, 4));
    let standing: Vec<(u64, u32)> = m.standing().iter().map(|s| (s.id, s.votes)).collect();
    assert_eq!(standing, [(0, 3), (1, 1)]);
}

#[test]
fn a_vote_waits_for_the_samples_before_it() {
    let mut m = StepMachine::new("f", rules(2, 20, 2));
    assert_eq!(drawn(&m.start()), [0, 1]);
    assert!(m.handle(sampled(1, vote("b"))).is_empty(), "one more vote may decide, and one is under way");
    assert_eq!(m.votes(), 0);
    assert_eq!(drawn(&m.handle(sampled(0, vote("a")))), [2, 3], "both count now, and stand one to one");
    m.handle(sampled(3, vote("b")));
    assert!(drawn(&m.handle(sampled(2, vote("a")))).len() <= 2);
    let standing: Vec<u32> = m.report().tally.iter().map(|c| c.votes).collect();
    assert_eq!((m.votes(), standing), (4, vec![2, 2]), "in the order of arrival `b` would have been ahead first");
}

#[test]
fn what_came_early_does_not_count_once_the_step_is_settled() {
    let mut m = StepMachine::new("f", rules(2, 9, 4));
    m.start();
    m.handle(sampled(1, SampleFate::Flagged(RedFlag::Empty)));
    m.handle(sampled(4, vote("late")));
    m.handle(sampled(0, vote("a")));
    assert!(matches!(m.handle(sampled(2, vote("a")))[..], [Command::Cancel { .. }, Command::Verify { .. }]));
    assert_eq!((m.samples(), m.ended(), m.votes()), (3, 4, 2));
    let next = drawn(&m.handle(verdict(0, Verification::Refuted("no".into()))));
    assert_eq!(next[0], 9, "sample 4 was drawn without knowing what was wrong, and never counts");
    assert_eq!(m.report().completion_tokens, 40, "but it was paid for");
}

#[test]
fn nothing_more_can_be_drawn_and_the_step_ends_at_any_moment() {
    for broken_after in 0..3 {
        let mut m = StepMachine::new("f", rules(3, 20, 4));
        m.start();
        (0..broken_after).for_each(|id| drop(m.handle(sampled(id, vote("a")))));
        let commands = m.handle(Event::Broken("the model is gone".into()));
        assert!(matches!(commands.last(), Some(Command::Finish(StepEnd::Failed(why))) if why == "the model is gone"));
        assert!(m.handle(sampled(3, vote("a"))).is_empty() && m.handle(Event::Broken("again".into())).is_empty());
    }
}

/// A world to run a machine in: which sample ends next, what it says, whom the stack refutes, when
/// the process dies. Everything the machine gets beyond that is noise.
struct World<'a> {
    fates: &'a [SampleFate],
    /// Behaviours that the stack refutes.
    refuted: &'a [u8],
    picks: Vec<usize>,
    /// The process dies before these events (counted from 0) and comes back with its journal.
    deaths: Vec<usize>,
    rules: StepRules,
    /// Samples that an earlier run has drawn.
    earlier: u32,
    /// What votes are weighed by, where they are counted input by input.
    evidence: Option<&'a Evidence>,
    aim: Option<Aim>,
    agents: AgentRules,
    /// What testers, discriminators and critics say, as numbers.
    words: &'a [u8],
}

/// What came out, and how it got there.
struct Outcome {
    end: StepEnd,
    /// The behaviours that were counted and not refuted, without what agents proposed.
    plain: Tally,
    report: StepReport,
    feedback: Vec<String>,
    /// Every number that was drawn, in order, with the life it was drawn in.
    drawn: Vec<(usize, u64)>,
    most_in_flight: usize,
}

impl World<'_> {
    fn fate(&self, id: u64) -> SampleFate {
        self.fates[id as usize % self.fates.len()].clone()
    }

    fn judged(&self, m: &StepMachine, id: u64) -> Verification {
        let SampleFate::Votes { fingerprint, .. } = self.fate(id) else { panic!("{id} has no candidate") };
        match self.refuted.iter().find(|c| class_of(&c.to_string()) == fingerprint.class()) {
            Some(behaviour) => Verification::Refuted(format!("{behaviour} is wrong after {}", m.feedback().len())),
            None => Verification::Accepted,
        }
    }

    fn behaviour(&self, id: u64) -> Option<String> {
        match self.fate(id) {
            SampleFate::Votes { fingerprint, .. } => Some(fingerprint.class()),
            _ => None,
        }
    }

    fn plain(&self, m: &StepMachine, refuted: &BTreeSet<String>) -> Tally {
        let mut plain = Tally::default();
        for id in (0..10_000).filter(|id| m.was_counted(*id)) {
            if let Some(class) = self.behaviour(id) {
                plain.cast(id, class);
            }
        }
        refuted.iter().for_each(|class| plain.bar(class));
        plain
    }

    /// What an agent says: always the same to the same question, right or wrong.
    fn says(&self, errand: Errand) -> Said {
        let n = match errand {
            Errand::Test(n) | Errand::Discriminate(n) => n as usize,
            Errand::Criticise(id) => id as usize,
        };
        let word = |at: usize| self.words[(n * 3 + at) % self.words.len()];
        match errand {
            _ if word(0) == 0 => Said::Nothing("it babbles".into()),
            Errand::Criticise(_) => Said::Objection(format!("{n} is wrong")),
            _ => Said::Claims(
                (0..3)
                    .map(|at| Claim {
                        call: format!("f({})", word(at) % 4),
                        expected: matches!(errand, Errand::Test(_)).then(|| (word(at) / 4).to_string()),
                        inside: word(at) % 3 > 0,
                    })
                    .collect(),
            ),
        }
    }

    /// What the candidate of a sample makes of claims. Some cannot be tried.
    fn tries(&self, id: VoteId, claims: &[Claim]) -> Vec<(String, Trial)> {
        let SampleFate::Votes { candidate, .. } = self.fate(id) else { panic!("{id} has no candidate") };
        if candidate.body == "untriable" {
            return Vec::new();
        }
        let trial = |claim: &Claim| {
            // What it hides shows on some calls only.
            let hidden = if claim.call.contains(['2', '3']) { candidate.body.as_str() } else { "0" };
            let holds = claim.expected.as_deref() == Some(hidden);
            (claim.code(), Trial { outcome: Some(format!("= {hidden}")), holds })
        };
        claims.iter().map(trial).collect()
    }

    fn run(&self) -> Outcome {
        let mut picks = self.picks.iter().copied().cycle();
        let (mut journal, mut drawn, mut most, mut events) = (Vec::new(), Vec::new(), 0, 0);
        let mut refuted = BTreeSet::new();
        for life in 0.. {
            let m = StepMachine::new("f", self.rules).taking_up(self.earlier);
            let m = m.aiming_at(self.aim).advised_by(self.agents);
            let mut m = match self.evidence {
                Some(evidence) => m.with_evidence(evidence.clone()),
                None => m,
            };
            m.restore(&journal);
            let mut commands = m.start();
            let mut awaited: Vec<u64> = Vec::new();
            let mut advising: Vec<Event> = Vec::new();
            loop {
                let mut verify = None;
                for command in commands.drain(..) {
                    match command {
                        Command::Draw { id } => {
                            assert!(!awaited.contains(&id), "{id} is under way already");
                            awaited.push(id);
                            drawn.push((life, id));
                        }
                        Command::Cancel { ids } => awaited.retain(|i| !ids.contains(i)),
                        Command::Ask { errand, .. } => {
                            let event = Event::Advised { errand, completion_tokens: 5, said: self.says(errand) };
                            assert!(!advising.contains(&event), "{errand:?} is asked for twice");
                            advising.push(event);
                        }
                        Command::Try { ids, claims } => {
                            let trials = ids.iter().map(|id| (*id, self.tries(*id, &claims))).collect();
                            advising.push(Event::Tried { trials });
                        }
                        Command::Verify { class, id, round } => verify = Some((class, id, round)),
                        Command::Finish(end) => {
                            let (report, feedback) = (m.report(), m.feedback().to_vec());
                            let plain = self.plain(&m, &refuted);
                            return Outcome { end, plain, report, feedback, drawn, most_in_flight: most };
                        }
                    }
                }
                most = most.max(awaited.len());
                events += 1;
                if self.deaths.contains(&(events - 1)) {
                    break;
                }
                if let Some((class, id, round)) = verify {
                    assert!(awaited.is_empty(), "nothing is decoded in vain");
                    let verification = self.judged(&m, id);
                    if let Verification::Refuted(feedback) = verification.clone() {
                        refuted.insert(self.behaviour(id).expect("a candidate"));
                        journal.push(Record::Barred {
                            step: "f".into(),
                            class: class.clone(),
                            feedback,
                            layers: Vec::new(),
                        });
                    }
                    let verdict = Event::Verified { round, verification };
                    commands = m.handle(verdict.clone());
                    assert!(m.handle(verdict).is_empty(), "a verdict counts once");
                    continue;
                }
                let under_way = awaited.len() + advising.len();
                assert!(under_way > 0, "nothing is under way and nothing is decided: a deadlock");
                let pick = picks.next().unwrap() % under_way;
                if pick >= awaited.len() {
                    let event = advising.remove(pick - awaited.len());
                    journal.extend(records(&event));
                    commands = m.handle(event.clone());
                    assert!(m.handle(event).is_empty(), "an answer counts once");
                    continue;
                }
                let id = awaited.remove(pick);
                let fate = self.fate(id);
                let sample =
                    |fate| Record::Sample { step: "f".into(), id, completion_tokens: 10, model: "m".into(), fate };
                journal.push(sample(fate.clone()));
                if id.is_multiple_of(3) {
                    journal.push(sample(vote("a journal that says a thing twice")));
                }
                commands = m.handle(sampled(id, fate));
                for noise in [sampled(id, vote("twice")), sampled(id + 100_000, vote("never drawn"))] {
                    assert!(m.handle(noise).is_empty());
                }
            }
        }
        unreachable!()
    }

    /// One sample at a time, never disturbed.
    fn undisturbed(&self) -> Outcome {
        let rules = StepRules { in_flight: 1, ..self.rules };
        World { rules, deaths: Vec::new(), picks: vec![0], ..*self }.run()
    }
}

/// What a journal keeps of it.
fn records(event: &Event) -> Vec<Record> {
    match event.clone() {
        Event::Advised { errand, completion_tokens, said } => {
            vec![Record::Advised { step: "f".into(), errand, model: "m".into(), completion_tokens, said }]
        }
        Event::Tried { trials } => {
            trials.into_iter().map(|(id, trials)| Record::Tried { step: "f".into(), id, trials }).collect()
        }
        other => panic!("{other:?}"),
    }
}

/// A candidate that hides what it does where the fingerprint does not look.
fn hiding(behaviour: u8, hidden: &str) -> SampleFate {
    let SampleFate::Votes { candidate, fingerprint } = vote(&behaviour.to_string()) else { unreachable!() };
    SampleFate::Votes { candidate: Candidate { body: hidden.into(), ..candidate }, fingerprint }
}

/// Samples that do not vote, in every way.
fn rejected() -> impl Strategy<Value = SampleFate> {
    let failing = |is_near| SampleFate::Failing {
        why: "no".into(),
        is_near,
        behaviour: Fingerprint { outcomes: vec![("f(0)".into(), "= 1".into())] },
    };
    prop_oneof![
        Just(SampleFate::GateRejected("no".into())),
        Just(SampleFate::NearMiss("nearly".into())),
        prop::bool::ANY.prop_map(failing),
        Just(SampleFate::Unfit("it does not fit".into())),
    ]
}

fn fates() -> impl Strategy<Value = Vec<SampleFate>> {
    let one = prop_oneof![
        4 => (0u8..3, prop_oneof![4 => Just("0"), 2 => Just("1"), 1 => Just("untriable")])
            .prop_map(|(c, hidden)| hiding(c, hidden)),
        1 => Just(SampleFate::Flagged(RedFlag::Empty)),
        1 => rejected(),
        1 => Just(SampleFate::Failed("no answer".into())),
    ];
    prop::collection::vec(one, 60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn any_interleaving_with_any_deaths_ends_like_an_undisturbed_run(
        fates in fates(),
        refuted in prop::collection::vec(0u8..3, 0..3),
        picks in prop::collection::vec(0usize..8, 1..64),
        deaths in prop::collection::vec(0usize..60, 0..12),
        k in 0u32..5, max_attempts in 1u32..40, in_flight in 0u32..8,
        aim in prop::option::of((0.6f64..0.95, 1u64..20)),
        agents in prop::option::of((0u32..3, 1u32..3, prop::bool::ANY, 1u32..3, 0u32..3)),
        words in prop::collection::vec(0u8..8, 1..20),
        earlier in prop_oneof![2 => Just(0u32), 1 => 1u32..12],
        evidence in prop::option::of((0u32..6, 0u32..3)),
    ) {
        let agents = agents.map_or_else(AgentRules::default, |(testers, weak_votes, critic, objection_votes, discriminators)| {
            AgentRules { testers, weak_votes, critic, objection_votes, discriminators }
        });
        let aim = aim.map(|(p, steps)| Aim { p, target: 0.9, steps });
        let evidence = evidence.map(|(examples, answered)| Evidence::new(Domain::default(), examples).answered(answered));
        let evidence = evidence.as_ref();
        let rules = rules(k, max_attempts, in_flight);
        let world = World { fates: &fates, refuted: &refuted, picks, deaths, rules, earlier, evidence, aim, agents, words: &words };
        let (disturbed, calm) = (world.run(), world.undisturbed());
        prop_assert_eq!(&disturbed.end, &calm.end);
        prop_assert_eq!(&disturbed.feedback, &calm.feedback);
        // What was paid for may differ: more in flight means more that is cancelled or comes too late.
        let decided = |o: &Outcome| StepReport { completion_tokens: 0, ..o.report.clone() };
        prop_assert_eq!(decided(&disturbed), decided(&calm));

        let granted = disturbed.report.advice.as_ref().map_or(0, |a| a.granted);
        let most = max_attempts + earlier;
        prop_assert!(disturbed.report.samples <= most + granted && granted <= most);
        prop_assert!(disturbed.report.k >= k.max(1) || aim.is_some() || evidence.is_some(), "agents never make it easier");
        prop_assert!(disturbed.most_in_flight <= in_flight.max(1) as usize);
        match disturbed.end {
            StepEnd::Won { id, .. } if evidence.is_some() => {
                prop_assert!(disturbed.report.margin >= disturbed.report.k);
                prop_assert!(world.behaviour(id).is_some(), "a candidate that votes");
            }
            StepEnd::Won { id, .. } => {
                prop_assert!(disturbed.report.margin >= disturbed.report.k);
                let decision = disturbed.plain.decision(disturbed.report.k);
                let own = world.behaviour(id).expect("a candidate");
                prop_assert_eq!(decision, Decision::Decided(own), "ahead without the inputs of agents, too");
            }
            // Input by input it may be frequency that is missing.
            StepEnd::Abstained(_) => prop_assert!(disturbed.report.margin < disturbed.report.k || evidence.is_some()),
            StepEnd::Failed(why) => prop_assert!(false, "{why}"),
        }
        // Within one life no number is drawn twice; the calm run draws exactly what it counts.
        let mut once = disturbed.drawn.clone();
        once.sort_unstable();
        once.dedup();
        prop_assert_eq!(once.len(), disturbed.drawn.len());
        prop_assert_eq!(calm.drawn.len() as u32, calm.report.samples);
    }
}
