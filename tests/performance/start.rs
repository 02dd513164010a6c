//! Start-up time and idle memory of `zeroerr lsp` without a model loaded.

use std::time::Instant;

use serde_json::json;
use zeroerr_test_support::lsp_client::{ClientKind, LspClient};

/// Resident memory of a process, in megabytes.
fn rss_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

#[tokio::test]
async fn an_idle_server_starts_at_once_and_stays_small() {
    let mut milliseconds = Vec::new();
    let mut memory = 0.0;
    for _ in 0..5 {
        let begun = Instant::now();
        let mut command = tokio::process::Command::new(zeroerr_tests::zeroerr());
        command.args(["lsp", "--stdio"]);
        let mut client = LspClient::spawn(ClientKind::Neovim, command).unwrap();
        client.initialize().await;
        milliseconds.push(begun.elapsed().as_secs_f64() * 1000.0);
        let uri = "file:///tmp/idle.py";
        client.open(uri, "python", "# @spec Return x.\n# @example f(1) == 1\ndef f(x: int) -> int: ...\n").await;
        let hover = client
            .request(
                "textDocument/hover",
                json!({ "textDocument": { "uri": uri }, "position": { "line": 2, "character": 5 } }),
            )
            .await;
        assert!(hover.to_string().contains("Return x."), "{hover}");
        memory = rss_mb(client.server_pid().unwrap());
        client.allow("textDocument/publishDiagnostics");
        client.shutdown().await;
    }
    milliseconds.sort_by(f64::total_cmp);
    println!("start to initialized: median {:.0} ms of {} starts (aim: 100 ms)", milliseconds[2], milliseconds.len());
    println!("idle resident memory after the first file: {memory:.0} MB (aim: 40 MB)");
    assert!(memory > 1.0, "the figure is real");
}
