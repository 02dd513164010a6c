//! Tests of what is found in Python text: tasks, their ranges, and faults on their exact place.
//!
//! Faults are written in the fixture itself: a line `#^^^ code` (or `#~~~ code` for a warning, `#...`
//! for a hint) marks bytes of the line above. The marker lines are taken out before the text is read.

use super::*;
use expect_test::{Expect, expect};
use zeroerr_core::code::line_of;
use zeroerr_core::task_specification::render_diagnostics;

#[path = "steps_tests.rs"]
mod steps;

fn analysed(source: &str) -> FileAnalysis {
    analyse(Path::new("f.py"), &Arc::from(source))
}

/// Takes the marker lines out: the text, and `line:column-column severity code` for each marker.
fn fixture(marked: &str) -> (String, Vec<String>) {
    let (mut text, mut expected, mut line) = (String::new(), Vec::new(), 0);
    for raw in marked.split_inclusive('\n') {
        let trimmed = raw.trim_start_matches('#');
        let at = trimmed.trim_start_matches(' ');
        let mark = at.chars().next().filter(|c| matches!(c, '^' | '~' | '.'));
        let Some(mark) = mark.filter(|_| raw.starts_with('#') && !raw.contains('@')) else {
            text.push_str(raw);
            line += 1;
            continue;
        };
        let column = raw.len() - at.len();
        let length = at.chars().take_while(|c| *c == mark).count();
        let severity = match mark {
            '^' => "error",
            '~' => "warning",
            _ => "hint",
        };
        expected.push(format!("{line}:{column}-{} {severity} {}", column + length, at[length..].trim()));
    }
    (text, expected)
}

/// Checks that exactly the marked faults are found, and nothing else.
fn check_faults(marked: &str) -> FileAnalysis {
    let (text, mut expected) = fixture(marked);
    let analysis = analysed(&text);
    let column = |offset: usize| text[text[..offset].rfind('\n').map_or(0, |p| p + 1)..offset].chars().count();
    let place = |d: &SpecDiagnostic| {
        let severity = format!("{:?}", d.severity).to_lowercase();
        format!(
            "{}:{}-{} {severity} {}",
            line_of(&text, d.range.start),
            column(d.range.start),
            column(d.range.end),
            d.code
        )
    };
    let mut found: Vec<String> = analysis.diagnostics.iter().map(place).collect();
    found.sort();
    expected.sort();
    assert_eq!(found, expected, "{}", render_diagnostics(&text, &analysis.diagnostics));
    analysis
}

/// Shows every task: name, class, stub, and the texts of its ranges.
fn check_tasks(source: &str, expected: Expect) {
    let analysis = analysed(source);
    let mut out = String::new();
    for t in &analysis.tasks {
        let class = t.class.as_ref().map(|c| format!(" in {c}")).unwrap_or_default();
        out += &format!("{}{class} stub={} {:?}\n", t.signature.name, t.is_stub, t.spec.intent);
        out += &format!(
            "  spec {:?}\n  whole {:?}\n  body {:?}",
            t.spec_range.slice(source),
            t.function_range.slice(source),
            t.body_range.slice(source)
        );
        out += &format!(
            " after {:?}\n",
            &source[..t.body_range.start][source[..t.body_range.start].len().saturating_sub(8)..]
        );
    }
    out += &render_diagnostics(source, &analysis.diagnostics);
    expected.assert_eq(&out);
}

