//! A counterexample of a contract is one action away from being an example of the spec.

use serde_json::json;
use zeroerr_core::verdict::{Finding, Layer};
use zeroerr_test_support::ClientKind;

use crate::workbench::{FakeWorkbench, Script};
use crate::{URI, action, open, titles};

const LARGEST: &str = "# @spec The largest of xs.\n# @example largest([1]) == 1\n# @requires len(xs) > 0\n# @ensures result in xs\n# @ensures result >= max(xs)\n# @property largest(xs) == largest(sorted(xs))\ndef largest(xs):\n    return xs[0]\n";

fn finding(code: &str, message: &str, call: &str, spec_line: usize) -> Finding {
    Finding {
        code: code.into(),
        message: message.into(),
        line: 7,
        counterexample: Some(call.into()),
        spec_line: Some(spec_line),
        url: None,
    }
}

#[tokio::test]
async fn a_counterexample_becomes_an_example_of_the_spec() {
    let found = vec![
        (Layer::Contracts, finding("contracts.ensures", "`result >= max(xs)` is false", "largest([0, 1])", 5)),
        (Layer::Properties, finding("properties.law", "does not hold", "largest([1, 0])", 6)),
        (
            Layer::Contracts,
            finding("contracts.requires", "largest([[]]) raises KeyError although its input", "largest([[]])", 3),
        ),
    ];
    for kind in [ClientKind::VsCode, ClientKind::Neovim] {
        let workbench = FakeWorkbench::gated([("largest", Script::Findings(found.clone()))]);
        let mut client = open(kind, &workbench, LARGEST).await;
        // The finding's lines are those of the text that was checked.
        let start = json!({ "line": 0, "character": 0 });
        client.command("zeroerr.verify", json!({ "uri": URI, "function": "largest" })).await;
        client.progress("begin").await;
        workbench.release();
        client.progress("end").await;
        client.diagnostics(URI).await;
        client.edit(URI, json!({ "start": start, "end": start }), "import os\n\n").await;
        let shown = client.diagnostics(URI).await;
        let ensures = shown.iter().find(|d| d["code"] == "contracts.ensures").unwrap();
        assert!(ensures["message"].as_str().unwrap().ends_with("(counterexample: largest([0, 1]))"));
        let related: Vec<_> = ensures["relatedInformation"].as_array().unwrap().iter().collect();
        assert_eq!(related[0]["location"]["range"]["start"]["line"], 6, "the clause, where it stands now");
        assert_eq!(related[1]["message"], "counterexample: largest([0, 1])");
        let actions = client.code_actions(URI, "return xs").await;
        let kept: Vec<&str> = titles(&actions).into_iter().filter(|t| t.starts_with("Keep")).collect();
        assert_eq!(
            kept,
            [
                "Keep the counterexample: @example largest([0, 1]) >= max([0, 1])",
                "Keep the counterexample: @raises KeyError largest([[]])",
                "Keep the counterexample: @example largest([1, 0]) == largest(sorted([1, 0]))",
            ]
        );
        client.pick(action(&actions, "Keep the counterexample: @example largest([0, 1])")).await;
        let text = &client.buffer(URI).text;
        assert!(
            text.contains("sorted(xs))\n# @example largest([0, 1]) >= max([0, 1])\ndef largest(xs):\n"),
            "it is the last line of the spec: {text}"
        );
        // Another spec: what was found is no longer about it, so nothing is offered twice.
        client.diagnostics(URI).await;
        let actions = client.code_actions(URI, "return xs").await;
        assert!(titles(&actions).iter().all(|t| !t.starts_with("Keep")), "{:?}", titles(&actions));
        client.leave().await;
    }
}
