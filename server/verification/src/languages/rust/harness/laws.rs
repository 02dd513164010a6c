//! Mode `laws`: each `@property` on many inputs, the smallest that falsifies it shown.

use std::time::{Duration, Instant};

use crate::judge::{Inputs, Place, ask, ask_wrong, inputs, sample, spread, suffices};
use crate::shipped::{Programs, is_overflow};
use crate::supervisor::{Answer, Request, Worker};
use crate::vast::{Bound, PATIENCE, is_capacity};
use crate::wire::{json, list};
use crate::wrong::WAYS;

const CALL: f64 = 1.0;
const SECONDS: f64 = 15.0;
/// Cases made to find a smaller one that falsifies the law too.
const SHRINKING: usize = 500;
/// Fewest valid cases that say anything.
const FEWEST: usize = 10;

/// What one case showed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown {
    Holds,
    /// The arithmetic leaves the range of its type; what the law says then, nobody wrote.
    Outside,
    Falsified(String),
    TimedOut,
}

/// Asks about one case; one of `vast` integers may cost whatever it likes.
fn look(programs: &mut Programs, place: &Place, seed: u64, law: &str, bounded: bool, vast: bool) -> Shown {
    let is_costly = place.is_long() || vast;
    let shown = match programs.call(place, "law", seed, &[law], CALL) {
        Answer::TimedOut if is_costly => Shown::Outside,
        Answer::Ended(how) if is_costly && how == "out of memory" => Shown::Outside,
        Answer::TimedOut => Shown::TimedOut,
        Answer::Ended(_) => Shown::Falsified("crash".to_owned()),
        answer => match (answer.of("law"), answer.of("raised")) {
            (Some([holds]), _) if holds == "true" => Shown::Holds,
            (Some(_), _) => Shown::Falsified("false".to_owned()),
            (_, Some(words)) => {
                let text = words.first().cloned().unwrap_or_default();
                if (is_overflow(&text) && !bounded) || (vast && is_capacity(&text)) { Shown::Outside } else { Shown::Falsified(format!("panicked ({text})")) }
            }
            _ => Shown::Outside,
        },
    };
    let is_false = programs.is_shipped() && matches!(shown, Shown::Falsified(_));
    if is_false && is_of_the_law(programs.checked, place, seed, law) { Shown::Outside } else { shown }
}

/// Whether it is the law's own arithmetic that leaves the range of its type, and not the function's.
fn is_of_the_law(checked: &mut Worker, place: &Place, seed: u64, law: &str) -> bool {
    let mut overflows = |what: &str| {
        let answer = ask(checked, place, what, seed, &[law], CALL);
        answer.of("raised").and_then(|words| words.first()).is_some_and(|text| is_overflow(text))
    };
    overflows("law") && !overflows("outcome")
}

/// The facts.
pub fn facts(worker: &mut Worker, request: &Request) -> String {
    let laws: Vec<&str> = request.option("laws").split(' ').filter(|l| !l.is_empty()).collect();
    let can = worker.describe("inputs");
    let mut programs = Programs::of(request, worker);
    let Inputs { places, invalid, trouble } = match can.first() {
        Some(_) => inputs(programs.checked, request.seed, request.number("cases", 200), true),
        None => Inputs::default(),
    };
    let bound = Bound::of(request);
    let vast: Vec<bool> = places.iter().map(|(_, call)| bound.is_exceeded_by(call)).collect();
    let cases = Cases { places: &places, vast: &vast, seed: request.seed, bounded: !request.option("bounded").is_empty() };
    let share = SECONDS / laws.len().max(1) as f64;
    let (mut facts, mut differs) = (Vec::new(), false);
    for law in laws {
        let end = Instant::now() + Duration::from_secs_f64(share);
        let mut fact = if can.is_empty() {
            ("no values".to_owned(), 0, 0, String::new(), request.option("unmade").to_owned())
        } else {
            check(&mut programs, &cases, invalid, law, end)
        };
        if !trouble.is_empty() && fact.0 == "held" {
            fact.0 = format!("its inputs could not be made up: {trouble}");
        }
        differs |= programs.differs();
        let left = (places.len() + invalid).saturating_sub(fact.1 + fact.2);
        let places = || sample(places.iter().map(|p| p.0.clone()).collect());
        let (hollow, untested) = match (fact.0.as_str(), request.option("doubt")) {
            ("held", "wrong") => doubted(programs.checked, places(), request.seed, law, end),
            (status, _) => (false, status == "held"),
        };
        facts.push(format!(
            "{{\"index\":{law},\"hollow\":{hollow},\"untested\":{untested},\"left\":{left},\"valid\":{},\"invalid\":{},\"status\":{},\"bindings\":\"()\",\"call\":{},\"why\":{}}}",
            fact.1,
            fact.2,
            json(&fact.0),
            json(&fact.3),
            json(&fact.4)
        ));
    }
    format!("\"differs\":{differs},\"laws\":{}", list(facts))
}

