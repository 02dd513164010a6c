//! Mode `timing`: how long calls take. The judging of the figures is not done here.

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::judge::{Place, ask};
use crate::supervisor::{Answer, Request, Worker};
use crate::wire::{json, list};

const SHAPES: [&str; 5] = ["sized-distinct", "sized-repeated", "sized-ascending", "sized-descending", "sized-equal"];
const LARGEST: usize = 1 << 20;
/// Nanoseconds of one call after which sizes stop growing.
const LONG: u64 = 10_000_000;
const GROWTH: f64 = 6.0;
/// How many times as long as the calls after it a first call must take to look like work that is kept.
const REMEMBERED: u64 = 20;
/// Nanoseconds of a first call below which nobody looks.
const NOTABLE: u64 = 1_000_000;

/// Times a call in the child.
pub struct Clock {
    /// Whether to count the processor's time, which what else the machine does leaves alone.
    by_processor: bool,
    repeats: usize,
    until: Instant,
    /// Nanoseconds of a first call that may pass `until` and is made once more: only so shows whether it keeps something.
    doubted: u64,
    times: Vec<u64>,
    /// The first call, which nothing was kept for.
    first: u64,
}

impl Clock {
    /// A clock for so many measurements within so many seconds.
    pub fn new(repeats: &str, seconds: &str) -> Self {
        let seconds = Duration::from_secs_f64(seconds.parse().unwrap_or(0.1));
        Self {
            by_processor: false,
            repeats: repeats.parse().unwrap_or(1),
            until: Instant::now() + seconds,
            doubted: (seconds * 4 / 3).as_nanos() as u64,
            times: Vec::new(),
            first: 0,
        }
    }

    /// The same, counting the time of the processor where the kernel tells it.
    pub fn of_processor(self) -> Self {
        Self { by_processor: true, ..self }
    }

    /// Times `call`; making its arguments is not counted. Calls too short to time alone are timed in a row.
    pub fn run<A, R>(&mut self, make: impl Fn() -> A, call: impl Fn(A) -> R) {
        let start = Instant::now();
        let argument = make();
        // So many copies as can be made in a moment: large ones would fill the memory.
        let most = 20_000_000 / (start.elapsed().as_nanos() as u64).max(1);
        let first = measured([argument], &call, self.by_processor);
        self.first = first;
        let row = (100_000 / first.max(1)).clamp(1, 400).min(most.max(1)) as usize;
        if row == 1 {
            self.times.push(first);
        }
        let least = if first < self.doubted { 2 } else { 1 };
        while self.times.len() < self.repeats && (self.times.len() < least || Instant::now() < self.until) {
            let arguments: Vec<A> = (0..row).map(|_| make()).collect();
            self.times.push(measured(arguments, &call, self.by_processor));
        }
    }

    /// The figures as an answer: nanoseconds of one call per measurement.
    pub fn answer(&self) -> Vec<String> {
        let first = std::iter::once(format!("first {}", self.first));
        std::iter::once("times".to_owned()).chain(first).chain(self.times.iter().map(ToString::to_string)).collect()
    }
}

/// Nanoseconds that this thread has had of a processor. The kernel brings the figure up to date when
/// it looks for somebody else to run.
fn processor() -> Option<u64> {
    std::thread::yield_now();
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    told.split_whitespace().next()?.parse().ok()
}

fn measured<A, R>(arguments: impl IntoIterator<Item = A> + Len, call: &impl Fn(A) -> R, by_processor: bool) -> u64 {
    let count = arguments.count_of().max(1) as u64;
    let before = if by_processor { processor() } else { None };
    let start = Instant::now();
    for argument in arguments {
        black_box(call(black_box(argument)));
    }
    let passed = start.elapsed().as_nanos() as u64;
    // Asking costs some time itself: where nobody interfered, the wall clock is the more exact one.
    let used = before.and_then(|before| processor()?.checked_sub(before)).filter(|used| *used > 0);
    let taken = used.map_or(passed, |used| used.min(passed));
    // Rounded up, so that nothing takes no time.
    taken.div_ceil(count).max(1)
}

