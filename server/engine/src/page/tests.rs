//! The page of runs that went well, badly, and nowhere.

use super::*;
use serde_json::json;
use std::collections::BTreeMap;
use zeroerr_core::advice::{AdviceReport, AgreementReport, InputReport, ObjectionReport, TestReport};
use zeroerr_core::certificate::Certificate;
use zeroerr_core::code::{LanguageId, TextEdit, TextRange};
use zeroerr_core::report::{ClassVotes, RunOutcome, RunReport, StepReport, StepState};
use zeroerr_core::task_specification::{Spec, StepDecl};
use zeroerr_core::verdict::{Finding, Layer, LayerReport, Verdict};

use crate::journal::{Acceptance, AcceptedBy, Entry, Origin, RunLine, Session};
use crate::options::RunOptions;

/// What a hostile model, file or tool would write.
const EVIL: &str = "</pre><script>alert(1)</script><img src=x onerror=alert(1)> \"'{{ 7 * 7 }}";

fn vote(id: u64, answer: &str, code: &str) -> serde_json::Value {
    json!({ "sample": { "step": "f", "id": id, "completion_tokens": 9, "model": "m", "fate": { "votes": {
        "candidate": { "function": code, "body": code, "imports": [] },
        "fingerprint": { "outcomes": [["f(0)", answer], ["f(1)", "= 1"]] },
    } } } })
}

fn class(answer: &str) -> String {
    let outcomes = vec![("f(0)".to_owned(), answer.to_owned()), ("f(1)".to_owned(), "= 1".to_owned())];
    zeroerr_core::voting_engine::Fingerprint { outcomes }.class()
}

fn ended() -> RunReport {
    let mut failed = LayerReport::new(Layer::Types, Verdict::Failed, EVIL);
    failed.findings.push(Finding {
        code: "types.x".into(),
        message: EVIL.into(),
        line: 2,
        counterexample: Some("f(0)".into()),
        spec_line: None,
        url: None,
    });
    RunReport {
        id: "r1".into(),
        file: "/a.py".into(),
        function: "f".into(),
        outcome: RunOutcome::Verified,
        reason: "7 of 8 checks passed".into(),
        steps: vec![StepReport {
            name: "f".into(),
            state: StepState::Won,
            samples: 6,
            tally: vec![ClassVotes { class: class("= 0")[..8].into(), votes: 3 }],
            margin: 2,
            k: 2,
            completion_tokens: 45,
            ..StepReport::default()
        }],
        layers: vec![LayerReport::new(Layer::Syntax, Verdict::Passed, "parses"), failed],
        edits: vec![TextEdit { range: TextRange::new(20, 23), new_text: format!("return x  # {EVIL}") }],
        certificate: None,
        elapsed_ms: 4321,
    }
}

fn export() -> RunExport {
    let source = "# @spec f\ndef f(x): ...\n";
    let step = |name: &str| StepDecl {
        name: name.into(),
        signature: "(x)".into(),
        intent: "help".into(),
        examples: vec![],
        raises: vec![],
        range: TextRange::default(),
    };
    let records = [
        vote(0, EVIL, EVIL),
        json!({ "sample": { "step": "f", "id": 1, "completion_tokens": 9, "model": "m", "fate": { "gate_rejected": EVIL } } }),
        vote(2, "= 0", "def f(x): return x"),
        json!({ "sample": { "step": "f", "id": 3, "completion_tokens": 9, "model": "m", "fate": { "flagged": "empty" } } }),
        vote(4, "= 0", "def f(x): return x"),
        vote(5, "= 0", "def f(x): return x"),
        json!({ "decided": { "step": "f", "class": class("= 0") } }),
        json!({ "a_record_of_a_later_version": {} }),
    ];
    let certificate = Certificate {
        spec_hash: "5".repeat(64),
        code_hash: "c".repeat(64),
        doc_version: None,
        layers: vec![],
        votes: vec![],
        models: vec!["m".into()],
        seed: 7,
    };
    RunExport {
        zeroerr_export: 1,
        run: RunLine {
            id: "r1".into(),
            file: format!("/{EVIL}.py"),
            function: "f".into(),
            started_ms: 1_764_000_000_000,
            ended_ms: None,
            status: "verified".into(),
            samples: 6,
        },
        origin: Some(Origin {
            class: None,
            function: "f".into(),
            language: LanguageId::Python,
            source: source.into(),
            function_range: TextRange::new(10, 23),
            spec_range: TextRange::new(0, 9),
            spec: Spec { steps: vec![step("a"), step("b")], ..Spec::default() },
            options: RunOptions { k: 2, ..RunOptions::default() },
            models: vec![EVIL.into()],
            continues: None,
            answered: 0,
            zeroerr: "0.1.0".into(),
        }),
        sessions: vec![
            Session { at_ms: 1_764_000_000_000, after_seq: 0 },
            Session { at_ms: 1_764_009_000_000, after_seq: 3 },
        ],
        records: records
            .into_iter()
            .enumerate()
            .map(|(seq, record)| {
                let begun = if seq < 3 { 1_764_000_000_000 } else { 1_764_009_000_000 };
                Entry { seq: seq as i64, at_ms: Some(begun + 500 * seq as i64), record }
            })
            .collect(),
        report: Some(ended()),
        certificates: vec![Acceptance {
            run: "r1".into(),
            file: "/a.py".into(),
            function: "f".into(),
            accepted_ms: 1_764_000_100_000,
            by: AcceptedBy::Cli,
            before: String::new(),
            certificate,
        }],
    }
}

