//! `zeroerr bench replay`: recorded samples of a model through every policy. `zeroerr bench corpus` is
//! [`corpus`](super::corpus).

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use zeroerr_core::code::LanguageId;
use zeroerr_engine::bench::advice::Panel;
use zeroerr_engine::bench::chart;
use zeroerr_engine::bench::figures::{Figures, Report, TICODER};
use zeroerr_engine::bench::records::{self, Records};
use zeroerr_engine::bench::replay::{Options, Progress, ReplayError, Split, replay};
use zeroerr_engine::options::AgentRules;
use zeroerr_verification::verification_stack::VerificationStack;

use crate::args::{BenchCommand, Global, ReplayArgs, SplitArg};
use crate::compose;
use crate::context::{Context, LogTo, Ui};
use crate::exit::{CliError, Exit};
use crate::interrupt;
use crate::render::{plural, review};

/// Most bytes of a file after unpacking: recorded files are megabytes.
const MOST_BYTES: u64 = 1 << 30;
/// Most bad lines that are told one by one.
const MOST_LINES: usize = 20;

#[derive(serde::Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: &'a Report,
    ticoder: Published,
    wall_s: f64,
}

/// What others report.
#[derive(serde::Serialize)]
struct Published {
    source: &'static str,
    right: f64,
    right_after_1: f64,
    gain: f64,
}

