//! What a user lives in, in each of the four editors.

use expect_test::{Expect, expect, expect_file};
use serde_json::json;
use zeroerr_core::question::{Answer, Question};
use zeroerr_core::report::Disagreement;
use zeroerr_core::verdict::{Finding, Layer};
use zeroerr_test_support::{ClientKind, LspClient};

use crate::workbench::{FakeWorkbench, Script};
use crate::{DOUBLE, URI, action, logged, open, titles};

/// Everything said but reports of progress, whose number depends on the machine, and diagnostics
/// that were asked for, which come when they are.
fn said(client: &mut LspClient) -> String {
    let varies = |l: &str| l.contains("$/progress report") || l.contains("textDocument/diagnostic ");
    client.transcript().lines().filter(|l| !varies(l)).map(|l| format!("{l}\n")).collect()
}

/// Implements `double` by its code action; the conversation from then on.
async fn implement(kind: ClientKind, conversation: Expect) {
    let workbench = FakeWorkbench::gated([("double", Script::body("return x * 2"))]);
    let mut client = open(kind, &workbench, DOUBLE).await;
    let actions = client.code_actions(URI, "def double").await;
    let implement = action(&actions, "Implement with verified code");
    assert_eq!(implement["kind"], "refactor.rewrite");
    assert_eq!(implement["isPreferred"], true);
    client.transcript();
    client.pick(implement).await;
    if kind == ClientKind::Eglot {
        logged(&mut client, "began").await;
    } else {
        client.progress("begin").await;
    }
    workbench.release();
    logged(&mut client, "was written").await;
    // One for the changed text, one for the mark.
    client.next("textDocument/publishDiagnostics").await;
    client.next("textDocument/publishDiagnostics").await;
    assert_eq!(client.buffer(URI).text, DOUBLE.replace("    ...", "    return x * 2"));
    if kind == ClientKind::VsCode {
        for _ in 0..3 {
            client.next("workspace/codeLens/refresh").await;
        }
    }
    conversation.assert_eq(&said(&mut client));
    client.shutdown().await;
}

