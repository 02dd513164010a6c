//! What editors show beside the text: colours, folds, hints, links, completions in place.

use expect_test::expect;
use serde_json::{Value, json};
use zeroerr_test_support::{ClientKind, LspClient};

use crate::workbench::{FakeWorkbench, Script};
use crate::{DOUBLE, URI, action, connect, connect_with, logged, open};

const RULES: &str =
    "# @spec 😀 Twice x.\n# @ensures result == 2 * x\n# @example double('é') == 'éé'\ndef double(x):\n    ...\n";

fn document() -> Value {
    json!({ "uri": URI })
}

/// Tokens as texts, found by walking the numbers over the client's own text.
fn coloured(text: &str, data: &Value, legend: &Value, encoding: &str) -> String {
    let numbers: Vec<u64> = data.as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).collect();
    let (mut line, mut column) = (0, 0);
    let mut out = String::new();
    for token in numbers.chunks(5) {
        column = if token[0] == 0 { column + token[1] } else { token[1] };
        line += token[0];
        let at = |c: u64| zeroerr_test_support::text::offset(text, &json!({ "line": line, "character": c }), encoding);
        let name = legend["tokenTypes"][token[3] as usize].as_str().unwrap();
        out.push_str(&format!("{name} {}\n", &text[at(column)..at(column + token[2])]));
    }
    out
}

#[tokio::test]
async fn specs_are_coloured_in_the_clients_own_columns() {
    for (kind, encoding) in [(ClientKind::VsCode, "utf-16"), (ClientKind::Neovim, "utf-8")] {
        let workbench = FakeWorkbench::new([]);
        let (mut client, _) = connect(kind, &workbench);
        let legend = client.initialize().await["capabilities"]["semanticTokensProvider"]["legend"].clone();
        client.open(URI, "python", RULES).await;
        client.diagnostics(URI).await;
        let all = client.request("textDocument/semanticTokens/full", json!({ "textDocument": document() })).await;
        expect![[r#"
            keyword @spec
            keyword @ensures
            variable result
            number 2
            parameter x
            keyword @example
            function double
            string 'é'
            string 'éé'
        "#]]
        .assert_eq(&coloured(RULES, &all["data"], &legend, encoding));

        client.replace(URI, "2 * x", "2 * x + 10").await;
        client.diagnostics(URI).await;
        let id = all["resultId"].clone();
        let params = json!({ "textDocument": document(), "previousResultId": id });
        let delta = client.request("textDocument/semanticTokens/full/delta", params).await;
        let edits = delta["edits"].as_array().unwrap();
        assert_eq!(edits.len(), 1);
        assert!(edits[0]["data"].as_array().unwrap().len() <= 10, "one token more, and the place of the next: {delta}");
        let mut data = all["data"].as_array().unwrap().clone();
        let start = edits[0]["start"].as_u64().unwrap() as usize;
        let gone = edits[0]["deleteCount"].as_u64().unwrap() as usize;
        data.splice(start..start + gone, edits[0]["data"].as_array().unwrap().clone());
        let text = client.buffer(URI).text.clone();
        assert!(coloured(&text, &json!(data), &legend, encoding).contains("parameter x\nnumber 10\nkeyword @example"));

        let stale = json!({ "textDocument": document(), "previousResultId": "nothing" });
        let whole = client.request("textDocument/semanticTokens/full/delta", stale).await;
        assert!(whole["data"].is_array(), "an identifier that nobody knows gets everything");
        client.shutdown().await;
    }
}

#[tokio::test]
async fn only_what_is_on_the_screen_is_coloured_when_that_is_asked() {
    let text = format!("{RULES}\n\n{}", RULES.replace("double", "twice"));
    let workbench = FakeWorkbench::new([]);
    let mut client = open(ClientKind::VsCode, &workbench, &text).await;
    let range = json!({ "start": { "line": 7, "character": 0 }, "end": { "line": 9, "character": 0 } });
    let params = json!({ "textDocument": document(), "range": range });
    let shown = client.request("textDocument/semanticTokens/range", params).await;
    assert_eq!(shown["data"][0], 7, "the first token is in the second block");
    client.shutdown().await;
}

#[tokio::test]
async fn spec_blocks_fold_and_functions_still_do() {
    let workbench = FakeWorkbench::new([]);
    let mut client = open(ClientKind::Neovim, &workbench, RULES).await;
    let folds = client.request("textDocument/foldingRange", json!({ "textDocument": document() })).await;
    assert_eq!(
        folds,
        json!([
            { "startLine": 0, "endLine": 2, "kind": "comment", "collapsedText": "@spec 😀 Twice x. …" },
            { "startLine": 3, "endLine": 4 },
        ])
    );
    client.shutdown().await;
}

async fn hints(client: &mut LspClient) -> Value {
    let all = json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 99, "character": 0 } });
    client.request("textDocument/inlayHint", json!({ "textDocument": document(), "range": all })).await
}

