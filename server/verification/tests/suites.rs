//! Runs the layers on the Markdown suites in `suites/<language>/<layer>.md`: prose for people, code
//! with its expected verdict for the machine. The real tools run, in the real sandbox.
//!
//! A fenced block is one case; the heading above it is its name, the file's name its layer.
//!
//! * ` ```python ` (or ` ```rust `, as the folder says) is an edit: the last function at column 0 was
//!   written just now, where a placeholder stood. Comments on a line say what the layer finds there,
//!   `# error: [types.rule] part of the message` (several: repeat `# error:`; `//` in Rust). A block
//!   without any must pass. The comments are taken away before the tools see the code.
//! * ` ```python as-is ` verifies code as it stands instead.
//! * ` ```python before ` gives the next block's file as it was, instead of the placeholder.
//! * ` ```python alone ` claims that every other layer lets the fault pass, and the runner checks it.
//! * ` ```python clean ` claims that no layer objects, and the runner asks them all.
//! * ` ```python home=packages/core ` says which folder is the project's root, of those that lie beside the code.
//! * ` ```python loose ` is a file that belongs to no project.
//! * ` ```rust at=src/lib.rs ` says where the code's file lies.
//! * ` ```LANG file=NAME ` puts a file beside the code of all blocks up to the next heading; a `package.json` makes its folder
//!   the project of a file below it.
//! * ` ```verdict ` after a block names the verdict in its first line and a part of the detail in
//!   its second, for what no line shows.
//!
//! `ZEROERR_SUITE=rust/types,part of a title` runs the cases whose file or title contains one of them. The tools are those
//! of `ZEROERR_HOME`, or of the user; install them with `zeroerr doctor --fix`.

#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::StreamExt;
use zeroerr_core::code::{LanguageId, TextEdit, TextRange};
use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_verification::languages::Subject;
use zeroerr_verification::toolchain::Toolchain;
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is, subject_for_edit};

use common::tools;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_layer_says_what_its_suite_says() {
    let stack = stack();
    let cases = all_cases();
    assert!(cases.len() >= 20, "only {} cases were found; are the suites where they should be?", cases.len());
    let filter = std::env::var("ZEROERR_SUITE").unwrap_or_default();
    let chosen = cases.iter().filter(|c| filter.split(',').any(|f| c.title.contains(f) || c.place.contains(f)));
    let runs = chosen.map(|case| {
        let stack = &stack;
        async move { check(stack, case).await.map(|what| format!("{} \"{}\"\n{what}", case.place, case.title)) }
    });
    let failures: Vec<String> = futures::stream::iter(runs).buffered(2).filter_map(|f| async { f }).collect().await;
    assert!(failures.is_empty(), "{} of {} cases failed\n\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// Every fourth case for Python, in a process of its own and twice in a worker that is kept: some 30 seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_is_kept_says_what_a_process_of_its_own_says() {
    let (kept, cold) = (stack(), stack_with(Toolchain::cold));
    let cases = all_cases();
    let chosen = cases.iter().filter(|c| c.dialect.id == LanguageId::Python && c.layer != Some(Layer::Performance));
    let mut compared = 0;
    for case in chosen.step_by(4) {
        let folder = folder_of(case);
        let subject = subject(&kept, case, folder.path()).expect("a subject");
        for layer in case.layer.into_iter().chain(case.clean.then_some(Layer::Types)) {
            let own = said(cold.check(&subject, layer).await);
            for turn in 0..2 {
                // What reads the code is remembered; another stack remembers nothing.
                let kept = if turn == 0 {
                    kept.check(&subject, layer).await
                } else {
                    stack_of(&kept).check(&subject, layer).await
                };
                assert_eq!(said(kept), own, "{} \"{}\", {layer}, turn {turn}", case.place, case.title);
            }
            compared += 1;
        }
    }
    assert!(compared >= 20, "only {compared} verdicts were compared");
}

/// Every fourth case of the TypeScript layers that run the candidate, in a job of its own and in one that was started
/// ahead: some 20 seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_started_ahead_says_what_a_job_of_its_own_says() {
    let (ahead, cold) = (stack(), stack_with(Toolchain::cold));
    let cases = all_cases();
    let runs = |l: &Layer| matches!(l, Layer::Contracts | Layer::Tests | Layer::Properties);
    let chosen = cases.iter().filter(|c| c.dialect.id == LanguageId::TypeScript && c.layer.as_ref().is_some_and(runs));
    let mut compared = 0;
    for case in chosen.step_by(4) {
        let folder = folder_of(case);
        let subject = subject(&ahead, case, folder.path()).expect("a subject");
        let layer = case.layer.expect("a layer");
        let own = said(cold.check(&subject, layer).await);
        ahead.toolchain().fill_ahead().await;
        assert_eq!(said(ahead.check(&subject, layer).await), own, "{} \"{}\", {layer}", case.place, case.title);
        compared += 1;
    }
    let used = ahead.toolchain().ahead().used;
    assert!(compared >= 15 && used >= compared / 2, "{compared} verdicts were compared, {used} of jobs started ahead");
}

