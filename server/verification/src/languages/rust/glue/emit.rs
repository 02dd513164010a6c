//! Writes the generated module, piece by piece.

use std::fmt::Write as _;

use super::calls::{Call, referred};
use super::probe::{Pieces, Probe};
use super::types::Kept;
use super::{Claim, MODULE, Plan, calls, outside};

/// The whole module.
pub(super) fn module(plan: &Plan, own: Option<&str>, pieces: &mut Pieces) {
    let kept = |p: Probe| !plan.dropped.contains(&p);
    pieces.add(None, &format!("#[allow(warnings, clippy::all)] pub mod {MODULE} {{ use super::*; pub extern crate zeroerr_harness as __h; use self::__h::Arb as _;"));
    if let Some(name) = own {
        pieces.add(None, &format!("extern crate self as {name};"));
    }
    let claims: Vec<(usize, &Claim)> = plan.claims.iter().enumerate().filter(|(_, c)| kept(c.probe)).collect();
    for (at, claim) in &claims {
        pieces.add(Some(claim.probe), &claim_function(plan, *at, claim));
    }
    let budgets: Vec<usize> = (0..plan.budgets.len()).filter(|i| kept(Probe::Budget(*i))).collect();
    for at in &budgets {
        pieces.add(Some(Probe::Budget(*at)), &budget_function(plan, *at));
    }
    for (at, code) in plan.own_types.iter().enumerate().filter(|(at, _)| kept(Probe::Type(*at))) {
        pieces.add(Some(Probe::Type(at)), code);
    }
    let has_inputs =
        plan.params.is_some() && kept(Probe::Inputs) && (plan.receiver.is_none() || !plan.receivers.is_empty());
    let inputs = if has_inputs { inputs(plan, pieces) } else { "__h::standard::option::Option::None".to_owned() };
    let claims: Vec<String> = claims
        .iter()
        .map(|(at, claim)| {
            let raises = claim.raises.as_ref().map_or("__h::standard::option::Option::None".to_owned(), |r| {
                format!("__h::standard::option::Option::Some({r:?})")
            });
            format!("__h::Claim {{ index: {at}, run: __claim_{at}, raises: {raises} }}")
        })
        .collect();
    let budgets: Vec<String> =
        budgets.iter().map(|at| format!("({at}, __budget_{at} as fn(&mut __h::timing::Clock))")).collect();
    pieces.add(
        None,
        &format!(
            "fn __table() -> __h::Table {{ __h::Table {{ claims: __h::standard::vec![{}], budgets: __h::standard::vec![{}], round: {}, inputs:",
            claims.join(", "),
            budgets.join(", "),
            plan.round
        ),
    );
    pieces.add(Some(Probe::Inputs), &inputs);
    pieces.add(None, "} }");
    if plan.marker.is_some() {
        // The marked body says it by an `impl`; without it, another function of the name is the one that is there.
        pieces.add(None, "pub struct Here; pub trait Present {} fn __present<T: Present>() {}");
        pieces.add(Some(Probe::Presence), "fn __is_present() { __present::<Here>() }");
    }
    pieces.add(None, "pub fn main() { __h::main(__table) }\n}");
}

/// An expression that may await.
fn evaluated(plan: &Plan, code: &str) -> String {
    if plan.is_async || code.contains(".await") {
        format!("__h::block_on(async {{ {code} }})")
    } else {
        code.to_owned()
    }
}

fn claim_function(plan: &Plan, at: usize, claim: &Claim) -> String {
    let left = &claim.left;
    let body = match (&claim.right, &claim.raises) {
        (Some(right), None) => {
            let kind = if claim.setup.is_some() { "Comparison" } else { "Equation" };
            let setup = claim.setup.as_deref().unwrap_or("");
            format!(
                "{setup} match (&({left}), &({right})) {{ (__l, __r) => __h::Told::{kind}(*__l == *__r, __h::show!(__l), __h::show!(__r)) }}"
            )
        }
        (_, Some(_)) => {
            format!("{{ let __v = {{ {left} }}; __h::Told::Value(__h::show!(&__v), __h::failure!(&__v)) }}")
        }
        (None, None) => format!("__h::Told::Holds({left})"),
    };
    format!("fn __claim_{at}() -> __h::Told {{ {} }}", evaluated(plan, &body))
}