#[tokio::test]
async fn implement_in_vs_code() {
    implement(ClientKind::VsCode, expect![[r#"
        -> workspace/executeCommand zeroerr.implement
        <- window/workDoneProgress/create zeroerr-1
        <- workspace/codeLens/refresh
        <- $/progress begin | zeroerr: implement `double` | double: 5 votes, ahead by 3 of 3
        <- $/progress end | verified: 7 of 8 checks passed; performance: nothing to check (no @budget)
        <- workspace/codeLens/refresh
        <- workspace/applyEdit @1 5:4 "return x * 2"
        -> textDocument/didChange @2
        <- window/logMessage zeroerr: `double` was written: 7 of 8 checks passed; performance: nothing to check (no @budget)
        <- workspace/diagnostic/refresh
        <- workspace/inlayHint/refresh
        <- workspace/codeLens/refresh
    "#]]).await;
}

#[tokio::test]
async fn implement_in_neovim() {
    implement(ClientKind::Neovim, expect![[r#"
        -> codeAction/resolve
        -> workspace/executeCommand zeroerr.implement
        <- window/workDoneProgress/create zeroerr-1
        <- $/progress begin | zeroerr: implement `double` | double: 5 votes, ahead by 3 of 3
        <- $/progress end | verified: 7 of 8 checks passed; performance: nothing to check (no @budget)
        <- workspace/applyEdit @1 5:4 "return x * 2"
        -> textDocument/didChange @3
        <- textDocument/publishDiagnostics @3 []
        <- window/logMessage zeroerr: `double` was written: 7 of 8 checks passed; performance: nothing to check (no @budget)
        <- textDocument/publishDiagnostics @3 []
    "#]]).await;
}

#[tokio::test]
async fn implement_in_helix() {
    implement(ClientKind::Helix, expect![[r#"
        -> codeAction/resolve
        -> workspace/executeCommand zeroerr.implement
        <- window/workDoneProgress/create zeroerr-1
        <- $/progress begin | implement `double` | double: 5 votes, ahead by 3 of 3
        <- $/progress end | verified: 7 of 8 checks passed; performance: nothing to check (no @budget)
        <- workspace/applyEdit @0 5:4 "return x * 2"
        -> textDocument/didChange @1
        <- textDocument/publishDiagnostics @1 []
        <- window/logMessage zeroerr: `double` was written: 7 of 8 checks passed; performance: nothing to check (no @budget)
        <- textDocument/publishDiagnostics @1 []
    "#]]).await;
}

#[tokio::test]
async fn implement_in_emacs() {
    implement(ClientKind::Eglot, expect![[r#"
        -> workspace/executeCommand zeroerr.implement
        <- window/logMessage zeroerr: implement `double` began
        <- window/logMessage zeroerr: implement `double`: verified: 7 of 8 checks passed; performance: nothing to check (no @budget)
        <- workspace/applyEdit @0 5:4 "return x * 2"
        -> textDocument/didChange @1
        <- textDocument/publishDiagnostics @1 []
        <- window/logMessage zeroerr: `double` was written: 7 of 8 checks passed; performance: nothing to check (no @budget)
        <- textDocument/publishDiagnostics @1 []
    "#]]).await;
}

fn lens_titles(lenses: &serde_json::Value) -> Vec<String> {
    lenses.as_array().unwrap().iter().map(|l| l["command"]["title"].as_str().unwrap().to_owned()).collect()
}

async fn lenses(client: &mut LspClient) -> Vec<String> {
    lens_titles(&client.request("textDocument/codeLens", json!({ "textDocument": { "uri": URI } })).await)
}

pub async fn hover(client: &mut LspClient, part: &str) -> String {
    let position = client.position_of(URI, part);
    let hover =
        client.request("textDocument/hover", json!({ "textDocument": { "uri": URI }, "position": position })).await;
    hover["contents"]["value"].as_str().unwrap_or("nothing").to_owned()
}

#[tokio::test]
async fn lens_and_hover_tell_what_is_known_and_when_it_is_no_longer_true() {
    let workbench = FakeWorkbench::gated([("double", Script::body("return x * 2"))]);
    let mut client = open(ClientKind::Neovim, &workbench, DOUBLE).await;
    assert_eq!(lenses(&mut client).await, ["Generate"]);
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    client.progress("begin").await;
    assert_eq!(lenses(&mut client).await, ["Running: cancel"]);
    workbench.release();
    logged(&mut client, "was written").await;
    assert_eq!(lenses(&mut client).await, ["7/8 checks @v3 · 5 votes, ahead by 3"]);
    let text = hover(&mut client, "double(x").await;
    expect![[r#"
        **zeroerr** `double`

        Twice x.

        **Examples**
        - `double(2) == 4`

        Written by zeroerr, 7 of 8 checks passed @v3, performance: nothing to check (no @budget)

        - ✓ syntax: ok
        - ✓ types: ok
        - ✓ contracts: ok
        - ✓ tests: ok
        - ✓ properties: ok
        - ✓ analysis: ok
        - ✓ security: ok
        - – performance: no @budget

        Votes on `double`: 4 for `c0ffee00`, 1 for `deadbeef`; ahead by 3 of 3; 6 samples."#]]
    .assert_eq(&text);

    client.replace(URI, "x * 2", "x * 3").await;
    assert_eq!(lenses(&mut client).await, ["changed since @v3", "Verify"]);
    assert!(hover(&mut client, "double(x").await.contains("**changed since**"));

    client.replace(URI, "x * 3", "x * 2").await;
    assert_eq!(lenses(&mut client).await, ["7/8 checks @v3 · 5 votes, ahead by 3"], "the same text is the same text");
    client.replace(URI, "@spec Twice x.", "@spec Half of x.").await;
    assert_eq!(lenses(&mut client).await, ["changed since @v3", "Verify"], "the spec counts, too");
    client.leave().await;
}

#[tokio::test]
async fn eglot_gets_the_hover_as_plain_text() {
    let workbench = FakeWorkbench::new([]);
    let mut client = open(ClientKind::Eglot, &workbench, DOUBLE).await;
    expect![[r#"
        zeroerr double

        Twice x.

        Examples
        - double(2) == 4"#]]
    .assert_eq(&hover(&mut client, "def double").await);
    assert_eq!(hover(&mut client, "print").await, "nothing");
    client.shutdown().await;
}

const DIVIDE: &str =
    "# @spec a over b.\n# @example divide(4, 2) == 2\n# @requires b != 0\ndef divide(a, b):\n    return a // b\n";

fn finding() -> Script {
    Script::Findings(vec![
        (
            Layer::Contracts,
            Finding {
                code: "contracts.requires".into(),
                message: "divides by zero".into(),
                line: 5,
                counterexample: Some("divide(1, 0)".into()),
                spec_line: Some(3),
                url: Some("https://example.org/contracts".into()),
            },
        ),
        (
            Layer::Analysis,
            Finding {
                code: "analysis.F401".into(),
                message: "unused import".into(),
                line: 99,
                counterexample: None,
                spec_line: None,
                url: None,
            },
        ),
    ])
}

#[tokio::test]
async fn findings_stand_on_their_lines_move_with_them_and_go_with_the_first_change() {
    let workbench = FakeWorkbench::gated([("divide", finding())]);
    let mut client = open(ClientKind::VsCode, &workbench, DIVIDE).await;
    let actions = client.code_actions(URI, "return").await;
    assert_eq!(titles(&actions), ["Implement with verified code", "Verify this function"]);
    assert!(actions[0]["isPreferred"].is_null(), "working code is not to be rewritten by a stray key");
    client.pick(action(&actions, "Verify")).await;
    client.progress("begin").await;
    workbench.release();
    client.progress("end").await;
    let found = client.diagnostics(URI).await;
    expect_file!["findings.json"].assert_eq(&format!("{}\n", serde_json::to_string_pretty(&found).unwrap()));
    assert_eq!(lenses(&mut client).await, ["5/8 checks @v1, contracts and analysis failed"]);

    client
        .edit(
            URI,
            json!({ "start": { "line": 0, "character": 0 }, "end": { "line": 0, "character": 0 } }),
            "import os\n\n",
        )
        .await;
    let moved = client.diagnostics(URI).await;
    assert_eq!(moved[0]["range"]["start"]["line"], 6);
    assert_eq!(
        moved[0]["relatedInformation"][0]["location"]["range"]["start"]["line"], 4,
        "the spec's clause moved, too"
    );

    client.replace(URI, "a // b", "a / b").await;
    assert!(client.diagnostics(URI).await.is_empty());
    client.leave().await;
}

/// Five candidates return 0, three `None`, two raise; one hangs.
fn split() -> Script {
    let answer =
        |text: &str, votes, clause: Option<&str>| Answer { text: text.into(), votes, clause: clause.map(Into::into) };
    let question = Question {
        input: "double([])".into(),
        answers: vec![
            answer("0", 5, Some("@example double([]) == 0")),
            answer("None", 3, Some("@example double([]) == None")),
            answer("raises ValueError", 2, Some("@raises ValueError double([])")),
            answer("does not end in its time", 1, None),
        ],
    };
    // As it came, before it was made small: shown only where no question was made of it.
    let disagreement = Disagreement { input: "double([[], [3]])".into(), answers: vec![("= 0".into(), 5)] };
    Script::Abstain {
        reason: "no behaviour was ahead by 3".into(),
        disagreements: vec![disagreement],
        questions: vec![question],
    }
}

/// A run abstains, its question is answered by a code action, and the run that knows the answer writes
/// the function; the conversation from the answer on.
async fn answer_a_question(kind: ClientKind, conversation: Expect) {
    let told =
        Script::Told { clause: "@example double([]) == None".into(), body: "return x * 2 if x else None".into() };
    let workbench = FakeWorkbench::new([("double", split()), ("double", told)]);
    let mut client = open(kind, &workbench, DOUBLE).await;
    client.command("zeroerr.implement", json!({ "uri": URI, "position": client.position_of(URI, "double(x") })).await;
    let message = client.next("window/showMessage").await;
    assert_eq!(message["message"], "zeroerr: no edit for `double`: no behaviour was ahead by 3");
    let found = client.diagnostics(URI).await;
    assert_eq!(found[0]["severity"], 2);
    assert_eq!(found[0]["range"]["start"]["line"], 4, "on the header");
    expect![[r#"
        zeroerr offers no edit for `double`: no behaviour was ahead by 3
        votes on `double`: 4 to 1, of 6 samples
        candidates differ on `double([])`: `0` (5 votes), `None` (3 votes), raises `ValueError` (2 votes), does not end in its time (1 vote)"#]]
    .assert_eq(found[0]["message"].as_str().unwrap());
    let actions = client.code_actions(URI, "double(x").await;
    expect![[r#"
        Implement with verified code
        `double([])` should be `0` (5 votes)
        `double([])` should be `None` (3 votes)
        `double([])` should raise `ValueError` (2 votes)
        `double([])` should be something else: write it
        Show zeroerr report on `double`"#]]
    .assert_eq(&titles(&actions).join("\n"));
    client.transcript();
    client.pick(action(&actions, "`double([])` should be `None`")).await;
    logged(&mut client, "was written").await;
    let answered = DOUBLE.replace("\ndef double", "\n# @example double([]) == None\ndef double");
    assert_eq!(client.buffer(URI).text, answered.replace("    ...", "    return x * 2 if x else None"));
    // Its edits and what led to them; progress and lenses are told by the tests above.
    let edits = ["codeAction/", "executeCommand", "applyEdit", "didChange"];
    let steps = said(&mut client);
    let steps = steps.lines().filter(|line| edits.iter().any(|e| line.contains(e)));
    conversation.assert_eq(&steps.map(|line| format!("{line}\n")).collect::<String>());
    client.leave().await;
}

#[tokio::test]
async fn a_question_is_answered_in_vs_code() {
    answer_a_question(
        ClientKind::VsCode,
        expect![[r#"
        -> workspace/executeCommand zeroerr.answer
        <- workspace/applyEdit @1 3:25 "\n# @example double([]) == None"
        -> textDocument/didChange @2
        <- workspace/applyEdit @2 6:4 "return x * 2 if x else None"
        -> textDocument/didChange @3
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_question_is_answered_in_neovim() {
    answer_a_question(
        ClientKind::Neovim,
        expect![[r#"
        -> codeAction/resolve
        -> workspace/executeCommand zeroerr.answer
        <- workspace/applyEdit @1 3:25 "\n# @example double([]) == None"
        -> textDocument/didChange @3
        <- workspace/applyEdit @3 6:4 "return x * 2 if x else None"
        -> textDocument/didChange @4
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_question_is_answered_in_helix() {
    answer_a_question(
        ClientKind::Helix,
        expect![[r#"
        -> codeAction/resolve
        -> workspace/executeCommand zeroerr.answer
        <- workspace/applyEdit @0 3:25 "\n# @example double([]) == None"
        -> textDocument/didChange @1
        <- workspace/applyEdit @1 6:4 "return x * 2 if x else None"
        -> textDocument/didChange @2
    "#]],
    )
    .await;
}

#[tokio::test]
async fn a_question_is_answered_in_emacs() {
    answer_a_question(
        ClientKind::Eglot,
        expect![[r#"
        -> workspace/executeCommand zeroerr.answer
        <- workspace/applyEdit @0 3:25 "\n# @example double([]) == None"
        -> textDocument/didChange @1
        <- workspace/applyEdit @1 6:4 "return x * 2 if x else None"
        -> textDocument/didChange @2
    "#]],
    )
    .await;
}

#[tokio::test]
async fn an_answer_in_ones_own_words_is_only_begun() {
    let workbench = FakeWorkbench::new([("double", split())]);
    let mut client = open(ClientKind::Helix, &workbench, DOUBLE).await;
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    client.next("window/showMessage").await;
    client.diagnostics(URI).await;
    let actions = client.code_actions(URI, "double(x").await;
    client.pick(action(&actions, "`double([])` should be something else")).await;
    assert!(
        client.buffer(URI).text.contains("# @example double(2) == 4\n# @example double([]) == \ndef double"),
        "{}",
        client.buffer(URI).text
    );
    assert!(client.diagnostics(URI).await.is_empty(), "the spec is another now");
    client.leave().await;
}

#[tokio::test]
async fn the_answer_command_does_the_same_for_plugins() {
    let told = Script::Told { clause: "@raises TypeError double('')".into(), body: "return x + x".into() };
    let workbench = FakeWorkbench::new([("double", told)]);
    let mut client = open(ClientKind::VsCode, &workbench, DOUBLE).await;
    client
        .command(
            "zeroerr.answer",
            json!({ "uri": URI, "function": "double", "input": "double('')", "answer": "! TypeError" }),
        )
        .await;
    client.next("workspace/applyEdit").await;
    assert!(client.buffer(URI).text.contains("== 4\n# @raises TypeError double('')\ndef"));
    logged(&mut client, "was written").await;
    assert!(client.buffer(URI).text.contains("    return x + x\n"), "and the run went on");
    client.leave().await;
}

#[tokio::test]
async fn a_spec_error_is_shown_mended_and_only_then_run() {
    let text = DOUBLE.replace("@example", "@exmaple");
    let workbench = FakeWorkbench::gated([("double", Script::body("return x * 2"))]);
    let mut client = open(ClientKind::VsCode, &workbench, &text).await;
    let actions = client.code_actions(URI, "@exmaple").await;
    assert_eq!(action(&actions, "Implement")["disabled"]["reason"], "the spec has an error in line 4");
    client.command("zeroerr.implement", json!({ "uri": URI, "function": "double" })).await;
    let refused = client.next("window/showMessage").await;
    assert_eq!(refused["message"], "zeroerr: the spec of `double` has an error in line 4; mend it first");
    let fix = action(&actions, "Change to `@example`");
    assert_eq!(fix["kind"], "quickfix");
    assert_eq!(fix["diagnostics"][0]["code"], "spec.unknown-tag");
    client.pick(fix).await;
    assert_eq!(client.buffer(URI).text, DOUBLE);
    assert!(client.diagnostics(URI).await.is_empty());
    let actions = client.code_actions(URI, "def double").await;
    assert!(action(&actions, "Implement")["disabled"].is_null());
    client.shutdown().await;
}

#[tokio::test]
async fn helix_is_not_offered_what_it_would_hide() {
    let workbench = FakeWorkbench::new([]);
    let mut client = open(ClientKind::Helix, &workbench, &DOUBLE.replace("@example", "@exmaple")).await;
    assert_eq!(titles(&client.code_actions(URI, "def double").await), Vec::<&str>::new());
    for place in ["@exmaple", "double(2) == 4", "\ndef double"] {
        let offered = client.code_actions(URI, place).await;
        assert_eq!(titles(&offered), ["Change to `@example`"], "anywhere on the line, its end included: {place:?}");
    }
    client.shutdown().await;
}

#[tokio::test]
async fn a_selection_is_implemented_by_the_comment_that_goes_with_it() {
    let text = "# zeroerr: three times x\ndef triple(x):\n    ...\n";
    let workbench = FakeWorkbench::new([("triple", Script::body("return x * 3"))]);
    let mut client = open(ClientKind::VsCode, &workbench, text).await;
    let actions = client.code_actions(URI, "def triple(x):\n    ...").await;
    assert_eq!(titles(&actions), ["Implement selection: three times x"]);
    client.pick(&actions[0]).await;
    logged(&mut client, "`triple` was written").await;
    assert_eq!(client.buffer(URI).text, text.replace("...", "return x * 3"));
    client.transcript();
    client.replace(URI, "# zeroerr: three times x\n", "\n").await;
    let actions = client.code_actions(URI, "def triple").await;
    assert_eq!(actions[0]["disabled"]["reason"], "write `# zeroerr: <instruction>` in or above the selection");
    // A function with a spec of its own: an instruction that stands there as one is meant.
    client.replace_all(URI, &DOUBLE.replace("    ...", "    # zeroerr: three times x\n    ...")).await;
    let actions = client.code_actions(URI, "# zeroerr: three times x\n    ...").await;
    let offered = titles(&actions);
    assert_eq!(offered.first(), Some(&"Implement with verified code"));
    assert_eq!(offered.last(), Some(&"Implement selection: three times x"));
    client.leave().await;
}

#[tokio::test]
async fn methods_of_one_name_in_two_classes_are_kept_apart() {
    let text = "class A:\n    # @spec One.\n    # @example A().f() == 1\n    def f(self):\n        ...\n\nclass B:\n    # @spec Two.\n    # @example B().f() == 2\n    def f(self):\n        ...\n";
    let workbench = FakeWorkbench::new([("f", Script::body("return 2"))]);
    let mut client = open(ClientKind::Neovim, &workbench, text).await;
    let actions = client.code_actions(URI, "# @spec Two").await;
    client.pick(action(&actions, "Implement")).await;
    logged(&mut client, "`B.f` was written").await;
    assert!(
        client
            .buffer(URI)
            .text
            .ends_with("class B:\n    # @spec Two.\n    # @example B().f() == 2\n    def f(self):\n        return 2\n")
    );
    assert_eq!(lenses(&mut client).await, ["Generate", "7/8 checks @v3 · 5 votes, ahead by 3"]);
    client.leave().await;
}

#[tokio::test]
async fn of_two_functions_of_one_name_the_second_is_the_second() {
    let first = "# @spec One.\n# @example f() == 1\ndef f():\n    return 1\n";
    let second = "# @spec Two.\n# @example f() == 2\ndef f():\n    ...\n";
    let workbench = FakeWorkbench::new([("f", Script::body("return 2"))]);
    let mut client = open(ClientKind::Neovim, &workbench, &format!("{first}\n{second}")).await;
    let actions = client.code_actions(URI, "# @spec Two").await;
    client.pick(action(&actions, "Implement")).await;
    logged(&mut client, "`f#2` was written").await;
    assert_eq!(client.buffer(URI).text, format!("{first}\n{}", second.replace("...", "return 2")));
    client.leave().await;
}
