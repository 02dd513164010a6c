//! TypeScript and JavaScript in an editor: the adapter reads and writes the file, the rest is as in every language.

use serde_json::{Value, json};
use zeroerr_core::verdict::{Finding, Layer};
use zeroerr_test_support::{ClientKind, LspClient};

use crate::workbench::{FakeWorkbench, Script};
use crate::{action, connect, logged, titles};

const TS: &str = "file:///workspace/ws/list.ts";
const JS: &str = "file:///workspace/ws/list.js";

const LARGEST: &str = "import { sep } from 'node:path'

// @spec The largest of xs, as a text.
// @requires xs.length > 0
// @example largest([1, 3]) === '3'
// @ensures xs.includes(Number(result))
// @property largest(xs) === largest([...xs].reverse())
export function largest(xs: number[]): string {
\tthrow new Error('not implemented')
}

export const LIMIT = sep.length
";

/// With an import of its own, in another layout.
const RESPONSE: &str = "Here it is:

```typescript
import { format } from \"node:util\";

export function largest(xs: number[]): string {
  return format(\"%d\", Math.max(...xs));
}
```
";

const DOCUMENTED: &str = "'use strict'

/**
 * The largest of xs.
 *
 * @param {number[]} xs
 * @returns {number}
 * @example
 * largest([1, 3]) // => 3
 * @ensures xs.includes(result)
 */
const largest = (xs) => {
  return xs[0]
}

module.exports = { largest }
";

async fn open(
    kind: ClientKind,
    workbench: &std::sync::Arc<FakeWorkbench>,
    place: (&str, &str),
    text: &str,
) -> LspClient {
    let (mut client, _) = connect(kind, workbench);
    client.initialize().await;
    client.open(place.0, place.1, text).await;
    assert_eq!(client.diagnostics(place.0).await, Vec::<Value>::new(), "the spec is right");
    client
}

#[tokio::test]
async fn a_stub_is_offered_to_be_written_and_only_its_body_and_its_import_are_put_in() {
    for kind in [ClientKind::VsCode, ClientKind::Neovim, ClientKind::Helix] {
        let workbench = FakeWorkbench::new([("largest", Script::Answered(RESPONSE))]);
        let mut client = open(kind, &workbench, (TS, "typescript"), LARGEST).await;
        let actions = client.code_actions(TS, "function largest").await;
        client.pick(action(&actions, "Implement with verified code")).await;
        logged(&mut client, "was written").await;
        let expected = LARGEST
            .replace("'node:path'\n", "'node:path'\nimport { format } from 'node:util'\n")
            .replace("throw new Error('not implemented')", "return format(\"%d\", Math.max(...xs));");
        assert_eq!(client.buffer(TS).text, expected);
        client.leave().await;
    }
}

#[tokio::test]
async fn every_language_of_the_family_is_known_by_the_names_that_editors_give_it() {
    for (file, language) in [
        ("a.ts", "typescript"),
        ("a.tsx", "typescriptreact"),
        ("a.js", "javascript"),
        ("a.jsx", "javascriptreact"),
        ("a.mts", "ts"),
        ("a.mjs", "js"),
    ] {
        let workbench = FakeWorkbench::new([]);
        let (mut client, _) = connect(ClientKind::Neovim, &workbench);
        client.initialize().await;
        let uri = format!("file:///workspace/ws/{file}");
        client.open(&uri, language, "// @spec Twice x.\n// @example twice(2) === 4\nfunction twice(x) {}\n").await;
        client.diagnostics(&uri).await;
        let actions = client.code_actions(&uri, "function twice").await;
        assert!(titles(&actions).contains(&"Implement with verified code"), "{language}: {:?}", titles(&actions));
        client.leave().await;
    }
}

#[tokio::test]
async fn a_slip_in_a_spec_is_shown_where_it_is() {
    let text = LARGEST.replace("=== '3'", "===").replace("@ensures", "@ensure");
    let (mut client, _) = connect(ClientKind::VsCode, &FakeWorkbench::new([]));
    client.initialize().await;
    client.open(TS, "typescript", &text).await;
    let shown = client.diagnostics(TS).await;
    let places: Vec<(&str, u64)> =
        shown.iter().map(|d| (d["code"].as_str().unwrap(), d["range"]["start"]["line"].as_u64().unwrap())).collect();
    assert_eq!(places, [("spec.bad-expression", 4), ("spec.unknown-tag", 5)], "{shown:?}");
    let fixes = client.code_actions(TS, "@ensure ").await;
    client.pick(action(&fixes, "Change to `@ensures`")).await;
    assert!(client.buffer(TS).text.contains("// @ensures xs.includes"), "{}", client.buffer(TS).text);
    client.leave().await;
}

