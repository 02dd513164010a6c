//! From facts about calls to a judgement: what rejects a candidate, and what it votes for.
//!
//! Two values count as equal when the language calls them equal, except that a truth value never
//! equals a number. The outcome of a call is `= VALUE`, `! EXCEPTION`, `timeout` or `crash`,
//! followed by `; mutates PARAMETER -> VALUE` for each argument that was changed.

use serde::Deserialize;
use zeroerr_core::task_specification::{Example, ExampleClaim, Spec};
use zeroerr_core::voting_engine::Fingerprint;

use crate::languages::{CheckError, Judgement, Observation};
use crate::layers::TOO_LONG;

/// What became of one example.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ExampleFact {
    /// Its place among those asked for.
    pub index: usize,
    /// Whether the claim held.
    pub ok: bool,
    /// What the code gave: a value, `! Error: text`, `timeout`, `crash: how`, `broken: why`.
    pub got: String,
    /// What was expected, as text.
    pub expected: String,
    /// The `@requires` clause that a call of the example violates.
    #[serde(default)]
    pub violates: Option<usize>,
    /// The first calls of the function with their results.
    #[serde(default)]
    pub calls: String,
    /// The module that was missing when the file did not load.
    #[serde(default)]
    pub missing_module: String,
    /// Whether a call that must fail lies outside `@requires`.
    #[serde(default)]
    pub outside: bool,
    /// Whether both sides of an equation are equal, and shown differently or not at all.
    #[serde(default)]
    pub alike: bool,
    /// Whether functions that are wrong on purpose meet it as well.
    #[serde(default)]
    pub hollow: bool,
    /// Whether it was asked of none of them, though nothing says that each would fail it.
    #[serde(default)]
    pub untested: bool,
    /// When it did not hold, if it had held before: `asked again`.
    #[serde(default)]
    pub again: String,
}

/// A file that did not load: exception, text, missing module; then `PATH:LINE` of the innermost line of the project's,
/// and where the failure comes from: the file's own line at top level, `elsewhere` where the file was not come to,
/// `function` where the code that is judged took part, nothing where that is not known.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Broken(
    pub String,
    pub String,
    pub String,
    #[serde(default)] pub String,
    #[serde(default)] pub String,
    #[serde(default)] pub String,
);

/// What the harness of a language says of a candidate.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Facts {
    /// Examples in order; the last may be the first that failed.
    pub examples: Vec<ExampleFact>,
    /// Calls with their outcomes.
    pub outcomes: Vec<(String, String)>,
    /// Set when the file did not load.
    #[serde(default)]
    pub broken: Option<Broken>,
    /// A call with two outcomes, when two runs differed.
    #[serde(default)]
    pub unstable: Option<(String, String, String)>,
    /// The syntax tree with its locals renamed, when asked for.
    #[serde(default)]
    pub tree: Option<String>,
}

/// One claim of a spec, whichever tag it came from.
#[derive(Debug, Clone, Copy)]
pub enum Claim<'a> {
    /// An example.
    Example(&'a Example),
    /// `@raises`: exception and call.
    Raises(&'a str, &'a str),
}

/// The claims of a spec in the order in which they are checked.
pub fn claims(spec: &Spec) -> Vec<Claim<'_>> {
    let raises = spec.raises.iter().map(|r| Claim::Raises(&r.exception, &r.call));
    spec.examples.iter().map(Claim::Example).chain(raises).collect()
}

