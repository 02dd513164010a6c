//! Plans without a runtime: steps end in any order, helpers turn out to be wrong, processes die.

use super::*;
use proptest::prelude::*;
use zeroerr_core::decomposition_engine::Step;

fn plan(steps: &[(&str, &[&str])]) -> Plan {
    let step = |(name, needs): &(&str, &[&str])| Step {
        name: (*name).into(),
        needs: needs.iter().map(|n| (*n).into()).collect(),
        ..Step::default()
    };
    Plan { steps: steps.iter().map(step).collect() }.ordered().unwrap()
}

fn turn(step: &str, attempt: u32) -> Turn {
    Turn { step: step.into(), attempt }
}

fn won(t: &Turn, class: &str, rivals: &[&str]) -> PlanEvent {
    PlanEvent::Ended {
        turn: t.clone(),
        end: StepEnd::Won { class: class.into(), id: 0 },
        rivals: rivals.iter().map(|r| (*r).into()).collect(),
        objection: String::new(),
    }
}

fn abstained(t: &Turn, objection: &str) -> PlanEvent {
    PlanEvent::Ended {
        turn: t.clone(),
        end: StepEnd::Abstained(format!("{} had no winner", t.step)),
        rivals: vec![],
        objection: objection.into(),
    }
}

fn run(step: &str, attempt: u32) -> PlanCommand {
    PlanCommand::Run(turn(step, attempt))
}

#[test]
fn a_step_runs_as_soon_as_what_it_calls_is_decided() {
    let plan = plan(&[("a", &[]), ("b", &[]), ("c", &["a"]), ("f", &["b", "c"])]);
    let mut m = PlanMachine::new(&plan, PlanRules { in_flight: 8, ..PlanRules::default() });
    assert_eq!(m.start(), [run("a", 0), run("b", 0)]);
    assert_eq!(m.handle(won(&turn("a", 0), "A", &[])), [run("c", 0)], "b is not waited for");
    assert_eq!(m.handle(won(&turn("c", 0), "C", &[])), []);
    assert_eq!(m.handle(won(&turn("c", 0), "other", &[])), [], "an event that comes twice changes nothing");
    assert_eq!(m.handle(won(&turn("b", 0), "B", &[])), [run("f", 0)]);
    assert_eq!(m.handle(won(&turn("f", 0), "F", &[])), [PlanCommand::Finish(PlanEnd::Composed)]);
    assert_eq!(m.winner("c"), Some("C"));
}

#[test]
fn never_more_than_allowed_at_once() {
    let plan = plan(&[("a", &[]), ("b", &[]), ("c", &[]), ("f", &["a", "b", "c"])]);
    let mut m = PlanMachine::new(&plan, PlanRules { in_flight: 2, ..PlanRules::default() });
    assert_eq!(m.start(), [run("a", 0), run("b", 0)]);
    assert_eq!(m.handle(won(&turn("b", 0), "B", &[])), [run("c", 0)]);
}

#[test]
fn the_first_rival_that_makes_the_whole_pass_puts_the_blame_on_its_step() {
    let plan = plan(&[("a", &[]), ("b", &[]), ("f", &["a", "b"])]);
    let mut m = PlanMachine::new(&plan, PlanRules::default());
    m.start();
    m.handle(won(&turn("a", 0), "A1", &["A2", "A3"]));
    m.handle(won(&turn("b", 0), "B1", &["B2"]));
    let f = turn("f", 0);
    let try_it =
        |step: &str, class: &str| PlanCommand::Try { failed: f.clone(), step: step.into(), class: class.into() };
    let tried = |step: &str, class: &str, passed| PlanEvent::Tried { step: step.into(), class: class.into(), passed };
    assert_eq!(m.handle(abstained(&f, "f(1) gave 2, expected 1")), [try_it("a", "A2")]);
    assert_eq!(m.handle(tried("b", "B2", true)), [], "an answer to what was not asked");
    assert_eq!(m.handle(tried("a", "A2", false)), [try_it("a", "A3")]);
    assert_eq!(m.handle(tried("a", "A3", false)), [try_it("b", "B2")]);
    let feedback = "`f` calls it, and then: f(1) gave 2, expected 1".to_owned();
    assert_eq!(
        m.handle(tried("b", "B2", true)),
        [PlanCommand::Blame { step: "b".into(), class: "B1".into(), feedback }, run("b", 0)]
    );
    assert_eq!(m.handle(won(&turn("b", 0), "B2", &[])), [run("f", 1)], "the caller votes anew, a does not");
    assert_eq!(m.handle(abstained(&f, "late")), [], "the old vote is void");
    assert_eq!(m.handle(won(&turn("f", 1), "F", &[])), [PlanCommand::Finish(PlanEnd::Composed)]);
}

