//! What we tell Helix users to write is what Helix knows. Helix is in no package registry, so it cannot be
//! started here; `fixtures/helix.json` has the names of its options, commands and languages.

use std::fs;
use std::path::Path;

use serde_json::Value;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn toml(path: &str) -> toml::Table {
    read(path).parse().unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// The names that Helix knows of one kind.
struct Known(Value);

impl Known {
    fn names(&self, path: &[&str]) -> Vec<&str> {
        let list = path.iter().fold(&self.0, |value, key| &value[*key]);
        match list {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            Value::Object(names) => names.keys().map(String::as_str).collect(),
            _ => panic!("{path:?} is not in the fixture"),
        }
    }

    /// What is wrong with the keys of a table.
    fn strangers(&self, table: &toml::Table, path: &[&str]) -> Vec<String> {
        let known = self.names(path);
        let unknown = |key: &&String| !known.contains(&key.as_str());
        table.keys().filter(unknown).map(|key| format!("{}: Helix has no `{key}`", path.join(" "))).collect()
    }
}

fn table<'a>(value: &'a toml::Value, what: &str) -> &'a toml::Table {
    value.as_table().unwrap_or_else(|| panic!("{what} is a table"))
}

fn languages(known: &Known, file: &toml::Table) -> Vec<String> {
    const FILE: &str = "languages.toml";
    let mut wrong = known.strangers(file, &[FILE, "top"]);
    let servers = table(&file["language-server"], "language-server");
    for (name, server) in servers {
        wrong.extend(known.strangers(table(server, name), &[FILE, "language-server"]));
        assert!(table(server, name).contains_key("command"), "{name} has a command");
    }
    for language in file["language"].as_array().expect("languages") {
        let language = table(language, "a language");
        wrong.extend(known.strangers(language, &[FILE, "language"]));
        let name = language["name"].as_str().expect("a name");
        if !known.names(&["languages"]).contains(&name) {
            wrong.push(format!("Helix has no language `{name}`"));
        }
        let listed = language["language-servers"].as_array().expect("servers");
        let listed: Vec<&str> = listed.iter().filter_map(toml::Value::as_str).collect();
        let unknown = |s: &&&str| !servers.contains_key(**s) && !known.names(&["language-servers"]).contains(s);
        wrong.extend(listed.iter().filter(unknown).map(|s| format!("`{name}` lists `{s}`, which is nowhere defined")));
        if listed.last() != Some(&"zeroerr") {
            wrong.push(format!("`{name}`: zeroerr does not come last"));
        }
    }
    wrong
}

fn config(known: &Known, file: &toml::Table, commands: &str) -> Vec<String> {
    const FILE: &str = "config.toml";
    let mut wrong = known.strangers(file, &[FILE, "top"]);
    let editor = table(&file["editor"], "editor");
    wrong.extend(known.strangers(editor, &[FILE, "editor"]));
    wrong.extend(known.strangers(table(&editor["lsp"], "editor.lsp"), &[FILE, "editor.lsp"]));
    let level = editor["end-of-line-diagnostics"].as_str().unwrap_or_default();
    if !known.names(&[FILE, "diagnostic-levels"]).contains(&level) {
        wrong.push(format!("Helix shows no diagnostics from `{level}` on"));
    }
    let space = table(&file["keys"]["normal"]["space"], "keys.normal.space");
    for (key, bindings) in space {
        if known.names(&["space-mode"]).contains(&key.as_str()) {
            wrong.push(format!("`space {key}` is Helix's own"));
        }
        for (_, bound) in table(bindings, key) {
            let line = bound.as_str().expect("a command line");
            let (command, argument) = line.trim_start_matches(':').split_once(' ').unwrap_or((line, ""));
            if !known.names(&["typable-commands"]).contains(&command) {
                wrong.push(format!("Helix has no command `:{command}`"));
            }
            if !commands.contains(&format!("\"{argument}\"")) {
                wrong.push(format!("the server has no command `{argument}`"));
            }
        }
    }
    wrong
}

/// Keys of the documentation that neither Helix nor our key map has: `space k`, `space z c`.
fn keys_of_text(known: &Known, file: &toml::Table, text: &str) -> Vec<String> {
    let ours = |keys: &[&str]| {
        let mut at = &file["keys"]["normal"]["space"];
        keys.iter().all(|key| at.get(*key).map(|next| at = next).is_some())
    };
    let is_known = |keys: &[&str]| match keys {
        [key] => known.names(&["space-mode"]).contains(key),
        keys => ours(keys),
    };
    let spans = text.split('`').skip(1).step_by(2).filter_map(|span| span.strip_prefix("space "));
    let wrong = spans.filter(|span| !is_known(&span.split(' ').collect::<Vec<_>>()));
    wrong.map(|span| format!("`space {span}` does nothing")).collect()
}

fn commands() -> String {
    read("server/lsp/src/requests/execute_command.rs")
}

#[test]
fn what_helix_users_are_told_to_write_is_what_helix_knows() {
    let known = Known(serde_json::from_str(&read("tests/fixtures/helix.json")).expect("JSON"));
    let ours = toml("editors/helix/config.toml");
    let mut wrong = languages(&known, &toml("editors/helix/languages.toml"));
    wrong.extend(config(&known, &ours, &commands()));
    for text in ["editors/helix/README.md", "docs/EDITORS.md"] {
        wrong.extend(keys_of_text(&known, &ours, &read(text)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_name_that_helix_does_not_know_is_found() {
    let known = Known(serde_json::from_str(&read("tests/fixtures/helix.json")).expect("JSON"));
    let parse = |text: &str| text.parse::<toml::Table>().expect("TOML");
    let wrong = languages(
        &known,
        &parse(
            "[language-server.zeroerr]\ncommand = 'zeroerr'\nargv = []\n[[language]]\nname = 'pyhton'\nlanguage-server = 1\nlanguage-servers = ['nobody', 'zeroerr']\n",
        ),
    );
    assert_eq!(wrong.len(), 4, "{wrong:?}");
    let wrong = config(
        &known,
        &parse(
            "[keys.normal.space.k]\nc = ':lsp-workspace zeroerr.stop'\n[editor]\nend-of-line = 1\nend-of-line-diagnostics = 'all'\n[editor.lsp]\nprogress = true\n",
        ),
        &commands(),
    );
    assert_eq!(wrong.len(), 6, "{wrong:?}");
    let keys =
        keys_of_text(&known, &toml("editors/helix/config.toml"), "`space k`, `space z c`, `space z q`, `space q`");
    assert_eq!(keys, ["`space z q` does nothing", "`space q` does nothing"]);
}
