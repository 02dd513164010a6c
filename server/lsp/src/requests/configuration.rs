//! Settings: pulled where the client can be asked, taken as pushed where it cannot.

use lsp_types::*;
use serde_json::Value;

use crate::state::{Event, State};

/// Asks the client for its settings.
pub(crate) fn fetch(state: &mut State) {
    if state.profile.configuration {
        let items = vec![ConfigurationItem { scope_uri: None, section: Some("zeroerr".into()) }];
        state.outbox.request::<request::WorkspaceConfiguration>(ConfigurationParams { items }, |answer| {
            answer.ok()?.into_iter().next().map(Event::SettingsArrived)
        });
    }
}

/// `workspace/didChangeConfiguration`: what it carries, or, when it carries nothing, what the
/// client answers when asked.
pub(crate) fn changed(state: &mut State, settings: Value) {
    match settings.get("zeroerr") {
        Some(own) => arrived(state, own.clone()),
        None if state.profile.configuration => fetch(state),
        None => arrived(state, settings),
    }
}

/// Hands settings on; an error is shown once until it is mended or becomes another.
pub(crate) fn arrived(state: &mut State, settings: Value) {
    if settings.is_null() {
        return;
    }
    state.settings = Some(settings.clone());
    let error = (state.options.on_settings)(settings).err();
    if error != state.settings_error
        && let Some(message) = &error
    {
        state.show(MessageType::ERROR, format!("zeroerr: {message}"));
    }
    state.settings_error = error;
}

/// Settings files on the disk have changed: the editor's settings count on top of what they say now.
pub(crate) fn reload(state: &mut State) {
    let settings = state.settings.clone().unwrap_or_else(|| Value::Object(serde_json::Map::new()));
    arrived(state, settings);
}
