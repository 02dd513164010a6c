//! Mode `contracts`: the claims that a call fails, then `@ensures` on inputs that `@requires` allows.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use crate::claims;
use crate::judge::{Inputs, Place, ask, ask_wrong, inputs, sample, spread};
use crate::shipped::{Programs, is_overflow};
use crate::supervisor::{Answer, Request, Worker};
use crate::vast::{Bound, PATIENCE, is_capacity};
use crate::wire::{json, list};
use crate::wrong::WAYS;

const CALL: f64 = 1.0;
const SECONDS: f64 = 12.0;
/// Calls that are made twice.
const AGAIN: usize = 16;
/// Calls made to find a smaller input that shows the same.
const SHRINKING: usize = 400;

/// What one call showed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shown {
    Holds,
    /// It says nothing.
    Nothing,
    Breaks(usize, String, String),
    Panics(String),
    TimedOut,
    Crashes(String),
}

impl Shown {
    /// Two calls that show the same fault.
    fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Shown::Breaks(a, ..), Shown::Breaks(b, ..)) => a == b,
            (Shown::Panics(_), Shown::Panics(_)) | (Shown::Crashes(_), Shown::Crashes(_)) => true,
            _ => self == other,
        }
    }
}

/// Asks about one call. What a clause computes itself may leave the range of its type where the spec does not say what
/// is valid (`bounded`): then it says nothing. A call of `vast` integers may cost whatever it likes.
fn look(programs: &mut Programs, place: &Place, seed: u64, bounded: bool, vast: bool) -> Shown {
    let is_costly = place.is_long() || vast;
    let shown = match programs.call(place, "contract", seed, &[], CALL) {
        Answer::TimedOut => Shown::TimedOut,
        Answer::Ended(how) => Shown::Crashes(how),
        answer => match (answer.of("ensures"), answer.of("raised")) {
            (Some([index, result, error]), _) => Shown::Breaks(index.parse().unwrap_or(0), result.clone(), error.clone()),
            (_, Some(words)) => Shown::Panics(words.first().cloned().unwrap_or_default()),
            _ if answer.of("cut").is_some() => Shown::Nothing,
            _ => Shown::Holds,
        },
    };
    let is_silent = match &shown {
        Shown::Breaks(_, _, error) if !bounded && is_of_the_clause(error) => true,
        // It may well have done so here, where the program that is shipped goes on.
        Shown::Breaks(..) if !bounded && programs.is_shipped() => {
            let checked = ask(programs.checked, place, "contract", seed, &[], CALL);
            checked.of("ensures").and_then(|parts| parts.get(2)).is_some_and(|error| is_of_the_clause(error))
        }
        Shown::TimedOut => is_costly,
        Shown::Crashes(how) => is_costly && how == "out of memory",
        Shown::Panics(text) => vast && is_capacity(text),
        _ => false,
    };
    if is_silent { Shown::Nothing } else { shown }
}

/// Whether evaluating a clause has left the range of a type.
fn is_of_the_clause(error: &str) -> bool {
    error.strip_prefix("panic: ").is_some_and(is_overflow)
}

