//! Everything the harness needs to know of a subject, in its words.

use serde_json::{Value, json};
use tree_sitter::Node;
use zeroerr_core::code::{Param, ParamKind};
use zeroerr_core::task_specification::{Clause, Example, ExampleClaim, ExampleOrigin};

use super::super::expressions::{calls_of, deep, free_names_of, split_equation, watched};
use super::super::functions::{Form, Place, bound_by_pattern, place_of};
use super::super::imports::declared_in;
use super::super::kinds::{TypeKind, kinds_of_with, receiver_kind};
use super::super::project::Mirror;
use super::super::said;
use super::super::tree::{Dialect, nodes, parse, parse_any, parts, text};
use super::LAYER_SEED;
use crate::languages::{CheckError, Subject};
use crate::toolchain::Toolchain;

/// Words of a spec that speak of numbers which are not finite.
const EXTREMES: [&str; 6] = ["NaN", "Infinity", "isFinite", "isInteger", "isSafeInteger", "MAX_SAFE_INTEGER"];

/// Words of a spec that tell zero from minus zero.
const SIGNED: [&str; 2] = ["Object.is", "-0"];

/// The request; `extra` is laid over it.
///
/// # Errors
/// One sentence with the remedy when Node's tools are not there.
pub(in super::super) fn request(
    tools: &Toolchain,
    subject: &Subject,
    mirror: &Mirror,
    extra: Value,
) -> Result<Value, CheckError> {
    let node = tools.node()?;
    let (task, spec) = (&subject.task, &subject.task.spec);
    let place = place_of(task);
    reachable(subject, place.as_ref())?;
    let accessor = place.as_ref().and_then(|p| p.accessor);
    let binds: Vec<Vec<String>> = task.signature.params.iter().map(binds).collect();
    let returns = task.signature.returns.as_deref().unwrap_or("");
    let waits = task.signature.is_async
        || ["Promise", "AsyncGenerator", "AsyncIterable", "AsyncIterator"].iter().any(|t| returns.starts_with(t))
        || (returns.is_empty() && spec.examples.iter().any(|e| e.code.contains("await ")));
    let mut readable = vec![mirror.top.clone()];
    readable.extend(mirror.packages.clone());
    // The parameters that a clause speaks of; globals and the file's own names are always there.
    let bound = binds.concat();
    let uses = |clauses: &[Clause]| {
        let of = |c: &Clause| free_names_of(&c.text).into_iter().filter(|n| bound.contains(n)).collect::<Vec<_>>();
        clauses.iter().map(of).collect::<Vec<_>>()
    };
    let mut request = json!({
        "source": &*task.source,
        "file": mirror.file,
        "root": mirror.root,
        "top": mirror.top,
        "scratch": mirror.scratch(),
        "modules": mirror.modules,
        "readable": readable,
        "uses": spec.uses.iter().map(|c| &*c.text).collect::<Vec<_>>(),
        "aliases": mirror.tsconfig.aliases,
        "tsconfig": mirror.tsconfig.raw(),
        "esbuild": node.tool("esbuild")?.path,
        "fast_check": node.tool("fast-check")?.path,
        "function": task.signature.name,
        "class": task.class,
        "is_static": place.as_ref().is_some_and(|p| p.is_static),
        "holder": place.as_ref().and_then(|p| p.holder.clone()),
        "bare": place.as_ref().is_some_and(|p| p.is_bare),
        "field": place.as_ref().is_some_and(|p| p.form == Form::Field && !p.is_static),
        "whole": place.as_ref().filter(|p| p.form == Form::Default).map(|p| p.exported.as_deref().unwrap_or("module.exports")),
        "accessor": accessor,
        "waits": waits,
        "returns": returns,
        "requires": texts(&spec.requires),
        "requires_uses": uses(&spec.requires),
        "ensures": texts(&spec.ensures),
        "properties": texts(&spec.properties),
        "properties_uses": uses(&spec.properties),
        "examples": examples_of(subject),
        "names": imported_names(subject),
        "budgets": spec.budgets.iter().map(|b| b.call.clone()).collect::<Vec<_>>(),
        "budget_milliseconds": spec.budgets.iter().map(|b| b.milliseconds).collect::<Vec<_>>(),
        "budget_calls": spec.budgets.iter().map(|b| plain_call(&b.call, subject)).collect::<Vec<_>>(),
        "complexity": null,
        "said": said_in(subject),
        "binds": binds.concat(),
        "binder": binder(&task.signature.params, &binds.concat()),
        "seed": LAYER_SEED,
        "plan": plan(subject, mirror, &binds, accessor.is_some()),
    });
    if let (Value::Object(request), Value::Object(extra)) = (&mut request, extra) {
        request.extend(extra);
    }
    if place.as_ref().is_some_and(|p| p.accessor.is_none() && (p.holder.is_some() || task.class.is_some())) {
        watch(&mut request, &task.signature.name);
    }
    Ok(request)
}

