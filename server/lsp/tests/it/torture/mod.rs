//! Protocol torture: a client that edits, asks, cancels, answers and closes in any order, with the
//! specs of each text read by the real parsers.
//!
//! Each encoding is tortured in a process of its own, so that its memory is what is measured.
//! `ZEROERR_TORTURE=100000 cargo test -p zeroerr-lsp --test it torture_in_utf16 -- --nocapture` sends as
//! many messages instead of a third; `ZEROERR_TORTURE_SEED=N` repeats one seed.

mod bench;
mod client;
pub mod documents;

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use zeroerr_lsp::{Exit, ServerOptions, serve};

use bench::Bench;
use client::Torturer;

/// Messages for each of the three encodings: 100,000 a run.
const MESSAGES: u64 = 33_334;
/// How much the server may grow from its first third to its end, in megabytes. Up to 14 were seen, none of it in
/// the second half; a leaked text for each change would be several hundred.
const GROWTH: f64 = 24.0;
/// Set in the process in which the torture takes place.
const INSIDE: &str = "ZEROERR_TORTURE_INSIDE";

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|n| n.parse().unwrap_or_else(|_| panic!("{variable} has to be a number")))
}

/// Resident memory of this process in megabytes, where the system tells.
fn resident_mb() -> Option<f64> {
    let pages: f64 = std::fs::read_to_string("/proc/self/statm").ok()?.split(' ').nth(1)?.parse().ok()?;
    Some(pages * 4096.0 / 1e6)
}

/// Starts a server and a torturer of it.
fn start(seed: u64, encodings: &'static [&'static str]) -> (Torturer, tokio::task::JoinHandle<Exit>, Arc<Bench>) {
    let bench = Arc::new(Bench::default());
    let (to_server, stdin) = tokio::io::duplex(16 * 1024);
    let (stdout, from_server) = tokio::io::duplex(16 * 1024);
    let mut options = ServerOptions::new(bench.clone());
    options.apply_patience = Duration::from_millis(200);
    let server = tokio::spawn(serve(stdin, stdout, options));
    (Torturer::new(seed, encodings, from_server, to_server), server, bench)
}

/// Runs the test of this name again, in a process of its own, or, in that process, the torture.
async fn torture(name: &str, seed: u64, encodings: &'static [&'static str]) {
    if std::env::var_os(INSIDE).is_some() {
        return inside(seed, encodings).await;
    }
    let own = std::env::current_exe().unwrap();
    let arguments = ["--exact", "--nocapture", "--test-threads=1"];
    let mut test = Command::new(own);
    // What each thread's arena of glibc keeps of what was freed is no memory of the server's: with one arena a
    // leak shows, and with sixteen it hides behind 40 MB that depend on how busy the machine is.
    test.arg(format!("torture::{name}")).args(arguments).env(INSIDE, "1").env("MALLOC_ARENA_MAX", "1");
    let output = test.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}");
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("comparisons"), "the torture took place: {said}");
}

async fn inside(seed: u64, encodings: &'static [&'static str]) {
    let messages = number("ZEROERR_TORTURE").unwrap_or(MESSAGES);
    let seed = number("ZEROERR_TORTURE_SEED").unwrap_or(seed);
    let (mut client, server, bench) = start(seed, encodings);
    client.too_early().await;
    client.initialize().await;
    let mut memory = Vec::new();
    for tenth in 1..=10 {
        client.act_until(messages * tenth / 10).await;
        client.compare().await;
        memory.extend(resident_mb());
    }
    let said = client.leave().await;
    assert_eq!(server.await.unwrap(), Exit::Clean, "seed {seed}");
    assert_eq!(bench.panics(), 0, "panics while specs were read, seed {seed}");
    assert_eq!(bench.alive(), 0, "jobs outlived the server, seed {seed}");
    println!("seed {seed}, {encodings:?}: {said}");
    let shown: Vec<String> = memory.iter().map(|mb| format!("{mb:.0}")).collect();
    println!("resident after each tenth, in MB: {}", shown.join(", "));
    if let [_, _, early, .., late] = memory[..] {
        assert!(late < early + GROWTH, "memory grows: {memory:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn torture_in_utf8() {
    torture("torture_in_utf8", 8, &["utf-8", "utf-16"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn torture_in_utf16() {
    torture("torture_in_utf16", 16, &["utf-16"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn torture_in_utf32() {
    torture("torture_in_utf32", 32, &["utf-32"]).await;
}

/// The stream may end anywhere, in the middle of a message too.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_ends_anywhere_ends_the_server() {
    for seed in 0..12 {
        let (mut client, server, bench) = start(1000 + seed, &["utf-16"]);
        client.initialize().await;
        client.act_until(40 + seed).await;
        client.tear_off().await;
        let exit = tokio::time::timeout(Duration::from_secs(30), server).await;
        assert_eq!(exit.expect("the server ends").unwrap(), Exit::Abrupt, "seed {seed}");
        assert_eq!((bench.panics(), bench.alive()), (0, 0), "seed {seed}");
    }
}
