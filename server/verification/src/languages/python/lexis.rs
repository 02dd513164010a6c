//! What cutting a file into pieces has to know of Python.

use crate::languages::pieces::cut::{
    Before, Lexis, Token, behind_comments, common, is_word, rest_of_line, starts_with_word, string,
};

/// Strings, comments, and what begins a statement.
pub(super) struct PythonLexis;

impl Lexis for PythonLexis {
    fn token(&self, text: &[u8], at: usize, _before: Before) -> (Token, usize) {
        match text[at] {
            b'#' => (Token::Comment, rest_of_line(text, at)),
            quote @ (b'"' | b'\'') => {
                let triple = [quote; 3];
                let length = if text[at..].starts_with(&triple) {
                    3 + triple_string(text, at + 3, &triple)
                } else {
                    1 + string(text, at + 1, quote, true)
                };
                (Token::Other, length)
            }
            // The line goes on.
            b'\\' if text.get(at + 1) == Some(&b'\n') => (Token::Other, 2),
            _ => common(text, at),
        }
    }

    fn begins_statement(&self, line: &[u8], before: Before) -> bool {
        let goes_on = starts_with_word(line, &["else", "elif", "except", "finally"]);
        // An empty line may stand between a decorator and its function.
        before.first != b'@' && !goes_on && (is_word(line[0]) || matches!(line[0], b'#' | b'@'))
    }

    fn begins_item(&self, line: &[u8]) -> bool {
        let line = behind_comments(line, b"#");
        line.starts_with(b"@") || line.starts_with(b"async def ") || starts_with_word(line, &["def", "class"])
    }
}

fn triple_string(text: &[u8], at: usize, triple: &[u8]) -> usize {
    let mut end = at;
    while end < text.len() {
        if text[end] == b'\\' {
            end += 2;
        } else if text[end..].starts_with(triple) {
            return end + 3 - at;
        } else {
            end += 1;
        }
    }
    text.len() - at
}
