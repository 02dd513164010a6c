//! The code that stands between a Rust function and the harness: the spec's expressions, and how the
//! function is called with made up arguments. It is put into the function's own module, so that what
//! is private there can be used, and lines above it keep their numbers.
//!
//! A piece that does not compile (an example with a slip, a type without copies) is left out by
//! [`Plan::without`], and the layer that needed it says so.

mod calls;
mod emit;
mod own_types;
mod probe;
mod types;

use std::collections::BTreeSet;
use std::ops::Range;

use tree_sitter::Node;
use zeroerr_core::code::{Task, line_of};

pub(super) use calls::hints;
pub(super) use probe::Probe;

use self::calls::Call;
use self::probe::Pieces;
use self::types::{Kept, Substitution};
use super::functions::FileIndex;
use super::signature::{modifiers, parameters, receiver};
use super::tree::{Expression, children, is_comment, newline_of, nodes, parse, text};

/// The module that the generated code lives in.
pub(super) const MODULE: &str = "__zeroerr";

/// What has to be known of a function to generate code for it.
#[derive(Debug)]
pub(super) struct Plan {
    /// The file.
    source: String,
    /// Where the generated module goes: before the end of the function's own module.
    place: usize,
    /// Modules of the file around the function, outermost first, and where `pub` goes before each.
    path: Vec<(String, Option<usize>)>,
    name: String,
    /// Patterns of the parameters with how each is kept; `None` when one cannot be made up.
    params: Option<Vec<(String, Kept)>>,
    /// Parameters whose values cannot be made up, as written.
    unmade: Vec<String>,
    /// The receiver as written, and the type it has.
    receiver: Option<(String, Option<String>)>,
    /// The type of a function without receiver in an `impl` block.
    owner: Option<String>,
    /// Ways to make the object that the method is called on.
    receivers: Vec<String>,
    /// Calls in the spec whose arguments stand for themselves, by probe.
    calls: Vec<(Probe, Call)>,
    /// Code that makes values of the file's own types.
    own_types: Vec<String>,
    is_async: bool,
    /// Whether the result is an iterator, which is used up to look at it.
    iterates: bool,
    /// Whether floats are in the result.
    round: bool,
    claims: Vec<Claim>,
    requires: Vec<String>,
    ensures: Vec<String>,
    laws: Vec<String>,
    budgets: Vec<String>,
    /// The root's own `main`, which must make room.
    main: Option<Range<usize>>,
    dropped: BTreeSet<Probe>,
}

/// One claim of the spec as it is evaluated.
#[derive(Debug)]
struct Claim {
    probe: Probe,
    /// Both sides, or the whole expression alone.
    left: String,
    right: Option<String>,
    raises: Option<String>,
}

/// The file with the generated code.
#[derive(Debug)]
pub(super) struct Glued {
    /// The text.
    pub text: String,
    /// Which lines (1-based) belong to which piece.
    pub marks: Vec<(Range<usize>, Probe)>,
    /// All lines of the generated module.
    pub lines: Range<usize>,
}

