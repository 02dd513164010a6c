//! JSDoc: its `@example` blocks, the words in it that are for us, and the types that plain JavaScript
//! says there.

use tree_sitter::Node;
use zeroerr_core::code::{ParamKind, Signature, TextRange};
use zeroerr_core::task_specification::TAGS;
use zeroerr_core::task_specification::parser::BlockLine;

use super::comments::{block_lines, is_jsdoc};
use super::signature::parameters;
use super::tree::{parse_any, text};

/// The code of one `@example`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Snippet {
    /// The code, without fences and caption.
    pub code: String,
    /// From the first to the last line of it.
    pub range: TextRange,
}

/// A documentation comment, sorted out.
#[derive(Debug, Default)]
pub(super) struct JsDoc<'s> {
    /// Its examples.
    pub examples: Vec<Snippet>,
    /// Words and tags of ours; what says something to other tools only is an empty line.
    pub prose: Vec<BlockLine<'s>>,
}

/// What the lines below a tag belong to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Words,
    Example,
    Nothing,
}

/// Sorts out the lines of documentation comments.
pub(super) fn read<'s>(lines: &[BlockLine<'s>]) -> JsDoc<'s> {
    let mut doc = JsDoc::default();
    let mut open = Open::Words;
    let mut example: Vec<BlockLine<'s>> = Vec::new();
    for line in lines {
        let empty = BlockLine { text: "", start: line.start };
        let is_fenced = example.iter().filter(|l| is_fence(l.text)).count() % 2 == 1;
        let Some(tag) = Tag::of(line).filter(|_| !(open == Open::Example && is_fenced)) else {
            doc.prose.push(if open == Open::Words { *line } else { empty });
            if open == Open::Example {
                example.push(*line);
            }
            continue;
        };
        doc.examples.extend(snippet(&std::mem::take(&mut example)));
        // Each tag is a paragraph of its own.
        doc.prose.push(empty);
        open = match tag.name {
            "example" => {
                example.push(tag.rest);
                Open::Example
            }
            name if is_ours(name, tag.rest.text.trim()) => {
                doc.prose.push(*line);
                Open::Words
            }
            _ => match words_of(&tag, line) {
                Some(words) => {
                    doc.prose.push(words);
                    Open::Words
                }
                None => Open::Nothing,
            },
        };
    }
    doc.examples.extend(snippet(&example));
    doc
}

/// Whether a tag is one of the spec language: `@property {string} name` and `@requires module:x` are
/// not.
fn is_ours(name: &str, rest: &str) -> bool {
    let foreign = match name {
        "property" => rest.starts_with('{') || !rest.contains([' ', '(', '.', '=']),
        "requires" => rest.starts_with("module:"),
        _ => false,
    };
    TAGS.iter().any(|t| t.name == name) && !foreign
}

/// The words of a tag that tells people of the function.
fn words_of<'s>(tag: &Tag<'s>, line: &BlockLine<'s>) -> Option<BlockLine<'s>> {
    let untyped = tag.without_type();
    let has_words = |l: &BlockLine<'_>| l.text.split_whitespace().nth(1).is_some();
    match tag.name {
        "param" | "arg" | "argument" => Some(untyped).filter(has_words),
        "returns" | "return" if untyped.text.trim().is_empty() => None,
        "returns" | "return" if untyped.start == tag.rest.start => Some(after_at(line)),
        "returns" | "return" | "description" | "summary" | "desc" | "remarks" => Some(untyped),
        "throws" | "exception" => Some(after_at(line)).filter(has_words),
        _ => None,
    }
}

fn after_at<'s>(line: &BlockLine<'s>) -> BlockLine<'s> {
    let at = line.text.find('@').map_or(0, |at| at + 1);
    BlockLine { text: line.text.get(at..).unwrap_or(""), start: line.start + at }
}

fn is_fence(line: &str) -> bool {
    line.trim_start().starts_with("```")
}

