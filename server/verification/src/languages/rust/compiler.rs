//! What rustc and clippy say, as they say it to tools.

use std::path::Path;

use serde::Deserialize;

use crate::layers::Remark;

/// One message of the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// `E0308`, `unused_variables`, `clippy::len_zero`; empty for plain errors.
    pub code: String,
    /// One sentence.
    pub text: String,
    /// Whether it keeps the code from compiling.
    pub is_error: bool,
    /// 1-based line in the file that was asked about.
    pub line: usize,
}

impl Message {
    /// Whether it is the compiler's own objection, not a lint's.
    pub fn is_own(&self) -> bool {
        self.is_error && (self.code.is_empty() || (self.code.starts_with('E') && self.code.len() == 5))
    }

    /// As a remark of a layer.
    pub fn remark(&self) -> Remark {
        let rule = if self.code.is_empty() { "error".to_owned() } else { self.code.replace("::", ".") };
        let url = match self.code.strip_prefix("clippy::") {
            Some(lint) => Some(format!("https://rust-lang.github.io/rust-clippy/master/index.html#{lint}")),
            None if self.is_own() && !self.code.is_empty() => {
                Some(format!("https://doc.rust-lang.org/error_codes/{}.html", self.code))
            }
            None => None,
        };
        Remark { rule, message: self.text.clone(), line: self.line, url }
    }
}

#[derive(Debug, Deserialize)]
struct Raw {
    message: String,
    code: Option<Code>,
    level: String,
    spans: Vec<Span>,
    children: Vec<Child>,
}

#[derive(Debug, Deserialize)]
struct Child {
    message: String,
    level: String,
}

#[derive(Debug, Deserialize)]
struct Code {
    code: String,
}

#[derive(Debug, Deserialize)]
struct Span {
    file_name: String,
    line_start: usize,
    is_primary: bool,
    label: Option<String>,
    expansion: Option<Box<Expansion>>,
}

#[derive(Debug, Deserialize)]
struct Expansion {
    span: Span,
}

impl Span {
    /// The line in `file` that the span is about, however many macros lie between.
    fn line_in(&self, file: &Path) -> Option<usize> {
        if Path::new(&self.file_name).ends_with(file) {
            return Some(self.line_start);
        }
        self.expansion.as_ref().and_then(|e| e.span.line_in(file))
    }
}

/// The messages in the output of rustc, or of cargo, that are about `file` (the end of its path), and
/// the errors that are about other files.
pub(super) fn messages(output: &[u8], file: &Path) -> (Vec<Message>, Vec<String>) {
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for line in String::from_utf8_lossy(output).lines().filter(|l| l.starts_with('{')) {
        let Ok(value) = serde_json::from_str::<serde_json::Value>(line) else { continue };
        let value = if value["reason"] == "compiler-message" { value["message"].clone() } else { value };
        let Ok(raw) = serde_json::from_value::<Raw>(value) else { continue };
        let is_error = raw.level.starts_with("error");
        if !(is_error || raw.level == "warning") || raw.message.starts_with("aborting due to") {
            continue;
        }
        let place = raw.spans.iter().filter(|s| s.is_primary).chain(&raw.spans).find_map(|s| s.line_in(file));
        let text = said(&raw);
        match place {
            Some(line) => {
                own.push(Message { code: raw.code.map(|c| c.code).unwrap_or_default(), text, is_error, line })
            }
            None if is_error => other.push(text),
            None => {}
        }
    }
    (own, other)
}

/// The message with what its mark says: `mismatched types: expected i32, found &str`.
fn said(raw: &Raw) -> String {
    let mark =
        raw.spans.iter().find(|s| s.is_primary).and_then(|s| s.label.as_deref()).filter(|l| !raw.message.contains(l));
    let help = raw.children.iter().find(|c| c.level == "help").filter(|_| mark.is_none()).map(|c| c.message.as_str());
    let more = mark.or(help.filter(|h| h.len() < 80 && !h.contains("https://")));
    match more {
        Some(more) => format!("{}: {more}", raw.message),
        None => raw.message.clone(),
    }
}