/// How many there are, before they are used up.
trait Len {
    fn count_of(&self) -> usize;
}

impl<A> Len for Vec<A> {
    fn count_of(&self) -> usize {
        self.len()
    }
}

impl<A> Len for [A; 1] {
    fn count_of(&self) -> usize {
        1
    }
}

/// The times in an answer, or why there are none.
fn times(answer: &Answer) -> Result<Vec<u64>, String> {
    match answer {
        Answer::TimedOut => Err("timeout".to_owned()),
        Answer::Ended(how) => Err(format!("ended the process ({how})")),
        Answer::Parts(_) => match (answer.of("times"), answer.of("raised")) {
            (Some(all), _) if !all.is_empty() => Ok(all.iter().filter_map(|t| t.parse().ok()).collect()),
            (_, Some(words)) => Err(format!("panicked: {}", words.first().map_or("", String::as_str))),
            _ => Err("invalid".to_owned()),
        },
    }
}

/// The first call, where it took so much longer than those after it that they look up what it has kept.
fn remembered(answer: &Answer) -> Option<u64> {
    let first = first(answer)?;
    let least = times(answer).ok()?.into_iter().min()?;
    (first >= NOTABLE && first >= REMEMBERED * least).then_some(first)
}

fn first(answer: &Answer) -> Option<u64> {
    answer.of("times")?.first()?.strip_prefix("first ")?.parse().ok()
}

/// The times of first calls, each in a process of its own that some examples have warmed up: what is built once,
/// whatever the arguments, is no cost of this call. `None` when one fails.
fn firsts(worker: &mut Worker, request: &Request, ask: impl Fn(&mut Worker) -> Answer) -> Option<Vec<u64>> {
    let warm: Vec<&str> = request.option("warm").split(' ').filter(|w| !w.is_empty()).collect();
    let mut all = Vec::new();
    for _ in 0..3 {
        worker.stop();
        for claim in &warm {
            let _ = worker.ask(&["claim", claim], 10.0);
        }
        all.push(first(&ask(worker))?);
    }
    Some(all)
}

/// The facts.
pub fn facts(worker: &mut Worker, request: &Request) -> String {
    let budgets: Vec<String> = worker.describe("budgets").iter().map(|index| budget(worker, request, index)).collect();
    let growth = match request.option("complexity") {
        "" => "null".to_owned(),
        bound => growth(worker, request, bound),
    };
    let regression = match request.option("previous") {
        "" => "null".to_owned(),
        previous => regression(worker, request, previous),
    };
    format!("\"budgets\":{},\"growth\":{growth},\"regression\":{regression}", list(budgets))
}

fn budget(worker: &mut Worker, request: &Request, index: &str) -> String {
    let answer = worker.ask(&["budget", index, "15", "1.5"], 5.0);
    let again = remembered(&answer).and_then(|_| firsts(worker, request, |w| w.ask(&["budget", index, "1", "0.01"], 5.0)));
    let (wall, error) = match again.map_or_else(|| times(&answer), Ok) {
        Ok(all) => (all, String::new()),
        Err(error) => (Vec::new(), error),
    };
    let wall = list(wall.iter().map(ToString::to_string));
    format!("{{\"index\":{index},\"call\":\"\",\"wall\":{wall},\"error\":{}}}", json(&error))
}

fn sizes(bound: &str) -> Vec<usize> {
    if bound == "Exponential" {
        return (4..32).step_by(2).collect();
    }
    std::iter::successors(Some(4), |n| (*n < LARGEST).then_some(n * 2)).collect()
}

