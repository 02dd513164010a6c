//! The language server against a strict client that plays real editors, with a workbench that
//! does what the test says. The whole way from bytes to bytes is real; only the work is scripted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a panic is how a test fails")]

mod announced;
mod confirm;
mod counterexample;
mod flows;
mod folders;
mod fuzz;
mod guesses;
mod latency;
mod live;
mod odd_documents;
mod protocol;
mod reading;
mod refusals;
mod shown;
mod torture;
mod typescript;
mod whole_file;
mod workbench;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use zeroerr_lsp::{Exit, ServerOptions, serve};
use zeroerr_test_support::{ClientKind, LspClient};

use workbench::FakeWorkbench;

const URI: &str = "file:///workspace/ws/a.py";

/// A function to be written, and one that is not a spec's.
const DOUBLE: &str = "import os\n\n# @spec Twice x.\n# @example double(2) == 4\ndef double(x: int) -> int:\n    ...\n\nprint(double(1))\n";

/// A server in this process and a client of it, not initialized.
fn connect(kind: ClientKind, workbench: &Arc<FakeWorkbench>) -> (LspClient, JoinHandle<Exit>) {
    connect_with(kind, workbench, |_| {})
}

fn connect_with(
    kind: ClientKind,
    workbench: &Arc<FakeWorkbench>,
    change: impl FnOnce(&mut ServerOptions),
) -> (LspClient, JoinHandle<Exit>) {
    let (to_server, stdin) = tokio::io::duplex(64 * 1024);
    let (stdout, from_server) = tokio::io::duplex(64 * 1024);
    let mut options = ServerOptions::new(workbench.clone());
    options.apply_patience = Duration::from_millis(300);
    change(&mut options);
    let server = tokio::spawn(serve(stdin, stdout, options));
    (LspClient::over(kind, from_server, to_server), server)
}

/// An initialized client with `text` open and analysed.
async fn open(kind: ClientKind, workbench: &Arc<FakeWorkbench>, text: &str) -> LspClient {
    let (mut client, _) = connect(kind, workbench);
    client.initialize().await;
    client.open(URI, "python", text).await;
    client.diagnostics(URI).await;
    client
}

/// Waits until the client's log has a line with this text.
async fn logged(client: &mut LspClient, text: &str) {
    loop {
        if client.next("window/logMessage").await["message"].as_str().unwrap().contains(text) {
            return;
        }
    }
}

/// The action with this title.
fn action<'a>(actions: &'a [serde_json::Value], title: &str) -> &'a serde_json::Value {
    let titles: Vec<_> = actions.iter().map(|a| a["title"].as_str().unwrap()).collect();
    actions
        .iter()
        .find(|a| a["title"].as_str().unwrap().starts_with(title))
        .unwrap_or_else(|| panic!("no action {title:?} in {titles:?}"))
}

fn titles(actions: &[serde_json::Value]) -> Vec<&str> {
    actions.iter().map(|a| a["title"].as_str().unwrap()).collect()
}
