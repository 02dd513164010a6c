//! The settings that the VS Code extension offers are generated from the one settings struct.

use std::fs;
use std::path::Path;

use serde_json::{Map, Value, json};
use zeroerr_settings::trust::{Rule, rule};
use zeroerr_settings::{Settings, reference};

/// Settings of the extension itself, which the server does not know.
const OWN: [&str; 2] = ["zeroerr.server.", "zeroerr.trace."];

#[test]
fn the_extension_offers_what_an_editor_may_set() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../editors/vscode/package.json");
    let old = fs::read_to_string(&path).expect("editors/vscode/package.json");
    let mut package: Value = serde_json::from_str(&old).expect("JSON");
    let properties =
        package["contributes"]["configuration"]["properties"].as_object_mut().expect("contributed settings");
    properties.retain(|key, _| OWN.iter().any(|own| key.starts_with(own)));
    let schema = reference::schema();
    let defaults = serde_json::to_value(Settings::default()).expect("defaults");
    collect(&schema, &schema, &defaults, &mut Vec::new(), properties);

    assert!(properties.contains_key("zeroerr.voting.k"), "k may be raised in an editor");
    assert!(!properties.keys().any(|key| key.contains("endpoints")), "an editor may not say where code is sent");
    let new = format!("{package:#}\n");
    if old != new {
        fs::write(&path, new).expect("editors/vscode/package.json");
        panic!(
            "the settings of editors/vscode/package.json were stale and have been rewritten; look at the difference and commit it"
        );
    }
}

/// Walks the schema down to its leaves and puts in those that an editor may set.
fn collect(root: &Value, schema: &Value, defaults: &Value, path: &mut Vec<String>, out: &mut Map<String, Value>) {
    for (name, property) in resolved(root, schema)["properties"].as_object().into_iter().flatten() {
        path.push(name.clone());
        let inner = resolved(root, property);
        if inner["properties"].is_object() {
            collect(root, inner, &defaults[name], path, out);
        } else if let Some(only) = limit(rule(&path.join("."))) {
            out.insert(format!("zeroerr.{}", path.join(".")), setting(root, property, &defaults[name], only));
        }
        path.pop();
    }
}

/// What the setting may do, for its description; nothing when an editor may not set it.
fn limit(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::Free => Some(""),
        Rule::Raise => Some(" An editor may only raise it."),
        Rule::Lower => Some(" An editor may only lower it."),
        Rule::OnlyOn | Rule::OnlyTrue => Some(" An editor may only switch it on."),
        Rule::Shrink => Some(" An editor may only take names out."),
        Rule::Grow => Some(" An editor may only put names in."),
        Rule::Never(_) => None,
    }
}

fn setting(root: &Value, property: &Value, default: &Value, only: &str) -> Value {
    let text = property["description"].as_str().unwrap_or_default();
    let text: Vec<&str> = text.split_whitespace().collect();
    let mut setting = Map::new();
    for (key, value) in resolved(root, property).as_object().into_iter().flatten() {
        if ["type", "minimum", "maximum", "enum", "oneOf", "anyOf", "items"].contains(&key.as_str()) {
            setting.insert(key.clone(), inlined(root, value));
        }
    }
    choices(&mut setting);
    setting.insert("default".into(), default.clone());
    setting.insert("markdownDescription".into(), json!(format!("{}{only}", text.join(" "))));
    Value::Object(setting)
}

/// Words with a description each become the list that VS Code shows as a menu.
fn choices(setting: &mut Map<String, Value>) {
    let words = |key: &str| {
        setting["oneOf"].as_array()?.iter().map(|one| one.get(key).cloned()).collect::<Option<Vec<Value>>>()
    };
    if !setting.contains_key("oneOf") {
        return;
    }
    if let (Some(names), Some(texts)) = (words("const"), words("description")) {
        setting.remove("oneOf");
        setting.extend([("enum".to_owned(), names.into()), ("enumDescriptions".to_owned(), texts.into())]);
    }
}

/// A copy without `$ref`: VS Code knows no definitions here.
fn inlined(root: &Value, value: &Value) -> Value {
    match resolved(root, value) {
        Value::Object(map) => map
            .iter()
            .filter(|(key, _)| *key != "format")
            .map(|(key, value)| (key.clone(), inlined(root, value)))
            .collect(),
        Value::Array(list) => list.iter().map(|value| inlined(root, value)).collect(),
        other => other.clone(),
    }
}

fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")).map_or(schema, |name| &root["$defs"][name])
}