/// A report without what differs from run to run.
fn said(report: LayerReport) -> LayerReport {
    // How far it came in its time is the machine's business.
    let detail = match report.verdict {
        Verdict::TimedOut => report.detail.replace(|c: char| c.is_ascii_digit(), ""),
        _ => report.detail.clone(),
    };
    LayerReport { elapsed_ms: 0, remembered: false, detail, ..report }
}

/// Another stack with the same workers.
fn stack_of(stack: &VerificationStack) -> VerificationStack {
    VerificationStack::new(Arc::clone(stack.toolchain()), Policy::default())
}

fn stack() -> VerificationStack {
    stack_with(|tools| tools)
}

fn stack_with(how: impl FnOnce(Toolchain) -> Toolchain) -> VerificationStack {
    let tools = tools();
    if let Err(error) = tools.node() {
        panic!("{error}");
    }
    VerificationStack::new(Arc::new(how(tools)), Policy::default())
}

/// How a language's suites are written.
#[derive(Debug)]
struct Dialect {
    id: LanguageId,
    /// The folder, and the first word of a code block.
    name: &'static str,
    /// What an expectation starts with.
    marker: &'static str,
    /// The file that code stands in when no other is named.
    file: &'static str,
    /// How a function at column 0 starts.
    starts: &'static [&'static str],
    /// What its header ends in, and what stands below it in the placeholder.
    placeholder: (&'static str, &'static str),
}

const DIALECTS: &[Dialect] = &[
    Dialect {
        id: LanguageId::Python,
        name: "python",
        marker: "# error: [",
        file: "edited.py",
        starts: &["def ", "async def "],
        placeholder: (":\n", "    ...\n"),
    },
    Dialect {
        id: LanguageId::Rust,
        name: "rust",
        marker: "// error: [",
        file: "edited.rs",
        starts: &["fn ", "pub fn ", "async fn ", "pub async fn ", "unsafe fn ", "pub unsafe fn "],
        placeholder: ("{\n", "    todo!()\n}\n"),
    },
    Dialect {
        id: LanguageId::TypeScript,
        name: "typescript",
        marker: "// error: [",
        file: "edited.ts",
        starts: &["function ", "export function ", "async function ", "export async function "],
        placeholder: ("{\n", "  throw new Error(\"not implemented\");\n}\n"),
    },
];

/// One code block with what is expected of it.
#[derive(Debug)]
struct Case {
    dialect: &'static Dialect,
    place: String,
    title: String,
    layer: Option<Layer>,
    code: String,
    before: Option<String>,
    file: String,
    as_is: bool,
    alone: bool,
    clean: bool,
    loose: bool,
    home: String,
    files: Vec<(String, String)>,
    /// Line, code, part of the message.
    errors: Vec<(usize, String, String)>,
    verdict: Option<(String, String)>,
}

fn all_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for dialect in DIALECTS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suites").join(dialect.name);
        let mut files: Vec<PathBuf> =
            std::fs::read_dir(&folder).expect("the suites' folder").map(|e| e.unwrap().path()).collect();
        files.sort();
        let suites = files.iter().filter(|p| p.extension().is_some_and(|e| e == "md"));
        cases.extend(suites.flat_map(|p| cases_of(dialect, p)));
    }
    cases
}

