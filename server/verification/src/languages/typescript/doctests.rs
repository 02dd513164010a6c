//! The `@example` blocks of JSDoc as examples.
//!
//! `f(1); // => 2`, `console.log(f(1)); // 2`, `assert.equal(f(1), 2)` and `expect(f(1)).toBe(2)` say
//! the same as `@example f(1) === 2`. What stands above a claim is carried along where the claim needs
//! it. A block without a claim shows how the function is called and claims nothing.

use tree_sitter::Node;
use zeroerr_core::task_specification::{Example, ExampleClaim, ExampleOrigin, Severity, SpecDiagnostic};

use super::expressions::{free_names, free_names_of, is_global, is_literal, mentions, parse_expression};
use super::imports::imports_of;
use super::jsdoc::Snippet;
use super::tree::{children, end_of, is_comment, nodes, parse_any, parts, text, unwrapped};

/// What a statement claims.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Claim {
    /// An expression is true.
    Holds(String),
    /// An expression throws.
    Throws(String, String),
}

/// Makes examples of a block; one that should parse and does not becomes a fault.
pub(super) fn examples(snippet: &Snippet, function: &str) -> Result<Vec<Example>, Box<SpecDiagnostic>> {
    let code = snippet.code.as_str();
    let tree = parse_any(code).filter(|t| !t.root_node().has_error());
    let Some(tree) = tree else {
        // Words are no code; a call that does not parse was meant as one.
        if !code.contains(&format!("{function}(")) {
            return Ok(Vec::new());
        }
        return Err(Box::new(SpecDiagnostic {
            code: "spec.bad-expression".to_owned(),
            message: "this `@example` does not parse, and is not used".to_owned(),
            range: snippet.range,
            severity: Severity::Warning,
            fix: None,
            related: None,
        }));
    };
    let mut block = Block { source: code, function, before: Vec::new(), foreign: Vec::new() };
    let all: Vec<Node<'_>> = children(tree.root_node());
    let mut found = Vec::new();
    for (at, statement) in all.iter().enumerate().filter(|(_, n)| n.is_named() && !is_comment(**n)) {
        let below = all.get(at + 1).filter(|n| is_comment(**n) && is_remark_on(**n, *statement, code)).copied();
        // Without a semicolon the grammar takes the comment into the statement.
        let inside = nodes(*statement).into_iter().rfind(|n| is_comment(*n) && n.start_byte() >= end_of(*statement));
        let remark = inside.or(below);
        found.extend(block.take(*statement, remark.map(|n| text(n, code))));
    }
    let example = |(code, claim): (String, ExampleClaim)| Example {
        code,
        claim,
        equation: None,
        origin: ExampleOrigin::Doctest,
        range: snippet.range,
    };
    Ok(found.into_iter().map(example).collect())
}

/// Whether a comment stands on a statement's line, or below it with an arrow.
fn is_remark_on(comment: Node<'_>, statement: Node<'_>, source: &str) -> bool {
    let (row, end) = (comment.start_position().row, statement.end_position().row);
    let said = text(comment, source).trim_start_matches(['/', '*', ' ']);
    row == end || (row == end + 1 && (said.starts_with("=>") || said.starts_with("->")))
}

struct Block<'s> {
    source: &'s str,
    function: &'s str,
    /// The statements so far that claim nothing.
    before: Vec<String>,
    /// Names that only the block's own imports would bring in.
    foreign: Vec<String>,
}

impl Block<'_> {
    /// The example that a statement makes; one without a claim is kept for those below it.
    fn take(&mut self, statement: Node<'_>, remark: Option<&str>) -> Option<(String, ExampleClaim)> {
        let imports = imports_of(statement, self.source);
        if !imports.is_empty() {
            // The function under test is the one that is there already.
            self.foreign.extend(imports.into_iter().map(|i| i.local).filter(|n| n != self.function));
            return None;
        }
        if statement.kind() == "export_statement" {
            return None;
        }
        let claim = claim_of(statement, self.source, remark);
        let Some(claim) = claim else {
            let whole = self.source.get(statement.start_byte()..end_of(statement)).unwrap_or("").trim();
            self.before.push(if whole.ends_with([';', '}']) { whole.to_owned() } else { format!("{whole};") });
            return None;
        };
        let code = match &claim {
            Claim::Holds(code) | Claim::Throws(code, _) => code,
        };
        let mut read = free_names_of(code);
        // What everybody may name ties no two statements together.
        let own = |n: &&String| **n != self.function && !is_global(n);
        let needs_setup = self.before.iter().any(|line| names_in(line).iter().filter(own).any(|n| read.contains(n)));
        let setup = if needs_setup { self.before.join(" ") } else { String::new() };
        read.extend(names_in(&setup));
        let calls = |code: &str| parse_any(code).is_some_and(|t| mentions(t.root_node(), code, self.function));
        if !(calls(code) || calls(&setup)) || self.foreign.iter().any(|n| read.contains(n)) {
            return None;
        }
        let whole = if setup.is_empty() {
            code.clone()
        } else {
            let modifier = if setup.contains("await ") || code.contains("await ") { "async " } else { "" };
            format!("({modifier}() => {{ {setup} return {code}; }})()")
        };
        Some(match claim {
            Claim::Holds(_) => (whole, ExampleClaim::Holds),
            Claim::Throws(_, error) => (whole, ExampleClaim::Raises(error)),
        })
    }
}