/// The facts.
pub fn facts(worker: &mut Worker, request: &Request) -> String {
    let mut programs = Programs::of(request, worker);
    let bounded = !request.option("bounded").is_empty();
    let raises = match programs.is_shipped() {
        true => list([]),
        false => claims::facts(programs.checked, request, false, 8.0),
    };
    if request.option("contract").is_empty() {
        return format!("\"raises\":{raises},{}", empty());
    }
    let made = inputs(programs.checked, request.seed, request.number("cases", 300), true);
    let Inputs { places, invalid, trouble } = made;
    let bound = Bound::of(request);
    let vast: Vec<bool> = places.iter().map(|(_, call)| bound.is_exceeded_by(call)).collect();
    let mut known: HashSet<String> = HashSet::new();
    let (mut violations, mut raised, mut timeouts, mut crashes) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let end = Instant::now() + Duration::from_secs_f64(SECONDS);
    let mut answers: Vec<(usize, Shown)> = Vec::new();
    for at in spread(&places) {
        if Instant::now() > end || answers.iter().filter(|(_, shown)| *shown == Shown::TimedOut).count() > 2 {
            break;
        }
        let silent = || answers.iter().filter(|(at, shown)| vast[*at] && *shown == Shown::Nothing).count();
        let is_left_out = vast[at] && silent() >= PATIENCE;
        let shown = if is_left_out { Shown::Nothing } else { look(&mut programs, &places[at].0, request.seed, bounded, vast[at]) };
        answers.push((at, shown));
    }
    let left = match places.len() - answers.len() {
        0 => "null".to_owned(),
        left => format!("[{left},{},{SECONDS}]", places.len()),
    };
    answers.sort_by_key(|(at, _)| *at);
    let count = |of: fn(&Shown) -> bool| answers.iter().filter(|(_, shown)| of(shown)).count();
    let checked = count(|shown| matches!(shown, Shown::Holds | Shown::Breaks(..)));
    let refused = count(|shown| matches!(shown, Shown::Panics(_)));
    let held: Vec<Place> = answers.iter().filter(|a| a.1 == Shown::Holds).map(|(at, _)| places[*at].0.clone()).collect();
    let silent = match trouble.as_str() {
        "" if !answers.is_empty() && answers.iter().all(|a| a.1 == Shown::Nothing) => {
            "no call gave all of its result, with the time and the memory that there are".to_owned()
        }
        "" => String::new(),
        why => format!("the inputs could not be made up: {why}"),
    };
    // Calls that were made before are made once more: what is kept of a call must not change the next.
    let said_nothing: HashSet<usize> = answers.iter().filter(|a| a.1 == Shown::Nothing).map(|(at, _)| *at).collect();
    for at in (0..places.len().min(AGAIN)).filter(|at| !said_nothing.contains(at)) {
        if Instant::now() > end {
            break;
        }
        answers.push((at, look(&mut programs, &places[at].0, request.seed, bounded, vast[at])));
    }
    for (at, shown) in answers {
        let (place, call) = places[at].clone();
        let kind = match &shown {
            Shown::Breaks(index, ..) => format!("ensures {index}"),
            Shown::Panics(_) => "panic".to_owned(),
            Shown::Crashes(_) => "crash".to_owned(),
            Shown::TimedOut => call.clone(),
            Shown::Holds | Shown::Nothing => String::new(),
        };
        if kind.is_empty() || !known.insert(kind) {
            continue;
        }
        let (call, shown) = match shown {
            Shown::TimedOut => (call, shown),
            shown => smallest(&mut programs, (place, call, shown), request.seed, bounded, vast[at]),
        };
        match shown {
            Shown::Breaks(index, result, error) => violations.push(format!(
                "{{\"clause\":{index},\"call\":{},\"result\":{},\"error\":{}}}",
                json(&call),
                json(&result),
                json(&error)
            )),
            Shown::Panics(text) => raised.push(format!(
                "{{\"call\":{},\"exception\":\"panic\",\"bases\":[\"panic\"],\"text\":{}}}",
                json(&call),
                json(&text)
            )),
            Shown::Crashes(how) => {
                crashes.push(format!("{{\"call\":{},\"how\":{}}}", json(&call), json(&format!("ended the process ({how})"))));
            }
            Shown::TimedOut => timeouts.push(json(&call)),
            Shown::Holds | Shown::Nothing => {}
        }
    }
    let differs = programs.differs();
    let (hollow, untested) = if violations.is_empty() { doubted(programs.checked, request, sample(held), end) } else { Default::default() };
    format!(
        "\"raises\":{raises},\"silent\":{},\"differs\":{differs},\"hollow\":{},\"untested\":{},\"violations\":{},\"raised\":{},\"timeouts\":{},\"checked\":{checked},\"refused\":{refused},\"left\":{left},\"invalid\":{invalid},\"crashes\":{}",
        json(&silent),
        list(hollow.iter().map(ToString::to_string)),
        list(untested.iter().map(ToString::to_string)),
        list(violations),
        list(raised),
        list(timeouts),
        list(crashes)
    )
}

/// The clauses that functions which are wrong on purpose meet in all of these places, and those that none was asked.
fn doubted(worker: &mut Worker, request: &Request, places: Vec<Place>, end: Instant) -> (Vec<usize>, Vec<usize>) {
    let mut hollow: Vec<usize> = (0..request.number("clauses", 0)).collect();
    if request.option("doubt") != "wrong" || places.is_empty() {
        return (Vec::new(), hollow);
    }
    for way in WAYS {
        for place in &places {
            if hollow.is_empty() {
                return (Vec::new(), hollow);
            }
            let answer = ask_wrong(worker, way, place, "unheld", request.seed, &[]);
            match answer.of("unheld") {
                _ if Instant::now() > end || answer.of("unknown").is_some() => return (Vec::new(), hollow),
                Some([unheld]) => hollow.retain(|index| !unheld.split(' ').any(|i| i == index.to_string())),
                _ => return (Vec::new(), Vec::new()),
            }
        }
    }
    (hollow, Vec::new())
}

fn empty() -> &'static str {
    "\"violations\":[],\"raised\":[],\"timeouts\":[],\"checked\":0,\"invalid\":0,\"crashes\":[]"
}

/// The smallest input found that shows the same fault.
fn smallest(
    programs: &mut Programs,
    start: (Place, String, Shown),
    seed: u64,
    bounded: bool,
    vast: bool,
) -> (String, Shown) {
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
            let shown = look(programs, &place, seed, bounded, vast);
            if shown.same(&best.2)
                && let Some([call, _]) = ask(programs.checked, &place, "text", seed, &[], CALL).of("text")
            {
                best = (place, call.clone(), shown);
                continue 'simpler;
            }
        }
        break;
    }
    (best.1, best.2)
}
