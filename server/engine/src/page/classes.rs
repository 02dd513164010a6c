//! The behaviours that were voted for: who wrote them, what they do differently.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use zeroerr_agents::plan_machine::Turn;
use zeroerr_core::state_manager::{Record, SampleFate};
use zeroerr_core::voting_engine::Fingerprint;

use super::timeline::{COLOURS, step_of};
use super::view::Moment;

/// Behaviours that are shown; a page with hundreds helps nobody.
const SHOWN: usize = 8;
/// Inputs that are shown.
const INPUTS: usize = 8;
/// Longest input or outcome that is shown, in characters.
const LONGEST: usize = 160;

/// One behaviour.
#[derive(Debug, Serialize)]
pub(super) struct Class {
    pub name: String,
    pub colour: usize,
    pub votes: usize,
    pub models: Vec<String>,
    /// `won`, `refuted`, `blamed` (a function that calls it did not pass with it) or empty.
    pub fate: &'static str,
    /// Why it was refuted or blamed.
    pub why: String,
    /// The code of the first sample that voted for it.
    pub code: String,
}

/// All behaviours of a step.
#[derive(Debug, Default, Serialize)]
pub(super) struct Classes {
    pub shown: Vec<Class>,
    /// How many more there are.
    pub more: usize,
    /// Inputs on which those shown differ, with the outcome of each.
    pub differences: Vec<(String, Vec<String>)>,
    #[serde(skip)]
    pub colours: BTreeMap<String, usize>,
}

struct Found<'a> {
    fingerprint: &'a Fingerprint,
    code: &'a str,
    votes: usize,
    first: usize,
    models: BTreeSet<&'a str>,
}

/// Collects the behaviours of a vote; `won` is the one that was taken, if any.
pub(super) fn collect(turn: &Turn, moments: &[Moment], won: Option<&str>) -> Classes {
    let label = turn.label();
    let mut found: BTreeMap<String, Found<'_>> = BTreeMap::new();
    let mut refuted: BTreeMap<&str, (&'static str, &str)> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for (first, moment) in moments.iter().enumerate() {
        match &moment.record {
            Record::Blamed { step, class, feedback } if *step == turn.step => {
                refuted.insert(class, ("blamed", feedback));
            }
            record if step_of(record) != Some(&label) => {}
            Record::Sample { id, model, fate: SampleFate::Votes { candidate, fingerprint }, .. }
                if seen.insert(*id) =>
            {
                let entry = found.entry(fingerprint.class()).or_insert_with(|| Found {
                    fingerprint,
                    code: &candidate.function,
                    votes: 0,
                    first,
                    models: BTreeSet::new(),
                });
                entry.votes += 1;
                entry.models.insert(model);
            }
            Record::Barred { class, feedback, .. } => drop(refuted.insert(class, ("refuted", feedback))),
            _ => {}
        }
    }
    let mut order: Vec<(String, Found<'_>)> = found.into_iter().collect();
    order.sort_by_key(|(class, f)| (won != Some(short(class)), std::cmp::Reverse(f.votes), f.first));
    let more = order.len().saturating_sub(SHOWN);
    order.truncate(SHOWN);
    let prints: Vec<&Fingerprint> = order.iter().map(|(_, f)| f.fingerprint).collect();
    let differences = differences(&prints);
    let colours = order.iter().enumerate().map(|(n, (class, _))| (short(class).to_owned(), n.min(COLOURS))).collect();
    let shown = order.iter().enumerate().map(|(n, (class, f))| Class {
        name: short(class).to_owned(),
        colour: n.min(COLOURS),
        votes: f.votes,
        models: f.models.iter().map(|m| (*m).to_owned()).collect(),
        fate: match refuted.get(class.as_str()) {
            Some(&(how, _)) => how,
            None if won == Some(short(class)) => "won",
            None => "",
        },
        why: refuted.get(class.as_str()).map_or_else(String::new, |(_, why)| (*why).to_owned()),
        code: f.code.to_owned(),
    });
    Classes { shown: shown.collect(), more, differences, colours }
}

fn short(class: &str) -> &str {
    class.get(..8).unwrap_or(class)
}

/// For every pair the shortest input that tells them apart, and what each of all gives on it.
fn differences(prints: &[&Fingerprint]) -> Vec<(String, Vec<String>)> {
    let mut inputs: BTreeSet<(usize, &str)> = BTreeSet::new();
    for (n, one) in prints.iter().enumerate() {
        for other in &prints[n + 1..] {
            inputs.extend(one.differences(other).first().map(|(input, _, _)| (input.len(), *input)));
        }
    }
    let outcome = |print: &Fingerprint, input: &str| {
        let found = print.outcomes.iter().find(|(i, _)| i == input);
        found.map_or_else(|| "not tried".to_owned(), |(_, outcome)| cut(outcome))
    };
    let row = |(_, input): (usize, &str)| (cut(input), prints.iter().map(|p| outcome(p, input)).collect());
    inputs.into_iter().take(INPUTS).map(row).collect()
}

fn cut(text: &str) -> String {
    let text = text.strip_prefix("= ").unwrap_or(text);
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}
