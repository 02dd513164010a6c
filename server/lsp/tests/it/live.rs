//! What a client that asks for it is told beyond the protocol. That others are told nothing of it is
//! in the transcripts of `flows.rs`.

use expect_test::{Expect, expect};
use serde_json::{Value, json};
use zeroerr_core::verdict::{Finding, Layer};
use zeroerr_test_support::{ClientKind, LspClient};

use crate::workbench::{FakeWorkbench, Script};
use crate::{DOUBLE, URI, connect};

/// An editor that asks for everything, with `DOUBLE` open.
async fn curious(scripts: impl IntoIterator<Item = (&'static str, Script)>) -> LspClient {
    let (mut client, _) = connect(ClientKind::VsCode, &FakeWorkbench::new(scripts));
    client
        .initialize_with(|params| {
            params["capabilities"]["experimental"] =
                json!({ "zeroerr": { "runs": true, "marks": true, "reports": true } });
        })
        .await;
    client.open(URI, "python", DOUBLE).await;
    client
}

/// The next states of the document's functions in which `double` is in this one.
async fn until(client: &mut LspClient, state: &str) -> Value {
    loop {
        let params = client.next("zeroerr/marks").await;
        let function = params["functions"][0].clone();
        if params["uri"] == URI && function["state"] == state {
            return function;
        }
    }
}

fn shown(function: &Value, expected: Expect) {
    let layers: Vec<_> = function["layers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|l| format!("{}={}", l["layer"].as_str().unwrap(), l["verdict"].as_str().unwrap()))
        .collect();
    expected.assert_eq(&format!(
        "{} in line {}, moved {}: {:?} {}",
        function["function"].as_str().unwrap(),
        function["line"],
        function["moved"],
        function["title"].as_str().unwrap(),
        layers.join(" ")
    ));
}

#[tokio::test]
async fn a_functions_state_is_about_exactly_its_text() {
    let finding = Finding {
        code: "tests.example".into(),
        message: "double(2) gave 5, expected 4".into(),
        line: 5,
        counterexample: None,
        spec_line: None,
        url: None,
    };
    let mut client = curious([
        ("double", Script::body("return x * 2")),
        ("double", Script::Findings(vec![(Layer::Tests, finding)])),
    ])
    .await;
    shown(&until(&mut client, "unchecked").await, expect![[r#"double in line 4, moved 0: "" "#]]);

    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    until(&mut client, "running").await;
    shown(
        &until(&mut client, "passed").await,
        expect![[
            r#"double in line 4, moved 0: "7/8 checks @v2 · 5 votes, ahead by 3" syntax=passed types=passed contracts=passed tests=passed properties=passed analysis=passed security=passed performance=not_applicable"#
        ]],
    );

    // Lines above move the function and leave what is known of it.
    client.replace(URI, "import os", "import os\nimport sys").await;
    let moved = until(&mut client, "passed").await;
    assert_eq!((&moved["line"], &moved["moved"]), (&json!(5), &json!(1)));

    client.replace(URI, "x * 2", "x * 2 + 1").await;
    shown(&until(&mut client, "changed").await, expect![[r#"double in line 5, moved 0: "" "#]]);

    client.command("zeroerr.verify", json!({ "uri": URI, "function": "double" })).await;
    let failed = until(&mut client, "failed").await;
    let tests = failed["layers"].as_array().unwrap().iter().find(|l| l["layer"] == "tests").unwrap();
    assert_eq!(tests["findings"][0]["message"], "double(2) gave 5, expected 4");

    client.close(URI).await;
    let gone = client.next("zeroerr/marks").await;
    assert_eq!(gone["functions"], json!([]));
    client.transcript();
    client.leave().await;
}

#[tokio::test]
async fn what_a_wrong_function_would_pass_too_and_what_was_given_up_have_not_passed() {
    let mut client = curious([
        ("double", Script::Unproven { suggestions: vec!["@example double(3) == 6".into()] }),
        ("double", Script::body("return x * 2")),
        ("double", Script::NoEvidence),
    ])
    .await;
    until(&mut client, "unchecked").await;
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    let abstained = until(&mut client, "abstained").await;
    assert_eq!(abstained["layers"], json!([]), "the verdicts on a candidate are not about this text");

    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    until(&mut client, "passed").await;
    client.command("zeroerr.verify", json!({ "uri": URI, "function": "double" })).await;
    until(&mut client, "running").await;
    let bare = loop {
        let function = client.next("zeroerr/marks").await["functions"][0].clone();
        if function["state"] != "running" {
            break function;
        }
    };
    assert_eq!((&bare["state"], &bare["title"]), (&json!("unchecked"), &json!("7/8 checks @v2")));
    client.transcript();
    client.leave().await;
}

#[tokio::test]
async fn a_runs_news_come_in_order_and_end_once() {
    let mut client = curious([("double", Script::body("return x * 2"))]).await;
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    let mut seen = String::new();
    loop {
        let params = client.next("zeroerr/run").await;
        assert_eq!(
            (&params["job"], &params["kind"], &params["function"]),
            (&json!(1), &json!("implement"), &json!("double"))
        );
        for news in params["news"].as_array().unwrap() {
            seen += &format!("{}\n", news["event"].as_str().unwrap());
        }
        if !params["end"].is_null() {
            for part in ["outcome", "message", "run"] {
                seen += &format!("{part}: {}\n", params["end"][part].as_str().unwrap());
            }
            break;
        }
    }
    expect![[r#"
        started
        voted
        outcome: verified
        message: 7 of 8 checks passed; performance: nothing to check (no @budget)
        run: run-1
    "#]]
    .assert_eq(&seen);
    until(&mut client, "passed").await;
    client.command("zeroerr.showReport", json!({ "uri": URI, "function": "double" })).await;
    let report = client.next("zeroerr/report").await;
    assert_eq!(report, json!({ "title": "zeroerr: double", "html": "<!doctype html>the page of run-1" }));
    assert!(!client.transcript().contains("outcome"), "it ended twice");
    client.leave().await;
}