impl Claim<'_> {
    /// The code of the claim.
    pub fn code(&self) -> &str {
        match self {
            Claim::Example(e) => e.equation.as_ref().map_or(e.code.as_str(), |(left, _)| left),
            Claim::Raises(_, call) => call,
        }
    }

    /// The claim as it is written.
    pub fn written(&self) -> String {
        one_line(match self {
            Claim::Example(e) => &e.code,
            Claim::Raises(_, call) => call,
        })
    }

    /// What is wrong, in one clause: `median([1, 2]) gave 1, expected 1.5`.
    pub fn objection(&self, fact: &ExampleFact) -> String {
        match fact.again.as_str() {
            "" => self.contradicted(fact),
            when => format!("{when}, {}: its answer changes from call to call", self.contradicted(fact)),
        }
    }

    fn contradicted(&self, fact: &ExampleFact) -> String {
        let code = one_line(self.code());
        let got = one_line(&fact.got);
        let did = match got.split_once(' ') {
            _ if got == "timeout" => return format!("{code} {TOO_LONG}"),
            Some(("!", exception)) => format!("{code} {}", raised(exception)),
            Some(("crash:", how)) => format!("{code} ended the process ({how})"),
            Some(("broken:", why)) => return format!("the file does not load: {why}"),
            Some(("uncalled:", name)) => {
                return format!("`{}` never calls {name}, so it shows nothing", self.written());
            }
            _ => format!("{code} gave {got}"),
        };
        match self {
            Claim::Raises(exception, _) => format!("{did}, expected {}", failure(exception)),
            Claim::Example(e) => match &e.claim {
                ExampleClaim::Raises(exception) => format!("{did}, expected {}", failure(exception)),
                ExampleClaim::Prints(_) if got.is_empty() => {
                    format!("{code} printed nothing, expected {}", one_line(&fact.expected))
                }
                ExampleClaim::Holds
                    if e.equation.is_none()
                        && (got.eq_ignore_ascii_case("false") || !fact.calls.is_empty() || got.starts_with('!')) =>
                {
                    let calls = if fact.calls.is_empty() { String::new() } else { format!(" ({})", fact.calls) };
                    if got.starts_with('!') {
                        format!("{did}{calls}, expected it to be true")
                    } else {
                        format!("`{code}` is false{calls}")
                    }
                }
                _ => {
                    // Code that fails leaves the other side unevaluated: it is shown as written.
                    let written = e.equation.as_ref().map_or("", |(_, right)| right);
                    let expected = one_line(if fact.expected.is_empty() { written } else { &fact.expected });
                    // A NaN, or a type that calls nothing equal.
                    if expected == got {
                        format!("{did}, which `==` does not call equal to {expected}")
                    } else {
                        format!("{did}, expected {expected}")
                    }
                }
            },
        }
    }

    /// Whether the claim is that a call fails; such calls may lie outside `@requires`.
    fn expects_failure(&self) -> bool {
        matches!(self, Claim::Raises(..))
            || matches!(self, Claim::Example(e) if matches!(e.claim, ExampleClaim::Raises(_)))
    }
}

/// A claim that speaks of a call which `@requires` forbids: the spec contradicts itself.
pub fn contradiction(spec: &Spec, facts: &[ExampleFact]) -> Option<CheckError> {
    let claims = claims(spec);
    facts.iter().find_map(|fact| {
        let claim = claims.get(fact.index).filter(|c| !c.expects_failure())?;
        let clause = spec.requires.get(fact.violates?)?;
        let code = one_line(claim.code());
        Some(CheckError(format!(
            "the spec contradicts itself: the example `{code}` violates `@requires {}`; change one of them",
            clause.text
        )))
    })
}

/// Judges a candidate: the gate first, then its behaviour.
///
/// # Errors
/// When the spec contradicts itself.
pub fn judge(spec: &Spec, facts: Facts) -> Result<Judgement, CheckError> {
    if let Some(error) = contradiction(spec, &facts.examples) {
        return Err(error);
    }
    let claims = claims(spec);
    if let Some(failed) = facts.examples.iter().find(|f| !f.ok) {
        let why = claims.get(failed.index).map_or_else(|| "an example failed".to_string(), |c| c.objection(failed));
        let others = facts.examples.iter().filter(|f| f.ok).count();
        let is_near = others + 1 == claims.len() && facts.examples.len() == claims.len();
        return Ok(if is_near { Judgement::NearMiss(why) } else { Judgement::GateRejected(why) });
    }
    if let Some(Broken(_, error, text, ..)) = facts.broken {
        return Ok(Judgement::GateRejected(visible(&format!("the file does not load: {error}: {text}"))));
    }
    if facts.examples.len() < claims.len() {
        return Ok(Judgement::GateRejected("not every example was run".into()));
    }
    if let Some((call, first, second)) = facts.unstable {
        return Ok(Judgement::Unfit(format!(
            "is not deterministic: {call} came out as `{first}` in one run and as `{second}` in another"
        )));
    }
    Ok(Judgement::Votes(Fingerprint { outcomes: facts.outcomes }))
}

/// What a candidate does, whether or not the gate lets it vote.
///
/// # Errors
/// When the spec contradicts itself.
pub fn observe(spec: &Spec, facts: Facts) -> Result<Observation, CheckError> {
    let behaviour = (!facts.outcomes.is_empty()).then(|| Fingerprint { outcomes: facts.outcomes.clone() });
    let tree = facts.tree.clone();
    let judged: Observation = judge(spec, facts)?.into();
    Ok(Observation { behaviour: judged.behaviour.or(behaviour), tree, ..judged })
}

/// What code did that failed, as a predicate: exceptions are raised, a panic is a verb.
fn raised(exception: &str) -> String {
    match exception.strip_prefix("panic") {
        Some("") => "panicked".to_string(),
        Some(text) if text.starts_with(": ") => format!("panicked{}", text.trim_end_matches(": ")),
        _ => format!("raised {exception}"),
    }
}