/// The names that statements read or bind.
fn names_in(code: &str) -> Vec<String> {
    let Some(tree) = parse_any(code) else { return Vec::new() };
    let root = tree.root_node();
    let bound = nodes(root).into_iter().filter(|n| n.kind() == "variable_declarator");
    let bound = bound.filter_map(|n| n.child_by_field_name("name"));
    let bound = bound.flat_map(|n| super::functions::bound_by_pattern(n, code));
    bound.chain(free_names(root, code).into_iter().map(|n| text(n, code).to_owned())).collect()
}

fn claim_of(statement: Node<'_>, source: &str, remark: Option<&str>) -> Option<Claim> {
    let said = remark.and_then(said_by);
    if statement.kind() != "expression_statement" {
        // `const x = f(1); // => 2`
        let declarators = parts(statement);
        let [one] = declarators.as_slice() else { return None };
        let value = one.child_by_field_name("value").filter(|_| one.kind() == "variable_declarator")?;
        return said.map(|said| said.of(text(value, source)));
    }
    let expression = parts(statement).into_iter().next()?;
    if let Some(claim) = assertion(expression, source) {
        return Some(claim);
    }
    let operator = expression.child_by_field_name("operator").map(|o| o.kind());
    if expression.kind() == "binary_expression" && matches!(operator, Some("==" | "===" | "!=" | "!==" | "<" | ">")) {
        return Some(Claim::Holds(text(expression, source).to_owned()));
    }
    said.map(|said| said.of(text(logged(expression, source).unwrap_or(expression), source)))
}

/// What `console.log(x)` prints.
fn logged<'t>(expression: Node<'t>, source: &str) -> Option<Node<'t>> {
    let callee = expression.child_by_field_name("function").filter(|_| expression.kind() == "call_expression")?;
    let arguments = parts(expression.child_by_field_name("arguments")?);
    match arguments.as_slice() {
        [one] if text(callee, source).starts_with("console.") => Some(*one),
        _ => None,
    }
}

/// What a remark says of the expression beside it.
enum Said {
    Value(String),
    Throws(String),
}

impl Said {
    fn of(self, code: &str) -> Claim {
        match self {
            Said::Value(value) => Claim::Holds(format!("{code} === {value}")),
            Said::Throws(error) => Claim::Throws(code.to_owned(), error),
        }
    }
}

/// `// => 2`, `// returns 2`, `// throws RangeError`, `// RangeError: empty`.
fn said_by(comment: &str) -> Option<Said> {
    const LEADS: &[&str] =
        &["=>", "->", "→", "➞", "returns", "Returns", "return", "logs", "prints", "Output:", "output:", "Result:"];
    let mut rest = comment.trim_start_matches('/').trim_start_matches('*').trim_end_matches("*/").trim();
    for lead in LEADS {
        rest = rest.strip_prefix(lead).map_or(rest, str::trim_start);
    }
    let thrown = ["throws", "Throws", "Uncaught", "raises"].iter().find_map(|w| rest.strip_prefix(w));
    let thrown = thrown.map(|t| t.trim_start_matches([':', ' ']).trim_start_matches("a ").trim_start_matches("an "));
    let word = thrown.unwrap_or(rest).split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
    if word.ends_with("Error") && word.starts_with(char::is_uppercase) {
        return Some(Said::Throws(word.to_owned()));
    }
    if thrown.is_some() {
        return Some(Said::Throws("Error".to_owned()));
    }
    let bare = rest.trim_end_matches(['.', ';']).trim();
    [bare, rest].into_iter().find(|value| is_literal(value)).map(|value| Said::Value(value.to_owned()))
}

