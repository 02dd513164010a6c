//! `zeroerr bench corpus`: what the layers say of functions that are right, and of faults put into them.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use zeroerr_core::verdict::Layer;
use zeroerr_engine::bench::corpus::{Mutants, Options, Report, corpus};
use zeroerr_engine::bench::records;
use zeroerr_engine::bench::replay::ReplayError;
use zeroerr_verification::verification_stack::VerificationStack;

use super::bench::{Bar, read};
use crate::args::{CorpusArgs, Global};
use crate::compose;
use crate::context::{Context, LogTo};
use crate::exit::{CliError, Exit};
use crate::interrupt;

#[derive(serde::Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    report: &'a Report,
    wall_s: f64,
}

/// Checks the corpus and prints what was objected to.
///
/// # Errors
/// A file that cannot be used, a machine without a sandbox.
pub async fn main(global: &Global, args: &CorpusArgs) -> Result<Exit, CliError> {
    let begun = std::time::Instant::now();
    let context = Context::load(global, Path::new("."), &[], LogTo::Settings)?;
    let tasks = read(&args.tasks, records::tasks, context.ui)?;
    let settings = &context.loaded.settings;
    let tools = compose::toolchain(settings, &context.data_dir);
    let stack = VerificationStack::new(Arc::new(tools), settings.verification.policy());
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        mutants: args.mutants as usize,
        seed: args.seed,
        jobs: args.jobs.map_or_else(cores, |jobs| jobs as usize),
        only: args.only.clone(),
    };
    let cancel = interrupt::token();
    let bar = Bar::new(context.ui);
    let seen = corpus(&stack, &tasks, &options, &|done, of| bar.show(done, of, "functions checked"), &cancel).await;
    bar.line.finish_and_clear();
    let report = match seen {
        Ok(report) => report,
        Err(ReplayError::Cancelled) => {
            context.ui.note("cancelled");
            return Ok(Exit::Cancelled);
        }
        Err(ReplayError::Usage(why)) => return Err(CliError::usage(why)),
        Err(ReplayError::Machine(why)) => return Err(CliError::machine(why)),
    };
    let wall_s = (begun.elapsed().as_secs_f64() * 10.0).round() / 10.0;
    if context.ui.json {
        context.ui.json_result(&Answer { report: &report, wall_s })?;
    } else {
        context.ui.result(&text(&report))?;
        context.ui.note(&format!("{wall_s} s"));
    }
    Ok(Exit::Clean)
}

fn share(part: usize, of: usize) -> String {
    format!("{part} of {of} ({:.1} %)", 100.0 * part as f64 / of.max(1) as f64)
}

fn text(report: &Report) -> String {
    let mut out = format!("reference solutions that no layer objects to: {}\n", share(report.passed, report.functions));
    let _ = writeln!(
        out,
        "objected to: {}; could not be checked: {}; with a claim in the docstring: {}\n",
        report.objected, report.not_checked, report.with_evidence
    );
    out.push_str("layer        passed  failed  nothing to check  unavailable  timed out\n");
    for layer in Layer::ALL {
        let count = |verdict: &str| report.verdicts.get(&layer).and_then(|v| v.get(verdict)).copied().unwrap_or(0);
        let [passed, failed, nothing, missing, slow] =
            ["passed", "failed", "not_applicable", "unavailable", "timed_out"].map(count);
        let _ = writeln!(out, "{layer:<12} {passed:>6}  {failed:>6}  {nothing:>16}  {missing:>11}  {slow:>9}");
    }
    for objection in &report.objections {
        let (id, code, line) = (&objection.task_id, &objection.code, objection.line);
        let _ = write!(out, "\n{id}:{line} [{code}] {}\n    {}\n", objection.message, objection.text);
    }
    for left in &report.left_out {
        let _ = writeln!(out, "\nleft out: {}: {}", left.task_id, left.why);
    }
    if let Some(mutants) = &report.mutants {
        out.push_str(&of_mutants(mutants));
    }
    out
}

fn of_mutants(m: &Mutants) -> String {
    let mut out = format!(
        "\nmutants: {}; accepted by the hidden test, not counted below: {}; wrong: {}\n",
        m.made, m.accepted_by_hidden_test, m.wrong
    );
    let _ = writeln!(out, "objected to by some layer: {}", share(m.killed, m.wrong));
    let _ = writeln!(out, "not objected to, but some layer could not check: {}", m.not_offered);
    let _ = writeln!(
        out,
        "not objected to: {}; of functions with a claim in the docstring: {}\n",
        share(m.through, m.wrong),
        share(m.through_with_evidence, m.wrong_with_evidence)
    );
    out.push_str("layer        objects to  alone\n");
    for layer in Layer::ALL {
        let of = |counts: &std::collections::BTreeMap<Layer, usize>| counts.get(&layer).copied().unwrap_or(0);
        let _ = writeln!(out, "{layer:<12} {:>10}  {:>5}", of(&m.kills), of(&m.alone));
    }
    out.push_str("\noperator           wrong  objected to\n");
    for (name, (wrong, killed)) in &m.operators {
        let _ = writeln!(out, "{name:<18} {wrong:>5}  {killed:>11}");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_something() {
        assert_eq!(share(1, 8), "1 of 8 (12.5 %)");
        assert_eq!(share(0, 0), "0 of 0 (0.0 %)");
    }
}
