//! No evidence, no "verified": what is missing comes as guesses that count for nothing until they are accepted.

use serde_json::json;
use zeroerr_test_support::ClientKind;

use crate::flows::hover;
use crate::workbench::{FakeWorkbench, Script};
use crate::{URI, action, logged, open};

/// A spec that could not show a wrong program to be wrong.
const UNPROVEN: &str = "# @spec Twice x.\ndef double(x: int) -> int:\n    ...\n";

/// From the abstention to the verified edit: each step is one action of the user.
async fn guess_accept_implement(kind: ClientKind) {
    let suggestions = vec!["@example? double(1) == 2".to_owned(), "@raises? TypeError double(None)".to_owned()];
    let told = Script::Told { clause: "@example double(1) == 2".into(), body: "return x * 2".into() };
    let workbench = FakeWorkbench::new([("double", Script::Unproven { suggestions }), ("double", told)]);
    let mut client = open(kind, &workbench, UNPROVEN).await;
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    client.next("window/showMessage").await;
    client.diagnostics(URI).await;
    let actions = client.code_actions(URI, "def double").await;
    assert_eq!(action(&actions, "Add to the spec as a guess: `TypeError double(None)`")["kind"], "quickfix");
    client.pick(action(&actions, "Add to the spec as a guess: `double(1) == 2`")).await;
    assert_eq!(client.buffer(URI).text, UNPROVEN.replace("x.\n", "x.\n# @example? double(1) == 2\n"));
    let faults = client.diagnostics(URI).await;
    let guess = faults.iter().find(|d| d["code"] == "spec.guess").expect("a mark where the guess stands");
    assert_eq!(guess["severity"], 4, "a hint: nothing is wrong");
    assert!(faults.iter().any(|d| d["code"] == "vote.abstained"), "and nothing is proven: {faults:?}");
    let actions = client.code_actions(URI, "@example?").await;
    let accept = action(&actions, "Accept the guess `double(1) == 2`");
    client.pick(accept).await;
    assert!(client.buffer(URI).text.contains("# @example double(1) == 2\n"), "{}", client.buffer(URI).text);
    assert!(client.diagnostics(URI).await.is_empty());
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    logged(&mut client, "was written").await;
    assert!(client.buffer(URI).text.contains("return x * 2"));
    client.leave().await;
}

#[tokio::test]
async fn a_guess_is_written_accepted_and_then_counts_in_vs_code() {
    guess_accept_implement(ClientKind::VsCode).await;
}

#[tokio::test]
async fn a_guess_is_written_accepted_and_then_counts_in_helix() {
    guess_accept_implement(ClientKind::Helix).await;
}

#[tokio::test]
async fn hover_tells_guesses_from_examples() {
    let workbench = FakeWorkbench::new([]);
    let text = UNPROVEN.replace("x.\n", "x.\n# @example? double(1) == 2\n");
    let mut client = open(ClientKind::VsCode, &workbench, &text).await;
    let hover = hover(&mut client, "def double").await;
    assert!(
        hover.contains("Guesses, which count for nothing until the `?` is taken away**\n- `@example double(1) == 2`"),
        "{hover}"
    );
    assert!(hover.contains("Nothing here could show a wrong program to be wrong"), "{hover}");
    client.leave().await;
}
