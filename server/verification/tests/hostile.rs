//! Programs that try to get out, to bring the judge down or to be judged better than they are: the corpus
//! in `hostile/<language>.md` through the real adapters, with the real tools, in the real sandbox.
//!
//! A fenced block is one program; the heading above it is its name.
//!
//! * ` ```python body ` (or `rust`, `typescript`) is the body of a function `double`, which doubles a number and
//!   has one example. Without `body` the block is a whole file, and its last function with a spec is meant.
//! * ` ```rust at=src/lib.rs ` says where the file lies; ` ```LANG file=NAME ` puts a file beside the programs
//!   of all blocks up to the next heading. `NAME` with `!` at its end is executable.
//! * ` ```expect ` after a program says what is reported, one line each: `LAYER VERDICT: PART`, where PART
//!   stands in the detail or in a finding (`[code] message`). Two verdicts that are both right are written
//!   `failed|unavailable`. The layer `gate` is `rejected` or `votes`; `all passed` asks all eight.
//!
//! In programs `{{outside}}` is a folder of the user's with a file `victim` in it and a listening socket `socket`,
//! `{{secret}}` a file with a secret, `{{port}}` a port that is listened to, `{{home}}` the home folder, `{{marker}}` a
//! word that no other process has in its command line.
//!
//! What is asserted of every program, beside its report: nobody has connected, nothing in the user's
//! folders has changed, no secret and no control character is in any report, no process is left.
//!
//! `ZEROERR_SUITE=python,part of a title` runs some of them.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use zeroerr_core::code::LanguageId;
use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_verification::languages::{Judgement, Subject};
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is};

use common::tools;

/// What must never be in a report: the content of a file, and of a variable that cargo sets for tests.
const SECRET: &str = "canary-7f3a91";
const VARIABLE: &str = "The eight-layer verification stack";

