//! Files that are not open: workspace diagnostics, folders that come and go, watched files, settings
//! files.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use zeroerr_test_support::{ClientKind, LspClient};

use crate::connect_with;
use crate::workbench::FakeWorkbench;

const FAULTY: &str = "# @spec x\n# @exmaple f() == 1\ndef f():\n    ...\n";

fn uri(path: &Path) -> String {
    format!("file://{}", path.display())
}

/// A VS Code with this folder.
async fn client_of(folder: &Path, change: impl FnOnce(&mut Value)) -> LspClient {
    let (mut client, _) = connect_with(ClientKind::VsCode, &FakeWorkbench::new([]), |_| {});
    client
        .initialize_with(|p| {
            p["workspaceFolders"] = json!([{ "uri": uri(folder), "name": "ws" }]);
            change(p);
        })
        .await;
    client
}

/// Starts the question that an editor repeats, with what it had from the last answer.
async fn ask(client: &mut LspClient, had: &Value) -> i64 {
    let params = json!({ "previousResultIds": had, "identifier": "zeroerr" });
    client.start("workspace/diagnostic", params).await
}

/// Path ends and codes of an answer, and the identifiers for the next question.
fn read(answer: &Value) -> (Vec<String>, Value) {
    let mut seen = Vec::new();
    let mut ids = Vec::new();
    for item in answer["items"].as_array().unwrap() {
        let name = item["uri"].as_str().unwrap().rsplit('/').next().unwrap();
        let codes: Vec<_> = item["items"].as_array().into_iter().flatten().map(|d| d["code"].to_string()).collect();
        seen.push(format!("{name} {} {}", item["kind"].as_str().unwrap(), codes.join(" ")).trim_end().to_owned());
        if !item["resultId"].is_null() {
            ids.push(json!({ "uri": item["uri"], "value": item["resultId"] }));
        }
    }
    (seen, json!(ids))
}

