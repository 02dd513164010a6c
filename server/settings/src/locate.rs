//! Finds the line of a key in a YAML text.
//!
//! The parser keeps no positions, so this reads the indentation of block mappings. It answers
//! `None` for keys inside flow mappings (`{a: 1}`); the message then names the file and the key.

/// The 1-based line of the key `path` (outermost first).
pub(crate) fn line_of_key(yaml: &str, path: &[String]) -> Option<usize> {
    // Open mappings, outermost first: indentation and key.
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (index, line) in yaml.lines().enumerate() {
        let text = line.trim_start();
        if text.is_empty() || text.starts_with('#') || text.starts_with('-') {
            continue;
        }
        let Some(key) = key_of(text) else { continue };
        let indent = line.len() - text.len();
        open.retain(|(outer, _)| *outer < indent);
        open.push((indent, key));
        if open.len() == path.len() && open.iter().zip(path).all(|((_, key), wanted)| key == wanted) {
            return Some(index + 1);
        }
    }
    None
}

/// The key of `key: value`, without quotes.
fn key_of(text: &str) -> Option<&str> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let (key, tail) = rest.split_once(quote)?;
            return tail.trim_start().starts_with(':').then_some(key);
        }
    }
    let end =
        text.char_indices().find(|&(i, c)| c == ':' && text[i + 1..].chars().next().is_none_or(char::is_whitespace))?.0;
    Some(text[..end].trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(yaml: &str, path: &str, line: Option<usize>) {
        let path: Vec<String> = path.split('/').map(str::to_owned).collect();
        assert_eq!(line_of_key(yaml, &path), line, "{path:?}");
    }

    #[test]
    fn keys_are_found_by_indentation() {
        let yaml = "# k: 1\nvoting:\n  # k: 2\n  k: 3\nllm:\n  models:\n    'k': x\n  k: 5\nmodels:\n  a/b-6.7b:\n    source: hf:a/b\n";
        check(yaml, "voting/k", Some(4));
        check(yaml, "llm/models/k", Some(7));
        check(yaml, "llm/k", Some(8));
        check(yaml, "models/a/b", None);
        check("models:\n  a/b-6.7b:\n    source: hf:a/b\n", "models", Some(1));
        assert_eq!(line_of_key(yaml, &["models".into(), "a/b-6.7b".into(), "source".into()]), Some(11));
        check("voting: {k: 3}\n", "voting/k", None);
        check("a:b\n", "a", None);
    }
}