/// The claim of a call of node's `assert` or of `expect`.
fn assertion(expression: Node<'_>, source: &str) -> Option<Claim> {
    let call = match expression.kind() {
        "await_expression" => parts(expression).into_iter().next()?,
        _ => expression,
    };
    let callee = call.child_by_field_name("function").filter(|_| call.kind() == "call_expression")?;
    let arguments = parts(call.child_by_field_name("arguments")?);
    let written = |at: usize| arguments.get(at).map(|n| text(*n, source));
    let name = text(callee, source);
    let method = name.strip_prefix("assert.").or(name.strip_prefix("assert.strict."));
    match (name, method) {
        ("assert", _) | (_, Some("ok")) => return Some(Claim::Holds(written(0)?.to_owned())),
        (_, Some("equal" | "strictEqual" | "deepEqual" | "deepStrictEqual")) => {
            return Some(Claim::Holds(format!("{} === {}", written(0)?, written(1)?)));
        }
        (_, Some("notEqual" | "notStrictEqual" | "notDeepEqual" | "notDeepStrictEqual")) => {
            return Some(Claim::Holds(format!("{} !== {}", written(0)?, written(1)?)));
        }
        (_, Some("throws" | "rejects")) => return throwing(*arguments.first()?, written(1), source),
        _ => {}
    }
    if callee.kind() != "member_expression" {
        return None;
    }
    let matcher = text(callee.child_by_field_name("property")?, source);
    let mut subject = callee.child_by_field_name("object")?;
    let mut equals = "===";
    if subject.kind() == "member_expression" {
        match text(subject.child_by_field_name("property")?, source) {
            "not" => equals = "!==",
            "resolves" | "rejects" => {}
            _ => return None,
        }
        subject = subject.child_by_field_name("object")?;
    }
    let expects = subject.child_by_field_name("function").filter(|_| subject.kind() == "call_expression")?;
    if text(expects, source) != "expect" {
        return None;
    }
    let actual = *parts(subject.child_by_field_name("arguments")?).first()?;
    let actual_text = text(actual, source);
    let of = |value: &str| Some(Claim::Holds(format!("{actual_text} {equals} {value}")));
    match matcher {
        "toBe" | "toEqual" | "toStrictEqual" => of(written(0)?),
        "toBeNull" => of("null"),
        "toBeUndefined" => of("undefined"),
        "toBeTruthy" if equals == "===" => Some(Claim::Holds(actual_text.to_owned())),
        "toBeFalsy" if equals == "===" => Some(Claim::Holds(format!("!({actual_text})"))),
        "toThrow" | "toThrowError" if equals == "===" => throwing(actual, written(0), source),
        _ => None,
    }
}

/// `() => f(0)` throws.
fn throwing(function: Node<'_>, error: Option<&str>, source: &str) -> Option<Claim> {
    let function = unwrapped(function);
    let body = match function.kind() {
        "arrow_function" => function.child_by_field_name("body")?,
        // `expect(f(0)).rejects.toThrow()`: the promise itself.
        _ => function,
    };
    let code = match body.kind() {
        "statement_block" => {
            let statements = parts(body);
            let [one] = statements.as_slice() else { return None };
            text(parts(*one).into_iter().next()?, source)
        }
        _ => text(body, source),
    };
    let is_class = |e: &&str| e.ends_with("Error") && e.chars().all(|c| c.is_alphanumeric() || c == '_');
    let error = error.filter(is_class).unwrap_or("Error");
    parse_expression(code).ok().map(|_| Claim::Throws(code.to_owned(), error.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use zeroerr_core::code::TextRange;

    fn check(code: &str, expected: Expect) {
        let snippet = Snippet { code: code.to_owned(), range: TextRange::default() };
        let out = match examples(&snippet, "f") {
            Ok(found) => found.iter().map(|e| format!("{} {:?}\n", e.code, e.claim)).collect::<String>(),
            Err(fault) => fault.message,
        };
        expected.assert_eq(&out);
    }

    #[test]
    fn remarks_and_assertions_are_claims() {
        check(
            "import { f } from './f';\nf(1); // => 2\nf([1])\n// => [1, 2]\nconsole.log(f('a')); // 'b'\nf(0); // throws RangeError: no\n\
             f(3) === 4\nassert.deepEqual(f(1), [2]);\nassert.throws(() => f(-1), TypeError);\nexpect(f(2)).toBe(3);\n\
             expect(f(2)).not.toEqual([1]);\nexpect(() => { f(9); }).toThrow();\nf(5); // a remark\nawait f(6); // 7.\n\
             const y = f(8); // -> null\n",
            expect![[r#"
                f(1) === 2 Holds
                f([1]) === [1, 2] Holds
                f('a') === 'b' Holds
                f(0) Raises("RangeError")
                f(3) === 4 Holds
                f(1) === [2] Holds
                f(-1) Raises("TypeError")
                f(2) === 3 Holds
                f(2) !== [1] Holds
                f(9) Raises("Error")
                await f(6) === 7 Holds
                f(8) === null Holds
            "#]],
        );
    }

    #[test]
    fn what_a_claim_needs_comes_with_it() {
        check(
            "const s = new Stack()\ns.push(1);\ns.f(2); // => 3\nf(4); // 5\nconst a = await g();\nf(a) === 6;\n",
            expect![[r#"
                (() => { const s = new Stack(); s.push(1); return s.f(2) === 3; })() Holds
                f(4) === 5 Holds
                (async () => { const s = new Stack(); s.push(1); const a = await g(); return f(a) === 6; })() Holds
            "#]],
        );
    }

    #[test]
    fn what_cannot_be_run_or_claims_nothing_is_left_out() {
        check("import { other } from 'x';\nf(other); // => 1\ng(1); // => 2\nf(3);\n", expect![""]);
        check("f(1", expect!["this `@example` does not parse, and is not used"]);
        check("just some words here", expect![""]);
    }
}