impl Plan {
    /// Reads the function that a task is about.
    ///
    /// # Errors
    /// One sentence when the function cannot be called from outside.
    pub fn read(task: &Task) -> Result<Self, String> {
        let source: &str = &task.source;
        let tree = parse(source).ok_or("the file cannot be parsed")?;
        let index = FileIndex::new(tree.root_node(), source);
        let name = task.signature.name.clone();
        let function = index.function_of(task).ok_or_else(|| format!("`{name}` is not where it was"))?;
        let around = around(function.node);
        if inside_function(function.node) {
            return Err(format!(
                "`{name}` stands inside another function, where nothing else can call it; move it out"
            ));
        }
        let names = Substitution::of(function.node, around, source);
        let list = function.node.child_by_field_name("parameters");
        let written: Vec<Node<'_>> =
            list.map(children).unwrap_or_default().into_iter().filter(|n| n.kind() == "parameter").collect();
        let (mut params, mut unmade) = (Vec::new(), Vec::new());
        for (node, parameter) in written.iter().zip(parameters(function.node, source)) {
            match node.child_by_field_name("type").and_then(|t| names.kept(t, source)) {
                Some(kept) => params.push((parameter.param.name, kept)),
                None => unmade.push(text(*node, source).to_owned()),
            }
        }
        let own = names.own().map(str::to_owned);
        let is_trait = around.is_some_and(|n| n.kind() == "trait_item");
        let receiver = receiver(function.node, source).map(|r| (r.to_owned(), own.clone()));
        let owned: Vec<String> = params.iter().map(|(_, k)| k.owned()).collect();
        let returns = task.signature.returns.as_deref().unwrap_or("");
        let mut plan = Self {
            place: place(function.scope, source),
            path: path(function.scope, source),
            name,
            params: (unmade.is_empty() && !is_trait).then_some(params),
            unmade,
            owner: own.filter(|_| receiver.is_none()),
            receiver,
            receivers: Vec::new(),
            calls: Vec::new(),
            own_types: own_types::implementations(tree.root_node(), source, &owned),
            is_async: modifiers(function.node, source).contains(&"async"),
            iterates: returns.contains("Iterator"),
            round: returns.contains("f64") || returns.contains("f32"),
            claims: claims(task),
            requires: texts(&task.spec.requires),
            ensures: texts(&task.spec.ensures),
            laws: texts(&task.spec.properties),
            budgets: task.spec.budgets.iter().map(|b| b.call.clone()).collect(),
            main: root_main(tree.root_node(), source),
            dropped: BTreeSet::new(),
            source: source.to_owned(),
        };
        plan.read_calls(task);
        Ok(plan)
    }

    fn read_calls(&mut self, task: &Task) {
        let claims =
            task.spec.examples.iter().map(|e| e.code.as_str()).chain(task.spec.raises.iter().map(|r| r.call.as_str()));
        for (pool, code) in claims.enumerate() {
            for call in calls::calls(code, &self.name).into_iter().take(1) {
                if let Some(receiver) =
                    call.receiver.clone().filter(|r| !self.receivers.contains(r) && self.receivers.len() < 6)
                {
                    self.receivers.push(receiver);
                }
                self.calls.push((Probe::Pool(pool), call));
            }
        }
    }

    /// The same without a piece that did not compile.
    pub fn without(&mut self, probe: Probe) {
        self.dropped.insert(probe);
        // A precondition that cannot be evaluated leaves nothing to say of made up inputs.
        if matches!(probe, Probe::Requires(_)) {
            self.dropped.insert(Probe::Inputs);
        }
    }

    /// Parameters that keep inputs from being made up, in words; empty when there are none.
    pub fn unmade(&self) -> String {
        if self.receiver.is_some() && self.receivers.is_empty() {
            return "the object (no example shows how to make one)".to_owned();
        }
        self.unmade.iter().map(|p| format!("`{p}`")).collect::<Vec<_>>().join(" and ")
    }

    /// Modules of the file around the function.
    pub fn path(&self) -> String {
        self.path.iter().map(|(name, _)| format!("{name}::")).collect()
    }

    /// The file with the generated code. `root` when the file is the root of a program, which then
    /// also gets a `main`.
    pub fn glued(&self, root: bool) -> Glued {
        let mut pieces = Pieces::default();
        emit::module(self, &mut pieces);
        let (generated, marks) = pieces.into_parts();
        let newline = newline_of(&self.source);
        // The line that the first generated line stands on.
        let first = line_of(&self.source, self.place) + 1;
        let count = generated.matches('\n').count();
        let mut edits: Vec<(Range<usize>, String)> = vec![(self.place..self.place, format!("{newline}{generated}"))];
        edits.extend(self.path.iter().filter_map(|(_, at)| at.map(|at| (at..at, "pub ".to_owned()))));
        if root {
            edits.extend(self.main.clone().map(|main| (main, "__zeroerr_main".to_owned())));
            let end = self.source.len();
            let main = format!("{newline}fn main() {{ {}{MODULE}::main() }}\n", self.path());
            edits.push((end..end, main));
        }
        // From the end, so that places keep their meaning; at one place, what comes first goes first.
        edits.sort_by_key(|(at, _)| at.start);
        let mut text = self.source.clone();
        for (at, new) in edits.into_iter().rev() {
            text.replace_range(at, &new);
        }
        let marks = marks.into_iter().map(|(lines, probe)| (first + lines.start..first + lines.end, probe)).collect();
        Glued { text, marks, lines: first..first + count }
    }
}

