//! Windows and documents that are not as the rest, with the real server and its sandbox: two windows on
//! one folder, a file outside of it, one that was never saved, Windows line ends, no folder at all.
//!
//! All with the scripted model.

use serde_json::{Value, json};
use zeroerr_test_support::lsp_client::{ClientKind, LspClient};

use crate::neovim::{Editor, Model};

const STUB: &str =
    "# @spec Return the sum of xs.\n# @example total([1, 2]) == 3\ndef total(xs: list[int]) -> int: ...\n";
const WRITTEN: &str = "# @spec Return the sum of xs.\n# @example total([1, 2]) == 3\ndef total(xs: list[int]) -> int:\n    return sum(xs)\n";

fn editor() -> Editor {
    let good = "```python\ndef total(xs: list[int]) -> int:\n    return sum(xs)\n```";
    Editor::new(STUB, Model::Scripted(vec![(good.to_owned(), 100); 60]))
}

/// A window of an editor, on `folder` or on none.
async fn window(kind: ClientKind, editor: &Editor, folder: Value) -> LspClient {
    let mut command = tokio::process::Command::new(zeroerr_tests::zeroerr());
    command.args(["lsp", "--stdio"]).envs(editor.variables());
    let mut client = LspClient::spawn(kind, command).expect("the server starts");
    client
        .initialize_with(|p| {
            p["rootUri"] = folder.clone();
            p["rootPath"] = Value::Null;
            p["workspaceFolders"] =
                if folder.is_null() { Value::Null } else { json!([{ "uri": folder, "name": "workspace" }]) };
        })
        .await;
    client
}

/// Has `total` written; the text afterwards.
async fn implement(client: &mut LspClient, uri: &str, text: &str) -> String {
    client.open(uri, "python", text).await;
    client.command("zeroerr.implement", json!({ "uri": uri, "function": "total" })).await;
    loop {
        let said = client.next("window/logMessage").await["message"].as_str().unwrap_or_default().to_owned();
        if said.contains("`total` was written") {
            return client.buffer(uri).text.clone();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_windows_on_one_folder_do_not_disturb_each_other() {
    let editor = editor();
    let file = format!("file://{}", editor.file().display());
    let folder = json!(file.trim_end_matches("/main.py"));
    let mut one = window(ClientKind::VsCode, &editor, folder.clone()).await;
    let mut two = window(ClientKind::Neovim, &editor, folder).await;
    let texts = tokio::join!(implement(&mut one, &file, STUB), implement(&mut two, &file, STUB));
    assert_eq!(texts, (WRITTEN.to_owned(), WRITTEN.to_owned()));
    one.leave().await;
    two.leave().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_lies_outside_was_never_saved_or_has_windows_line_ends_is_written_too() {
    let editor = editor();
    let outside = tempfile::tempdir().expect("a temporary folder");
    let mut client = window(ClientKind::VsCode, &editor, Value::Null).await;
    let uri = format!("file://{}/a%20b.py", outside.path().display());
    assert_eq!(implement(&mut client, &uri, STUB).await, WRITTEN, "outside of every folder");
    assert_eq!(implement(&mut client, "untitled:Untitled-1", STUB).await, WRITTEN, "never saved");
    let windows = |text: &str| text.replace('\n', "\r\n");
    let uri = format!("file://{}/crlf.py", outside.path().display());
    assert_eq!(implement(&mut client, &uri, &windows(STUB)).await, windows(WRITTEN), "with the file's own line ends");
    client.leave().await;
}
