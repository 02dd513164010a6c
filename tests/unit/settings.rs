//! Every setting that a message, a comment or a page names exists, by its whole name.

use serde_json::Value;

use crate::tree::{Tree, assert_clean, assert_complains};

/// Files that name settings which are none: to show what is said of them.
const EXEMPT: &[&str] = &["tests/", "server/settings/src/tests/"];

/// Names of settings in `tree` that are none, and names that lack their section.
fn complaints(tree: &Tree) -> Vec<String> {
    let schema = zeroerr_settings::reference::schema();
    let mut leaves = Vec::new();
    collect_leaves(&schema, &schema, &mut leaves);
    let mut out = Vec::new();
    let mut seen = 0;
    for file in tree.with_extension("rs").chain(tree.with_extension("md")) {
        let is_test = file.path.ends_with("tests.rs") || file.path.contains("/tests/");
        if is_test || EXEMPT.iter().any(|e| file.path.starts_with(e)) {
            continue;
        }
        let is_code = file.path.ends_with(".rs");
        let text = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}", file.path, number + 1);
            for name in names(line) {
                let path: Vec<&str> = name.split('.').collect();
                let is_section = schema["properties"].get(path[0]).is_some();
                if path.len() > 1 && is_section && !path[path.len() - 1].starts_with("yaml") {
                    seen += 1;
                    if !exists(&schema, &path) {
                        out.push(format!("{place}: there is no setting `{name}`"));
                    }
                }
                // In a message the section says where to write it; the settings' own comments stand in it.
                let is_message = is_code && line.contains('"') && !line.trim_start().starts_with("//");
                if path.len() == 1 && is_message && name.contains('_') && leaves.iter().any(|l| l == name) {
                    out.push(format!("{place}: the setting `{name}` lacks its section"));
                }
            }
        }
    }
    assert!(tree.files.len() < 50 || seen > 50, "only {seen} names of settings were found");
    out
}

/// What stands in backticks or after `--set` and looks like a key: `a.b_c`, `a.{b}.c=2`, `a.b: c`.
fn names(line: &str) -> Vec<&str> {
    let quoted = line.split('`').skip(1).step_by(2);
    let set = line.split("--set").skip(1).map(|rest| rest.trim_start_matches([' ', '=', '"', ',', '\'']));
    let key = |text: &'_ str| -> usize {
        text.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '{' | '}'))).unwrap_or(text.len())
    };
    let all = quoted.map(|q| (q, true)).chain(set.map(|s| (s, false)));
    let keys = all.filter_map(|(text, quoted)| {
        let (name, rest) = text.split_at(key(text));
        let is_key = !quoted || rest.is_empty() || rest.starts_with('=') || rest.starts_with(": ");
        (is_key && !name.is_empty() && !name.ends_with('.')).then_some(name)
    });
    keys.collect()
}

fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    if let Some(name) = schema["$ref"].as_str().and_then(|r| r.strip_prefix("#/$defs/")) {
        return &root["$defs"][name];
    }
    let inner = schema["anyOf"].as_array().and_then(|all| all.iter().find(|s| s["type"] != "null"));
    inner.map_or(schema, |inner| resolved(root, inner))
}

fn exists(root: &Value, path: &[&str]) -> bool {
    let mut at = root;
    for key in path {
        let own = resolved(root, at);
        match own["properties"].get(*key) {
            Some(below) => at = below,
            // A section of entries that the user names.
            None if own["additionalProperties"].is_object() => at = &own["additionalProperties"],
            None => return false,
        }
    }
    true
}

fn collect_leaves(root: &Value, schema: &Value, out: &mut Vec<String>) {
    let own = resolved(root, schema);
    for (name, below) in own["properties"].as_object().into_iter().flatten() {
        out.push(name.clone());
        collect_leaves(root, below, out);
    }
    if own["additionalProperties"].is_object() {
        collect_leaves(root, &own["additionalProperties"], out);
    }
}

#[test]
fn settings_are_called_what_they_are_called() {
    assert_clean(complaints(&Tree::repository()));
}

#[test]
fn a_setting_that_is_none_is_found() {
    let code = "fn f() {\n    g(\"add `llm.endpoint.url`\");\n    g(\"check `llm.endpoints.{name}.url` or `voting.k: 3`\");\n    g(\"check api_key_env or `api_key_env`\");\n}\n";
    let page =
        "With `voting.kk=3` or `zeroerr run --set voting.max_tries=2`, not `models.yaml`, `result.k` or `voting.k`.\n";
    let tree = Tree::of(&[("server/x/src/a.rs", code), ("docs/a.md", page)]);
    let expected = [
        "a.rs:2: there is no setting `llm.endpoint.url`",
        "a.rs:4: the setting `api_key_env` lacks its section",
        "a.md:1: there is no setting `voting.kk`",
        "a.md:1: there is no setting `voting.max_tries`",
    ];
    assert_complains(complaints(&tree), &expected);
}
