//! Edits that must not happen, jobs that must end, and what the user is told.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};
use zeroerr_lsp::Exit;
use zeroerr_test_support::{ClientKind, LspClient};

use crate::workbench::{FakeWorkbench, Script};
use crate::{DOUBLE, URI, action, connect, logged, open, titles};

async fn begin(client: &mut LspClient) {
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    client.progress("begin").await;
}

async fn message(client: &mut LspClient) -> String {
    client.next("window/showMessage").await["message"].as_str().unwrap().to_owned()
}

fn written(imports: &str) -> Arc<FakeWorkbench> {
    FakeWorkbench::gated([("double", Script::Write { body: "return x * 2".into(), imports: imports.into() })])
}

/// What the user types while the run is on, and what must come of it.
async fn typed_meanwhile(kind: ClientKind, old: &str, new: &str, imports: &str, expected: Result<String, &str>) {
    let workbench = written(imports);
    let mut client = open(kind, &workbench, DOUBLE).await;
    begin(&mut client).await;
    client.replace(URI, old, new).await;
    let typed = client.buffer(URI).text.clone();
    workbench.release();
    match expected {
        Ok(text) => {
            logged(&mut client, "was written").await;
            assert_eq!(client.buffer(URI).text, text);
        }
        Err(why) => {
            assert_eq!(message(&mut client).await, format!("zeroerr: the edit for `double` was given up: {why}"));
            assert_eq!(client.buffer(URI).text, typed, "not a byte was touched");
        }
    }
    client.leave().await;
}

#[tokio::test]
async fn an_edit_follows_its_function_when_the_rest_of_the_file_moves() {
    for kind in ClientKind::ALL.into_iter().filter(|k| *k != ClientKind::Eglot) {
        let above = DOUBLE.replace("import os\n", "import os\nimport re\n# 😀\n").replace("...", "return x * 2");
        typed_meanwhile(kind, "import os\n", "import os\nimport re\n# 😀\n", "", Ok(above)).await;
    }
    let below = format!(
        "import math\n{}",
        DOUBLE.replace("...", "return x * 2").replace("print(double(1))", "print(double(7))")
    );
    typed_meanwhile(ClientKind::VsCode, "double(1)", "double(7)", "import math\n", Ok(below)).await;
}

#[tokio::test]
async fn a_stale_edit_is_refused() {
    const CHANGED: &str = "the function or its spec was changed while zeroerr was at work; run it again";
    for kind in ClientKind::ALL.into_iter().filter(|k| *k != ClientKind::Eglot) {
        typed_meanwhile(kind, "    ...", "    return 0", "", Err(CHANGED)).await;
    }
    typed_meanwhile(ClientKind::Neovim, "double(2) == 4", "double(2) == 5", "", Err(CHANGED)).await;
    typed_meanwhile(ClientKind::Neovim, DOUBLE, "", "", Err(CHANGED)).await;
    const IMPORTS: &str = "the place of its imports was changed while zeroerr was at work; run it again";
    typed_meanwhile(ClientKind::Helix, "import os\n", "import sys\n", "import math\n", Err(IMPORTS)).await;
    const AROUND: &str = "what stands around the function was changed while zeroerr was at work; run it again";
    typed_meanwhile(ClientKind::Helix, "import os\n", "import os\n'''\n", "", Err(AROUND)).await;
}

#[tokio::test]
async fn what_could_not_be_kept_is_told_and_the_edit_stands() {
    let workbench = FakeWorkbench::new([("double", Script::Unkept("return x * 2"))]);
    let mut client = open(ClientKind::VsCode, &workbench, DOUBLE).await;
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    let run = "zeroerr: the run is not kept, and cannot be resumed or shown: the disk is full; make room";
    assert_eq!(message(&mut client).await, run);
    let certificate = "zeroerr: `double` is written, but its certificate is not kept, so `zeroerr audit` cannot check it later: the disk is full; make room";
    assert_eq!(message(&mut client).await, certificate);
    assert_eq!(client.buffer(URI).text, DOUBLE.replace("...", "return x * 2"));
    client.leave().await;
}

#[tokio::test]
async fn what_was_typed_and_taken_back_does_not_count() {
    let workbench = written("");
    let mut client = open(ClientKind::VsCode, &workbench, DOUBLE).await;
    begin(&mut client).await;
    client.replace(URI, "    ...", "    oops").await;
    client.replace(URI, "    oops", "    ...").await;
    workbench.release();
    logged(&mut client, "was written").await;
    assert_eq!(client.buffer(URI).text, DOUBLE.replace("...", "return x * 2"));
    client.leave().await;
}

