//! Votes over time as a drawing: one line per behaviour, a mark per sample that did not vote.

use std::collections::BTreeMap;

use serde::Serialize;
use zeroerr_agents::orchestrator::{Command, Event, StepMachine, Verification};
use zeroerr_agents::plan_machine::Turn;
use zeroerr_core::advice::{Errand, Said};
use zeroerr_core::state_manager::{Record, SampleFate};

use super::view::Moment;
use crate::counting::about;

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 230.0;
const LEFT: f64 = 34.0;
const RIGHT: f64 = 14.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 40.0;
/// Lines that get a colour of their own.
pub(super) const COLOURS: usize = 6;

/// The drawing, in pixels.
#[derive(Debug, Serialize)]
pub(super) struct Chart {
    pub width: f64,
    pub height: f64,
    pub left: f64,
    pub right: f64,
    pub bottom: f64,
    pub lines: Vec<Line>,
    pub marks: Vec<Mark>,
    /// Vertical lines: place and what happened.
    pub moments: Vec<(String, &'static str)>,
    pub x_ticks: Vec<(String, String)>,
    pub y_ticks: Vec<(String, u32)>,
    pub x_label: &'static str,
}

/// One behaviour's votes.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    pub class: String,
    pub votes: u32,
    pub colour: usize,
    pub path: String,
    pub end_x: String,
    pub end_y: String,
}

/// A sample that did not vote.
#[derive(Debug, Serialize)]
pub(super) struct Mark {
    pub x: String,
    pub kind: &'static str,
    pub says: String,
}

/// Draws what the records of one vote say to the machine that counted them. `None` when nothing was drawn.
pub(super) fn draw(
    mut machine: StepMachine,
    turn: &Turn,
    k: u32,
    moments: &[Moment],
    colours: &BTreeMap<String, usize>,
) -> Option<Chart> {
    let label = turn.label();
    let begins = moments.iter().position(|m| step_of(&m.record) == Some(label.as_str()))?;
    let (before, since) = moments.split_at(begins);
    // Who was blamed in an earlier vote of the step may not win in this one.
    machine.restore(&before.iter().filter_map(|m| about(&m.record, turn)).collect::<Vec<_>>());
    let is_own = |m: &&Moment| step_of(&m.record) == Some(label.as_str()) || about(&m.record, turn).is_some();
    let own: Vec<&Moment> = since.iter().filter(is_own).collect();
    let begin = own.first()?.begin_s;
    let timed = own.iter().all(|m| m.at_s.is_some());
    let x_of = |index: usize, m: &Moment| m.at_s.filter(|_| timed).map_or((index + 1) as f64, |at| at - begin);
    let last = own.iter().enumerate().map(|(i, m)| x_of(i, m)).fold(0.0, f64::max).max(0.001);
    let scale_x = |x: f64| LEFT + x / last * (WIDTH - LEFT - RIGHT);

    let mut counts: BTreeMap<String, Vec<(f64, u32)>> = BTreeMap::new();
    let (mut marks, mut events) = (Vec::new(), Vec::new());
    // The verification that the next verdict is about.
    let mut asked = 0;
    for (index, moment) in own.iter().enumerate() {
        let x = x_of(index, moment);
        match &moment.record {
            record @ (Record::Barred { feedback, .. } | Record::Blamed { feedback, .. }) => {
                let verification = Verification::Refuted(feedback.clone());
                let verdict = Event::Verified { round: asked, verification };
                note_verification(&mut asked, machine.handle(verdict));
                let what = if matches!(record, Record::Blamed { .. }) { "blamed" } else { "refuted" };
                events.push((number(scale_x(x)), what));
            }
            Record::Decided { .. } => events.push((number(scale_x(x)), "decided")),
            record @ (Record::Advised { .. } | Record::Tried { .. }) => {
                machine.restore(std::slice::from_ref(record));
                if let Record::Tried { id, trials, .. } = record {
                    let tried = Event::Tried { trials: vec![(*id, trials.clone())] };
                    note_verification(&mut asked, machine.handle(tried));
                }
                // A critic reads what the layers have passed; that they did is in no record of its own.
                if let Record::Advised { errand: Errand::Criticise(_), said, .. } = record {
                    let passed = Event::Verified { round: asked, verification: Verification::Accepted };
                    note_verification(&mut asked, machine.handle(passed));
                    if matches!(said, Said::Objection(_)) {
                        events.push((number(scale_x(x)), "objected"));
                    }
                }
                note_verification(&mut asked, machine.start());
            }
            record @ Record::Sample { fate, .. } => {
                machine.restore(std::slice::from_ref(record));
                note_verification(&mut asked, machine.start());
                marks.extend(mark(fate).map(|(kind, says)| Mark { x: number(scale_x(x)), kind, says }));
            }
            _ => {}
        }
        for class in machine.report().tally {
            let line = counts.entry(class.class).or_default();
            if line.last().is_none_or(|(_, votes)| *votes != class.votes) {
                line.push((x, class.votes));
            }
        }
    }
    events.dedup_by(|a, b| a.1 == b.1 && a.0 == b.0);
    let most = counts.values().flatten().map(|(_, v)| *v).max().unwrap_or(0).max(k);
    let scale_y = |v: f64| HEIGHT - BOTTOM - v / f64::from(most) * (HEIGHT - BOTTOM - TOP);
    let lines = counts.into_iter().map(|(class, points)| {
        let colour = colours.get(&class).copied().unwrap_or(COLOURS);
        // Lines with equal votes lie beside one another, not on one another.
        let scale_y = |v: f64| scale_y(v) - 2.5 * colour as f64;
        let mut path = format!("M{} {}", number(LEFT), number(scale_y(0.0)));
        for (x, votes) in &points {
            path.push_str(&format!(" H{} V{}", number(scale_x(*x)), number(scale_y(f64::from(*votes)))));
        }
        let votes = points.last().map_or(0, |(_, v)| *v);
        path.push_str(&format!(" H{}", number(WIDTH - RIGHT)));
        Line { class, votes, colour, path, end_x: number(WIDTH - RIGHT), end_y: number(scale_y(f64::from(votes))) }
    });
    let step_y = most.div_ceil(5).max(1);
    Some(Chart {
        width: WIDTH,
        height: HEIGHT,
        left: LEFT,
        right: WIDTH - RIGHT,
        bottom: HEIGHT - BOTTOM,
        lines: lines.collect(),
        marks,
        moments: events,
        x_ticks: ticks(last, timed).into_iter().map(|(x, label)| (number(scale_x(x)), label)).collect(),
        y_ticks: (0..=most).step_by(step_y as usize).map(|v| (number(scale_y(f64::from(v))), v)).collect(),
        x_label: if timed { "time of work" } else { "records" },
    })
}