fn budget_function(plan: &Plan, at: usize) -> String {
    let code = plan.budgets.get(at).map_or("", String::as_str);
    let head = format!("fn __budget_{at}(__c: &mut __h::timing::Clock) {{");
    let whole = calls::calls(code, &plan.name).into_iter().find(|c| c.is_whole && c.receiver.is_none());
    let Some(call) = whole.filter(|_| plan.owner.is_none() && !plan.is_async) else {
        return format!("{head} __c.run(|| (), |()| {{ {} }}); }}", evaluated(plan, code));
    };
    // What is only looked at is made once; what is used up or changed is made for each call.
    let (mut shared, mut made, mut names, mut passed) = (String::new(), String::new(), String::new(), Vec::new());
    for (i, argument) in call.arguments.iter().enumerate() {
        match referred(argument) {
            Some((inner, false)) => {
                let _ = write!(shared, "let __p{i} = {inner}; ");
                passed.push(format!("&__p{i}"));
            }
            Some((inner, true)) => {
                let _ = write!(made, "{inner}, ");
                let _ = write!(names, "mut __p{i}, ");
                passed.push(format!("&mut __p{i}"));
            }
            None => {
                let _ = write!(made, "{argument}, ");
                let _ = write!(names, "__p{i}, ");
                passed.push(format!("__p{i}"));
            }
        }
    }
    format!("{head} {shared}__c.run(|| ({made}), |({names})| {}({})); }}", plan.name, passed.join(", "))
}

/// The functions for made up arguments; returns the expression that gathers them.
fn inputs(plan: &Plan, pieces: &mut Pieces) -> String {
    let Some(params) = &plan.params else { return "__h::standard::option::Option::None".to_owned() };
    let place = Probe::Inputs;
    let mut types: Vec<String> = params.iter().map(|(_, k)| k.owned()).collect();
    if plan.receiver.is_some() {
        types.insert(0, format!("__h::Receiver<{}>", plan.receivers.len()));
    }
    let tuple = if types.is_empty() { "()".to_owned() } else { format!("({},)", types.join(", ")) };
    pieces.add(Some(place), &format!("type __Args = {tuple};"));
    let shift = usize::from(plan.receiver.is_some());
    if let Some((_, Some(own))) = &plan.receiver {
        let arms = |text: &dyn Fn(&String) -> String| {
            plan.receivers.iter().enumerate().map(|(i, r)| format!("{i} => {}, ", text(r))).collect::<String>()
        };
        pieces.add(
            Some(place),
            &format!(
                "fn __receiver(__i: usize) -> {own} {{ match __i {{ {} _ => __h::standard::unreachable!() }} }}",
                arms(&|r| r.clone())
            ),
        );
        pieces.add(
            Some(place),
            &format!(
                "fn __receiver_text(__i: usize) -> &'static str {{ match __i {{ {} _ => \"\" }} }}",
                arms(&|r| format!("{r:?}"))
            ),
        );
    }
    pieces.add(Some(place), &text_function(plan, params, shift));
    for (at, code) in plan.requires.iter().enumerate() {
        let code = evaluated(plan, &outside(code));
        let body =
            format!("fn __requires_{at}(__a: &__Args) -> bool {{ {} {code} }}", bound(plan, params, "__a", shift));
        pieces.add(Some(Probe::Requires(at)), &body);
    }
    let unmet: String = (0..plan.requires.len())
        .map(|i| format!("if !__requires_{i}(__a) {{ return __h::standard::option::Option::Some({i}); }} "))
        .collect();
    pieces.add(
        Some(place),
        &format!("fn __unmet(__a: &__Args) -> __h::standard::option::Option<usize> {{ {unmet}__h::standard::option::Option::None }}"),
    );
    pieces.add(Some(place), &outcome_function(plan, params, shift));
    contract_function(plan, params, shift, pieces);
    let laws: Vec<usize> = (0..plan.laws.len()).filter(|i| !plan.dropped.contains(&Probe::Law(*i))).collect();
    for at in &laws {
        let code = evaluated(plan, &outside(plan.laws.get(*at).map_or("", String::as_str)));
        let body = format!("fn __law_{at}(__a: __Args) -> bool {{ {} {code} }}", bound(plan, params, "__a", shift));
        pieces.add(Some(Probe::Law(*at)), &body);
    }
    let (taken, call) = (taken(plan, params), call(plan, params));
    pieces.add(Some(place), &format!("fn __once(__a: __Args) {{ {taken} __h::standard::hint::black_box({call}); }}"));
    let pool: Vec<String> = plan
        .calls
        .iter()
        .filter(|(p, _)| !plan.dropped.contains(p))
        .filter_map(|(p, c)| pool_function(plan, params, *p, c, pieces))
        .collect();
    let laws: Vec<String> = laws.iter().map(|i| format!("({i}, __law_{i} as fn(__Args) -> bool)")).collect();
    format!(
        "__h::inputs!(__Args, __h::Functions {{ text: __text, unmet: __unmet, outcome: __outcome, contract: __contract, laws: __h::standard::vec![{}], once: __once, pool: __h::standard::vec![{}] }})",
        laws.join(", "),
        pool.join(", ")
    )
}

