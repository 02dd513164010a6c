//! A strict LSP client over any byte streams, or over a child process's.
//!
//! It keeps its own buffers, applies the edits it is asked to apply the way the editor it plays
//! does (facts differ: Neovim claims success for edits it refuses), answers what a client must
//! answer, and fails the test when it is dropped with messages that nobody looked at.

mod behaviour;
mod pull;
mod transcript;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{
    AsyncBufRead, AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader,
};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub use behaviour::ClientKind;

use crate::text;

/// How long anything may take before the test has failed.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages that may stay unread: the client has answered them, or they are talk.
const ALLOWED: [&str; 7] = [
    "workspace/diagnostic/refresh",
    "workspace/inlayHint/refresh",
    "client/registerCapability",
    "workspace/configuration",
    "workspace/codeLens/refresh",
    "window/workDoneProgress/create",
    "window/logMessage",
];

/// The languages for which the editors' configurations start the server.
const SELECTED: [&str; 5] = ["python", "rust", "typescript", "typescriptreact", "javascript"];

/// A document as the client has it.
#[derive(Debug, Clone)]
pub struct Buffer {
    /// The text.
    pub text: String,
    /// Its version.
    pub version: i64,
}

/// The client.
pub struct LspClient {
    kind: ClientKind,
    writer: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    inbox: UnboundedReceiver<Value>,
    child: Option<tokio::process::Child>,
    next_id: i64,
    responses: HashMap<i64, Value>,
    unread: VecDeque<Value>,
    allowed: Vec<String>,
    log: Vec<String>,
    buffers: HashMap<String, Buffer>,
    encoding: String,
    /// Whether the server wants to be asked for diagnostics; then the client asks when the editor does.
    pulls: bool,
    /// The documents that the editor asks about.
    selected: HashSet<String>,
    /// Questions for diagnostics that are on their way: document and version.
    pulled: HashMap<i64, (String, i64)>,
    /// What the client answers when it is asked for its `zeroerr` settings.
    pub settings: Value,
    /// A key the user presses the moment a request to apply an edit comes in: document, text, and
    /// what replaces it.
    pub crossing: Option<(String, String, String)>,
    /// The buttons that the user presses under questions, in this order; then none.
    pub buttons: VecDeque<String>,
    /// The client answers requests to apply edits, but leaves its buffer alone.
    pub ignores_edits: bool,
}

impl LspClient {
    /// A client over two byte streams.
    pub fn over(
        kind: ClientKind,
        from_server: impl AsyncRead + Send + Unpin + 'static,
        to_server: impl AsyncWrite + Send + Unpin + 'static,
    ) -> Self {
        let (messages, inbox) = unbounded_channel();
        tokio::spawn(async move {
            let mut from_server = BufReader::new(from_server);
            while let Some(message) = read(&mut from_server).await {
                if messages.send(message).is_err() {
                    break;
                }
            }
        });
        Self {
            kind,
            writer: Some(Box::new(to_server)),
            inbox,
            child: None,
            next_id: 1,
            responses: HashMap::new(),
            unread: VecDeque::new(),
            allowed: ALLOWED.map(str::to_owned).to_vec(),
            log: Vec::new(),
            buffers: HashMap::new(),
            encoding: "utf-16".into(),
            pulls: false,
            selected: HashSet::new(),
            pulled: HashMap::new(),
            settings: Value::Null,
            crossing: None,
            buttons: VecDeque::new(),
            ignores_edits: false,
        }
    }

