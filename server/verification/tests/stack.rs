//! The stack's order, its stopping, its memory and the ranges of a subject, with scripted layers.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use expect_test::expect;
use proptest::prelude::*;
use zeroerr_core::code::{Candidate, FileAnalysis, LanguageId, Task, TextEdit, TextRange};
use zeroerr_core::ports::BoxFuture;
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_sandbox::SandboxUnavailable;
use zeroerr_verification::languages::python::Python;
use zeroerr_verification::languages::{CheckError, Judgement, Language, Subject};
use zeroerr_verification::toolchain::Toolchain;
use zeroerr_verification::verification_stack::{LayerEvent, VerificationStack, subject_as_is, subject_for_edit};

/// Python's pure half with layers that say what the test wants, and that watch who runs beside them.
#[derive(Default)]
struct Scripted {
    verdicts: Vec<(Layer, Verdict)>,
    surroundings: Option<String>,
    runs_in: Option<String>,
    running: AtomicUsize,
    crowd: Arc<Mutex<Vec<(Layer, usize)>>>,
}

impl Language for Scripted {
    fn id(&self) -> LanguageId {
        LanguageId::Python
    }
    fn analyse(&self, path: &Path, source: &Arc<str>) -> FileAnalysis {
        Python.analyse(path, source)
    }
    fn task_for_selection(
        &self,
        path: &Path,
        source: &Arc<str>,
        selection: TextRange,
        instruction: &str,
    ) -> Result<Task, String> {
        Python.task_for_selection(path, source, selection, instruction)
    }
    fn extract(&self, response: &str, task: &Task) -> Result<Candidate, RedFlag> {
        Python.extract(response, task)
    }
    fn splice(&self, task: &Task, candidate: &Candidate) -> Result<Vec<TextEdit>, String> {
        Python.splice(task, candidate)
    }
    fn judge<'a>(
        &'a self,
        _: &'a Toolchain,
        subject: &'a Subject,
        _: u64,
    ) -> BoxFuture<'a, Result<Judgement, CheckError>> {
        let body = subject.task.body_range.slice(&subject.task.source).trim().to_string();
        Box::pin(async { Ok(Judgement::GateRejected(body)) })
    }
    fn check<'a>(&'a self, _: &'a Toolchain, _: &'a Subject, layer: Layer) -> BoxFuture<'a, LayerReport> {
        Box::pin(async move {
            self.running.fetch_add(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(20)).await;
            let beside = self.running.fetch_sub(1, Ordering::SeqCst);
            self.crowd.lock().expect("a lock").push((layer, beside));
            let said = self.verdicts.iter().find(|(l, _)| *l == layer);
            LayerReport::new(layer, said.map_or(Verdict::Passed, |(_, v)| v.clone()), "scripted")
        })
    }
    fn surroundings(&self, _: &Toolchain, _: &Subject) -> Option<String> {
        self.surroundings.clone()
    }
    fn surroundings_of_runs(&self, _: &Toolchain, _: &Subject, _: Layer) -> Option<String> {
        self.runs_in.clone()
    }
}

const SOURCE: &str = "# @spec Double it.\n# @example double(2) == 4\ndef double(x: int) -> int:\n    ...\n";

fn task(source: &str) -> Task {
    Python.analyse(Path::new("/nowhere/edited.py"), &Arc::from(source)).tasks.into_iter().next().expect("a task")
}

fn stack(language: Scripted, policy: Policy) -> VerificationStack {
    let nothing = Err(SandboxUnavailable { reason: "not here".into(), remedy: "none needed".into() });
    let tools = Toolchain::detect(Path::new("/nowhere"), nothing);
    VerificationStack::with_languages(Arc::new(tools), policy, vec![Box::new(language)])
}

fn subject() -> Subject {
    subject_as_is(&task(SOURCE), None)
}

