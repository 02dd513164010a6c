//! Completion, settings, encodings, languages, reports: what is read rather than run.

use std::sync::{Arc, Mutex};

use expect_test::expect;
use serde_json::{Value, json};
use zeroerr_test_support::{ClientKind, LspClient};

use crate::workbench::{FakeWorkbench, Script};
use crate::{DOUBLE, URI, connect, connect_with, logged, open, titles};

/// What is offered at `$0`.
async fn completions(marked: &str) -> Vec<String> {
    let answer = completion(marked).await;
    assert!(answer["isIncomplete"].is_null(), "{answer}");
    let items = answer.as_array().map(Vec::as_slice).unwrap_or_default();
    items.iter().map(|i| i["textEdit"]["newText"].as_str().unwrap().to_owned()).collect()
}

async fn completion(marked: &str) -> Value {
    let workbench = FakeWorkbench::new([]);
    let text = marked.replace("$0", "");
    let mut client = open(ClientKind::VsCode, &workbench, &text).await;
    let at = marked.find("$0").unwrap();
    let position = zeroerr_test_support::text::position(&text, at, "utf-16");
    let items = client
        .request("textDocument/completion", json!({ "textDocument": { "uri": URI }, "position": position }))
        .await;
    client.shutdown().await;
    items
}

#[tokio::test]
async fn a_long_list_is_cut_and_the_next_key_asks_for_the_rest() {
    let many: String = (0..1_000).map(|n| format!("def f{n}(): ...\n")).collect();
    let with = |word: &str| format!("{many}# @spec Twice x.\n# @example {word}$0\ndef double(x): ...\n");
    let first = completion(&with("")).await;
    assert_eq!((&first["isIncomplete"], first["items"].as_array().unwrap().len()), (&json!(true), 200));
    assert_eq!(first["items"][0]["label"], "double", "what belongs to the function comes first");
    assert_eq!(completions(&with("f99")).await.len(), 11, "f99 and f990 to f999");
}

#[tokio::test]
async fn tags_and_names_are_completed_in_spec_comments_only() {
    let with = |line: &str| format!("# @spec Twice x.\n{line}\ndef double(x: int, y) -> int:\n    ...\n");
    assert_eq!(completions(&with("# @ex$0")).await, ["@example"]);
    assert_eq!(completions(&with("# $0")).await.len(), 11, "every tag");
    assert_eq!(completions(&with("# @requires $0")).await, ["x", "y"]);
    assert_eq!(completions(&with("# @ensures res$0")).await, ["result"]);
    assert_eq!(completions(&with("# @example dou$0")).await, ["double"]);
    assert_eq!(completions(&with("# @ensures x > 0 and y$0")).await, ["y"]);
    assert_eq!(completions(&with("# @forbid re$0")).await, ["recursion"]);
    assert_eq!(completions(&with("# @complexity $0")).await.len(), 7);
    assert_eq!(completions(&with("# @example $0")).await, ["double"], "once, though the file has it, too");
    let with = |line: &str| format!("import math\nclass Big(ValueError): ...\ndef half(n): ...\n{}", with(line));
    assert_eq!(completions(&with("# @ensures $0")).await, ["x", "y", "result", "double", "math", "Big", "half"]);
    assert_eq!(completions(&with("# @uses $0")).await, ["math"]);
    assert_eq!(completions(&with("# @raises $0")).await[..2], ["Big", "ValueError"]);
    assert_eq!(completions(&with("# @raises Big ha$0")).await, ["half"]);
    assert_eq!(completions(&with("# @step f(a: B$0")).await, ["Big"]);
    assert_eq!(completions(&with("# @step f(a: int) -> st$0")).await, ["str"]);
    assert_eq!(completions(&with("# @step ha$0")).await, Vec::<String>::new(), "a new name is nobody's");
    assert_eq!(completions("x = '@ex$0'\n").await, Vec::<String>::new());
    assert_eq!(completions("def f(@ex$0): ...\n").await, Vec::<String>::new());
}

#[tokio::test]
async fn a_tag_is_explained_where_it_is_offered_and_where_it_stands() {
    let workbench = FakeWorkbench::new([]);
    let mut client = open(ClientKind::VsCode, &workbench, DOUBLE).await;
    let position = client.range_of(URI, "@exam")["end"].clone();
    let params = json!({ "textDocument": { "uri": URI }, "position": position });
    let items = client.request("textDocument/completion", params.clone()).await;
    assert_eq!(
        items[0]["documentation"]["value"],
        "`@example EXPRESSION`\n\n```\n@example median([3, 1, 2]) == 2\n```"
    );
    let hover = client.request("textDocument/hover", params).await;
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.starts_with("`@example EXPRESSION`: A call and what it must give"), "{text}");
    client.shutdown().await;
}

