//! Where the helpers of a function go: above it at top level, above its class when it is a method.

use zeroerr_core::code::Task;
use zeroerr_verification::languages::Language;

/// A place in a text and the indentation of what goes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The start of a line.
    pub offset: usize,
    /// What every line put there starts with.
    pub indent: String,
}

/// Above the task's spec and whatever encloses the function, modules excepted.
pub(super) fn of_helpers(task: &Task, language: Option<&dyn Language>) -> Place {
    let source: &str = &task.source;
    let own = task.function_range.start;
    let first = if task.spec_range.is_empty() { own } else { own.min(task.spec_range.start) };
    let item = language.and_then(|l| l.outermost_item(source, own)).unwrap_or(first);
    let offset = line_start(source, item.min(first));
    let indent = source.get(line_start(source, item)..).map_or("", indent_of);
    Place { offset, indent: indent.to_owned() }
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
    use zeroerr_core::code::{LanguageId, Signature, TextRange};
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
        let languages = zeroerr_verification::languages::all();
        let language = languages.iter().find(|l| l.id() == task.language).unwrap();
        assert_eq!(
            of_helpers(&task, Some(language.as_ref())),
            Place { offset: expected, indent: indent.into() },
            "{marked}"
        );
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
        check("a.py", "x = 1\n\n$0@register(\n    'shape',\n)\nclass A:\n    $fdef f(self): ...\n", "");
        check("a.py", "$0class A:\n    USAGE = \"\"\"\nusage\n\"\"\"\n\n    $fdef f(self): ...\n", "");
        check("a.rs", "$0#[cfg(any(\n    unix,\n    windows,\n))]\nimpl A {\n    $ffn f() {}\n}\n", "");
        check("a.ts", "$0@tagged({\n  name: 'a',\n})\nexport class A<\n  B,\n> {\n  $ff(): void {}\n}\n", "");
        check("a.ts", "$0/** about */\nexport class A {\n  $ff(): void {}\n}\n", "");
    }
}
