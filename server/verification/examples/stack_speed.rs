//! What a candidate costs when everything is started anew for it, one layer after the other, and what the
//! second and later candidates cost a stack that keeps its workers:
//! `cargo run -p zeroerr-verification --example stack_speed -- [python|search|rust|crate|typescript]` (tools from `ZEROERR_HOME`).
//! `python` is a function whose contracts CrossHair settles, `search` one on which it uses up its time, as it does
//! for whatever it cannot settle: that time is work and no start, and nothing here makes it less. `rust` is a small crate
//! without dependencies, `crate` one of a usual size with some: zeroerr's own core with a function more.
//!
//! `cold` are the same eight layers with nothing kept, one after another: the tools alone. `first` is a stack
//! that was just started, `later` the middle one of its further candidates, each as soon as the one before is done;
//! `paused` the middle one of as many more, each a second after the one before, in which a model would write it and the
//! stack starts ahead what the next will need. All three as the stack does it, side by side where it can. Every
//! candidate is another text, so no verdict is remembered.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroerr_core::code::{LanguageId, Task};
use zeroerr_core::verdict::{Layer, Policy, StackReport, Verdict};
use zeroerr_sandbox::{Sandbox, SandboxOptions};
use zeroerr_verification::languages::Subject;
use zeroerr_verification::toolchain::Toolchain;
use zeroerr_verification::verification_stack::{VerificationStack, subject_for_edit, workspace_of};

const PYTHON: &str = "\
# @spec Return x, or the nearer of the two bounds when it lies outside of them.
# @requires low <= high
# @ensures low <= result <= high
# @example clamp(5, 1, 3) == 3
# @example clamp(0, 1, 3) == 1
# @property clamp(clamp(x, low, high), low, high) == clamp(x, low, high)
# @budget 20ms clamp(1, 2, 3)
def clamp(x: int, low: int, high: int) -> int:
    ...
";
const SEARCH: &str = "\
# @spec Return the median of xs; the mean of the two middle values for an even count.
# @requires len(xs) > 0
# @ensures min(xs) <= result <= max(xs)
# @example median([3, 1, 2]) == 2
# @example median([1, 2, 3, 4]) == 2.5
# @property median(xs) == median(list(reversed(xs)))
# @budget 20ms median(list(range(1000)))
def median(xs: list[int]) -> float:
    ...
";

const TYPESCRIPT: &str = "\
// @spec Return x, or the nearer of the two bounds when it lies outside of them.
// @requires low <= high
// @ensures low <= result && result <= high
// @example clamp(5, 1, 3) === 3
// @example clamp(0, 1, 3) === 1
// @property clamp(clamp(x, low, high), low, high) === clamp(x, low, high)
// @budget 20ms clamp(1, 2, 3)
export function clamp(x: number, low: number, high: number): number {
  throw new Error(\"TODO\");
}
";

/// Ways to write each, all right; `N` makes every text another.
const CLAMP: [&str; 3] = [
    "at_N = max(low, x)\n    return min(at_N, high)",
    "at_N = x\n    if at_N < low:\n        return low\n    return high if at_N > high else at_N",
    "at_N = high if x > high else x\n    return low if at_N < low else at_N",
];
const MEDIAN: [&str; 3] = [
    "ys_N = sorted(xs)\n    m = len(ys_N) // 2\n    return ys_N[m] if len(ys_N) % 2 else (ys_N[m - 1] + ys_N[m]) / 2",
    "ys_N = sorted(xs)\n    n = len(ys_N)\n    return (ys_N[(n - 1) // 2] + ys_N[n // 2]) / 2",
    "ys_N = list(xs)\n    ys_N.sort()\n    low, high = ys_N[(len(ys_N) - 1) // 2], ys_N[len(ys_N) // 2]\n    return (low + high) / 2",
];
const RUST: [&str; 3] = [
    "let mut v_N = xs.to_vec();\n    v_N.sort_by(f64::total_cmp);\n    let m = v_N.len() / 2;\n    if v_N.len() % 2 == 1 { v_N[m] } else { v_N[m - 1] / 2.0 + v_N[m] / 2.0 }",
    "let mut v_N = xs.to_owned();\n    v_N.sort_unstable_by(f64::total_cmp);\n    let n = v_N.len();\n    (v_N[(n - 1) / 2] / 2.0) + (v_N[n / 2] / 2.0)",
    "let mut v_N = Vec::from(xs);\n    v_N.sort_by(f64::total_cmp);\n    let (low, high) = (v_N[(v_N.len() - 1) / 2], v_N[v_N.len() / 2]);\n    low * 0.5 + high * 0.5",
];
const BOUNDED: [&str; 3] = [
    "const at_N = Math.max(low, x);\n  return Math.min(at_N, high);",
    "const at_N = x < low ? low : x;\n  return at_N > high ? high : at_N;",
    "let at_N = x;\n  if (at_N > high) at_N = high;\n  return at_N < low ? low : at_N;",
];
/// Candidates of each stack beside the first, without and with a pause before each.
const LATER: usize = 5;
/// The pause.
const PAUSE: Duration = Duration::from_secs(1);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let home =
        std::env::var_os("ZEROERR_HOME").map(PathBuf::from).ok_or("set ZEROERR_HOME to the folder of the tools")?;
    let what = match std::env::args().nth(1).as_deref() {
        None | Some("python") => What::Python,
        Some("search") => What::Search,
        Some("rust") => What::Rust,
        Some("crate") => What::Crate,
        Some("typescript") => What::TypeScript,
        Some(other) => {
            return Err(
                format!("there is no `{other}` here; there are python, search, rust, crate and typescript").into()
            );
        }
    };
    let bench = Bench { home, what, folder: tempfile::tempdir()? };
    let mut cold = Vec::new();
    for n in 0..if matches!(what, What::Python | What::Search) { 3 } else { 1 } {
        cold.push(bench.cold(n).await?);
    }
    let stack = bench.stack(false);
    let mut warm = Vec::new();
    for n in 0..=LATER {
        warm.push(bench.side_by_side(&stack, 100 + n).await?);
    }
    let mut paused = Vec::new();
    for n in 0..LATER {
        tokio::time::sleep(PAUSE).await;
        paused.push(bench.side_by_side(&stack, 200 + n).await?);
    }
    table(&cold, &warm, &paused);
    Ok(())
}