/// The call as one would write it.
fn text_function(plan: &Plan, params: &[(String, Kept)], shift: usize) -> String {
    let (mut holes, mut values) = (Vec::new(), String::new());
    for (i, (_, kept)) in params.iter().enumerate() {
        let (before, after) = kept.around();
        holes.push(format!("{before}{{}}{after}"));
        let _ = write!(values, ", __a.{}.source()", i + shift);
    }
    let (start, first) = match (&plan.receiver, &plan.owner) {
        (Some(_), _) => (format!("{{}}.{}", plan.name), ", __receiver_text(__a.0.0)"),
        (None, Some(owner)) if !owner.contains('<') => (format!("{owner}::{}", plan.name), ""),
        (None, Some(owner)) => (format!("<{owner}>::{}", plan.name), ""),
        (None, None) => (plan.name.clone(), ""),
    };
    format!(
        "fn __text(__a: &__Args) -> __h::standard::string::String {{ __h::standard::format!(\"{start}{}({})\"{first}{values}) }}",
        plan.generics,
        holes.join(", ")
    )
}

/// Statements that bind the parameters' names to copies of the arguments in `from`.
fn bound(plan: &Plan, params: &[(String, Kept)], from: &str, shift: usize) -> String {
    let mut out: String =
        plan.constants.iter().map(|c| format!("const {}: {} = {}; ", c.name, c.kind, c.value)).collect();
    if plan.receiver.is_some() {
        let _ = write!(out, "let mut __self = __receiver({from}.0.0); ");
    }
    for (i, (pattern, kept)) in params.iter().enumerate() {
        let at = i + shift;
        let _ = match kept {
            Kept::Shared(_) => write!(out, "let {pattern} = &{from}.{at}.clone(); "),
            _ => write!(out, "let mut __b{at} = {from}.{at}.clone(); let {} = __b{at}; ", mutable(pattern, kept)),
        };
    }
    out
}

/// A law may change what the function changes.
fn mutable(pattern: &str, kept: &Kept) -> String {
    let is_name = pattern.chars().all(|c| c.is_alphanumeric() || c == '_') && pattern != "_";
    if kept.is_mutable() && is_name { format!("mut {pattern}") } else { pattern.to_owned() }
}

/// Statements that take the arguments apart into `__p0`, `__p1`, and the object into `__self`.
fn taken(plan: &Plan, params: &[(String, Kept)]) -> String {
    let locals: String = (0..params.len()).map(|i| format!("mut __p{i}, ")).collect();
    match (&plan.receiver, params.is_empty()) {
        (Some(_), _) => format!("let (__r, {locals}) = __a; let mut __self = __receiver(__r.0);"),
        (None, true) => "let () = __a;".to_owned(),
        (None, false) => format!("let ({locals}) = __a;"),
    }
}

/// The call with those locals; of an iterator, the first items.
fn call(plan: &Plan, params: &[(String, Kept)]) -> String {
    let call = bare_call(plan, params);
    if plan.iterates {
        format!("({call}).into_iter().take(1000).collect::<__h::standard::vec::Vec<_>>()")
    } else {
        call
    }
}

/// The call with those locals; of an iterator, all items, so that a clause may count them.
fn whole_call(plan: &Plan, params: &[(String, Kept)]) -> String {
    let call = bare_call(plan, params);
    if plan.iterates { format!("__h::iterators::gathered({call})") } else { call }
}

fn bare_call(plan: &Plan, params: &[(String, Kept)]) -> String {
    let arguments: Vec<String> = params.iter().enumerate().map(|(i, (_, k))| k.passed(&format!("__p{i}"))).collect();
    let arguments = arguments.join(", ");
    let start = match (&plan.receiver, &plan.owner) {
        (Some(_), _) => format!("__self.{}", plan.name),
        (None, Some(owner)) => format!("<{owner}>::{}", plan.name),
        (None, None) => plan.name.clone(),
    };
    let call = format!("{start}{}({arguments})", plan.generics);
    if plan.is_async { format!("__h::block_on({call})") } else { call }
}

/// Whether the object can be looked at after the call, and is worth a look.
fn changes_self(plan: &Plan) -> bool {
    plan.receiver.as_ref().is_some_and(|(written, _)| written.contains('&') && written.contains("mut"))
}