/// Columns after an emoji, for a client that counts in `encodings`.
async fn spec_fault_columns(encodings: Value) -> (Value, Value) {
    let workbench = FakeWorkbench::new([]);
    let (mut client, _) = connect(ClientKind::VsCode, &workbench);
    let result = client.initialize_with(|p| p["capabilities"]["general"]["positionEncodings"] = encodings).await;
    client.open(URI, "python", "# @spec 😀 e\u{301}\n#😀 x\n#   @oops\ndef f(): ...\n").await;
    let before = client.diagnostics(URI).await[0]["range"].clone();
    client.replace(URI, "#   @oops", "#\u{1f600}@example").await;
    client.replace(URI, "#😀 x", "#  @nope 😀").await;
    assert_eq!(client.diagnostics(URI).await[0]["range"]["end"], client.range_of(URI, "@nope")["end"]);
    client.leave().await;
    (result["capabilities"]["positionEncoding"].clone(), before)
}

#[tokio::test]
async fn columns_are_right_after_emoji_in_every_encoding() {
    for (offered, chosen) in [
        (json!(["utf-16"]), "utf-16"),
        (json!(["utf-16", "utf-8"]), "utf-8"),
        (json!(["utf-32"]), "utf-32"),
        (Value::Null, "utf-16"),
    ] {
        let (encoding, range) = spec_fault_columns(offered).await;
        assert_eq!(encoding, chosen);
        assert_eq!(range, json!({ "start": { "line": 2, "character": 4 }, "end": { "line": 2, "character": 9 } }));
    }
}

#[tokio::test]
async fn an_edit_behind_an_emoji_lands_on_its_column() {
    for kind in ClientKind::ALL {
        let text = "# @spec 😀\n# @example f(1) == 2\ndef f(x, y='😀'): ...\n";
        let workbench = FakeWorkbench::new([("f", Script::body("return x + 1"))]);
        let mut client = open(kind, &workbench, text).await;
        client.command("zeroerr.implement", json!({ "uri": URI, "function": "f" })).await;
        logged(&mut client, "was written").await;
        assert_eq!(client.buffer(URI).text, text.replace("...", "return x + 1"), "{kind:?}");
        client.leave().await;
    }
}

#[tokio::test]
async fn untitled_buffers_work_and_other_languages_are_left_alone() {
    let workbench = FakeWorkbench::new([]);
    let (mut client, _) = connect(ClientKind::VsCode, &workbench);
    client.initialize().await;
    client.open("untitled:Untitled-1", "python", DOUBLE).await;
    client.diagnostics("untitled:Untitled-1").await;
    assert_eq!(
        titles(&client.code_actions("untitled:Untitled-1", "def double").await),
        ["Implement with verified code"]
    );
    client.open("file:///w/README.md", "markdown", DOUBLE).await;
    client.replace("file:///w/README.md", "import os", "x").await;
    assert!(client.code_actions("file:///w/README.md", "def double").await.is_empty());
    client.command("zeroerr.implement", json!({ "uri": "file:///w/README.md", "function": "double" })).await;
    let told = client.next("window/showMessage").await;
    assert_eq!(told["message"], "zeroerr: file:///w/README.md is in no language that zeroerr knows");
    client.command("zeroerr.implement", json!({ "uri": "file:///w/none.py", "function": "double" })).await;
    assert_eq!(client.next("window/showMessage").await["message"], "zeroerr: file:///w/none.py is not open");
    client.shutdown().await;
}

type Received = Arc<Mutex<Vec<Value>>>;

fn with_settings(kind: ClientKind) -> (LspClient, Received) {
    let received = Received::default();
    let sink = received.clone();
    let (client, _) = connect_with(kind, &FakeWorkbench::new([]), |options| {
        options.on_settings = Box::new(move |settings| {
            sink.lock().unwrap().push(settings.clone());
            if settings["k"].as_i64() == Some(0) { Err("`k` must be at least 1".into()) } else { Ok(()) }
        });
    });
    (client, received)
}

#[tokio::test]
async fn settings_are_pulled_and_an_error_is_shown_once() {
    let (mut client, received) = with_settings(ClientKind::VsCode);
    client.settings = json!({ "k": 0 });
    client.initialize().await;
    client.next("client/registerCapability").await;
    client.next("workspace/configuration").await;
    let told = client.next("window/showMessage").await;
    assert_eq!((told["type"].as_i64(), told["message"].as_str()), (Some(1), Some("zeroerr: `k` must be at least 1")));
    for k in [0, 0, 3] {
        client.settings = json!({ "k": k });
        client.notify("workspace/didChangeConfiguration", json!({ "settings": null })).await;
        client.next("workspace/configuration").await;
    }
    client.command("zeroerr.status", Value::Null).await;
    assert!(
        client.next("window/showMessage").await["message"].as_str().unwrap().contains("nothing is running"),
        "told only once"
    );
    client.shutdown().await;
    assert_eq!(*received.lock().unwrap(), [json!({ "k": 0 }), json!({ "k": 0 }), json!({ "k": 0 }), json!({ "k": 3 })]);
}

