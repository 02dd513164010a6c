//! What the engine costs per vote: `cargo run -p zeroerr-engine --no-default-features --example vote_cost [VOTES]`.
//!
//! The model answers at once and the layers know at once, so what is left is ours: prompts, decisions,
//! syntax, tasks, journal. Compare with the seconds that a sample of a real model takes.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a benchmark prints, and fails by panicking")]

#[path = "../tests/toy/mod.rs"]
mod toy;

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::unbounded_channel;
use tokio_util::sync::CancellationToken;
use zeroerr_core::report::RunOutcome;
use zeroerr_engine::Workbench;
use zeroerr_engine::journal::Journal;
use zeroerr_engine::options::RunOptions;
use zeroerr_engine::simulate::{Scenario, run};

fn shown(what: &str, spent: Duration, votes: u64) {
    let each = spent.as_secs_f64() * 1e6 / votes.max(1) as f64;
    println!("{what:<52} {each:>9.2} µs a vote  ({votes} votes in {:.2} s)", spent.as_secs_f64());
}

/// A run of one function that takes `votes` votes, through everything that `zeroerr run` does.
async fn whole(votes: u32, journal: Option<Journal>) -> Duration {
    let model = toy::Hashing { says: vec![toy::said("return x * 2")], pace: Duration::ZERO };
    let options = RunOptions { k: votes, max_attempts: votes, in_flight: 8, ..RunOptions::default() };
    let workbench = toy::workbench(Arc::new(model), Duration::ZERO, journal, options);
    let task = toy::task(&workbench).expect("a task");
    let (events, _told) = unbounded_channel();
    let begun = Instant::now();
    let report = workbench.run(task, events, CancellationToken::new()).await;
    assert_eq!((report.outcome, report.steps[0].samples), (RunOutcome::Verified, votes), "{}", report.reason);
    begun.elapsed()
}

#[tokio::main]
async fn main() {
    let votes: u32 = std::env::args().nth(1).map_or(500, |n| n.parse().expect("a number of votes"));
    let scenario = Scenario { disks: 17, p: 0.99, k: 3, flag_rate: 0.0, correlation: 1.0, max_attempts: 1000, seed: 1 };
    let begun = Instant::now();
    let totals = run(&scenario, None, &mut |_| true).expect("a simulation");
    shown("decisions alone (simulated Hanoi)", begun.elapsed(), totals.votes);
    shown("the whole engine, without a journal", whole(votes, None).await, votes.into());
    let folder = tempfile::tempdir().expect("a folder");
    let journal = Journal::open(folder.path()).expect("a journal");
    shown("the whole engine, every vote durable in SQLite", whole(votes, Some(journal)).await, votes.into());
}
