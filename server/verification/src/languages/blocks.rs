//! Spec blocks and the functions a selection means, whatever the language.

use zeroerr_core::code::TextRange;
use zeroerr_core::task_specification::parser::Block;

/// Adds what a function's documentation says to what the comments above it say.
pub(crate) fn merge(block: &mut Block, doc: Block) {
    let spec = &mut block.spec;
    spec.intent = joined(&spec.intent, &doc.spec.intent);
    spec.requires.extend(doc.spec.requires);
    spec.ensures.extend(doc.spec.ensures);
    spec.examples.extend(doc.spec.examples);
    spec.raises.extend(doc.spec.raises);
    spec.properties.extend(doc.spec.properties);
    spec.budgets.extend(doc.spec.budgets);
    spec.uses.extend(doc.spec.uses);
    spec.forbids.extend(doc.spec.forbids);
    spec.steps.extend(doc.spec.steps);
    spec.complexity = spec.complexity.take().or(doc.spec.complexity);
    block.diagnostics.extend(doc.diagnostics);
    block.sources.extend(doc.sources);
}

pub(crate) fn joined(a: &str, b: &str) -> String {
    match (a.is_empty(), b.is_empty() || a.contains(b)) {
        (_, true) => a.to_owned(),
        (true, false) => b.to_owned(),
        (false, false) => format!("{a}\n{b}"),
    }
}

/// The place among `functions` (range and name, in file order) of the innermost one around the
/// selection, or of the only one that it touches.
///
/// # Errors
/// One sentence when it touches none, or several.
pub(crate) fn chosen(functions: &[(TextRange, &str)], selection: TextRange) -> Result<usize, String> {
    let around = |range: TextRange| range.start <= selection.start && selection.end <= range.end;
    let innermost =
        functions.iter().enumerate().filter(|(_, (range, _))| around(*range)).min_by_key(|(_, (range, _))| range.len());
    if let Some((at, _)) = innermost {
        return Ok(at);
    }
    let mut outer: Vec<(usize, TextRange, &str)> = Vec::new();
    for (at, (range, name)) in functions.iter().enumerate().filter(|(_, (range, _))| range.overlaps(selection)) {
        // Functions come in file order: a nested one lies in the last that was kept.
        if outer.last().is_none_or(|(_, last, _)| last.end < range.end) {
            outer.push((at, *range, name));
        }
    }
    match outer.as_slice() {
        [(at, ..)] => Ok(*at),
        [] => Err(NO_FUNCTION.to_owned()),
        several => {
            let names: Vec<&str> = several.iter().map(|(_, _, name)| *name).collect();
            Err(format!("the selection touches {} functions ({}); select one", names.len(), names.join(", ")))
        }
    }
}

/// What is said of a selection without a function.
pub(crate) const NO_FUNCTION: &str = "the selection holds no function; put the cursor into one";

/// The selection without white space at its ends: a line selection ends at the next line's start.
pub(crate) fn trimmed(source: &str, selection: TextRange) -> TextRange {
    let text = selection.slice(source);
    if text.trim().is_empty() {
        return selection;
    }
    let start = selection.start + (text.len() - text.trim_start().len());
    TextRange::new(start, start + text.trim().len())
}
