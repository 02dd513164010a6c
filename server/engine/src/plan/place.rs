//! Where the helpers of a function go: above it at top level, above its class when it is a method.

use zeroerr_core::code::{LanguageId, Task};

/// A place in a text and the indentation of what goes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The start of a line.
    pub offset: usize,
    /// What every line put there starts with.
    pub indent: String,
}

/// Above the task's spec and whatever encloses the function, modules excepted.
pub(super) fn of_helpers(task: &Task) -> Place {
    let source: &str = &task.source;
    let own = task.function_range.start;
    let first = if task.spec_range.is_empty() { own } else { own.min(task.spec_range.start) };
    let lines = lines_before(source, first);
    let mut at = line_start(source, first);
    let mut indent = indent_of(source.get(at..).unwrap_or(""));
    for (number, line) in lines.iter().enumerate().rev() {
        if indent.is_empty() {
            break;
        }
        let outer = indent_of(line.text);
        let text = line.text.trim();
        if text.is_empty() || is_remark(text) || outer.len() >= indent.len() {
            continue;
        }
        if is_module(task.language, text) {
            break;
        }
        // `):` and `{` end a header that began on a line above.
        if text.starts_with([')', ']', '}', '{']) || text.starts_with("where") {
            continue;
        }
        indent = outer;
        at = above_remarks(&lines, number);
    }
    Place { offset: at, indent: indent.to_owned() }
}

struct Line<'a> {
    text: &'a str,
    start: usize,
}

fn lines_before(source: &str, offset: usize) -> Vec<Line<'_>> {
    let mut start = 0;
    let end = line_start(source, offset);
    let before = source.get(..end).unwrap_or("");
    before
        .split_inclusive('\n')
        .map(|text| {
            let line = Line { text, start };
            start += text.len();
            line
        })
        .collect()
}

/// The start of the decorators, attributes and comments that stand right above a line.
fn above_remarks(lines: &[Line<'_>], number: usize) -> usize {
    let indent = lines.get(number).map_or("", |l| indent_of(l.text));
    let belongs = |line: &&Line<'_>| {
        let text = line.text.trim();
        !text.is_empty() && is_remark(text) && indent_of(line.text).len() >= indent.len()
    };
    let above = lines.get(..number).unwrap_or(&[]).iter().rev().take_while(belongs).count();
    lines.get(number - above).map_or(0, |l| l.start)
}

/// Comments, decorators and attributes: they belong to what follows.
fn is_remark(text: &str) -> bool {
    ["#", "@", "//", "/*", "*"].iter().any(|mark| text.starts_with(mark))
}

fn is_module(language: LanguageId, text: &str) -> bool {
    language == LanguageId::Rust && text.split_whitespace().any(|word| word == "mod")
}

fn indent_of(line: &str) -> &str {
    let text = line.trim_start_matches([' ', '\t']);
    line.get(..line.len() - text.len()).unwrap_or("")
}

fn line_start(source: &str, offset: usize) -> usize {
    source.get(..offset).and_then(|s| s.rfind('\n')).map_or(0, |i| i + 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use zeroerr_core::code::{Signature, TextRange};
    use zeroerr_core::task_specification::Spec;

    /// `$0` marks where helpers go; the function begins at `$f`.
    fn check(path: &str, marked: &str, indent: &str) {
        let source = marked.replace("$0", "").replace("$f", "");
        let expected = marked.replace("$f", "").find("$0").unwrap();
        let start = marked.replace("$0", "").find("$f").unwrap();
        let task = Task {
            file: path.into(),
            language: LanguageId::from_path(std::path::Path::new(path)).unwrap(),
            source: Arc::from(source.as_str()),
            signature: Signature {
                name: "f".into(),
                params: vec![],
                returns: None,
                is_async: false,
                header: String::new(),
            },
            spec: Spec::default(),
            spec_range: TextRange::new(start, start),
            function_range: TextRange::new(start, source.len()),
            body_range: TextRange::new(source.len(), source.len()),
            class: None,
            is_stub: true,
        };
        assert_eq!(of_helpers(&task), Place { offset: expected, indent: indent.into() }, "{marked}");
    }

    #[test]
    fn helpers_stand_above_what_encloses_the_function() {
        check("a.py", "import os\n\n$0$fdef f(): ...\n", "");
        check(
            "a.py",
            "x = 1\n\n# about A\n$0@dataclass\nclass A:\n    y: int\n\n    $fdef f(self): ...\n"
                .replace("# about A\n$0", "$0# about A\n")
                .as_str(),
            "",
        );
        check("a.py", "$0class A(\n    B,\n):\n    # @spec x\n    $fdef f(self): ...\n", "");
        check("a.py", "$0def g():\n    class A:\n        $fdef f(self): ...\n", "");
        check("a.rs", "use x;\n\n$0#[derive(Debug)]\nimpl A {\n    $ffn f() {}\n}\n", "");
        check("a.rs", "mod tests {\n    use x;\n\n$0    $ffn f() {}\n}\n", "    ");
        check(
            "a.rs",
            "mod a {\n$0    impl B\n    where\n        T: X,\n    {\n        $ffn f() {}\n    }\n}\n",
            "    ",
        );
        check("a.ts", "$0/** about */\nexport class A {\n  $ff(): void {}\n}\n", "");
    }
}
