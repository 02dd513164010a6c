//! Messages as lines that a test can show: what matters of each, nothing that varies.

use serde_json::Value;

/// One message as one line.
pub(super) fn line(message: &Value, arrow: &str) -> String {
    let Some(method) = message["method"].as_str() else {
        return format!("{arrow} error {}", message["error"]["message"].as_str().unwrap_or_default());
    };
    let params = &message["params"];
    let detail = match method {
        "window/showMessage" => format!("{}: {}", severity(&params["type"]), text(&params["message"])),
        "window/logMessage" => text(&params["message"]),
        "window/workDoneProgress/create" | "window/workDoneProgress/cancel" => text(&params["token"]),
        "$/progress" => progress(params),
        "textDocument/publishDiagnostics" | "textDocument/diagnostic" => diagnostics(params),
        "workspace/applyEdit" => apply_edit(params),
        "workspace/executeCommand" => text(&params["command"]),
        "textDocument/didOpen" | "textDocument/didChange" => format!("@{}", params["textDocument"]["version"]),
        _ => String::new(),
    };
    format!("{arrow} {method} {detail}").trim_end().to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |s| s.replace('\n', "⏎"))
}

fn severity(value: &Value) -> &'static str {
    match value.as_u64() {
        Some(1) => "error",
        Some(2) => "warning",
        _ => "info",
    }
}

fn progress(params: &Value) -> String {
    let value = &params["value"];
    let parts = [&value["kind"], &value["title"], &value["message"]];
    let said: Vec<_> = parts.into_iter().filter(|p| !p.is_null()).map(text).collect();
    said.join(" | ")
}

fn diagnostics(params: &Value) -> String {
    let each = params["diagnostics"].as_array().into_iter().flatten();
    let each: Vec<_> =
        each.map(|d| format!("{}:{} {}", d["range"]["start"]["line"], text(&d["code"]), text(&d["message"]))).collect();
    format!("@{} [{}]", params["version"], each.join("; "))
}

fn apply_edit(params: &Value) -> String {
    let edit = &params["edit"];
    let (version, edits) = match edit["documentChanges"].get(0) {
        Some(change) => {
            (format!("@{}", change["textDocument"]["version"]), change["edits"].as_array().cloned().unwrap_or_default())
        }
        None => (
            "unversioned".into(),
            edit["changes"]
                .as_object()
                .into_iter()
                .flatten()
                .flat_map(|(_, e)| e.as_array().cloned().unwrap_or_default())
                .collect(),
        ),
    };
    let each: Vec<_> = edits
        .iter()
        .map(|e| {
            format!(
                "{}:{} {:?}",
                e["range"]["start"]["line"],
                e["range"]["start"]["character"],
                e["newText"].as_str().unwrap_or_default()
            )
        })
        .collect();
    format!("{version} {}", each.join("; "))
}
