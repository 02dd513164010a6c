//! Open documents: the text exactly as the client has it, and the last analysis of it.
//!
//! A [`Document`] belongs to the one task that owns all state. A [`Snapshot`] is immutable and
//! complete in itself (text, version, analysis): it is what workers and answers are made from.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use lsp_types::{SemanticToken, TextDocumentContentChangeEvent, Uri};
use ropey::Rope;
use zeroerr_core::code::{FileAnalysis, LanguageId, ScopeName, Task};

use crate::position::{Encoding, char_at};
use crate::state::Event;

/// Files larger than this are analysed when typing pauses, not on every key.
const DEBOUNCE_ABOVE_BYTES: usize = 1024 * 1024;
/// The pause that counts, in milliseconds.
const DEBOUNCE_MS: u64 = 120;

/// One version of a text together with what was found in it.
#[derive(Debug)]
pub(crate) struct Snapshot {
    /// The client's version of this text.
    pub(crate) version: i32,
    /// Our own count of the texts of this document.
    pub(crate) revision: u64,
    /// The text, for positions.
    pub(crate) rope: Rope,
    /// The text, for everything else; shared with the tasks found in it.
    pub(crate) text: Arc<str>,
    /// What was found.
    pub(crate) analysis: FileAnalysis,
    /// The names of its top level, looked for when they are first wanted.
    names: OnceLock<Vec<ScopeName>>,
    /// How many functions of the same name stand above one, by where it starts; only where there are any.
    namesakes: HashMap<usize, usize>,
}

impl Snapshot {
    /// A text with its analysis.
    pub(crate) fn new((version, revision): (i32, u64), rope: Rope, text: Arc<str>, analysis: FileAnalysis) -> Self {
        let mut seen: HashMap<(Option<&str>, &str), usize> = HashMap::new();
        let mut namesakes = HashMap::new();
        for task in &analysis.tasks {
            let before = seen.entry((task.class.as_deref(), &task.signature.name)).or_default();
            if *before > 0 {
                namesakes.insert(task.function_range.start, *before);
            }
            *before += 1;
        }
        Self { version, revision, rope, text, analysis, names: OnceLock::new(), namesakes }
    }

    /// The name of a task of this text that no other has: `Class.method` or `function`, of the second of one name
    /// `Class.method#2`.
    pub(crate) fn name_of(&self, task: &Task) -> String {
        let name = qualified(task);
        match self.namesakes.get(&task.function_range.start) {
            Some(before) => format!("{name}#{}", before + 1),
            None => name,
        }
    }

    /// The names of the text's top level; `find` reads the whole text, so it belongs into a worker.
    pub(crate) fn names(&self, find: impl FnOnce(&str) -> Vec<ScopeName>) -> &[ScopeName] {
        self.names.get_or_init(|| find(&self.text))
    }

    /// The task of a function by its [name](Self::name_of), or by that of a method without its class.
    pub(crate) fn task_named(&self, name: &str) -> Option<&Task> {
        let tasks = &self.analysis.tasks;
        let numbered =
            name.rsplit_once('#').and_then(|(name, n)| Some((name, n.parse::<usize>().ok()?.checked_sub(1)?)));
        let (name, before) = numbered.unwrap_or((name, 0));
        let named = tasks.iter().filter(|t| qualified(t) == name).nth(before);
        named.or_else(|| tasks.iter().find(|t| before == 0 && t.signature.name == name))
    }

    /// The 0-based line of a byte offset.
    pub(crate) fn line_at(&self, byte: usize) -> usize {
        self.rope.byte_to_line(byte.min(self.rope.len_bytes()))
    }

    /// The 0-based line of a task's header: the first line that is not a decorator.
    pub(crate) fn header_line(&self, task: &Task) -> usize {
        let first = self.line_at(task.function_range.start);
        let opening = task.signature.header.lines().next().unwrap_or_default().trim();
        let body = self.line_at(task.body_range.start);
        let is_header = |line: usize| {
            !opening.is_empty() && self.rope.get_line(line).is_some_and(|l| l.to_string().contains(opening))
        };
        (first..=body).find(|&line| is_header(line)).unwrap_or(first)
    }
}

/// `Class.method` or `function`; see [`Snapshot::name_of`] for a name that no other function has.
fn qualified(task: &Task) -> String {
    match &task.class {
        Some(class) => format!("{class}.{}", task.signature.name),
        None => task.signature.name.clone(),
    }
}

/// Where the analysis of a document stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Analysing {
    /// Nothing to do.
    No,
    /// Waiting for a pause in the typing.
    Waiting,
    /// A worker is at it.
    Running,
}

/// What was last answered to a request for all semantic tokens.
#[derive(Debug, Clone)]
pub(crate) struct LastTokens {
    /// The identifier by which the client names it.
    pub(crate) id: String,
    /// The tokens.
    pub(crate) data: Vec<SemanticToken>,
}

/// One open document.
pub(crate) struct Document {
    /// Its address, as the client spells it.
    pub(crate) uri: Uri,
    /// Its language, if it is one of ours.
    pub(crate) language: Option<LanguageId>,
    /// The path by which it is analysed; invented for documents that have none.
    pub(crate) path: PathBuf,
    /// The text as the client has it.
    pub(crate) rope: Rope,
    /// The client's version of it.
    pub(crate) version: i32,
    /// How often it was changed: a client whose versions stand still or go back is served all the same.
    pub(crate) revision: u64,
    /// Tells this opening of the document from an earlier one.
    pub(crate) opening: u64,
    /// The newest analysis, which may be of an older version.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    /// Whether another is on its way.
    pub(crate) analysing: Analysing,
    /// The semantic tokens of the last answer: the next one may be the difference.
    pub(crate) tokens: Option<LastTokens>,
    /// Events that wait for an analysis of at least the revision they came with.
    pub(crate) parked: Vec<(u64, Event)>,
}