/// Runs the stack and returns the events, one a line, and the summary.
async fn told(stack: &VerificationStack, all: bool) -> String {
    let events = Mutex::new(Vec::new());
    let note = |event: LayerEvent| {
        let line = match event {
            LayerEvent::Started(layer) => format!("{layer} .."),
            LayerEvent::Finished(report) => format!("{} {}", report.layer, report.verdict.name()),
        };
        events.lock().expect("a lock").push(line);
    };
    let report = if all { stack.verify_all(&subject(), &note).await } else { stack.verify(&subject(), &note).await };
    let layers: Vec<_> = report.layers.iter().map(|l| l.layer).collect();
    assert!(layers.is_sorted(), "{layers:?}");
    let mut lines = events.into_inner().expect("a lock");
    lines.push(report.summary());
    lines.join("\n")
}

#[tokio::test]
async fn an_objection_of_a_reader_keeps_the_code_from_being_run() {
    let language = Scripted { verdicts: vec![(Layer::Security, Verdict::Failed)], ..Scripted::default() };
    expect![[r#"
        syntax ..
        types ..
        analysis ..
        security ..
        syntax passed
        types passed
        analysis passed
        security failed
        3 of 8 checks passed; security: failed (scripted)"#]]
    .assert_eq(&told(&stack(language, Policy::default()), false).await);
}

#[tokio::test]
async fn a_missing_tool_stops_the_run_unless_the_policy_excuses_it() {
    let verdicts = vec![(Layer::Types, Verdict::Unavailable), (Layer::Tests, Verdict::TimedOut)];
    let strict = stack(Scripted { verdicts: verdicts.clone(), ..Scripted::default() }, Policy::default());
    assert!(!told(&strict, false).await.contains("tests"));
    let policy = Policy { may_be_unavailable: vec![Layer::Types], ..Policy::default() };
    let lenient = told(&stack(Scripted { verdicts, ..Scripted::default() }, policy), false).await;
    assert!(lenient.contains("tests timed_out") && !lenient.contains("performance"), "{lenient}");
}

#[tokio::test]
async fn all_eight_are_reported_when_all_are_asked() {
    let language = Scripted {
        verdicts: vec![(Layer::Types, Verdict::Failed), (Layer::Tests, Verdict::Failed)],
        ..Scripted::default()
    };
    let all = told(&stack(language, Policy::default()), true).await;
    assert_eq!(all.lines().filter(|l| l.ends_with("..")).count(), 8, "{all}");
    assert!(all.contains("6 of 8 checks passed"), "{all}");

    let broken = Scripted { verdicts: vec![(Layer::Syntax, Verdict::Failed)], ..Scripted::default() };
    let all = told(&stack(broken, Policy::default()), true).await;
    assert!(all.contains("properties: nothing to check (the file does not compile)"), "{all}");
}

#[tokio::test]
async fn the_stopwatch_runs_alone_even_when_two_functions_are_verified() {
    let language = Scripted::default();
    let crowd = language.crowd.clone();
    let stack = stack(language, Policy::default());
    let quiet = |_: LayerEvent| ();
    let subject = subject();
    tokio::join!(
        stack.verify(&subject, &quiet),
        stack.verify_all(&subject, &quiet),
        stack.check(&subject, Layer::Performance)
    );
    let crowd = crowd.lock().expect("a lock");
    assert!(crowd.iter().filter(|(l, _)| *l == Layer::Performance).all(|(_, beside)| *beside == 1), "{crowd:?}");
    assert!(crowd.iter().any(|(_, beside)| *beside > 1), "nothing ran side by side: {crowd:?}");
}

#[tokio::test]
async fn verdicts_of_readers_are_remembered_under_all_that_can_change_them() {
    let count = async |surroundings: Option<&str>, verdict: Verdict, layer: Layer| {
        let language = Scripted {
            surroundings: surroundings.map(Into::into),
            verdicts: vec![(layer, verdict)],
            ..Scripted::default()
        };
        let crowd = language.crowd.clone();
        let stack = stack(language, Policy::default());
        stack.check(&subject(), layer).await;
        stack.check(&subject(), layer).await;
        let other = SOURCE.replace("int:", "float:");
        stack.check(&subject_as_is(&task(&other), None), layer).await;
        crowd.lock().expect("a lock").len()
    };
    assert_eq!(count(Some("ruff 1"), Verdict::Passed, Layer::Analysis).await, 2, "the same text twice, then another");
    assert_eq!(count(None, Verdict::Passed, Layer::Analysis).await, 3, "unknown surroundings");
    assert_eq!(count(Some("ruff 1"), Verdict::Unavailable, Layer::Analysis).await, 3, "a missing tool may come back");
    assert_eq!(count(Some("ruff 1"), Verdict::Passed, Layer::Tests).await, 3, "tests depend on more than the file");
}

/// Each process asks one thing; what an earlier one was told it is not told again, unless something has changed.
#[tokio::test]
async fn a_verdict_outlives_its_process_under_all_that_can_change_it() {
    let home = tempfile::tempdir().expect("a folder");
    let asked = async |subject: &Subject, tools: &str, policy: Policy, layer: Layer| {
        let (surroundings, runs_in) = (Some(tools.to_owned()), Some(tools.to_owned()));
        let language = Scripted { surroundings, runs_in, ..Scripted::default() };
        let crowd = language.crowd.clone();
        let nothing = Err(SandboxUnavailable { reason: "not here".into(), remedy: "none needed".into() });
        let tools = Arc::new(Toolchain::detect(home.path(), nothing));
        let stack = VerificationStack::with_languages(tools, policy, vec![Box::new(language)]).remembering();
        let report = stack.check(subject, layer).await;
        let count = crowd.lock().expect("a lock").len();
        assert_eq!(report.remembered, count == 0);
        count
    };
    let strict = Policy::default;
    let of = |source: &str| subject_as_is(&task(source), None);
    let edited = Subject { previous: Arc::from("before"), ..subject() };
    let moved = {
        let mut subject = subject();
        subject.task.file = "/elsewhere/edited.py".into();
        subject
    };
    for layer in [Layer::Types, Layer::Tests, Layer::Performance] {
        assert_eq!(asked(&subject(), "ruff 1", strict(), layer).await, 1, "{layer}: the first time");
        assert_eq!(asked(&subject(), "ruff 1", strict(), layer).await, 0, "{layer}: nothing has changed");
        for (what, changed) in [
            ("code", of(&SOURCE.replace("...", "return 1"))),
            ("spec", of(&SOURCE.replace("== 4", "== 5"))),
            ("the text before the edit", edited.clone()),
            ("place", moved.clone()),
        ] {
            assert_eq!(asked(&changed, "ruff 1", strict(), layer).await, 1, "{layer}: another {what}");
            assert_eq!(asked(&changed, "ruff 1", strict(), layer).await, 0, "{layer}: the same {what}");
        }
        assert_eq!(asked(&subject(), "ruff 2", strict(), layer).await, 1, "{layer}: another tool, import or setting");
        let policy = Policy { must_pass: vec![Layer::Types], ..Policy::default() };
        assert_eq!(asked(&subject(), "ruff 1", policy, layer).await, 1, "{layer}: another policy");
        assert_eq!(asked(&subject(), "ruff 1", strict(), layer).await, 0, "{layer}: and the first is still known");
    }
    assert_eq!(asked(&of(SOURCE), "ruff 1", strict(), Layer::Syntax).await, 1, "a layer's verdict is no other's");
}

#[test]
fn what_a_file_imports_and_what_configures_its_tools_belongs_to_its_surroundings() {
    use zeroerr_verification::languages::python::{project::surroundings_hash, tests::project_hash};
    let root = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(root.path().join(name), text).expect("a file");
    write("helper.py", "import deeper\n");
    write("deeper.py", "A = 1\n");
    write("other.py", "B = 1\n");
    let text: Arc<str> = format!("import helper\n\n{SOURCE}").into();
    let task = Python.analyse(&root.path().join("edited.py"), &text).tasks.remove(0);
    let subject = subject_as_is(&task, Some(root.path().to_path_buf()));
    let mut known = vec![surroundings_hash(&subject)];
    for (file, text) in [("helper.py", "import deeper # 2\n"), ("deeper.py", "A = 2\n"), ("ruff.toml", "[lint]\n")] {
        write(file, text);
        let now = surroundings_hash(&subject);
        assert!(!known.contains(&now), "{file} has changed");
        known.push(now);
    }
    let (read, run) = (surroundings_hash(&subject), project_hash(&subject));
    write("other.py", "B = 2\n");
    assert_eq!(surroundings_hash(&subject), read, "nothing that reads the file looks there");
    assert_ne!(project_hash(&subject), run, "a test of the project may");
}

#[tokio::test]
async fn a_candidate_is_judged_where_it_will_stand() {
    let candidate = Candidate {
        function: "def double(x: int) -> int:\n    return 2 * x\n".into(),
        body: "return 2 * x\n".into(),
        imports: vec![],
    };
    let judged = stack(Scripted::default(), Policy::default()).judge(&task(SOURCE), &candidate, 1).await;
    assert_eq!(judged, Ok(Judgement::GateRejected("return 2 * x".into())));
}

#[tokio::test]
async fn a_language_without_an_adapter_is_named() {
    let mut rust = task(SOURCE);
    rust.language = LanguageId::Rust;
    let report = stack(Scripted::default(), Policy::default()).check(&subject_as_is(&rust, None), Layer::Types).await;
    assert_eq!(
        (report.verdict, report.detail.as_str()),
        (Verdict::Unavailable, "Rust cannot be verified yet; Python can")
    );
}

#[test]
fn edits_that_do_not_fit_are_refused() {
    let edit = TextEdit { range: TextRange::new(0, 10_000), new_text: String::new() };
    assert!(subject_for_edit(&task(SOURCE), &[edit]).is_err());
    let task = task(SOURCE);
    let start = task.function_range.start;
    for (from, to, fits) in [(start - 1, start + 1, false), (start, start + 3, true), (start - 1, start, true)] {
        let edit = TextEdit { range: TextRange::new(from, to), new_text: "def".into() };
        assert_eq!(
            subject_for_edit(&task, &[edit]).is_ok(),
            fits,
            "an edit of {from}..{to}, the function is at {start}"
        );
    }
}

proptest! {
    /// Whatever comes before the function and whatever its body becomes, every range still names
    /// the same thing.
    #[test]
    fn ranges_move_with_the_text(import in "(import [a-zé]{1,8}\n){0,3}", body in "    return [a-z]{1,9}[ß→]?\n", at_start in any::<bool>()) {
        let source = format!("\"\"\"Module.\"\"\"\n{SOURCE}\n\nx = 1\n");
        let before = task(&source);
        let at = if at_start { 0 } else { before.spec_range.start };
        let line_start = source[..before.body_range.start].rfind('\n').map_or(0, |i| i + 1);
        let edits = [
            TextEdit { range: TextRange::new(at, at), new_text: import.clone() },
            TextEdit { range: TextRange::new(line_start, before.body_range.end), new_text: body.trim_end().to_string() },
        ];
        let subject = subject_for_edit(&before, &edits).map_err(TestCaseError::fail)?;
        let after = &subject.task;
        prop_assert!(subject.is_edit());
        prop_assert!(after.source.ends_with("\n\n\nx = 1\n"));
        prop_assert_eq!(after.spec_range.slice(&after.source), before.spec_range.slice(&source));
        prop_assert_eq!(after.spec.examples[0].range.slice(&after.source), before.spec.examples[0].range.slice(&source));
        prop_assert!(after.function_range.slice(&after.source).starts_with("def double"));
        prop_assert!(after.function_range.slice(&after.source).ends_with(body.trim_end()));
        prop_assert!(body.contains(after.body_range.slice(&after.source).trim()));
    }
}