fn note_verification(asked: &mut u64, commands: Vec<Command>) {
    for command in commands {
        if let Command::Verify { round, .. } = command {
            *asked = round;
        }
    }
}

/// The vote that a record is about, by its label; of a blamed step, that of its first.
pub(super) fn step_of(record: &Record) -> Option<&str> {
    match record {
        Record::Sample { step, .. }
        | Record::Decided { step, .. }
        | Record::Barred { step, .. }
        | Record::Blamed { step, .. }
        | Record::Advised { step, .. }
        | Record::Tried { step, .. } => Some(step),
        _ => None,
    }
}

fn mark(fate: &SampleFate) -> Option<(&'static str, String)> {
    match fate {
        SampleFate::Votes { .. } => None,
        SampleFate::Flagged(flag) => Some(("flagged", format!("discarded: {}", flag.name().replace('_', " ")))),
        SampleFate::GateRejected(why)
        | SampleFate::NearMiss(why)
        | SampleFate::Failing { why, .. }
        | SampleFate::Unfit(why) => Some(("rejected", why.clone())),
        SampleFate::Failed(why) => Some(("failed", why.clone())),
    }
}

/// At most seven round numbers from 0 to `last`.
fn ticks(last: f64, timed: bool) -> Vec<(f64, String)> {
    let raw = last / 6.0;
    let size = 10f64.powf(raw.log10().floor());
    let unit = [1.0, 2.0, 5.0, 10.0].into_iter().map(|f| f * size).find(|u| *u >= raw).unwrap_or(raw);
    let unit = if timed { unit } else { unit.max(1.0) };
    let digits = if unit < 1.0 { (-unit.log10().floor()) as usize } else { 0 };
    let label = |x: f64| if timed { format!("{x:.digits$} s") } else { format!("{x:.0}") };
    (0..=7).map(|n| f64::from(n) * unit).take_while(|x| *x <= last * 1.0001).map(|x| (x, label(x))).collect()
}

/// A coordinate.
pub(super) fn number(x: f64) -> String {
    format!("{x:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_have_few_round_numbers() {
        let labels = |last| ticks(last, true).into_iter().map(|(_, l)| l).collect::<Vec<_>>().join(" ");
        assert_eq!(labels(12.4), "0 s 5 s 10 s");
        assert_eq!(labels(0.9), "0.0 s 0.2 s 0.4 s 0.6 s 0.8 s");
        assert_eq!(labels(300.0), "0 s 50 s 100 s 150 s 200 s 250 s 300 s");
        assert!((1..=8).contains(&ticks(1e-3, true).len()));
        assert_eq!(ticks(3.0, false).len(), 4);
    }
}