/// Whether functions that are wrong on purpose obey a law in all of these places, and whether none was asked.
fn doubted(worker: &mut Worker, places: Vec<Place>, seed: u64, law: &str, end: Instant) -> (bool, bool) {
    let mut cases = WAYS.iter().flat_map(|way| places.iter().map(move |place| (way, place)));
    let refuted = cases.find_map(|(way, place)| {
        let answer = ask_wrong(worker, way, place, "law", seed, &[law]);
        let is_met = answer.of("law").is_some_and(|parts| parts.first().is_some_and(|h| h == "true"));
        let is_unknown = answer.of("unknown").is_some() || Instant::now() > end;
        (is_unknown || !is_met).then_some(is_unknown)
    });
    (refuted.is_none() && !places.is_empty(), refuted.unwrap_or(places.is_empty()))
}

type Fact = (String, usize, usize, String, String);

/// What a law is asked of.
struct Cases<'c> {
    places: &'c [(Place, String)],
    /// Which of them have integers that may cost anything.
    vast: &'c [bool],
    seed: u64,
    /// Whether the spec says what is valid.
    bounded: bool,
}

fn check(programs: &mut Programs, cases: &Cases<'_>, invalid: usize, law: &str, end: Instant) -> Fact {
    let Cases { places, vast, seed, bounded } = *cases;
    let (mut valid, mut outside, mut silent) = (0, invalid, 0);
    let mut fault: Option<(usize, Shown)> = None;
    for (tried, at) in spread(places).into_iter().enumerate() {
        // What an early input shows is shown by that.
        if fault.as_ref().is_some_and(|(first, _)| at > *first) {
            continue;
        }
        if Instant::now() > end {
            if fault.is_some() {
                break;
            }
            let status = if valid >= FEWEST && suffices(tried, places.len()) { "held" } else { "timed out" };
            return (status.to_owned(), valid, outside, String::new(), String::new());
        }
        if vast[at] && silent >= PATIENCE {
            outside += 1;
            continue;
        }
        match look(programs, &places[at].0, seed, law, bounded, vast[at]) {
            Shown::Holds => valid += 1,
            Shown::Outside => {
                outside += 1;
                silent += usize::from(vast[at]);
            }
            shown => fault = Some((at, shown)),
        }
    }
    if let Some((at, shown)) = fault {
        let (place, call) = places[at].clone();
        let (call, why) = match shown {
            Shown::Falsified(why) => smallest(programs, (place, call, why), seed, law, bounded, vast[at]),
            _ => (call, "timeout".to_owned()),
        };
        return ("falsified".to_owned(), valid + 1, outside, call, why);
    }
    let few = valid < FEWEST && outside > valid;
    (if few { "starved" } else { "held" }.to_owned(), valid, outside, String::new(), String::new())
}

fn smallest(
    programs: &mut Programs,
    start: (Place, String, String),
    seed: u64,
    law: &str,
    bounded: bool,
    vast: bool,
) -> (String, String) {
    let mut best = start;
    let mut left = SHRINKING;
    'simpler: loop {
        let answer = ask(programs.checked, &best.0, "text", seed, &[], CALL);
        let count: usize = answer.of("text").and_then(|p| p.get(1)?.parse().ok()).unwrap_or(0);
        for step in 0..count.min(80) {
            if left == 0 {
                break 'simpler;
            }
            left -= 1;
            let mut place = best.0.clone();
            place.path.push(step);
            let allowed = ask(programs.checked, &place, "unmet", seed, &[], CALL);
            if allowed.of("unmet").and_then(|p| p.first()).is_none_or(|u| u != "null") {
                continue;
            }
            if let Shown::Falsified(why) = look(programs, &place, seed, law, bounded, vast)
                && let Some([call, _]) = ask(programs.checked, &place, "text", seed, &[], CALL).of("text")
            {
                best = (place, call.clone(), why);
                continue 'simpler;
            }
        }
        break;
    }
    (best.1, best.2)
}
