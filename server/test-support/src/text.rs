//! A client's own view of positions, written without the server's code: characters counted one
//! by one in a plain `String`.

use serde_json::{Value, json};

/// The byte offset of an LSP position; `encoding` is `utf-8`, `utf-16` or `utf-32`.
pub fn offset(text: &str, position: &Value, encoding: &str) -> usize {
    let (line, column) = (position["line"].as_u64().expect("line"), position["character"].as_u64().expect("character"));
    let start = line_starts(text).nth(line as usize).unwrap_or(text.len());
    let mut at = start;
    let mut counted = 0;
    for c in text[start..].chars() {
        if counted >= column || c == '\n' || c == '\r' {
            break;
        }
        counted += width(c, encoding);
        at += c.len_utf8();
    }
    at
}

/// The LSP position of a byte offset.
pub fn position(text: &str, offset: usize, encoding: &str) -> Value {
    let (line, start) =
        line_starts(text).take_while(|s| *s <= offset).enumerate().last().expect("the first line starts at 0");
    let column: u64 = text[start..offset].chars().map(|c| width(c, encoding)).sum();
    json!({ "line": line, "character": column })
}

/// The LSP range of the first occurrence of `part`.
///
/// # Panics
/// When `text` does not hold `part`.
pub fn range_of(text: &str, part: &str, encoding: &str) -> Value {
    let start = text.find(part).unwrap_or_else(|| panic!("{part:?} is not in {text:?}"));
    json!({ "start": position(text, start, encoding), "end": position(text, start + part.len(), encoding) })
}

/// Applies LSP text edits, which all speak of the text before any of them.
pub fn apply(text: &str, edits: &[Value], encoding: &str) -> String {
    let place = |e: &Value| {
        let (a, b) = (offset(text, &e["range"]["start"], encoding), offset(text, &e["range"]["end"], encoding));
        (a.min(b), a.max(b))
    };
    let mut edits: Vec<_> = edits.iter().map(|e| (place(e), e["newText"].as_str().expect("newText"))).collect();
    edits.sort_by_key(|(place, _)| *place);
    let mut out = text.to_owned();
    for ((start, end), new) in edits.into_iter().rev() {
        out.replace_range(start..end, new);
    }
    out
}

fn width(c: char, encoding: &str) -> u64 {
    match encoding {
        "utf-8" => c.len_utf8() as u64,
        "utf-32" => 1,
        _ => c.len_utf16() as u64,
    }
}

fn line_starts(text: &str) -> impl Iterator<Item = usize> {
    let bytes = text.as_bytes();
    let ends =
        (0..bytes.len()).filter(|&i| bytes[i] == b'\n' || (bytes[i] == b'\r' && bytes.get(i + 1) != Some(&b'\n')));
    std::iter::once(0).chain(ends.map(|i| i + 1))
}
