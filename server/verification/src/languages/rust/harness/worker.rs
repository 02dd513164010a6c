//! What the child does: it answers one job after the other. A panic is an answer; anything worse ends
//! the child, and the parent says how.

use std::any::Any;
use std::io::Read;
use std::marker::PhantomData;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::claims::{Claim, Told};
use crate::iterators;
use crate::shipped;
use crate::source::{Hints, Source, hints, set_hints};
use crate::text::{bounded, canonical};
use crate::timing::Clock;
use crate::values::{Arb, Shape};
use crate::wire;
use crate::wrong;

/// Everything that was generated for one function.
pub struct Table {
    /// Examples and calls that must fail.
    pub claims: Vec<Claim>,
    /// The expressions of `@budget`.
    pub budgets: Vec<(usize, fn(&mut Clock))>,
    /// Where inputs come from; `None` when a parameter's values cannot be made up.
    pub inputs: Option<Box<dyn Inputs>>,
    /// Whether floats are compared to twelve digits.
    pub round: bool,
}

/// What checking one call against the contract gave.
pub struct Contract {
    /// What the call gave.
    pub result: String,
    /// Whether each clause holds, or how evaluating it failed.
    pub clauses: Vec<(usize, Result<bool, String>)>,
}

/// Evaluates one clause.
pub fn clause(run: impl FnOnce() -> bool) -> Result<bool, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| message(&*panic))
}

/// A parameter and its value before and after the call.
pub type Changed = (&'static str, String, String);

/// What was generated for calls with made up arguments.
pub struct Functions<A> {
    /// The call in Rust.
    pub text: fn(&A) -> String,
    /// The first clause of `@requires` that the arguments break.
    pub unmet: fn(&A) -> Option<usize>,
    /// What the call gives, and what it changes.
    pub outcome: fn(A) -> (String, Vec<Changed>),
    /// The call, checked.
    pub contract: fn(A) -> Contract,
    /// The laws.
    pub laws: Vec<(usize, fn(A) -> bool)>,
    /// The call alone.
    pub once: fn(A),
    /// The arguments that examples pass, with the claim that each comes from.
    pub pool: Vec<(usize, fn() -> A)>,
}

/// Which input a job means: a place in a sequence, and the steps by which it was made simpler.
pub struct Address {
    /// `mixed`, `boundary`, `random`, `pool`, or `sized-SHAPE`.
    pub way: String,
    /// Seed of the sequence.
    pub seed: u64,
    /// Place in the sequence; the size for `sized`.
    pub index: usize,
    /// At each step, which of the simpler values.
    pub path: Vec<usize>,
}

/// The inputs of a function, whatever their types.
pub trait Inputs {
    /// One input; `None` past the end of the sequence.
    fn at(&self, address: &Address) -> Option<Box<dyn Case + '_>>;
    /// The input of a claim.
    fn of_claim(&self, claim: usize) -> Option<Box<dyn Case + '_>>;
    /// What grows with a size: 2 a container, 1 a number, 0 nothing.
    fn grows(&self) -> u8;
}

/// One call with its arguments.
pub trait Case {
    /// The call in Rust.
    fn text(&self) -> String;
    /// How many simpler inputs there are.
    fn simpler(&self) -> usize;
    /// The first clause of `@requires` that it breaks.
    fn unmet(&self) -> Option<usize>;
    /// What the call gives, and what it changes.
    fn outcome(&self) -> (String, Vec<Changed>);
    /// The call, checked.
    fn contract(&self) -> Contract;
    /// One law.
    fn law(&self, index: usize) -> Option<bool>;
    /// Times the call.
    fn time(&self, clock: &mut Clock);
}

/// One of the ways in which examples make the object that a method is called on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receiver<const N: usize>(pub usize);

impl<const N: usize> Arb for Receiver<N> {
    fn small() -> Vec<Self> {
        (0..N.max(1)).map(Receiver).collect()
    }
    fn draw(source: &mut Source, _size: usize) -> Self {
        Receiver(source.below(N))
    }
    fn shrink(&self) -> Vec<Self> {
        (0..self.0).map(Receiver).collect()
    }
    fn source(&self) -> String {
        self.0.to_string()
    }
    fn nth(i: usize, _n: usize, _shape: Shape) -> Self {
        Receiver(i % N.max(1))
    }
    fn sized(_n: usize, _shape: Shape) -> Self {
        Receiver(0)
    }
}

/// Makes [`Inputs`] of functions, if the arguments' types are [`Arb`].
pub struct Maker<A> {
    functions: std::cell::Cell<Option<Functions<A>>>,
    kind: PhantomData<A>,
}

impl<A> Maker<A> {
    /// Takes what was generated.
    pub fn new(functions: Functions<A>) -> Self {
        Self { functions: std::cell::Cell::new(Some(functions)), kind: PhantomData }
    }
}

/// For arguments whose values can be made up.
pub trait Makeable {
    /// The inputs.
    fn inputs(&self) -> Option<Box<dyn Inputs>>;
}

impl<A: Arb> Makeable for Maker<A> {
    fn inputs(&self) -> Option<Box<dyn Inputs>> {
        Some(Box::new(self.functions.take()?))
    }
}

/// For all others.
pub trait NotMakeable {
    /// Nothing.
    fn inputs(&self) -> Option<Box<dyn Inputs>>;
}

impl<A> NotMakeable for &Maker<A> {
    fn inputs(&self) -> Option<Box<dyn Inputs>> {
        None
    }
}

struct One<'f, A> {
    functions: &'f Functions<A>,
    arguments: A,
}

