//! The top level, paths of somebody's machine, and whether the README's commands exist.

use crate::tree::{Tree, assert_clean, assert_complains};

/// All that may lie in the root. `Cargo.lock` belongs to `Cargo.toml`, the rest to tools.
const TOP: &[&str] = &[
    "Cargo.toml",
    "Cargo.lock",
    "server",
    "editors",
    "config",
    "tests",
    "README.md",
    "docs",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    ".gitignore",
    ".cargo",
    ".ci",
    ".clippy.toml",
    ".rustfmt.toml",
    ".gitattributes",
];
/// What must lie there.
const REQUIRED: &[&str] =
    &["Cargo.toml", "server", "editors", "config", "tests", "README.md", "docs", "LICENSE-MIT", "LICENSE-APACHE"];

fn top_level(tree: &Tree) -> Vec<String> {
    let odd =
        tree.top.iter().filter(|n| !TOP.contains(&n.as_str())).map(|n| format!("{n}: does not belong into the root"));
    let missing =
        REQUIRED.iter().filter(|n| !tree.top.iter().any(|t| t == *n)).map(|n| format!("{n}: is missing in the root"));
    odd.chain(missing).collect()
}

/// Folders of a particular machine. Assembled here so that this file does not complain of itself.
fn home_folders() -> Vec<String> {
    ["/home/", "/root/", "/Users/", "C:\\Users\\"].iter().map(|s| (*s).to_owned()).collect()
}

fn machine_paths(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    let this = "tests/unit/documents.rs";
    // Recorded messages of real clients and the escape tests name such folders on purpose.
    let exempt =
        |path: &str| path == this || path.starts_with("tests/fixtures/clients/") || path.starts_with("server/sandbox/");
    for file in tree.files.iter().filter(|f| !exempt(&f.path)) {
        for (i, line) in file.text.lines().enumerate() {
            if let Some(folder) = home_folders().iter().find(|h| line.contains(*h) && !line.contains("/home/you")) {
                out.push(format!("{}:{}: names a folder of some machine ({folder})", file.path, i + 1));
            }
        }
    }
    out
}

/// Lines of fenced shell blocks, without prompt and comment.
fn commands(markdown: &str) -> Vec<String> {
    let mut shell = false;
    let mut fenced = false;
    let mut out = Vec::new();
    for line in markdown.lines() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            fenced = !fenced;
            shell = fenced && ["sh", "bash", "console", "shell", ""].contains(&language.trim());
        } else if shell {
            let line = line.trim().trim_start_matches("$ ").split(" #").next().unwrap_or_default().trim();
            out.push(line.to_owned());
        }
    }
    out
}

/// Names of the subcommands, from the code that defines them.
fn known_commands(tree: &Tree) -> (Vec<String>, Vec<String>) {
    let xtask = tree.get("server/xtask/src/main.rs").map_or("", |f| f.text.as_str());
    let xtask =
        xtask.lines().filter_map(|l| l.trim().strip_prefix("[\"")?.split('"').next()).map(str::to_owned).collect();
    let args = tree.get("server/cli/src/args.rs").map_or("", |f| f.text.as_str());
    let body = args.split("pub enum Command {").nth(1).and_then(|b| b.split("\n}").next()).unwrap_or_default();
    let variants = body.lines().map(str::trim).filter(|l| l.starts_with(char::is_uppercase));
    let zeroerr = variants.map(|l| kebab(l.split(['(', ',']).next().unwrap_or_default())).collect();
    (xtask, zeroerr)
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.extend(c.to_lowercase());
    }
    out
}

fn unknown_commands(tree: &Tree) -> Vec<String> {
    let (xtask, zeroerr) = known_commands(tree);
    let mut out = Vec::new();
    for file in
        tree.files.iter().filter(|f| f.path == "README.md" || f.path.starts_with("docs/") && f.path.ends_with(".md"))
    {
        for command in commands(&file.text) {
            let words: Vec<&str> = command.split_whitespace().collect();
            let unknown = match words.as_slice() {
                ["cargo", "xtask", name, ..] => !xtask.iter().any(|x| x == name),
                ["zeroerr", name, ..] => !name.starts_with('-') && !zeroerr.iter().any(|z| z == name),
                _ => false,
            };
            if unknown {
                out.push(format!("{}: `{command}` does not exist", file.path));
            }
        }
    }
    out
}

