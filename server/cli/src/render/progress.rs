//! What a run does, as it does it: one line per event on standard error, and on a terminal a line
//! below them that says what is being waited for.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use zeroerr_core::report::{ClassVotes, RunEvent};

use super::{BAD, FAINT, GOOD, STRONG, WARN, layers};
use crate::context::Ui;

/// Bars of a tally longer than this are cut; the number beside them is exact.
const WIDEST_BAR: u32 = 24;

/// Shows one run or verification.
pub struct Progress {
    ui: Ui,
    spinner: ProgressBar,
    max_attempts: u32,
}

impl Progress {
    /// Starts with a title line.
    pub fn new(ui: Ui, title: &str) -> Self {
        ui.note(&format!("{STRONG}{title}{STRONG:#}"));
        let target = if ui.live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let spinner = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        if ui.live {
            spinner.enable_steady_tick(Duration::from_millis(120));
        }
        Self { ui, spinner, max_attempts: 0 }
    }

    /// Shows one event.
    pub fn event(&mut self, event: &RunEvent) {
        if let RunEvent::Sampled { max_attempts, .. } = event {
            self.max_attempts = *max_attempts;
        }
        if let Some(waiting) = waiting(event) {
            self.spinner.set_message(waiting);
        }
        if let Some(line) = line(event) {
            self.spinner.suspend(|| self.ui.note(&line));
        }
    }

    /// Removes the line that waits.
    pub fn finish(&self) {
        self.spinner.finish_and_clear();
    }
}

/// Shows the verification of a whole tree: what each function gave, in order, and below it how far all is.
pub struct TreeProgress {
    ui: Ui,
    bar: ProgressBar,
    /// Lines are shown as they come when there is only one function at a time.
    at_once: bool,
}

impl TreeProgress {
    /// For so many functions, so many at a time.
    pub fn new(ui: Ui, functions: usize, jobs: usize) -> Self {
        let target = if ui.live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(functions as u64), target);
        if let Ok(style) = ProgressStyle::with_template("  {spinner} {pos} of {len} functions, {msg} ({elapsed})") {
            bar.set_style(style);
        }
        if ui.live {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        Self { ui, bar, at_once: functions == 1 || jobs == 1 }
    }

    /// A function is begun; gives the lines that are to be shown when it is its turn.
    pub fn begin(&self, title: &str) -> Vec<String> {
        let mut lines = Vec::new();
        self.line(format!("{STRONG}{title}{STRONG:#}"), &mut lines);
        lines
    }

    /// One event of one function.
    pub fn event(&self, function: &str, event: &RunEvent, lines: &mut Vec<String>) {
        if let Some(waiting) = waiting(event) {
            self.bar.set_message(format!("{waiting} of {function}"));
        }
        if let Some(text) = line(event) {
            self.line(text, lines);
        }
    }

    /// A function has ended.
    pub fn end(&self) {
        self.bar.inc(1);
    }

    /// Shows what was kept back.
    pub fn show(&self, lines: &[String]) {
        self.aside(|| lines.iter().for_each(|l| self.ui.note(l)));
    }

    /// Does something that writes, without the bar in between.
    pub fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Removes the bar.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn line(&self, text: String, lines: &mut Vec<String>) {
        if self.at_once {
            self.aside(|| self.ui.note(&text));
        } else {
            lines.push(text);
        }
    }
}

/// The line that stays, if the event is worth one.
fn line(event: &RunEvent) -> Option<String> {
    Some(match event {
        RunEvent::Started { steps } if steps.len() > 1 => format!("  plan: {}", steps.join(" → ")),
        RunEvent::Started { .. } | RunEvent::Sampled { .. } | RunEvent::LayerStarted { .. } => return None,
        // An error, which is told at the end, whatever else is shown.
        RunEvent::NotJournaled { .. } => return None,
        RunEvent::LoadingModel { model } => format!("  {FAINT}loading {model}{FAINT:#}"),
        RunEvent::Flagged { step, flag } => {
            format!("  {WARN}⚑{WARN:#} {step}: discarded, {}", flag.name().replace('_', " "))
        }
        RunEvent::GateRejected { step, why } => format!("  {BAD}✗{BAD:#} {step}: does not vote, {why}"),
        RunEvent::Voted { step, tally, margin, k } => {
            format!("  {GOOD}▮{GOOD:#} {step}: {}  {}", bars(tally), lead(*margin, *k))
        }
        RunEvent::Decided { step, class } => {
            let class = class.get(..8).unwrap_or(class);
            format!("  {GOOD}✓{GOOD:#} {step}: decided for {class}")
        }
        RunEvent::Advised { step, agent, says } => format!("  {FAINT}◦{FAINT:#} {step}: {agent}: {says}"),
        RunEvent::LayerFinished { report } => layers::layer(report),
    })
}

/// What is being waited for after the event.
fn waiting(event: &RunEvent) -> Option<String> {
    Some(match event {
        RunEvent::Started { .. } => "waiting for the first sample".into(),
        RunEvent::LoadingModel { model } => format!("loading {model}"),
        RunEvent::Sampled { step, samples, max_attempts } => {
            format!("{step}: sample {samples} of at most {max_attempts}")
        }
        RunEvent::LayerStarted { layer } => format!("checking {layer}"),
        RunEvent::Decided { .. } => "verifying".into(),
        _ => return None,
    })
}

/// `▮▮▮▮ 4 / ▮ 1`: votes per class, most first.
fn bars(tally: &[ClassVotes]) -> String {
    let one = |c: &ClassVotes| format!("{} {}", "▮".repeat(c.votes.min(WIDEST_BAR) as usize), c.votes);
    tally.iter().map(one).collect::<Vec<_>>().join(" / ")
}

fn lead(margin: u32, k: u32) -> String {
    format!("{FAINT}ahead by {margin}, a lead of {k} decides{FAINT:#}")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use zeroerr_core::red_flag_detector::RedFlag;

    use super::*;

    #[test]
    fn events_are_lines() {
        let votes = |class: &str, votes| ClassVotes { class: class.into(), votes };
        let step = || "median".to_owned();
        let events = [
            RunEvent::Started { steps: vec!["split".into(), step()] },
            RunEvent::LoadingModel { model: "smollm2".into() },
            RunEvent::Sampled { step: step(), samples: 1, max_attempts: 20 },
            RunEvent::Flagged { step: step(), flag: RedFlag::DoesNotParse },
            RunEvent::GateRejected { step: step(), why: "median([1]) == 1".into() },
            RunEvent::Voted { step: step(), tally: vec![votes("a", 4), votes("b", 1)], margin: 3, k: 3 },
            RunEvent::Decided { step: step(), class: "0123456789".into() },
            RunEvent::Advised { step: step(), agent: "critic".into(), says: "objects: median([]) fails".into() },
        ];
        let lines: Vec<String> =
            events.iter().filter_map(line).map(|l| anstream::adapter::strip_str(&l).to_string()).collect();
        // The first line keeps `expect!` from taking the others' indentation away.
        expect![[r#"
            lines
              plan: split → median
              loading smollm2
              ⚑ median: discarded, does not parse
              ✗ median: does not vote, median([1]) == 1
              ▮ median: ▮▮▮▮ 4 / ▮ 1  ahead by 3, a lead of 3 decides
              ✓ median: decided for 01234567
              ◦ median: critic: objects: median([]) fails"#]]
        .assert_eq(&format!("lines\n{}", lines.join("\n")));
    }
}