/// The code of an example's lines; with a fence, what stands in it.
fn snippet(lines: &[BlockLine<'_>]) -> Option<Snippet> {
    let is_fenced = lines.iter().any(|l| is_fence(l.text));
    let mut inside = !is_fenced;
    let mut code: Vec<&str> = Vec::new();
    let (mut start, mut end) = (None, 0);
    for line in lines {
        if is_fence(line.text) {
            inside = is_fenced && !inside;
            continue;
        }
        let mut body = line.text;
        let mut skipped = 0;
        if let Some((caption, rest)) = body.split_once("</caption>") {
            skipped = caption.len() + "</caption>".len();
            body = rest;
        }
        if !inside || body.trim().is_empty() {
            continue;
        }
        let margin = body.len() - body.trim_start().len();
        start = start.or(Some(line.start + skipped + margin));
        end = line.start + skipped + body.trim_end().len();
        code.push(body.strip_prefix(' ').unwrap_or(body).trim_end());
    }
    start.map(|start| Snippet { code: code.join("\n"), range: TextRange::new(start, end) })
}

/// A tag at the start of a line.
struct Tag<'s> {
    name: &'s str,
    /// What follows it on the line.
    rest: BlockLine<'s>,
}

impl<'s> Tag<'s> {
    fn of(line: &BlockLine<'s>) -> Option<Self> {
        let at = line.text.len() - line.text.trim_start().len();
        let after = line.text.get(at..)?.strip_prefix('@')?;
        let length = after.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(after.len());
        let (name, rest) = after.split_at_checked(length)?;
        let is_tag = !name.is_empty() && rest.chars().next().is_none_or(|c| c.is_whitespace() || c == ':' || c == '{');
        let rest = BlockLine { text: rest, start: line.start + at + 1 + length };
        is_tag.then_some(Self { name, rest })
    }

    /// The type in braces, and what follows it.
    fn typed(&self) -> Option<(&'s str, BlockLine<'s>)> {
        let at = self.rest.text.len() - self.rest.text.trim_start().len();
        let tail = self.rest.text.get(at..)?.strip_prefix('{')?;
        let mut depth = 1;
        let end = tail.char_indices().find(|(_, c)| {
            depth += i32::from(*c == '{') - i32::from(*c == '}');
            depth == 0
        });
        let (end, _) = end?;
        let rest = tail.get(end + 1..)?;
        Some((tail.get(..end)?, BlockLine { text: rest, start: self.rest.start + at + 1 + end + 1 }))
    }

    fn without_type(&self) -> BlockLine<'s> {
        self.typed().map_or(self.rest, |(_, rest)| rest)
    }
}

