//! Responses as real instruct models write them, and the flag or candidate that each becomes.

use super::*;
use crate::languages::python::specs::analyse;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;

fn task(source: &str) -> Task {
    analyse(Path::new("f.py"), &Arc::from(source)).tasks.remove(0)
}

fn shown(source: &str, response: &str) -> String {
    match extract(response, &task(source)) {
        Ok(c) => {
            let imports = c.imports.iter().map(|i| format!("{i}\n")).collect::<String>();
            format!("{imports}{}", c.function)
        }
        Err(flag) => flag.name().to_owned(),
    }
}

const ADD: &str = "# @spec Add.\n# @example add(1) == 3\ndef add(a: int, b=2) -> int: ...\n";

fn check(response: &str, expected: Expect) {
    expected.assert_eq(&shown(ADD, response));
}

fn check_flag(source: &str, response: &str, expected: &str) {
    assert_eq!(shown(source, response), expected, "{response}");
}

#[test]
fn code_as_models_write_it() {
    let candidate = expect![[r#"
        def add(a: int, b=2) -> int:
            return a + b
    "#]];
    let code = "def add(a, b = 2):\n    return a + b\n";
    for response in [
        code.to_owned(),
        format!("```python\n{code}```"),
        format!("Sure! Here it is:\n\n```py\n{code}```\n\nIt uses `a + b`.\n"),
        format!("~~~\n{code}~~~\n"),
        format!("```python\n{code}"),
        format!("{code}```\nThis adds.\n"),
        format!("```python\n{code}```\nUsage:\n```python\nprint(add(1))\n```\n"),
        format!(
            "```python\n{code}\nprint(add(1))\nassert add(1) == 3\n# 3\nresult = add(2)\nif __name__ == '__main__':\n    main()\n```"
        ),
        format!("```python\nfrom typing import List\n\n{code}```"),
        format!("\"\"\"Module.\"\"\"\n# adds\n{code}"),
        "    def add(a: float, b: float = 2) -> float:\n        \"\"\"Adds.\"\"\"\n        return a + b\n".to_owned(),
        "def add(a, b=2): return a + b".to_owned(),
        "```python\r\ndef add(a, b=2):\r\n\treturn a + b\r\n```\r\n".to_owned(),
    ] {
        candidate.assert_eq(&shown(ADD, &response));
    }
}

#[test]
fn comments_helpers_strings_and_used_imports_stay() {
    check(
        "```python\nimport math, os\nfrom typing import List as L\n\ndef add(a, b=2):\n  '''Doc.'''\n  # first\n  def half(x):\n    # deep\n    return x / 2\n  text = '''\n  kept\n'''\n  # last\n  return math.floor(half(a)) + L(b)  # end\n```",
        expect![[r#"
            import math
            from typing import List as L
            def add(a: int, b=2) -> int:
                # first
                def half(x):
                    # deep
                    return x / 2
                text = '''
              kept
            '''
                # last
                return math.floor(half(a)) + L(b)  # end
        "#]],
    );
}

#[test]
fn what_is_not_one_function_of_the_name() {
    for response in [
        "def sub(a, b=2):\n    return a - b\n",
        "def add(a, b=2):\n    return a\ndef helper():\n    return 1\n",
        "def helper():\n    return 1\ndef add(a, b=2):\n    return a\n",
        "def add(a, b=2):\n    return a\ndef add(a, b=2):\n    return b\n",
        "X = 1\ndef add(a, b=2):\n    return X\n",
        "def add(a, b=2):\n    return X\nX = 1\n",
        "def add(a, b=2):\n    return a\nadd = print\n",
        "class A:\n    def add(a, b=2):\n        return a\n",
        "add = lambda a, b=2: a + b\n",
        "print('hello')\n",
        "```python\ndef add(a, b=2):\n    return a\n```\nor\n```python\ndef add(a, b=2):\n    return b\n```\n",
        "I think that one adds the numbers.",
        "```\nno code\n```",
    ] {
        check_flag(ADD, response, "not_one_function");
    }
}

#[test]
fn signatures_placeholders_and_broken_code() {
    for header in
        ["add(b, a=2)", "add(a)", "add(a, b)", "add(a, b=3)", "add(a, *, b=2)", "add(a, b=2, *c)", "add(self, a, b=2)"]
    {
        check_flag(ADD, &format!("def {header}:\n    return 1\n"), "wrong_signature");
    }
    check_flag(ADD, "async def add(a, b=2):\n    return 1\n", "wrong_signature");
    check_flag(ADD, "@lru_cache\ndef add(a, b=2):\n    return 1\n", "wrong_signature");
    for body in [
        "...",
        "pass",
        "raise NotImplementedError",
        "raise NotImplementedError('x')",
        "'''Doc.'''",
        "# to do\n    pass",
        "'''Doc.'''\n    ...",
    ] {
        check_flag(ADD, &format!("def add(a, b=2):\n    {body}\n"), "placeholder");
    }
    for broken in [
        "def add(a, b=2):\n    return (a + b\n",
        "def add(a, b=2)\n    return 1\n",
        "Here:\ndef add(a, b=2):\n    return a\n",
        "def add(a, b=2):\nreturn a +\n",
    ] {
        check_flag(ADD, broken, "does_not_parse");
    }
    check_flag(ADD, " \n", "empty");
}

#[test]
fn methods_come_alone_or_in_their_class() {
    let source = "class Stack:\n    # @spec Push.\n    @log\n    def push(\n        self,\n        x: int,\n    ) -> None: ...\n";
    let expected = "def push(\n    self,\n    x: int,\n) -> None:\n    self.items.append(x)\n";
    let method = "def push(self, x):\n    self.items.append(x)\n";
    let in_class =
        "class Stack:\n    \"\"\"Doc.\"\"\"\n    @log\n    def push(self, x):\n        self.items.append(x)\n";
    for response in [method, in_class, "```python\n    def push(self, x):\n        self.items.append(x)\n```"] {
        check_flag(source, response, expected);
    }
    check_flag(
        source,
        "class Stack:\n    def __init__(self): self.items = []\n    def push(self, x):\n        self.items.append(x)\n",
        "not_one_function",
    );
    check_flag(source, "def push(x):\n    items.append(x)\n", "wrong_signature");
}

#[test]
fn what_the_spec_forbids() {
    let with = |tags: &str| format!("# @spec Sum.\n{tags}\ndef total(xs): ...\n");
    let body = |body: &str| format!("def total(xs):\n    {}\n", body.replace('\n', "\n    "));
    let forbidden = |tags: &str, code: &str| check_flag(&with(tags), code, "forbidden");
    let allowed = |tags: &str, code: &str| assert!(extract(code, &task(&with(tags))).is_ok(), "{tags}: {code}");
    let recursion = "# @forbid recursion";
    forbidden(recursion, &body("return xs[0] + total(xs[1:])"));
    forbidden(recursion, &body("return map(total, xs)"));
    forbidden(recursion, &body("def go(i):\n    return go(i - 1)\nreturn go(1)"));
    allowed(recursion, &body("total = 0\nfor x in xs:\n    total += x\nreturn total"));
    allowed(recursion, &body("return xs.total(total=1)  # total(xs)"));
    forbidden("# @forbid loops", &body("while xs:\n    xs.pop()\nreturn 1"));
    forbidden("# @forbid loops", &body("for x in xs: pass\nreturn 1"));
    allowed("# @forbid loops", &body("return sum(x for x in xs)"));
    forbidden("# @forbid imports", &body("import math\nreturn math.fsum(xs)"));
    forbidden("# @forbid imports", &format!("import math\n{}", body("return sum(xs)")));
    allowed("# @forbid imports", &format!("from typing import List\n{}", body("return sum(xs)")));
    forbidden("# @forbid sum, eval", &body("return sum(xs)"));
    forbidden("# @forbid fsum", &format!("import math\n{}", body("return math.fsum(xs)")));
    forbidden("# @forbid math.fsum", &format!("from math import fsum\n{}", body("return fsum(xs)")));
    forbidden("# @forbid lambda", &body("return (lambda: 1)()"));
    allowed("# @forbid sum", &body("return 'sum' + xs.summary  # sum"));
    let uses = "# @uses math, collections";
    forbidden(uses, &format!("import os\n{}", body("return os.sep")));
    forbidden(uses, &body("from itertools import chain\nreturn chain(xs)"));
    allowed(
        uses,
        &format!(
            "import math\nfrom collections.abc import Sized\nfrom math import pi\n{}",
            body("return math.pi + pi, Sized")
        ),
    );
    allowed("# @complexity O(n)", &format!("import os\n{}", body("return os.sep")));
}

#[test]
fn what_reads_otherwise_the_second_time_is_no_candidate() {
    let response = "def add(a, b=2):\n    # c\n\\\n    def add(a, b=2):\n";
    assert_eq!(extract(response, &task(ADD)), Err(RedFlag::DoesNotParse));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    /// No response can make extraction panic, and a candidate always parses as that one function.
    #[test]
    fn any_response_is_a_candidate_or_a_flag(pieces in proptest::collection::vec(prop_oneof![
        Just("```python\n"), Just("```\n"), Just("def add(a, b=2):\n"), Just("    return a + b\n"), Just("  x = '''\n"), Just("'''\n"), Just("import os\n"), Just("    "), Just("\t"),
        Just("Sure.\n"), Just("    if a:\n"), Just("        return os\n"), Just("\r\n"), Just("é🎉\n"), Just("\0"), Just("print(add(1))\n"), Just("    (1,\n  2)\n"), Just("    # c\n"), Just("\\\n"),
    ], 0..10)) {
        let task = task(ADD);
        if let Ok(candidate) = extract(&pieces.concat(), &task) {
            let again = extract(&candidate.function, &task);
            prop_assert_eq!(again.map(|c| c.body), Ok(candidate.body), "{:?}", pieces.concat());
        }
    }
}