fn cases_of(dialect: &'static Dialect, path: &Path) -> Vec<Case> {
    let stem = path.file_stem().and_then(|s| s.to_str()).expect("a name");
    let layer = Layer::ALL
        .into_iter()
        .find(|l| l.name() == stem)
        .unwrap_or_else(|| panic!("{stem}.md is named after no layer"));
    let text = std::fs::read_to_string(path).expect("a suite");
    let (mut cases, mut title, mut files, mut before) = (Vec::<Case>::new(), String::new(), Vec::new(), None);
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if let Some(heading) = line.strip_prefix('#') {
            title = heading.trim_start_matches('#').trim().to_string();
            files.clear();
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: String =
            lines.by_ref().map(|(_, l)| l).take_while(|l| *l != "```").fold(String::new(), |all, l| all + l + "\n");
        let words: Vec<&str> = info.split_whitespace().collect();
        let named = |key: &str| words.iter().find_map(|w| w.strip_prefix(key)).map(str::to_string);
        if let Some(name) = named("file=") {
            files.push((name, body));
        } else if words == ["verdict"] {
            let case = cases.last_mut().expect("a verdict follows a block");
            let (verdict, detail) = body.split_once('\n').expect("a verdict");
            case.verdict = Some((verdict.trim().to_string(), detail.trim().to_string()));
        } else if words.contains(&"before") {
            before = Some(body);
        } else if words.first() == Some(&dialect.name) {
            let (code, errors) = expectations(dialect.marker, &body);
            cases.push(Case {
                dialect,
                place: format!("{}/{stem}.md:{}", dialect.name, number + 1),
                title: title.clone(),
                layer: Some(layer),
                code,
                before: before.take(),
                file: named("at=").unwrap_or_else(|| dialect.file.to_string()),
                as_is: words.contains(&"as-is"),
                alone: words.contains(&"alone"),
                clean: words.contains(&"clean"),
                loose: words.contains(&"loose"),
                home: named("home=").unwrap_or_default(),
                files: files.clone(),
                errors,
                verdict: None,
            });
        }
    }
    cases
}

/// The code without its expectations, and the expectations.
fn expectations(marker: &str, body: &str) -> (String, Vec<(usize, String, String)>) {
    let (mut code, mut errors) = (String::new(), Vec::new());
    for (index, line) in body.lines().enumerate() {
        let mut parts = line.split(marker);
        code.push_str(parts.next().unwrap_or("").trim_end());
        code.push('\n');
        for part in parts {
            let (rule, message) = part.split_once(']').expect("a rule in brackets");
            errors.push((index + 1, rule.to_string(), message.trim().to_string()));
        }
    }
    (code, errors)
}

/// The file as it was: the body of the last function at column 0 is a placeholder.
fn with_placeholder(dialect: &Dialect, code: &str) -> String {
    let last = |word: &&str| code.rfind(&format!("\n{word}")).map(|i| i + 1);
    let start = dialect.starts.iter().filter_map(last).max().unwrap_or(0);
    let (end, body) = dialect.placeholder;
    let header = code[start..].find(end).expect("a header that ends its line") + start + end.len();
    format!("{}{body}", &code[..header])
}

/// What differs from the expectation, or nothing.
/// Runs a layer; a measurement that says itself that the machine was too noisy is made again. Any
/// other answer stands at once.
async fn measured(stack: &VerificationStack, subject: &Subject, layer: Layer) -> LayerReport {
    let mut report = stack.check(subject, layer).await;
    for _ in 0..4 {
        if report.verdict != Verdict::Unavailable || !report.detail.contains("too noisy") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_secs(3)).await;
        report = stack.check(subject, layer).await;
    }
    report
}

async fn check(stack: &VerificationStack, case: &Case) -> Option<String> {
    let folder = folder_of(case);
    let subject = match subject(stack, case, folder.path()) {
        Ok(subject) => subject,
        Err(why) => return Some(format!("  {why}\n")),
    };
    let layer = case.layer.expect("a layer");
    let report = measured(stack, &subject, layer).await;
    let mut out = difference(case, &report);
    if case.alone || case.clean {
        for other in Layer::ALL.into_iter().filter(|&l| l != layer) {
            let report = measured(stack, &subject, other).await;
            if !matches!(report.verdict, Verdict::Passed | Verdict::NotApplicable) {
                let _ = writeln!(
                    out,
                    "  {other} should let this pass: {} ({}) {:?}",
                    report.verdict.name(),
                    report.detail,
                    report.findings
                );
            }
        }
    }
    (!out.is_empty()).then_some(out)
}

/// A folder with what lies beside the code.
fn folder_of(case: &Case) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in &case.files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    folder
}