#[tokio::test]
async fn the_votes_stand_behind_the_header_until_the_function_is_another() {
    // Helix shows no lenses, so its hint tells the checks, too.
    for (kind, label) in
        [(ClientKind::VsCode, "5 votes, ahead by 3"), (ClientKind::Helix, "7/8 checks @v1 · 5 votes, ahead by 3")]
    {
        let workbench = FakeWorkbench::new([("double", Script::body("return x * 2"))]);
        let mut client = open(kind, &workbench, DOUBLE).await;
        assert_eq!(hints(&mut client).await, json!([]));
        client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
        logged(&mut client, "was written").await;
        let shown = hints(&mut client).await;
        assert_eq!(shown[0]["label"], label);
        assert_eq!(shown[0]["position"], client.range_of(URI, "def double(x: int) -> int:")["end"]);
        assert!(shown[0]["tooltip"]["value"].as_str().unwrap().contains("ahead by 3 of 3"));
        client.replace(URI, "x * 2", "x * 3").await;
        assert_eq!(hints(&mut client).await, json!([]), "{kind:?}: other code, no claim");
        client.leave().await;
    }
}

#[tokio::test]
async fn a_spec_links_to_the_report_on_its_function() {
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    let workbench = FakeWorkbench::new([("double", Script::Findings(Vec::new()))]);
    let (mut client, _) = connect_with(ClientKind::VsCode, &workbench, |o| o.reports = Some(reports));
    client.initialize().await;
    client.open(URI, "python", DOUBLE).await;
    client.diagnostics(URI).await;
    let links = json!({ "textDocument": document() });
    assert_eq!(client.request("textDocument/documentLink", links.clone()).await, json!([]));
    client.command("zeroerr.verify", json!({ "uri": URI, "function": "double" })).await;
    client.next("workspace/diagnostic/refresh").await;
    let found = client.request("textDocument/documentLink", links).await;
    assert_eq!(found[0]["range"], client.range_of(URI, "@spec"));
    assert_eq!(found[0]["tooltip"], "zeroerr report on `double`: 7/8 checks @v1");
    let path = found[0]["target"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
    assert!(std::fs::read_to_string(path).unwrap().starts_with("# double\n\nChecked as it stands"));
    client.leave().await;
}

/// What is offered in place at the stub's body.
async fn in_place(client: &mut LspClient, part: &str) -> Value {
    let position = client.position_of(URI, part);
    let params = json!({ "textDocument": document(), "position": position, "context": { "triggerKind": 2 } });
    client.request("textDocument/inlineCompletion", params).await
}

#[tokio::test]
async fn only_a_verified_edit_that_waits_is_offered_in_place() {
    let workbench = FakeWorkbench::new([("double", Script::body("return x * 2"))]);
    let mut client = open(ClientKind::VsCode, &workbench, DOUBLE).await;
    assert_eq!(in_place(&mut client, "...").await, Value::Null);
    assert_eq!(workbench.alive.load(std::sync::atomic::Ordering::SeqCst), 0, "nothing is begun by asking");
    client.ignores_edits = true;
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    client.next("window/showMessage").await;
    let offered = in_place(&mut client, "...").await;
    assert_eq!(
        offered,
        json!([{ "insertText": "return x * 2", "filterText": "...", "range": client.range_of(URI, "...") }])
    );
    assert_eq!(in_place(&mut client, "import").await, Value::Null, "elsewhere there is nothing");
    client.replace(URI, "...", "return x * 2").await;
    logged(&mut client, "was written").await;
    assert_eq!(in_place(&mut client, "return").await, Value::Null, "what is there is not offered again");
    client.leave().await;
}

#[tokio::test]
async fn what_a_model_wrote_is_tagged_for_clients_that_show_it() {
    for (kind, tags) in [(ClientKind::VsCode, json!([1])), (ClientKind::Neovim, Value::Null)] {
        let workbench = FakeWorkbench::new([]);
        let mut client = open(kind, &workbench, &DOUBLE.replace("...", "return 2 * x")).await;
        let actions = client.code_actions(URI, "def double").await;
        assert_eq!(action(&actions, "Implement")["tags"], tags, "{kind:?}");
        assert_eq!(action(&actions, "Verify")["tags"], Value::Null, "checking writes nothing");
        client.shutdown().await;
    }
}

#[tokio::test]
async fn a_client_that_knows_no_actions_gets_commands() {
    let workbench = FakeWorkbench::new([]);
    let (mut client, _) = connect(ClientKind::Eglot, &workbench);
    client.initialize_with(|p| p["capabilities"]["textDocument"]["codeAction"] = json!({})).await;
    client.open(URI, "python", DOUBLE).await;
    client.diagnostics(URI).await;
    let actions = client.code_actions(URI, "def double").await;
    assert_eq!(actions[0]["command"], "zeroerr.implement");
    assert!(actions[0].get("kind").is_none(), "{actions:?}");
    client.shutdown().await;
}

#[tokio::test]
async fn work_is_traced_for_whoever_asks_and_telemetry_is_never_sent() {
    let workbench = FakeWorkbench::new([]);
    let mut client = open(ClientKind::Neovim, &workbench, DOUBLE).await;
    client.notify("$/setTrace", json!({ "value": "messages" })).await;
    hints(&mut client).await;
    let told = client.next("$/logTrace").await;
    assert!(told["message"].as_str().unwrap().ends_with(" for textDocument/inlayHint"), "{told}");
    assert!(told.get("verbose").is_none());
    client.notify("$/setTrace", json!({ "value": "verbose" })).await;
    hints(&mut client).await;
    let told = client.next("$/logTrace").await;
    assert_eq!(told["verbose"], "1 documents open, 0 questions wait for an analysis, 0 jobs run");
    client.notify("$/setTrace", json!({ "value": "off" })).await;
    hints(&mut client).await;
    assert!(!client.transcript().contains("telemetry"));
    client.shutdown().await;
}