/// Commands between backticks that cargo would refuse: an example, test or crate that is not there, `run --workspace`.
fn refused_by_cargo(tree: &Tree) -> Vec<String> {
    let ends = |end: &str| tree.files.iter().any(|f| f.path.ends_with(end));
    let names = |line: &str| tree.with_extension("toml").any(|f| f.text.lines().any(|l| l == line));
    let mut out = Vec::new();
    for file in tree.with_extension("md") {
        for command in file.text.split('`').map(str::trim).filter(|c| c.contains("cargo ") && !c.contains('\n')) {
            let words: Vec<&str> = command.split_whitespace().take_while(|w| *w != "--").collect();
            let refused = words.windows(2).any(|pair| match pair {
                ["--example", name] => !ends(&format!("/examples/{name}.rs")),
                ["--test", name] => !["/tests/{}.rs", "tests/{}/main.rs"].iter().any(|p| ends(&p.replace("{}", name))),
                ["-p", name] => !names(&format!("name = \"{name}\"")),
                _ => false,
            });
            if refused || words.contains(&"run") && words.contains(&"--workspace") {
                out.push(format!("{}: cargo refuses `{command}`", file.path));
            }
        }
    }
    out
}

#[test]
fn documented_cargo_commands_are_not_refused() {
    assert_clean(refused_by_cargo(&Tree::repository()));
}

#[test]
fn the_root_holds_what_it_should() {
    assert_clean(top_level(&Tree::repository()));
}

#[test]
fn no_file_names_a_folder_of_some_machine() {
    assert_clean(machine_paths(&Tree::repository()));
}

#[test]
fn documented_commands_exist() {
    let tree = Tree::repository();
    let (xtask, zeroerr) = known_commands(&tree);
    assert!(xtask.contains(&"demo".to_owned()) && zeroerr.contains(&"plan-k".to_owned()), "{xtask:?} {zeroerr:?}");
    assert_clean(unknown_commands(&tree));
}

#[test]
fn faults_of_documents_are_seen() {
    let home = format!("see {}alice/x\n", home_folders()[0]);
    let tree = Tree::of(&[
        (
            "README.md",
            "```sh\n$ cargo xtask demo\ncargo xtask dance  # no\nzeroerr run x\nzeroerr fly\n```\n```python\nzeroerr nothing\n```\n",
        ),
        ("docs/a.md", &home),
        ("server/xtask/src/main.rs", "match x {\n    [\"demo\", rest @ ..] => a,\n}\n"),
        ("server/cli/src/args.rs", "pub enum Command {\n    /// Doc\n    Run(RunArgs),\n    PlanK(P),\n}\n"),
        ("Makefile", ""),
    ]);
    assert_complains(unknown_commands(&tree), &["cargo xtask dance", "zeroerr fly"]);
    assert_complains(machine_paths(&tree), &["docs/a.md:1"]);
    let asked = Tree::of(&[
        ("a.md", "`cargo run --example yes`, `cargo run --workspace --example yes`, `cargo run --example no -- X`\n"),
        ("b.md", "`X=1 cargo test -p p --test it few`, `cargo test -p p --test gone`, `cargo test -p q`\n"),
        ("server/p/examples/yes.rs", ""),
        ("server/p/tests/it/main.rs", ""),
        ("server/p/Cargo.toml", "name = \"p\"\n"),
    ]);
    let refused = ["--workspace --example yes", "--example no", "--test gone", "-p q"];
    assert_complains(refused_by_cargo(&asked), &refused);
    let missing = [
        "Makefile: does not belong",
        "Cargo.toml: is missing",
        "editors: is missing",
        "config: is missing",
        "tests: is missing",
        "LICENSE-MIT: is missing",
        "LICENSE-APACHE: is missing",
    ];
    assert_complains(top_level(&tree), &missing);
}