/// The user's key and the server's edit cross on the wire: the server cannot know, the editor's
/// own version check has to refuse. Then the edit is made anew for the text as it is.
#[tokio::test]
async fn an_edit_that_crosses_with_a_key_is_refused_by_the_editor_and_made_anew() {
    for kind in [ClientKind::VsCode, ClientKind::Neovim, ClientKind::Helix] {
        let workbench = written("");
        let mut client = open(kind, &workbench, DOUBLE).await;
        begin(&mut client).await;
        client.crossing = Some((URI.into(), "print(".into(), "print( ".into()));
        workbench.release();
        logged(&mut client, "was written").await;
        assert_eq!(
            client.buffer(URI).text,
            DOUBLE.replace("...", "return x * 2").replace("print(", "print( "),
            "{kind:?}"
        );
        client.leave().await;
    }
}

#[tokio::test]
async fn an_edit_that_crosses_with_a_key_in_its_function_is_given_up() {
    for kind in [ClientKind::VsCode, ClientKind::Neovim, ClientKind::Helix] {
        let workbench = written("");
        let mut client = open(kind, &workbench, DOUBLE).await;
        begin(&mut client).await;
        client.crossing = Some((URI.into(), "    ...".into(), "    mine".into()));
        workbench.release();
        let why = message(&mut client).await;
        assert!(why.starts_with("zeroerr: the edit for `double` was given up: the function or its spec"), "{why}");
        assert_eq!(client.buffer(URI).text, DOUBLE.replace("...", "mine"), "{kind:?}: not a byte was touched");
        client.leave().await;
    }
}

/// Two runs in one document end together. An editor takes only one edit for a version.
#[tokio::test]
async fn two_edits_of_one_document_arrive_one_after_the_other() {
    for kind in [ClientKind::VsCode, ClientKind::Neovim, ClientKind::Helix] {
        let scripts = [("double", Script::body("return x * 2")), ("triple", Script::body("return x * 3"))];
        let workbench = FakeWorkbench::gated(scripts);
        let text =
            format!("{DOUBLE}\n# @spec Thrice x.\n# @example triple(2) == 6\ndef triple(x: int) -> int:\n    ...\n");
        let mut client = open(kind, &workbench, &text).await;
        begin(&mut client).await;
        client.command("zeroerr.implement", json!({ "uri": URI, "function": "triple" })).await;
        client.progress("begin").await;
        workbench.release();
        workbench.release();
        logged(&mut client, "was written").await;
        logged(&mut client, "was written").await;
        let written = text.replacen("...", "return x * 2", 1).replacen("...", "return x * 3", 1);
        assert_eq!(client.buffer(URI).text, written, "{kind:?}");
        client.leave().await;
    }
}

/// The next key comes before the text with the edit in it is analysed.
#[tokio::test]
async fn an_edit_is_marked_although_the_user_types_on_at_once() {
    let body = "return x * 2  # SLOW ANALYSIS";
    let workbench = FakeWorkbench::gated([("double", Script::body(body))]);
    let mut client = open(ClientKind::Neovim, &workbench, DOUBLE).await;
    begin(&mut client).await;
    workbench.release();
    client.progress("end").await;
    while !client.buffer(URI).text.contains(body) {
        client.command("zeroerr.status", Value::Null).await;
    }
    client.command("zeroerr.status", Value::Null).await;
    client.replace(URI, "print(", "print( ").await;
    logged(&mut client, "was written").await;
    client.leave().await;
}

#[tokio::test]
async fn applied_is_believed_only_when_the_text_shows_it() {
    let workbench = written("");
    let mut client = open(ClientKind::Neovim, &workbench, DOUBLE).await;
    client.ignores_edits = true;
    begin(&mut client).await;
    workbench.release();
    let told = message(&mut client).await;
    assert_eq!(
        told,
        "zeroerr: the verified edit for `double` was not applied: the editor's text does not show it. The code action \"Apply verified edit\" tries again."
    );
    let lenses = client.request("textDocument/codeLens", json!({ "textDocument": { "uri": URI } })).await;
    assert_eq!(lenses[0]["command"]["title"], "Generate", "no mark for text that is not there");
    client.ignores_edits = false;
    let actions = client.code_actions(URI, "def double").await;
    client.pick(action(&actions, "Apply verified edit")).await;
    logged(&mut client, "was written").await;
    assert_eq!(client.buffer(URI).text, DOUBLE.replace("...", "return x * 2"));
    assert!(!titles(&client.code_actions(URI, "def double").await).contains(&"Apply verified edit to `double`"));
    client.leave().await;
}