    /// A client of a child process's standard streams; the process dies with the client.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn spawn(kind: ClientKind, mut command: tokio::process::Command) -> std::io::Result<Self> {
        use std::process::Stdio;
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let (stdin, stdout) = (child.stdin.take().expect("piped"), child.stdout.take().expect("piped"));
        let mut client = Self::over(kind, stdout, stdin);
        client.child = Some(child);
        Ok(client)
    }

    /// Sends the editor's real `initialize` and `initialized`; `change` may bend the parameters.
    pub async fn initialize_with(&mut self, change: impl FnOnce(&mut Value)) -> Value {
        let mut params = self.kind.initialize_params();
        params["processId"] = json!(std::process::id());
        change(&mut params);
        let result = self.request("initialize", params).await;
        if let Some(encoding) = result["capabilities"]["positionEncoding"].as_str() {
            self.encoding = encoding.to_owned();
        }
        self.pulls = !result["capabilities"]["diagnosticProvider"].is_null();
        self.notify("initialized", json!({})).await;
        result
    }

    /// Sends the editor's real `initialize` and `initialized`.
    pub async fn initialize(&mut self) -> Value {
        self.initialize_with(|_| {}).await
    }

    /// Sends a request and waits for its result.
    ///
    /// # Panics
    /// When the answer is an error.
    pub async fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.start(method, params).await;
        self.finish(id).await.unwrap_or_else(|e| panic!("{method} failed: {e}"))
    }

    /// Sends a request that has to fail, and gives the error.
    pub async fn request_error(&mut self, method: &str, params: Value) -> Value {
        let id = self.start(method, params).await;
        self.finish(id).await.expect_err("the request should have failed")
    }

    /// Sends a request without waiting.
    pub async fn start(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        self.send(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })).await;
        id
    }

    /// Waits for the answer to a request.
    ///
    /// # Errors
    /// The error object of the answer.
    pub async fn finish(&mut self, id: i64) -> Result<Value, Value> {
        loop {
            if let Some(mut response) = self.responses.remove(&id) {
                return match response.get_mut("error").map(Value::take) {
                    Some(error) => Err(error),
                    None => Ok(response["result"].take()),
                };
            }
            self.receive(&format!("the answer to request {id}")).await;
        }
    }

    /// Whether the answer to a request has come, without waiting.
    pub async fn has_answer(&mut self, id: i64) -> bool {
        while let Ok(message) = self.inbox.try_recv() {
            self.take_in(message).await;
        }
        self.responses.contains_key(&id)
    }

    /// Sends a notification.
    pub async fn notify(&mut self, method: &str, params: Value) {
        self.send(json!({ "jsonrpc": "2.0", "method": method, "params": params })).await;
    }

    /// Sends bytes as they are.
    pub async fn send_raw(&mut self, bytes: &[u8]) {
        let writer = self.writer.as_mut().expect("the client has hung up");
        writer.write_all(bytes).await.expect("the server reads");
        writer.flush().await.expect("the server reads");
    }

    /// Executes a command without caring for its result.
    pub async fn command(&mut self, name: &str, arguments: Value) {
        let arguments = if arguments.is_null() { json!([]) } else { json!([arguments]) };
        self.request("workspace/executeCommand", json!({ "command": name, "arguments": arguments })).await;
    }

    /// Opens a document the way the editor does.
    pub async fn open(&mut self, uri: &str, language: &str, text: &str) {
        let version = self.kind.first_version();
        self.buffers.insert(uri.into(), Buffer { text: text.into(), version });
        let document = json!({ "uri": uri, "languageId": language, "version": version, "text": text });
        self.notify("textDocument/didOpen", json!({ "textDocument": document })).await;
        if SELECTED.contains(&language) {
            self.selected.insert(uri.into());
            self.pull(uri).await;
        }
    }

    /// Closes a document.
    pub async fn close(&mut self, uri: &str) {
        self.buffers.remove(uri);
        self.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } })).await;
    }

    /// Replaces the first occurrence of `old`, as one keystroke of the user would.
    pub async fn replace(&mut self, uri: &str, old: &str, new: &str) {
        let text = self.buffer(uri).text.clone();
        let range = text::range_of(&text, old, &self.encoding);
        self.edit(uri, range, new).await;
    }

    /// Replaces a range.
    pub async fn edit(&mut self, uri: &str, range: Value, new: &str) {
        let changed = text::apply(&self.buffer(uri).text, &[json!({ "range": range, "newText": new })], &self.encoding);
        self.set_text(uri, changed);
        self.did_change(uri, json!([{ "range": range, "text": new }])).await;
    }

    /// Inserts at each of these positions, one change after the other, without a pause between.
    pub async fn burst(&mut self, uri: &str, inserts: &[(Value, &str)]) {
        let mut bytes = Vec::new();
        for (at, new) in inserts {
            let range = json!({ "start": at, "end": at });
            let changed =
                text::apply(&self.buffer(uri).text, &[json!({ "range": range, "newText": new })], &self.encoding);
            self.set_text(uri, changed);
            let document = json!({ "uri": uri, "version": self.buffer(uri).version });
            let params = json!({ "textDocument": document, "contentChanges": [{ "range": range, "text": new }] });
            let body = json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": params }).to_string();
            bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        }
        self.send_raw(&bytes).await;
        self.pull(uri).await;
    }

    /// Puts a whole new text into a document.
    pub async fn replace_all(&mut self, uri: &str, text: &str) {
        self.set_text(uri, text.to_owned());
        self.did_change(uri, json!([{ "text": text }])).await;
    }

    async fn did_change(&mut self, uri: &str, changes: Value) {
        let document = json!({ "uri": uri, "version": self.buffer(uri).version });
        self.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes })).await;
        self.pull(uri).await;
    }

    fn set_text(&mut self, uri: &str, text: String) {
        let kind = self.kind;
        let buffer = self.buffers.get_mut(uri).expect("an open document");
        buffer.text = text;
        buffer.version = kind.next_version(buffer.version);
    }

    /// A document as the client has it.
    pub fn buffer(&self, uri: &str) -> &Buffer {
        self.buffers.get(uri).unwrap_or_else(|| panic!("{uri} is not open"))
    }

    /// The position of the first occurrence of `part`, in the encoding that was agreed.
    pub fn position_of(&self, uri: &str, part: &str) -> Value {
        self.range_of(uri, part)["start"].clone()
    }

    /// The range of the first occurrence of `part`, in the encoding that was agreed.
    pub fn range_of(&self, uri: &str, part: &str) -> Value {
        text::range_of(&self.buffer(uri).text, part, &self.encoding)
    }

    /// The code actions for the first occurrence of `part`.
    pub async fn code_actions(&mut self, uri: &str, part: &str) -> Vec<Value> {
        let params = json!({ "textDocument": { "uri": uri }, "range": self.range_of(uri, part), "context": { "diagnostics": [] } });
        let result = self.request("textDocument/codeAction", params).await;
        result.as_array().cloned().unwrap_or_default()
    }

    /// Does with a code action what the editor does: asks for its rest if it is one that always
    /// asks, applies its edit, executes its command.
    pub async fn pick(&mut self, action: &Value) {
        let action = if self.kind.always_resolves() {
            self.request("codeAction/resolve", action.clone()).await
        } else {
            action.clone()
        };
        if let Some(edit) = action.get("edit").filter(|e| !e.is_null()) {
            self.apply_edit(edit).await.unwrap_or_else(|why| panic!("the edit does not fit: {why}"));
        }
        if let Some(command) = action.get("command").filter(|c| !c.is_null()) {
            self.request(
                "workspace/executeCommand",
                json!({ "command": command["command"], "arguments": command["arguments"] }),
            )
            .await;
        }
    }

    /// The next message with this method that nobody has looked at; its parameters.
    pub async fn next(&mut self, method: &str) -> Value {
        loop {
            if let Some(at) = self.unread.iter().position(|m| m["method"] == method) {
                return self.unread.remove(at).expect("found")["params"].take();
            }
            self.receive(method).await;
        }
    }

    /// The diagnostics of the next publication for exactly this version of a document; those for
    /// earlier ones are dropped.
    pub async fn diagnostics(&mut self, uri: &str) -> Vec<Value> {
        let version = self.buffer(uri).version;
        loop {
            let params = self.next("textDocument/publishDiagnostics").await;
            if params["uri"] == uri && params["version"] == version {
                return params["diagnostics"].as_array().expect("a list").clone();
            }
        }
    }

    /// Waits for a `$/progress` of this kind (`begin`, `report`, `end`), dropping others.
    pub async fn progress(&mut self, kind: &str) -> Value {
        loop {
            let params = self.next("$/progress").await;
            if params["value"]["kind"] == kind {
                return params;
            }
        }
    }

    /// Takes note of messages of this method without looking at them.
    pub fn allow(&mut self, method: &str) {
        self.allowed.push(method.into());
    }

    /// Everything said since the last call, one line a message; it all counts as looked at.
    pub fn transcript(&mut self) -> String {
        self.unread.clear();
        let mut out = std::mem::take(&mut self.log).join("\n");
        out.push('\n');
        out
    }

    /// Shuts down without a look at diagnostics and progress that may still come.
    pub async fn leave(mut self) {
        self.transcript();
        self.allow("textDocument/publishDiagnostics");
        self.allow("$/progress");
        self.shutdown().await;
    }

    /// `shutdown`, `exit`, and the end of the stream.
    pub async fn shutdown(mut self) {
        self.request("shutdown", Value::Null).await;
        self.notify("exit", Value::Null).await;
        self.hang_up().await;
    }

    /// Closes the stream to the server and waits until the server has closed its own.
    pub async fn hang_up(&mut self) {
        self.writer = None;
        let end = async {
            while let Some(message) = self.inbox.recv().await {
                self.log.push(transcript::line(&message, "<-"));
                self.note(message);
            }
        };
        tokio::time::timeout(PATIENCE, end).await.expect("the server closes its stream");
        if let Some(mut child) = self.child.take() {
            tokio::time::timeout(PATIENCE, child.wait())
                .await
                .expect("the server ends")
                .expect("the server can be waited for");
        }
    }

    /// The process id of the server, if it is a child.
    pub fn server_pid(&self) -> Option<u32> {
        self.child.as_ref().and_then(tokio::process::Child::id)
    }

    async fn receive(&mut self, what: &str) {
        let message = tokio::time::timeout(PATIENCE, self.inbox.recv()).await;
        let message = message.unwrap_or_else(|_| panic!("waited in vain for {what}; so far:\n{}", self.log.join("\n")));
        let message = message
            .unwrap_or_else(|| panic!("the server closed its stream before {what}; so far:\n{}", self.log.join("\n")));
        self.take_in(message).await;
    }

    async fn take_in(&mut self, message: Value) {
        if message.get("method").is_none() {
            let Some(id) = message["id"].as_i64() else {
                self.log.push(transcript::line(&message, "<-"));
                return self.unread.push_back(json!({ "method": "error", "params": message["error"] }));
            };
            if let Some((uri, version)) = self.pulled.remove(&id) {
                return self.took(&uri, version, message);
            }
            assert!(id < self.next_id && !self.responses.contains_key(&id), "an answer nobody asked for: {message}");
            self.responses.insert(id, message);
            return;
        }
        self.log.push(transcript::line(&message, "<-"));
        let asked = message.get("id").is_some().then(|| message.clone());
        self.note(message);
        if let Some(request) = asked {
            self.answer(request).await;
        }
    }

    fn note(&mut self, message: Value) {
        if message.get("method").is_some() {
            self.unread.push_back(message);
        }
    }

    async fn send(&mut self, message: Value) {
        if message.get("method").is_some() {
            self.log.push(transcript::line(&message, "->"));
        }
        self.send_unlogged(&message).await;
    }

    async fn send_unlogged(&mut self, message: &Value) {
        let body = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).await;
    }
}

impl Drop for LspClient {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        while let Ok(message) = self.inbox.try_recv() {
            self.note(message);
        }
        let unread: Vec<_> = self
            .unread
            .iter()
            .filter(|m| !self.allowed.iter().any(|a| m["method"] == *a))
            .map(|m| transcript::line(m, "<-"))
            .collect();
        assert!(unread.is_empty(), "messages that nobody looked at:\n{}", unread.join("\n"));
    }
}

/// Reads one message; `None` at the end of the stream.
async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> Option<Value> {
    let mut length = None;
    loop {
        let mut line = String::new();
        if from.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            header => {
                if let Some(n) = header.strip_prefix("Content-Length: ") {
                    length = n.parse::<usize>().ok();
                }
            }
        }
    }
    let mut body = vec![0; length.expect("a Content-Length header")];
    from.read_exact(&mut body).await.ok()?;
    Some(serde_json::from_slice(&body).expect("a JSON message"))
}
