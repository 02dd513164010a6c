//! What the file looks like after a candidate went in, and what must never change.

use super::*;
use crate::languages::typescript::specs::analyse;
use crate::languages::typescript::tree::{normalised, parse_any};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::path::Path;
use std::sync::Arc;
use zeroerr_core::code::apply_edits;

fn task(source: &str) -> Task {
    analyse(Path::new("f.ts"), &Arc::from(source)).tasks.remove(0)
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
    assert!(!parse_any(&after).unwrap().root_node().has_error(), "{after}");
    expected.assert_eq(&after);
}

const BODY: &str = "// sum\nlet total = 0;\nfor (const x of xs) {\n  if (x > 0) {\n    total += x;\n  }\n}\nconst s = `a\n  b`;\nreturn total;";

#[test]
fn every_stub_becomes_the_same_function() {
    let expected = expect![[r#"
        // @spec F.
        function f(xs: number[]): number {
          // sum
          let total = 0;
          for (const x of xs) {
            if (x > 0) {
              total += x;
            }
          }
          const s = `a
          b`;
          return total;
        }
    "#]];
    for stub in [
        "function f(xs: number[]): number { throw new Error('todo'); }\n",
        "function f(xs: number[]): number {\n  // TODO\n}\n",
        "function f(xs: number[]): number {}\n",
        "function f(xs: number[]): number;\n",
        "function f(xs: number[]): number\n",
    ] {
        expected.assert_eq(&spliced(&format!("// @spec F.\n{stub}"), BODY, &[]));
    }
    check(
        "// @spec F.\nexport const f = (xs: number[]): number => xs[0]; // end\n",
        "return 1;",
        &[],
        expect![[r#"
            // @spec F.
            export const f = (xs: number[]): number => {
              return 1;
            }; // end
        "#]],
    );
}

#[test]
fn members_fields_and_exports_keep_what_is_around_them() {
    let spliced = |source: &str| {
        let after = spliced(source, "return x + 1;", &[]);
        assert!(!parse_any(&after).unwrap().root_node().has_error(), "{after}");
        after
    };
    for (before, after) in [
        (
            "const api = {\n  a: 1,\n  // @spec F.\n  f(x) {},\n  b: 2,\n};\n",
            "const api = {\n  a: 1,\n  // @spec F.\n  f(x) {\n    return x + 1;\n  },\n  b: 2,\n};\n",
        ),
        (
            "const api = {\n\t// @spec F.\n\tf: (x) => 0, g: 1\n};\n",
            "const api = {\n\t// @spec F.\n\tf: (x) => {\n\t\treturn x + 1;\n\t}, g: 1\n};\n",
        ),
        (
            "class A {\n    // @spec F.\n    f = (x) => 0;\n    g = 1;\n}\n",
            "class A {\n    // @spec F.\n    f = (x) => {\n        return x + 1;\n    };\n    g = 1;\n}\n",
        ),
        ("// @spec F.\nexports.f = (x) => 0;\n", "// @spec F.\nexports.f = (x) => {\n  return x + 1;\n};\n"),
        (
            "// @spec F.\nmodule.exports.f = function (x) {};\n",
            "// @spec F.\nmodule.exports.f = function (x) {\n  return x + 1;\n};\n",
        ),
        (
            "// @spec F.\nexport default function (x) {}\n",
            "// @spec F.\nexport default function (x) {\n  return x + 1;\n}\n",
        ),
        ("// @spec F.\nexport default (x) => 0;\n", "// @spec F.\nexport default (x) => {\n  return x + 1;\n};\n"),
    ] {
        assert_eq!(spliced(before), after);
    }
}

#[test]
fn depth_and_unit_are_the_files_own() {
    check(
        "namespace N {\n    export class A {\n        /** Words. */\n        // @spec F.\n        @log\n        f(xs: number[]): number\n        {\n            throw new Error('stub');\n        } // end\n    }\n}\n",
        BODY,
        &[],
        expect![[r#"
            namespace N {
                export class A {
                    /** Words. */
                    // @spec F.
                    @log
                    f(xs: number[]): number
                    {
                        // sum
                        let total = 0;
                        for (const x of xs) {
                            if (x > 0) {
                                total += x;
                            }
                        }
                        const s = `a
              b`;
                        return total;
                    } // end
                }
            }
        "#]],
    );
    let windows = spliced(
        "class A {\r\n\t// @spec F.\r\n\tf(xs) {}\r\n}\r\n",
        "// one\nif (a) {\n  b()\n}",
        &["import os from \"os\";"],
    );
    assert_eq!(
        windows,
        "import os from \"os\";\r\n\r\nclass A {\r\n\t// @spec F.\r\n\tf(xs) {\r\n\t\t// one\r\n\t\tif (a) {\r\n\t\t\tb()\r\n\t\t}\r\n\t}\r\n}\r\n"
    );
    let four = spliced("const o = {\n    a: 1,\n};\n// @spec F.\nfunction f() {}\n", "return 1;", &[]);
    assert!(four.ends_with("function f() {\n    return 1;\n}\n"), "{four}");
}

#[test]
fn imports_join_those_of_the_file() {
    let imports = &[
        "import { join, sep as s } from \"node:path\";",
        "import os from \"os\";",
        "import type { Stats } from \"fs\";",
    ];
    check(
        "#!/usr/bin/env node\n// Licence.\n\nimport fs from 'fs'\nimport {\n  resolve,\n} from 'node:path'\n\n// @spec F.\nfunction f() {}\n",
        "return 1",
        imports,
        expect![[r#"
            #!/usr/bin/env node
            // Licence.

            import fs from 'fs'
            import {
              resolve, join, sep as s,
            } from 'node:path'
            import os from 'os'
            import type { Stats } from 'fs'

            // @spec F.
            function f() {
              return 1
            }
        "#]],
    );
    check(
        "'use strict';\nconst fs = require('fs');\n\n// @spec F.\nfunction f() {}\nmodule.exports = { f };\n",
        "return 1;",
        &["import { join } from \"node:path\";", "import fs from \"fs\";", "import os from \"os\";"],
        expect![[r#"
            'use strict';
            const fs = require('fs');
            const { join } = require('node:path');
            const os = require('os');

            // @spec F.
            function f() {
              return 1;
            }
            module.exports = { f };
        "#]],
    );
    check(
        "// Licence.\n\n// @spec F.\nfunction f() {}\n",
        "return 1;",
        &["import os from \"os\";"],
        expect![[r#"
            // Licence.

            import os from "os";

            // @spec F.
            function f() {
              return 1;
            }
        "#]],
    );
    check(
        "\u{feff}// @spec F.\nfunction f() {}\n",
        "return 1;",
        &["import os from \"os\";"],
        expect![[r#"
            ﻿import os from "os";

            // @spec F.
            function f() {
              return 1;
            }
        "#]],
    );
}

#[test]
fn an_import_that_changes_what_a_name_means_is_refused() {
    let refused = spliced("class os {}\n// @spec F.\nfunction f() {}\n", "g()", &["import os from \"os\";"]);
    assert_eq!(refused, "error: `import os from \"os\"` would change the meaning of `os` in this file");
    let refused = spliced(
        "import { join } from './mine';\n// @spec F.\nfunction f() {}\n",
        "g()",
        &["import { join } from \"path\";"],
    );
    assert_eq!(refused, "error: `import { join } from \"path\"` would change the meaning of `join` in this file");
}

#[test]
fn a_stale_task_and_a_broken_body_are_refused() {
    let source = "// @spec F.\nfunction f() {}\n";
    assert_eq!(spliced(source, "}\nfunction g() {", &[]), "error: the candidate's body does not parse");
    assert_eq!(spliced(source, " ", &[]), "error: the candidate's body does not parse");
    let mut moved = task(source);
    moved.source = Arc::from("\n// @spec F.\nfunction f() {}\n");
    let error = splice(&moved, &candidate("1;", &[])).unwrap_err();
    assert_eq!(error, "`f` is no longer where it was; analyse the file again");
}

/// Files in which the function stands in every form, depth and layout.
fn files() -> impl Strategy<Value = String> {
    let head = prop::sample::select(vec![
        "",
        "#!/usr/bin/env node\n",
        "// Licence é\n\n",
        "'use strict';\n",
        "import { x } from './x';\n",
        "import y, { sub } from \"re\"\nimport z from 'z'\n",
        "const q = require('q')\n",
        "const o = {\n    a: 1,\n}\n",
        "/* c */\nclass Z {\n\tz() {\n\t\treturn 1\n\t}\n}\n",
    ]);
    let form = prop::sample::select(vec![
        "// @spec F.\n// @example f([1]) === 1\nexport function f(xs: number[]): number { throw new Error('todo') }\n",
        "/**\n * Words.\n * @example f([1]); // => 1\n */\nfunction f(xs) {}\n",
        "// @spec F.\nexport const f = (xs: number[]) => {\n    // TODO\n};\n",
        "// @spec F.\nconst f = xs => xs\n",
        "// @spec F.\nfunction f(xs: number[]): number;\n",
        "class A {\n  // @spec F.\n  @log() static async f(xs: number[]) { }\n}\n",
        "namespace N {\n\t// @spec F.\n\texport function f(xs: string): number\n\t{\n\t\treturn 1;\n\t}\n}\n",
        "function outer() {\n    // @spec F.\n    const f = function* (xs) {\n        yield 1;\n    }\n    return f\n}\n",
    ]);
    let tail =
        prop::sample::select(vec!["", "\n\nfunction g() { return `\n  ${f}` }\n", "// end 🎉", "export default f\n"]);
    (head, form, tail, any::<bool>()).prop_map(|(head, form, tail, windows)| {
        let whole = format!("{head}{form}{tail}");
        if windows { whole.replace('\n', "\r\n") } else { whole }
    })
}

fn bodies() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "let a = 1;",
        "// remark é",
        "const s = `a\n  b ${xs.map((x) => {\n  return x;\n})} \n`;",
        "if (xs) {\n  xs();\n} else {\n  xs(1);\n}",
        "for (const x of xs) {\n\tif (x) {\n\t\tcontinue;\n\t}\n}",
        "/* one\n   two */",
        "const o = {\n    k: [\n        1,\n    ],\n};",
        "xs\n  .map((x) => x)\n  .filter(Boolean);",
    ]);
    prop::collection::vec(part, 1..5).prop_map(|parts| format!("{}\nreturn 0;", parts.join("\n")))
}

fn tokens(text: &str) -> String {
    let whole = format!("async function* f() {{\n{text}\n}}\n");
    normalised(parse_any(&whole).unwrap().root_node(), &whole)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_splice_changes_the_body_and_nothing_else(source in files(), body in bodies(), imports in prop::sample::subsequence(vec!["import os from \"os\";", "import { compile as c } from \"re\";", "import * as p from \"path\";"], 0..3)) {
        let before = task(&source);
        let candidate = candidate(&body, &imports);
        let edits = splice(&before, &candidate).map_err(|e| TestCaseError::fail(format!("{e}\n{source}")))?;
        let after = apply_edits(&source, &edits).ok_or_else(|| TestCaseError::fail("edits overlap"))?;
        prop_assert!(!parse_any(&after).unwrap().root_node().has_error(), "{after}");

        // The same task is found again, now with the candidate's body.
        let found = task(&after);
        prop_assert_eq!(found.spec.hash(), before.spec.hash());
        prop_assert_eq!(&found.signature, &before.signature);
        prop_assert!(!found.is_stub);
        let kept = found.body_range.slice(&after);
        let inner = kept.strip_prefix('{').and_then(|k| k.strip_suffix('}')).unwrap_or("");
        prop_assert_eq!(tokens(&inner.replace("\r\n", "\n")), tokens(&body), "{}\n---\n{}", kept, after);

        // Outside of the edits every byte is the same.
        let tail = &source[before.body_range.end..];
        prop_assert!(after.ends_with(tail));
        let (mut rest, mut sorted) = (after.clone(), edits.clone());
        sorted.sort_by_key(|e| e.range.start);
        for edit in sorted {
            prop_assert!(edit.range == before.body_range || edit.range.is_empty());
            // Undone from the front, so that what stands behind has its old place again.
            let at = edit.range.start;
            rest.replace_range(at..at + edit.new_text.len(), edit.range.slice(&source));
        }
        prop_assert_eq!(&rest, &source);
        if source.contains("\r\n") {
            prop_assert!(!after.replace("\r\n", "").contains('\n'), "{after:?}");
        }

        // A second splice of the same candidate changes nothing: no import comes twice.
        let again = splice(&found, &candidate).map_err(TestCaseError::fail)?;
        prop_assert_eq!(apply_edits(&after, &again).unwrap(), after);
    }
}