/// How a language's programs are written.
struct Dialect {
    id: LanguageId,
    name: &'static str,
    file: &'static str,
    /// What stands before and after a body, and before each of its lines.
    around: (&'static str, &'static str, &'static str),
    /// Programs that there are at least.
    least: usize,
}

const DIALECTS: &[Dialect] = &[
    Dialect {
        id: LanguageId::Python,
        name: "python",
        file: "edited.py",
        around: ("# @spec Double it.\n# @example double(2) == 4\ndef double(x: int) -> int:\n", "", "    "),
        least: 35,
    },
    Dialect {
        id: LanguageId::Rust,
        name: "rust",
        file: "edited.rs",
        around: ("// @spec Double it.\n// @example double(2) == 4\nfn double(x: i64) -> i64 {\n", "}\n", "    "),
        least: 25,
    },
    Dialect {
        id: LanguageId::TypeScript,
        name: "typescript",
        file: "edited.ts",
        around: (
            "// @spec Double it.\n// @example double(2) === 4\nexport function double(x: number): number {\n",
            "}\n",
            "  ",
        ),
        least: 80,
    },
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_gets_out_and_each_is_reported_as_what_it_is() {
    let stack = stack();
    let programs: Vec<Program> = DIALECTS.iter().flat_map(programs_of).collect();
    let filter = std::env::var("ZEROERR_SUITE").unwrap_or_default();
    let chosen = |p: &&Program| filter.split(',').any(|f| p.title.contains(f) || p.place.contains(f));
    let runs = programs.iter().filter(chosen).map(|program| {
        let stack = &stack;
        async move {
            let begun = Instant::now();
            let wrong = run(stack, program, false).await;
            if std::env::var_os("ZEROERR_TIMES").is_some() {
                eprintln!("{:6} ms {} {}", begun.elapsed().as_millis(), program.place, program.title);
            }
            (!wrong.is_empty()).then(|| format!("{} \"{}\"\n{wrong}", program.place, program.title))
        }
    });
    let mut failures: Vec<String> = futures::stream::iter(runs).buffered(2).filter_map(|f| async { f }).collect().await;
    let scripts: Vec<&Program> = programs.iter().filter(chosen).filter(|p| p.dialect.name == "typescript").collect();
    let (one, other) = scripts.split_at(scripts.len() / 2);
    let (one, other) = tokio::join!(in_jobs_ahead(one), in_jobs_ahead(other));
    failures.extend(one.into_iter().chain(other));
    assert!(failures.is_empty(), "{} of {} failed\n\n{}", failures.len(), programs.len(), failures.join("\n"));
    // Interpreters that wait for the next job are ours, and there is none; of the jobs nothing may be left in their jails.
    assert_eq!(stack.toolchain().dismiss(Duration::ZERO), 0);
    let gone = eventually(Duration::from_secs(5), || descendants().is_empty());
    assert!(gone, "processes are left: {:?}", descendants());
}

#[test]
fn there_are_as_many_as_promised() {
    for dialect in DIALECTS {
        let programs = programs_of(dialect);
        assert!(programs.len() >= dialect.least, "{}: {}", dialect.name, programs.len());
        assert!(programs.iter().all(|p| !p.expected.is_empty()), "a program without an expectation");
    }
}

/// What goes wrong with programs that are run in jobs which were started ahead, one program after the other.
async fn in_jobs_ahead(programs: &[&Program]) -> Vec<String> {
    let stack = stack();
    let mut failures = Vec::new();
    for program in programs {
        let wrong = run(&stack, program, true).await;
        if !wrong.is_empty() {
            failures.push(format!("{} \"{}\", started ahead\n{wrong}", program.place, program.title));
        }
    }
    let used = usize::try_from(stack.toolchain().ahead().used).unwrap_or_default();
    // Whoever brings the judge down is judged once more by a job of its own, and not counted.
    if used < programs.len() / 2 {
        failures.push(format!("only {used} of {} were run in jobs that were started ahead", programs.len()));
    }
    failures
}

fn stack() -> VerificationStack {
    VerificationStack::new(Arc::new(tools()), Policy::default())
}

/// One program with what is expected of it.
struct Program {
    dialect: &'static Dialect,
    place: String,
    title: String,
    code: String,
    file: String,
    files: Vec<(String, String)>,
    expected: Vec<Expected>,
}

/// One line of an `expect` block.
struct Expected {
    layer: String,
    verdicts: Vec<String>,
    part: String,
}

fn programs_of(dialect: &'static Dialect) -> Vec<Program> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile").join(format!("{}.md", dialect.name));
    let text = std::fs::read_to_string(path).expect("the corpus");
    let (mut programs, mut title, mut files) = (Vec::<Program>::new(), String::new(), Vec::new());
    let mut lines = text.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        if line.starts_with('#') {
            title = line.trim_start_matches('#').trim().to_string();
            files.clear();
        }
        let Some(info) = line.strip_prefix("```") else { continue };
        let body: String =
            lines.by_ref().map(|(_, l)| l).take_while(|l| *l != "```").fold(String::new(), |all, l| all + l + "\n");
        let words: Vec<&str> = info.split_whitespace().collect();
        let named = |key: &str| words.iter().find_map(|w| w.strip_prefix(key)).map(str::to_string);
        if words == ["expect"] {
            programs.last_mut().expect("a program comes first").expected = body.lines().map(expected).collect();
        } else if let Some(name) = named("file=") {
            files.push((name, body));
        } else if words.first() == Some(&dialect.name) {
            programs.push(Program {
                dialect,
                place: format!("{}.md:{}", dialect.name, number + 1),
                title: title.clone(),
                code: if words.contains(&"body") { whole(dialect, &body) } else { body },
                file: named("at=").unwrap_or_else(|| dialect.file.to_string()),
                files: files.clone(),
                expected: Vec::new(),
            });
        }
    }
    programs
}

fn whole(dialect: &Dialect, body: &str) -> String {
    let (head, tail, indent) = dialect.around;
    let lines: String = body.lines().fold(String::new(), |all, line| all + indent + line + "\n");
    format!("{head}{lines}{tail}")
}

fn expected(line: &str) -> Expected {
    let (head, part) = line.split_once(": ").unwrap_or((line, ""));
    let (layer, verdicts) = head.trim_end_matches(':').split_once(' ').expect("a layer and a verdict");
    let verdicts = verdicts.split('|').map(str::to_string).collect();
    Expected { layer: layer.to_string(), verdicts, part: part.to_string() }
}

/// The user's machine, as far as one program could touch it.
struct Outside {
    folder: tempfile::TempDir,
    project: tempfile::TempDir,
    listener: TcpListener,
    socket: UnixListener,
    marker: String,
}

impl Outside {
    fn new(program: &Program) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).expect("a mode");
        for (name, text) in [("victim", "untouched"), ("secret", SECRET)] {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("a file");
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).expect("a mode");
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        listener.set_nonblocking(true).expect("a listener");
        let socket = UnixListener::bind(folder.path().join("socket")).expect("a socket");
        socket.set_nonblocking(true).expect("a socket");
        let marker = format!("zeroerr-hostile-{}-{}", std::process::id(), program.place.replace([':', '.'], "-"));
        Self { folder, project: tempfile::tempdir().expect("a folder"), listener, socket, marker }
    }

    fn filled(&self, text: &str) -> String {
        let port = self.listener.local_addr().expect("an address").port().to_string();
        let folder = self.folder.path().display().to_string();
        let home = std::env::home_dir().expect("a home").display().to_string();
        text.replace("{{outside}}", &folder)
            .replace("{{secret}}", &format!("{folder}/secret"))
            .replace("{{port}}", &port)
            .replace("{{home}}", &home)
            .replace("{{marker}}", &self.marker)
    }

    /// Puts the program into the project and makes its subject.
    fn subject(&self, stack: &VerificationStack, program: &Program) -> Subject {
        let root = self.project.path();
        for (name, text) in program.files.iter().chain([&(program.file.clone(), program.code.clone())]) {
            let path = root.join(name.trim_end_matches('!'));
            std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            std::fs::write(&path, self.filled(text)).expect("a file");
            if name.ends_with('!') {
                std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).expect("a mode");
            }
        }
        let language = stack.language(program.dialect.id).expect("an adapter");
        let source: Arc<str> = self.filled(&program.code).into();
        let task = language.analyse(&root.join(&program.file), &source).tasks.pop();
        subject_as_is(&task.expect("a function with a spec"), Some(root.to_path_buf()))
    }

    /// Every file of the user's with its content.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut found = BTreeMap::new();
        let mut open = vec![self.folder.path().to_path_buf(), self.project.path().to_path_buf()];
        while let Some(folder) = open.pop() {
            for path in std::fs::read_dir(&folder).expect("a folder").map(|e| e.expect("an entry").path()) {
                match path.symlink_metadata().expect("an entry").is_dir() {
                    true => open.push(path),
                    false => drop(found.insert(path.clone(), std::fs::read(&path).unwrap_or_default())),
                }
            }
        }
        found
    }

    /// What has got out.
    fn traces(&self, before: &BTreeMap<PathBuf, Vec<u8>>) -> String {
        let mut out = String::new();
        if self.listener.accept().is_ok() || self.socket.accept().is_ok() {
            out.push_str("  it reached the network\n");
        }
        let after = self.files();
        let changed = after.iter().filter(|(path, text)| before.get(*path) != Some(*text)).map(|(path, _)| path);
        for path in changed.chain(before.keys().filter(|p| !after.contains_key(*p))) {
            let _ = writeln!(out, "  it changed {}", path.display());
        }
        if !eventually(Duration::from_secs(3), || processes_with(&self.marker).is_empty()) {
            let _ = writeln!(out, "  it left processes: {:?}", processes_with(&self.marker));
        }
        out
    }
}

