//! Cuts a file at top level, between statements, by its brackets, strings and comments alone.
//!
//! A cut is where a line begins a statement after an empty line, outside of every bracket. In a text whose
//! brackets do not match, as a text is while it is typed, the part from the first unclosed one on is cut
//! wherever a line at the margin begins a function or the like: one broken function is not the end of the
//! others. Where the cuts are depends on the text alone, and finding them takes one pass, or two.
//!
//! What lies before a cut has no say in what follows it. So a text that begins and ends as an earlier one did
//! is looked through only between the two.

/// What stands at a place of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token {
    /// White space; a line break ends it.
    Space,
    /// A comment.
    Comment,
    /// An opening bracket, by its kind.
    Open(u8),
    /// A closing bracket, by the kind of its opening one.
    Close(u8),
    /// Anything else.
    Other,
}

/// What stands before a place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Before {
    /// The last byte that is neither white space nor of a comment; 0 when there is none.
    pub last: u8,
    /// Where the word begins that ends there, if it is a word.
    pub word: Option<(usize, usize)>,
    /// The first byte of the last line that began outside of brackets.
    pub first: u8,
}

/// What has to be known of a language.
pub(crate) trait Lexis {
    /// What stands at a place, and its length: at least 1, and not past the end.
    fn token(&self, text: &[u8], at: usize, before: Before) -> (Token, usize);

    /// A bracket that was opened inside of a string has been closed before `at`: what goes on there.
    fn resume(&self, _text: &[u8], _at: usize) -> Option<(Token, usize)> {
        None
    }

    /// Whether a line at the margin, after an empty line, begins a statement.
    fn begins_statement(&self, line: &[u8], before: Before) -> bool;

    /// Whether it begins something that never stands inside of brackets at the margin.
    fn begins_item(&self, line: &[u8]) -> bool;
}

/// Bracket kind of a string that brackets are opened in.
pub(crate) const STRING: u8 = b'`';

/// Where the pieces of a text begin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Cuts {
    /// In order; 0 is always one.
    pub starts: Vec<usize>,
    /// How many of them were found before a bracket did not match.
    sound: usize,
    /// Bytes of the text.
    length: usize,
}

/// What is known of an earlier text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Earlier<'c> {
    /// Where its pieces began.
    pub cuts: &'c Cuts,
    /// With how many of its pieces the new text begins and ends as well; no piece counts for both.
    pub same: (usize, usize),
}

impl Earlier<'_> {
    /// The cuts that stand whatever the new text holds: none is looked for by what follows its first line.
    fn standing(&self) -> Option<&[usize]> {
        self.cuts.starts.get(..self.same.0.min(self.cuts.sound)).filter(|starts| !starts.is_empty())
    }

    /// Which of its cuts lies at `at` of the new text, which has `length` bytes, when the rest is the same from
    /// there on and was looked through in the same way.
    fn at(&self, at: usize, length: usize, broken: bool) -> Option<usize> {
        let starts = &self.cuts.starts;
        let first = starts.len().checked_sub(self.same.1)?.max(1);
        let then = (at + self.cuts.length).checked_sub(length)?;
        let index = first + starts.get(first..)?.binary_search(&then).ok()?;
        ((index >= self.cuts.sound) == broken).then_some(index)
    }
}

/// How looking for cuts came to its end.
enum End {
    /// All brackets match.
    Closed,
    /// They do not.
    Open,
    /// At this cut of the earlier text, from which on all is as it was.
    Earlier(usize),
}

/// The places where the pieces of a text begin, whatever is known of an earlier one.
pub(crate) fn cut(text: &str, lexis: &impl Lexis, earlier: Option<Earlier<'_>>) -> Cuts {
    let bytes = text.as_bytes();
    let length = bytes.len();
    let standing = earlier.as_ref().and_then(Earlier::standing).unwrap_or(&[0]);
    let mut scan = Scan { text: bytes, lexis, starts: standing.to_vec(), earlier };
    let mut end = scan.run(false);
    let mut sound = scan.starts.len();
    if matches!(end, End::Open) {
        // From the piece on that never ends.
        end = scan.run(true);
    } else if let (End::Earlier(index), Some(earlier)) = (&end, earlier) {
        sound += earlier.cuts.sound - index - 1;
    }
    let mut starts = scan.starts;
    if let (End::Earlier(index), Some(earlier)) = (end, earlier) {
        starts.extend(earlier.cuts.starts[index + 1..].iter().map(|then| then + length - earlier.cuts.length));
    }
    Cuts { starts, sound, length }
}

/// Looks for cuts.
struct Scan<'t, L> {
    text: &'t [u8],
    lexis: &'t L,
    starts: Vec<usize>,
    earlier: Option<Earlier<'t>>,
}