#[test]
fn specs_above_functions_of_every_kind() {
    check_tasks(
        "import os\n\n# @spec One.\n# @example one() == 1\n@cache\n@other\ndef one(): ...\n\nclass A:\n\t# @spec Two.\n\tasync def two(self, x):\n\t\t\"\"\"Words.\"\"\"\n\t\t# old\n\t\treturn x  # here\n\t\t# end\n\n\t@property\n\t# @spec Three.\n\tdef three(self):\n\t\traise NotImplementedError(\"later\")\n\ndef outer():\n    # @spec Four.\n    def four(): pass\n    return four\n",
        expect![[r##"
            one stub=true "One."
              spec "# @spec One.\n# @example one() == 1"
              whole "@cache\n@other\ndef one(): ..."
              body "..." after " one(): "
            two in A stub=false "Two.\nWords."
              spec "# @spec Two."
              whole "async def two(self, x):\n\t\t\"\"\"Words.\"\"\"\n\t\t# old\n\t\treturn x  # here\n\t\t# end"
              body "# old\n\t\treturn x  # here\n\t\t# end" after "s.\"\"\"\n\t\t"
            three in A stub=true "Three."
              spec "# @spec Three."
              whole "@property\n\t# @spec Three.\n\tdef three(self):\n\t\traise NotImplementedError(\"later\")"
              body "raise NotImplementedError(\"later\")" after "elf):\n\t\t"
            four stub=true "Four."
              spec "# @spec Four."
              whole "def four(): pass"
              body "pass" after "four(): "
        "##]],
    );
}

#[test]
fn functions_without_a_body_yet() {
    check_tasks(
        "# @spec A.\ndef a(x):  # soon\n\n# @spec B.\ndef b(x):\n    \"\"\"Doc.\"\"\"  # note\n\n# @spec C.\ndef c(x): \"doc\"\n# @spec D.\ndef d(x):\n    # todo\n    ...  # here\n# @spec E.\ndef e(x):",
        expect![[r##"
            a stub=true "A."
              spec "# @spec A."
              whole "def a(x):  # soon"
              body "" after "  # soon"
            b stub=true "B.\nDoc."
              spec "# @spec B."
              whole "def b(x):\n    \"\"\"Doc.\"\"\"  # note"
              body "" after "  # note"
            c stub=true "C.\ndoc"
              spec "# @spec C."
              whole "def c(x): \"doc\""
              body "" after "): \"doc\""
            d stub=true "D."
              spec "# @spec D."
              whole "def d(x):\n    # todo\n    ...  # here"
              body "# todo\n    ...  # here" after "x):\n    "
            e stub=true "E."
              spec "# @spec E."
              whole "def e(x):"
              body "" after "ef e(x):"
        "##]],
    );
}

#[test]
fn docstrings_with_tags_or_doctests_are_specs_and_merge_with_comments() {
    let source = "\
def plain(x):
    \"\"\"Only words, and an address me@example.org.\"\"\"

def tested(x):
    r'''Doubles.

    >>> y = 2
    >>> tested(y)
    4
    >>> tested(None)
    Traceback (most recent call last):
    ValueError: no
    >>> other(1)
    5
    >>> tested(1.5)
    3.0
    '''

# @spec Halves.
# @example halved(4) == 2
def halved(x):
    \"\"\"Half of x.

    @requires x % 2 == 0
    >>> halved(2)
    1
    \"\"\"
    return x // 2
";
    let analysis = analysed(source);
    assert_eq!(render_diagnostics(source, &analysis.diagnostics), "");
    assert_eq!(analysis.tasks.iter().map(|t| t.signature.name.as_str()).collect::<Vec<_>>(), ["tested", "halved"]);
    let mut out = String::new();
    for task in &analysis.tasks {
        out += &format!(
            "{}: {:?} requires {:?}\n",
            task.signature.name,
            task.spec.intent,
            task.spec.requires.iter().map(|c| &c.text).collect::<Vec<_>>()
        );
        for e in &task.spec.examples {
            out += &format!("  {:?} {:?} {:?} at {:?}\n", e.code, e.claim, e.equation, e.range.slice(source));
        }
    }
    expect![[r#"
        tested: "Doubles." requires []
          "y = 2\ntested(y)" Prints("4") None at ">>> tested(y)\n    4"
          "tested(None)" Raises("ValueError: no") None at ">>> tested(None)\n    Traceback (most recent call last):\n    ValueError: no"
          "_ = other(1)\ntested(1.5)" Prints("3.0") None at ">>> tested(1.5)\n    3.0"
        halved: "Halves.\nHalf of x." requires ["x % 2 == 0"]
          "halved(4) == 2" Holds Some(("halved(4)", "2")) at "halved(4) == 2"
          "halved(2)" Prints("1") Some(("halved(2)", "1")) at ">>> halved(2)\n    1"
    "#]]
    .assert_eq(&out);
    let merged = analysis.tasks[1].spec_range.slice(source);
    assert!(merged.starts_with("# @spec") && merged.ends_with("\"\"\""), "{merged}");
}

/// Files are not parsed when no line looks like a spec: nothing that is one may be overlooked.
#[test]
fn a_spec_in_a_docstring_alone_is_found() {
    for text in [
        "def f(x):\n    \"\"\"Doc.\n\n    @ensures result > x\n    \"\"\"\n",
        "def f(x):\n    r'''@spec One.'''\n",
        "def f(x, at=\"@\"): \"@spec One.\"\n",
        "def f(x):\n\t'''\n\t@property f(x) > 0\n\t'''\n",
        "def f(x):\n    '''\n    >>> f(1)\n    '''\n",
        "\u{feff}#@example f(1) == 2\ndef f(x):",
    ] {
        assert_eq!(analysed(text).tasks.len(), 1, "{text}");
    }
}

#[test]
fn strings_and_other_comments_are_no_specs() {
    check_faults(
        "\
#!/usr/bin/env python --@spec
USAGE = '''
# @spec not one
def f(): ...
'''
run(\"mytool # @spec\")  # @spec trailing
# @app.route('/')
# @property
def g(): ...
# mail me@example.org about @spec
def h(): ...
",
    );
    assert_eq!(analysed("x = '''\n# @spec a\ndef f(): ...\n'''\n").tasks.len(), 0);
}

#[test]
fn a_spec_needs_its_function() {
    check_faults(
        "\
# @spec Alone.
# ^^^^^^^^^^^^ spec.no-function
x = 1
# words
# @spec Class.
# ^^^^^^^^^^^^ spec.no-function
class A: ...
# @spec Gap.
# ^^^^^^^^^^ spec.no-function

def f(): ...
    # @spec Indent.
#     ^^^^^^^^^^^^^ spec.no-function
def g(): ...
# @spec Broken.
# ^^^^^^^^^^^^^ spec.no-function
def h(x)
    return x
# @exmaple k(1) == 1
# ^^^^^^^^ spec.unknown-tag
def k(x): ...
# @spec End.
# ^^^^^^^^^^ spec.no-function
",
    );
}

#[test]
fn expressions_fail_on_their_exact_place() {
    check_faults(
        "\
# @spec 🎉 All kinds of slips.
# @requires len(xs > 0
#              ^ spec.bad-expression
# @requires len(xs) >
#                   ^ spec.bad-expression
# @requires xs && x
#              ^^ spec.bad-expression
# @requires len(xs) = 1
#                   ^ spec.bad-expression
# @requires x y
#             ^ spec.bad-expression
# @requires xs, x
#           ^^^^^ spec.bad-expression
# @requires return x
#           ^^^^^^^^ spec.bad-expression
# @requires x == \"abc
#                ^ spec.bad-expression
# @ensures (result
#     ] > 0)
#     ^ spec.bad-expression
# @ensures result => 0
#                 ^^ spec.bad-expression
# @example slips([1, 2) == 2
#                     ^ spec.bad-expression
# @example slips(1, 2) = 2
#                      ^ spec.bad-expression
# @example slips(1 2) == 2
#                  ^ spec.bad-expression
# @raises ValueError slips(
#                         ^ spec.bad-expression
# @budget 5ms slips(1))
#                     ^ spec.bad-expression
# @uses 3d, os.path
#       ^^ spec.bad-uses
# @step half(x: ) -> int: half of x
#       ^^^^^^^^^^^^^^^^^^^^^^^^^^^ spec.bad-step
# @forbid recursion
def slips(xs, x): ...
",
    );
}

#[test]
fn clauses_that_nothing_can_break_are_no_clauses() {
    check_faults(
        "\
LIMIT = 3
# @spec Twice x.
# @requires (x > 0, x < 9)
#           ^^^^^^^^^^^^^^ spec.bad-expression
# @ensures (y > 0 for y in [result])
#          ^^^^^^^^^^^^^^^^^^^^^^^^^ spec.bad-expression
# @ensures [result > 0]
#          ^^^^^^^^^^^^ spec.bad-expression
# @ensures x + x == 2 * x
#          ^^^^^^^^^^^^^^ spec.no-result
# @ensures True
#          ^^^^ spec.no-result
# @ensures abs(x) >= x
#          ^^^^^^^^^^^ spec.no-result
# @ensures new.x == x and LIMIT == 3
# @ensures result is not x
#                        ^ spec.bad-expression
# @ensures result is not new.x
# @ensures LIMIT == 3
# @property lambda x: twice(x) == 2 * x
#           ^^^^^^^^^^^^^^^^^^^^^^^^^^^ spec.bad-expression
# @property x + x == 2 * x
#           ^^^^^^^^^^^^^^ spec.other-function
# @property all(twice(y) > y for y in [x])
# @example (twice(1) == 2, twice(2) == 4)
#          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ spec.bad-expression
def twice(x): ...
",
    );
}

#[test]
fn examples_of_another_function_get_the_right_name() {
    let analysis = check_faults(
        "\
# @spec Middle.
# @example medain([1]) == 1
#          ^^^^^^ spec.other-function
# @example 1 + 1 == 2
#          ^^^^^^^^^^ spec.other-function
# @example len(midian([1])) == len(other([1]))
#          ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ spec.other-function
# @raises ValueError sorted(3)
#                    ^^^^^^ spec.other-function
# @budget 1ms meidan([1])
#             ^^^^^^ spec.other-function
# @example list(map(median, [[1]])) == [1]
# @example median([2]) == 2  # a comment
def median(xs): ...
",
    );
    assert_eq!(analysis.diagnostics[0].fix, Some(("Change to `median`".to_owned(), "median".to_owned())));
    assert_eq!(analysis.diagnostics[1].fix, None);
    let spec = &analysis.tasks[0].spec;
    assert_eq!(
        spec.examples.iter().map(|e| e.code.as_str()).collect::<Vec<_>>(),
        ["list(map(median, [[1]])) == [1]", "median([2]) == 2"]
    );
    assert!(spec.raises.is_empty() && spec.budgets.is_empty());
}

#[test]
fn names_that_nobody_knows() {
    let analysis = check_faults(
        "\
import math
from os import path as p
LIMIT = 3
# @spec Names.
# @requires len(sx) > LIMIT
#               ~~ spec.unknown-name
# @requires math.pi > 0 and p and all(i in xs for i in range(k)) and (lambda q: q)(k)
# @requires result > 0
#           ~~~~~~ spec.unknown-name
# @ensures result == null or result.anything(k=1)
#                    ~~~~ spec.unknown-name
# @property names(xs, k) == helper(xs) and nothing
#                                          ~~~~~~~ spec.unknown-name
# @raises ValeuError names([], 1)
#         ~~~~~~~~~~ spec.unknown-name
# @raises math.Wrong names([], 2)
# @step helper(xs: list) -> int: helps
def names(xs, k=1, *rest, **more):
    local = 1
",
    );
    let fixes: Vec<_> = analysis.diagnostics.iter().map(|d| d.fix.as_ref().map(|f| f.1.as_str())).collect();
    assert_eq!(fixes, [Some("xs"), None, Some("None"), None, Some("ValueError")]);
    check_faults("from x import *\n# @requires whatever > 0\n# @example f(1) == 1\ndef f(a): ...\n");
    check_faults(
        "def outer(scale):\n    y = 1\n    # @spec In.\n    # @requires scale > y and self_made\n#                             ~~~~~~~~~ spec.unknown-name\n    def inner(): ...\n",
    );
}

#[test]
fn contradictions_point_at_the_other_example() {
    check_faults(
        "\
# @spec Sums.
# @example total([1, 2]) == 3
# @example 4 == total( [1,2] )
#          ^^^^^^^^^^^^^^^^^^^ spec.contradiction
# @example total([1, 2]) == 3.0
# @example total([]) == 0
# @raises ValueError total([])
#         ^^^^^^^^^^^^^^^^^^^^ spec.contradiction
# @raises ValueError total([9])
def total(xs): ...
",
    );
    let source = "# @example total([2]) == 2\ndef total(xs):\n    '''\n    >>> total([2])\n    5\n    '''\n";
    expect![[r#"
        error[spec.contradiction]: this contradicts another example: `total([2])` cannot be both
        4 |     >>> total([2])
          |     ^^^^^^^^^^^^^^...
          = line 1: the other example says `2`
    "#]]
    .assert_eq(&render_diagnostics(source, &analysed(source).diagnostics));
}

#[test]
fn equations_have_the_call_first() {
    let equation = |example: &str| {
        let source = format!("# @example {example}\ndef f(x): ...\n");
        analysed(&source).tasks[0].spec.examples[0].equation.clone()
    };
    let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
    assert_eq!(equation("f(1) == 2"), pair("f(1)", "2"));
    assert_eq!(equation("2 == f(1)"), pair("f(1)", "2"));
    assert_eq!(equation("(f(1)) is None"), pair("(f(1))", "None"));
    assert_eq!(equation("A(1).f(2) == [1,\n#   2]"), pair("A(1).f(2)", "[1, 2]"));
    for other in
        ["f(1)", "f(1) < 2", "f(1) == f(2)", "1 == f(1) == 1", "f(1) != 2", "abs(f(1)) == 2", "f(1) == 2 and True"]
    {
        assert_eq!(equation(other), None, "{other}");
    }
}

fn selected(source: &str, selection: TextRange, instruction: &str) -> Result<Task, String> {
    task_for_selection(Path::new("f.py"), &Arc::from(source), selection, instruction)
}

#[test]
fn a_selection_becomes_the_task_of_its_function() {
    let source = "# words\ndef one(x):\n    '''Doc one.'''\n    return x\n\n# @spec Two.\n# @example two(1) == 1\ndef two(x):\n    def inner(y):\n        return y\n    return inner(x)\n\nz = 1\n";
    let at = |text: &str| source.find(text).unwrap();
    let check = |from: &str, to: &str, instruction: &str| {
        let task = selected(source, TextRange::new(at(from), at(to) + to.len()), instruction)?;
        Ok::<_, String>(format!("{} {:?} examples={}", task.signature.name, task.spec.intent, task.spec.examples.len()))
    };
    let ok = |text: &str| Ok(text.to_owned());
    assert_eq!(check("return x", "return x", "Double it."), ok(r#"one "Doc one.\nDouble it." examples=0"#));
    assert_eq!(check("def one", "return x\n", " Double it.\n"), ok(r#"one "Doc one.\nDouble it." examples=0"#));
    assert_eq!(check("# @spec", "def two", "Faster."), ok(r#"two "Two.\nFaster." examples=1"#));
    assert_eq!(check("return y", "return y", "Negate."), ok(r#"inner "Negate." examples=0"#));
    assert_eq!(check("return inner(x)", "z = 1", "All."), ok(r#"two "Two.\nAll." examples=1"#));
    assert_eq!(
        check("return x", "# @spec", "Both."),
        Err("the selection touches 2 functions (one, two); select one".to_owned())
    );
    assert_eq!(
        check("z = 1", "z = 1", "What?"),
        Err("the selection holds no function; put the cursor into one".to_owned())
    );
    assert_eq!(
        check("return y", "return y", " "),
        Err("nothing says what `inner` must do; write an instruction or a spec".to_owned())
    );
    assert!(selected(source, TextRange::new(at("return y"), at("return y")), "Cursor.").is_ok());
    assert!(selected("", TextRange::new(0, 99), "Empty.").is_err());
}