/// What differs from what is expected; empty when nothing does. `is_ahead` asks whoever runs candidates, of jobs that
/// were started before it is put there.
async fn run(stack: &VerificationStack, program: &Program, is_ahead: bool) -> String {
    let outside = Outside::new(program);
    let subject = outside.subject(stack, program);
    let before = outside.files();
    let mut out = String::new();
    for expected in program.expected.iter().filter(|e| !is_ahead || e.layer != "security") {
        if is_ahead {
            stack.toolchain().fill_ahead().await;
        }
        let said = said(stack, program, &subject, &expected.layer).await;
        let verdict = said.0.as_str();
        if !expected.verdicts.iter().any(|v| v == verdict) || !said.1.contains(&outside.filled(&expected.part)) {
            let verdicts = expected.verdicts.join("|");
            let _ = writeln!(out, "- {} {verdicts}: {}\n+ {verdict}: {}", expected.layer, expected.part, said.1);
        }
        out.push_str(&faults_of(&said.1));
    }
    out + &outside.traces(&before)
}

/// What no report may hold, whatever it says.
fn faults_of(report: &str) -> String {
    let mut out = String::new();
    for canary in [SECRET, VARIABLE] {
        if report.contains(canary) {
            let _ = writeln!(out, "  a secret is in the report: {report}");
        }
    }
    if report.chars().any(|c| c.is_control() && c != '\n') {
        let _ = writeln!(out, "  control characters are in the report: {report:?}");
    }
    if report.len() > 64 << 10 {
        let _ = writeln!(out, "  the report has {} bytes", report.len());
    }
    out
}