impl Document {
    /// A document that was just opened.
    pub(crate) fn new(uri: Uri, language_id: &str, version: i32, text: &str, opening: u64) -> Self {
        let language = language_of(language_id);
        let path = path_of(&uri, language);
        Self {
            uri,
            language,
            path,
            rope: Rope::from_str(text),
            version,
            revision: 0,
            opening,
            snapshot: None,
            analysing: Analysing::No,
            tokens: None,
            parked: Vec::new(),
        }
    }

    /// Whether the newest analysis is of the newest text.
    pub(crate) fn is_current(&self) -> bool {
        self.language.is_none() || self.snapshot.as_ref().is_some_and(|s| s.revision == self.revision)
    }

    /// Takes over what the client changed, in order.
    pub(crate) fn change(&mut self, version: i32, changes: Vec<TextDocumentContentChangeEvent>, encoding: Encoding) {
        for change in changes {
            match change.range {
                None => self.rope = Rope::from_str(&change.text),
                Some(range) => {
                    let a = char_at(&self.rope, range.start, encoding);
                    let b = char_at(&self.rope, range.end, encoding);
                    self.rope.remove(a.min(b)..a.max(b));
                    self.rope.insert(a.min(b), &change.text);
                }
            }
        }
        self.version = version;
        self.revision += 1;
    }

    /// How long to wait for a pause in the typing before the text is analysed, in milliseconds.
    pub(crate) fn debounce_ms(&self) -> u64 {
        if self.rope.len_bytes() > DEBOUNCE_ABOVE_BYTES && self.snapshot.is_some() { DEBOUNCE_MS } else { 0 }
    }

    /// Version and revision of the text together with the text, for a worker.
    pub(crate) fn text(&self) -> ((i32, u64), Rope) {
        ((self.version, self.revision), self.rope.clone())
    }
}

/// The language behind the protocol's language identifier.
fn language_of(language_id: &str) -> Option<LanguageId> {
    match language_id {
        "python" => Some(LanguageId::Python),
        "rust" => Some(LanguageId::Rust),
        "typescript" | "typescriptreact" | "javascript" | "javascriptreact" => Some(LanguageId::TypeScript),
        // Editors that name a language after its mode.
        "ts" | "tsx" | "js" | "jsx" => Some(LanguageId::TypeScript),
        _ => None,
    }
}

/// The path of a document. The adapters tell languages by extension, so a document without a
/// fitting one (untitled, a script without extension) gets the extension of its language.
fn path_of(uri: &Uri, language: Option<LanguageId>) -> PathBuf {
    let path = uri.to_file_path().map_or_else(|| PathBuf::from("untitled"), |p| p.into_owned());
    match language {
        Some(language) if LanguageId::from_path(&path) != Some(language) => {
            let mut name = path.into_os_string();
            name.push(".");
            name.push(language.extension());
            PathBuf::from(name)
        }
        _ => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lsp_types::{Position, Range};
    use proptest::prelude::*;
    use std::str::FromStr as _;

    fn document(text: &str) -> Document {
        Document::new(Uri::from_str("file:///w/a.py").unwrap(), "python", 0, text, 0)
    }

    /// The client's own buffer: a `Vec<char>` edited at character indices.
    fn position_in(chars: &[char], at: usize, encoding: Encoding) -> Position {
        let rope = Rope::from_str(&chars.iter().collect::<String>());
        crate::position::position_of(&rope, rope.char_to_byte(at), encoding)
    }

    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec!["x", "😀", "e\u{301}", "\n", "\r\n", "ß€", "    return 1\n", "\u{2028}"]);
        prop::collection::vec(piece, 0..6).prop_map(|v| v.concat())
    }

    proptest! {
        #[test]
        fn after_any_edits_the_text_is_the_clients_text(
            start in pieces(),
            edits in prop::collection::vec((0usize..60, 0usize..8, pieces(), prop::bool::weighted(0.05)), 0..30),
            encoding in prop::sample::select(vec![Encoding::Utf8, Encoding::Utf16, Encoding::Utf32]),
        ) {
            let mut doc = document(&start);
            let mut client: Vec<char> = start.chars().collect();
            for (n, (at, len, text, whole)) in edits.into_iter().enumerate() {
                let mut a = at.min(client.len());
                let mut b = (a + len).min(client.len());
                // A place between `\r` and `\n` cannot be said in the protocol.
                let cut = |i: usize| i > 0 && i < client.len() && client[i - 1] == '\r' && client[i] == '\n';
                if cut(a) { a -= 1; }
                if cut(b) { b += 1; }
                let range = (!whole).then(|| Range { start: position_in(&client, a, encoding), end: position_in(&client, b, encoding) });
                if whole { client = text.chars().collect(); } else { client.splice(a..b, text.chars()); }
                doc.change(n as i32 + 1, vec![TextDocumentContentChangeEvent { range, range_length: None, text }], encoding);
                prop_assert_eq!(doc.rope.to_string(), client.iter().collect::<String>());
            }
        }
    }

    #[test]
    fn a_document_without_a_path_is_analysed_by_its_language() {
        let path =
            |uri: &str, id: &str| Document::new(Uri::from_str(uri).unwrap(), id, 0, "", 0).path.display().to_string();
        assert_eq!(path("untitled:Untitled-1", "python"), "Untitled-1.py");
        assert_eq!(path("file:///w/tool", "python"), "/w/tool.py");
        assert_eq!(path("file:///w/a%20b.py", "python"), "/w/a b.py");
        assert_eq!(path("file:///w/a.md", "markdown"), "/w/a.md");
    }
}