/// Fills in the types that a signature's text leaves out.
pub(super) fn add_types(signature: &mut Signature, above: &[Node<'_>], source: &str) {
    let is_complete = signature.params.iter().all(|p| p.annotation.is_some()) && signature.returns.is_some();
    let docs = above.iter().filter(|n| is_jsdoc(**n, source));
    let lines: Vec<BlockLine<'_>> = docs.flat_map(|n| block_lines(*n, source)).collect();
    let tags: Vec<Tag<'_>> = lines.iter().filter_map(Tag::of).filter(|_| !is_complete).collect();
    for tag in &tags {
        let Some((written, rest)) = tag.typed() else { continue };
        match tag.name {
            "param" | "arg" | "argument" => add_param(signature, written, rest.text),
            "returns" | "return" => {
                signature.returns.get_or_insert_with(|| type_of(written).0);
            }
            "type" => add_function_type(signature, written),
            _ => {}
        }
    }
}

fn add_param(signature: &mut Signature, written: &str, rest: &str) {
    let word = rest.split_whitespace().next().unwrap_or("");
    let bracketed = word.strip_prefix('[');
    let (name, default) = match bracketed.map(|w| w.trim_end_matches(']')) {
        Some(inner) => {
            let (name, default) = inner.split_once('=').unwrap_or((inner, "undefined"));
            (name, Some(default))
        }
        None => (word, None),
    };
    let Some(param) = signature.params.iter_mut().find(|p| p.name == name) else { return };
    let (mut kind, may_be_missing) = type_of(written);
    if param.kind == ParamKind::Rest && !kind.ends_with("[]") {
        kind = format!("{kind}[]");
    }
    param.annotation.get_or_insert(kind);
    if param.default.is_none() && param.kind == ParamKind::Plain {
        param.default = default.or(may_be_missing.then_some("undefined")).map(str::to_owned);
    }
}

/// `@type {(xs: number[]) => number}`.
fn add_function_type(signature: &mut Signature, written: &str) {
    let whole = format!("type T = {written};");
    let Some(tree) = parse_any(&whole).filter(|t| !t.root_node().has_error()) else { return };
    let value = tree.root_node().child(0).and_then(|n| n.child_by_field_name("value"));
    let Some(kind) = value.filter(|n| n.kind() == "function_type") else { return };
    for (own, said) in signature.params.iter_mut().zip(parameters(kind, &whole)) {
        own.annotation = own.annotation.take().or(said.annotation);
    }
    let returns = kind.child_by_field_name("return_type").map(|n| text(n, &whole).to_owned());
    signature.returns = signature.returns.take().or(returns);
}

/// A type of JSDoc in TypeScript's words, and whether the value may be left out.
fn type_of(written: &str) -> (String, bool) {
    let trimmed = written.trim();
    let (trimmed, may_be_missing) = trimmed.strip_suffix('=').map_or((trimmed, false), |t| (t, true));
    let (trimmed, is_rest) = trimmed.strip_prefix("...").map_or((trimmed, false), |t| (t, true));
    let (trimmed, or_null) = trimmed.strip_prefix('?').map_or((trimmed, false), |t| (t, true));
    let trimmed = trimmed.trim_start_matches('!');
    let mut kind = if trimmed == "*" { "any".to_owned() } else { trimmed.replace(".<", "<") };
    if or_null {
        kind.push_str(" | null");
    }
    if is_rest {
        kind = if kind.contains([' ', '|']) { format!("({kind})[]") } else { format!("{kind}[]") };
    }
    (kind, may_be_missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn check(doc: &str, expected: Expect) {
        let mut at = 0;
        let lines: Vec<BlockLine<'_>> = doc
            .split_inclusive('\n')
            .map(|line| {
                at += line.len();
                BlockLine { text: line.trim_end_matches('\n'), start: at - line.len() }
            })
            .collect();
        let read = read(&lines);
        let mut out = String::new();
        for line in read.prose.iter().filter(|l| !l.text.trim().is_empty()) {
            assert_eq!(doc.get(line.start..line.start + line.text.len()), Some(line.text));
            out += &format!("{}\n", line.text.trim());
        }
        for snippet in read.examples {
            out += &format!("--- {:?}\n{}\n", snippet.range.slice(doc), snippet.code);
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn words_tags_and_examples_are_told_apart() {
        check(
            " Returns the median.\n\n @param {number[]} xs - the numbers,\n   in any order\n @param {{a: {b: 1}}} k\n @returns {number} the middle\n @template T\n of no use\n @throws {RangeError} when empty\n @requires xs.length > 0\n @requires module:fs\n @property {string} name\n @example <caption>Two</caption> median([1, 2]) === 1.5\n @example\n Like this:\n ```ts\n @dec()\n median([1]); // => 1\n ```\n and so on\n @since 2\n @complexity O(n)\n",
            expect![[r#"
                Returns the median.
                xs - the numbers,
                in any order
                the middle
                throws {RangeError} when empty
                @requires xs.length > 0
                @complexity O(n)
                --- "median([1, 2]) === 1.5"
                median([1, 2]) === 1.5
                --- "@dec()\n median([1]); // => 1"
                @dec()
                median([1]); // => 1
            "#]],
        );
    }

    #[test]
    fn types_of_jsdoc_are_those_of_typescript() {
        for (written, expected) in [
            ("number[]", ("number[]", false)),
            ("Array.<string>=", ("Array<string>", true)),
            ("?number", ("number | null", false)),
            ("...*", ("any[]", false)),
            ("!Map<string, number>", ("Map<string, number>", false)),
            ("...?number", ("(number | null)[]", false)),
        ] {
            assert_eq!(type_of(written), (expected.0.to_owned(), expected.1), "{written}");
        }
    }
}
