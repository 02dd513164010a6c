//! Diagnostics that the editor asks for: when a document is opened or changed, and when the server
//! says that they are others. Their answers count as if the server had sent them.

use serde_json::{Value, json};

use super::{LspClient, transcript};

impl LspClient {
    /// Asks for a document's diagnostics, if that is how they come.
    pub(super) async fn pull(&mut self, uri: &str) {
        if self.pulls && self.selected.contains(uri) {
            let version = self.buffer(uri).version;
            let id = self.next_id;
            self.next_id += 1;
            self.pulled.insert(id, (uri.to_owned(), version));
            let params = json!({ "textDocument": { "uri": uri } });
            let message = json!({ "jsonrpc": "2.0", "id": id, "method": "textDocument/diagnostic", "params": params });
            self.send_unlogged(&message).await;
        }
    }

    /// Asks for the diagnostics of everything that is open.
    pub(super) async fn pull_all(&mut self) {
        let mut open: Vec<String> = self.buffers.keys().cloned().collect();
        open.sort();
        for uri in open {
            self.pull(&uri).await;
        }
    }

    /// Diagnostics that were asked for count as if they had been sent.
    pub(super) fn took(&mut self, uri: &str, version: i64, mut answer: Value) {
        if answer.get("error").is_some() {
            return;
        }
        let params = json!({ "uri": uri, "version": version, "diagnostics": answer["result"]["items"].take() });
        self.log.push(transcript::line(&json!({ "method": "textDocument/diagnostic", "params": params }), "<-"));
        self.note(json!({ "method": "textDocument/publishDiagnostics", "params": params }));
    }
}
