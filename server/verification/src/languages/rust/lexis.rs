//! What cutting a file into pieces has to know of Rust.

use crate::languages::pieces::cut::{
    Before, Lexis, Token, behind_comments, common, is_word, rest_of_line, starts_with_word, string, through,
};

/// Strings, comments, and what begins an item.
pub(super) struct RustLexis;

const ITEMS: &[&str] = &[
    "fn",
    "pub",
    "struct",
    "enum",
    "union",
    "impl",
    "trait",
    "mod",
    "use",
    "const",
    "static",
    "async",
    "unsafe",
    "extern",
    "type",
    "macro_rules",
];

impl Lexis for RustLexis {
    fn token(&self, text: &[u8], at: usize, _before: Before) -> (Token, usize) {
        let rest = &text[at..];
        match text[at] {
            b'/' if rest.starts_with(b"//") => (Token::Comment, rest_of_line(text, at)),
            b'/' if rest.starts_with(b"/*") => (Token::Comment, block_comment(rest)),
            b'"' => (Token::Other, 1 + string(text, at + 1, b'"', false)),
            b'\'' => (Token::Other, character(rest)),
            b if is_word(b) => {
                let word = rest.iter().take_while(|b| is_word(**b)).count();
                (Token::Other, word + raw_string(rest, word))
            }
            _ => common(text, at),
        }
    }

    fn begins_statement(&self, line: &[u8], before: Before) -> bool {
        // Attributes and unfinished headers belong to what follows.
        matches!(before.last, 0 | b';' | b'}') && (is_word(line[0]) || matches!(line[0], b'#' | b'/'))
    }

    fn begins_item(&self, line: &[u8]) -> bool {
        let line = behind_comments(line, b"//");
        line.starts_with(b"#[") || line.starts_with(b"/**") || starts_with_word(line, ITEMS)
    }
}

/// Comments nest.
fn block_comment(text: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0usize);
    while at < text.len() {
        let step = text.get(at..at + 2).unwrap_or_default();
        match step {
            b"/*" => depth += 1,
            b"*/" => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// `'a'`, `'\n'`, or the quote of a lifetime.
fn character(text: &[u8]) -> usize {
    let Some(first) = text.get(1) else { return 1 };
    if *first == b'\\' {
        return 1 + string(text, 1, b'\'', true);
    }
    let width = match first {
        0..0x80 => 1,
        0x80..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    if text.get(1 + width) == Some(&b'\'') { width + 2 } else { 1 }
}

/// The length of what follows the word `r`, `br` or `cr` when that opens a raw string.
fn raw_string(text: &[u8], word: usize) -> usize {
    if !matches!(&text[..word], b"r" | b"br" | b"cr") {
        return 0;
    }
    let hashes = text[word..].iter().take_while(|b| **b == b'#').count();
    if text.get(word + hashes) != Some(&b'"') {
        return 0;
    }
    let mut end = vec![b'"'];
    end.resize(1 + hashes, b'#');
    hashes + 1 + through(text, word + hashes + 1, &end)
}
