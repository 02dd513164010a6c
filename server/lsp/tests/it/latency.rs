//! Typing never waits: questions are answered while eight jobs run, and in very large files.

use std::time::{Duration, Instant};

use serde_json::json;
use zeroerr_test_support::{ClientKind, LspClient};

use crate::workbench::{FakeWorkbench, Script};
use crate::{URI, open};

fn functions(n: usize) -> String {
    (0..n).map(|i| format!("# @spec Number {i}.\n# @example f{i}() == {i}\ndef f{i}():\n    ...\n\n")).collect()
}

/// Asks once and says how long the answer took.
async fn timed(client: &mut LspClient, method: &str) -> Duration {
    let range = client.range_of(URI, "def f3");
    let params = match method {
        "textDocument/codeAction" => {
            json!({ "textDocument": { "uri": URI }, "range": range, "context": { "diagnostics": [] } })
        }
        _ => json!({ "textDocument": { "uri": URI }, "position": range["start"] }),
    };
    let start = Instant::now();
    let result = client.request(method, params).await;
    assert!(!result.is_null(), "{method} found nothing");
    start.elapsed()
}

fn report(what: &str, mut times: Vec<Duration>) {
    times.sort();
    let at = |q: f64| times[((times.len() - 1) as f64 * q) as usize];
    println!("{what}: p50 {:?}, p99 {:?}, n {}", at(0.5), at(0.99), times.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn questions_are_answered_while_eight_jobs_run() {
    let names: [&'static str; 8] = ["f10", "f11", "f12", "f13", "f14", "f15", "f16", "f17"];
    let workbench = FakeWorkbench::new(names.map(|n| (n, Script::Hang)));
    let mut client = open(ClientKind::VsCode, &workbench, &functions(40)).await;
    for name in names {
        client.command("zeroerr.implement", json!({ "uri": URI, "function": name })).await;
        client.progress("begin").await;
    }
    let (mut hover, mut action, mut after_edit) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..100 {
        hover.push(timed(&mut client, "textDocument/hover").await);
        action.push(timed(&mut client, "textDocument/codeAction").await);
        client
            .replace(URI, "# @spec Number 0", if n % 2 == 0 { "# @spec Number 0" } else { "# @spec Number 0 " })
            .await;
        after_edit.push(timed(&mut client, "textDocument/hover").await);
    }
    assert_eq!(workbench.alive.load(std::sync::atomic::Ordering::SeqCst), 8, "all eight still run");
    report("hover", hover);
    report("codeAction", action);
    report("didChange, then hover", after_edit);
    client.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_fifty_thousand_lines_is_served() {
    let workbench = FakeWorkbench::new([]);
    let text = functions(10_000);
    assert_eq!(text.lines().count(), 50_000);
    let start = Instant::now();
    let mut client = open(ClientKind::Neovim, &workbench, &text).await;
    println!("50,000 lines: open to diagnostics {:?}", start.elapsed());
    let before = workbench.analysed.load(std::sync::atomic::Ordering::SeqCst);
    let keys: Vec<_> = (0..100).map(|n| (json!({ "line": n, "character": 0 }), "#\n")).collect();
    client.burst(URI, &keys).await;
    client.diagnostics(URI).await;
    let analysed = workbench.analysed.load(std::sync::atomic::Ordering::SeqCst) - before;
    assert!(analysed < 50, "{analysed} analyses for 100 keys: typing in a large file must not start one per key");
    let times = {
        let mut times = Vec::new();
        for _ in 0..20 {
            times.push(timed(&mut client, "textDocument/codeAction").await);
        }
        times
    };
    println!("50,000 lines: {analysed} analyses for 100 keys");
    report("50,000 lines: codeAction", times);
    client.leave().await;
}
