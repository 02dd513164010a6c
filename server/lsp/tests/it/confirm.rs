//! `lsp.confirm_edits`: nothing is put into the text before the user has said so.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};
use zeroerr_test_support::{ClientKind, LspClient};

use crate::workbench::{FakeWorkbench, Script};
use crate::{DOUBLE, URI, action, connect_with, logged, titles};

async fn implemented(
    kind: ClientKind,
    buttons: &[&str],
    change: impl FnOnce(&mut Value),
) -> (LspClient, tempfile::TempDir) {
    let reports = tempfile::tempdir().unwrap();
    let workbench = FakeWorkbench::new([("double", Script::body("return x * 2"))]);
    let (mut client, _) = connect_with(kind, &workbench, |o| {
        o.confirm_edits.store(true, Ordering::SeqCst);
        o.reports = Some(reports.path().to_owned());
    });
    client.buttons = buttons.iter().map(|b| (*b).to_owned()).collect();
    client.initialize_with(change).await;
    client.open(URI, "python", DOUBLE).await;
    client.diagnostics(URI).await;
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    (client, reports)
}

#[tokio::test]
async fn vs_code_is_given_an_edit_that_it_has_to_ask_about() {
    let (mut client, _reports) = implemented(ClientKind::VsCode, &[], |_| {}).await;
    let asked = client.next("workspace/applyEdit").await;
    let edit = &asked["edit"];
    assert_eq!(edit["changeAnnotations"]["zeroerr"]["needsConfirmation"], true);
    assert_eq!(edit["documentChanges"][0]["edits"][0]["annotationId"], "zeroerr");
    logged(&mut client, "was written").await;
    assert_eq!(client.buffer(URI).text, DOUBLE.replace("...", "return x * 2"));
    client.leave().await;
}

#[tokio::test]
async fn elsewhere_buttons_ask_and_the_diff_can_be_seen_first() {
    let (mut client, _reports) = implemented(ClientKind::Helix, &["Show the diff", "Apply"], |_| {}).await;
    let question = client.next("window/showMessageRequest").await;
    assert_eq!(question["message"], "zeroerr: a verified edit for `double` is ready");
    let shown = client.next("window/showDocument").await;
    let path = shown["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
    let diff = std::fs::read_to_string(path).unwrap();
    assert!(diff.contains("-    ...\n+    return x * 2\n"), "{diff}");
    client.next("window/showMessageRequest").await;
    logged(&mut client, "was written").await;
    assert_eq!(client.buffer(URI).text, DOUBLE.replace("...", "return x * 2"));
    let log = client.transcript();
    let (diff, question) = (log.find("window/showDocument"), log.rfind("window/showMessageRequest"));
    assert!(diff < question, "an editor that waits for the answer would not show the diff before:\n{log}");
    client.leave().await;
}

#[tokio::test]
async fn a_rejected_edit_leaves_no_trace() {
    let (mut client, _reports) = implemented(ClientKind::Neovim, &["Discard"], |_| {}).await;
    client.next("window/showMessageRequest").await;
    client.command("zeroerr.status", Value::Null).await;
    client.next("window/showMessage").await;
    assert_eq!(titles(&client.code_actions(URI, "def double").await), ["Implement with verified code"]);
    assert_eq!(client.buffer(URI).text, DOUBLE);
    let log = client.transcript();
    assert!(!log.contains("workspace/applyEdit"), "{log}");
    client.leave().await;
}

#[tokio::test]
async fn without_buttons_and_without_an_answer_the_edit_waits_as_an_action() {
    for kind in [ClientKind::Eglot, ClientKind::Helix] {
        let (mut client, _reports) = implemented(kind, &[], |_| {}).await;
        let method = if kind == ClientKind::Eglot { "window/showMessage" } else { "window/showMessageRequest" };
        client.next(method).await;
        let actions = client.code_actions(URI, "def double").await;
        client.pick(action(&actions, "Apply verified edit")).await;
        logged(&mut client, "was written").await;
        assert_eq!(client.buffer(URI).text, DOUBLE.replace("...", "return x * 2"), "{kind:?}");
        client.leave().await;
    }
}