#[tokio::test]
async fn settings_are_taken_as_pushed_where_they_cannot_be_pulled() {
    let (mut client, received) = with_settings(ClientKind::Helix);
    client
        .initialize_with(|p| {
            p["capabilities"]["workspace"]["configuration"] = json!(false);
            p["initializationOptions"] = json!({ "k": 4 });
        })
        .await;
    client.notify("workspace/didChangeConfiguration", json!({ "settings": { "zeroerr": { "k": 5 } } })).await;
    client.notify("workspace/didChangeConfiguration", json!({ "settings": { "k": 6 } })).await;
    client.command("zeroerr.status", Value::Null).await;
    client.next("window/showMessage").await;
    client.shutdown().await;
    assert_eq!(*received.lock().unwrap(), [json!({ "k": 4 }), json!({ "k": 5 }), json!({ "k": 6 })]);
}

/// Helix has one line for a message: what has several is a file there, and on one line where it shows none.
#[tokio::test]
async fn the_status_is_a_file_where_a_message_has_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let workbench = FakeWorkbench::new([]);
    for can_show in [true, false] {
        let (mut client, _) =
            connect_with(ClientKind::Helix, &workbench, |o| o.reports = Some(folder.path().to_owned()));
        client.initialize_with(|p| p["capabilities"]["window"]["showDocument"]["support"] = json!(can_show)).await;
        client.command("zeroerr.status", Value::Null).await;
        if can_show {
            let shown = client.next("window/showDocument").await;
            let path = shown["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
            let text = std::fs::read_to_string(path).unwrap();
            assert!(text.starts_with("# zeroerr\n\n- nothing is running\n- "), "{text}");
        } else {
            let shown = client.next("window/showMessage").await;
            let message = shown["message"].as_str().unwrap();
            assert!(message.starts_with("zeroerr: nothing is running · ") && !message.contains('\n'), "{message}");
        }
        client.leave().await;
    }
}

#[tokio::test]
async fn the_report_is_a_file_the_editor_opens_or_else_a_message() {
    let folder = tempfile::tempdir().unwrap();
    let reports = folder.path().join("reports");
    let workbench =
        FakeWorkbench::new([("double", Script::body("return x * 2")), ("double", Script::Findings(Vec::new()))]);
    for can_show in [true, false] {
        let (mut client, _) = connect_with(ClientKind::Helix, &workbench, |o| o.reports = Some(reports.clone()));
        client.initialize_with(|p| p["capabilities"]["window"]["showDocument"]["support"] = json!(can_show)).await;
        client.open(URI, "python", &DOUBLE.replace("...", "return 2 * x")).await;
        client.diagnostics(URI).await;
        client.command("zeroerr.showReport", Value::Null).await;
        assert!(client.next("window/showMessage").await["message"].as_str().unwrap().contains("no report yet"));
        let name = if can_show { "zeroerr.implement" } else { "zeroerr.verify" };
        client.command(name, json!({ "uri": URI, "function": "double" })).await;
        if can_show {
            logged(&mut client, "was written").await;
        } else {
            client.next("textDocument/publishDiagnostics").await;
        }
        client.command("zeroerr.showReport", Value::Null).await;
        if can_show {
            let shown = client.next("window/showDocument").await;
            let path = shown["uri"].as_str().unwrap().strip_prefix("file://").unwrap().to_owned();
            let text = std::fs::read_to_string(path).unwrap();
            expect![[r#"
                # double

                Written by zeroerr, 7 of 8 checks passed @v1, performance: nothing to check (no @budget)

                - ✓ syntax: ok
                - ✓ types: ok
                - ✓ contracts: ok
                - ✓ tests: ok
                - ✓ properties: ok
                - ✓ analysis: ok
                - ✓ security: ok
                - – performance: no @budget

                Votes on `double`: 4 for `c0ffee00`, 1 for `deadbeef`; ahead by 3 of 3; 6 samples.

                Run `run-1`: verified, 1.5 s. decided and verified
            "#]]
            .assert_eq(&text);
        } else {
            let shown = client.next("window/showMessage").await;
            assert!(shown["message"].as_str().unwrap().contains("Checked as it stands"), "{shown}");
        }
        client.leave().await;
    }
}
