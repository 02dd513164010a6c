//! Which functions a text speaks of: identifiers in prose, in signatures and in expressions.
//!
//! A word is a mention when it is called (`half(n)`), stands in backticks, follows a word of calling
//! ("using half"), or can be nothing but an identifier (`half_of`, `halfOf`, `half2`). A plain word in
//! prose is none: a step named `split` must not wait for every step that splits something.

/// An identifier of a text and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// The identifier.
    pub text: &'a str,
    /// Its first byte in the text.
    pub start: usize,
    /// Whether it is meant as a function's name.
    pub is_mention: bool,
    /// Whether it stands in a string literal of an expression.
    pub in_string: bool,
    /// Whether it is an attribute (`x.half`).
    pub is_attribute: bool,
}

/// Words after which a plain word is a function's name.
const CALLING: [&str; 8] = ["using", "uses", "use", "calls", "calling", "call", "via", "applies"];

/// The names that a text mentions, in order, with repetitions.
pub fn mentioned(text: &str) -> impl Iterator<Item = &str> {
    words(text).into_iter().filter(|w| w.is_mention).map(|w| w.text)
}

/// The names that a text calls outright, `half(n)`, with where they stand. A single letter is none: `O(n)`.
pub fn called(text: &str) -> impl Iterator<Item = Word<'_>> {
    let is_call = |w: &Word<'_>| {
        let (before, after) = (text.get(..w.start).unwrap_or(""), text.get(w.start + w.text.len()..).unwrap_or(""));
        after.starts_with('(') && !w.is_attribute && !before.ends_with("::") && w.text.chars().nth(1).is_some()
    };
    words(text).into_iter().filter(is_call)
}

/// The identifiers of a text. Strings are only told apart in [`Word::in_string`] when quotes stand as
/// in code: after an apostrophe within a word (`doesn't`) prose goes on.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let mut out: Vec<Word<'_>> = Vec::new();
    let mut quote: Option<char> = None;
    let mut before = ' ';
    let mut last_word = "";
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        if !starts_identifier(c) {
            quote = match quote {
                Some(q) if c == q && before != '\\' => None,
                None if matches!(c, '"' | '\'') && !before.is_alphanumeric() => Some(c),
                other => other,
            };
            before = c;
            // A number takes its letters with it: `1e9`, `2nd`.
            if c.is_numeric() {
                while chars.next_if(|(_, c)| continues_identifier(*c)).is_some() {}
            }
            continue;
        }
        let mut end = start + c.len_utf8();
        while let Some((at, c)) = chars.next_if(|(_, c)| continues_identifier(*c)) {
            end = at + c.len_utf8();
        }
        let word = text.get(start..end).unwrap_or("");
        let rest = text.get(end..).unwrap_or("");
        let quoted = before == '`' && rest.starts_with('`');
        let called = rest.starts_with('(');
        let is_mention = called || quoted || is_code(word) || CALLING.contains(&last_word);
        out.push(Word { text: word, start, is_mention, in_string: quote.is_some(), is_attribute: before == '.' });
        last_word = word;
        before = text.get(..end).and_then(|t| t.chars().next_back()).unwrap_or(' ');
    }
    out
}

/// The text with every mention (or, in an expression, every free use) of an old name replaced.
pub fn renamed(text: &str, kind: TextKind, new_name: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for word in words(text) {
        let counts = match kind {
            TextKind::Prose => word.is_mention,
            TextKind::Code => !word.in_string && !word.is_attribute,
        };
        if let Some(new) = new_name(word.text).filter(|_| counts) {
            out.push_str(text.get(at..word.start).unwrap_or(""));
            out.push_str(&new);
            at = word.start + word.text.len();
        }
    }
    out.push_str(text.get(at..).unwrap_or(""));
    out
}

/// What a text is, for [`renamed`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// Words for people, in which a plain word is no name.
    Prose,
    /// An expression.
    Code,
}

fn starts_identifier(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn continues_identifier(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Whether a word can be nothing but an identifier.
fn is_code(word: &str) -> bool {
    let inner_capital = word.chars().skip(1).any(char::is_uppercase) && word.chars().any(char::is_lowercase);
    word.trim_matches('_').contains('_') || word.chars().any(|c| c.is_ascii_digit()) || inner_capital
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(mentioned(text).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn only_an_outright_call_is_one() {
        let text = "as `half` of n, half(n) in O(n), xs.third(n), Vec::with(n), using quarter";
        assert_eq!(called(text).map(|w| (w.text, w.start)).collect::<Vec<_>>(), [("half", 16)]);
    }

    #[test]
    fn a_name_is_a_mention_and_a_plain_word_is_none() {
        check("split the list in halves", &[]);
        check("split(xs) and then join them", &["split"]);
        check("the larger of `split` and join", &["split"]);
        check("sorted, using split and the rest", &["split"]);
        check("sum of the half_of every splitOf or half2", &["half_of", "splitOf", "half2"]);
        check("(f: Callable = pick_first) -> int", &["pick_first"]);
        check("the 2nd of 1e9", &[]);
        check("", &[]);
    }

    #[test]
    fn names_are_replaced_where_they_are_meant() {
        let new = |w: &str| (w == "half").then(|| "half_2".to_owned());
        assert_eq!(
            renamed("half of `half`, half(n) is half", TextKind::Prose, new),
            "half of `half_2`, half_2(n) is half"
        );
        let code = "half(x.half, 'half', half) == f(\"it's half\", half)";
        assert_eq!(renamed(code, TextKind::Code, new), "half_2(x.half, 'half', half_2) == f(\"it's half\", half_2)");
    }

    proptest::proptest! {
        #[test]
        fn words_lie_where_they_say(text in "[ab_'\"`.( é1]{0,30}") {
            for word in words(&text) {
                proptest::prop_assert_eq!(&text[word.start..word.start + word.text.len()], word.text);
            }
            proptest::prop_assert_eq!(renamed(&text, TextKind::Code, |w| Some(w.to_owned())), text);
        }
    }
}
