//! The protocol itself: real clients' handshakes, malformed input, order, panics.

use expect_test::expect;
use serde_json::{Value, json};
use zeroerr_lsp::Exit;
use zeroerr_test_support::ClientKind;

use crate::workbench::{FakeWorkbench, Script};
use crate::{DOUBLE, URI, connect, logged, open, titles};

#[tokio::test]
async fn the_handshake_of_every_client_is_understood() {
    let mut seen = String::new();
    for kind in ClientKind::ALL {
        let (mut client, server) = connect(kind, &FakeWorkbench::new([]));
        let result = client.initialize().await;
        let caps = &result["capabilities"];
        seen.push_str(&format!(
            "{kind:?}: {} lens {} commands {}\n",
            caps["positionEncoding"],
            caps["codeLensProvider"],
            caps["executeCommandProvider"]["commands"].as_array().unwrap().len()
        ));
        client.shutdown().await;
        assert_eq!(server.await.unwrap(), Exit::Clean);
    }
    expect![[r#"
        VsCode: "utf-16" lens {"resolveProvider":false} commands 9
        Neovim: "utf-8" lens {"resolveProvider":false} commands 9
        Helix: "utf-8" lens null commands 9
        Eglot: "utf-16" lens null commands 9
    "#]]
    .assert_eq(&seen);
}

#[tokio::test]
async fn malformed_messages_are_answered_and_survived() {
    let (mut client, _) = connect(ClientKind::VsCode, &FakeWorkbench::new([]));
    client.initialize().await;
    let status = r#"{"jsonrpc":"2.0","id":1000,"method":"nope/nope"}"#;
    let too_long = format!("Content-Length: {}\r\n\r\n{status}", status.len() + 9);
    for bad in [
        "Content-Length: 9\r\n\r\n{not json",
        "Content-Length: 2\r\n\r\n[]",
        "Content-Length: x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        &too_long,
        "Content-Length: 4\r\n\r\n\u{FFFD}x",
    ] {
        client.send_raw(bad.as_bytes()).await;
        client.notify("$/unknownNotification", json!({})).await;
        let error = client.next("error").await;
        assert_eq!(error["code"], -32700, "{bad:?}");
    }
    client.command("zeroerr.status", Value::Null).await;
    assert!(client.next("window/showMessage").await["message"].as_str().unwrap().contains("nothing is running"));
    client.leave().await;
}

#[tokio::test]
async fn every_request_is_answered_with_what_the_protocol_asks_for() {
    let (mut client, server) = connect(ClientKind::VsCode, &FakeWorkbench::new([]));
    let hover = json!({ "textDocument": { "uri": URI }, "position": { "line": 0, "character": 0 } });
    assert_eq!(client.request_error("textDocument/hover", hover.clone()).await["code"], -32002, "before initialize");
    client.initialize().await;
    assert_eq!(client.request_error("initialize", json!({ "capabilities": {} })).await["code"], -32600, "twice");
    assert_eq!(client.request_error("zeroerr/nope", json!({})).await["code"], -32601);
    assert_eq!(client.request_error("textDocument/hover", json!({ "position": 1 })).await["code"], -32602);
    assert_eq!(client.request_error("textDocument/hover", Value::Null).await["code"], -32602);
    assert_eq!(
        client.request_error("workspace/executeCommand", json!({ "command": "zeroerr.nope" })).await["code"],
        -32601
    );
    for arguments in
        [json!([]), json!([{}]), json!([{ "uri": URI }]), json!([7]), json!([{ "uri": "%%%", "function": "f" }])]
    {
        let error = client
            .request_error(
                "workspace/executeCommand",
                json!({ "command": "zeroerr.implement", "arguments": arguments }),
            )
            .await;
        assert_eq!(error["code"], -32602, "{error}");
    }
    assert_eq!(client.request("textDocument/hover", hover.clone()).await, Value::Null, "a document that is not open");
    client
        .notify(
            "textDocument/didChange",
            json!({ "textDocument": { "uri": URI, "version": 3 }, "contentChanges": [{ "text": "x" }] }),
        )
        .await;
    client.notify("textDocument/didClose", json!({ "textDocument": { "uri": URI } })).await;
    client.request("shutdown", Value::Null).await;
    assert_eq!(client.request_error("shutdown", Value::Null).await["code"], -32600, "twice");
    assert_eq!(client.request_error("textDocument/hover", hover).await["code"], -32600, "after shutdown");
    client.notify("exit", Value::Null).await;
    assert_eq!(server.await.unwrap(), Exit::Clean);
}

#[tokio::test]
async fn positions_beyond_the_text_are_clamped() {
    let workbench = FakeWorkbench::new([]);
    let mut client = open(ClientKind::Neovim, &workbench, DOUBLE).await;
    let far = json!({ "line": 4_000_000_000u32, "character": 4_000_000_000u32 });
    assert_eq!(
        client.request("textDocument/hover", json!({ "textDocument": { "uri": URI }, "position": far })).await,
        Value::Null
    );
    client.edit(URI, json!({ "start": far, "end": { "line": 0, "character": 0 } }), "x").await;
    client.diagnostics(URI).await;
    client
        .edit(
            URI,
            json!({ "start": { "line": 0, "character": 99 }, "end": { "line": 0, "character": 99 } }),
            &format!("\n{DOUBLE}"),
        )
        .await;
    client.diagnostics(URI).await;
    assert_eq!(titles(&client.code_actions(URI, "def double").await), ["Implement with verified code"]);
    client.shutdown().await;
}

#[tokio::test]
async fn a_panic_is_an_error_and_the_server_stays_up() {
    let workbench = FakeWorkbench::new([("status panics", Script::Hang)]);
    let mut client = open(ClientKind::Helix, &workbench, DOUBLE).await;
    let status = json!({ "command": "zeroerr.status", "arguments": [] });
    assert_eq!(client.request_error("workspace/executeCommand", status).await["code"], -32603);
    client.replace(URI, "import os", "PANIC IN ANALYSIS").await;
    assert!(client.diagnostics(URI).await.is_empty());
    client.replace(URI, "PANIC IN ANALYSIS", "import os").await;
    client.diagnostics(URI).await;
    assert_eq!(titles(&client.code_actions(URI, "def double").await), ["Implement with verified code"]);
    client.shutdown().await;
}

#[tokio::test]
async fn a_cancelled_request_is_answered_once() {
    let workbench = FakeWorkbench::new([]);
    let mut client = open(ClientKind::VsCode, &workbench, DOUBLE).await;
    for _ in 0..50 {
        let id = client
            .start(
                "textDocument/hover",
                json!({ "textDocument": { "uri": URI }, "position": { "line": 4, "character": 5 } }),
            )
            .await;
        client.notify("$/cancelRequest", json!({ "id": id })).await;
        match client.finish(id).await {
            Ok(hover) => assert!(hover["contents"]["value"].as_str().unwrap().contains("Twice x")),
            Err(error) => assert_eq!(error["code"], -32800),
        }
    }
    client.shutdown().await;
}

/// A thousand edits without a breath: the text at the end is the client's, so none was taken out
/// of order, and the question that follows is answered from it.
#[tokio::test]
async fn edits_are_taken_in_the_order_in_which_they_were_sent() {
    let workbench = FakeWorkbench::new([("last", Script::body("return 1"))]);
    let mut client = open(ClientKind::Neovim, &workbench, "").await;
    let texts: Vec<_> = (0..1000).map(|n| format!("# {n} 😀\n")).collect();
    let keys: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(n, text)| (json!({ "line": n % 7, "character": n % 3 }), text.as_str()))
        .collect();
    client.burst(URI, &keys).await;
    let end = json!({ "line": 99_999, "character": 0 });
    client
        .edit(
            URI,
            json!({ "start": end, "end": end }),
            "\n# @spec The last.\n# @example last() == 1\ndef last(): ...\n",
        )
        .await;
    let actions = client.code_actions(URI, "def last").await;
    client.pick(&actions[0]).await;
    logged(&mut client, "was written").await;
    assert!(client.buffer(URI).text.ends_with("def last(): return 1\n"));
    client.leave().await;
}

#[tokio::test]
async fn the_death_of_the_clients_process_ends_the_server() {
    let (mut client, server) = connect(ClientKind::VsCode, &FakeWorkbench::new([]));
    let mut editor = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    client.initialize_with(|p| p["processId"] = json!(editor.id())).await;
    client.open(URI, "python", DOUBLE).await;
    client.diagnostics(URI).await;
    editor.kill().unwrap();
    editor.wait().unwrap();
    let exit =
        tokio::time::timeout(std::time::Duration::from_secs(10), server).await.expect("the server notices").unwrap();
    assert_eq!(exit, Exit::Abrupt);
}

/// The protocol allows it: a server that the client did not start itself has no parent to watch.
#[tokio::test]
async fn a_client_without_a_process_is_served() {
    let (mut client, server) = connect(ClientKind::VsCode, &FakeWorkbench::new([]));
    client.initialize_with(|p| p["processId"] = Value::Null).await;
    client.open(URI, "python", DOUBLE).await;
    client.diagnostics(URI).await;
    client.shutdown().await;
    assert_eq!(server.await.unwrap(), Exit::Clean);
}
