//! A counterexample of a contract or a law, kept: one more `@example` in the spec, which the next
//! function has to hold.

use lsp_types::{CodeAction, CodeActionKind, Uri};
use zeroerr_core::code::{Task, line_of};
use zeroerr_core::task_specification::claim_of;
use zeroerr_core::verdict::{Finding, Layer};

use super::disagreement;
use crate::document::Snapshot;
use crate::marks::Mark;
use crate::state::State;

/// One action for each counterexample that is known of a task and can be written as a clause.
pub(crate) fn actions(state: &State, uri: &Uri, snapshot: &Snapshot, task: &Task) -> Vec<CodeAction> {
    let Some(mark) = state.marks.of(uri, snapshot, task).filter(|m| m.holds_for(snapshot, task)) else {
        return Vec::new();
    };
    let mut seen: Vec<String> = task.spec.examples.iter().map(|e| format!("@example {}", e.code)).collect();
    let layers = mark.stack.layers.iter().filter(|l| matches!(l.layer, Layer::Contracts | Layer::Properties));
    let mut out = Vec::new();
    for finding in layers.flat_map(|l| &l.findings) {
        let Some(clause) = clause_of(mark, task, finding).filter(|c| !seen.contains(c)) else { continue };
        if let Some((edit, _)) = disagreement::edit(&state.profile, uri, snapshot, task, &clause) {
            let title = format!("Keep the counterexample: {clause}");
            let kind = Some(CodeActionKind::QUICKFIX);
            out.push(CodeAction { title, kind, edit: Some(edit), ..CodeAction::default() });
        }
        seen.push(clause);
    }
    out
}

/// What a finding's call should have shown, as a clause.
fn clause_of(mark: &Mark, task: &Task, finding: &Finding) -> Option<String> {
    let call = finding.counterexample.as_deref()?;
    if finding.code == "contracts.requires" {
        let failed = finding.message.strip_prefix(call).unwrap_or(&finding.message);
        let exception = if failed.trim_start().starts_with("panics") {
            "panic"
        } else {
            failed.trim_start().strip_prefix("raises ")?.split_whitespace().next()?
        };
        return Some(format!("@raises {exception} {call}"));
    }
    // Lines of a spec move together.
    let line = finding.spec_line?.checked_sub(mark.spec_line)? + line_of(&task.source, task.spec_range.start);
    let mut clauses = task.spec.ensures.iter().chain(&task.spec.properties);
    let clause = clauses.find(|c| line_of(&task.source, c.range.start) == line)?;
    claim_of(&task.signature, &clause.text, call).map(|claim| format!("@example {claim}"))
}