fn growth(worker: &mut Worker, request: &Request, bound: &str) -> String {
    let grows = worker.describe("inputs").get(1).is_some_and(|g| g != "0");
    if !grows {
        return format!("{{\"points\":[],\"reason\":{}}}", json("no parameter whose size can grow"));
    }
    let end = Instant::now() + Duration::from_secs_f64(GROWTH);
    let mut shapes = SHAPES.to_vec();
    let (mut points, mut stopped): (Vec<(usize, u64, &'static str)>, String) = (Vec::new(), String::new());
    let mut remembers = false;
    let time = |worker: &mut Worker, size: usize, shape: &'static str| {
        let place = Place { way: shape, index: size, path: Vec::new() };
        ask(worker, &place, "time", request.seed, &["5", "0.3", request.option("clock")], 2.0)
    };
    for size in sizes(bound) {
        let mut worst: Option<(u64, &'static str)> = None;
        for shape in shapes.clone() {
            let place = Place { way: shape, index: size, path: Vec::new() };
            let allowed = ask(worker, &place, "unmet", request.seed, &[], 2.0);
            let is_allowed = allowed.of("unmet").and_then(|p| p.first()).is_some_and(|u| u == "null");
            let found = if is_allowed {
                let answer = time(worker, size, shape);
                if !remembers && remembered(&answer).is_some() {
                    remembers = true; // so did the smaller ones, too fast to be seen
                    for (size, cost, shape) in &mut points {
                        let first = firsts(worker, request, |w| time(w, *size, shape));
                        *cost = first.and_then(|f| f.into_iter().min()).unwrap_or(*cost);
                    }
                }
                let again = if remembers { firsts(worker, request, |w| time(w, size, shape)) } else { None };
                again.map_or_else(|| times(&answer), Ok)
            } else {
                Err("violates @requires".to_owned())
            };
            match found {
                Ok(all) => {
                    let cost = all.into_iter().min().unwrap_or(1);
                    if worst.is_none_or(|(most, _)| cost > most) {
                        worst = Some((cost, shape));
                    }
                }
                Err(why) if why == "timeout" => {
                    stopped = format!(",\"stopped\":{{\"size\":{size},\"why\":\"timeout\"}}");
                    break;
                }
                Err(why) => {
                    shapes.retain(|s| *s != shape);
                    if shapes.is_empty() {
                        stopped = format!(",\"stopped\":{{\"size\":{size},\"why\":{}}}", json(&why));
                    }
                }
            }
        }
        let cost = worst.map_or(0, |(cost, _)| cost);
        if let Some((cost, shape)) = worst.filter(|_| !stopped.contains("timeout")) {
            points.push((size, cost, shape));
        }
        if !stopped.is_empty() || cost > LONG || Instant::now() > end {
            break;
        }
    }
    let points = points.iter().map(|(size, cost, shape)| {
        format!("[{size},{cost},{cost},{}]", json(shape.trim_start_matches("sized-")))
    });
    format!("{{\"points\":{},\"reason\":\"\"{stopped}}}", list(points))
}

/// The new code and the code it replaces, in turns, on the same inputs.
fn regression(worker: &mut Worker, request: &Request, previous: &str) -> String {
    let mut before = Worker::new(request, Some(previous));
    let mut rows = Vec::new();
    let mut places = vec![Place { way: "sized-distinct", index: 1000, path: Vec::new() }];
    places.extend((0..2).map(|index| Place { way: "pool", index, path: Vec::new() }));
    for place in places {
        let time = |worker: &mut Worker, repeats: &str, seconds: &str| {
            times(&ask(worker, &place, "time", request.seed, &[repeats, seconds, request.option("clock")], 2.0))
        };
        let text = ask(worker, &place, "text", request.seed, &[], 1.0);
        let allowed = ask(worker, &place, "unmet", request.seed, &[], 2.0);
        let is_allowed = allowed.of("unmet").and_then(|p| p.first()).is_some_and(|u| u == "null");
        let (Some([call, _]), true) = (text.of("text"), is_allowed) else { continue };
        if time(&mut before, "1", "0.3").is_err() || time(worker, "1", "0.3").is_err() {
            continue;
        }
        let (mut old, mut new) = (Vec::new(), Vec::new());
        for _ in 0..5 {
            old.extend(time(&mut before, "2", "0.05").unwrap_or_default());
            new.extend(time(worker, "2", "0.05").unwrap_or_default());
        }
        let figures = |all: &[u64]| list(all.iter().map(ToString::to_string));
        rows.push(format!("{{\"call\":{},\"old\":{},\"new\":{}}}", json(call), figures(&old), figures(&new)));
    }
    list(rows)
}