#[tokio::test]
async fn a_client_that_cannot_be_asked_keeps_the_edit_as_an_action() {
    let workbench = written("");
    let (mut client, _) = connect(ClientKind::Helix, &workbench);
    client.initialize_with(|p| p["capabilities"]["workspace"]["applyEdit"] = json!(false)).await;
    client.open(URI, "python", DOUBLE).await;
    client.diagnostics(URI).await;
    begin(&mut client).await;
    workbench.release();
    assert!(message(&mut client).await.contains("this client cannot be asked to apply edits"));
    client.transcript();
    let actions = client.code_actions(URI, "def double").await;
    client.pick(action(&actions, "Apply verified edit")).await;
    logged(&mut client, "was written").await;
    assert_eq!(client.buffer(URI).text, DOUBLE.replace("...", "return x * 2"));
    client.leave().await;
}

#[tokio::test]
async fn crlf_files_stay_crlf() {
    let workbench = FakeWorkbench::new([("double", Script::body("y = x\n    return y * 2"))]);
    let mut client = open(ClientKind::Helix, &workbench, &DOUBLE.replace('\n', "\r\n")).await;
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    logged(&mut client, "was written").await;
    assert_eq!(client.buffer(URI).text, DOUBLE.replace("...", "y = x\n    return y * 2").replace('\n', "\r\n"));
    client.leave().await;
}

/// Cancels a hanging run in one way; it must be gone, and nothing written.
async fn cancelled_by(method: &str, params: Value) {
    let workbench = FakeWorkbench::new([("double", Script::Hang)]);
    let mut client = open(ClientKind::Neovim, &workbench, DOUBLE).await;
    begin(&mut client).await;
    assert_eq!(workbench.alive.load(Ordering::SeqCst), 1);
    if method == "workspace/executeCommand" {
        client.request(method, params).await;
    } else {
        client.notify(method, params).await;
    }
    assert_eq!(client.progress("end").await["value"]["message"], "cancelled");
    assert_eq!(workbench.alive.load(Ordering::SeqCst), 0);
    assert_eq!(client.buffer(URI).text, DOUBLE);
    client.shutdown().await;
}

#[tokio::test]
async fn cancel_by_the_progress_display() {
    cancelled_by("window/workDoneProgress/cancel", json!({ "token": "zeroerr-1" })).await;
}

#[tokio::test]
async fn cancel_by_command_with_and_without_arguments() {
    cancelled_by("workspace/executeCommand", json!({ "command": "zeroerr.cancel", "arguments": [] })).await;
    cancelled_by("workspace/executeCommand", json!({ "command": "zeroerr.cancel" })).await;
    cancelled_by(
        "workspace/executeCommand",
        json!({ "command": "zeroerr.cancel", "arguments": [{ "uri": URI, "function": "double" }] }),
    )
    .await;
}

#[tokio::test]
async fn a_job_that_is_deaf_to_cancellation_is_dropped() {
    let workbench = FakeWorkbench::new([("double", Script::Deaf)]);
    let mut client = open(ClientKind::Helix, &workbench, DOUBLE).await;
    begin(&mut client).await;
    let actions = client.code_actions(URI, "def double").await;
    assert_eq!(titles(&actions), ["Cancel zeroerr run on `double`"]);
    client.pick(&actions[0]).await;
    assert_eq!(client.progress("end").await["value"]["message"], "cancelled");
    assert_eq!(workbench.alive.load(Ordering::SeqCst), 0);
    client.shutdown().await;
}

#[tokio::test]
async fn what_is_asked_for_right_after_cancelling_begins_when_the_old_run_has_ended() {
    let implement = json!({ "uri": URI, "function": "double" });
    let workbench = FakeWorkbench::new([("double", Script::Deaf)]);
    let mut client = open(ClientKind::VsCode, &workbench, DOUBLE).await;
    begin(&mut client).await;
    client.command("zeroerr.cancel", Value::Null).await;
    let offered = client.code_actions(URI, "def double").await;
    assert_eq!(titles(&offered), ["Implement with verified code"]);
    client.command("zeroerr.implement", implement.clone()).await;
    assert_eq!(client.progress("end").await["value"]["message"], "cancelled");
    client.progress("begin").await;

    // A document that is closed and opened again, as editors do when a file is renamed and renamed back.
    client.close(URI).await;
    client.open(URI, "python", DOUBLE).await;
    client.command("zeroerr.implement", implement.clone()).await;
    assert_eq!(client.progress("end").await["value"]["message"], "cancelled");
    client.progress("begin").await;

    // Cancelling takes back what was asked for, too.
    client.command("zeroerr.cancel", Value::Null).await;
    client.command("zeroerr.implement", implement).await;
    client.command("zeroerr.cancel", Value::Null).await;
    assert_eq!(client.progress("end").await["value"]["message"], "cancelled");
    assert_eq!(workbench.alive.load(Ordering::SeqCst), 0);
    client.leave().await;
}

