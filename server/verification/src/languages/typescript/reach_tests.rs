//! What code reaches for, by its full name.

use super::*;
use crate::languages::typescript::specs::analyse;
use expect_test::{Expect, expect};
use std::path::Path;
use std::sync::Arc;
use zeroerr_core::code::TextRange;

fn check(source: &str, expected: Expect) {
    let any = analyse(Path::new("f.ts"), &Arc::from("// @spec F.\nfunction f() {}\n")).tasks.remove(0);
    let found = before(source, &any);
    let out: String = found.iter().map(|r| format!("{} {} {}\n", r.line, r.capability, r.target)).collect();
    expected.assert_eq(&out);
}

#[test]
fn modules_are_followed_through_imports_and_aliases() {
    check(
        "import * as fs from 'node:fs';\nimport { exec as run } from \"child_process\";\nimport type { Server } from 'net';\nconst read = fs.readFileSync;\nconst os = require('os');\n\
         function f(s: Server) {\n  run('ls');\n  read('/etc/passwd');\n  os.homedir() + os.EOL;\n  const { get } = require('https');\n  get('x');\n}\n",
        expect![[r#"
            7 process child_process.exec
            8 files fs.readFileSync
            9 environment os.homedir
            10 network https
            11 network https.get
        "#]],
    );
}

#[test]
fn globals_evaluation_and_tampering() {
    check(
        "const f = async (x) => {\n  await fetch(x);\n  globalThis.fetch(x);\n  const run = eval;\n  new Function('return 1');\n  (() => {}).constructor('return 1')();\n  await import(x);\n  await import('./own.js');\n  process.env.HOME;\n  process['exit'](1);\n  Array.prototype.last = 1;\n  ({}).__proto__.y = 1;\n  x['__proto__'] = {};\n  globalThis.state = 1;\n  Math.random = () => 4;\n  Object.defineProperty(Object.prototype, 'z', {});\n  setTimeout('alert(1)', 1);\n};\n",
        expect![[r#"
            2 network fetch
            3 network fetch
            4 evaluation eval
            5 evaluation Function
            6 evaluation Function
            7 evaluation import
            9 environment process.env.HOME
            10 process process.exit
            11 reflection Array.prototype.last
            12 reflection __proto__
            13 reflection __proto__
            14 reflection state
            15 reflection Math.random
            16 reflection Object.prototype
            17 evaluation setTimeout
        "#]],
    );
}

#[test]
fn a_member_that_is_made_up_is_no_way_to_a_constructor() {
    check(
        "const f = (kind, handlers) => {\n  const g = () => 1;\n  (() => {})['constr' + 'uctor']('return 1')();\n  (() => {})[kind]('return 1')();\n  g[kind]('return 1')();\n  const made = (function () {})[kind];\n  f[kind]('return 1');\n  kind[`constructor`]['constructor']('return 1')();\n  globalThis['pro' + 'cess'].exit();\n};\n",
        expect![[r#"
            3 evaluation Function
            4 evaluation Function
            5 evaluation Function
            6 evaluation Function
            7 evaluation Function
            8 evaluation Function
            9 process process.exit
        "#]],
    );
    check(
        "const f = (kind, handlers, xs) => {\n  const at = () => 1;\n  const cached = at[kind];\n  return handlers[kind](xs) + handlers[`on${kind}`](xs) + xs[0](at()) + [() => 1, () => 2][kind]() + { a: () => 1 }[kind]() + Math[kind](1) + cached;\n};\n",
        expect![""],
    );
}

#[test]
fn pure_code_and_own_names_reach_for_nothing() {
    check(
        "import { join } from 'node:path';\nfunction f(fetch: number[], xs: Map<string, number>) {\n  const process = fetch.map((eval_) => eval_ + 1);\n  const o = { fs: 1, eval: 2 };\n  o.eval = 3;\n  xs.set('fetch', process.length);\n  class Q { exit() { return this.constructor.name; } }\n  console.log(join('a', 'b'), Math.max(...fetch), Array.prototype.slice.call(fetch), o.fs);\n  return process[0] + Number.parseInt('1', 10);\n}\n",
        expect![""],
    );
}

#[test]
fn imports_alone_and_ranges() {
    let source = "import fs from 'fs';\nimport { join } from 'path';\nimport type { Socket } from 'net';\nfunction g() { fetch('x'); }\n";
    let found: Vec<String> = of_imports(source, Dialect::TypeScript).iter().map(|r| r.target.clone()).collect();
    assert_eq!(found, ["fs"]);
    let path = Path::new("/p/a.ts");
    let spec = "import fs from 'fs';\n// @spec Reads.\nfunction g(p: string): string { return fs.readFileSync(p).toString(); }\n";
    let mut task = analyse(path, &Arc::from(spec)).tasks.remove(0);
    let targets = |task: &Task| of_function(task).map(|all| all.into_iter().map(|r| r.target).collect::<Vec<_>>());
    assert_eq!(targets(&task), Some(vec!["fs.readFileSync".to_owned()]));
    task.function_range = TextRange::new(0, 3);
    assert_eq!(targets(&task), Some(vec!["fs.readFileSync".to_owned()]), "its name counts, not a range that moved");
    task.source = Arc::from("import fs from 'fs';\n");
    assert_eq!(targets(&task), None, "a function that is not there is not clean");
}
