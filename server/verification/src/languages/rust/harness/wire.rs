//! Lists of texts over a stream, and JSON for the facts. The standard library is all there is here.

use std::io::{Error, ErrorKind, Read, Result, Write};

/// The longest list that is believed, in bytes.
const MOST: usize = 8 << 20;

/// Writes one list.
pub fn send(to: &mut impl Write, parts: &[String]) -> Result<()> {
    let mut out = (parts.len() as u32).to_le_bytes().to_vec();
    for part in parts {
        out.extend((part.len() as u32).to_le_bytes());
        out.extend(part.as_bytes());
    }
    to.write_all(&out)?;
    to.flush()
}

/// Reads one list.
pub fn receive(from: &mut impl Read) -> Result<Vec<String>> {
    let count = number(from)?;
    let mut out = Vec::new();
    let mut total = 0;
    for _ in 0..count {
        let length = number(from)?;
        total += length;
        if total > MOST {
            return Err(Error::new(ErrorKind::InvalidData, "too long"));
        }
        let mut bytes = vec![0; length];
        from.read_exact(&mut bytes)?;
        out.push(String::from_utf8_lossy(&bytes).into_owned());
    }
    Ok(out)
}

fn number(from: &mut impl Read) -> Result<usize> {
    let mut bytes = [0; 4];
    from.read_exact(&mut bytes)?;
    Ok(u32::from_le_bytes(bytes) as usize)
}

/// A text as JSON.
pub fn json(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if (c as u32) < 0x20 || c == '\u{2028}' || c == '\u{2029}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Texts that are JSON already, as a list.
pub fn list(items: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", items.into_iter().collect::<Vec<_>>().join(","))
}
