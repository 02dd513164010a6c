//! `Debug` output that two right programs share: entries of sets and maps in one order, floats to
//! the digits that do not depend on the order of additions.

/// Texts longer than this are cut and end in a digest of the whole.
const LONGEST: usize = 2000;

/// The text that stands for a value when two programs are compared.
pub fn canonical(debug: &str, round: bool) -> String {
    let mut at = 0;
    let chars: Vec<char> = debug.chars().collect();
    let mut out = String::new();
    while at < chars.len() {
        out.push_str(&group(&chars, &mut at, round, 0));
        // A closing bracket without its partner: text of a hand-written `Debug`.
        if let Some(c) = chars.get(at) {
            out.push(*c);
            at += 1;
        }
    }
    bounded(&out)
}

/// The text, or its beginning and a digest when it is long.
pub fn bounded(text: &str) -> String {
    if text.len() <= LONGEST {
        return text.to_owned();
    }
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in text.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    }
    let start: String = text.chars().take(200).collect();
    format!("{start}... ({} bytes, digest {hash:016x})", text.len())
}

/// Reads up to the end of the bracket that it is in; sorts the entries of `{...}`.
fn group(chars: &[char], at: &mut usize, round: bool, depth: usize) -> String {
    let mut out = String::new();
    while let Some(&c) = chars.get(*at) {
        match c {
            '"' => out.push_str(&quoted(chars, at, '"')),
            '\'' if is_char(chars, *at) => out.push_str(&quoted(chars, at, '\'')),
            '{' | '[' | '(' if depth < 200 => {
                *at += 1;
                out.push(c);
                let entries = entries(chars, at, round, depth + 1);
                out.push_str(&joined(entries, c == '{'));
                if let Some(close) = chars.get(*at) {
                    out.push(*close);
                    *at += 1;
                }
            }
            '}' | ']' | ')' if depth < 200 => return out,
            ',' if depth > 0 => return out,
            c if round && c.is_ascii_digit() && !out.ends_with(|b: char| b.is_alphanumeric() || b == '_') => {
                out.push_str(&number(chars, at));
            }
            c => {
                out.push(c);
                *at += 1;
            }
        }
    }
    out
}

fn entries(chars: &[char], at: &mut usize, round: bool, depth: usize) -> Vec<String> {
    let mut out = Vec::new();
    loop {
        out.push(group(chars, at, round, depth));
        if chars.get(*at) == Some(&',') {
            *at += 1;
        } else {
            return out;
        }
    }
}

fn joined(entries: Vec<String>, sorts: bool) -> String {
    let mut trimmed: Vec<&str> = entries.iter().map(|e| e.trim()).collect();
    if sorts {
        trimmed.sort_unstable();
    }
    trimmed.join(", ")
}

fn is_char(chars: &[char], at: usize) -> bool {
    chars.get(at + 1) == Some(&'\\') || chars.get(at + 2) == Some(&'\'')
}

fn quoted(chars: &[char], at: &mut usize, quote: char) -> String {
    let start = *at;
    *at += 1;
    while let Some(&c) = chars.get(*at) {
        *at += if c == '\\' { 2 } else { 1 };
        if c == quote {
            break;
        }
    }
    *at = (*at).min(chars.len());
    chars[start..*at].iter().collect()
}

/// A number; one with a point or an exponent is rounded to twelve digits.
fn number(chars: &[char], at: &mut usize) -> String {
    let start = *at;
    while let Some(&c) = chars.get(*at) {
        let sign = matches!(c, '-' | '+') && matches!(chars.get(at.wrapping_sub(1)), Some('e' | 'E')) && *at > start;
        let point = c == '.' && chars.get(*at + 1).is_some_and(|n| n.is_ascii_digit());
        if !(c.is_ascii_digit() || matches!(c, 'e' | 'E') || sign || point) {
            break;
        }
        *at += 1;
    }
    let text: String = chars[start..*at].iter().collect();
    let is_float = text.contains(['.', 'e', 'E']);
    match text.parse::<f64>() {
        Ok(value) if is_float => rounded(value),
        _ => text,
    }
}

fn rounded(value: f64) -> String {
    let text = format!("{value:.11e}");
    text.parse::<f64>().map_or(text, |v| format!("{v:?}"))
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn order_and_last_digits_do_not_matter() {
        assert_eq!(canonical("{3: \"b, }\", 1: \"a\"}", false), "{1: \"a\", 3: \"b, }\"}");
        assert_eq!(canonical("[{2, 1}, {'}', ','}]", false), "[{1, 2}, {',', '}'}]");
        assert_eq!(canonical("Some(0.30000000000000004)", true), "Some(0.3)");
        assert_eq!(canonical("(1e16, -2.5, x1.5, 12345678901234567890)", true), "(1e16, -2.5, x1.5, 12345678901234567890)");
        assert_eq!(canonical("[3, 1]", true), "[3, 1]");
        assert_eq!(canonical("odd } text ( {", false), "odd } text ({");
        assert_eq!(canonical("P { y: 1, x: [2] }", false), "P {x: [2], y: 1}");
    }
}
