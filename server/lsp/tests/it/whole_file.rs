//! Commands on a whole file: all stubs, all that was changed since it was checked.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use zeroerr_test_support::ClientKind;

use crate::workbench::{FakeWorkbench, Script};
use crate::{DOUBLE, URI, action, logged, open};

const NAMES: [&str; 6] = ["f0", "f1", "f2", "f3", "f4", "f5"];

fn stubs() -> String {
    NAMES.iter().map(|n| format!("# @spec {n}.\n# @example {n}() == 1\ndef {n}():\n    ...\n\n")).collect()
}

#[tokio::test]
async fn all_stubs_of_a_file_are_written_four_at_a_time() {
    let workbench = FakeWorkbench::gated(NAMES.map(|n| (n, Script::body("return 1"))));
    let mut client = open(ClientKind::Neovim, &workbench, &stubs()).await;
    let actions = client.code_actions(URI, "def f2").await;
    client.pick(action(&actions, "Implement all 6 stubs of this file")).await;
    for _ in 0..4 {
        client.progress("begin").await;
    }
    client.command("zeroerr.status", Value::Null).await;
    let status = client.next("window/showMessage").await["message"].as_str().unwrap().to_owned();
    assert_eq!(status.matches("running: ").count(), 4, "{status}");
    assert_eq!(workbench.alive.load(Ordering::SeqCst), 4);
    for _ in NAMES {
        workbench.release();
        logged(&mut client, "was written").await;
    }
    let text = client.buffer(URI).text.clone();
    assert_eq!(text.matches("    return 1\n").count(), 6, "{text}");
    client.leave().await;
}

#[tokio::test]
async fn cancelling_everything_cancels_what_waits_too() {
    let workbench = FakeWorkbench::gated(NAMES.map(|n| (n, Script::body("return 1"))));
    let mut client = open(ClientKind::VsCode, &workbench, &stubs()).await;
    client.command("zeroerr.implementAll", json!({ "uri": URI })).await;
    for _ in 0..4 {
        client.progress("begin").await;
    }
    client.command("zeroerr.cancel", Value::Null).await;
    for _ in 0..4 {
        client.progress("end").await;
    }
    client.command("zeroerr.status", Value::Null).await;
    assert!(client.next("window/showMessage").await["message"].as_str().unwrap().contains("nothing is running"));
    assert_eq!(client.buffer(URI).text, stubs());
    client.leave().await;
}

#[tokio::test]
async fn what_was_changed_since_it_was_checked_is_checked_again() {
    let workbench = FakeWorkbench::gated([("double", Script::Findings(vec![])), ("double", Script::Findings(vec![]))]);
    let text = DOUBLE.replace("...", "return x * 2");
    let mut client = open(ClientKind::Neovim, &workbench, &text).await;
    client.command("zeroerr.verifyChanged", json!({ "uri": URI })).await;
    let said = client.next("window/showMessage").await;
    assert_eq!(said["message"], "zeroerr: no function of this file was changed since it was checked");
    client.command("zeroerr.verify", json!({ "uri": URI, "function": "double" })).await;
    // A check that ends before its display is there is told in the log.
    client.progress("begin").await;
    workbench.release();
    client.progress("end").await;
    client.replace(URI, "x * 2", "2 * x").await;
    let actions = client.code_actions(URI, "def double").await;
    client.pick(action(&actions, "Verify 1 changed function of this file")).await;
    client.progress("begin").await;
    workbench.release();
    client.progress("end").await;
    let actions = client.code_actions(URI, "def double").await;
    assert!(actions.iter().all(|a| !a["title"].as_str().unwrap().contains("changed function")), "{actions:?}");
    client.leave().await;
}
