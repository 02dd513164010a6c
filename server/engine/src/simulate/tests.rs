//! The simulation against the theory, and across a kill.

use super::*;
use zeroerr_core::voting_engine::theory;

fn scenario(disks: u32, p: f64, k: u32, seed: u64) -> Scenario {
    Scenario { disks, p, k, flag_rate: 0.027, correlation: 1.0, max_attempts: 1000, seed }
}

#[test]
fn samples_per_step_and_errors_follow_the_theory() {
    for (p, k) in [(0.7, 3), (0.9, 2), (0.9978, 3)] {
        let s = scenario(14, p, k, 5);
        let totals = run(&s, None, &mut |_| true).unwrap();
        let steps = totals.steps as f64;
        let samples = totals.samples as f64 / steps;
        let expected = theory::expected_samples(p, k, 1, 1, 1.0 - s.flag_rate).unwrap();
        assert!((samples / expected - 1.0).abs() < 0.03, "p {p}: {samples} samples a step, theory {expected}");
        let lost = totals.errors as f64 / steps;
        let expected = 1.0 - theory::p_win(p, k);
        assert!((lost - expected).abs() < 0.01, "p {p}: {lost} wrong, theory {expected}");
    }
}

#[test]
fn a_good_model_solves_it_without_an_error() {
    let totals = run(&scenario(10, 0.9978, 4, 1), None, &mut |_| true).unwrap();
    assert!(totals.solved && totals.errors == 0 && totals.steps == 1023, "{totals:?}");
    let rounds = totals.undecided_per_round();
    assert_eq!(rounds[..3], [1023, 1023, 1023], "nobody is ahead by 4 after three samples");
    assert_eq!(rounds.last(), Some(&0));
}

#[test]
fn a_step_that_was_given_up_is_undecided() {
    let s = Scenario { max_attempts: 5, flag_rate: 0.0, ..scenario(12, 0.9, 3, 3) };
    let totals = run(&s, None, &mut |_| true).unwrap();
    let rounds = totals.undecided_per_round();
    for (ours, share) in rounds.iter().zip(theory::undecided_after(s.p, s.k, 1.0, rounds.len())) {
        let ours = *ours as f64 / totals.steps as f64;
        assert!((ours - share).abs() < 0.03, "{rounds:?}: {ours}, theory {share}");
    }
    assert_eq!(rounds.last(), Some(&totals.never_decided()));
    assert!(totals.never_decided() > 100 && totals.never_decided() <= totals.errors, "{totals:?}");
}

#[test]
fn a_resumed_run_ends_like_an_undisturbed_one() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("c.sqlite");
    let s = scenario(15, 0.8, 3, 9);
    let straight = run(&s, None, &mut |_| true).unwrap();
    let mut batches = 0;
    let cut = run(&s, Some(&mut Checkpoint::open(&file).unwrap()), &mut |_| {
        batches += 1;
        batches < 2
    })
    .unwrap();
    assert!(cut.steps < straight.steps);
    let mut reopened = Checkpoint::open(&file).unwrap();
    // A killed process leaves rows that were never committed with their totals: none may count.
    reopened.append(cut.steps, &StepTotals { right: true, samples: 99, votes: 99 }, None).unwrap();
    drop(reopened);
    let held = Checkpoint::open(&file).unwrap();
    let second = Checkpoint::open(&file).map(drop);
    assert!(matches!(second, Err(CheckpointError::InUse)), "two would count every step twice: {second:?}");
    drop(held);
    let resumed = run(&s, Some(&mut Checkpoint::open(&file).unwrap()), &mut |_| true).unwrap();
    assert_eq!(straight, resumed);
    let other = scenario(15, 0.9, 3, 9);
    let refused = run(&other, Some(&mut Checkpoint::open(&file).unwrap()), &mut |_| true);
    assert!(matches!(refused, Err(CheckpointError::OtherScenario { .. })));
}
