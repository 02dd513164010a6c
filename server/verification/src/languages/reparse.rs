//! Parses a text that is much like one that was parsed just now, as an editor's texts are from key to key.
//!
//! The trees of the last few large texts are kept. The same text has the same tree. A text that differs in
//! one place is parsed along an older tree, and that is believed only when neither has an error: how a
//! parser recovers may depend on the way that it came, and what is found in a text has to depend on the
//! text alone.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use tree_sitter::{InputEdit, Parser, Point, Tree};

/// Texts whose trees are kept, of all languages together.
const KEPT: usize = 8;
/// Smaller texts are parsed before the user's finger is up again.
const SMALL: usize = 8 * 1024;

struct Kept {
    grammar: &'static str,
    text: String,
    tree: Tree,
}

/// Newest first. A memory of what is a function of the text, so nobody can tell that it is shared.
static RECENT: Mutex<VecDeque<Kept>> = Mutex::new(VecDeque::new());

/// Parses a text with a parser for `grammar`.
pub(crate) fn parse(grammar: &'static str, mut parser: Parser, text: &str) -> Option<Tree> {
    if text.len() < SMALL {
        return parser.parse(text, None);
    }
    let along = match recall(grammar, text) {
        Some(Recalled::Same(tree)) => return Some(tree),
        Some(Recalled::Near(older)) => parser.parse(text, Some(&older)).filter(|tree| !tree.root_node().has_error()),
        None => None,
    };
    let tree = match along {
        Some(tree) => tree,
        None => parser.parse(text, None)?,
    };
    keep(Kept { grammar, text: text.to_owned(), tree: tree.clone() });
    Some(tree)
}

enum Recalled {
    Same(Tree),
    /// The tree of a text that differs in one place, told of the difference.
    Near(Tree),
}

fn recall(grammar: &str, text: &str) -> Option<Recalled> {
    let recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    let of_grammar = || recent.iter().filter(|kept| kept.grammar == grammar);
    if let Some(same) = of_grammar().find(|kept| kept.text == text) {
        return Some(Recalled::Same(same.tree.clone()));
    }
    of_grammar().filter(|kept| !kept.tree.root_node().has_error()).find_map(|kept| {
        let edit = difference(&kept.text, text)?;
        let mut tree = kept.tree.clone();
        tree.edit(&edit);
        Some(Recalled::Near(tree))
    })
}

fn keep(new: Kept) {
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    // The text that this one was typed into is needed no more, unless this one has an error.
    if !new.tree.root_node().has_error() {
        recent.retain(|kept| kept.grammar != new.grammar || difference(&kept.text, &new.text).is_none());
    }
    recent.push_front(new);
    recent.truncate(KEPT);
}

/// The one place in which two texts differ; `None` when more than half of the text does.
fn difference(old: &str, new: &str) -> Option<InputEdit> {
    let shorter = old.len().min(new.len());
    let same = |n: usize| n + shorter / 2 >= old.len().max(new.len());
    let mut head = old.bytes().zip(new.bytes()).take_while(|(a, b)| a == b).count();
    while !new.is_char_boundary(head) {
        head -= 1;
    }
    let rest = old.bytes().rev().zip(new.bytes().rev()).take(shorter - head);
    let mut tail = rest.take_while(|(a, b)| a == b).count();
    while !new.is_char_boundary(new.len() - tail) {
        tail -= 1;
    }
    same(head + tail).then(|| InputEdit {
        start_byte: head,
        old_end_byte: old.len() - tail,
        new_end_byte: new.len() - tail,
        start_position: point(new, head),
        old_end_position: point(old, old.len() - tail),
        new_end_position: point(new, new.len() - tail),
    })
}

fn point(text: &str, at: usize) -> Point {
    let head = text.as_bytes().get(..at).unwrap_or_default();
    let line = head.iter().rposition(|b| *b == b'\n').map_or(0, |n| n + 1);
    Point { row: head.iter().filter(|b| **b == b'\n').count(), column: at - line }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::languages::{self, Language, pieces};

    /// A text above the size from which trees are kept, in one piece: no line of it is empty.
    fn base(part: &str, name: &str) -> String {
        (0..)
            .map(|n| part.replace(name, &format!("{name}{n}")))
            .scan(0, |length, part| {
                let goes_on = *length < SMALL + 500;
                *length += part.len();
                goes_on.then_some(part)
            })
            .collect()
    }

    fn check(language: &dyn Language, file: &str, start: &str, edits: &[(usize, usize, &str)]) {
        let mut text = start.to_owned();
        for (at, length, new) in edits {
            let floor = |n: usize| (0..=n.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap();
            let (from, to) = (floor(at % (text.len() + 1)), floor(at % (text.len() + 1) + length));
            text.replace_range(from..to, new);
            let source: Arc<str> = text.as_str().into();
            let typed = format!("{:?} {:?}", language.analyse(Path::new(file), &source), language.names(&source));
            RECENT.lock().unwrap().clear();
            pieces::forget();
            let fresh = format!("{:?} {:?}", language.analyse(Path::new(file), &source), language.names(&source));
            // Not `assert_eq`: a difference is some megabytes long.
            assert!(typed == fresh, "what is found depends on what was there before:\n{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn what_is_found_depends_on_the_text_alone(
            edits in prop::collection::vec(
                (0usize..9_000, 0usize..40, prop::sample::select(vec![
                    "x", "\n", "    ", "\"\"\"", "'", "# @example f1(1) == 2\n", "(", ")", "def g(a):\n    return a\n", "😀", "/*", "*/", "{", "}", "", "",
                ])),
                1..8,
            )
        ) {
            for language in languages::all() {
                let (file, part, name) = match language.id() {
                    zeroerr_core::code::LanguageId::Python => ("a.py", "# @spec Twice x.\n# @example f(1) == 2\ndef f(x: int) -> int:\n    y = [x, x]\n    return sum(y)\n", "f"),
                    zeroerr_core::code::LanguageId::Rust => ("a.rs", "/// @spec Twice x.\n/// @example k(1) == 2\npub fn k(x: i64) -> i64 {\n    x + x\n}\n", "k"),
                    zeroerr_core::code::LanguageId::TypeScript => ("a.ts", "/**\n * @spec Twice x.\n * @example k(1) === 2\n */\nexport function k(x: number): number {\n  return x + x\n}\n", "k"),
                };
                check(language.as_ref(), file, &base(part, &format!("{name}(")), &edits);
            }
        }
    }

    #[test]
    fn a_key_is_parsed_along_the_older_tree() {
        let old = "a = 1\n".repeat(3_000);
        let new = old.replacen("a = 1\na", "a = 1\nb", 1);
        let edit = difference(&old, &new).unwrap();
        assert_eq!((edit.start_byte, edit.old_end_byte, edit.new_end_byte), (6, 7, 7));
        assert_eq!((edit.start_position.row, edit.start_position.column), (1, 0));
        assert!(difference(&old, &"c = 2\n".repeat(3_000)).is_none());
        assert!(difference(&old, "").is_none());
        let accents = difference(&format!("{old}é"), &format!("{old}è")).unwrap();
        assert_eq!((accents.start_byte, accents.old_end_byte), (old.len(), old.len() + 2), "whole characters");
    }
}