#[tokio::test]
async fn faults_of_files_that_nobody_opened_are_told_and_then_only_news() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    std::fs::create_dir(root.join(".git")).unwrap();
    std::fs::write(root.join(".gitignore"), "ignored.py\n").unwrap();
    for name in ["a.py", "ignored.py"] {
        std::fs::write(root.join(name), FAULTY).unwrap();
    }
    std::fs::write(root.join("fine.py"), FAULTY.replace("exmaple", "example")).unwrap();
    let mut client = client_of(&root, |_| {}).await;
    let id = ask(&mut client, &json!([])).await;
    let (seen, had) = read(&client.finish(id).await.unwrap());
    assert_eq!(seen, [r#"a.py full "spec.unknown-tag""#]);

    // Nothing new: the question waits.
    let waiting = ask(&mut client, &had).await;
    client.command("zeroerr.status", Value::Null).await;
    client.next("window/showMessage").await;
    assert!(!client.has_answer(waiting).await);
    std::fs::write(root.join("fine.py"), FAULTY).unwrap();
    std::fs::write(root.join("a.py"), "x = 1\n").unwrap();
    let changes =
        json!([{ "uri": uri(&root.join("fine.py")), "type": 2 }, { "uri": uri(&root.join("a.py")), "type": 2 }]);
    client.notify("workspace/didChangeWatchedFiles", json!({ "changes": changes })).await;
    // The server's own watch may see one change before the other.
    let (mut news, mut waiting) = (BTreeSet::new(), waiting);
    while news.len() < 2 {
        let (seen, now) = read(&client.finish(waiting).await.unwrap());
        news.extend(seen.into_iter().filter(|line| !line.ends_with(" unchanged")));
        waiting = ask(&mut client, &now).await;
    }
    assert_eq!(news.iter().collect::<Vec<_>>(), ["a.py full", r#"fine.py full "spec.unknown-tag""#]);

    // An open document answers for itself.
    client.open(&uri(&root.join("fine.py")), "python", FAULTY).await;
    client.diagnostics(&uri(&root.join("fine.py"))).await;
    client.notify("$/cancelRequest", json!({ "id": waiting })).await;
    assert_eq!(client.finish(waiting).await.unwrap_err()["code"], -32800);

    // Another folder comes.
    let more = tempfile::tempdir().unwrap();
    let second = more.path().canonicalize().unwrap();
    std::fs::write(second.join("b.py"), FAULTY).unwrap();
    let waiting = ask(&mut client, &json!([])).await;
    let event =
        json!({ "added": [{ "uri": uri(&second), "name": "two" }], "removed": [{ "uri": uri(&root), "name": "ws" }] });
    client.notify("workspace/didChangeWorkspaceFolders", json!({ "event": event })).await;
    let (seen, _) = read(&client.finish(waiting).await.unwrap());
    assert_eq!(seen, [r#"b.py full "spec.unknown-tag""#]);
    client.shutdown().await;
}

#[tokio::test]
async fn questions_that_wait_are_answered_at_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut client = client_of(folder.path(), |_| {}).await;
    let first = ask(&mut client, &json!([])).await;
    assert_eq!(client.finish(first).await.unwrap(), json!({ "items": [] }));
    let waiting = ask(&mut client, &json!([])).await;
    client.request("shutdown", Value::Null).await;
    assert_eq!(client.finish(waiting).await.unwrap(), json!({ "items": [] }));
    client.notify("exit", Value::Null).await;
    client.hang_up().await;
}

#[tokio::test]
async fn parts_come_before_the_end_and_the_display_of_progress_ends() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..250 {
        std::fs::write(folder.path().join(format!("f{n}.py")), FAULTY).unwrap();
    }
    let mut client = client_of(folder.path(), |_| {}).await;
    client.transcript();
    let params = json!({ "previousResultIds": [], "partialResultToken": "parts", "workDoneToken": "work" });
    let answer = client.request("workspace/diagnostic", params).await;
    assert_eq!(answer, json!({ "items": [] }), "everything was told in parts");
    // All of it has come by now: what is said before an answer is written before it.
    let said: Vec<String> =
        client.transcript().lines().filter(|l| l.contains("$/progress")).map(str::to_owned).collect();
    assert_eq!(said.len(), 5, "begin, end, three parts: {said:?}");
    client.shutdown().await;
}

#[tokio::test]
async fn a_client_that_cannot_watch_is_served_by_our_own_watch() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    let mut client = client_of(&root, |p| p["capabilities"]["workspace"]["didChangeWatchedFiles"] = json!({})).await;
    let first = ask(&mut client, &json!([])).await;
    client.finish(first).await.unwrap();
    let waiting = ask(&mut client, &json!([])).await;
    // The watch begins beside all this; a file that is written again and again will be seen.
    for _ in 0..200 {
        std::fs::write(root.join("late.py"), FAULTY).unwrap();
        if client.has_answer(waiting).await {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let (seen, _) = read(&client.finish(waiting).await.unwrap());
    assert_eq!(seen, [r#"late.py full "spec.unknown-tag""#]);
    client.shutdown().await;
}

#[tokio::test]
async fn a_settings_file_counts_from_the_moment_it_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().canonicalize().unwrap().join(".zeroerr.yaml");
    let received: Arc<Mutex<Vec<Value>>> = Arc::default();
    let sink = received.clone();
    let (mut client, _) = connect_with(ClientKind::Neovim, &FakeWorkbench::new([]), |o| {
        o.settings_files = vec![file.clone()];
        o.on_settings = Box::new(move |settings| {
            sink.lock().unwrap().push(settings);
            Ok(())
        });
    });
    client.settings = json!({ "k": 4 });
    client.initialize().await;
    client.next("workspace/configuration").await;
    // A file that is written before the editor has answered is read without its settings, and again with them.
    while received.lock().unwrap().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    for _ in 0..200 {
        std::fs::write(&file, "voting:\n  k: 5\n").unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        if received.lock().unwrap().len() > 1 {
            break;
        }
    }
    let received = received.lock().unwrap().clone();
    assert!(received.len() > 1, "the file was not read again");
    assert!(received.iter().all(|s| *s == json!({ "k": 4 })), "the editor's settings still count: {received:?}");
    client.shutdown().await;
}
