//! A step as a function that is to be written, with its spec above it.

use std::path::Path;

use zeroerr_core::code::LanguageId;
use zeroerr_core::decomposition_engine::Step;

/// The stub of a step in the words of the file that it goes into.
pub(super) fn stub(file: &Path, language: LanguageId, step: &Step, indent: &str, newline: &str) -> String {
    let Step { name, signature, intent, .. } = step;
    let mark = if language == LanguageId::Python { "#" } else { "//" };
    let mut lines = if is_javascript(file) { jsdoc(signature) } else { Vec::new() };
    lines.push(format!("{mark} @spec {intent}"));
    lines.extend(step.examples.iter().map(|e| format!("{mark} @example {}", e.code)));
    lines.extend(step.raises.iter().map(|r| format!("{mark} @raises {} {}", r.exception, r.call)));
    lines.push(match language {
        LanguageId::Python => format!("def {name}{signature}: ..."),
        LanguageId::Rust => format!("fn {name}{signature} {{ todo!() }}"),
        LanguageId::TypeScript => {
            format!("function {name}{} {{ throw new Error(\"stub\"); }}", in_javascript(file, signature))
        }
    });
    let gap = if language == LanguageId::Python { 2 } else { 1 };
    let body: String = lines.iter().map(|line| format!("{indent}{line}{newline}")).collect();
    format!("{body}{}", newline.repeat(gap))
}

/// A signature as a file of TypeScript or JavaScript has it. A `@step` line writes the arrow of every
/// language; JavaScript writes no types.
pub(super) fn in_javascript(file: &Path, signature: &str) -> String {
    if is_javascript(file) {
        let params: Vec<String> = params(signature).into_iter().map(|p| p.untyped()).collect();
        return format!("({})", params.join(", "));
    }
    signature.rsplit_once("->").map_or(signature.to_owned(), |(p, r)| format!("{}: {}", p.trim(), r.trim()))
}

/// Whether a file is plain JavaScript.
pub(super) fn is_javascript(file: &Path) -> bool {
    file.extension().is_some_and(|e| ["js", "jsx", "mjs", "cjs"].iter().any(|js| e == *js))
}

/// The types of a signature as the comment that plain JavaScript says them in.
fn jsdoc(signature: &str) -> Vec<String> {
    let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$');
    let typed =
        params(signature).into_iter().filter_map(|p| Some((p.name.trim_start_matches("...").to_owned(), p.kind?)));
    let mut lines: Vec<String> =
        typed.filter(|(name, _)| is_name(name)).map(|(name, kind)| format!(" * @param {{{kind}}} {name}")).collect();
    lines.extend(signature.rsplit_once("->").map(|(_, returns)| format!(" * @returns {{{}}}", returns.trim())));
    if lines.is_empty() {
        return lines;
    }
    std::iter::once("/**".to_owned()).chain(lines).chain([" */".to_owned()]).collect()
}

/// A parameter of a step, taken apart.
struct Param {
    name: String,
    kind: Option<String>,
    default: Option<String>,
}

impl Param {
    fn untyped(&self) -> String {
        match &self.default {
            Some(default) => format!("{} = {default}", self.name),
            None => self.name.clone(),
        }
    }
}

/// The parameters between the first bracket and its partner.
fn params(signature: &str) -> Vec<Param> {
    let mut pieces: Vec<[String; 3]> = vec![Default::default()];
    let (mut depth, mut part, mut before) = (0_usize, 0, ' ');
    let mut chars = signature.chars().peekable();
    while let Some(c) = chars.next() {
        let opens = matches!(c, '(' | '[' | '{' | '<');
        // The arrow of a function's type closes nothing.
        let closes = matches!(c, ')' | ']' | '}') || (c == '>' && !matches!(before, '=' | '-'));
        before = c;
        depth = depth.saturating_sub(usize::from(closes));
        if closes && depth == 0 {
            break;
        }
        depth += usize::from(opens);
        let is_outer = depth == 1 && !closes;
        match c {
            '(' if is_outer => continue,
            ',' if is_outer => {
                pieces.push(Default::default());
                part = 0;
                continue;
            }
            ':' if is_outer && part == 0 => part = 1,
            '=' if is_outer && chars.peek() != Some(&'>') => part = 2,
            _ => {
                if let Some(text) = pieces.last_mut().and_then(|p| p.get_mut(part)) {
                    text.push(c);
                }
            }
        }
    }
    let said = |text: &str| Some(text.trim().to_owned()).filter(|t| !t.is_empty());
    let one = |[name, kind, default]: &[String; 3]| {
        let name = said(name)?.trim_end_matches('?').to_owned();
        Some(Param { name, kind: said(kind), default: said(default) })
    };
    pieces.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn javascript_says_types_in_a_comment() {
        let file = Path::new("a.mjs");
        let signature =
            "(n: number, f: (x: number, y: Map<string, T>) => boolean = is, ...xs: T[], k?: { a: 1 }) -> T[]";
        assert_eq!(in_javascript(file, signature), "(n, f = is, ...xs, k)");
        let lines = jsdoc(signature);
        assert_eq!(
            lines,
            [
                "/**",
                " * @param {number} n",
                " * @param {(x: number, y: Map<string, T>) => boolean} f",
                " * @param {T[]} xs",
                " * @param {{ a: 1 }} k",
                " * @returns {T[]}",
                " */",
            ]
        );
        assert!(jsdoc("(a, b)").is_empty());
        assert_eq!(in_javascript(Path::new("a.ts"), "(n: number) -> number"), "(n: number): number");
    }
}
