//! The client that does everything in any order, and counts.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rand::seq::IndexedRandom as _;
use rand::{Rng as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, DuplexStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use zeroerr_test_support::ClientKind;

use super::bench::fingerprint;
use super::documents::{self, Document};

/// Longer than any answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// After so many messages the texts are compared.
const COMPARE_EVERY: u64 = 60;

/// Questions about a place in a document.
const QUESTIONS: [&str; 13] = [
    "textDocument/hover",
    "textDocument/hover",
    "textDocument/completion",
    "textDocument/completion",
    "textDocument/codeAction",
    "textDocument/codeAction",
    "textDocument/codeLens",
    "textDocument/inlayHint",
    "textDocument/documentLink",
    "textDocument/foldingRange",
    "textDocument/semanticTokens/full",
    "textDocument/semanticTokens/full/delta",
    "textDocument/semanticTokens/range",
];

const COMMANDS: [&str; 7] = [
    "zeroerr.implement",
    "zeroerr.implement",
    "zeroerr.verify",
    "zeroerr.cancel",
    "zeroerr.status",
    "zeroerr.showReport",
    "zeroerr.applyEdit",
];

/// Frames that hold no message; each has to be answered with one error or more.
const NONSENSE: [&str; 8] = [
    "Content-Length: 9\r\n\r\n{not json",
    "Content-Length: 2\r\n\r\n[]",
    "Content-Length: -1\r\n\r\n",
    "Content-Length: 99999999999999999999\r\n\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "Content-Length: 10\r\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"$/short\"}",
    "Content-Length: 60\r\n\r\n{\"jsonrpc\":\"2.0\",\"method\":\"$/long\"}",
    "Content-Length: 4\r\n\r\n\u{FFFD}x",
];

pub struct Torturer {
    rng: ChaCha8Rng,
    writer: DuplexStream,
    inbox: UnboundedReceiver<Value>,
    documents: Vec<Document>,
    encodings: &'static [&'static str],
    encoding: String,
    /// What was given to the stream, not yet written.
    unwritten: Vec<u8>,
    next_id: i64,
    outstanding: HashMap<i64, String>,
    /// Which text each document's last diagnostics were about.
    shown: HashMap<String, String>,
    /// Requests of the server that wait for their answer.
    unanswered: Vec<Value>,
    sent: u64,
    counted: BTreeMap<&'static str, u64>,
}

