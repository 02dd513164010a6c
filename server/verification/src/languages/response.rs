//! What models put around code, whatever its language.

/// The text before the first fence, and the fenced blocks. An open fence ends with the response.
pub(crate) fn fenced(response: &str) -> (String, Vec<String>) {
    let (mut before, mut blocks) = (String::new(), Vec::<String>::new());
    let mut open: Option<(char, usize)> = None;
    for line in response.split_inclusive('\n') {
        let trimmed = line.trim();
        let mark = trimmed.chars().next().filter(|c| matches!(c, '`' | '~'));
        let length = mark.map_or(0, |m| trimmed.chars().take_while(|c| *c == m).count());
        match (open, mark) {
            (None, Some(mark)) if length >= 3 && !trimmed.get(length..).unwrap_or("").contains(mark) => {
                open = Some((mark, length));
                blocks.push(String::new());
            }
            (Some((opened, least)), Some(mark)) if mark == opened && length >= least && trimmed.len() == length => {
                open = None
            }
            (Some(_), _) => blocks.last_mut().into_iter().for_each(|b| b.push_str(line)),
            (None, _) if blocks.is_empty() => before.push_str(line),
            (None, _) => {}
        }
    }
    (before, blocks)
}
