//! What a plan amounts to, whatever its helpers are called: the graph of its signatures.
//!
//! Votes on plans are counted by [`canonical`]: two plans are alike when their steps can be paired so
//! that paired steps have equal parameter and return types and call paired steps. Names of steps
//! and parameters, the order of the steps, white space and the words of the intents do not matter.

use sha2::{Digest, Sha256};

use super::Plan;
use crate::task_specification::hex;

/// The canonical form: one line per step, sorted. Equal for plans that are alike; for plans that are
/// not it differs except where colour refinement cannot tell two graphs apart, which takes regular
/// graphs with equal signatures everywhere.
pub fn canonical(plan: &Plan) -> String {
    let places: std::collections::HashMap<&str, usize> =
        plan.steps.iter().enumerate().map(|(i, s)| (s.name.as_str(), i)).collect();
    let needs: Vec<Vec<usize>> =
        plan.steps.iter().map(|s| s.needs.iter().filter_map(|n| places.get(n.as_str()).copied()).collect()).collect();
    // Down: a step with all it calls. Steps are in order, so what it calls has its colour already.
    let mut down: Vec<String> = Vec::with_capacity(plan.steps.len());
    for (i, step) in plan.steps.iter().enumerate() {
        let mut below: Vec<&str> = needs[i].iter().filter_map(|n| down.get(*n).map(String::as_str)).collect();
        below.sort_unstable();
        down.push(colour(&types_of(&step.signature), &below));
    }
    // Up: a step with all that call it, so that one shared helper is not two equal ones.
    let mut above: Vec<Vec<String>> = vec![Vec::new(); plan.steps.len()];
    let mut lines: Vec<String> = Vec::with_capacity(plan.steps.len());
    for i in (0..plan.steps.len()).rev() {
        above[i].sort_unstable();
        let callers: Vec<&str> = above[i].iter().map(String::as_str).collect();
        let full = colour(&down[i], &callers);
        needs[i].iter().for_each(|n| above[*n].push(full.clone()));
        lines.push(format!("{} {full}", types_of(&plan.steps[i].signature)));
    }
    lines.sort_unstable();
    lines.join("\n")
}