impl Torturer {
    pub fn new(seed: u64, encodings: &'static [&'static str], from_server: DuplexStream, writer: DuplexStream) -> Self {
        let (messages, inbox) = unbounded_channel();
        tokio::spawn(async move {
            let mut stream = BufReader::new(from_server);
            while let Some(message) = read(&mut stream).await {
                drop(messages.send(message));
            }
        });
        Self {
            rng: ChaCha8Rng::seed_from_u64(seed),
            writer,
            inbox,
            documents: documents::all(),
            encodings,
            encoding: "utf-16".into(),
            unwritten: Vec::new(),
            next_id: 1,
            outstanding: HashMap::new(),
            shown: HashMap::new(),
            unanswered: Vec::new(),
            sent: 0,
            counted: BTreeMap::new(),
        }
    }

    fn one_in(&mut self, n: u32) -> bool {
        self.rng.random_ratio(1, n)
    }

    fn count(&mut self, what: &'static str) {
        *self.counted.entry(what).or_default() += 1;
    }

    /// Puts a message into the stream; `flush` writes it.
    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.unwritten.extend_from_slice(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
        self.sent += 1;
    }

    fn notify(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    fn request(&mut self, method: &str, params: Value) -> i64 {
        let id = self.next_id;
        self.next_id += 1;
        self.outstanding.insert(id, method.to_owned());
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.count("requests");
        id
    }

    /// Writes what was sent, in pieces that end anywhere.
    async fn flush(&mut self) {
        let bytes = std::mem::take(&mut self.unwritten);
        let mut rest: &[u8] = &bytes;
        while !rest.is_empty() {
            let cut = if self.rng.random_ratio(1, 2) { rest.len() } else { self.rng.random_range(1..=rest.len()) };
            let (now, later) = rest.split_at(cut);
            self.writer.write_all(now).await.expect("the server reads");
            rest = later;
        }
    }

    /// Requests before `initialize` are refused, notifications dropped.
    pub async fn too_early(&mut self) {
        for method in QUESTIONS {
            let params =
                json!({ "textDocument": { "uri": "file:///torture/a.py" }, "position": { "line": 0, "character": 0 } });
            self.request(method, params);
        }
        self.notify("textDocument/didClose", json!({ "textDocument": { "uri": "file:///torture/a.py" } }));
        self.notify("initialized", json!({}));
        self.flush().await;
        while !self.outstanding.is_empty() {
            let message = self.receive().await;
            assert_eq!(message["error"]["code"], -32002, "before initialize: {message}");
            self.outstanding.remove(&message["id"].as_i64().unwrap()).expect("an open request");
        }
    }

    pub async fn initialize(&mut self) {
        let mut params = ClientKind::VsCode.initialize_params();
        params["processId"] = Value::Null;
        params["rootUri"] = Value::Null;
        params["workspaceFolders"] = Value::Null;
        params["capabilities"]["general"]["positionEncodings"] = json!(self.encodings);
        // Diagnostics by push: they are told, not asked for, and so come at any time.
        params["capabilities"]["textDocument"]["diagnostic"] = Value::Null;
        let id = self.request("initialize", params);
        self.flush().await;
        let answer = self.receive().await;
        assert_eq!(answer["id"], id);
        self.outstanding.remove(&id);
        self.encoding = answer["result"]["capabilities"]["positionEncoding"].as_str().unwrap().to_owned();
        self.notify("initialized", json!({}));
    }

    /// Does things until so many messages were sent.
    pub async fn act_until(&mut self, messages: u64) {
        while self.sent < messages {
            let before = self.sent;
            self.act();
            if self.one_in(3) {
                self.flush().await;
            }
            while let Ok(message) = self.inbox.try_recv() {
                self.take(message);
            }
            if before / COMPARE_EVERY != self.sent / COMPARE_EVERY {
                self.compare().await;
            }
        }
    }

    fn act(&mut self) {
        let n = self.rng.random_range(0..self.documents.len());
        if !self.documents[n].is_open {
            return self.open(n);
        }
        match self.rng.random_range(0..100) {
            0..45 => self.edit(n),
            45..50 => (0..self.rng.random_range(1..25)).for_each(|_| self.undo(n)),
            50..78 => self.ask(n),
            78..86 => self.command(n),
            86..88 => self.close(n),
            88 => self.open(n),
            89..92 => self.nonsense(),
            92..95 => self.unheard_of(n),
            _ => self.answer_one(),
        }
    }

    fn open(&mut self, n: usize) {
        let doc = &mut self.documents[n];
        doc.open(&mut self.rng);
        let item = json!({ "uri": doc.uri, "languageId": doc.language, "version": doc.version, "text": doc.text });
        self.notify("textDocument/didOpen", json!({ "textDocument": item }));
    }

    fn close(&mut self, n: usize) {
        self.documents[n].is_open = false;
        let uri = self.documents[n].uri;
        self.notify("textDocument/didClose", json!({ "textDocument": { "uri": uri } }));
    }

    fn did_change(&mut self, n: usize, changes: Value) {
        let doc = &mut self.documents[n];
        // Versions should grow, in steps of any size; those of some clients stand still.
        doc.version += *[0, 1, 1, 1, 1, 1, 1, 1, 1, 5].choose(&mut self.rng).unwrap();
        doc.changes += 1;
        let document = json!({ "uri": doc.uri, "version": doc.version });
        self.notify("textDocument/didChange", json!({ "textDocument": document, "contentChanges": changes }));
        self.count("changes");
    }

    fn edit(&mut self, n: usize) {
        let changes = self.documents[n].edit(&mut self.rng, &self.encoding);
        self.did_change(n, changes);
    }

    fn undo(&mut self, n: usize) {
        if let Some(changes) = self.documents[n].undo(&self.encoding) {
            self.did_change(n, changes);
        }
    }

    fn ask(&mut self, n: usize) {
        let method = *QUESTIONS.choose(&mut self.rng).unwrap();
        let doc = &self.documents[n];
        let (a, b) = (doc.position(&mut self.rng, &self.encoding), doc.position(&mut self.rng, &self.encoding));
        let params = json!({
            "textDocument": { "uri": doc.uri },
            "position": a,
            "range": { "start": a, "end": b },
            "context": { "diagnostics": [] },
            "previousResultId": self.rng.random_range(0..50).to_string(),
        });
        let id = self.request(method, params);
        if self.one_in(4) {
            // At once, or later, when it may have been answered.
            let id = if self.one_in(3) { id - self.rng.random_range(0..20) } else { id };
            self.notify("$/cancelRequest", json!({ "id": id }));
        }
    }

    fn command(&mut self, n: usize) {
        let doc = &self.documents[n];
        let function = *["f", "g", "A.m", "nobody"].choose(&mut self.rng).unwrap();
        let position = doc.position(&mut self.rng, &self.encoding);
        let argument = match self.rng.random_range(0..6) {
            0..3 => json!([{ "uri": doc.uri, "function": function }]),
            3 => json!([{ "uri": doc.uri, "position": position }]),
            4 => json!([{ "uri": doc.uri, "range": { "start": position, "end": position }, "instruction": "sort 😀" }]),
            _ => [json!([]), json!([7]), json!([{ "uri": "%%%" }]), Value::Null].choose(&mut self.rng).unwrap().clone(),
        };
        let command = *COMMANDS.choose(&mut self.rng).unwrap();
        self.request("workspace/executeCommand", json!({ "command": command, "arguments": argument }));
    }

    fn nonsense(&mut self) {
        let bad = *NONSENSE.choose(&mut self.rng).unwrap();
        self.unwritten.extend_from_slice(bad.as_bytes());
        self.count("malformed");
        // What a wrong length may take along is nothing that matters.
        self.notify("$/sacrifice", json!({}));
    }

    /// What the server has never heard of, or what does not fit.
    fn unheard_of(&mut self, n: usize) {
        let uri = self.documents[n].uri;
        match self.rng.random_range(0..8) {
            0 => drop(self.request("zeroerr/nope", json!({}))),
            1 => drop(self.request("textDocument/hover", json!({ "position": 1 }))),
            2 => drop(self.request("initialize", json!({ "capabilities": {} }))),
            3 => self.notify("$/nope", json!([1, 2])),
            4 => self.notify("textDocument/didChange", json!({ "textDocument": { "uri": uri } })),
            5 => {
                let document = json!({ "uri": "file:///torture/never-opened.py", "version": 3 });
                let params = json!({ "textDocument": document, "contentChanges": [{ "text": "x" }] });
                self.notify("textDocument/didChange", params);
            }
            6 => self.send(&json!({ "jsonrpc": "2.0", "id": 999_999, "result": null })),
            _ => self.notify("window/workDoneProgress/cancel", json!({ "token": "zeroerr-1" })),
        }
    }

    /// Takes a message of the server in.
    fn take(&mut self, message: Value) {
        if let Some(method) = message.get("method") {
            if method == "textDocument/publishDiagnostics" {
                let each = message["params"]["diagnostics"].as_array().unwrap();
                let text =
                    each.iter().find(|d| d["code"] == "spec.text").map_or("", |d| d["message"].as_str().unwrap());
                self.shown.insert(message["params"]["uri"].as_str().unwrap().to_owned(), text.to_owned());
            }
            if message.get("id").is_some() {
                self.unanswered.push(message);
                if self.rng.random_ratio(2, 3) {
                    self.answer_one();
                }
            }
            return;
        }
        let code = &message["error"]["code"];
        if message["id"].is_null() {
            assert_eq!(*code, -32700, "an answer to nobody: {message}");
            return self.count("malformed, told");
        }
        let id = message["id"].as_i64().unwrap();
        let method = self.outstanding.remove(&id).unwrap_or_else(|| panic!("answered twice or never asked: {message}"));
        assert_ne!(*code, -32603, "{method} had an internal error: {message}");
        if method == "textDocument/codeAction" {
            self.pick(&message["result"]);
        }
        self.count(if *code == -32800 {
            "cancelled"
        } else if code.is_null() {
            "answered"
        } else {
            "refused"
        });
    }

    /// Executes one of the actions that were offered, now and then.
    fn pick(&mut self, actions: &Value) {
        let commands: Vec<&Value> =
            actions.as_array().into_iter().flatten().map(|a| &a["command"]).filter(|c| !c.is_null()).collect();
        if self.rng.random_ratio(1, 3)
            && let Some(command) = commands.choose(&mut self.rng)
        {
            let params = json!({ "command": command["command"], "arguments": command["arguments"] });
            self.request("workspace/executeCommand", params);
        }
    }

    /// Answers one of the requests of the server, not always the oldest.
    fn answer_one(&mut self) {
        if self.unanswered.is_empty() {
            return;
        }
        let request = self.unanswered.swap_remove(self.rng.random_range(0..self.unanswered.len()));
        let id = &request["id"];
        if self.one_in(20) {
            let error = json!({ "code": -32603, "message": "the client will not" });
            return self.send(&json!({ "jsonrpc": "2.0", "id": id, "error": error }));
        }
        let result = match request["method"].as_str().unwrap() {
            "workspace/applyEdit" => self.apply_edit(&request["params"]["edit"]),
            "workspace/configuration" => json!([{}]),
            "window/showDocument" => json!({ "success": true }),
            _ => Value::Null,
        };
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }));
    }

    /// Applies an edit as VS Code does: for exactly the version that it is meant for, or not at all. One
    /// time in five it is not done, and the answer is a lie half of the time.
    fn apply_edit(&mut self, edit: &Value) -> Value {
        let change = &edit["documentChanges"][0];
        let (uri, version) = (change["textDocument"]["uri"].as_str().unwrap(), &change["textDocument"]["version"]);
        let at = self.documents.iter().position(|d| d.uri == uri).expect("an edit of a document that there is");
        assert!(version.is_i64(), "an edit without a version: {edit}");
        let doc = &mut self.documents[at];
        if !doc.is_open || *version != doc.version {
            self.count("edits too late");
            return json!({ "applied": false, "failureReason": "it has changed" });
        }
        if self.rng.random_ratio(1, 5) {
            self.count("edits refused");
            return json!({ "applied": self.one_in(2) });
        }
        let edits = change["edits"].as_array().unwrap();
        assert!(edits.iter().all(|e| e["newText"] == "return '😀'"), "{edit}");
        let changes = self.documents[at].apply(edits, &self.encoding.clone());
        self.did_change(at, changes);
        self.count("edits applied");
        json!({ "applied": true })
    }

    /// Waits until every request is answered and every document analysed, then compares the texts.
    pub async fn compare(&mut self) {
        let asked: Vec<(usize, u64)> = (0..self.documents.len())
            .filter(|n| self.documents[*n].is_open && self.documents[*n].language != "markdown")
            .map(|n| (n, self.documents[n].changes))
            .collect();
        for (n, _) in &asked {
            let params =
                json!({ "textDocument": { "uri": self.documents[*n].uri }, "position": { "line": 0, "character": 0 } });
            self.request("textDocument/hover", params);
        }
        self.flush().await;
        while !self.outstanding.is_empty() {
            let message = self.receive().await;
            self.take(message);
            self.flush().await;
        }
        // An answer may overtake what was published before it: they leave by two queues.
        let is_behind = |this: &Self, (n, changes): &(usize, u64)| {
            let doc = &this.documents[*n];
            doc.changes == *changes && this.shown.get(doc.uri).is_none_or(|shown| *shown != fingerprint(&doc.text))
        };
        while asked.iter().any(|one| is_behind(self, one)) {
            let Ok(Some(message)) = tokio::time::timeout(PATIENCE, self.inbox.recv()).await else { break };
            self.count("answers before their diagnostics");
            self.take(message);
            self.flush().await;
        }
        for (n, changes) in asked {
            let doc = &self.documents[n];
            if doc.changes == changes {
                let shown = self.shown.get(doc.uri).cloned().unwrap_or_default();
                assert_eq!(shown, fingerprint(&doc.text), "the text of {} @{}: {:?}", doc.uri, doc.version, doc.text);
                self.count("comparisons");
            }
        }
    }

    async fn receive(&mut self) -> Value {
        let message = tokio::time::timeout(PATIENCE, self.inbox.recv()).await;
        let message = message.unwrap_or_else(|_| panic!("waited in vain for {:?}", self.outstanding));
        message.unwrap_or_else(|| panic!("the server closed its stream before {:?}", self.outstanding))
    }

    /// Shuts down twice, asks on, exits; gives the figures.
    pub async fn leave(mut self) -> String {
        self.compare().await;
        self.request("shutdown", Value::Null);
        self.flush().await;
        while !self.outstanding.is_empty() {
            let message = self.receive().await;
            self.take(message);
        }
        for method in ["shutdown", "textDocument/hover", "initialize", "shutdown"] {
            self.request(method, Value::Null);
        }
        self.flush().await;
        while !self.outstanding.is_empty() {
            let message = self.receive().await;
            if let Some(id) = message["id"].as_i64().filter(|_| message.get("method").is_none()) {
                let method = self.outstanding.remove(&id).expect("an open request");
                assert_eq!(message["error"]["code"], -32600, "{method} after shutdown");
            }
        }
        self.notify("exit", Value::Null);
        self.flush().await;
        let told = self.counted.get("malformed, told").copied().unwrap_or_default();
        let malformed = self.counted.get("malformed").copied().unwrap_or_default();
        assert!(told >= malformed, "{malformed} malformed frames, {told} of them told");
        let figures: Vec<_> = self.counted.iter().map(|(what, n)| format!("{n} {what}")).collect();
        format!("{} messages: {}", self.sent, figures.join(", "))
    }

    /// Ends the stream anywhere in what is still to be written.
    pub async fn tear_off(mut self) {
        (0..5).for_each(|_| self.act());
        let bytes = std::mem::take(&mut self.unwritten);
        let cut = self.rng.random_range(0..=bytes.len());
        self.writer.write_all(&bytes[..cut]).await.expect("the server reads");
    }
}

/// Reads one message; `None` at the end of the stream.
async fn read(from: &mut BufReader<DuplexStream>) -> Option<Value> {
    let mut header = String::new();
    if from.read_line(&mut header).await.ok()? == 0 {
        return None;
    }
    let length: usize =
        header.trim_end().strip_prefix("Content-Length: ").expect("a length").parse().expect("a number");
    let mut body = vec![0; length + 2];
    from.read_exact(&mut body).await.ok()?;
    assert!(body.starts_with(b"\r\n"), "one header");
    Some(serde_json::from_slice(&body[2..]).expect("a JSON message"))
}