impl<A: Arb> Inputs for Functions<A> {
    fn at(&self, address: &Address) -> Option<Box<dyn Case + '_>> {
        let mut arguments = self.made(address)?;
        for step in &address.path {
            arguments = arguments.shrink().into_iter().nth(*step)?;
        }
        Some(Box::new(One { functions: self, arguments }))
    }

    fn of_claim(&self, claim: usize) -> Option<Box<dyn Case + '_>> {
        let make = self.pool.iter().find(|(index, _)| *index == claim)?.1;
        Some(Box::new(One { functions: self, arguments: make() }))
    }

    fn grows(&self) -> u8 {
        A::grows()
    }
}

impl<A: Arb> Functions<A> {
    fn made(&self, address: &Address) -> Option<A> {
        let i = address.index;
        let mut source = Source::new(address.seed ^ (i as u64).wrapping_mul(0x51ab_1e55));
        source.is_bold = i % 8 == 5;
        let (shape, is_sized) = match address.way.as_str() {
            "sized-distinct" => (Shape::Distinct, true),
            "sized-repeated" => (Shape::Repeated, true),
            "sized-ascending" => (Shape::Ascending, true),
            "sized-descending" => (Shape::Descending, true),
            "sized-equal" => (Shape::Equal, true),
            _ => (Shape::Distinct, false),
        };
        match address.way.as_str() {
            _ if is_sized => Some(A::sized(i, shape)),
            "boundary" => A::small().into_iter().nth(i),
            "random" => Some(A::draw(&mut source, 1 + (i / 8).min(24) + source_extra(address.seed, i))),
            "pool" => self.pool.get(i).map(|(_, make)| make()),
            _ => self.mutated(i, &mut source),
        }
    }

    /// An example's arguments with something about them changed.
    fn mutated(&self, i: usize, source: &mut Source) -> Option<A> {
        let (_, make) = self.pool.get(i % self.pool.len().max(1))?;
        let mut value = make();
        for _ in 0..1 + source.below(2) {
            let simpler = value.shrink();
            if !simpler.is_empty() {
                value = source.pick(&simpler).clone();
            }
        }
        Some(value)
    }
}

/// A little noise on the size, so that neighbours differ.
fn source_extra(seed: u64, i: usize) -> usize {
    Source::new(seed.wrapping_add(i as u64)).below(4)
}

impl<A: Arb> Case for One<'_, A> {
    fn text(&self) -> String {
        (self.functions.text)(&self.arguments)
    }
    fn simpler(&self) -> usize {
        self.arguments.shrink().len()
    }
    fn unmet(&self) -> Option<usize> {
        (self.functions.unmet)(&self.arguments)
    }
    fn outcome(&self) -> (String, Vec<Changed>) {
        (self.functions.outcome)(self.arguments.clone())
    }
    fn contract(&self) -> Contract {
        (self.functions.contract)(self.arguments.clone())
    }
    fn law(&self, index: usize) -> Option<bool> {
        let (_, run) = self.functions.laws.iter().find(|(i, _)| *i == index)?;
        Some(run(self.arguments.clone()))
    }
    fn time(&self, clock: &mut Clock) {
        clock.run(|| self.arguments.clone(), self.functions.once);
    }
}