/// The layers of one candidate, and the wall time of all in milliseconds.
type Run = (StackReport, f64);

/// What is measured.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Python,
    Search,
    Rust,
    Crate,
    TypeScript,
}

struct Bench {
    home: PathBuf,
    what: What,
    folder: tempfile::TempDir,
}

impl Bench {
    fn stack(&self, is_cold: bool) -> VerificationStack {
        let places = vec![Toolchain::bwrap_place(&self.home)];
        let sandbox = Sandbox::detect(&SandboxOptions { places, ..SandboxOptions::default() });
        let tools = Toolchain::detect(&self.home, sandbox);
        VerificationStack::new(Arc::new(if is_cold { tools.cold() } else { tools }), Policy::default())
    }

    /// A project of its own: nothing was compiled in it yet.
    fn project(&self, name: &str) -> Result<PathBuf, Box<dyn Error>> {
        let root = self.folder.path().join(name);
        if root.exists() {
            return Ok(root);
        }
        std::fs::create_dir_all(&root)?;
        match self.what {
            What::Rust => copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/rust_library"), &root)?,
            What::Crate => own_core(&root)?,
            What::TypeScript => {
                std::fs::write(root.join("package.json"), "{ \"name\": \"measured\", \"type\": \"module\" }\n")?;
                std::fs::write(root.join("numbers.ts"), TYPESCRIPT)?;
            }
            What::Python | What::Search => {
                std::fs::write(root.join("pyproject.toml"), "[project]\nname = \"measured\"\n")?;
                std::fs::write(root.join("numbers_.py"), if self.what == What::Python { PYTHON } else { SEARCH })?;
            }
        }
        Ok(root)
    }

    fn subject(&self, stack: &VerificationStack, project: &str, n: usize) -> Result<Subject, Box<dyn Error>> {
        let root = self.project(project)?;
        let (id, file, bodies) = match self.what {
            What::Rust => (LanguageId::Rust, "src/lib.rs", &RUST),
            What::Crate => (LanguageId::Rust, "server/core/src/measured.rs", &RUST),
            What::TypeScript => (LanguageId::TypeScript, "numbers.ts", &BOUNDED),
            What::Python => (LanguageId::Python, "numbers_.py", &CLAMP),
            What::Search => (LanguageId::Python, "numbers_.py", &MEDIAN),
        };
        let file = root.join(file);
        let text: Arc<str> = std::fs::read_to_string(&file)?.into();
        let language = stack.language(id)?;
        let all: Vec<Task> = language.analyse(&file, &text).tasks;
        let task = all.into_iter().find(|t| ["median", "clamp"].contains(&t.signature.name.as_str()));
        let task = task.ok_or("the file has no such function")?;
        let body = bodies[n % bodies.len()].replace("_N", &format!("_{n}"));
        let response = match self.what {
            What::Rust | What::Crate => format!("```rust\npub fn median(xs: &[f64]) -> f64 {{\n    {body}\n}}\n```"),
            What::TypeScript => format!(
                "```typescript\nexport function clamp(x: number, low: number, high: number): number {{\n  {body}\n}}\n```"
            ),
            What::Python => {
                format!("```python\ndef clamp(x: int, low: int, high: int) -> int:\n    {body}\n```")
            }
            What::Search => format!("```python\ndef median(xs: list[int]) -> float:\n    {body}\n```"),
        };
        let candidate = language.extract(&response, &task).map_err(|flag| format!("{flag:?}"))?;
        let subject = subject_for_edit(&task, &language.splice(&task, &candidate)?)?;
        Ok(Subject { workspace: workspace_of(&file), ..subject })
    }

