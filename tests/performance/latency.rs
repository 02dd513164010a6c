//! Typing never waits: what an editor asks for, on files of three sizes, while eight runs are voting.
//!
//! The model is scripted and takes a quarter of a second for each response; everything else is
//! real: votes, sandbox, spec parser, the server's process. `ZEROERR_LATENCY=N` sets how often each
//! question is asked (40).

use std::path::Path;
use std::time::Instant;

use serde_json::{Value, json};
use zeroerr_test_support::lsp_client::{ClientKind, LspClient};

/// Functions that are being voted on.
const RUNS: usize = 8;

/// A file of so many lines: eight stubs on top, then functions with and without specs.
pub(crate) fn file(lines: usize) -> String {
    let stub = |n: usize| {
        format!(
            "# @spec Return the sum of xs, version {n}.\n# @example total{n}([1, 2]) == 3\ndef total{n}(xs: list[int]) -> int: ...\n\n"
        )
    };
    let mut text: String = (0..RUNS).map(stub).collect();
    let mut n = 0;
    while text.matches('\n').count() < lines {
        n += 1;
        if n % 4 == 0 {
            text.push_str(&format!("# @spec Return {n} times x.\n# @example times{n}(1) == {n}\n"));
        }
        text.push_str(&format!("def times{n}(x: int) -> int:\n    result = 0\n    for _ in range({n}):\n        result += x\n    return result\n\n\n"));
    }
    text
}

/// A server whose eight runs go on until they are cancelled.
pub(crate) fn server(home: &Path) -> LspClient {
    let good = "```python\ndef total(xs: list[int]) -> int:\n    return sum(xs)\n```";
    let response = |n: usize| json!({ "text": good.replace("total", &format!("total{}", n % RUNS)), "delay_ms": 250 });
    std::fs::write(home.join("script.json"), Value::from_iter((0..4_000).map(response)).to_string()).unwrap();
    std::fs::create_dir_all(home.join("config/zeroerr")).unwrap();
    std::fs::write(home.join("config/zeroerr/config.yaml"), "llm:\n  backend: scripted\n").unwrap();
    std::fs::create_dir_all(home.join("data")).unwrap();
    let machine = zeroerr_settings::paths::data_dir().expect("a data folder");
    std::os::unix::fs::symlink(machine.join("tools"), home.join("data/tools")).unwrap();
    let mut command = tokio::process::Command::new(zeroerr_tests::zeroerr());
    command
        .args(["--set", "voting.k=200", "--set", "voting.max_attempts=2000", "lsp", "--stdio"])
        .env("ZEROERR_HOME", home.join("data"))
        .env("ZEROERR_SCRIPTED", home.join("script.json"))
        .env("XDG_CONFIG_HOME", home.join("config"))
        .env("XDG_STATE_HOME", home.join("state"));
    let mut client = LspClient::spawn(ClientKind::Neovim, command).unwrap();
    for method in [
        "textDocument/publishDiagnostics",
        "workspace/codeLens/refresh",
        "window/workDoneProgress/create",
        "window/showMessage",
        "$/progress",
    ] {
        client.allow(method);
    }
    client
}

/// What is measured, in milliseconds.
#[derive(Default)]
struct Times(Vec<(&'static str, Vec<f64>)>);

impl Times {
    fn add(&mut self, what: &'static str, begun: Instant) {
        let ms = begun.elapsed().as_secs_f64() * 1000.0;
        match self.0.iter_mut().find(|(name, _)| *name == what) {
            Some((_, times)) => times.push(ms),
            None => self.0.push((what, vec![ms])),
        }
    }

    fn print(&mut self, title: &str) {
        for (what, times) in &mut self.0 {
            times.sort_by(f64::total_cmp);
            let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
            println!("{title}: {what}: p50 {:.1} ms, p99 {:.1} ms of {}", at(0.5), at(0.99), times.len());
        }
    }
}

/// Types a key and asks everything, again and again.
async fn measure(client: &mut LspClient, uri: &str, rounds: usize, times: &mut Times) {
    let document = json!({ "uri": uri });
    for n in 0..rounds {
        client.transcript();
        let (old, new) = if n % 2 == 0 {
            ("Return 4 times x.", "Return 4 times x!")
        } else {
            ("Return 4 times x!", "Return 4 times x.")
        };
        let range = client.range_of(uri, old);
        let begun = Instant::now();
        client.edit(uri, range, new).await;
        client.diagnostics(uri).await;
        times.add("didChange to diagnostics", begun);
        let (place, inside) = (client.range_of(uri, "def times4"), client.position_of(uri, "times4(1)"));
        for (method, params) in [
            ("textDocument/hover", json!({ "textDocument": document, "position": place["end"] })),
            (
                "textDocument/codeAction",
                json!({ "textDocument": document, "range": place, "context": { "diagnostics": [] } }),
            ),
            ("textDocument/completion", json!({ "textDocument": document, "position": inside })),
        ] {
            let begun = Instant::now();
            let answer = client.request(method, params).await;
            times.add(method, begun);
            assert!(!answer.is_null(), "{method} found nothing");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_question_on_files_of_three_sizes_while_eight_runs_vote() {
    if std::env::var_os("ZEROERR_E2E").is_none() {
        return println!("skipped: this measurement needs tools and a sandbox; ZEROERR_E2E=1 runs it");
    }
    let rounds = std::env::var("ZEROERR_LATENCY").map_or(40, |n| n.parse().expect("ZEROERR_LATENCY is a number"));
    for busy in [false, true] {
        for lines in [100, 1_000, 10_000] {
            let home = tempfile::tempdir().unwrap();
            let mut client = server(home.path());
            client.initialize().await;
            let uri = format!("file://{}/busy.py", home.path().display());
            let mut times = Times::default();
            let begun = Instant::now();
            client.open(&uri, "python", &file(lines)).await;
            client.diagnostics(&uri).await;
            times.add("didOpen to diagnostics", begun);
            for n in (0..RUNS).filter(|_| busy) {
                client.command("zeroerr.implement", json!({ "uri": uri, "function": format!("total{n}") })).await;
                client.progress("begin").await;
            }
            measure(&mut client, &uri, rounds, &mut times).await;
            times.print(&format!("{lines} lines, {} runs", if busy { RUNS } else { 0 }));
            client.command("zeroerr.cancel", Value::Null).await;
            for _ in (0..RUNS).filter(|_| busy) {
                // All of them still ran.
                let end = client.progress("end").await;
                assert!(end.to_string().contains("cancelled"), "{end}");
            }
            client.leave().await;
        }
    }
}
