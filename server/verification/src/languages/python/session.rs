//! The doctests of one docstring as examples of its function.
//!
//! Doctests share one name space and run in order, so an example carries the statements that stand
//! between the example before it and itself. Prompts that have nothing to do with the function are no
//! examples: they could not show it to be wrong. What they bind stays.

use std::collections::HashSet;

use zeroerr_core::task_specification::{Example, ExampleClaim, ExampleOrigin, Severity, SpecDiagnostic};

use super::docstring::{Doctest, raised};
use super::expressions::{BUILTINS, mentions};
use super::imports::{parse_all, render, used_names};
use super::tree::{parse, single_expression};

/// Makes examples of doctests; a prompt that does not parse becomes a fault.
pub(super) fn examples(tests: Vec<Doctest>, function: &str) -> (Vec<Example>, Vec<SpecDiagnostic>) {
    let mut session = Session { function, touched: HashSet::new(), pending: String::new() };
    let (mut examples, mut faults) = (Vec::new(), Vec::new());
    for test in tests.into_iter().filter(|t| !t.is_skipped) {
        match session.read(test) {
            Ok(example) => examples.extend(example),
            Err(fault) => faults.push(*fault),
        }
    }
    (examples, faults)
}

struct Session<'f> {
    function: &'f str,
    /// Variables that the function has had to do with: `xs` after `sort(xs)`.
    touched: HashSet<String>,
    /// Statements since the last example.
    pending: String,
}

impl Session<'_> {
    fn read(&mut self, test: Doctest) -> Result<Option<Example>, Box<SpecDiagnostic>> {
        let code = test.code.trim_end();
        let Some(tree) = parse(code).filter(|t| !t.root_node().has_error()) else {
            return Err(Box::new(SpecDiagnostic {
                code: "spec.bad-expression".to_owned(),
                message: "this doctest does not parse".to_owned(),
                range: test.range,
                severity: Severity::Error,
                fix: None,
                related: None,
            }));
        };
        let is_expression = single_expression(&tree).is_some();
        let imports = parse_all(&[code.to_owned()]);
        if !imports.is_empty() {
            // The function under test is the one that is there already, not the file's old one.
            let others: Vec<_> = imports.into_iter().filter(|i| i.binds() != self.function && !i.is_star()).collect();
            render(&others).iter().for_each(|line| self.set_up(line));
            return Ok(None);
        }
        // `Point(1) == Point(1)` is an example of `__eq__`, though it does not name it.
        let is_special = self.function.starts_with("__") && self.function.ends_with("__");
        let names = used_names(tree.root_node(), code);
        let is_about = is_special
            || mentions(tree.root_node(), code, self.function)
            || names.iter().any(|name| self.touched.contains(*name));
        if is_about {
            self.touched.extend(names.iter().filter(|n| !BUILTINS.contains(n)).map(|n| (*n).to_owned()));
        }
        let raised = raised(&test.want).map(|name| with_text(name, &test));
        // A comparison always prints something: nothing below it means that it must be true.
        let must_hold = is_about && test.want.is_empty() && is_comparison(&tree);
        match (is_about, test.want.is_empty()) {
            (true, true) if !is_expression => self.set_up(code),
            (false, true) => self.set_up(code),
            // Its output is not looked at; it must not get into that of the next example.
            (false, false) if is_expression && raised.is_none() && !names.contains("print") => {
                self.set_up(&format!("_ = {code}"));
            }
            (false, false) => {}
            (true, _) => {
                let want = if must_hold { "True".to_owned() } else { test.want };
                let claim = raised.map_or(ExampleClaim::Prints(want), ExampleClaim::Raises);
                let code = format!("{}{code}", std::mem::take(&mut self.pending));
                return Ok(Some(Example {
                    code,
                    claim,
                    equation: None,
                    origin: ExampleOrigin::Doctest,
                    range: test.range,
                }));
            }
        }
        Ok(None)
    }

    fn set_up(&mut self, statement: &str) {
        self.pending.push_str(statement);
        self.pending.push('\n');
    }
}

/// The exception with the text that the doctest shows on its last line, unless that is not to count.
fn with_text(name: String, test: &Doctest) -> String {
    let last = test.want.lines().last().unwrap_or("").trim_end();
    let counts = last.starts_with(&name) && !test.code.contains("IGNORE_EXCEPTION_DETAIL");
    if counts { last.to_owned() } else { name }
}

fn is_comparison(tree: &tree_sitter::Tree) -> bool {
    single_expression(tree).is_some_and(|e| e.kind() == "comparison_operator")
}

#[cfg(test)]
mod tests {
    use super::super::specs::analyse;
    use expect_test::expect;
    use std::path::Path;
    use std::sync::Arc;
    use zeroerr_core::task_specification::render_diagnostics;

    #[test]
    fn doctests_are_one_session() {
        let source = "\
class Stack:
    def pop(self):
        '''Take the last.

        >>> from stack import Stack, pop
        >>> import math
        >>> s = Stack([1, 2])
        >>> len(s.items)
        2
        >>> print(s)
        Stack
        >>> s.pop()
        2
        >>> s.items
        [1]
        >>> s.pop() + math.floor(0.5)  # doctest: +NORMALIZE_WHITESPACE
        1
        >>> s.pop()
        Traceback (most recent call last):
            ...
        IndexError: empty
        >>> s.pop()  # doctest: +SKIP
        9
        >>> Stack([3]).pop()
        3
        >>> Stack([4]).pop() == 4
        >>> s.pop(
        4
        '''
";
        let analysis = analyse(Path::new("f.py"), &Arc::from(source));
        expect![[r#"
        error[spec.bad-expression]: this doctest does not parse
        27 |         >>> s.pop(
           |         ^^^^^^^^^^...
    "#]]
        .assert_eq(&render_diagnostics(source, &analysis.diagnostics));
        let mut out = String::new();
        for e in &analysis.tasks[0].spec.examples {
            out += &format!("{:?} {:?} {:?}\n", e.code, e.claim, e.equation);
        }
        expect![[r#"
            "from stack import Stack\nimport math\ns = Stack([1, 2])\n_ = len(s.items)\ns.pop()" Prints("2") None
            "s.items" Prints("[1]") None
            "s.pop() + math.floor(0.5)  # doctest: +NORMALIZE_WHITESPACE" Prints("1") None
            "s.pop()" Raises("IndexError: empty") None
            "Stack([3]).pop()" Prints("3") Some(("Stack([3]).pop()", "3"))
            "Stack([4]).pop() == 4" Prints("True") Some(("Stack([4]).pop()", "4"))
        "#]]
        .assert_eq(&out);
    }
}