#[tokio::test]
async fn one_function_is_worked_on_once() {
    let workbench = FakeWorkbench::new([("double", Script::Hang)]);
    let mut client = open(ClientKind::Helix, &workbench, DOUBLE).await;
    begin(&mut client).await;
    client.command("zeroerr.verify", json!({ "uri": URI, "function": "double" })).await;
    assert_eq!(message(&mut client).await, "zeroerr: `double` is being worked on already; cancel that first");
    client.command("zeroerr.status", Value::Null).await;
    let status = message(&mut client).await;
    assert!(status.starts_with("zeroerr: running: `double`: "), "{status}");
    assert!(status.ends_with(" · model: scripted · sandbox: none needed"), "{status}");
    client.leave().await;
}

#[tokio::test]
async fn closing_the_document_ends_its_jobs_and_takes_its_diagnostics_away() {
    let workbench = FakeWorkbench::new([("double", Script::Hang)]);
    let mut client =
        open(ClientKind::Helix, &workbench, &DOUBLE.replace("os\n", "os\n# @spec x\n# @nonsense\ndef g(): ...\n"))
            .await;
    begin(&mut client).await;
    client.close(URI).await;
    client.progress("end").await;
    let cleared = client.next("textDocument/publishDiagnostics").await;
    assert_eq!(cleared["diagnostics"], json!([]));
    assert_eq!(workbench.alive.load(Ordering::SeqCst), 0);
    client.shutdown().await;
}

#[tokio::test]
async fn failures_and_panics_are_told_and_survived() {
    let workbench = FakeWorkbench::new([
        ("double", Script::Fail("no model: run `zeroerr models pull`".into())),
        ("double", Script::Panic),
        ("double", Script::body("return x * 2")),
    ]);
    let mut client = open(ClientKind::VsCode, &workbench, DOUBLE).await;
    let implement = json!({ "uri": URI, "function": "double" });
    client.command("zeroerr.implement", implement.clone()).await;
    assert_eq!(message(&mut client).await, "zeroerr: `double`: no model: run `zeroerr models pull`");
    client.command("zeroerr.implement", implement.clone()).await;
    assert_eq!(
        message(&mut client).await,
        "zeroerr: internal error while working on `double`: the work panicked; please report it"
    );
    client.command("zeroerr.implement", implement).await;
    logged(&mut client, "was written").await;
    client.leave().await;
}

/// The ways to lose a client while a run is on; the run must be over when the server is.
async fn ends_with_its_jobs(leave: impl AsyncFnOnce(&mut LspClient), expected: Exit) {
    let workbench = FakeWorkbench::new([("double", Script::Deaf)]);
    let (mut client, server) = connect(ClientKind::Neovim, &workbench);
    client.initialize().await;
    client.open(URI, "python", DOUBLE).await;
    client.diagnostics(URI).await;
    begin(&mut client).await;
    leave(&mut client).await;
    let exit = tokio::time::timeout(Duration::from_secs(20), server).await.expect("the server ends").unwrap();
    assert_eq!(exit, expected);
    assert_eq!(workbench.alive.load(Ordering::SeqCst), 0, "the job outlived the server");
    client.transcript();
}

#[tokio::test]
async fn the_end_of_input_ends_everything() {
    ends_with_its_jobs(async |c| c.hang_up().await, Exit::Abrupt).await;
}

#[tokio::test]
async fn exit_ends_everything_with_the_code_of_the_protocol() {
    ends_with_its_jobs(async |c| c.notify("exit", Value::Null).await, Exit::Abrupt).await;
    let politely = async |c: &mut LspClient| {
        c.request("shutdown", Value::Null).await;
        c.notify("exit", Value::Null).await;
    };
    ends_with_its_jobs(politely, Exit::Clean).await;
}
