//! The code that stands between a Rust function and the harness: the spec's expressions, and how the
//! function is called with made up arguments. It is put into the function's own module, so that what
//! is private there can be used, and lines above it keep their numbers.
//!
//! A piece that does not compile (an example with a slip, a type without copies) is left out by
//! [`Plan::without`], and the layer that needed it says so.

mod calls;
mod emit;
mod generics;
mod own_types;
mod probe;
mod types;
mod wrong;

use std::collections::BTreeSet;
use std::ops::Range;

use tree_sitter::Node;
use zeroerr_core::code::{Task, line_of};

pub(super) use calls::{constants, hints};
pub(super) use probe::Probe;

use self::calls::Call;
use self::generics::Constant;
use self::probe::Pieces;
use self::types::{Kept, Substitution};
use self::wrong::Wrong;
use super::functions::{FileIndex, Function};
use super::signature::{modifiers, parameters, receiver};
use super::tree::{Expression, children, is_comment, newline_of, nodes, parse, parts, text, unwrapped, words};

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
    /// The constants around the function, and its type parameters as a call writes them.
    constants: Vec<Constant>,
    generics: String,
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
    /// Where the body says that it is compiled, if an attribute could leave it out.
    marker: Option<usize>,
    /// How it is told to be wrong.
    wrong: Option<Wrong>,
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
    /// What stands before both sides in a block.
    setup: Option<String>,
    raises: Option<String>,
}

impl Claim {
    /// Whether a word stands in it.
    fn speaks_of(&self, word: &str) -> bool {
        let all = [Some(&self.left), self.right.as_ref(), self.setup.as_ref()];
        all.into_iter().flatten().any(|t| words(t).any(|w| w == word))
    }
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
    /// Lines whose errors may come of what makes the function wrong when it is told to.
    pub wrong: Range<usize>,
    /// Whether an error of any other line may come of it, too.
    pub wrong_is_felt_elsewhere: bool,
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
        let constants = generics::constants(function.node, around, task);
        let names = Substitution::of(function.node, around, source, &constants);
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
            generics: names.written(function.node, source),
            constants,
            own_types: own_types::implementations(tree.root_node(), source, &owned),
            is_async: modifiers(function.node, source).contains(&"async"),
            iterates: returns.contains("Iterator"),
            round: returns.contains("f64") || returns.contains("f32"),
            claims: claims(task),
            requires: texts(&task.spec.requires),
            ensures: texts(&task.spec.ensures),
            laws: texts(&task.spec.properties),
            budgets: task.spec.budgets.iter().map(|b| b.call.clone()).collect(),
            marker: is_conditional(function, source).then(|| start_of_body(function.node)).flatten(),
            wrong: wrong::of(function, task, source),
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

    /// Whether examples speak of the crate by this name, and the file of nothing else by it.
    fn may_be_called(&self, name: &str) -> bool {
        let words: Vec<&str> = words(&self.source).collect();
        let is_module = words.windows(2).any(|pair| pair == ["mod", name]);
        !is_module && self.claims.iter().any(|claim| claim.speaks_of(name))
    }

    /// What constants are in the check, in words: `N = 3`; empty where there are none.
    pub fn constants(&self) -> String {
        self.constants.iter().map(|c| format!("{} = {}", c.name, c.value)).collect::<Vec<_>>().join(", ")
    }

    /// Whether the function can be told to be wrong.
    pub fn can_be_wrong(&self) -> bool {
        self.wrong.is_some() && !self.dropped.contains(&Probe::Wrong)
    }

    /// Whether an attribute could leave the function out of the build.
    pub fn is_conditional(&self) -> bool {
        self.marker.is_some()
    }

    /// Modules of the file around the function.
    pub fn path(&self) -> String {
        self.path.iter().map(|(name, _)| format!("{name}::")).collect()
    }

