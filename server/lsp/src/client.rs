//! What this client can do, read once from its `initialize`, with the traps measured on real ones.

use lsp_types::{CodeActionClientCapabilities, InitializeParams, MarkupKind};

use crate::position::Encoding;

/// The client's abilities as far as we use them.
#[derive(Debug, Clone)]
pub(crate) struct ClientProfile {
    /// How columns are counted.
    pub(crate) encoding: Encoding,
    /// Whether it shows work-done progress.
    pub(crate) progress: bool,
    /// Whether it can be asked to apply edits.
    pub(crate) apply_edit: bool,
    /// Whether it takes versioned `documentChanges`. Neovim does and does not say so.
    pub(crate) document_changes: bool,
    /// Neovim skips its version check at version 0; see [`ClientProfile::edit_version`].
    pub(crate) neovim: bool,
    /// Whether it shows disabled actions greyed. Helix announces it and hides them.
    pub(crate) shows_disabled: bool,
    /// Whether it reads markdown.
    pub(crate) markdown: bool,
    /// Whether lenses can be refreshed.
    pub(crate) lens_refresh: bool,
    /// Whether it can be asked for settings.
    pub(crate) configuration: bool,
    /// Whether a subscription to settings can be registered.
    pub(crate) register_configuration: bool,
    /// Whether it can show a file.
    pub(crate) show_document: bool,
    /// Whether diagnostics may point at other places.
    pub(crate) related_information: bool,
    /// Whether diagnostics may carry a link.
    pub(crate) code_description: bool,
    /// Its process, to be watched.
    pub(crate) process_id: Option<u32>,
}

impl ClientProfile {
    /// Reads the profile.
    pub(crate) fn new(params: &InitializeParams) -> Self {
        let name = params.client_info.as_ref().map_or("", |c| c.name.as_str());
        let neovim = name.eq_ignore_ascii_case("neovim");
        let caps = &params.capabilities;
        let workspace = caps.workspace.clone().unwrap_or_default();
        let text = caps.text_document.clone().unwrap_or_default();
        let window = caps.window.clone().unwrap_or_default();
        let diagnostics = text.publish_diagnostics.unwrap_or_default();
        let disabled = |c: &CodeActionClientCapabilities| c.disabled_support == Some(true);
        let hover_formats = text.hover.and_then(|h| h.content_format).unwrap_or_default();
        Self {
            encoding: Encoding::negotiate(caps.general.as_ref().and_then(|g| g.position_encodings.as_deref())),
            progress: window.work_done_progress == Some(true),
            apply_edit: workspace.apply_edit == Some(true),
            document_changes: neovim || workspace.workspace_edit.is_some_and(|e| e.document_changes == Some(true)),
            neovim,
            shows_disabled: !name.eq_ignore_ascii_case("helix") && text.code_action.as_ref().is_some_and(disabled),
            markdown: hover_formats.first() == Some(&MarkupKind::Markdown),
            lens_refresh: workspace.code_lens.is_some_and(|l| l.refresh_support == Some(true)),
            configuration: workspace.configuration == Some(true),
            register_configuration: workspace
                .did_change_configuration
                .is_some_and(|c| c.dynamic_registration == Some(true)),
            show_document: window.show_document.is_some_and(|s| s.support),
            related_information: diagnostics.related_information == Some(true),
            code_description: diagnostics.code_description_support == Some(true),
            process_id: params.process_id,
        }
    }

    /// The version to send with an edit of a document at `version`.
    ///
    /// Neovim opens documents at version 0 and compares versions only above 0; a changed buffer
    /// has its change tick as version, which is at least 3. So 1 stands for "not changed since it
    /// was opened" and makes Neovim's check work from the first edit on.
    pub(crate) fn edit_version(&self, version: i32) -> i32 {
        if self.neovim && version == 0 { 1 } else { version }
    }
}
