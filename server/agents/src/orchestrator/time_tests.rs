//! How long a step takes in virtual time: samples take as long as they take, and nothing else does.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use zeroerr_core::code::Candidate;

use super::*;

/// What sample `id` says and how long it takes.
struct World {
    right: Vec<bool>,
    takes: Vec<u64>,
}

impl World {
    fn new(seed: u64, p: f64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let right = (0..200).map(|_| rng.random::<f64>() < p).collect();
        // One to four seconds, one in ten four times as long.
        let takes = (0..200).map(|_| rng.random_range(1000..4000) * if rng.random_range(0..10) == 0 { 4 } else { 1 });
        Self { right, takes: takes.collect() }
    }

    fn fate(&self, id: u64) -> SampleFate {
        let answer = if self.right[id as usize] { "1" } else { "2" };
        SampleFate::Votes {
            candidate: Candidate { function: String::new(), body: String::new(), imports: vec![] },
            fingerprint: Fingerprint { outcomes: vec![("f()".into(), answer.into())] },
        }
    }

    /// When the step was decided, how many samples were counted, and how many were begun.
    fn run(&self, k: u32, in_flight: u32) -> (u64, u32, usize) {
        let mut m = StepMachine::new("f", StepRules { k, max_attempts: 100, in_flight });
        let (mut now, mut begun) = (0, 0);
        let mut under_way: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
        let mut commands = m.start();
        loop {
            for command in commands.drain(..) {
                match command {
                    Command::Draw { id } => {
                        begun += 1;
                        under_way.push(Reverse((now + self.takes[id as usize], id)));
                    }
                    Command::Cancel { ids } => under_way.retain(|Reverse((_, id))| !ids.contains(id)),
                    Command::Ask { .. } | Command::Try { .. } => {}
                    Command::Verify { .. } | Command::Finish(_) => return (now, m.samples(), begun),
                }
            }
            let Reverse((at, id)) = under_way.pop().unwrap();
            now = at;
            commands = m.handle(Event::Sampled { id, completion_tokens: 1, fate: self.fate(id) });
        }
    }

    /// The slowest of the samples that were needed: nobody can be faster who counts in order.
    fn slowest(&self, needed: u32) -> u64 {
        self.takes.iter().take(needed as usize).max().copied().unwrap_or(0)
    }

    /// As the paper's run: rounds, of which each begins when the one before has ended.
    fn in_rounds(&self, k: u32, needed: u32) -> u64 {
        let needed = self.takes.get(..needed as usize).unwrap_or(&[]);
        let (first, more) = needed.split_at((k as usize).min(needed.len()));
        first.iter().max().copied().unwrap_or(0) + more.iter().sum::<u64>()
    }
}

#[test]
fn a_step_takes_as_long_as_the_slowest_sample_it_needs() {
    let (mut wall, mut best, mut rounds, mut alone, mut exact, mut begun, mut needed) = (0, 0, 0, 0, 0, 0, 0);
    let steps = 500;
    for seed in 0..steps {
        let world = World::new(seed, 0.85);
        let (took, samples, drawn) = world.run(3, 16);
        assert!(took >= world.slowest(samples));
        exact += u32::from(took == world.slowest(samples));
        wall += took;
        best += world.slowest(samples);
        rounds += world.in_rounds(3, samples);
        alone += world.run(3, 1).0;
        begun += drawn;
        needed += samples as usize;
    }
    // Measured: of 500 steps how many end with the slowest sample they need, and the rest soon after.
    let share = |part: u64| part as f64 / best as f64;
    assert!(exact >= 450, "{exact} of {steps}");
    assert!(share(wall) < 1.08, "{} times the slowest needed sample", share(wall));
    assert!(share(rounds) > 1.25, "rounds take {} times as long", share(rounds));
    assert!(share(alone) > 2.0, "one at a time {}", share(alone));
    assert!(begun < 3 * needed, "{begun} begun for {needed} that were needed");
}

#[test]
fn on_a_machine_that_draws_two_at_once_nothing_is_drawn_beyond_need() {
    for seed in 0..100 {
        let (_, samples, drawn) = World::new(seed, 1.0).run(3, 2);
        assert_eq!((samples, drawn), (3, 3));
    }
}

#[test]
fn a_lead_that_follows_the_votes_decides_later_when_they_split() {
    let aim = Aim { p: 0.8, target: 0.95, steps: 10 };
    let mut m = StepMachine::new("f", StepRules { k: 1, max_attempts: 20, in_flight: 1 }).aiming_at(Some(aim));
    let world = World { right: "rrwrwrrrrrrr".chars().map(|c| c == 'r').collect(), takes: vec![1; 20] };
    let mut commands = m.start();
    let mut leads = Vec::new();
    while let Some(Command::Draw { id }) = commands.first().cloned() {
        leads.push(m.report().k);
        commands = m.handle(Event::Sampled { id, completion_tokens: 1, fate: world.fate(id) });
    }
    assert!(matches!(commands[0], Command::Verify { .. }), "{commands:?}");
    let report = m.report();
    assert_eq!((report.samples, report.margin, report.k), (9, 5, 4), "{leads:?}");
    let estimate = report.estimate.unwrap();
    assert!(estimate.votes == 9 && (estimate.p - 7.0 / 9.0).abs() < 1e-4, "{estimate:?}");
    assert!(estimate.low > 0.3 && estimate.low < 0.5 && estimate.high > 0.9, "{estimate:?}");
}
