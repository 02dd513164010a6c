//! What cutting a file into pieces has to know of TypeScript and JavaScript.

use crate::languages::pieces::cut::{
    Before, Lexis, STRING, Token, behind_comments, common, is_word, rest_of_line, starts_with_word, string, through,
};

/// Strings, comments, and what begins a statement.
pub(super) struct TypeScriptLexis;

const DECLARES: &[&str] = &[
    "export",
    "import",
    "function",
    "async",
    "class",
    "abstract",
    "const",
    "let",
    "var",
    "interface",
    "type",
    "enum",
    "declare",
    "namespace",
];

impl Lexis for TypeScriptLexis {
    fn token(&self, text: &[u8], at: usize, before: Before) -> (Token, usize) {
        let rest = &text[at..];
        match text[at] {
            b'/' if rest.starts_with(b"//") => (Token::Comment, rest_of_line(text, at)),
            b'/' if rest.starts_with(b"/*") => (Token::Comment, 2 + through(text, at + 2, b"*/")),
            b'/' if may_be_regex(text, at, before) => (Token::Other, regex(rest).unwrap_or(1)),
            quote @ (b'"' | b'\'') => (Token::Other, 1 + string(text, at + 1, quote, true)),
            b'`' => {
                let (token, length) = template(text, at + 1);
                (token, 1 + length)
            }
            _ => common(text, at),
        }
    }

    fn resume(&self, text: &[u8], at: usize) -> Option<(Token, usize)> {
        (at < text.len()).then(|| template(text, at))
    }

    fn begins_statement(&self, line: &[u8], before: Before) -> bool {
        let has_ended = |b: u8| matches!(b, 0 | b'}' | b';' | b')' | b']' | b'"' | b'\'' | b'`') || is_word(b);
        // The signatures of an overload belong to the function that follows them.
        if matches!(line[0], b'/' | b'@') || is_function(line) {
            return matches!(before.last, 0 | b'}');
        }
        has_ended(before.last) && starts_with_word(line, DECLARES) || before.last == b';' && is_word(line[0])
    }

    fn begins_item(&self, line: &[u8]) -> bool {
        let line = behind_comments(line, b"//");
        line.starts_with(b"/**") || starts_with_word(line, DECLARES)
    }
}

fn is_function(mut line: &[u8]) -> bool {
    while starts_with_word(line, &["export", "default", "async", "declare"]) {
        let word = line.iter().take_while(|b| is_word(**b)).count();
        let blanks = line[word..].iter().take_while(|b| **b == b' ').count();
        line = &line[word + blanks..];
    }
    starts_with_word(line, &["function"])
}

/// The length of a template from `at` on: to its end, or to the bracket of `${`.
fn template(text: &[u8], at: usize) -> (Token, usize) {
    let mut end = at;
    while let Some(byte) = text.get(end) {
        match byte {
            b'\\' => end += 1,
            b'`' => return (Token::Other, end + 1 - at),
            b'$' if text.get(end + 1) == Some(&b'{') => return (Token::Open(STRING), end + 2 - at),
            _ => {}
        }
        end += 1;
    }
    (Token::Other, text.len() - at)
}

/// Whether a slash may begin a regular expression: where a value may begin. Not the end of a JSX tag.
fn may_be_regex(text: &[u8], at: usize, before: Before) -> bool {
    const WORDS: &[&str] = &[
        "return",
        "typeof",
        "case",
        "in",
        "of",
        "delete",
        "void",
        "instanceof",
        "throw",
        "await",
        "yield",
        "else",
        "do",
    ];
    if text.get(at + 1) == Some(&b'>') {
        return false;
    }
    match before.word {
        Some((start, end)) => starts_with_word(&text[start..end], WORDS),
        None => !matches!(before.last, b')' | b']' | b'<' | b'"' | b'\'' | b'`'),
    }
}

/// The length of a regular expression; `None` when its line has no end of one.
fn regex(text: &[u8]) -> Option<usize> {
    let (mut at, mut in_class) = (1, false);
    loop {
        match text.get(at)? {
            b'\n' => return None,
            b'\\' => at += 1,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'/' if !in_class => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
}