#[test]
fn nothing_of_a_model_or_a_file_gets_out_of_its_place() {
    let html = page(&export()).unwrap();
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
    assert!(html.contains("&lt;script&gt;alert(1)&lt;&#x2f;script&gt;"), "it is shown as text");
    assert!(!html.contains("49"), "nothing in it is taken for a template");
    for outside in ["http://", "https://", "@import", "url(http", "style=\""] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn the_policy_names_the_style_that_is_there() {
    let html = page(&export()).unwrap();
    let style = html.split("<style>").nth(1).and_then(|rest| rest.split("</style>").next()).unwrap();
    let hash = BASE64_STANDARD.encode(Sha256::digest(style));
    assert!(
        html.contains(&format!("style-src &#x27;sha256-{}&#x27;", hash.replace('/', "&#x2f;"))),
        "{}",
        &html[..600]
    );
    assert!(html.contains("default-src &#x27;none&#x27;"));
}

#[test]
fn plan_votes_behaviours_layers_and_costs_are_there() {
    let html = page(&export()).unwrap();
    for (what, text) in [
        ("the plan of the spec, though only one step has run", ">a</text>"),
        ("a step that has not begun", "not begun"),
        ("an arrow", "class=\"edge\""),
        ("a line of votes", "class=\"line c0\""),
        ("the second behaviour's line", "class=\"line c1\""),
        ("when it was decided", "class=\"moment decided\""),
        ("a differing input", "<code>f(0)</code>"),
        ("a counterexample", "for example <code>f(0)</code>"),
        ("the edit", "class=\"added\""),
        ("tokens", ">45<"),
        ("why a sample was discarded", "discarded: empty"),
        ("that it was taken up again", "1 ×"),
        ("the certificate", "cccccccccccc"),
    ] {
        assert!(html.contains(text), "{what}: no {text} in {html}");
    }
    assert!(!html.contains("<code>f(1)</code>"), "an input on which nobody differs says nothing");
    assert!(!html.contains("9000"), "the time between two processes is no work");
}

fn check_facts(layers: Vec<LayerReport>, says: &str) {
    let mut export = export();
    export.report.as_mut().unwrap().layers = layers;
    let html = page(&export).unwrap();
    let fact = html.split("<dt>checks passed</dt><dd>").nth(1).and_then(|rest| rest.split("</dd>").next());
    assert_eq!(fact, Some(says));
}

#[test]
fn checks_that_did_not_run_are_not_counted_as_failed() {
    let layer = |layer, verdict| LayerReport::new(layer, verdict, "");
    let early = vec![layer(Layer::Syntax, Verdict::Passed), layer(Layer::Types, Verdict::Failed)];
    check_facts(vec![], "none was run");
    check_facts(early, "1 of 2 that ran, of 8");
    check_facts(Layer::ALL.into_iter().map(|l| layer(l, Verdict::Passed)).collect(), "8 of 8");
}

#[test]
fn steps_that_voted_side_by_side_did_not_take_the_sum_of_their_times() {
    let mut export = export();
    let other = json!({ "sample": { "step": "a", "id": 0, "completion_tokens": 9, "model": "m", "fate": { "flagged": "empty" } } });
    // From before `f` to its end.
    export.records.insert(0, Entry { seq: 0, at_ms: Some(1_764_000_000_000), record: other.clone() });
    export.records.push(Entry { seq: 20, at_ms: Some(1_764_009_003_000), record: other });
    if let Some(report) = export.report.as_mut() {
        report.steps.push(StepReport { name: "a".into(), samples: 1, k: 3, ..StepReport::default() });
    }
    let html = page(&export).unwrap();
    let row = |of: &str| html.split(of).nth(1).and_then(|r| r.split("</tr>").next()).unwrap().to_owned();
    assert!(row("<tfoot>").ends_with("<td class=\"n\">4.0 s</td>"), "{}", row("<tfoot>"));
    assert!(html.contains("<dt>lead</dt><dd>0 in a (decides: 3)</dd>"), "it is not that of the function");
}

#[test]
fn a_step_that_nothing_calls_is_not_drawn_like_one_of_the_edit() {
    let mut export = export();
    let step = |name: &str, left_out| StepReport {
        name: name.into(),
        state: StepState::Won,
        samples: 3,
        left_out,
        ..StepReport::default()
    };
    if let Some(report) = export.report.as_mut() {
        report.steps.splice(0..0, [step("a", true), step("b", false)]);
    }
    let html = page(&export).unwrap();
    let boxes: Vec<&str> = html.split("<g class=\"node ").skip(1).collect();
    let state = |name: &str| {
        let own = boxes.iter().find(|b| b.contains(&format!(">{name}</text>"))).unwrap();
        own.split('"').next().unwrap().to_owned()
    };
    assert_eq!((state("a"), state("b")), ("unused".to_owned(), "won".to_owned()));
    assert!(html.contains(">left out · 3 samples</text>"), "{html}");
}

/// The run with everything that other agents can contribute, in words that nobody should trust.
fn advised() -> RunExport {
    let claim = |call: &str, expected: Option<&str>| json!({ "call": call, "expected": expected, "inside": true });
    let said = |errand: serde_json::Value, claims: Vec<serde_json::Value>| {
        let said = json!({ "claims": claims });
        json!({ "advised": { "step": "f", "errand": errand, "model": "m", "completion_tokens": 9, "said": said } })
    };
    let tried = |id: u64, outcome: &str| {
        let trial = json!({ "outcome": outcome, "holds": false });
        json!({ "tried": { "step": "f", "id": id, "trials": [["f(7) == 1", trial]] } })
    };
    let mut export = export();
    let records =
        [said(json!({ "test": 0 }), vec![claim("f(7)", Some("1"))]), tried(2, "= 8"), tried(4, "= 8"), tried(5, "= 9")];
    let at_ms = Some(1_764_009_003_000);
    export.records.extend(records.into_iter().map(|record| Entry { seq: 20, at_ms, record }));
    let input = |by: &str, outcomes| InputReport { call: "f(7)".into(), by: by.into(), inside: true, outcomes };
    let advice = AdviceReport {
        tests: vec![TestReport { code: format!("f(7) == 1 {EVIL}"), passed: 1, of: 3 }],
        agreement: vec![AgreementReport { classes: vec!["0a0a0a0a".into()], votes: 2, tests: 3, score: 6 }],
        tests_object: true,
        inputs: vec![input("tester", 2), input("discriminator", 1)],
        objections: vec![ObjectionReport { class: "0b0b0b0b".into(), text: EVIL.into() }],
        extra_lead: 2,
        granted: 5,
        nothing: BTreeMap::from([("tester 2".into(), EVIL.into())]),
        ..AdviceReport::default()
    };
    if let Some(step) = export.report.as_mut().and_then(|r| r.steps.first_mut()) {
        step.advice = Some(Box::new(advice));
    }
    export
}

#[test]
fn what_other_agents_said_is_shown_with_what_came_of_it() {
    let html = page(&advised()).unwrap();
    for (what, text) in [
        ("what their word can do", "rejects nobody and makes nobody win"),
        ("a weak vote", "<code>f(7) == 1 &lt;&#x2f;pre&gt;"),
        ("who passes it", "1 of 3 votes"),
        ("the agreement", "2 × 3 = <b>6</b>"),
        ("that the tests object", "speak for another behaviour"),
        ("an objection", "objected to <code>0b0b0b0b</code>"),
        ("its price", "The leader needs 2 more."),
        ("the samples that were granted", "5 more samples"),
        ("an input that tells candidates apart", "2 outcomes"),
        ("who proposed an input", "<td>discriminator</td>"),
        ("who had nothing to say", "<li>tester 2: "),
        ("the split that an input made", "<th scope=\"row\"><code>f(7)</code></th><td><code>"),
    ] {
        assert!(html.contains(text), "{what}: no {text} in {html}");
    }
    assert!(!html.contains("<script") && !html.contains("<img"), "{html}");
}

#[test]
fn a_run_of_which_little_is_known_still_has_a_page() {
    let empty =
        RunExport { origin: None, sessions: vec![], records: vec![], report: None, certificates: vec![], ..export() };
    let html = page(&empty).unwrap();
    assert!(html.contains("<h1><code>f</code>") && !html.contains("<h2>Checks"));
    let untimed = RunExport { sessions: vec![], report: None, ..export() };
    let html = page(&untimed).unwrap();
    assert!(html.contains(">records</text>"), "without times the axis counts records");
}
