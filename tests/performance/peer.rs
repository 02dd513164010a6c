//! A key and then the light bulb, in zeroerr and in lsp-ai, one after the other on the same files. Other questions
//! lsp-ai hands to a model, or does not answer. It is no part of this project: `cargo install lsp-ai --version 0.7.0`,
//! then `LSP_AI=lsp-ai cargo test -p zeroerr-tests --test performance peer -- --nocapture`.

use std::ffi::OsString;
use std::path::Path;
use std::time::Instant;

use serde_json::json;
use zeroerr_test_support::lsp_client::{ClientKind, LspClient};

use crate::latency;

const ROUNDS: usize = 100;

/// A peer with one action, whose model nobody asks.
async fn peer(program: &OsString, home: &Path) -> LspClient {
    let mut command = tokio::process::Command::new(program);
    command.env("HOME", home).stderr(std::process::Stdio::null());
    let mut client = LspClient::spawn(ClientKind::Neovim, command).expect("LSP_AI can be started");
    client
        .initialize_with(|params| {
            params["initializationOptions"] = json!({
                "memory": { "file_store": {} },
                "models": { "none": { "type": "ollama", "model": "none" } },
                "actions": [{ "action_display_name": "Write it", "model": "none", "parameters": {} }],
            });
        })
        .await;
    client
}

/// The middle of how long it takes from a key to the actions that are offered, in milliseconds.
async fn key_to_actions(client: &mut LspClient, uri: &str) -> f64 {
    let mut times = Vec::new();
    for n in 0..ROUNDS {
        client.transcript();
        let (old, new) = if n % 2 == 0 { ("times x.", "times x!") } else { ("times x!", "times x.") };
        let range = client.range_of(uri, old);
        let begun = Instant::now();
        client.edit(uri, range, new).await;
        let offered = client.code_actions(uri, "def times4").await;
        times.push(begun.elapsed().as_secs_f64() * 1000.0);
        assert!(!offered.is_empty(), "nothing was offered");
    }
    times.sort_by(f64::total_cmp);
    times[ROUNDS / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_and_the_light_bulb_beside_lsp_ai() {
    let Some(program) = std::env::var_os("LSP_AI") else {
        return println!("skipped: LSP_AI names no lsp-ai to measure beside");
    };
    for lines in [100, 1_000, 10_000] {
        let home = tempfile::tempdir().unwrap();
        let uri = format!("file://{}/busy.py", home.path().display());
        let mut ours = latency::server(home.path());
        ours.initialize().await;
        let mut theirs = peer(&program, home.path()).await;
        let mut middle = Vec::new();
        for client in [&mut ours, &mut theirs] {
            client.open(&uri, "python", &latency::file(lines)).await;
            middle.push(key_to_actions(client, &uri).await);
        }
        let [zeroerr, lsp_ai] = middle[..] else { unreachable!("two were measured") };
        println!(
            "{lines} lines, a key and its code actions: zeroerr {zeroerr:.2} ms, lsp-ai {lsp_ai:.2} ms, {:.1} times",
            lsp_ai / zeroerr
        );
        ours.leave().await;
    }
}