/// The text of a panic.
pub fn message(panic: &(dyn Any + Send)) -> String {
    panicked(panic)
}

fn panicked(panic: &dyn Any) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// Answers jobs until the parent is gone.
pub fn serve(table: fn() -> Table) {
    let Ok(fd) = std::io::stdin().as_fd().try_clone_to_owned() else { return };
    let mut stream = UnixStream::from(fd);
    std::panic::set_hook(Box::new(|panic| shipped::note(&panicked(panic.payload()))));
    let Ok(first) = wire::receive(&mut stream) else { return };
    set_hints(read_hints(&first));
    let Ok(table) = catch_unwind(table) else { return };
    while let Ok(job) = wire::receive(&mut stream) {
        let Some((tag, job)) = job.split_first() else { return };
        let job: Vec<&str> = job.iter().map(String::as_str).collect();
        let mut answer = vec![tag.clone()];
        answer.extend(match catch_unwind(AssertUnwindSafe(|| handle(&table, &job))) {
            Ok(parts) => parts,
            Err(panic) => vec!["raised".to_owned(), cut(&message(&*panic))],
        });
        if wire::send(&mut stream, &answer).is_err() {
            return;
        }
    }
    let _ = stream.read(&mut [0]);
}

fn cut(text: &str) -> String {
    text.chars().take(400).collect()
}

/// How large a float is that may be a limit of something: no tolerance, and none whose powers are infinite.
const LIMITS: std::ops::Range<f64> = 1e-6..1e12;

fn read_hints(parts: &[String]) -> Hints {
    let mut found = Hints::default();
    for part in parts {
        match part.split_at_checked(2) {
            Some(("i:", rest)) => found.integers.extend(rest.parse::<i128>().ok()),
            Some(("f:", rest)) => found.floats.extend(rest.parse::<f64>().ok()),
            Some(("t:", rest)) => found.texts.push(rest.to_owned()),
            Some(("n:", rest)) => found.near.extend(rest.parse::<i128>().ok()),
            Some(("g:", rest)) => found.limits.extend(rest.parse::<f64>().ok().filter(|f| LIMITS.contains(&f.abs()))),
            Some(("w:", rest)) => found.words.push(rest.to_owned()),
            Some(("s:", name)) => found.specials.push(name.to_owned()),
            Some(("x:", _)) => found.extremes = true,
            _ => {}
        }
    }
    found
}

fn address(parts: &[&str]) -> Option<Address> {
    let [way, seed, index, path, ..] = parts else { return None };
    let path = path.split(' ').filter_map(|s| s.parse().ok()).collect();
    Some(Address { way: (*way).to_owned(), seed: seed.parse().ok()?, index: index.parse().ok()?, path })
}

fn handle(table: &Table, job: &[&str]) -> Vec<String> {
    let owned = |parts: &[&str]| parts.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
    match job {
        ["as", way, job @ ..] => {
            wrong::set(way.parse().unwrap_or(0));
            let answer = catch_unwind(AssertUnwindSafe(|| handle(table, job)));
            let was_short = wrong::was_short();
            wrong::set(0);
            match answer {
                _ if was_short => owned(&["unknown"]),
                Ok(parts) => parts,
                Err(panic) => vec!["raised".to_owned(), cut(&message(&*panic))],
            }
        }
        ["describe", "claims"] => {
            table.claims.iter().flat_map(|c| [c.index.to_string(), c.raises.unwrap_or("").to_owned()]).collect()
        }
        ["describe", "differs"] => owned(&[if shipped::differs() { "yes" } else { "no" }]),
        ["describe", "budgets"] => table.budgets.iter().map(|(index, _)| index.to_string()).collect(),
        ["describe", "inputs"] => match &table.inputs {
            Some(inputs) => vec!["yes".to_owned(), inputs.grows().to_string()],
            None => Vec::new(),
        },
        ["claim", index] => told(table, index).unwrap_or_else(|| owned(&["unknown"])),
        ["claim-unmet", index] => {
            let case = index.parse().ok().and_then(|i| table.inputs.as_ref()?.of_claim(i));
            let unmet = case.and_then(|c| c.unmet());
            vec!["unmet".to_owned(), unmet.map_or("null".to_owned(), |i| i.to_string())]
        }
        ["budget", index, repeats, seconds] => {
            let mut clock = Clock::new(repeats, seconds);
            let found = table.budgets.iter().find(|(i, _)| i.to_string() == *index);
            if let Some((_, run)) = found {
                run(&mut clock);
            }
            clock.answer()
        }
        [what, rest @ ..] => {
            let Some(case) = address(rest).and_then(|a| table.inputs.as_ref()?.at(&a)) else { return owned(&["none"]) };
            shipped::watch(wrong::way() == 0 && matches!(*what, "contract" | "law"));
            case_job(what, case.as_ref(), rest.get(4..).unwrap_or(&[]), table.round)
        }
        [] => owned(&["unknown"]),
    }
}