fn colour(own: &str, others: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in std::iter::once(&own).chain(others) {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut colour = hex(&hasher.finalize());
    colour.truncate(16);
    colour
}

/// The types of a signature without names, defaults and white space:
/// `(a: int, *, b: list[int] = []) -> int` is `(int,list[int])->int`. An untyped parameter is `_`.
pub fn types_of(signature: &str) -> String {
    let text = signature.trim();
    let Some(open) = text.find('(') else { return squeezed(text) };
    let inside = text.get(open + 1..).unwrap_or("");
    let Some(close) = top_level(inside, |c| c == ')').next() else { return squeezed(text) };
    let parameters = inside.get(..close).unwrap_or("");
    let returns = inside.get(close + 1..).unwrap_or("").trim().trim_start_matches("->").trim_start_matches(':');
    let types: Vec<String> = split_top_level(parameters, ',')
        .into_iter()
        .map(str::trim)
        .filter(|p| !p.is_empty() && !matches!(*p, "*" | "/"))
        .map(parameter_type)
        .collect();
    format!("({})->{}", types.join(","), squeezed(returns))
}

fn parameter_type(parameter: &str) -> String {
    // The default begins at a `=`; that of an arrow begins none.
    let begins_default = |at: &usize| !parameter.get(at + 1..).unwrap_or("").starts_with('>');
    let default = top_level(parameter, |c| c == '=').find(begins_default).unwrap_or(parameter.len());
    let bare = parameter.get(..default).unwrap_or(parameter);
    match top_level(bare, |c| c == ':').next() {
        Some(colon) => squeezed(bare.get(colon + 1..).unwrap_or("")),
        None => "_".to_owned(),
    }
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn split_top_level(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut from = 0;
    for at in top_level(text, |c| c == separator) {
        parts.push(text.get(from..at).unwrap_or(""));
        from = at + separator.len_utf8();
    }
    parts.push(text.get(from..).unwrap_or(""));
    parts
}

/// Places of characters that stand in no bracket. A bracket that closes none is itself at the top.
fn top_level(text: &str, wanted: impl Fn(char) -> bool) -> impl Iterator<Item = usize> {
    let (mut depth, mut before) = (0usize, ' ');
    text.char_indices()
        .filter(move |(_, c)| {
            let here = depth == 0 && wanted(*c);
            match c {
                '(' | '[' | '{' | '<' => depth += 1,
                // The arrow of a function type closes nothing.
                '>' if matches!(before, '-' | '=') => {}
                ')' | ']' | '}' | '>' => depth = depth.saturating_sub(1),
                _ => {}
            }
            before = *c;
            here
        })
        .map(|(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::super::Step;
    use super::*;
    use proptest::prelude::*;

    fn plan(steps: &[(&str, &str, &[&str])]) -> Plan {
        let step = |(name, signature, needs): &(&str, &str, &[&str])| Step {
            name: (*name).into(),
            signature: (*signature).into(),
            needs: needs.iter().map(|n| (*n).into()).collect(),
            ..Step::default()
        };
        Plan { steps: steps.iter().map(step).collect() }.ordered().unwrap()
    }

    #[test]
    fn types_are_what_remains_of_a_signature() {
        for (signature, types) in [
            ("(a: int, *, b: list[int] = []) -> int", "(int,list[int])->int"),
            ("(f: Callable[[int], str],x) ->  dict[str, int]", "(Callable[[int],str],_)->dict[str,int]"),
            ("(xs: &[i64], f: impl Fn(i64) -> i64) -> Vec<i64>", "(&[i64],implFn(i64)->i64)->Vec<i64>"),
            ("(xs: number[], f: (x: number) => string): string[]", "(number[],(x:number)=>string)->string[]"),
            ("() -> None", "()->None"),
            ("", ""),
            ("(", "("),
        ] {
            assert_eq!(types_of(signature), types, "{signature}");
        }
    }

    #[test]
    fn names_and_order_do_not_matter_and_edges_and_types_do() {
        let one = plan(&[("a", "(x: int) -> int", &[]), ("b", "(y: int) -> str", &["a"]), ("f", "", &["a", "b"])]);
        let two = plan(&[("q", "(n: int)->str", &["p"]), ("p", "( k : int ) -> int", &[]), ("f", "", &["q", "p"])]);
        assert_eq!(canonical(&one), canonical(&two));
        let other_edge = plan(&[("a", "(x: int) -> int", &[]), ("b", "(y: int) -> str", &[]), ("f", "", &["a", "b"])]);
        let other_type =
            plan(&[("a", "(x: int) -> str", &[]), ("b", "(y: int) -> str", &["a"]), ("f", "", &["a", "b"])]);
        assert_ne!(canonical(&one), canonical(&other_edge));
        assert_ne!(canonical(&one), canonical(&other_type));
    }

    #[test]
    fn one_shared_helper_is_not_two_equal_ones() {
        let int = "(x: int) -> int";
        let shared = plan(&[("h", int, &[]), ("a", int, &["h"]), ("b", int, &["h"]), ("f", "", &["a", "b"])]);
        let twice =
            plan(&[("h", int, &[]), ("i", int, &[]), ("a", int, &["h"]), ("b", int, &["i"]), ("f", "", &["a", "b"])]);
        assert_ne!(canonical(&shared), canonical(&twice));
    }

    proptest! {
        #[test]
        fn renaming_and_shuffling_change_nothing(
            needs in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 2..8),
            types in prop::collection::vec(0usize..3, 8),
            keys in prop::collection::vec(any::<u32>(), 8),
        ) {
            let step = |i: usize, name: &dyn Fn(usize) -> String| {
                let mut below: Vec<usize> = if i == 0 { vec![] } else { needs[i].iter().map(|n| n.index(i)).collect() };
                below.sort_unstable();
                below.dedup();
                Step {
                    name: name(i),
                    signature: format!("(x: T{}) -> int", types[i]),
                    needs: below.into_iter().map(name).collect(),
                    ..Step::default()
                }
            };
            let straight = Plan { steps: (0..needs.len()).map(|i| step(i, &|i| format!("s{i}"))).collect() };
            let mut order: Vec<usize> = (0..needs.len()).collect();
            order.sort_by_key(|i| keys[*i]);
            let mixed = Plan { steps: order.iter().map(|i| step(*i, &|i| format!("t{}", keys[i]))).collect() };
            if let (Ok(a), Ok(b)) = (straight.ordered(), mixed.ordered()) {
                prop_assert_eq!(canonical(&a), canonical(&b));
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_has_types(text in "[a:,()\\[\\]<>=\\->é ]{0,20}") {
            let _ = types_of(&text);
        }
    }
}