    async fn cold(&self, n: usize) -> Result<Run, Box<dyn Error>> {
        let stack = self.stack(true);
        let subject = self.subject(&stack, &format!("cold-{n}"), n)?;
        let started = Instant::now();
        let mut report = StackReport::default();
        for layer in Layer::ALL {
            report.layers.push(stack.check(&subject, layer).await);
        }
        right(&report)?;
        Ok((report, started.elapsed().as_secs_f64() * 1000.0))
    }

    async fn side_by_side(&self, stack: &VerificationStack, n: usize) -> Result<Run, Box<dyn Error>> {
        let subject = self.subject(stack, "warm", n)?;
        let started = Instant::now();
        let report = stack.verify_all(&subject, &|_| {}).await;
        let all = started.elapsed().as_secs_f64() * 1000.0;
        right(&report)?;
        Ok((report, all))
    }
}

/// A layer that could not run costs nothing, and would be praised for it.
fn right(report: &StackReport) -> Result<(), String> {
    let is_right =
        |l: &&zeroerr_core::verdict::LayerReport| !matches!(l.verdict, Verdict::Passed | Verdict::NotApplicable);
    match report.layers.iter().find(is_right) {
        None => Ok(()),
        Some(l) => Err(format!("{} did not pass: {} {:?}", l.layer, l.detail, l.findings)),
    }
}

fn table(cold: &[Run], warm: &[Run], paused: &[Run]) {
    println!(
        "{:<14}{:>10}{:>10}{:>10}{:>10}   cold : first   cold : later   cold : paused (by {} ms)",
        "layer, ms",
        "cold",
        "first",
        "later",
        "paused",
        PAUSE.as_millis()
    );
    let of = |run: &Run, layer: Layer| {
        let report = run.0.layers.iter().find(|l| l.layer == layer);
        report.map_or(0.0, |l| f64::from(u32::try_from(l.elapsed_ms).unwrap_or(u32::MAX)))
    };
    let (first, later) = warm.split_at(1);
    for layer in Layer::ALL {
        let of = |runs: &[Run]| middle(runs.iter().map(|r| of(r, layer)).collect());
        row(layer.name(), of(cold), [of(first), of(later), of(paused)]);
    }
    let all = |runs: &[Run]| middle(runs.iter().map(|r| r.1).collect());
    row("in all", all(cold), [all(first), all(later), all(paused)]);
}

fn row(name: &str, cold: f64, warm: [f64; 3]) {
    let ratio = |of: f64| if cold < 1.0 { "-".to_owned() } else { format!("{:.1}", cold / of.max(0.5)) };
    let [first, later, paused] = warm;
    print!("{name:<14}{cold:>10.0}{first:>10.0}{later:>10.0}{paused:>10.0}");
    println!("   {:>12}   {:>12}   {:>13}", ratio(first), ratio(later), ratio(paused));
}

fn middle(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

/// The core of zeroerr with one function more, as a project of its own.
fn own_core(to: &Path) -> std::io::Result<()> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let core = to.join("server/core");
    std::fs::create_dir_all(&core)?;
    copy(&top.join("server/core"), &core)?;
    std::fs::copy(top.join("Cargo.lock"), to.join("Cargo.lock"))?;
    let manifest = std::fs::read_to_string(top.join("Cargo.toml"))?;
    std::fs::write(to.join("Cargo.toml"), manifest.replace("\"server/*\", \"tests\"", "\"server/core\""))?;
    let example = std::fs::read_to_string(top.join("docs/examples/rust_library/src/lib.rs"))?;
    let median = example.lines().skip_while(|l| !l.starts_with("// @spec")).take_while(|l| *l != "}");
    let mut text = String::from("//! What is measured.\n\n");
    for line in median {
        // This crate asks that what is public is described.
        let described = if line.starts_with("pub fn") { "/// The median.\n" } else { "" };
        writeln!(text, "{described}{line}").map_err(std::io::Error::other)?;
    }
    text.push_str("}\n");
    std::fs::write(core.join("src/measured.rs"), text)?;
    let root = std::fs::read_to_string(core.join("src/lib.rs"))?;
    std::fs::write(core.join("src/lib.rs"), format!("{root}pub mod measured;\n"))
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
