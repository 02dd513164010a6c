//! Mode `judge`: the claims, then outcomes on inputs that all candidates share.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::claims;
use crate::supervisor::{Answer, Request, Worker};
use crate::wire::{json, list};

/// Seconds of one call, of all calls, and of the claims.
const CALL: f64 = 1.0;
const CALLS: f64 = 8.0;
const CLAIMS: f64 = 10.0;
/// Long inputs of the layers, and how long they are: longer than a byte can count.
const LONG: [&str; 2] = ["sized-equal", "sized-distinct"];
const LENGTH: usize = 300;
/// Calls that may end without an answer before it is enough.
const TIMEOUTS: usize = 3;

/// An input's place, as a job names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which sequence.
    pub way: &'static str,
    /// Where in it.
    pub index: usize,
    /// Steps to simpler values.
    pub path: Vec<usize>,
}

impl Place {
    /// The words of a job about it.
    pub fn job(&self, what: &str, seed: u64, more: &[&str]) -> Vec<String> {
        let path = self.path.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        let mut job = vec![what.to_owned(), self.way.to_owned(), seed.to_string(), self.index.to_string(), path];
        job.extend(more.iter().map(|m| (*m).to_owned()));
        job
    }
}

impl Place {
    /// Whether its call may take too long, as what grows fast does for long inputs.
    pub fn is_long(&self) -> bool {
        LONG.contains(&self.way)
    }
}

/// Asks about the input at a place.
pub fn ask(worker: &mut Worker, place: &Place, what: &str, seed: u64, more: &[&str], seconds: f64) -> Answer {
    let job = place.job(what, seed, more);
    let words: Vec<&str> = job.iter().map(String::as_str).collect();
    worker.ask(&words, seconds)
}

/// Asks the same of a function that is wrong in some way.
pub fn ask_wrong(worker: &mut Worker, way: &str, place: &Place, what: &str, seed: u64, more: &[&str]) -> Answer {
    let job = place.job(what, seed, more);
    let words: Vec<&str> = ["as", way].into_iter().chain(job.iter().map(String::as_str)).collect();
    worker.ask(&words, 0.5)
}

/// Some of the places, from all over the list.
pub fn sample(places: Vec<Place>) -> Vec<Place> {
    let step = places.len().div_ceil(24).max(1);
    places.into_iter().step_by(step).collect()
}

/// Inputs of a function.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Those that `@requires` allows, each with its call.
    pub places: Vec<(Place, String)>,
    /// How many it forbids.
    pub invalid: usize,
    /// Why there are not those that there should be; empty where they are.
    pub trouble: String,
}

/// Fewest inputs that are enough where making them took all of its time. Types of few values have fewer, at once.
const FEWEST: usize = 10;

/// Up to `most` inputs that `@requires` allows. They depend on the signature, the spec and the seed alone.
pub fn inputs(worker: &mut Worker, seed: u64, most: usize, with_pool: bool) -> Inputs {
    let mut ways: Vec<(&'static str, usize, usize)> = vec![("boundary", 0, usize::MAX), ("mutated", 0, most * 2), ("random", 0, most * 6)];
    if with_pool {
        ways.insert(0, ("pool", 0, usize::MAX));
        let grows = worker.describe("inputs").get(1).is_some_and(|grows| grows == "2");
        ways.extend(LONG.into_iter().filter(|_| grows).map(|way| (way, LENGTH, LENGTH + 1)));
    }
    let (mut found, mut seen, mut invalid) = (Vec::new(), HashSet::new(), 0);
    let mut trouble = String::new();
    let end = Instant::now() + Duration::from_secs_f64(CALLS);
    while found.len() < most && !ways.is_empty() && Instant::now() < end {
        for way in &mut ways {
            let place = Place { way: way.0, index: way.1, path: Vec::new() };
            way.1 += 1;
            let mut answer = ask(worker, &place, "text", seed, &[], CALL);
            if answer == Answer::TimedOut {
                // The machine may have been busy.
                answer = ask(worker, &place, "text", seed, &[], CALL);
            }
            let Some([call, _]) = answer.of("text") else {
                way.1 = usize::MAX;
                trouble = match answer {
                    Answer::Ended(how) if !place.is_long() => how,
                    Answer::TimedOut if !place.is_long() => "one takes too long to make".to_owned(),
                    _ => trouble,
                };
                continue;
            };
            if !seen.insert(call.clone()) {
                continue;
            }
            match ask(worker, &place, "unmet", seed, &[], CALL).of("unmet") {
                Some([none]) if none == "null" => found.push((place, call.clone())),
                _ => invalid += 1,
            }
        }
        ways.retain(|(_, at, last)| at < last);
    }
    if trouble.is_empty() && !ways.is_empty() && found.len() < most && found.len() + invalid < FEWEST {
        trouble = format!("only {} were made in {CALLS} s", found.len() + invalid);
    }
    found.truncate(most);
    // What a short input shows is shown by that.
    found.sort_by_key(|(place, _): &(Place, String)| place.is_long());
    Inputs { places: found, invalid, trouble }
}

/// The order in which inputs are tried: every third comes first, and the long ones with them, so that of each kind and
/// size there are some, should the time run out.
pub fn spread(places: &[(Place, String)]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..places.len()).collect();
    order.sort_by_key(|at| if places[*at].0.is_long() { 0 } else { at % 3 });
    order
}

/// Whether so many of all inputs stand for all of them.
pub fn suffices(tried: usize, all: usize) -> bool {
    tried * 3 >= all
}

/// What a call did, in the words of fingerprints.
fn outcome(worker: &mut Worker, place: &Place, seed: u64) -> String {
    match ask(worker, place, "outcome", seed, &[], CALL) {
        Answer::TimedOut => "timeout".to_owned(),
        Answer::Ended(_) => "crash".to_owned(),
        answer => match (answer.of("outcome"), answer.of("raised")) {
            (Some([text]), _) => text.clone(),
            (_, Some(_)) => "! panic".to_owned(),
            _ => "crash".to_owned(),
        },
    }
}

/// The facts.
pub fn facts(worker: &mut Worker, request: &Request) -> String {
    let examples = claims::check(worker, request, true, CLAIMS);
    let failed = examples.iter().any(|f| !f.ok);
    let mut rows: Vec<(String, String)> = Vec::new();
    let mut unstable = String::new();
    if !failed {
        let Inputs { places, .. } = inputs(worker, request.seed, request.number("cases", 40), false);
        let mut again = Worker::new(request, None);
        let end = Instant::now() + Duration::from_secs_f64(CALLS);
        let mut timeouts = 0;
        for (place, call) in places {
            let first = outcome(worker, &place, request.seed);
            timeouts += usize::from(first == "timeout");
            if timeouts > TIMEOUTS || Instant::now() > end {
                // A call that is not made is told apart from one that ends.
                rows.push((call, "timeout".to_owned()));
                continue;
            }
            let second = if first == "timeout" { first.clone() } else { outcome(&mut again, &place, request.seed) };
            if first != second && unstable.is_empty() {
                unstable = format!(",\"unstable\":{}", list([json(&call), json(&first), json(&second)]));
            }
            rows.push((call, first));
        }
        rows.sort_by(|a, b| (a.0.len(), &a.0).cmp(&(b.0.len(), &b.0)));
    }
    let outcomes = rows.iter().map(|(call, what)| list([json(call), json(what)]));
    format!("\"examples\":{},\"outcomes\":{}{unstable}", list(examples.iter().map(claims::Fact::json)), list(outcomes))
}