fn finding(code: &str, line: usize, call: Option<&str>, spec_line: Option<usize>) -> Finding {
    let counterexample = call.map(str::to_owned);
    Finding { code: code.into(), message: "objects".into(), line, counterexample, spec_line, url: None }
}

async fn verify(client: &mut LspClient, workbench: &FakeWorkbench, uri: &str) {
    client.command("zeroerr.verify", json!({ "uri": uri, "function": "largest" })).await;
    client.progress("begin").await;
    workbench.release();
    client.progress("end").await;
}

/// What every layer objects to stands on its line under its own code; a law's counterexample leads to the law.
#[tokio::test]
async fn every_layer_shows_what_it_objects_to() {
    let written = LARGEST.replace("throw new Error('not implemented')", "return String(xs[0])");
    let codes = [
        (Layer::Syntax, "syntax.parse"),
        (Layer::Types, "types.TS2322"),
        (Layer::Contracts, "contracts.ensures"),
        (Layer::Tests, "tests.example"),
        (Layer::Properties, "properties.falsified"),
        (Layer::Analysis, "analysis.no-debugger"),
        (Layer::Security, "security.files"),
        (Layer::Performance, "performance.budget"),
    ];
    let found = codes.map(|(layer, code)| {
        let call = (layer == Layer::Properties).then_some("largest([0, 1])");
        (layer, finding(code, 9, call, call.map(|_| 7)))
    });
    let workbench = FakeWorkbench::gated([("largest", Script::Findings(found.to_vec()))]);
    let mut client = open(ClientKind::VsCode, &workbench, (TS, "typescript"), &written).await;
    verify(&mut client, &workbench, TS).await;
    let shown = client.diagnostics(TS).await;
    let mut seen: Vec<&str> = shown.iter().map(|d| d["code"].as_str().unwrap()).collect();
    seen.sort_unstable();
    let mut expected = codes.map(|(_, code)| code);
    expected.sort_unstable();
    assert_eq!(seen, expected);
    for diagnostic in &shown {
        assert_eq!((&diagnostic["source"], &diagnostic["range"]["start"]["line"]), (&json!("zeroerr"), &json!(8)));
    }
    let law = shown.iter().find(|d| d["code"] == "properties.falsified").unwrap();
    assert_eq!(law["relatedInformation"][0]["location"]["range"]["start"]["line"], 6, "the law");
    let actions = client.code_actions(TS, "String(xs[0])").await;
    client.pick(action(&actions, "Keep the counterexample: @example largest([0, 1]) ===")).await;
    let kept = "reverse())\n// @example largest([0, 1]) === largest([...[0, 1]].reverse())\nexport function";
    assert!(client.buffer(TS).text.contains(kept), "{}", client.buffer(TS).text);
    client.leave().await;
}

#[tokio::test]
async fn in_a_block_comment_a_counterexample_is_kept_as_one_of_its_lines() {
    let found = vec![(Layer::Contracts, finding("contracts.ensures", 13, Some("largest([0, 1])"), Some(10)))];
    let workbench = FakeWorkbench::gated([("largest", Script::Findings(found))]);
    let mut client = open(ClientKind::VsCode, &workbench, (JS, "javascript"), DOCUMENTED).await;
    verify(&mut client, &workbench, JS).await;
    client.diagnostics(JS).await;
    let actions = client.code_actions(JS, "return xs[0]").await;
    client.pick(action(&actions, "Keep the counterexample: @example [0, 1].includes(largest([0, 1]))")).await;
    let kept = " * @ensures xs.includes(result)\n * @example [0, 1].includes(largest([0, 1]))\n */\nconst largest";
    assert!(client.buffer(JS).text.contains(kept), "{}", client.buffer(JS).text);
    client.leave().await;
}