#[test]
fn without_a_rival_that_helps_the_abstention_stands() {
    let plan = plan(&[("a", &[]), ("f", &["a"])]);
    let end = |objection: &str, passed: &[bool]| {
        let mut m = PlanMachine::new(&plan, PlanRules { trials: 2, ..PlanRules::default() });
        m.start();
        m.handle(won(&turn("a", 0), "A1", &["A2", "A3", "A4"]));
        let mut commands = m.handle(abstained(&turn("f", 0), objection));
        for passed in passed {
            let Some(PlanCommand::Try { step, class, .. }) = commands.pop() else { panic!("no trial") };
            commands = m.handle(PlanEvent::Tried { step, class, passed: *passed });
        }
        commands
    };
    let abstained = |why: &str| [PlanCommand::Finish(PlanEnd::Abstained { step: "f".into(), why: why.into() })];
    assert_eq!(end("", &[]), abstained("f had no winner"), "nobody was found wrong: nobody is to blame");
    assert_eq!(
        end("f(1) gave 2", &[false, false]),
        abstained("f had no winner; no other behaviour of the functions it calls makes it pass (2 rivals tried)")
    );
}

#[test]
fn of_several_failures_the_first_in_plan_order_counts() {
    let plan = plan(&[("a", &[]), ("b", &[]), ("f", &["a", "b"])]);
    for order in [["a", "b"], ["b", "a"]] {
        let mut m = PlanMachine::new(&plan, PlanRules::default());
        m.start();
        let commands: Vec<_> = order.iter().flat_map(|s| m.handle(abstained(&turn(s, 0), "wrong"))).collect();
        let end = PlanEnd::Abstained { step: "a".into(), why: "a had no winner".into() };
        assert_eq!(commands, [PlanCommand::Finish(end)], "{order:?}");
    }
}

/// Steps whose right class is known to the test: a step is right when its own class is right and all
/// it calls is right; a wrong helper shows only in callers with examples.
#[derive(Debug)]
struct World {
    plan: Plan,
    /// The classes of each step in the order of their votes; class 0 is the right one.
    classes: BTreeMap<String, Vec<u32>>,
    /// Steps that notice that something below is wrong.
    watchful: BTreeSet<String>,
    picks: Vec<usize>,
    deaths: BTreeSet<usize>,
    in_flight: u32,
}

impl World {
    fn barred(&self, journal: &[Record], step: &str) -> BTreeSet<String> {
        let of_step = |r: &Record| match r {
            Record::Blamed { step: s, class, .. } if s == step => Some(class.clone()),
            _ => None,
        };
        journal.iter().filter_map(of_step).collect()
    }

    /// Whether the whole below `step` is right, with `swapped` in place of one winner.
    fn is_right(&self, winners: &BTreeMap<String, String>, step: &str, swapped: Option<(&str, &str)>) -> bool {
        let below = self.plan.below(step);
        below.iter().all(|s| {
            let class = swapped.filter(|(name, _)| *name == s.name).map(|(_, class)| class.to_owned());
            class.or(winners.get(&s.name).cloned()).is_some_and(|class| class == "0")
        })
    }

    fn vote(&self, journal: &[Record], winners: &BTreeMap<String, String>, t: &Turn) -> PlanEvent {
        let barred = self.barred(journal, &t.step);
        let all: Vec<String> = self.classes[&t.step].iter().map(u32::to_string).collect();
        let standing: Vec<String> = all.into_iter().filter(|c| !barred.contains(c)).collect();
        if self.watchful.contains(&t.step) && !self.is_right(winners, &t.step, None) {
            return abstained(t, "an example failed");
        }
        match standing.split_first() {
            Some((first, rest)) => PlanEvent::Ended {
                turn: t.clone(),
                end: StepEnd::Won { class: first.clone(), id: 0 },
                rivals: rest.to_vec(),
                objection: String::new(),
            },
            None => abstained(t, ""),
        }
    }

