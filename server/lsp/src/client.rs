//! What this client can do, read once from its `initialize`, with the traps measured on real ones.

use lsp_types::*;
use serde_json::Value;

use crate::live::Live;
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
    /// Whether it shows an edit that asks for confirmation before it applies it.
    pub(crate) change_annotations: bool,
    /// Neovim skips its version check at version 0; see [`ClientProfile::edit_version`].
    pub(crate) neovim: bool,
    /// Helix: it has one line for a message, and says whose progress it shows.
    pub(crate) helix: bool,
    /// Code actions.
    pub(crate) actions: Actions,
    /// Diagnostics.
    pub(crate) diagnostics: DiagnosticsShown,
    /// Whether it reads markdown.
    pub(crate) markdown: bool,
    /// Whether completion items may be documented in markdown.
    pub(crate) completion_markdown: bool,
    /// Whether it shows lenses at all.
    pub(crate) lenses: bool,
    /// Whether lenses can be refreshed.
    pub(crate) lens_refresh: bool,
    /// Whether it shows inlay hints.
    pub(crate) hints: bool,
    /// Whether hints can be refreshed.
    pub(crate) hint_refresh: bool,
    /// Whether it shows links in documents.
    pub(crate) links: bool,
    /// Whether a link may say what it leads to.
    pub(crate) link_tooltips: bool,
    /// How it folds, if it does.
    pub(crate) folding: Option<Folding>,
    /// How it colours, if it does.
    pub(crate) tokens: Option<Tokens>,
    /// Whether it shows a text in grey behind the cursor.
    pub(crate) inline_completion: bool,
    /// Whether it can be asked for settings.
    pub(crate) configuration: bool,
    /// Whether a subscription to settings can be registered.
    pub(crate) register_configuration: bool,
    /// Whether it tells of changed files when it is asked to, others' changes included.
    pub(crate) watches_files: bool,
    /// Whether it can show a file.
    pub(crate) show_document: bool,
    /// Whether a message may have buttons.
    pub(crate) message_buttons: bool,
    /// What it wants to be told beyond the protocol.
    pub(crate) live: Live,
    /// Its process, to be watched.
    pub(crate) process_id: Option<u32>,
}

/// What a client does with code actions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Actions {
    /// Whether it knows actions; older clients know commands only.
    pub(crate) literals: bool,
    /// Whether it shows disabled actions greyed. Helix announces it and hides them.
    pub(crate) disabled: bool,
    /// Whether one action can be marked as the preferred one.
    pub(crate) preferred: bool,
    /// Whether it marks what a language model has written (3.18).
    pub(crate) generated: bool,
}

/// What a client does with diagnostics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DiagnosticsShown {
    /// Whether it asks for them, and can be told to ask again: ours come from work that ends at any
    /// time. Nobody gets them both ways, since that shows each twice.
    pub(crate) pulled: bool,
    /// Whether they may point at other places.
    pub(crate) related: bool,
    /// Whether they may carry a link.
    pub(crate) links: bool,
    /// Whether they may carry data.
    pub(crate) data: bool,
}

/// How a client folds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Folding {
    /// How many folds it takes.
    pub(crate) limit: usize,
    /// Whether a fold may have a text of its own.
    pub(crate) collapsed_text: bool,
}

/// How a client colours.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    /// The types that it knows.
    pub(crate) types: Vec<SemanticTokenType>,
    /// Whether it knows the modifier `documentation`.
    pub(crate) documentation: bool,
    /// Whether it takes the difference to the last answer.
    pub(crate) delta: bool,
    /// Whether it asks for what is on the screen.
    pub(crate) range: bool,
}