/// Replays, prints the table, writes the chart.
///
/// # Errors
/// Files that cannot be used, a machine without a sandbox.
pub async fn main(global: &Global, command: &BenchCommand) -> Result<Exit, CliError> {
    let args = match command {
        BenchCommand::Replay(args) => args,
        BenchCommand::Corpus(args) => return super::corpus::main(global, args).await,
    };
    let begun = std::time::Instant::now();
    let context = Context::load(global, Path::new("."), &[], LogTo::Settings)?;
    let options = options(args, &context)?;
    let samples = read(&args.samples, records::samples, context.ui)?;
    let tasks = read(&args.tasks, records::tasks, context.ui)?;
    let settings = &context.loaded.settings;
    let tools = compose::toolchain(settings, &context.data_dir);
    let stack = Arc::new(VerificationStack::new(Arc::new(tools), settings.verification.policy()));
    let options = Options { panel: panel(args, &context)?, ..options };
    if let Some(path) = &args.svg {
        writable(path)?;
    }
    let cancel = interrupt::token();
    let bar = Bar::new(context.ui);
    let report = replay(&stack, &samples, &tasks, &options, &|p| bar.tell(p), &cancel).await;
    bar.line.finish_and_clear();
    let report = match report {
        Ok(report) => report,
        Err(ReplayError::Cancelled) => {
            context.ui.note(match &options.cache {
                Some(_) => "cancelled; the same command goes on from its cache",
                None => "cancelled; with --cache FOLDER it could go on from here",
            });
            return Ok(Exit::Cancelled);
        }
        Err(ReplayError::Usage(why)) => return Err(CliError::usage(why)),
        Err(ReplayError::Machine(why)) => return Err(CliError::machine(why)),
    };
    let wall_s = (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    if context.ui.json {
        let (right, right_after_1) = TICODER;
        let gain = zeroerr_engine::bench::figures::round(right_after_1 - right);
        let ticoder = Published { source: "arXiv 2404.10100, HumanEval", right, right_after_1, gain };
        context.ui.json_result(&Answer { report: &report, ticoder, wall_s })?;
    } else {
        context.ui.result(&table(&report))?;
        context.ui.note(&format!("{wall_s} s"));
    }
    if let Some(path) = &args.svg {
        std::fs::write(path, chart::svg(&report)).map_err(|e| cannot_write(path, &e))?;
    }
    Ok(Exit::Clean)
}

/// Found out before the work, which takes minutes.
fn writable(path: &Path) -> Result<(), CliError> {
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
    opened.map(drop).map_err(|e| cannot_write(path, &e))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> CliError {
    CliError::usage(format!("cannot write {}: {error}", path.display()))
}

fn options(args: &ReplayArgs, context: &Context) -> Result<Options, CliError> {
    if args.k.is_empty() || args.k.contains(&0) {
        return Err(CliError::usage("--k must be at least 1"));
    }
    if let Some(k) = args.k.iter().find(|k| **k > args.max) {
        return Err(CliError::usage(format!("--k {k} cannot be reached with --max {} samples", args.max)));
    }
    if args.orders == 0 {
        return Err(CliError::usage("--orders must be at least 1"));
    }
    let mut ks = args.k.clone();
    ks.sort_unstable();
    ks.dedup();
    Ok(Options {
        ks,
        max_samples: args.max,
        orders: args.orders,
        seed: args.seed,
        ask: args.ask as usize,
        jobs: std::thread::available_parallelism().map_or(1, usize::from),
        max_tokens: context.loaded.settings.llm.max_tokens,
        split: match args.split {
            SplitArg::Dev => Split::Dev,
            SplitArg::HeldOut => Split::HeldOut,
            SplitArg::All => Split::All,
        },
        cache: args.cache.clone(),
        limit: args.limit.map(|limit| limit as usize),
        panel: None,
    })
}

/// The configured model as the agents that were asked for.
fn panel(args: &ReplayArgs, context: &Context) -> Result<Option<Panel>, CliError> {
    let ReplayArgs { testers, critic, discriminators, .. } = *args;
    if testers == 0 && discriminators == 0 && !critic {
        return Ok(None);
    }
    let settings = &context.loaded.settings;
    let composed = compose::Composed::new(settings, &context.data_dir, Arc::new(drop))?;
    composed.ready(&[LanguageId::Python])?;
    let options = compose::run_options(settings)?;
    let rules = AgentRules { testers, critic, discriminators, ..options.agents.rules };
    Ok(Some(Panel { rules, models: composed.advisers(), options }))
}

/// Reads one file and tells every line that was skipped.
pub(super) fn read<T>(
    path: &Path,
    parse: fn(&[u8]) -> Result<Records<T>, String>,
    ui: Ui,
) -> Result<Records<T>, CliError> {
    let bytes =
        unpacked(path, MOST_BYTES).map_err(|e| CliError::usage(format!("cannot read {}: {e}", path.display())))?;
    let records = parse(&bytes).map_err(|why| CliError::usage(format!("{} {why}", path.display())))?;
    for skipped in records.skipped.iter().take(MOST_LINES) {
        ui.note(&format!("{}:{}: skipped, it {}", path.display(), skipped.line, skipped.why));
    }
    if records.skipped.len() > MOST_LINES {
        let more = plural(records.skipped.len() - MOST_LINES, "further line");
        ui.note(&format!("{}: {more} skipped", path.display()));
    }
    Ok(records)
}

fn unpacked(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let raw = std::fs::read(path)?;
    if !raw.starts_with(&[0x1f, 0x8b]) {
        return Ok(raw);
    }
    let mut out = Vec::new();
    flate2::read::MultiGzDecoder::new(&raw[..]).take(most + 1).read_to_end(&mut out)?;
    if out.len() as u64 > most {
        return Err(std::io::Error::other(format!("it unpacks to more than {} MiB", most >> 20)));
    }
    Ok(out)
}

/// Progress on standard error: a bar for people, a line now and then for logs.
pub(super) struct Bar {
    ui: Ui,
    pub(super) line: indicatif::ProgressBar,
}

impl Bar {
    pub(super) fn new(ui: Ui) -> Self {
        let style = indicatif::ProgressStyle::with_template("{bar:40} {pos}/{len} {msg}  {elapsed}");
        let style = style.unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
        let line = if ui.live { indicatif::ProgressBar::new(0) } else { indicatif::ProgressBar::hidden() };
        Self { ui, line: line.with_style(style) }
    }

    fn tell(&self, progress: Progress) {
        match progress {
            Progress::Observed(done, of) => self.show(done, of, "tasks run"),
            Progress::Advised(done, of) => self.show(done, of, "tasks that testers have answered for"),
            Progress::Reviewed(done, of) => {
                self.show(done, of, "questions that critics and discriminators have answered")
            }
            Progress::Verified(done, of) => self.show(done, of, "winners checked by the layers"),
        }
    }

    pub(super) fn show(&self, done: usize, of: usize, what: &'static str) {
        self.line.set_length(of as u64);
        self.line.set_position(done as u64);
        self.line.set_message(what);
        if !self.ui.live && (done == of || done.is_multiple_of(10)) {
            self.ui.note(&format!("{done}/{of} {what}"));
        }
    }
}

fn table(report: &Report) -> String {
    let mut out = format!(
        "{} ({}), {} of at most {} each; right among single samples: {:.3}\n\n",
        plural(report.tasks, "task"),
        report.split,
        plural(report.orders, "order"),
        plural(report.max_samples, "sample"),
        report.one_sample
    );
    out.push_str(
        "policy                   k  coverage (95 %)       precision (95 %)      right  samples   with the stack\n",
    );
    for row in &report.policies {
        let k = row.k.map_or_else(|| "-".to_owned(), |k| k.to_string());
        let stacked = row.with_stack.as_ref();
        let stacked = stacked.map_or_else(String::new, |f| format!("   {:.3} / {}", f.coverage, precision(f)));
        out.push_str(&format!("{:<23} {k:>2}  {}{stacked}\n", row.name, figures(&row.figures)));
    }
    if !report.questions.is_empty() {
        out.push_str("\nours, when the reference solution answers questions\n");
        out.push_str("up to  asked   k  coverage (95 %)       precision (95 %)      right  samples   gain\n");
        for row in &report.questions {
            let (up_to, asked, k) = (row.up_to, row.asked, row.k);
            let line =
                format!("{up_to:>5}  {asked:>5.2}  {k:>2}  {}   {:+.1}", figures(&row.figures), 100.0 * row.gain);
            out.push_str(&(line + " points\n"));
        }
        out.push_str("\nbest guess, nobody abstains\nup to  asked  examples  right (95 %)          above one sample\n");
        for row in &report.guesses {
            let ([low, high], known) = (row.right_95, if row.examples { "known" } else { "hidden" });
            out.push_str(&format!(
                "{:>5}  {:>5.2}  {known:<8}  {:.3} ({low:.3}-{high:.3})   {:+.1} points\n",
                row.up_to,
                row.asked,
                row.right,
                100.0 * row.gain
            ));
        }
        out.push_str(&format!(
            "TiCoder (arXiv 2404.10100), HumanEval pass@1 with one question: {:.3} -> {:.3}, {:+.1} points\n",
            TICODER.0,
            TICODER.1,
            100.0 * (TICODER.1 - TICODER.0)
        ));
    }
    let verb = if report.stack_asked == 1 { "passes" } else { "pass" };
    let asked = plural(report.stack_asked, "winner");
    out.push_str(&format!("\nlayers asked about {asked} that {verb} the examples"));
    let refused: Vec<String> = report.stack_refused.iter().map(|(layer, n)| format!("{layer} {n}")).collect();
    out.push_str(&if refused.is_empty() {
        "; none refused\n".into()
    } else {
        format!("; refused by: {}\n", refused.join(", "))
    });
    if let Some(t) = &report.testers {
        out.push_str(&format!(
            "testers: {} of {} had tests that could be read, {} in all; the reference solution passes {}\n",
            t.usable,
            plural(t.answers, "answer"),
            plural(t.tests, "test"),
            t.right
        ));
    }
    out.push_str(&review::of(report));
    report.not_checked.iter().for_each(|missing| out.push_str(&format!("not checked: {missing}\n")));
    report.left_out.iter().for_each(|left| out.push_str(&format!("left out: {}: {}\n", left.task_id, left.why)));
    out.push_str(
        "Intervals: Wilson, tasks as trials. Right: coverage times precision. With the stack: coverage / precision when a\n\
         winner that a layer refuses is not offered; for ours the stack takes part in the vote.\n",
    );
    out
}

fn figures(f: &Figures) -> String {
    let pair = |[low, high]: [f64; 2]| format!("({low:.3}-{high:.3})");
    let (coverage, precision) = (pair(f.coverage_95), pair(f.precision_95));
    let share = self::precision(f);
    format!("{:.3} {coverage}  {share:>5} {precision}  {:.3}  {:>7.2}", f.coverage, f.right, f.mean_samples)
}

fn precision(f: &Figures) -> String {
    f.precision.map_or_else(|| "-".to_owned(), |p| format!("{p:.3}"))
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_file_that_unpacks_to_too_much_is_refused_and_not_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.gz");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(&vec![b'x'; 2 << 20]).unwrap();
        std::fs::write(&path, packed.finish().unwrap()).unwrap();
        assert_eq!(unpacked(&path, 2 << 20).unwrap().len(), 2 << 20);
        assert_eq!(unpacked(&path, 1 << 20).unwrap_err().to_string(), "it unpacks to more than 1 MiB");
    }
}