fn subject(stack: &VerificationStack, case: &Case, folder: &Path) -> Result<Subject, String> {
    let language = stack.language(case.dialect.id).map_err(|e| e.to_string())?;
    let file = folder.join(&case.file);
    // As `workspace_of` finds it, no higher than the case's own folder; else what the case says.
    let above = file.ancestors().skip(1).take_while(|f| f.starts_with(folder));
    let package = above.into_iter().find(|f| f.join("package.json").is_file());
    let named = if case.home.is_empty() { folder.to_path_buf() } else { folder.join(&case.home) };
    let workspace = (!case.loose).then(|| package.map_or(named, std::path::Path::to_path_buf));
    let last = |text: &str| {
        let analysis = language.analyse(&file, &Arc::from(text));
        analysis.tasks.into_iter().last().ok_or_else(|| format!("no function with a spec in\n{text}"))
    };
    let on_disk = |text: &str| {
        std::fs::create_dir_all(file.parent().expect("a parent")).expect("a folder");
        std::fs::write(&file, text).expect("a file");
    };
    if case.as_is {
        on_disk(&case.code);
        return Ok(subject_as_is(&last(&case.code)?, workspace));
    }
    let before = case.before.clone().unwrap_or_else(|| with_placeholder(case.dialect, &case.code));
    on_disk(&before);
    let task = last(&before)?;
    Ok(Subject { workspace, ..subject_for_edit(&task, &line_edits(&before, &case.code))? })
}

/// The edits that turn one text into the other, line by line: what both have stays where it is.
fn line_edits(before: &str, after: &str) -> Vec<TextEdit> {
    let (a, b): (Vec<&str>, Vec<&str>) =
        (before.split_inclusive('\n').collect(), after.split_inclusive('\n').collect());
    // Length of the longest common part from line `i` of the one and line `j` of the other.
    let mut common = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, j) in (0..a.len()).rev().flat_map(|i| (0..b.len()).rev().map(move |j| (i, j))) {
        common[i][j] = if a[i] == b[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
    }
    let (mut edits, mut i, mut j, mut at) = (Vec::<TextEdit>::new(), 0, 0, 0);
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            (i, j, at) = (i + 1, j + 1, at + a[i].len());
            continue;
        }
        if edits.last().is_none_or(|e| e.range.end != at) {
            edits.push(TextEdit { range: TextRange::new(at, at), new_text: String::new() });
        }
        let edit = edits.last_mut().expect("just made");
        if j == b.len() || (i < a.len() && common[i + 1][j] >= common[i][j + 1]) {
            (i, at) = (i + 1, at + a[i].len());
            edit.range.end = at;
        } else {
            edit.new_text.push_str(b[j]);
            j += 1;
        }
    }
    edits
}

fn difference(case: &Case, report: &LayerReport) -> String {
    let mut out = String::new();
    if let Some((verdict, detail)) = &case.verdict
        && (report.verdict.name() != verdict || !report.detail.contains(detail.as_str()))
    {
        let _ = writeln!(out, "- {verdict}: {detail}\n+ {}: {}", report.verdict.name(), report.detail);
    }
    let mut found: Vec<_> = report.findings.iter().collect();
    for (line, code, part) in &case.errors {
        match found.iter().position(|f| f.line == *line && f.code == *code && f.message.contains(part.as_str())) {
            Some(at) => {
                found.remove(at);
            }
            None => {
                let _ = writeln!(out, "- line {line}: [{code}] {part}");
            }
        }
    }
    for f in found {
        let _ = writeln!(out, "+ line {}: [{}] {}", f.line, f.code, f.message);
    }
    let expected = if case.errors.is_empty() { Verdict::Passed } else { Verdict::Failed };
    if case.verdict.is_none() && report.verdict != expected {
        let _ = writeln!(out, "- {}\n+ {}: {}", expected.name(), report.verdict.name(), report.detail);
    }
    out
}

#[test]
fn expectations_are_read_and_taken_away() {
    let (code, errors) = expectations("# error: [", "x = 1\ny = a  # error: [analysis.F821] `a`  # error: [types.x]\n");
    assert_eq!(code, "x = 1\ny = a\n");
    assert_eq!(errors, [(2, "analysis.F821".into(), "`a`".into()), (2, "types.x".into(), String::new())]);
}

#[test]
fn an_edit_touches_only_the_lines_that_differ() {
    let (before, after) = ("# s\ndef f():\n    ...\nx = 1\n", "import a\n\n# s\ndef f():\n    return a.b\nx = 1\n");
    let edits = line_edits(before, after);
    assert_eq!(edits.iter().map(|e| e.new_text.as_str()).collect::<Vec<_>>(), ["import a\n\n", "    return a.b\n"]);
    assert_eq!(zeroerr_core::code::apply_edits(before, &edits).as_deref(), Some(after));
}