impl<L: Lexis> Scan<'_, L> {
    /// Adds the cuts after the last one, until the earlier text's can be taken; unless the text is known to be
    /// `broken`, it stops where the brackets do not match.
    fn run(&mut self, broken: bool) -> End {
        let (text, lexis) = (self.text, self.lexis);
        // The first two lines may speak to the system, and only there.
        let head = text.iter().enumerate().filter(|(_, b)| **b == b'\n').nth(1).map_or(text.len(), |(at, _)| at + 1);
        let mut at = self.starts.last().copied().unwrap_or(0);
        let (mut before, mut open) = (Before::default(), Vec::<u8>::new());
        // Whether the line so far, and the one before it, hold nothing; whether a comment is what came last.
        let (mut empty, mut after_empty, mut after_comment) = (true, false, false);
        let mut next = None;
        while at < text.len() {
            let at_margin = after_empty && empty && text.get(at.wrapping_sub(1)) == Some(&b'\n');
            if at_margin && !after_comment && at >= head && self.starts.last() != Some(&at) && !is_space(text[at]) {
                let line = &text[at..];
                let starts_item = broken && !open.is_empty() && lexis.begins_item(line);
                if starts_item || open.is_empty() && lexis.begins_statement(line, before) {
                    self.starts.push(at);
                    if let Some(index) = self.earlier.as_ref().and_then(|e| e.at(at, text.len(), broken)) {
                        return End::Earlier(index);
                    }
                    open.clear();
                    before = Before::default();
                }
            }
            let (token, length) = next.take().unwrap_or_else(|| lexis.token(text, at, before));
            let end = (at + length.max(1)).min(text.len());
            let outside = open.is_empty();
            match token {
                Token::Space => {
                    if text[end - 1] == b'\n' {
                        after_empty = empty;
                        empty = true;
                    }
                    at = end;
                    continue;
                }
                Token::Comment => {
                    (empty, after_comment, at) = (false, true, end);
                    continue;
                }
                Token::Open(kind) => open.push(kind),
                Token::Close(kind) if !open.is_empty() => {
                    if open.last() == Some(&kind) {
                        open.pop();
                    } else if kind == b'{' && open.last() == Some(&STRING) {
                        open.pop();
                        next = lexis.resume(text, end);
                    } else if !broken {
                        return End::Open;
                    } else if let Some(matching) = open.iter().rposition(|k| *k == kind) {
                        open.truncate(matching);
                    }
                }
                Token::Close(_) | Token::Other => {}
            }
            if empty && outside {
                before.first = text[at];
            }
            before.last = text[end - 1];
            before.word = is_word(before.last).then_some((at, end));
            (empty, after_comment, at) = (false, false, end);
        }
        if open.is_empty() { End::Closed } else { End::Open }
    }
}

/// Bytes of words; those of other alphabets are taken for letters.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

pub(crate) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | 0x0c)
}

/// The tokens that all languages share: white space, brackets, words, and single signs.
pub(crate) fn common(text: &[u8], at: usize) -> (Token, usize) {
    let run = |of: fn(u8) -> bool| text[at..].iter().take_while(|b| of(**b)).count();
    match text[at] {
        b'\n' => (Token::Space, 1),
        b if is_space(b) => {
            let blanks = run(|b| is_space(b) && b != b'\n');
            (Token::Space, blanks + usize::from(text.get(at + blanks) == Some(&b'\n')))
        }
        b @ (b'(' | b'[' | b'{') => (Token::Open(b), 1),
        b')' => (Token::Close(b'('), 1),
        b']' => (Token::Close(b'['), 1),
        b'}' => (Token::Close(b'{'), 1),
        b if is_word(b) => (Token::Other, run(is_word)),
        _ => (Token::Other, 1),
    }
}

/// The length of the rest of the line, without its break.
pub(crate) fn rest_of_line(text: &[u8], at: usize) -> usize {
    text[at..].iter().position(|b| *b == b'\n').unwrap_or(text.len() - at)
}

/// The length of a string that `quote` opened before `at`, with its closing quote. A backslash takes the next
/// byte with it; a line break ends a string that must not hold one.
pub(crate) fn string(text: &[u8], at: usize, quote: u8, one_line: bool) -> usize {
    let mut end = at;
    while let Some(byte) = text.get(end) {
        match byte {
            b'\\' => end += 1,
            b'\n' if one_line => return end - at,
            b if *b == quote => return end + 1 - at,
            _ => {}
        }
        end += 1;
    }
    text.len() - at
}

/// The length up to and with `mark`, or to the end.
pub(crate) fn through(text: &[u8], at: usize, mark: &[u8]) -> usize {
    text[at..].windows(mark.len()).position(|w| w == mark).map_or(text.len() - at, |n| n + mark.len())
}

/// What follows a run of comment lines.
pub(crate) fn behind_comments<'t>(mut text: &'t [u8], mark: &[u8]) -> &'t [u8] {
    while text.starts_with(mark) {
        let end = rest_of_line(text, 0);
        text = text.get(end + 1..).unwrap_or_default();
    }
    text
}

/// Whether a text starts with one of some words, as a word.
pub(crate) fn starts_with_word(text: &[u8], words: &[&str]) -> bool {
    let length = text.iter().take_while(|b| is_word(**b)).count();
    words.iter().any(|w| text[..length] == *w.as_bytes())
}