fn told(table: &Table, index: &str) -> Option<Vec<String>> {
    let claim = table.claims.iter().find(|c| c.index.to_string() == index)?;
    Some(match (claim.run)() {
        Told::Equation(holds, got, wanted) => compared("equation", holds, &got, &wanted),
        Told::Comparison(holds, got, wanted) => compared("comparison", holds, &got, &wanted),
        Told::Holds(holds) => vec!["holds".into(), holds.to_string()],
        Told::Value(text, failure) => {
            let (kind, error) = failure.unwrap_or_default();
            vec!["value".into(), bounded(&text), kind, error]
        }
    })
}

/// Two sides of an `==`. Equal, and yet shown otherwise, or not to be shown: only an `==` of somebody's own
/// can say so.
fn compared(kind: &str, holds: bool, got: &str, wanted: &str) -> Vec<String> {
    let alike = holds && (canonical(got, true) != canonical(wanted, true) || got.starts_with('<'));
    let how = if alike { "alike" } else { "" };
    vec![kind.into(), holds.to_string(), bounded(got), bounded(wanted), how.into()]
}

fn case_job(what: &str, case: &dyn Case, more: &[&str], round: bool) -> Vec<String> {
    match what {
        "text" => vec!["text".into(), bounded(&case.text()), case.simpler().to_string()],
        // A precondition that panics is not met.
        "unmet" => vec!["unmet".into(), catch_unwind(AssertUnwindSafe(|| case.unmet())).map_or("0".into(), |u| u.map_or("null".into(), |i| i.to_string()))],
        "outcome" => {
            let (text, changed) = case.outcome();
            let mut out = format!("= {}", canonical(&text, round));
            for (name, before, after) in changed.into_iter().filter(|(_, before, after)| before != after) {
                let _ = before;
                out.push_str(&format!("; mutates {name} -> {}", canonical(&after, round)));
            }
            vec!["outcome".into(), bounded(&out)]
        }
        "contract" => {
            iterators::were_cut();
            let contract = case.contract();
            if iterators::were_cut() {
                return vec!["cut".into()];
            }
            let broken = contract.clauses.iter().find(|(_, verdict)| *verdict != Ok(true));
            let result = bounded(&contract.result);
            match broken {
                None => vec!["holds".into()],
                Some((index, Ok(_))) => vec!["ensures".into(), index.to_string(), result, String::new()],
                Some((index, Err(panic))) => vec!["ensures".into(), index.to_string(), result, format!("panic: {}", cut(panic))],
            }
        }
        "unheld" => {
            let unheld = case.contract().clauses.into_iter().filter(|(_, verdict)| *verdict != Ok(true));
            vec!["unheld".into(), unheld.map(|(index, _)| index.to_string()).collect::<Vec<_>>().join(" ")]
        }
        "law" => {
            let index = more.first().and_then(|i| i.parse().ok()).unwrap_or(0);
            match case.law(index) {
                Some(holds) => vec!["law".into(), holds.to_string()],
                None => vec!["none".into()],
            }
        }
        "time" => {
            let mut clock = Clock::new(more.first().unwrap_or(&"1"), more.get(1).unwrap_or(&"0.1"));
            if more.get(2) == Some(&"processor") {
                clock = clock.of_processor();
            }
            case.time(&mut clock);
            clock.answer()
        }
        _ => vec!["unknown".into(), hints(|h| h.top).to_string()],
    }
}
