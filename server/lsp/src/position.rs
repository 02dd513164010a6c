//! Positions of the protocol to places in a rope and back, in all three encodings.
//!
//! Every conversion clamps: a line past the end means the end of the text, a column past the end
//! of its line means the end of that line (before its terminator), a column inside a character
//! means the start of that character. Nothing here can panic on what a client sends.
//!
//! Line ends are `\n`, `\r\n` and `\r`, as the protocol has them; ropey is built without its
//! `unicode_lines` feature for that reason.

use lsp_types::{Position, PositionEncodingKind, Range};
use ropey::{Rope, RopeSlice};
use zeroerr_core::code::TextRange;

/// What a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Bytes.
    Utf8,
    /// 16-bit code units: the protocol's default.
    Utf16,
    /// Characters.
    Utf32,
}

impl Encoding {
    /// UTF-8 if it is offered, else UTF-16, which every client must know.
    ///
    /// A client that offers only UTF-32 breaks the protocol; it gets what it can do.
    pub fn negotiate(offered: Option<&[PositionEncodingKind]>) -> Self {
        let has = |kind: &PositionEncodingKind| offered.is_some_and(|list| list.contains(kind));
        if has(&PositionEncodingKind::UTF8) {
            Self::Utf8
        } else if has(&PositionEncodingKind::UTF32) && !has(&PositionEncodingKind::UTF16) {
            Self::Utf32
        } else {
            Self::Utf16
        }
    }

    /// The name that goes into the server's capabilities.
    pub fn kind(self) -> PositionEncodingKind {
        match self {
            Self::Utf8 => PositionEncodingKind::UTF8,
            Self::Utf16 => PositionEncodingKind::UTF16,
            Self::Utf32 => PositionEncodingKind::UTF32,
        }
    }
}

/// The character index of a position.
pub fn char_at(rope: &Rope, position: Position, encoding: Encoding) -> usize {
    let line = position.line as usize;
    if line >= rope.len_lines() {
        return rope.len_chars();
    }
    let start = rope.line_to_char(line);
    let content = content_of(rope.line(line));
    let column = position.character as usize;
    start
        + match encoding {
            Encoding::Utf8 => content.byte_to_char(column.min(content.len_bytes())),
            Encoding::Utf16 => content.utf16_cu_to_char(column.min(content.len_utf16_cu())),
            Encoding::Utf32 => column.min(content.len_chars()),
        }
}

/// The byte offset of a position.
pub fn byte_at(rope: &Rope, position: Position, encoding: Encoding) -> usize {
    rope.char_to_byte(char_at(rope, position, encoding))
}

/// The position of a byte offset.
pub fn position_of(rope: &Rope, byte: usize, encoding: Encoding) -> Position {
    let at = rope.byte_to_char(byte.min(rope.len_bytes()));
    let line = rope.char_to_line(at);
    let content = content_of(rope.line(line));
    let chars = (at - rope.line_to_char(line)).min(content.len_chars());
    let column = match encoding {
        Encoding::Utf8 => content.char_to_byte(chars),
        Encoding::Utf16 => content.char_to_utf16_cu(chars),
        Encoding::Utf32 => chars,
    };
    Position { line: to_u32(line), character: to_u32(column) }
}

/// The protocol's range of a byte range.
pub fn range_of(rope: &Rope, range: TextRange, encoding: Encoding) -> Range {
    Range { start: position_of(rope, range.start, encoding), end: position_of(rope, range.end, encoding) }
}

/// The byte range of a protocol range; an inverted one is turned round.
pub fn text_range_of(rope: &Rope, range: Range, encoding: Encoding) -> TextRange {
    let (a, b) = (byte_at(rope, range.start, encoding), byte_at(rope, range.end, encoding));
    TextRange::new(a.min(b), a.max(b))
}

/// A line without white space at its ends, as a byte range; lines count from 0, past the end is the last.
pub fn trimmed_line(rope: &Rope, line: usize) -> TextRange {
    let line = line.min(rope.len_lines().saturating_sub(1));
    let start = rope.line_to_byte(line);
    let text = content_of(rope.line(line)).to_string();
    let indent = text.len() - text.trim_start().len();
    TextRange::new(start + indent, start + text.trim_end().len())
}