/// What the clauses name: all of them, and those alone that say what comes out.
fn said_in(subject: &Subject) -> Value {
    let (task, spec) = (&subject.task, &subject.task.spec);
    let claims = || spec.ensures.iter().chain(&spec.properties);
    json!({
        "spec": said::of_clauses(spec.requires.iter().chain(claims()), task),
        "claims": said::of_clauses(claims(), task),
    })
}

/// Says so where nothing outside of the file's own code can call a function.
fn reachable(subject: &Subject, place: Option<&Place>) -> Result<(), CheckError> {
    let name = &subject.task.signature.name;
    let why = match place {
        Some(place) if place.is_private => {
            "is private to its class, so that nothing else can call it; call it by a method that is not"
        }
        Some(place) if !place.top_level => {
            "stands inside of a function, a block or a namespace, where nothing else can call it; move it to the top level of the file"
        }
        _ => return Ok(()),
    };
    Err(CheckError(format!("`{name}` {why}")))
}

/// Lets the texts of a spec call a member by whoever watches its calls.
fn watch(request: &mut Value, name: &str) {
    let on = |text: &mut Value| {
        if let Some(code) = text.as_str() {
            *text = json!(watched(code, name));
        }
    };
    for list in ["requires", "ensures", "properties"] {
        request[list].as_array_mut().into_iter().flatten().for_each(on);
    }
    for example in request["examples"].as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        for part in ["left", "right", "code"] {
            example.get_mut(part).into_iter().for_each(on);
        }
    }
}

fn texts(clauses: &[Clause]) -> Vec<String> {
    clauses.iter().map(|c| deep(&c.text)).collect()
}

/// Types, examples' calls and receivers: what inputs are made from.
fn plan(subject: &Subject, mirror: &Mirror, binds: &[Vec<String>], is_accessor: bool) -> Value {
    let task = &subject.task;
    let kinds = kinds_of_with(task, &mirror.texts());
    let params = task.signature.params.iter().zip(kinds).zip(binds);
    let params: Vec<Value> = params
        .map(|((param, kind), binds)| {
            let is_rest = param.kind == ParamKind::Rest;
            let has_default = param.default.is_some();
            json!({"name": param.name, "binds": binds, "type": kind, "has_default": has_default, "rest": is_rest})
        })
        .collect();
    let codes = example_codes(subject);
    let calls: Vec<Vec<String>> = codes.iter().flat_map(|c| calls_of(c, &task.signature.name)).collect();
    let receivers = if task.class.is_some() { receivers(&codes, &task.signature.name) } else { Vec::new() };
    // A receiver is built by the class itself, unless only examples know how.
    let built = receiver_kind(task).filter(|k| matches!(k, TypeKind::Class(..)));
    let spec = &task.spec;
    let clauses = spec.requires.iter().chain(&spec.ensures).chain(&spec.properties).map(|c| c.text.as_str());
    let said: Vec<&str> = clauses.chain(codes.iter().copied()).collect();
    let speaks_of = |words: &[&str]| said.iter().any(|t| words.iter().any(|word| t.contains(word)));
    json!({
        "params": params,
        "calls": calls,
        "receiver": built,
        "receivers": receivers,
        "accessor": is_accessor,
        "extreme": speaks_of(&EXTREMES),
        "signed": speaks_of(&SIGNED),
    })
}

/// Code whose calls of the function show what its arguments look like.
fn example_codes(subject: &Subject) -> Vec<&str> {
    let spec = &subject.task.spec;
    spec.examples.iter().map(|e| e.code.as_str()).chain(spec.raises.iter().map(|r| r.call.as_str())).collect()
}

/// The objects that examples call a method on, as far as they build them on the spot.
fn receivers(codes: &[&str], method: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for code in codes {
        let Some(tree) = parse_any(code) else { continue };
        for member in nodes(tree.root_node()).into_iter().filter(|n| n.kind() == "member_expression") {
            let field = |name| member.child_by_field_name(name);
            let (Some(object), Some(property)) = (field("object"), field("property")) else { continue };
            let object = inner(object);
            if text(property, code) == method && object.kind() == "new_expression" {
                let written = text(object, code).to_owned();
                if !out.contains(&written) {
                    out.push(written);
                }
            }
        }
    }
    out
}

