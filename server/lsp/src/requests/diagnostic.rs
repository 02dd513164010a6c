//! `textDocument/diagnostic`: the same diagnostics, for a client that asks for them.

use lsp_types::*;
use zeroerr_core::certificate::code_hash;

use crate::diagnostics;
use crate::state::State;

pub(crate) fn answer(state: &State, params: &DocumentDiagnosticParams) -> DocumentDiagnosticReportResult {
    let uri = &params.text_document.uri;
    let items = state
        .snapshot(uri)
        .map(|snapshot| diagnostics::all(uri, &snapshot, &state.marks, &state.profile))
        .unwrap_or_default();
    let id = result_id(&items);
    if params.previous_result_id.as_ref() == Some(&id) {
        let unchanged_document_diagnostic_report = UnchangedDocumentDiagnosticReport { result_id: id };
        return DocumentDiagnosticReport::Unchanged(RelatedUnchangedDocumentDiagnosticReport {
            related_documents: None,
            unchanged_document_diagnostic_report,
        })
        .into();
    }
    DocumentDiagnosticReport::Full(RelatedFullDocumentDiagnosticReport {
        related_documents: None,
        full_document_diagnostic_report: FullDocumentDiagnosticReport { result_id: Some(id), items },
    })
    .into()
}

/// Equal for equal diagnostics.
pub(crate) fn result_id(items: &[Diagnostic]) -> String {
    code_hash(&serde_json::to_string(items).unwrap_or_default()).chars().take(16).collect()
}
