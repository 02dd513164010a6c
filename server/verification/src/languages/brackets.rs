//! Brackets without their partner: parsers report the whole expression for those.

/// The first bracket (or quote) of an expression that lacks its partner, with what to say of it.
/// `literal_end` gives the offset after a literal that starts at an offset; what starts with `comment`
/// ends the text.
pub(crate) fn unbalanced(
    code: &str,
    quotes: &[char],
    comment: &str,
    literal_end: impl Fn(&str, usize) -> Option<usize>,
) -> Option<(usize, String)> {
    let mut open: Vec<(usize, char)> = Vec::new();
    let mut at = 0;
    while let Some(c) = code.get(at..).and_then(|rest| rest.chars().next()) {
        if let Some(end) = literal_end(code, at) {
            at = end;
            continue;
        }
        match c {
            quote if quotes.contains(&quote) => return Some((at, "the string that starts here never ends".to_owned())),
            _ if code.get(at..).is_some_and(|rest| rest.starts_with(comment)) => break,
            '(' | '[' | '{' => open.push((at, c)),
            ')' | ']' | '}' => match open.pop() {
                None => return Some((at, format!("`{c}` closes nothing"))),
                Some((_, opened)) if closing(opened) != c => {
                    return Some((at, format!("`{c}` cannot close `{opened}`; `{}` is missing", closing(opened))));
                }
                Some(_) => {}
            },
            _ => {}
        }
        at += c.len_utf8();
    }
    open.pop().map(|(at, opened)| (at, format!("`{opened}` is never closed")))
}

fn closing(open: char) -> char {
    match open {
        '(' => ')',
        '[' => ']',
        _ => '}',
    }
}