fn outcome_function(plan: &Plan, params: &[(String, Kept)], shift: usize) -> String {
    let (mut before, mut after) = (String::new(), String::new());
    for (i, (pattern, _)) in params.iter().enumerate().filter(|(_, (_, k))| k.is_mutable()) {
        let _ = write!(before, "let __b{i} = __h::show!(&__a.{}); ", i + shift);
        let _ = write!(after, "({pattern:?}, __b{i}, __h::show!(&__p{i})), ");
    }
    if changes_self(plan) {
        before.push_str("let __bs = __h::show!(&__receiver(__a.0.0)); ");
        after.push_str("(\"self\", __bs, __h::show!(&__self)), ");
    }
    format!(
        "fn __outcome(__a: __Args) -> (__h::standard::string::String, __h::standard::vec::Vec<__h::worker::Changed>) {{ {before}{} let __t = {{ let __v = {}; __h::show!(&__v) }}; (__t, __h::standard::vec![{after}]) }}",
        taken(plan, params),
        call(plan, params)
    )
}

fn contract_function(plan: &Plan, params: &[(String, Kept)], shift: usize, pieces: &mut Pieces) {
    let place = Some(Probe::Inputs);
    pieces.add(place, &format!("fn __contract(__a: __Args) -> __h::Contract {{ let __before = __a.clone(); {} let __v = {}; let mut __c = __h::standard::vec::Vec::new();", taken(plan, params), whole_call(plan, params)));
    for (at, code) in plan.ensures.iter().enumerate().filter(|(at, _)| !plan.dropped.contains(&Probe::Ensures(*at))) {
        let views = views(plan, params, shift, code);
        let code = evaluated(plan, &outside(code));
        pieces.add(
            Some(Probe::Ensures(at)),
            &format!(
                "__c.push(({at}, __h::clause(|| {{ {} {views} let result = __h::given!(&__v); {code} }})));",
                bound(plan, params, "__before", shift)
            ),
        );
    }
    pieces.add(place, "__h::Contract { result: __h::show!(&__v), clauses: __c } }");
}

/// `old` and `new`, where a clause speaks of them: the parameters before and after the call.
fn views(plan: &Plan, params: &[(String, Kept)], shift: usize, code: &str) -> String {
    let mut out = String::new();
    for view in ["old", "new"].into_iter().filter(|v| code.contains(&format!("{v}."))) {
        let (mut names, mut types, mut values) = (String::new(), String::new(), String::new());
        if plan.receiver.is_some() {
            types.push_str("S, ");
            names.push_str("__self: S, ");
            let own = if view == "old" { "__receiver(__before.0.0)" } else { "__h::given!(&__self)" };
            let _ = write!(values, "__self: {own}, ");
        }
        for (i, (pattern, kept)) in params.iter().enumerate() {
            let is_used = view == "old" || kept.is_mutable();
            if !is_used || !pattern.chars().all(|c| c.is_alphanumeric() || c == '_') || pattern == "_" {
                continue;
            }
            let value = if view == "old" { format!("__before.{}", i + shift) } else { format!("__p{i}") };
            let _ = write!(types, "T{i}, ");
            let _ = write!(names, "{pattern}: T{i}, ");
            let _ = write!(values, "{pattern}: {value}.clone(), ");
        }
        let name = if view == "old" { "__Old" } else { "__New" };
        let _ = write!(out, "struct {name}<{types}> {{ {names} }} let {view} = {name} {{ {values} }}; ");
    }
    out
}

fn pool_function(
    plan: &Plan,
    params: &[(String, Kept)],
    probe: Probe,
    call: &Call,
    pieces: &mut Pieces,
) -> Option<String> {
    let Probe::Pool(at) = probe else { return None };
    if call.arguments.len() != params.len() {
        return None;
    }
    let mut values = String::new();
    if plan.receiver.is_some() {
        let own = call.receiver.as_ref()?;
        let index = plan.receivers.iter().position(|r| r == own)?;
        let _ = write!(values, "__h::Receiver({index}), ");
    }
    for ((_, kept), argument) in params.iter().zip(&call.arguments) {
        let value = match (kept, referred(argument)) {
            (Kept::Copy(t), Some((inner, false))) => {
                format!(
                    "{{ let __x: {t} = __h::standard::boxed::Box::leak(__h::standard::boxed::Box::new({inner})); __x }}"
                )
            }
            (Kept::Copy(_), None) => argument.clone(),
            (Kept::Shared(_), Some((inner, false))) | (Kept::Mutable(_), Some((inner, true))) => inner,
            (Kept::MutableSlice(_), Some((inner, true))) => format!("({inner}).to_vec()"),
            (Kept::Elements(_), _) => format!("({argument}).into_iter().collect::<__h::standard::vec::Vec<_>>()"),
            _ => return None,
        };
        let _ = write!(values, "{value}, ");
    }
    pieces.add(Some(probe), &format!("fn __pool_{at}() -> __Args {{ ({values}) }}"));
    Some(format!("({at}, __pool_{at} as fn() -> __Args)"))
}
