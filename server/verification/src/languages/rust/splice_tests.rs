//! What the file looks like after a candidate went in, and what must never change.

use super::*;
use crate::languages::rust::specs::analyse;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use zeroerr_core::code::apply_edits;

fn task(source: &str) -> Task {
    analyse(Path::new("f.rs"), &Arc::from(source)).tasks.remove(0)
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

const BODY: &str = "// sum\nlet mut total = 0;\nfor x in xs {\n    if *x > 0 {\n        total += x;\n    }\n}\nlet _ = \"a\n  b\";\ntotal";

#[test]
fn every_stub_becomes_the_same_function() {
    let expected = expect![[r#"
        // @spec F.
        fn f(xs: &[i32]) -> i32 {
            // sum
            let mut total = 0;
            for x in xs {
                if *x > 0 {
                    total += x;
                }
            }
            let _ = "a
          b";
            total
        }
    "#]];
    for stub in [
        "fn f(xs: &[i32]) -> i32 { todo!() }\n",
        "fn f(xs: &[i32]) -> i32 {\n    // TODO\n    unimplemented!();\n}\n",
        "fn f(xs: &[i32]) -> i32 {}\n",
        "fn f(xs: &[i32]) -> i32;\n",
    ] {
        expected.assert_eq(&spliced(&format!("// @spec F.\n{stub}"), BODY, &[]));
    }
}

#[test]
fn depth_and_unit_are_the_files_own() {
    check(
        "mod m {\n  impl A {\n    /// Words.\n    // @spec F.\n    fn f(&self, xs: &[i32]) -> i32\n    where\n      i32: Copy,\n    {\n      todo!()\n    } // end\n  }\n}\n",
        BODY,
        &[],
        expect![[r#"
            mod m {
              impl A {
                /// Words.
                // @spec F.
                fn f(&self, xs: &[i32]) -> i32
                where
                  i32: Copy,
                {
                  // sum
                  let mut total = 0;
                  for x in xs {
                    if *x > 0 {
                      total += x;
                    }
                  }
                  let _ = "a
              b";
                  total
                } // end
              }
            }
        "#]],
    );
    let windows = spliced(
        "struct A;\r\nimpl A {\r\n\t// @spec F.\r\n\tfn f(xs: &[i32]) -> i32 { todo!() }\r\n}\r\n",
        "// one\nif a {\n    b()\n}",
        &["use std::fmt;"],
    );
    assert_eq!(
        windows,
        "use std::fmt;\r\n\r\nstruct A;\r\nimpl A {\r\n\t// @spec F.\r\n\tfn f(xs: &[i32]) -> i32 {\r\n\t\t// one\r\n\t\tif a {\r\n\t\t\tb()\r\n\t\t}\r\n\t}\r\n}\r\n"
    );
}

#[test]
fn imports_go_to_the_functions_own_module() {
    let map = &["use std::collections::HashMap;", "use std::fmt::Write as _;"];
    let body = "HashMap::<u8, u8>::new().len()";
    check(
        "//! Doc.\n#![allow(dead_code)]\n\nuse std::fmt;\nuse std::io;\n\n// @spec F.\nfn f() -> usize { todo!() }\n\nuse std::env;\n",
        body,
        map,
        expect![[r#"
        //! Doc.
        #![allow(dead_code)]

        use std::fmt;
        use std::io;
        use std::collections::HashMap;
        use std::fmt::Write as _;

        // @spec F.
        fn f() -> usize {
            HashMap::<u8, u8>::new().len()
        }

        use std::env;
    "#]],
    );
    check(
        "//! Doc.\n\n// @spec F.\nfn f() -> usize { todo!() }\n",
        body,
        map,
        expect![[r#"
        //! Doc.

        use std::collections::HashMap;
        use std::fmt::Write as _;

        // @spec F.
        fn f() -> usize {
            HashMap::<u8, u8>::new().len()
        }
    "#]],
    );
    check(
        "// Licence.\n\n// @spec F.\nfn f() -> usize { todo!() }\n",
        body,
        map,
        expect![[r#"
        // Licence.

        use std::collections::HashMap;
        use std::fmt::Write as _;

        // @spec F.
        fn f() -> usize {
            HashMap::<u8, u8>::new().len()
        }
    "#]],
    );
    check(
        "#!/usr/bin/env run\n\n// @spec F.\nfn f() -> usize { todo!() }\n",
        body,
        map,
        expect![[r#"
        #!/usr/bin/env run

        use std::collections::HashMap;
        use std::fmt::Write as _;

        // @spec F.
        fn f() -> usize {
            HashMap::<u8, u8>::new().len()
        }
    "#]],
    );
}

#[test]
fn imports_of_inner_modules_and_those_that_are_there() {
    let map = &["use std::collections::HashMap;", "use std::fmt::Write as _;"];
    let body = "HashMap::<u8, u8>::new().len()";
    check(
        "\u{feff}// @spec F.\nfn f() -> usize { todo!() }\n",
        body,
        map,
        expect![[r#"
        ﻿use std::collections::HashMap;
        use std::fmt::Write as _;

        // @spec F.
        fn f() -> usize {
            HashMap::<u8, u8>::new().len()
        }
    "#]],
    );
    check(
        "use std::collections::HashMap;\nmod m {\n    // @spec F.\n    fn f() -> usize { todo!() }\n}\n",
        body,
        map,
        expect![[r#"
        use std::collections::HashMap;
        mod m {
            use std::collections::HashMap;
            use std::fmt::Write as _;

            // @spec F.
            fn f() -> usize {
                HashMap::<u8, u8>::new().len()
            }
        }
    "#]],
    );
    check(
        "use std::collections::*;\nuse std::fmt::{self, Write as _};\n// @spec F.\nfn f() -> usize { todo!() }\n",
        body,
        map,
        expect![[r#"
        use std::collections::*;
        use std::fmt::{self, Write as _};
        // @spec F.
        fn f() -> usize {
            HashMap::<u8, u8>::new().len()
        }
    "#]],
    );
}

#[test]
fn an_import_that_changes_what_a_name_means_is_refused() {
    let refused =
        spliced("struct HashMap;\n// @spec F.\nfn f() { todo!() }\n", "g()", &["use std::collections::HashMap;"]);
    assert_eq!(refused, "error: `use std::collections::HashMap;` would change the meaning of `HashMap` in this file");
    let refused = spliced("use std::fmt::Result;\n// @spec F.\nfn f() { todo!() }\n", "g()", &["use std::io::Result;"]);
    assert_eq!(refused, "error: `use std::io::Result;` would change the meaning of `Result` in this file");
}

#[test]
fn a_stale_task_and_a_broken_body_are_refused() {
    let source = "// @spec F.\nfn f() { todo!() }\n";
    assert_eq!(spliced(source, "}\nfn g() {", &[]), "error: the candidate's body does not parse");
    assert_eq!(spliced(source, " ", &[]), "error: the candidate's body does not parse");
    let mut moved = task(source);
    moved.source = Arc::from("\n// @spec F.\nfn f() { todo!() }\n");
    let error = splice(&moved, &candidate("1;", &[])).unwrap_err();
    assert_eq!(error, "`f` is no longer where it was; analyse the file again");
}

proptest! {
    #[test]
    fn nothing_but_the_body_and_one_place_for_imports_changes(
        before in "(fn a\\(\\) \\{\\}\n|// note\n|/\\* c \\*/\n|\n){0,4}",
        after in "(fn z\\(\\) \\{\\}\n|// é\n|\n){0,4}",
        lines in prop::collection::vec("v[a-z]{1,3}\\(\\);", 1..4),
    ) {
        let source = format!("{before}\n// @spec F.\n// @example f() == 1\nfn f() -> i32 {{ todo!() }}\n{after}");
        let spliced = spliced(&source, &lines.join("\n"), &["use std::fmt;"]);
        let rest = spliced.replacen("use std::fmt;\n\n", "", 1);
        let body = format!("{{\n    {}\n}}", lines.join("\n    "));
        prop_assert_eq!(rest, source.replace("{ todo!() }", &body));
    }
}