fn inner(node: Node<'_>) -> Node<'_> {
    match parts(node).first() {
        Some(only) if node.kind() == "parenthesized_expression" => inner(*only),
        _ => node,
    }
}

/// Receiver and arguments of a call as the harness writes it; `None` for anything else.
pub(in super::super) fn parsed_call(call: &str, subject: &Subject) -> Option<Value> {
    let args = calls_of(call, &subject.task.signature.name).into_iter().next()?;
    let receiver = receivers(&[call], &subject.task.signature.name).into_iter().next().unwrap_or_default();
    Some(json!({"receiver": receiver, "args": args}))
}

/// The arguments of an expression that is nothing but a call of the function itself.
fn plain_call(code: &str, subject: &Subject) -> Option<Vec<String>> {
    let name = &subject.task.signature.name;
    let code = code.trim().trim_start_matches("await ").trim();
    if subject.task.class.is_some() || !code.starts_with(name.as_str()) {
        return None;
    }
    let tree = parse_any(code)?;
    let statement = parts(tree.root_node()).into_iter().next()?;
    let call = parts(statement).into_iter().next().filter(|n| n.kind() == "call_expression")?;
    let function = call.child_by_field_name("function")?;
    (text(function, code) == name).then(|| calls_of(code, name).into_iter().next()).flatten()
}

/// The names that a parameter binds.
fn binds(param: &Param) -> Vec<String> {
    let code = format!("({}) => 0", param.name);
    let tree = parse(&code, Dialect::TypeScript);
    let list = tree.as_ref().and_then(|t| nodes(t.root_node()).into_iter().find(|n| n.kind() == "formal_parameters"));
    list.map_or_else(Vec::new, |n| bound_by_pattern(n, &code))
}

/// A function with the parameters of the one under test that returns them by name.
fn binder(params: &[Param], names: &[String]) -> String {
    let written = params.iter().map(|p| match (&p.default, p.kind) {
        (_, ParamKind::Rest) => format!("...{}", p.name),
        (Some(default), _) => format!("{} = {default}", p.name),
        (None, _) => p.name.clone(),
    });
    format!("({}) => ({{ {} }})", written.collect::<Vec<_>>().join(", "), names.join(", "))
}

/// The file with functions that do nothing: one gives what equals nothing but what it gave for the same arguments, the
/// other nothing at all. A test that passes with both would pass whatever the function does.
pub(in super::super) fn hollow_texts(subject: &Subject) -> Vec<String> {
    let (task, source) = (&subject.task, &*subject.task.source);
    let names: Vec<String> = task.signature.params.iter().flat_map(binds).collect();
    let kept = "(globalThis.__zeroerrHollow ??= new Map())";
    let key =
        format!("(() => {{ try {{ return JSON.stringify([{}]); }} catch {{ return \"\"; }} }})()", names.join(", "));
    let given = format!("((k, m) => {{ if (!m.has(k)) m.set(k, {{ hollow: k }}); return m.get(k); }})({key}, {kept})");
    let (Some(head), Some(tail)) = (source.get(..task.body_range.start), source.get(task.body_range.end..)) else {
        return Vec::new();
    };
    // Its types are not the question.
    [given.as_str(), "undefined"].map(|value| format!("// @ts-nocheck\n{head}{{ return {value}; }}{tail}")).to_vec()
}

/// The file's imports that its spec names.
fn imported_names(subject: &Subject) -> Vec<String> {
    let task = &subject.task;
    let Some(tree) = parse(&task.source, Dialect::of(&task.file)) else { return Vec::new() };
    let imported: Vec<String> =
        declared_in(tree.root_node(), &task.source).into_iter().filter(|i| !i.is_type).map(|i| i.local).collect();
    let spec = &task.spec;
    let clauses = spec.requires.iter().chain(&spec.ensures).chain(&spec.properties).map(|c| c.text.as_str());
    let calls = spec.raises.iter().map(|r| r.call.as_str()).chain(spec.budgets.iter().map(|b| b.call.as_str()));
    let codes = clauses.chain(calls).chain(spec.examples.iter().map(|e| e.code.as_str()));
    let used: Vec<String> = codes.flat_map(free_names_of).collect();
    imported.into_iter().filter(|name| used.contains(name)).collect()
}

/// The examples in the harness's words.
fn examples_of(subject: &Subject) -> Vec<Value> {
    let name = &subject.task.signature.name;
    subject.task.spec.examples.iter().map(|e| example(e, name)).collect()
}

/// The calls of `@raises`.
pub(in super::super) fn raises_of(subject: &Subject) -> Vec<Value> {
    let raises = subject.task.spec.raises.iter();
    let bare = |call: &str| is_bare(call, &subject.task.signature.name);
    raises
        .map(|r| json!({"kind": "raises", "code": deep(&r.call), "expected": r.exception, "bare": bare(&r.call)}))
        .collect()
}

/// The examples and the calls that must throw, in the order in which the gate checks them.
pub(in super::super) fn examples_and_raises(subject: &Subject) -> Vec<Value> {
    examples_of(subject).into_iter().chain(raises_of(subject)).collect()
}

/// Whether an expression is a call of the function and nothing else.
fn is_bare(code: &str, function: &str) -> bool {
    split_equation(&format!("({code}) === null"), function).is_some()
}

fn example(example: &Example, function: &str) -> Value {
    let mut words = match (&example.claim, &example.equation) {
        (ExampleClaim::Raises(exception), _) => {
            let bare = is_bare(&example.code, function);
            json!({"kind": "raises", "code": deep(&example.code), "expected": exception, "bare": bare})
        }
        (ExampleClaim::Prints(value), _) => {
            let bare = is_bare(&example.code, function);
            json!({"kind": "equation", "left": deep(&example.code), "right": deep(value), "bare": bare})
        }
        (ExampleClaim::Holds, Some((left, right))) => {
            json!({"kind": "equation", "left": deep(left), "right": deep(right), "bare": true})
        }
        (ExampleClaim::Holds, None) => json!({"kind": "holds", "code": deep(&example.code)}),
    };
    if example.origin == ExampleOrigin::Step {
        words["on_step"] = true.into();
    }
    words
}