/// A failure as the object of a sentence.
fn failure(exception: &str) -> &str {
    if exception == "panic" { "a panic" } else { exception }
}

/// A text without characters that a terminal or an editor would obey: controls other than the line feed,
/// and what turns the direction of writing. They are shown as escapes.
pub fn visible(text: &str) -> String {
    let obeyed = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
    };
    if !text.contains(obeyed) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if obeyed(c) { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out
}

/// A text on one line, cut to a length that a message can bear.
pub fn one_line(text: &str) -> String {
    let joined = visible(text.trim()).replace('\n', "⏎");
    match joined.char_indices().nth(200) {
        Some((at, _)) => format!("{}…", &joined[..at]),
        None => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroerr_core::code::TextRange;
    use zeroerr_core::task_specification::{Clause, ExampleOrigin, Raises};

    fn spec() -> Spec {
        let range = TextRange::default();
        let example = |left: &str, right: &str| Example {
            code: format!("{left} == {right}"),
            claim: ExampleClaim::Holds,
            equation: Some((left.into(), right.into())),
            origin: ExampleOrigin::Tag,
            range,
        };
        Spec {
            requires: vec![Clause { text: "len(xs) > 0".into(), range }],
            examples: vec![example("f([1, 2])", "1.5")],
            raises: vec![Raises { exception: "ValueError".into(), call: "f([])".into(), range }],
            ..Spec::default()
        }
    }

    fn fact(index: usize, ok: bool, got: &str) -> ExampleFact {
        ExampleFact {
            index,
            ok,
            got: got.into(),
            expected: "1.5".into(),
            violates: None,
            calls: String::new(),
            missing_module: String::new(),
            outside: false,
            alike: false,
            hollow: false,
            untested: false,
            again: String::new(),
        }
    }

    fn facts(examples: Vec<ExampleFact>) -> Facts {
        Facts { examples, outcomes: vec![("f([3])".into(), "= 3".into())], broken: None, unstable: None, tree: None }
    }

    fn rejected(facts: Facts) -> String {
        match judge(&spec(), facts) {
            Ok(Judgement::GateRejected(why) | Judgement::NearMiss(why) | Judgement::Unfit(why)) => why,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn nothing_in_a_message_is_obeyed() {
        assert_eq!(one_line("\u{1b}[2J\u{202e}é\n\tx"), "\\u{1b}[2J\\u{202e}é⏎\\tx");
        assert_eq!(visible("a\nb"), "a\nb");
    }

    #[test]
    fn the_first_failed_claim_is_said_in_the_words_of_its_call() {
        assert_eq!(rejected(facts(vec![fact(0, false, "1")])), "f([1, 2]) gave 1, expected 1.5");
        assert_eq!(rejected(facts(vec![fact(0, false, "timeout")])), "f([1, 2]) did not end in its time");
        assert_eq!(
            rejected(facts(vec![fact(0, true, "1.5"), fact(1, false, "0")])),
            "f([]) gave 0, expected ValueError"
        );
        assert_eq!(
            rejected(facts(vec![fact(0, true, "1.5"), fact(1, false, "! IndexError: no")])),
            "f([]) raised IndexError: no, expected ValueError"
        );
    }

    #[test]
    fn a_candidate_votes_only_when_every_claim_was_run_and_held() {
        let all = vec![fact(0, true, "1.5"), fact(1, true, "! ValueError")];
        assert!(matches!(judge(&spec(), facts(all.clone())), Ok(Judgement::Votes(f)) if f.outcomes.len() == 1));
        assert_eq!(rejected(facts(vec![fact(0, true, "1.5")])), "not every example was run");
        let mut unstable = facts(all);
        unstable.unstable = Some(("f([3])".into(), "= 1".into(), "= 2".into()));
        assert!(rejected(unstable.clone()).starts_with("is not deterministic: f([3])"));
        assert!(matches!(judge(&spec(), unstable), Ok(Judgement::Unfit(_))), "it failed no example");
    }

    #[test]
    fn an_example_outside_the_domain_is_the_specs_fault() {
        let mut outside = fact(0, false, "1");
        outside.violates = Some(0);
        let error = judge(&spec(), facts(vec![outside])).unwrap_err();
        assert_eq!(
            error.0,
            "the spec contradicts itself: the example `f([1, 2])` violates `@requires len(xs) > 0`; change one of them"
        );
        let mut raises = fact(1, true, "! ValueError");
        raises.violates = Some(0);
        assert!(
            judge(&spec(), facts(vec![fact(0, true, "1.5"), raises])).is_ok(),
            "a call that must raise may lie outside"
        );
    }
}
