//! How models and tools are doing: for `status`, and kept in the journal for `doctor`.

use std::sync::Arc;

use zeroerr_core::circuit_breaker::BreakerState;
use zeroerr_engine::journal::Journal;
use zeroerr_llm::model_pool::{LoadState, ModelStatus, OnPoolEvent, PoolEvent};
use zeroerr_verification::toolchain::{OnHealth, ToolHealth};

/// Passes pool events on, and notes breakers that open and close.
pub fn of_models(journal: Option<Arc<Journal>>, on_event: OnPoolEvent) -> OnPoolEvent {
    Arc::new(move |event| {
        match &event {
            PoolEvent::LeftAlone { model, pause, error } => {
                let pause = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX);
                note(journal.as_deref(), "model", model, Some(pause), error);
            }
            PoolEvent::Recovered { model } => note(journal.as_deref(), "model", model, None, "it works again"),
            _ => {}
        }
        on_event(event);
    })
}

/// Notes breakers of tools that open and close.
pub fn of_tools(journal: Option<Arc<Journal>>) -> OnHealth {
    Arc::new(move |tool: &ToolHealth| {
        let open = (tool.open_for_ms > 0).then_some(tool.open_for_ms);
        let error = if open.is_some() { tool.last_error.as_deref().unwrap_or_default() } else { "it works again" };
        note(journal.as_deref(), "tool", &tool.name, open, error);
    })
}

fn note(journal: Option<&Journal>, kind: &str, name: &str, open_for_ms: Option<u64>, error: &str) {
    if let Some(Err(error)) = journal.map(|j| j.note_breaker(kind, name, open_for_ms, error)) {
        tracing::warn!(%error, kind, name, "`zeroerr doctor` will not hear of this breaker");
    }
}

/// A model in `status`.
pub fn model_line(model: &ModelStatus) -> String {
    let state = match model.state {
        LoadState::Cold => "not loaded",
        LoadState::Loading => "loading",
        LoadState::Ready => "loaded",
    };
    let retried = if model.retries > 0 {
        format!(", {} retries ({} more allowed)", model.retries, model.retries_left)
    } else {
        String::new()
    };
    format!(
        "model {}: {state}, {} under way, {} answers, {} failures{retried}{}",
        model.name,
        model.busy,
        model.answers,
        model.failures,
        trouble(model.breaker, model.open_for_ms, model.last_error.as_deref())
    )
}

/// A tool in `status`; one that never failed is not worth a line.
pub fn tool_line(tool: &ToolHealth) -> Option<String> {
    (tool.failures + tool.retries > 0).then(|| {
        format!(
            "tool {}: {} runs, {} failures, {} retries{}",
            tool.name,
            tool.runs,
            tool.failures,
            tool.retries,
            trouble(tool.breaker, tool.open_for_ms, tool.last_error.as_deref())
        )
    })
}

fn trouble(breaker: BreakerState, open_for_ms: u64, last_error: Option<&str>) -> String {
    let breaker = match breaker {
        BreakerState::Closed => String::new(),
        BreakerState::HalfOpen => "; it is being tried after a pause".to_owned(),
        BreakerState::Open { .. } if open_for_ms == 0 => "; it was left alone and is tried next time".to_owned(),
        BreakerState::Open { .. } => format!("; it is left alone for another {} s", open_for_ms.div_ceil(1000)),
    };
    let last = last_error.map_or_else(String::new, |e| format!("; last failure: {e}"));
    format!("{breaker}{last}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_breaker_is_seen() {
        let mut tool = ToolHealth {
            name: "ruff".into(),
            breaker: BreakerState::Closed,
            open_for_ms: 0,
            runs: 9,
            failures: 0,
            retries: 0,
            last_error: None,
        };
        assert_eq!(tool_line(&tool), None);
        tool.failures = 5;
        tool.breaker = BreakerState::Open { until_ms: 40_000 };
        tool.open_for_ms = 12_300;
        tool.last_error = Some("ruff ended with exit code 3".into());
        assert_eq!(
            tool_line(&tool).as_deref(),
            Some(
                "tool ruff: 9 runs, 5 failures, 0 retries; it is left alone for another 13 s; last failure: ruff ended with exit code 3"
            )
        );
    }
}
