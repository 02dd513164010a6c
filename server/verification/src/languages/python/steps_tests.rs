//! Tests of `@step` lines in Python text: whose an example is, and plans that cannot be.

use super::*;

#[test]
fn a_step_is_not_named_like_its_function() {
    let analysis = check_faults(
        "# @spec Twice n.\n# @step half(n: int) -> int: what f does not do\n# @step f(n: int) -> int: what f does\n#       ^ spec.step-is-function\ndef f(n: int) -> int: ...\n",
    );
    let expected = "this step is named like the function `f` that it is to help; give it another name";
    assert_eq!(analysis.diagnostics[0].message, expected);
}

#[test]
fn steps_that_need_each_other_or_what_is_nowhere_are_told_where_they_stand() {
    let analysis = check_faults(
        "def there(n): ...\n# @spec Twice n.\n# @step one(n: int) -> int: there(n) and abs(n), then\n#       ^^^ spec.step-circle\n#    quarter(n), in O(n); calls two\n#    ~~~~~~~ spec.unknown-name\n# @step two(n: int, key: object) -> int: key(n) once, one(n) twice\ndef f(n: int) -> int: ...\n",
    );
    let circle = "steps need each other in a circle: one -> two; take one of these mentions out";
    assert_eq!(analysis.diagnostics.iter().filter(|d| d.message == circle).count(), 1, "{:#?}", analysis.diagnostics);
}

#[test]
fn an_example_of_a_step_belongs_to_the_step() {
    let analysis = check_faults(
        "# @spec Mean of the halves.\n# @step half(n: int) -> int: half of n\n# @step both(n: int) -> int: half(n) twice\n# @example half(4) == 2\n# @raises ValueError half(-1)\n# @example both(3) == 2 * half(3)\n# @example f(8) == half(8)\n# @example third(8) == 2\n#          ^^^^^ spec.other-function\ndef f(n: int) -> int: ...\n",
    );
    let spec = &analysis.tasks[0].spec;
    let codes = |examples: &[zeroerr_core::task_specification::Example]| {
        examples.iter().map(|e| format!("{} {:?}", e.code, e.equation.is_some())).collect::<Vec<_>>()
    };
    assert_eq!(codes(&spec.examples), ["f(8) == half(8) true"]);
    assert_eq!(codes(&spec.steps[0].examples), ["half(4) == 2 true"]);
    assert_eq!(spec.steps[0].raises.len(), 1);
    assert_eq!(codes(&spec.steps[1].examples), ["both(3) == 2 * half(3) true"]);
    assert!(spec.raises.is_empty());
}