    /// The file with the generated code. `root` when the file is the root of a program, which then
    /// also gets a `main`; `own` is the crate's name, where examples may call it by that.
    pub fn glued(&self, root: bool, own: Option<&str>) -> Glued {
        let mut pieces = Pieces::default();
        emit::module(self, own.filter(|name| self.may_be_called(name)), &mut pieces);
        let (generated, marks) = pieces.into_parts();
        let newline = newline_of(&self.source);
        // The line that the first generated line stands on.
        let first = line_of(&self.source, self.place) + 1;
        let count = generated.matches('\n').count();
        let mut edits: Vec<(Range<usize>, String)> = vec![(self.place..self.place, format!("{newline}{generated}"))];
        let present = format!(" impl {MODULE}::Present for {MODULE}::Here {{}} ");
        edits.extend(self.marker.map(|at| (at..at, present)));
        let wrong = self.wrong.as_ref().filter(|_| self.can_be_wrong());
        edits.extend(wrong.into_iter().flat_map(|w| w.edits.clone()));
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
        Glued {
            text,
            marks,
            lines: first..first + count,
            wrong: wrong.map_or(0..0, |w| w.lines.clone()),
            wrong_is_felt_elsewhere: wrong.is_some_and(|w| w.is_felt_elsewhere),
        }
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
        let (left, right, setup) = match (&example.equation, &raises) {
            (Some((left, right)), _) => (left.clone(), Some(right.clone()), None),
            (None, None) => match compared(&example.code) {
                Some((setup, left, right)) => (left, Some(right), Some(setup)),
                None => (example.code.clone(), None, None),
            },
            _ => (example.code.clone(), None, None),
        };
        Claim { probe: Probe::Example(at), left, right, setup, raises }
    });
    let raises = task.spec.raises.iter().enumerate().map(|(at, clause)| Claim {
        probe: Probe::Raises(at),
        left: clause.call.clone(),
        right: None,
        setup: None,
        raises: Some(without_alias(&clause.exception, &task.source)),
    });
    examples.chain(raises).collect()
}

/// The sides of an `==` that a block ends in, or that is all, with what stands before them.
pub(super) fn compared(code: &str) -> Option<(String, String, String)> {
    let expression = Expression::parse(code)?;
    let mut node = unwrapped(expression.node()?);
    let mut setup = String::new();
    if node.kind() == "block" {
        let last = parts(node).into_iter().last()?;
        setup = expression.source().get(node.start_byte() + 1..last.start_byte())?.to_owned();
        node = unwrapped(last);
    }
    let operator = node.child_by_field_name("operator").map(|o| o.kind());
    if node.kind() != "binary_expression" || operator != Some("==") {
        return None;
    }
    let side = |name: &str| node.child_by_field_name(name).map(|n| expression.text(n).to_owned());
    Some((setup, side("left")?, side("right")?))
}

/// The name of an error without a type that the file knows it by alone: `type E = Fault`, `Fault as E`.
fn without_alias(exception: &str, source: &str) -> String {
    let Some((of, variant)) = exception.rsplit_once("::") else { return exception.to_owned() };
    let name = of.rsplit("::").next().unwrap_or(of);
    let words: Vec<&str> = words(source).collect();
    let renamed = words.windows(2).any(|pair| matches!(pair, ["type" | "as", known] if *known == name));
    if renamed { variant.to_owned() } else { exception.to_owned() }
}

/// The `impl` or trait around a method.
fn around(function: Node<'_>) -> Option<Node<'_>> {
    let item = function.parent()?.parent()?;
    matches!(item.kind(), "impl_item" | "trait_item").then_some(item)
}

/// Whether an attribute of the function, or of what is around it, could leave it out of a build.
pub(super) fn is_conditional(function: &Function<'_>, source: &str) -> bool {
    let around = std::iter::successors(function.node.parent(), |n| n.parent());
    let above = around.flat_map(|n| std::iter::successors(n.prev_sibling(), |n| n.prev_sibling()).take_while(leads));
    let inner = std::iter::successors(function.node.parent(), |n| n.parent()).flat_map(children);
    let inner = inner.filter(|n| n.kind() == "inner_attribute_item");
    function.attributes().chain(above).chain(inner).any(|n| text(n, source).contains("cfg"))
}

/// What may stand between an item and its attributes.
fn leads(node: &Node<'_>) -> bool {
    node.kind() == "attribute_item" || is_comment(*node)
}

/// Where the first statement of a body may stand.
fn start_of_body(function: Node<'_>) -> Option<usize> {
    let body = function.child_by_field_name("body")?;
    let mut inner = children(body).into_iter().filter(|n| n.kind() == "inner_attribute_item");
    Some(inner.next_back().map_or(body.start_byte() + 1, |n| n.end_byte()))
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
