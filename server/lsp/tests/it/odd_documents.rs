//! Documents that lie elsewhere or nowhere: they are served under the address that the editor gave them.

use serde_json::json;
use zeroerr_test_support::ClientKind;

use crate::workbench::{FakeWorkbench, Script};
use crate::{DOUBLE, action, connect, logged};

/// Unsaved, remote, in WSL (through VS Code's server and through the share), on a Windows drive, in a
/// notebook, in the past, with characters that addresses have to escape.
const ADDRESSES: [&str; 10] = [
    "untitled:Untitled-1",
    "vscode-remote://wsl+Ubuntu/home/you/a.py",
    "vscode-remote://ssh-remote%2Bhost/srv/a.py",
    "file://wsl%24/Ubuntu/home/you/a.py",
    "file://wsl.localhost/Ubuntu/home/you/a.py",
    "file:///c%3A/Work/a.py",
    "file:///C:/Work/a.py",
    "vscode-notebook-cell:/w/a.ipynb#W0sZmlsZQ%3D%3D",
    "git:/w/a.py?%7B%22ref%22%3A%22HEAD%22%7D",
    "file:///elsewhere/a%20b%23c.py",
];

#[tokio::test]
async fn a_document_is_served_wherever_it_lies() {
    let scripts = ADDRESSES.map(|_| ("double", Script::body("return x * 2")));
    let (mut client, _) = connect(ClientKind::VsCode, &FakeWorkbench::new(scripts));
    client.initialize().await;
    for uri in ADDRESSES {
        client.open(uri, "python", DOUBLE).await;
        client.diagnostics(uri).await;
        let actions = client.code_actions(uri, "def double").await;
        client.pick(action(&actions, "Implement with verified code")).await;
        logged(&mut client, "was written").await;
        assert_eq!(client.buffer(uri).text, DOUBLE.replace("...", "return x * 2"), "{uri}");
        client.close(uri).await;
    }
    client.leave().await;
}

/// A folder without a root, and none at all; an editor that sends whole notebooks.
#[tokio::test]
async fn a_window_without_a_folder_is_served() {
    for folders in [json!(null), json!([])] {
        let (mut client, _) = connect(ClientKind::VsCode, &FakeWorkbench::new([("double", Script::body("return 0"))]));
        client
            .initialize_with(|p| {
                p["rootUri"] = json!(null);
                p["rootPath"] = json!(null);
                p["workspaceFolders"] = folders.clone();
            })
            .await;
        let cell =
            json!({ "uri": "vscode-notebook-cell:/a.ipynb#1", "languageId": "python", "version": 1, "text": DOUBLE });
        let notebook =
            json!({ "uri": "file:///a.ipynb", "notebookType": "jupyter-notebook", "version": 1, "cells": [] });
        let params = json!({ "notebookDocument": notebook, "cellTextDocuments": [cell] });
        client.notify("notebookDocument/didOpen", params).await;
        client.open(ADDRESSES[9], "python", DOUBLE).await;
        client.command("zeroerr.implement", json!({ "uri": ADDRESSES[9], "function": "double" })).await;
        logged(&mut client, "was written").await;
        client.leave().await;
    }
}
