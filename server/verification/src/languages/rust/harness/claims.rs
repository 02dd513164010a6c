//! The claims of a spec as the child evaluates them, and what the parent makes of the answers.

use std::time::{Duration, Instant};

use crate::show::Failure;
use crate::supervisor::{Answer, Request, Worker};
use crate::wire::{json, list};
use crate::wrong::WAYS;

/// What evaluating a claim gave.
#[derive(Debug)]
pub enum Told {
    /// `f(ARGS) == EXPECTED`: whether it is so, and both sides.
    Equation(bool, String, String),
    /// Any other `A == B`: the same.
    Comparison(bool, String, String),
    /// An expression that must be true.
    Holds(bool),
    /// A call that must fail: what it gave instead, or how it failed.
    Value(String, Failure),
}

/// One claim.
#[derive(Clone, Copy)]
pub struct Claim {
    /// Its place among those of the spec.
    pub index: usize,
    /// Evaluates it.
    pub run: fn() -> Told,
    /// What must fail, and as what: `panic`, the error's type, or its variant.
    pub raises: Option<&'static str>,
}

/// The longest time of one claim.
const SECONDS: f64 = 5.0;
/// The longest time of one that is asked of a wrong function.
const DOUBT: f64 = 0.5;

/// What checking a claim showed.
pub struct Fact {
    index: String,
    raises: String,
    /// Whether it held.
    pub ok: bool,
    got: String,
    expected: String,
    violates: String,
    alike: bool,
    hollow: bool,
    untested: bool,
    again: &'static str,
}

impl Fact {
    /// As JSON.
    pub fn json(&self) -> String {
        format!(
            "{{\"index\":{},\"ok\":{},\"got\":{},\"expected\":{},\"violates\":{},\"alike\":{},\"hollow\":{},\"untested\":{},\"again\":{}}}",
            self.index,
            self.ok,
            json(&self.got),
            json(&self.expected),
            self.violates,
            self.alike,
            self.hollow,
            self.untested,
            json(self.again)
        )
    }
}

/// Checks the claims in order, `until` ends the last; stops after the first that fails when told so.
pub fn check(worker: &mut Worker, request: &Request, stop_at_first: bool, seconds: f64) -> Vec<Fact> {
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut facts = Vec::new();
    for line in worker.describe("claims").chunks(2) {
        let [index, raises] = line else { continue };
        if !request.wanted(index) {
            continue;
        }
        let left = end.saturating_duration_since(Instant::now()).as_secs_f64();
        let answer = worker.ask(&["claim", index], SECONDS.min(left.max(0.05)));
        let (ok, got, expected) = judged(&answer, raises);
        let sides = answer.of("equation").or(answer.of("comparison"));
        let alike = ok && sides.and_then(|parts| parts.get(3)).is_some_and(|p| p == "alike");
        let violates = match worker.ask(&["claim-unmet", index], 1.0) {
            Answer::Parts(parts) if parts.len() == 2 => parts[1].clone(),
            _ => "null".to_owned(),
        };
        let (index, raises) = (index.clone(), raises.clone());
        facts.push(Fact { index, raises, ok, got, expected, violates, alike, hollow: false, untested: false, again: "" });
        if !ok && stop_at_first {
            break;
        }
    }
    if request.option("doubt") != "" && !facts.is_empty() && facts.iter().all(|f| f.ok) {
        doubt(worker, request, &mut facts, end);
    }
    facts
}

/// Claims that hold are doubted: they are asked once more, in a fresh process the last first, and of functions that
/// are wrong on purpose. Where one of them compares a bare call with a literal (`plain`), no wrong function can meet it.
fn doubt(worker: &mut Worker, request: &Request, facts: &mut [Fact], end: Instant) {
    let mut order: Vec<usize> = (0..facts.len()).collect();
    ask_again(worker, facts, &order, end, "asked again");
    if facts.len() > 1 && facts.iter().all(|f| f.ok) {
        worker.stop();
        order.reverse();
        ask_again(worker, facts, &order, end, "asked in another order");
    }
    if request.option("doubt") == "plain" || !facts.iter().all(|f| f.ok) {
        return;
    }
    let can_be_wrong = request.option("doubt") == "wrong";
    for fact in facts {
        // That a call fails is nothing that a wrong function would do.
        fact.untested = !can_be_wrong && fact.raises.is_empty();
        fact.hollow = can_be_wrong;
        for way in WAYS {
            if !fact.hollow {
                break;
            }
            let answer = worker.ask(&["as", way, "claim", &fact.index], DOUBT);
            // Where no other value can be made up, the right function has answered.
            fact.untested = answer.of("unknown").is_some() || Instant::now() > end;
            fact.hollow = !fact.untested && judged(&answer, &fact.raises).0;
        }
    }
}

fn ask_again(worker: &mut Worker, facts: &mut [Fact], order: &[usize], end: Instant, when: &'static str) {
    for at in order {
        let Some(fact) = facts.get_mut(*at).filter(|f| f.ok && Instant::now() < end) else { continue };
        let (ok, got, expected) = judged(&worker.ask(&["claim", &fact.index], SECONDS), &fact.raises);
        if !ok {
            (fact.ok, fact.got, fact.expected, fact.again) = (ok, got, expected, when);
        }
    }
}

/// The facts of the claims as a JSON list.
pub fn facts(worker: &mut Worker, request: &Request, stop_at_first: bool, seconds: f64) -> String {
    list(check(worker, request, stop_at_first, seconds).iter().map(Fact::json))
}

fn judged(answer: &Answer, raises: &str) -> (bool, String, String) {
    let parts = match answer {
        Answer::TimedOut => return (false, "timeout".to_owned(), String::new()),
        Answer::Ended(how) => return (false, format!("crash: {how}"), String::new()),
        Answer::Parts(parts) => parts,
    };
    let part = |at: usize| parts.get(at).cloned().unwrap_or_default();
    match part(0).as_str() {
        "equation" => (part(1) == "true", part(2), part(3)),
        "comparison" if part(1) == "true" => (true, part(2), part(3)),
        "comparison" => (false, "false".to_owned(), "true".to_owned()),
        "holds" => (part(1) == "true", part(1), "true".to_owned()),
        "raised" => {
            let wanted = raises.split(':').next().unwrap_or("");
            (matches!(wanted, "panic"), format!("! panic: {}", part(1)), raises.to_owned())
        }
        "value" => (is_failure(raises, &part(2), &part(3)), part(1), raises.to_owned()),
        other => (false, format!("crash: {other}"), String::new()),
    }
}

/// Whether an error of this type and text is what a spec calls `wanted`: `Err`, its type's name, or
/// the name of its variant.
fn is_failure(wanted: &str, kind: &str, text: &str) -> bool {
    let last = |path: &str| path.rsplit("::").next().unwrap_or(path).to_owned();
    let bare = kind.split('<').next().unwrap_or(kind);
    // `Fault::Empty` is no `Empty` of another type, where the error's own type is known.
    let of = wanted.rsplit("::").nth(1).filter(|w| w.starts_with(char::is_uppercase) && *w != "Self").map(str::trim);
    let is_open = ["alloc::", "std::"].iter().any(|p| bare.starts_with(p)) || bare.starts_with('&') || last(bare) == "Error";
    if of.is_some_and(|of| of != last(bare)) && !is_open {
        return false;
    }
    let wanted = last(wanted);
    let variant: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    !kind.is_empty() && (wanted == last(bare) || wanted == variant || (wanted == "Err" && kind != "None"))
}
