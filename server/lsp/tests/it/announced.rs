//! What is announced to whom: the table of docs/API_REFERENCE.md is written from the answers to the
//! four recorded `initialize` requests.

use std::path::Path;

use serde_json::{Value, json};
use zeroerr_test_support::ClientKind;

use crate::connect_with;
use crate::workbench::FakeWorkbench;

const BEGIN: &str = "<!-- protocol:begin -->\n";
const END: &str = "<!-- protocol:end -->\n";

/// The capabilities that the server announces to a client.
async fn announced_to(kind: ClientKind, change: impl FnOnce(&mut Value)) -> Value {
    let (mut client, _) = connect_with(kind, &FakeWorkbench::new([]), |o| o.reports = Some("/nowhere".into()));
    let result = client.initialize_with(change).await;
    client.command("zeroerr.cancel", Value::Null).await;
    client.next("window/showMessage").await;
    client.leave().await;
    result["capabilities"].clone()
}

type Cell = fn(&Value) -> String;

fn yes(value: &Value) -> String {
    if value.is_null() { "–".into() } else { "yes".into() }
}

/// Each row: what it is, and how it is read from the capabilities.
const ROWS: [(&str, Cell); 14] = [
    ("columns count in", |c| c["positionEncoding"].as_str().unwrap_or_default().into()),
    ("`textDocument/hover`", |c| yes(&c["hoverProvider"])),
    ("`textDocument/completion`", |c| yes(&c["completionProvider"])),
    ("`textDocument/codeAction`, kinds", |c| match c["codeActionProvider"]["codeActionKinds"].as_array() {
        Some(kinds) => kinds.iter().map(|k| k.as_str().unwrap_or_default()).collect::<Vec<_>>().join(", "),
        None => "yes".into(),
    }),
    ("`textDocument/codeLens`", |c| yes(&c["codeLensProvider"])),
    ("`textDocument/inlayHint`", |c| yes(&c["inlayHintProvider"])),
    ("`textDocument/documentLink`", |c| yes(&c["documentLinkProvider"])),
    ("`textDocument/foldingRange`", |c| yes(&c["foldingRangeProvider"])),
    ("`textDocument/semanticTokens`", |c| {
        let tokens = &c["semanticTokensProvider"];
        let delta = tokens["full"]["delta"] == true;
        let parts = [(!tokens.is_null(), "full"), (delta, "delta"), (tokens["range"] == true, "range")];
        let parts: Vec<_> = parts.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect();
        if parts.is_empty() { "–".into() } else { parts.join(", ") }
    }),
    ("`textDocument/inlineCompletion`", |c| yes(&c["inlineCompletionProvider"])),
    ("diagnostics", |c| if c["diagnosticProvider"].is_null() { "sent".into() } else { "asked for".into() }),
    ("`workspace/diagnostic`", |c| match &c["diagnosticProvider"]["workspaceDiagnostics"] {
        Value::Bool(true) => "yes".into(),
        _ => "–".into(),
    }),
    ("`workspace/executeCommand`", |c| yes(&c["executeCommandProvider"])),
    ("several folders", |c| yes(&c["workspace"]["workspaceFolders"]["changeNotifications"])),
];

#[tokio::test]
async fn the_table_in_the_reference_is_what_the_server_answers() {
    let mut capabilities = Vec::new();
    for kind in ClientKind::ALL {
        capabilities.push(announced_to(kind, |_| {}).await);
    }
    let mut table =
        "| | VS Code 1.139 | Neovim 0.11 | Helix 25.07 | Emacs 28, eglot 1.9 |\n|---|---|---|---|---|\n".to_owned();
    for (name, cell) in ROWS {
        let cells: Vec<_> = capabilities.iter().map(cell).collect();
        table.push_str(&format!("| {name} | {} |\n", cells.join(" | ")));
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/API_REFERENCE.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the marker for the table's begin");
    let (written, after) = rest.split_once(END).expect("the marker for the table's end");
    if written != table {
        std::fs::write(&path, format!("{before}{BEGIN}{table}{END}{after}")).unwrap();
        panic!("docs/API_REFERENCE.md told something else and was rewritten; look at the difference");
    }
}

#[tokio::test]
async fn a_client_that_announces_nothing_is_offered_nothing_that_it_could_not_use() {
    let capabilities = announced_to(ClientKind::Eglot, |p| p["capabilities"] = json!({})).await;
    let mut names: Vec<_> = capabilities.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "codeActionProvider",
            "completionProvider",
            "executeCommandProvider",
            "hoverProvider",
            "positionEncoding",
            "textDocumentSync",
            "workspace"
        ]
    );
    assert_eq!(capabilities["codeActionProvider"], true);
}
