//! The client's documents, and what its user does to them.

use rand::Rng as _;
use rand::seq::IndexedRandom as _;
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};
use zeroerr_test_support::text;

/// What is typed and pasted: code, specs, and everything that is counted in more than one way.
const PIECES: [&str; 38] = [
    "x",
    " ",
    "    ",
    "\t",
    "\n",
    "\n",
    "\r\n",
    "\r",
    "😀",
    "👨\u{200d}👩",
    "e\u{301}",
    "ß€",
    "\u{2028}",
    "\u{85}",
    "\u{feff}",
    "\0",
    "\u{10ffff}",
    "#",
    "@",
    "(",
    "]",
    "\\",
    "'''",
    "\"\"\"",
    "# @spec Twice x 😀.\n",
    "# @example f(2) == 4\r\n",
    "# @ensures result > x\n",
    "# @nonsense\n",
    "# zeroerr: sort them\n",
    "def f(x: int) -> int: ...\n",
    "def g(a, *b, c='ü', **d):\n    pass\n",
    "class A:\n    # @spec m\n    # @property m(self) == 1\n    def m(self): ...\n",
    "    return 1\n",
    "\n\n# @spec Twice x 😀.\n# @example f(2) == 4\ndef f(x: int) -> int: ...\n\n\n",
    "\r\n\r\n# @spec One.\r\n# @example g() == 1\r\ndef g() -> int:\r\n    return 1\r\n\r\n\r\n",
    "// @spec t\nfn t() {}\n",
    "Content-Length: 7\r\n\r\n{}",
    "{\"jsonrpc\":\"2.0\"}",
];

/// Documents may be this long before the user cuts them down.
const LONG: usize = 6_000;
/// Steps that can be undone.
const UNDO: usize = 60;

/// A document as the client has it.
pub struct Document {
    pub uri: &'static str,
    pub language: &'static str,
    pub text: String,
    pub version: i64,
    /// How often it was changed or opened, whatever its version says.
    pub changes: u64,
    pub is_open: bool,
    undo: Vec<String>,
}

pub fn all() -> Vec<Document> {
    let document = |uri, language| Document {
        uri,
        language,
        text: String::new(),
        version: 0,
        changes: 0,
        is_open: false,
        undo: Vec::new(),
    };
    vec![
        document("file:///torture/a.py", "python"),
        document("file:///torture/b%20%C3%BC.py", "python"),
        document("file:///torture/c.rs", "rust"),
        document("file:///torture/d.ts", "typescript"),
        document("untitled:Untitled-1", "python"),
        document("file:///torture/e.md", "markdown"),
    ]
}

/// A random text.
pub fn random_text(rng: &mut ChaCha8Rng, most: usize) -> String {
    let pieces = rng.random_range(0..=most);
    (0..pieces).filter_map(|_| PIECES.choose(rng)).copied().collect()
}

impl Document {
    /// A place that the protocol can name: between characters, not between `\r` and `\n`.
    fn place(&self, rng: &mut ChaCha8Rng) -> usize {
        self.sayable(rng.random_range(0..=self.text.len()))
    }

    fn sayable(&self, mut at: usize) -> usize {
        while !self.text.is_char_boundary(at) || inside_crlf(&self.text, at) {
            at -= 1;
        }
        at
    }

    /// Changes that the user makes at once, as the protocol has them; the text follows.
    pub fn edit(&mut self, rng: &mut ChaCha8Rng, encoding: &str) -> Value {
        self.remember();
        if self.text.len() > LONG || rng.random_ratio(1, 60) {
            self.text = random_text(rng, 40);
            return json!([{ "text": self.text }]);
        }
        let changes = if rng.random_ratio(1, 8) { rng.random_range(2..6) } else { 1 };
        let most = if rng.random_ratio(1, 150) { 3_000 } else { 5 };
        Value::from_iter((0..changes).map(|_| self.one_edit(rng, encoding, most)))
    }

    fn one_edit(&mut self, rng: &mut ChaCha8Rng, encoding: &str, most: usize) -> Value {
        let start = self.place(rng);
        let end = if rng.random_ratio(2, 3) {
            start
        } else {
            self.sayable((start + rng.random_range(0..30)).min(self.text.len()))
        };
        let (start, end) = (start.min(end), start.max(end));
        let new = random_text(rng, most);
        let mut range = json!({ "start": text::position(&self.text, start, encoding), "end": text::position(&self.text, end, encoding) });
        if end == self.text.len() && rng.random_ratio(1, 10) {
            // Past the end means the end.
            range["end"] = json!({ "line": u32::MAX, "character": 7 });
        }
        self.text.replace_range(start..end, &new);
        json!({ "range": range, "text": new })
    }

    /// Goes one step back, as one change of what differs.
    pub fn undo(&mut self, encoding: &str) -> Option<Value> {
        let before = self.undo.pop()?;
        let now = std::mem::replace(&mut self.text, before);
        let same = |(a, b): &(char, char)| a == b;
        let mut head: usize = now.chars().zip(self.text.chars()).take_while(same).map(|(c, _)| c.len_utf8()).sum();
        if inside_crlf(&now, head) {
            head -= 1;
        }
        let tails = now[head..].chars().rev().zip(self.text[head..].chars().rev());
        let mut tail: usize = tails.take_while(same).map(|(c, _)| c.len_utf8()).sum();
        if inside_crlf(&now, now.len() - tail) {
            tail -= 1;
        }
        let range = json!({ "start": text::position(&now, head, encoding), "end": text::position(&now, now.len() - tail, encoding) });
        Some(json!([{ "range": range, "text": self.text[head..self.text.len() - tail] }]))
    }

    /// Takes over edits of the server.
    pub fn apply(&mut self, edits: &[Value], encoding: &str) -> Value {
        self.remember();
        let mut changes: Vec<_> = edits.iter().map(|e| json!({ "range": e["range"], "text": e["newText"] })).collect();
        changes.sort_by_key(|c| std::cmp::Reverse(text::offset(&self.text, &c["range"]["start"], encoding)));
        self.text = text::apply(&self.text, edits, encoding);
        Value::from(changes)
    }

    fn remember(&mut self) {
        self.undo.push(self.text.clone());
        if self.undo.len() > UNDO {
            self.undo.remove(0);
        }
    }

    /// Opens the document anew with another text.
    pub fn open(&mut self, rng: &mut ChaCha8Rng) {
        self.text = random_text(rng, 60);
        self.version = rng.random_range(0..5);
        self.changes += 1;
        self.undo.clear();
        self.is_open = true;
    }

    /// A position to ask about; not always one that there is.
    pub fn position(&self, rng: &mut ChaCha8Rng, encoding: &str) -> Value {
        if rng.random_ratio(1, 4) {
            return json!({ "line": rng.random_range(0..40), "character": rng.random_range(0..50) });
        }
        if rng.random_ratio(1, 40) {
            return json!({ "line": u32::MAX, "character": u32::MAX });
        }
        text::position(&self.text, self.place(rng), encoding)
    }
}

fn inside_crlf(text: &str, at: usize) -> bool {
    let bytes = text.as_bytes();
    at > 0 && bytes.get(at - 1) == Some(&b'\r') && bytes.get(at) == Some(&b'\n')
}
