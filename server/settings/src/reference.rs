//! The JSON schema and the reference page, both generated from [`crate::Settings`].

use std::fmt::Write as _;

use serde_json::Value;

use crate::Settings;
use crate::trust::{Rule, rule};

/// The JSON schema of a settings file (draft 2020-12).
pub fn schema() -> Value {
    let mut schema = schemars::schema_for!(Settings).to_value();
    if let Some(object) = schema.as_object_mut() {
        object.insert("title".into(), "zeroerr settings".into());
    }
    schema
}

/// Follows `$ref`; for an optional section (`anyOf` with null) takes the one that is not null.
pub(crate) fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix("#/$defs/")) {
        return root.get("$defs").and_then(|d| d.get(name)).unwrap_or(schema);
    }
    let options = schema.get("anyOf").and_then(Value::as_array);
    match options.and_then(|o| o.iter().find(|s| s.get("type").is_none_or(|t| t != "null"))) {
        Some(inner) => resolve(root, inner),
        None => schema,
    }
}

/// The schema of a key below `schema`, which is resolved.
pub(crate) fn child<'a>(schema: &'a Value, key: &str) -> Option<&'a Value> {
    schema
        .get("properties")
        .and_then(|p| p.get(key))
        .or_else(|| schema.get("additionalProperties").filter(|a| a.is_object()))
}

/// Names of the top-level sections.
pub(crate) fn sections() -> Vec<&'static str> {
    vec!["llm", "models", "voting", "planning", "agents", "verification", "sandbox", "coordination", "logging", "lsp"]
}

/// Whether the key holds text: then `ZEROERR_..=123` must stay text.
pub(crate) fn is_text(path: &[String]) -> bool {
    let root = schema();
    let mut at = &root;
    for key in path {
        match child(resolve(&root, at), key) {
            Some(below) => at = below,
            None => return false,
        }
    }
    let kind = resolve(&root, at).get("type").cloned().unwrap_or_default();
    kind == "string" || kind.as_array().is_some_and(|a| a.contains(&"string".into()))
}

/// The reference as Markdown: one table per section, in the order of the schema.
pub fn markdown() -> String {
    let root = schema();
    let defaults = serde_json::to_value(Settings::default()).unwrap_or_default();
    let mut out = String::new();
    table(&root, &root, &defaults, "", &mut out);
    out
}

fn table(root: &Value, schema: &Value, defaults: &Value, prefix: &str, out: &mut String) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    let mut nested = Vec::new();
    let mut rows = String::new();
    for (name, property) in properties {
        let key = format!("{prefix}{name}");
        let inner = resolve(root, property);
        let entries = inner.get("additionalProperties").filter(|a| a.is_object()).map(|a| resolve(root, a));
        if inner.get("properties").is_some() {
            nested.push((key, property, inner, defaults.get(name).cloned().unwrap_or_default()));
        } else if let Some(entry) = entries {
            nested.push((format!("{key}.NAME"), property, entry, Value::Null));
        } else {
            let default = defaults.get(name).map_or_else(|| "unset".to_owned(), shown_default);
            let _ = writeln!(
                rows,
                "| `{key}` | {} | {default} | {} | {} |",
                kind(inner, property),
                project(&key),
                prose(property)
            );
        }
    }
    if !rows.is_empty() {
        let _ = writeln!(out, "| key | type | default | project file | what it does |\n|---|---|---|---|---|\n{rows}");
    }
    for (key, property, inner, defaults) in nested {
        let _ = writeln!(
            out,
            "{} `{key}`\n\n{}\n",
            "#".repeat(3 + key.trim_end_matches(".NAME").matches('.').count()),
            prose(property)
        );
        table(root, inner, &defaults, &format!("{key}."), out);
    }
}

fn prose(property: &Value) -> String {
    let text = property.get("description").and_then(Value::as_str).unwrap_or_default();
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn shown_default(value: &Value) -> String {
    match value {
        Value::Null => "unset".into(),
        Value::String(s) if s.is_empty() => "unset".into(),
        Value::String(s) => format!("`{s}`"),
        other => format!("`{other}`"),
    }
}

fn kind(schema: &Value, property: &Value) -> String {
    let words = variants(schema);
    if !words.is_empty() {
        return words.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(" or ");
    }
    let range = match (schema.get("minimum"), schema.get("maximum")) {
        (Some(low), Some(high)) => format!(", {low} to {high}"),
        (Some(low), None) if low.as_f64() != Some(0.0) => format!(", at least {low}"),
        _ => String::new(),
    };
    let name = |t: &str| match t {
        "integer" => format!("whole number{range}"),
        "number" => format!("number{range}"),
        "string" => "text".to_owned(),
        "boolean" => "`true` or `false`".to_owned(),
        "array" => {
            let items = schema.get("items").map(variants).unwrap_or_default();
            if items.is_empty() {
                "list of texts".to_owned()
            } else {
                format!("list of {}", items.iter().map(|w| format!("`{w}`")).collect::<Vec<_>>().join(", "))
            }
        }
        other => other.to_owned(),
    };
    match schema.get("type").or_else(|| property.get("type")) {
        Some(Value::String(t)) => name(t),
        Some(Value::Array(options)) => {
            options.iter().filter_map(Value::as_str).find(|t| *t != "null").map(name).unwrap_or_default()
        }
        _ => match schema.get("oneOf").and_then(Value::as_array) {
            Some(options) => options.iter().map(|o| kind(o, o)).collect::<Vec<_>>().join(" or "),
            None => "any".into(),
        },
    }
}

/// The words of an enumeration, in order.
fn variants(schema: &Value) -> Vec<String> {
    let text = |v: &Value| v.as_str().map(str::to_owned);
    if let Some(word) = schema.get("const").and_then(text) {
        return vec![word];
    }
    if let Some(list) = schema.get("enum").and_then(Value::as_array) {
        return list.iter().filter_map(text).collect();
    }
    match schema.get("oneOf").and_then(Value::as_array) {
        Some(options) if options.iter().all(|o| o.get("const").is_some()) => {
            options.iter().flat_map(variants).collect()
        }
        _ => Vec::new(),
    }
}

fn project(key: &str) -> &'static str {
    match rule(key) {
        Rule::Free => "yes",
        Rule::Raise => "only higher",
        Rule::Lower => "only lower",
        Rule::OnlyOn => "only `on`",
        Rule::OnlyTrue => "only `true`",
        Rule::Shrink => "only fewer",
        Rule::Grow => "only more",
        Rule::Never(_) => "no",
    }
}