fn texts(clauses: &[zeroerr_core::task_specification::Clause]) -> Vec<String> {
    clauses.iter().map(|c| c.text.clone()).collect()
}

fn claims(task: &Task) -> Vec<Claim> {
    use zeroerr_core::task_specification::ExampleClaim;
    let examples = task.spec.examples.iter().enumerate().map(|(at, example)| {
        let raises = match &example.claim {
            ExampleClaim::Raises(what) => Some(what.clone()),
            _ => None,
        };
        let (left, right) = match &example.equation {
            Some((left, right)) => (left.clone(), Some(right.clone())),
            None => (example.code.clone(), None),
        };
        Claim { probe: Probe::Example(at), left, right, raises }
    });
    let raises = task.spec.raises.iter().enumerate().map(|(at, clause)| Claim {
        probe: Probe::Raises(at),
        left: clause.call.clone(),
        right: None,
        raises: Some(clause.exception.clone()),
    });
    examples.chain(raises).collect()
}

/// The `impl` or trait around a method.
fn around(function: Node<'_>) -> Option<Node<'_>> {
    let item = function.parent()?.parent()?;
    matches!(item.kind(), "impl_item" | "trait_item").then_some(item)
}

fn inside_function(node: Node<'_>) -> bool {
    std::iter::successors(node.parent(), |n| n.parent()).any(|n| n.kind() == "function_item")
}

/// Before the closing brace of a module, or at the end of the file.
fn place(scope: Node<'_>, source: &str) -> usize {
    match scope.child_by_field_name("body") {
        Some(body) => body.end_byte().saturating_sub(1),
        None => source.len(),
    }
}

/// The names of the modules of this file around (and with) a scope, and where they lack a `pub`.
fn path(scope: Node<'_>, source: &str) -> Vec<(String, Option<usize>)> {
    let around = std::iter::successors(Some(scope), |n| n.parent()).filter(|n| n.kind() == "mod_item");
    let mut found: Vec<(String, Option<usize>)> = around
        .filter_map(|n| {
            let is_open = children(n).iter().any(|c| c.kind() == "visibility_modifier");
            let name = text(n.child_by_field_name("name")?, source).to_owned();
            Some((name, (!is_open).then_some(n.start_byte())))
        })
        .collect();
    found.reverse();
    found
}

/// The name of a `main` at top level.
fn root_main(root: Node<'_>, source: &str) -> Option<Range<usize>> {
    let functions = children(root).into_iter().filter(|n| n.kind() == "function_item");
    let mut names = functions.filter_map(|n| n.child_by_field_name("name"));
    names.find(|n| text(*n, source) == "main").map(|n| n.byte_range())
}

/// A text whose `main`, if it has one, makes room for another.
pub(super) fn without_main(source: &str) -> String {
    let Some(tree) = parse(source) else { return source.to_owned() };
    let mut out = source.to_owned();
    if let Some(main) = root_main(tree.root_node(), source) {
        out.replace_range(main, "__zeroerr_main");
    }
    out
}

/// An expression of the spec with `self` and `.await` as they can stand outside of the method.
fn outside(code: &str) -> String {
    let Some(expression) = Expression::parse(code) else { return code.to_owned() };
    let mut out = code.to_owned();
    let mut places: Vec<std::ops::Range<usize>> = nodes(expression.everything())
        .into_iter()
        .filter(|n| n.child_count() == 0 && expression.text(*n) == "self" && !n.parent().is_some_and(is_comment))
        .map(|n| expression.place(n))
        .filter(|at| !at.is_empty())
        .collect();
    places.sort_by_key(|r| std::cmp::Reverse(r.start));
    for place in places {
        out.replace_range(place, "__self");
    }
    out
}

#[cfg(test)]
#[path = "../glue_tests.rs"]
mod tests;