impl ClientProfile {
    /// Reads the profile; `raw` are the same parameters as they came, for what has no type yet.
    pub(crate) fn new(params: &InitializeParams, raw: &Value) -> Self {
        let name = params.client_info.as_ref().map_or("", |c| c.name.as_str());
        let neovim = name.eq_ignore_ascii_case("neovim");
        let helix = name.eq_ignore_ascii_case("helix");
        let caps = &params.capabilities;
        let workspace = caps.workspace.clone().unwrap_or_default();
        let text = caps.text_document.clone().unwrap_or_default();
        let window = caps.window.clone().unwrap_or_default();
        let edits = workspace.workspace_edit.clone().unwrap_or_default();
        let hover_formats = text.hover.as_ref().and_then(|h| h.content_format.clone()).unwrap_or_default();
        let document_changes = neovim || edits.document_changes == Some(true);
        Self {
            encoding: Encoding::negotiate(caps.general.as_ref().and_then(|g| g.position_encodings.as_deref())),
            progress: window.work_done_progress == Some(true),
            apply_edit: workspace.apply_edit == Some(true),
            document_changes,
            change_annotations: document_changes && edits.change_annotation_support.is_some(),
            neovim,
            helix,
            actions: Actions::new(&text, raw, helix),
            diagnostics: DiagnosticsShown::new(&text, &workspace),
            markdown: hover_formats.first() == Some(&MarkupKind::Markdown),
            completion_markdown: completion_markdown(&text),
            lenses: text.code_lens.is_some(),
            lens_refresh: workspace.code_lens.is_some_and(|l| l.refresh_support == Some(true)),
            hints: text.inlay_hint.is_some(),
            hint_refresh: workspace.inlay_hint.is_some_and(|h| h.refresh_support == Some(true)),
            links: text.document_link.is_some(),
            link_tooltips: text.document_link.is_some_and(|l| l.tooltip_support == Some(true)),
            folding: text.folding_range.as_ref().map(Folding::new),
            tokens: text.semantic_tokens.as_ref().and_then(Tokens::new),
            inline_completion: text.inline_completion.is_some(),
            configuration: workspace.configuration == Some(true),
            register_configuration: workspace
                .did_change_configuration
                .is_some_and(|c| c.dynamic_registration == Some(true)),
            // Helix announces it and tells of the files only that it writes itself.
            watches_files: !helix
                && workspace.did_change_watched_files.is_some_and(|w| w.dynamic_registration == Some(true)),
            show_document: window.show_document.is_some_and(|s| s.support),
            message_buttons: window.show_message.is_some(),
            live: Live::announced(raw),
            process_id: params.process_id,
        }
    }

    /// What the title of a progress display begins with.
    pub(crate) fn titled(&self) -> &'static str {
        if self.helix { "" } else { "zeroerr: " }
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

impl Actions {
    fn new(text: &TextDocumentClientCapabilities, raw: &Value, helix: bool) -> Self {
        let announced = text.code_action.clone().unwrap_or_default();
        let tags = raw.pointer("/capabilities/textDocument/codeAction/tagSupport/valueSet").and_then(Value::as_array);
        Self {
            literals: announced.code_action_literal_support.is_some(),
            disabled: !helix && announced.disabled_support == Some(true),
            preferred: announced.is_preferred_support == Some(true),
            generated: tags.is_some_and(|tags| tags.iter().any(|t| *t == 1)),
        }
    }
}

impl DiagnosticsShown {
    fn new(text: &TextDocumentClientCapabilities, workspace: &WorkspaceClientCapabilities) -> Self {
        let refresh = workspace.diagnostics.as_ref().is_some_and(|d| d.refresh_support == Some(true));
        match text.diagnostic.as_ref().filter(|_| refresh) {
            Some(pull) => Self {
                pulled: true,
                related: pull.related_information == Some(true),
                links: pull.code_description_support == Some(true),
                data: pull.data_support == Some(true),
            },
            None => {
                let push = text.publish_diagnostics.clone().unwrap_or_default();
                Self {
                    pulled: false,
                    related: push.related_information == Some(true),
                    links: push.code_description_support == Some(true),
                    data: push.data_support == Some(true),
                }
            }
        }
    }
}

impl Folding {
    fn new(announced: &FoldingRangeClientCapabilities) -> Self {
        Self {
            limit: announced.range_limit.map_or(5000, |n| n as usize),
            collapsed_text: announced.folding_range.as_ref().is_some_and(|f| f.collapsed_text == Some(true)),
        }
    }
}

impl Tokens {
    fn new(announced: &SemanticTokensClientCapabilities) -> Option<Self> {
        let (full, delta) = match &announced.requests.full {
            Some(SemanticTokensFullOptions::Delta { delta }) => (true, *delta == Some(true)),
            Some(SemanticTokensFullOptions::Bool(full)) => (*full, false),
            None => (false, false),
        };
        let relative = announced.formats.contains(&TokenFormat::RELATIVE);
        (full && relative).then(|| Self {
            types: announced.token_types.clone(),
            documentation: announced.token_modifiers.contains(&SemanticTokenModifier::DOCUMENTATION),
            delta,
            range: announced.requests.range == Some(true),
        })
    }
}

fn completion_markdown(text: &TextDocumentClientCapabilities) -> bool {
    let item = text.completion.as_ref().and_then(|c| c.completion_item.as_ref());
    item.and_then(|i| i.documentation_format.as_ref()).is_some_and(|f| f.contains(&MarkupKind::Markdown))
}