/// The line without its terminator.
fn content_of(line: RopeSlice<'_>) -> RopeSlice<'_> {
    let mut end = line.len_chars();
    if end > 0 && line.char(end - 1) == '\n' {
        end -= 1;
    }
    if end > 0 && line.char(end - 1) == '\r' {
        end -= 1;
    }
    line.slice(..end)
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Encoding; 3] = [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32];

    /// The model: walks the characters of a `String`, knows nothing of ropes.
    fn naive_byte_at(text: &str, position: Position, encoding: Encoding) -> usize {
        let mut line = 0;
        let mut column = 0;
        let mut chars = text.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let ends_line = c == '\n' || c == '\r';
            if line == position.line {
                let width = match encoding {
                    Encoding::Utf8 => c.len_utf8(),
                    Encoding::Utf16 => c.len_utf16(),
                    Encoding::Utf32 => 1,
                } as u64;
                if ends_line || u64::from(position.character) < column + width {
                    return at;
                }
                column += width;
            }
            if ends_line {
                if c == '\r' && chars.peek().is_some_and(|(_, n)| *n == '\n') {
                    chars.next();
                }
                line += 1;
            }
        }
        text.len()
    }

    fn texts() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "a",
            "ß",
            "€",
            "😀",
            "e\u{301}",
            "👨\u{200d}👩",
            "\n",
            "\r\n",
            "\r",
            "\u{2028}",
            "\u{85}",
            "\t",
            "# @spec ",
        ]);
        prop::collection::vec(piece, 0..40).prop_map(|v| v.concat())
    }

    fn positions() -> impl Strategy<Value = Position> {
        let number = || prop_oneof![8 => 0u32..12, 1 => Just(u32::MAX), 1 => 0u32..10_000];
        (number(), number()).prop_map(|(line, character)| Position { line, character })
    }

    proptest! {
        #[test]
        fn every_position_lands_where_a_walk_over_the_characters_lands(text in texts(), position in positions()) {
            let rope = Rope::from_str(&text);
            for encoding in ALL {
                prop_assert_eq!(byte_at(&rope, position, encoding), naive_byte_at(&text, position, encoding), "{:?}", encoding);
            }
        }

        #[test]
        fn there_and_back_is_the_same_place_unless_it_was_inside_a_line_end(text in texts(), at in 0usize..200) {
            let rope = Rope::from_str(&text);
            let mut byte = at.min(text.len());
            while !text.is_char_boundary(byte) { byte -= 1; }
            let inside_crlf = text[..byte].ends_with('\r') && text[byte..].starts_with('\n');
            for encoding in ALL {
                let back = byte_at(&rope, position_of(&rope, byte, encoding), encoding);
                prop_assert_eq!(back, if inside_crlf { byte - 1 } else { byte }, "{:?}", encoding);
            }
        }
    }

    #[test]
    fn columns_after_an_emoji_differ_by_encoding() {
        let rope = Rope::from_str("😀x = 1\n");
        let column = |encoding| position_of(&rope, "😀".len(), encoding).character;
        assert_eq!(ALL.map(column), [4, 2, 1]);
        let middle = Position { line: 0, character: 1 };
        assert_eq!(ALL.map(|e| byte_at(&rope, middle, e)), [0, 0, 4], "inside a character means its start");
    }

    #[test]
    fn utf8_is_preferred_and_utf16_is_the_default() {
        let offer = |kinds: &[PositionEncodingKind]| Encoding::negotiate(Some(kinds));
        use PositionEncodingKind as K;
        assert_eq!(offer(&[K::UTF16, K::UTF8, K::UTF32]), Encoding::Utf8);
        assert_eq!(offer(&[K::UTF32, K::UTF16]), Encoding::Utf16);
        assert_eq!(offer(&[K::UTF32]), Encoding::Utf32);
        assert_eq!(Encoding::negotiate(None), Encoding::Utf16);
    }
}
