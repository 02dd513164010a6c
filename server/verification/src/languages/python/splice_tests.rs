//! What the file looks like after a candidate went in, and what must never change.

use super::*;
use crate::languages::python::specs::analyse;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use zeroerr_core::code::apply_edits;

fn task(source: &str) -> Task {
    analyse(Path::new("f.py"), &Arc::from(source)).tasks.remove(0)
}

fn candidate(body: &str, imports: &[&str]) -> Candidate {
    Candidate {
        function: String::new(),
        body: body.to_owned(),
        imports: imports.iter().map(|i| (*i).to_owned()).collect(),
    }
}

fn spliced(source: &str, body: &str, imports: &[&str]) -> String {
    match splice(&task(source), &candidate(body, imports)) {
        Ok(edits) => apply_edits(source, &edits).expect("edits fit and do not overlap"),
        Err(why) => format!("error: {why}"),
    }
}

fn check(source: &str, body: &str, imports: &[&str], expected: Expect) {
    let after = spliced(source, body, imports);
    assert!(!parse(&after).unwrap().root_node().has_error(), "{after}");
    expected.assert_eq(&after);
}

const BODY: &str = "# sum\nfor x in xs:\n    if x:\n        return '''a\n  b'''\nreturn None";

#[test]
fn one_line_functions_become_blocks() {
    let expected = expect![[r#"
        # @spec F.
        def f(xs):
            # sum
            for x in xs:
                if x:
                    return '''a
          b'''
            return None
    "#]];
    for stub in [
        "def f(xs): ...\n",
        "def f(xs):   pass ;\n",
        "def f(xs):\n    ...\n",
        "def f(xs):\n    # todo\n    pass  # here\n    # end\n",
        "def f(xs):\n",
    ] {
        expected.assert_eq(&spliced(&format!("# @spec F.\n{stub}"), BODY, &[]));
    }
    check(
        "# @spec F.\ndef f(xs): ...  # noqa\nx = 1\n",
        "return 1",
        &[],
        expect![[r#"
            # @spec F.
            def f(xs):  # noqa
                return 1
            x = 1
        "#]],
    );
    check(
        "# @spec F.\ndef f(\n    xs,\n): \"doc\"; return 2\n",
        "return 1",
        &[],
        expect![[r#"
            # @spec F.
            def f(
                xs,
            ):
                "doc"
                return 1
        "#]],
    );
    check(
        "# @spec F.\ndef f(xs): 'doc'  # c\n",
        "return 1",
        &[],
        expect![[r#"
        # @spec F.
        def f(xs):
            'doc'  # c
            return 1
    "#]],
    );
    check(
        "# @spec F.\ndef f(xs):",
        "return 1",
        &[],
        expect![[r#"
        # @spec F.
        def f(xs):
            return 1"#]],
    );
}

#[test]
fn the_file_decides_tabs_depth_and_line_breaks() {
    check(
        "class A:\n\t# @spec F.\n\t@staticmethod\n\tdef f(xs):  # note\n\t\t\"\"\"Doc.\n\n\t\tMore.\n\t\t\"\"\"  # after\n\n\t# next\n\tdef g(self): ...\n",
        BODY,
        &[],
        expect![[r#"
            class A:
            	# @spec F.
            	@staticmethod
            	def f(xs):  # note
            		"""Doc.

            		More.
            		"""  # after
            		# sum
            		for x in xs:
            			if x:
            				return '''a
              b'''
            		return None

            	# next
            	def g(self): ...
        "#]],
    );
    check(
        "class A:\n  # @spec F.\n  def f(xs): ...\n",
        "if xs:\n    return 1\nreturn 2",
        &[],
        expect![[r#"
        class A:
          # @spec F.
          def f(xs):
            if xs:
              return 1
            return 2
    "#]],
    );
    assert_eq!(
        spliced(
            "import os\r\n# @spec F.\r\ndef f(xs):\r\n    return 0 # old\r\n\r\nx = 1\r\n",
            "if xs:\n    return 1\nreturn 2",
            &["import re"]
        ),
        "import os\r\nimport re\r\n# @spec F.\r\ndef f(xs):\r\n    if xs:\r\n        return 1\r\n    return 2\r\n\r\nx = 1\r\n"
    );
}

#[test]
fn imports_go_where_imports_are() {
    let stub = "# @spec F.\ndef f(xs): ...\n";
    let head = |head: &str, imports: &[&str]| {
        let after = spliced(&format!("{head}{stub}"), "return 1", imports);
        after.split("# @spec").next().unwrap().to_owned()
    };
    assert_eq!(head("import os  # a\n\n\n", &["import re"]), "import os  # a\nimport re\n\n\n");
    assert_eq!(
        head("from __future__ import annotations\nX = 1\n", &["import re"]),
        "from __future__ import annotations\nimport re\nX = 1\n"
    );
    assert_eq!(
        head("\"\"\"Doc.\"\"\"\n\nX = 1\n", &["import re", "from a import b"]),
        "\"\"\"Doc.\"\"\"\n\nimport re\nfrom a import b\n\nX = 1\n"
    );
    assert_eq!(
        head("#!/usr/bin/python\n# coding: utf-8\n", &["import re"]),
        "#!/usr/bin/python\n# coding: utf-8\nimport re\n\n\n"
    );
    assert_eq!(head("# Licence.\n# More.\n\n", &["import re"]), "# Licence.\n# More.\n\nimport re\n\n\n");
    assert_eq!(head("\u{feff}", &["import re"]), "\u{feff}import re\n\n\n");
    assert_eq!(head("X = 1\n\n", &["import re"]), "import re\n\nX = 1\n\n");
    assert_eq!(
        head("from a import b, c as d\nimport e.f as g\n", &["from a import b, h, c as d", "import e.f as g"]),
        "from a import b, c as d\nimport e.f as g\nfrom a import h\n"
    );
    assert_eq!(
        head("from a import *\nimport os.path\n", &["from a import b", "import os"]),
        "from a import *\nimport os.path\nimport os\n"
    );
    assert_eq!(
        head("try:\n    import a\nexcept ImportError:\n    a = None\n", &["import a"]),
        "try:\n    import a\nexcept ImportError:\n    a = None\n"
    );
    let typing = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from q import w\n";
    assert_eq!(head("import a\n", &["import a", "import a"]), "import a\n");
    assert!(head(typing, &["import v"]).starts_with("from typing import TYPE_CHECKING\nimport v\nif TYPE"));
    assert!(
        head(typing, &["from q import w"]).starts_with("from typing import TYPE_CHECKING\nfrom q import w\nif TYPE")
    );
}

#[test]
fn what_would_break_the_file_is_refused() {
    let refused = |source: &str, body: &str, imports: &[&str]| {
        spliced(source, body, imports).strip_prefix("error: ").map(str::to_owned)
    };
    let stub = "# @spec F.\ndef f(xs): ...\n";
    assert_eq!(
        refused(&format!("def re(): ...\n{stub}"), "return 1", &["import re"]).as_deref(),
        Some("`import re` would change the meaning of `re` in this file")
    );
    assert_eq!(
        refused(&format!("from a import x\n{stub}"), "return 1", &["from b import x"]).as_deref(),
        Some("`from b import x` would change the meaning of `x` in this file")
    );
    assert_eq!(refused(stub, "return (", &[]).as_deref(), Some("the candidate's body does not parse"));
    assert_eq!(refused(stub, " ", &[]).as_deref(), Some("the candidate's body does not parse"));
    let mut stale = task(stub);
    stale.source = Arc::from("x = 1\n");
    assert!(splice(&stale, &candidate("return 1", &[])).unwrap_err().contains("analyse the file again"));
}

/// Random files around one function, in every style that the adapter claims to keep.
fn files() -> impl Strategy<Value = String> {
    let head = prop_oneof![
        Just(""),
        Just("#!/bin/python\n"),
        Just("\"\"\"Doc.\"\"\"\n"),
        Just("from __future__ import annotations\n"),
        Just("import os\nimport math\n\n\n"),
        Just("# Licence é🎉\n\nX = 'é'\n"),
        Just("try:\n    import re\nexcept ImportError:\n    pass\n"),
    ];
    let class = prop_oneof![Just(""), Just("class A:\n"), Just("if True:\n")];
    let doc = prop_oneof![Just(""), Just("'''One.'''\n"), Just("\"\"\"Doc.\n\n>>> f(1)\n1\n\"\"\"  # doc\n")];
    let body = prop_oneof![
        Just("...\n"),
        Just("pass  # later\n"),
        Just("# todo\nraise NotImplementedError\n"),
        Just("if x:\n\treturn 1\n\nreturn '''a\nb'''\n# end\n"),
        Just(""),
        Just("return x\n"),
    ];
    let header = prop_oneof![
        Just("def f(x):"),
        Just("def f(\n    x,  # first\n):"),
        Just("async def f(x: int = 1) -> int:  # noqa"),
        Just("@dec(1)\n# between\ndef f(x):")
    ];
    let tail = prop_oneof![Just(""), Just("\n\ndef g(): return f\n"), Just("# tail\ny = 1")];
    let unit = prop_oneof![Just("    "), Just("\t"), Just("  ")];
    (head, class, header, doc, body, tail, unit, any::<bool>(), any::<bool>()).prop_map(
        |(head, class, header, doc, body, tail, unit, one_line, crlf)| {
            let base = if class.is_empty() { "" } else { unit };
            let inner = format!("{base}{unit}");
            let indent = |text: &str, by: &str| {
                text.lines().map(|l| format!("{by}{}\n", l.replace('\t', unit))).collect::<String>()
            };
            let mut text = format!("{head}{class}{}", indent("# @spec F.\n# @example f(1) == 1\n", base));
            let header = indent(header, base);
            if one_line && doc.is_empty() && body == "...\n" && !header.contains("# noqa") {
                text += &format!("{} ...  # one\n", header.trim_end());
            } else {
                text += &header;
                text += &indent(doc, &inner);
                text += &indent(body, &inner);
            }
            text += tail;
            if crlf { text.replace('\n', "\r\n") } else { text }
        },
    )
}

fn bodies() -> impl Strategy<Value = String> {
    let simple = prop_oneof![
        Just("return x".to_owned()),
        Just("x = [\n    1,\n\n    2,\n]".to_owned()),
        Just("y = '''a\n  b\n\n\tc'''".to_owned()),
        Just("# comment é".to_owned()),
        Just("x = 1 + \\\n    2".to_owned()),
        Just("return f'{x}' \"\"\"\n\"\"\"".to_owned()),
        Just("from os import sep".to_owned()),
        Just("pass".to_owned()),
    ];
    let indented = |text: String| text.lines().map(|l| format!("    {l}\n")).collect::<String>().trim_end().to_owned();
    let no_strings = |text: &String| !text.contains("'''") && !text.contains("\"\"\"");
    let block = (simple.clone().prop_filter("strings are not indented by hand", no_strings), 0..4usize).prop_map(
        move |(inner, kind)| {
            let heads = ["if x:", "for y in x:", "try:", "def g(y):"];
            let end = if kind == 2 { "\nfinally:\n    pass" } else { "" };
            format!("{}\n{}\n    pass{end}", heads[kind], indented(inner))
        },
    );
    proptest::collection::vec(prop_oneof![2 => simple, 1 => block], 1..5)
        .prop_map(|parts| format!("{}\nreturn 0", parts.join("\n")))
}

/// The tokens of a text, without layout: two bodies with equal tokens and strings mean the same.
fn tokens(text: &str) -> String {
    super::super::tree::normalised(parse(text).unwrap().root_node(), text)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_splice_changes_the_body_and_nothing_else(source in files(), body in bodies(), imports in proptest::sample::subsequence(vec!["import os", "import json", "from re import sub, compile as c"], 0..3)) {
        let before = task(&source);
        let candidate = candidate(&body, &imports);
        let edits = splice(&before, &candidate).map_err(|e| TestCaseError::fail(format!("{e}\n{source}")))?;
        let after = apply_edits(&source, &edits).ok_or_else(|| TestCaseError::fail("edits overlap"))?;
        prop_assert!(!parse(&after).unwrap().root_node().has_error(), "{after}");

        // The same task is found again, now with the candidate's body.
        let found = task(&after);
        prop_assert_eq!(found.spec.hash(), before.spec.hash());
        prop_assert_eq!(&found.signature, &before.signature);
        prop_assert!(!found.is_stub);
        let kept = found.body_range.slice(&after);
        prop_assert_eq!(tokens(&dedented(&after, found.body_range)), tokens(&body), "{}\n---\n{}", kept, after);

        // Outside of the edits every byte is the same.
        let mut rest = source.clone();
        for edit in edits.iter().rev() {
            let (from, to) = (edit.range.start.min(before.body_range.start), edit.range.end.max(before.body_range.end));
            let beside = format!("{}{}", &source[from..before.body_range.start], &source[before.body_range.end..to]);
            prop_assert!(edit.range.is_empty() || beside.trim().is_empty(), "{edit:?}");
        }
        rest.truncate(before.spec_range.start.min(edits.iter().map(|e| e.range.start).min().unwrap_or(0)));
        prop_assert!(after.starts_with(&rest));
        let tail = &source[before.function_range.end..];
        prop_assert!(after.ends_with(tail));
        prop_assert_eq!(after.contains("\r\n"), source.contains("\r\n"));
        if source.contains("\r\n") {
            prop_assert!(!after.replace("\r\n", "").contains('\n'), "{after:?}");
        }
        // A second splice of the same candidate changes nothing: no import comes twice.
        let again = splice(&found, &candidate).map_err(TestCaseError::fail)?;
        prop_assert_eq!(apply_edits(&after, &again).unwrap(), after);
    }
}

/// The body as a module of its own, with strings untouched.
fn dedented(source: &str, range: TextRange) -> String {
    let tree = parse(source).unwrap();
    relayout(tree.root_node(), source, range, Style { base: "", unit: "    ", newline: "\n" })
}