/// The verdict of a layer (or the gate), and everything it says.
async fn said(stack: &VerificationStack, program: &Program, subject: &Subject, layer: &str) -> (String, String) {
    if layer == "gate" {
        let language = stack.language(program.dialect.id).expect("an adapter");
        return match language.judge(stack.toolchain(), subject, 7).await {
            Ok(Judgement::Votes(print)) => ("votes".into(), format!("on {} inputs", print.outcomes.len())),
            Ok(Judgement::GateRejected(why) | Judgement::NearMiss(why) | Judgement::Unfit(why)) => {
                ("rejected".into(), why)
            }
            Err(error) => ("error".into(), error.0),
        };
    }
    if layer == "all" {
        let report = stack.verify_all(subject, &|_| {}).await;
        let bad = report.layers.iter().find(|l| !matches!(l.verdict, Verdict::Passed | Verdict::NotApplicable));
        return bad.map_or(("passed".into(), String::new()), |l| (l.verdict.name().into(), text_of(l)));
    }
    let layer = Layer::ALL.into_iter().find(|l| l.name() == layer).expect("a layer's name");
    let report = stack.check(subject, layer).await;
    (report.verdict.name().into(), text_of(&report))
}

fn text_of(report: &LayerReport) -> String {
    let mut out = format!("{}: {}", report.layer, report.detail);
    for finding in &report.findings {
        let example = finding.counterexample.as_deref().unwrap_or_default();
        let _ = write!(out, "\n[{}] {} {example}", finding.code, finding.message);
    }
    out
}

/// Host processes whose command line contains `marker`.
fn processes_with(marker: &str) -> Vec<u32> {
    let holds = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains(marker)
    };
    pids().into_iter().filter(holds).collect()
}

fn pids() -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}

/// Every process of a job that this one, or one of its children, has started. What a job leaves behind goes to
/// the first process of the job, which is one of ours; the sandbox's own helpers, one of which waits
/// for the next job, live in our process namespace.
fn descendants() -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let parents: BTreeMap<u32, u32> = pids().into_iter().filter_map(|p| Some((p, parent(p)?))).collect();
    let above = |pid: u32| std::iter::successors(parents.get(&pid), |p| parents.get(p));
    let own = std::process::id();
    let namespace = |pid: u32| std::fs::read_link(format!("/proc/{pid}/ns/pid")).ok();
    let walled = |pid: &u32| namespace(*pid).is_some_and(|ns| Some(ns) != namespace(own));
    parents.keys().copied().filter(|pid| above(*pid).any(|p| *p == own)).filter(walled).collect()
}

fn eventually(limit: Duration, mut done: impl FnMut() -> bool) -> bool {
    let start = Instant::now();
    while start.elapsed() < limit {
        if done() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    done()
}
