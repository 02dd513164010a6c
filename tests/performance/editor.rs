//! Typing never waits: `hover` and `codeAction` while a run with the embedded model is busy.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zeroerr_test_support::lsp_client::{ClientKind, LspClient};

const SPEC: &str = "# @spec Return the sum of the numbers in xs; 0 for an empty list.\n# @example total([1, 2, 3]) == 6\n# @example total([]) == 0\ndef total(xs: list[int]) -> int: ...\n";

/// Milliseconds of one request.
async fn time(client: &mut LspClient, method: &str, params: Value) -> f64 {
    let begun = Instant::now();
    client.request(method, params).await;
    begun.elapsed().as_secs_f64() * 1000.0
}

fn percentile(sorted: &[f64], share: f64) -> f64 {
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

#[tokio::test]
async fn requests_are_answered_while_a_run_is_busy() {
    let mut command = tokio::process::Command::new(zeroerr_tests::zeroerr());
    // A lead nobody can reach keeps the run busy until it is cancelled.
    command.args(["--set", "voting.k=40", "--set", "voting.max_attempts=200", "lsp", "--stdio"]);
    let mut client = LspClient::spawn(ClientKind::VsCode, command).unwrap();
    client.initialize().await;
    for method in [
        "textDocument/publishDiagnostics",
        "workspace/codeLens/refresh",
        "window/workDoneProgress/create",
        "window/showMessage",
        "window/logMessage",
    ] {
        client.allow(method);
    }
    let folder = tempfile::tempdir().unwrap();
    let uri = format!("file://{}/busy.py", folder.path().display());
    client.open(&uri, "python", SPEC).await;
    client.command("zeroerr.implement", json!({ "uri": uri, "function": "total" })).await;
    client.progress("begin").await;
    // Until the first vote the model is being loaded, which takes another kind of time.
    while !client.progress("report").await["value"]["message"].as_str().is_some_and(|m| m.contains("ahead by")) {}

    let place = json!({ "line": 3, "character": 6 });
    let document = json!({ "uri": uri });
    let (mut hovers, mut actions) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        hovers.push(
            time(&mut client, "textDocument/hover", json!({ "textDocument": document, "position": place })).await,
        );
        let params = json!({ "textDocument": document, "range": { "start": place, "end": place }, "context": { "diagnostics": [] } });
        actions.push(time(&mut client, "textDocument/codeAction", params).await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    for (name, times) in [("hover", &mut hovers), ("codeAction", &mut actions)] {
        times.sort_by(f64::total_cmp);
        println!(
            "{name} while a run decodes: p50 {:.1} ms, p99 {:.1} ms of {}",
            percentile(times, 0.5),
            percentile(times, 0.99),
            times.len()
        );
    }
    client.command("zeroerr.cancel", Value::Null).await;
    client.progress("end").await;
    client.leave().await;
    assert_eq!(hovers.len(), 200, "every request was answered while the run went on");
}
