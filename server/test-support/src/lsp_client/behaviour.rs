//! How the real editors behave, where they differ in what a server can see.

use serde_json::{Value, json};

use super::LspClient;
use crate::text;

/// The editors whose `initialize` parameters were recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientKind {
    /// VS Code 1.139 with languageclient 11.
    VsCode,
    /// Neovim 0.11.4.
    Neovim,
    /// Helix 25.07.
    Helix,
    /// Emacs 28 with eglot 1.9.
    Eglot,
}

impl ClientKind {
    /// Each of them.
    pub const ALL: [ClientKind; 4] = [Self::VsCode, Self::Neovim, Self::Helix, Self::Eglot];

    /// The recorded `initialize` parameters.
    pub fn initialize_params(self) -> Value {
        let recorded = match self {
            Self::VsCode => include_str!("../../../../tests/fixtures/clients/vscode-1.139.1-languageclient-11.json"),
            Self::Neovim => include_str!("../../../../tests/fixtures/clients/nvim-0.11.4.json"),
            Self::Helix => include_str!("../../../../tests/fixtures/clients/helix-25.07.1-master.json"),
            Self::Eglot => include_str!("../../../../tests/fixtures/clients/emacs28-eglot1.9.json"),
        };
        serde_json::from_str(recorded).expect("recorded parameters")
    }

    /// Neovim and Helix ask for the rest of an action even when there is none.
    pub(super) fn always_resolves(self) -> bool {
        matches!(self, Self::Neovim | Self::Helix)
    }

    /// The version a document is opened with.
    pub(super) fn first_version(self) -> i64 {
        if self == Self::VsCode { 1 } else { 0 }
    }

    /// Neovim's versions are change ticks: they leap from 0 to at least 3.
    pub(super) fn next_version(self, version: i64) -> i64 {
        if self == Self::Neovim && version == 0 { 3 } else { version + 1 }
    }

    /// Whether the editor refuses an edit meant for `wanted` when it is at `version`.
    fn refuses(self, wanted: &Value, version: i64) -> bool {
        match (self, wanted.as_i64()) {
            (_, None) => false,
            (Self::Neovim, Some(wanted)) => wanted > 0 && version > wanted,
            (_, Some(wanted)) => wanted != version,
        }
    }
}

impl LspClient {
    /// Answers a request of the server.
    pub(super) async fn answer(&mut self, request: Value) {
        let id = request["id"].clone();
        let result = match request["method"].as_str().unwrap_or_default() {
            "workspace/applyEdit" => return self.answer_apply(id, &request["params"]["edit"]).await,
            "workspace/configuration" => {
                let items = request["params"]["items"].as_array().expect("items").len();
                json!(vec![self.settings.clone(); items])
            }
            "window/showMessageRequest" => {
                self.buttons.pop_front().map_or(Value::Null, |title| json!({ "title": title }))
            }
            "window/showDocument" => json!({ "success": true }),
            "workspace/diagnostic/refresh" => {
                self.reply(id, Value::Null).await;
                return self.pull_all().await;
            }
            "workspace/inlayHint/refresh"
            | "window/workDoneProgress/create"
            | "client/registerCapability"
            | "workspace/codeLens/refresh" => Value::Null,
            other => panic!("the server asked for {other}"),
        };
        self.reply(id, result).await;
    }

    async fn reply(&mut self, id: Value, result: Value) {
        self.send(json!({ "jsonrpc": "2.0", "id": id, "result": result })).await;
    }

    async fn answer_apply(&mut self, id: Value, edit: &Value) {
        if let Some((uri, old, new)) = self.crossing.take() {
            self.replace(&uri, &old, &new).await;
        }
        if self.ignores_edits {
            return self.reply(id, json!({ "applied": true })).await;
        }
        match self.kind {
            // The answer first, the change when the debounce is over.
            ClientKind::Neovim => {
                self.reply(id, json!({ "applied": true })).await;
                drop(self.apply_edit(edit).await);
            }
            _ => match self.apply_edit(edit).await {
                Ok(()) => self.reply(id, json!({ "applied": true })).await,
                Err(why) if self.kind == ClientKind::Eglot => {
                    self.send(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": -32603, "message": why } })).await;
                }
                Err(why) => self.reply(id, json!({ "applied": false, "failureReason": why })).await,
            },
        }
    }

    /// Applies a workspace edit to the buffers and tells the server of the change.
    ///
    /// # Errors
    /// Why the editor refuses it.
    pub async fn apply_edit(&mut self, edit: &Value) -> Result<(), String> {
        let mut parts: Vec<(String, Value, Vec<Value>)> = Vec::new();
        for change in edit["documentChanges"].as_array().into_iter().flatten() {
            let document = &change["textDocument"];
            parts.push((
                document["uri"].as_str().expect("uri").into(),
                document["version"].clone(),
                change["edits"].as_array().expect("edits").clone(),
            ));
        }
        for (uri, edits) in edit["changes"].as_object().into_iter().flatten() {
            parts.push((uri.clone(), Value::Null, edits.as_array().expect("edits").clone()));
        }
        for (uri, wanted, edits) in parts {
            let buffer = self.buffer(&uri).clone();
            if self.kind.refuses(&wanted, buffer.version) {
                return Err(format!("{uri} has changed: {} is not {wanted}", buffer.version));
            }
            let changed = text::apply(&buffer.text, &edits, &self.encoding);
            self.set_text(&uri, changed);
            // From the end to the start, as VS Code sends them: no change moves one after it.
            let mut changes: Vec<_> =
                edits.iter().map(|e| json!({ "range": e["range"], "text": e["newText"] })).collect();
            changes
                .sort_by_key(|c| std::cmp::Reverse(text::offset(&buffer.text, &c["range"]["start"], &self.encoding)));
            self.did_change(&uri, json!(changes)).await;
        }
        Ok(())
    }
}