    fn run(&self) -> (PlanEnd, BTreeMap<String, String>, Vec<Record>) {
        let mut picks = self.picks.iter().copied().cycle();
        let (mut journal, mut events) = (Vec::new(), 0);
        loop {
            let mut m = PlanMachine::new(&self.plan, PlanRules { in_flight: self.in_flight, revotes: 3, trials: 20 });
            m.restore(&journal);
            let mut commands = m.start();
            let mut running: Vec<Turn> = Vec::new();
            let mut winners: BTreeMap<String, String> = BTreeMap::new();
            loop {
                let mut trial = None;
                for command in commands.drain(..) {
                    match command {
                        PlanCommand::Run(t) => {
                            let step = self.plan.step(&t.step).unwrap();
                            assert!(step.needs.iter().all(|n| m.winner(n).is_some()), "{t:?} came too early");
                            assert!(!running.contains(&t));
                            running.push(t);
                        }
                        PlanCommand::Stop(t) => {
                            assert!(running.contains(&t));
                            running.retain(|r| *r != t);
                        }
                        PlanCommand::Try { failed, step, class } => trial = Some((failed, step, class)),
                        PlanCommand::Blame { step, class, feedback } => {
                            journal.push(Record::Blamed { step, class, feedback });
                        }
                        PlanCommand::Finish(end) => return (end, winners, journal),
                    }
                }
                assert!(running.len() <= self.in_flight as usize);
                events += 1;
                if self.deaths.contains(&events) {
                    break;
                }
                if let Some((failed, step, class)) = trial {
                    let passed = self.is_right(&winners, &failed.step, Some((&step, &class)));
                    commands = m.handle(PlanEvent::Tried { step, class, passed });
                    continue;
                }
                assert!(!running.is_empty(), "nothing is under way and nothing is decided: a deadlock");
                let t = running.remove(picks.next().unwrap() % running.len());
                let event = self.vote(&journal, &winners, &t);
                if let PlanEvent::Ended { end: StepEnd::Won { class, .. }, .. } = &event {
                    winners.insert(t.step.clone(), class.clone());
                }
                commands = m.handle(event.clone());
                assert!(m.handle(event).is_empty());
            }
        }
    }
}

fn worlds() -> impl Strategy<Value = World> {
    let size = 2usize..8;
    size.prop_flat_map(|n| {
        (
            prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), n),
            prop::collection::vec(
                Just(vec![0u32, 1, 2]).prop_shuffle().prop_flat_map(|v| prop::sample::subsequence(v, 1..=3)),
                n,
            ),
            prop::collection::vec(any::<bool>(), n),
            prop::collection::vec(0usize..8, 1..30),
            prop::collection::btree_set(1usize..40, 0..6),
            1u32..5,
        )
    })
    .prop_map(|(needs, classes, watchful, picks, deaths, in_flight)| {
        let name = |i: usize| format!("s{i}");
        let steps = needs.iter().enumerate().map(|(i, list)| {
            let mut below: Vec<usize> = if i == 0 { vec![] } else { list.iter().map(|n| n.index(i)).collect() };
            below.sort_unstable();
            below.dedup();
            Step { name: name(i), needs: below.into_iter().map(name).collect(), ..Step::default() }
        });
        World {
            plan: Plan { steps: steps.collect() },
            classes: classes.into_iter().enumerate().map(|(i, c)| (name(i), c)).collect(),
            watchful: watchful.into_iter().enumerate().filter(|(_, w)| *w).map(|(i, _)| name(i)).collect(),
            picks,
            deaths,
            in_flight,
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2048))]

    #[test]
    fn any_interleaving_with_any_deaths_ends_like_one_step_at_a_time(world in worlds()) {
        let (end, winners, journal) = world.run();
        let calm = World { in_flight: 1, deaths: BTreeSet::new(), picks: vec![0], plan: world.plan.clone(), classes: world.classes.clone(), watchful: world.watchful.clone() };
        let (calm_end, calm_winners, calm_journal) = calm.run();
        prop_assert_eq!(&end, &calm_end);
        prop_assert_eq!(&journal, &calm_journal);
        if end == PlanEnd::Composed {
            prop_assert_eq!(&winners, &calm_winners);
            // Whoever watches has nothing to object to.
            for step in &world.watchful {
                prop_assert!(world.is_right(&winners, step, None), "{} was composed on a wrong helper", step);
            }
        }
        prop_assert!(journal.len() <= 3);
    }
}
