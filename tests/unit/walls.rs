//! Who may know what: purity, the protocol, processes, the inference engine.

use crate::rust::{Named, read};
use crate::tree::{File, Tree, assert_clean, assert_complains};

/// Crates that do no I/O, with all they may depend on.
const PURE: &[(&str, &[&str])] = &[
    ("server/core", &["schemars", "serde", "serde_json", "sha2", "strsim", "thiserror"]),
    ("server/agents", &["zeroerr-core", "serde", "serde_json", "rand", "rand_chacha"]),
];

/// What a pure crate may not name, in code that is no test.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::process",
    "std::env",
    "std::thread",
    "tokio",
    "Instant::now",
    "SystemTime",
    "rand::rng",
    "rand::thread_rng",
    "rand::random",
];

/// Something that only some folders may know.
struct Secret {
    what: &'static str,
    /// Beginnings of paths in code.
    paths: &'static [&'static str],
    /// Keys in `Cargo.toml`.
    packages: &'static [&'static str],
    /// Folders that may.
    allowed: &'static [&'static str],
    /// Whether test code is exempt.
    tests_may: bool,
}

const SECRETS: &[Secret] = &[
    Secret {
        what: "LSP types",
        paths: &["tower_lsp", "lsp_types", "ls_types"],
        packages: &["tower-lsp", "tower-lsp-server", "lsp-types", "ls-types"],
        allowed: &["server/lsp/", "server/test-support/", "tests/"],
        tests_may: false,
    },
    Secret {
        what: "processes",
        paths: &[
            "std::process::Command",
            "process::Command",
            "std::process::Child",
            "tokio::process",
            "std::os::unix::process",
            "nix::unistd::fork",
            "nix::unistd::exec",
            "libc::fork",
            "libc::exec",
            "libc::posix_spawn",
        ],
        packages: &["duct", "subprocess", "async-process", "command-group"],
        // The Rust harness is no part of the server: it is compiled and started in the sandbox.
        allowed: &[
            "server/sandbox/",
            "server/xtask/",
            "server/test-support/",
            "server/verification/src/languages/rust/harness/",
            "tests/",
        ],
        tests_may: true,
    },
    Secret {
        what: "the inference engine",
        paths: &["mistralrs", "mistralrs_core", "candle_core", "candle_nn"],
        packages: &["mistralrs", "mistralrs-core", "candle-core", "candle-nn"],
        allowed: &["server/llm/"],
        tests_may: false,
    },
];

/// Whether `path` names `wanted` or something below it, whatever stands before it.
fn names(path: &str, wanted: &str) -> bool {
    let path = format!("::{}::", path.trim_start_matches("::"));
    path.contains(&format!("::{wanted}::"))
}

fn is_test_file(file: &File) -> bool {
    file.path.contains("/tests/") || file.path.ends_with("/tests.rs") || file.path.ends_with("_tests.rs")
}

fn named_in(file: &File) -> Vec<Named> {
    read(&file.text, is_test_file(file)).paths
}

/// Keys of every `[…dependencies]` table, with the table's name.
fn dependencies(manifest: &str) -> Vec<(String, String)> {
    let mut table = String::new();
    let mut out = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            name.clone_into(&mut table);
            if let Some((outer, dependency)) = name.rsplit_once("dependencies.") {
                out.push((format!("{outer}dependencies"), dependency.to_owned()));
            }
        } else if table.ends_with("dependencies")
            && !line.starts_with('#')
            && let Some((key, _)) = line.split_once('=')
        {
            let key = key.trim().split('.').next().unwrap_or_default().trim_matches('"');
            out.push((table.clone(), key.to_owned()));
        }
    }
    out
}

fn impurities(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for (folder, allowed) in PURE {
        let manifest = tree.get(&format!("{folder}/Cargo.toml")).map_or("", |f| f.text.as_str());
        for (_, name) in dependencies(manifest).into_iter().filter(|(table, _)| !table.contains("dev-")) {
            if !allowed.contains(&name.as_str()) {
                out.push(format!("{folder}/Cargo.toml: `{name}` is not among the dependencies of a pure crate"));
            }
        }
        let lints = tree.get(&format!("{folder}/clippy.toml")).map_or("", |f| f.text.as_str());
        for key in ["disallowed-methods", "disallowed-types"] {
            if !lints.lines().any(|l| l.starts_with(key)) {
                out.push(format!("{folder}/clippy.toml: has no `{key}`"));
            }
        }
        for file in tree.with_extension("rs").filter(|f| f.path.starts_with(&format!("{folder}/src/"))) {
            for named in named_in(file).iter().filter(|n| !n.in_test) {
                if let Some(wanted) = IMPURE.iter().find(|w| names(&named.path, w)) {
                    out.push(format!(
                        "{}:{}: names {wanted}; time, randomness and I/O are arguments here",
                        file.path, named.line
                    ));
                }
            }
        }
    }
    out
}

fn leaks(tree: &Tree) -> Vec<String> {
    let mut out = Vec::new();
    for secret in SECRETS {
        let outside = |path: &str| !secret.allowed.iter().any(|a| path.starts_with(a));
        for file in tree.with_extension("rs").filter(|f| outside(&f.path)) {
            for named in named_in(file).iter().filter(|n| !(secret.tests_may && n.in_test)) {
                if let Some(wanted) = secret.paths.iter().find(|w| names(&named.path, w)) {
                    out.push(format!(
                        "{}:{}: names {wanted}; only {} may know {}",
                        file.path,
                        named.line,
                        secret.allowed.join(", "),
                        secret.what
                    ));
                }
            }
        }
        for file in tree.files.iter().filter(|f| f.path.ends_with("/Cargo.toml") && outside(&f.path)) {
            for (table, name) in dependencies(&file.text) {
                if secret.packages.contains(&name.as_str()) {
                    out.push(format!(
                        "{}: [{table}] has `{name}`; only {} may know {}",
                        file.path,
                        secret.allowed.join(", "),
                        secret.what
                    ));
                }
            }
        }
    }
    out
}

#[test]
fn pure_crates_are_pure() {
    assert_clean(impurities(&Tree::repository()));
}

#[test]
fn impurity_is_seen() {
    let clippy = "disallowed-methods = []\ndisallowed-types = []\n";
    let code = "//! std::fs\nuse std::{fs, time::Instant};\nfn f() { let _ = Instant::now(); let s = \"tokio\"; }\nasync fn g() { tokio::spawn(async {}); }\n#[cfg(test)]\nmod tests { use std::env; }\n";
    let tree = Tree::of(&[
        (
            "server/core/Cargo.toml",
            "[dependencies]\nserde.workspace = true\ntokio = \"1\"\n[dev-dependencies]\nproptest.workspace = true\n",
        ),
        ("server/core/clippy.toml", clippy),
        ("server/core/src/lib.rs", code),
        ("server/agents/Cargo.toml", "[dependencies.reqwest]\nversion = \"1\"\n"),
        ("server/agents/clippy.toml", "disallowed-types = []\n"),
    ]);
    let expected = [
        "core/Cargo.toml: `tokio`",
        "lib.rs:2: names std::fs",
        "lib.rs:3: names Instant::now",
        "lib.rs:4: names tokio",
        "`reqwest`",
        "agents/clippy.toml: has no `disallowed-methods`",
    ];
    assert_complains(impurities(&tree), &expected);
}

#[test]
fn what_one_crate_knows_no_other_does() {
    assert_clean(leaks(&Tree::repository()));
}

#[test]
fn leaks_are_seen() {
    let tree = Tree::of(&[
        ("server/engine/src/a.rs", "use tower_lsp::lsp_types::Range;\nfn f(_: lsp_types::Url) {}\n"),
        (
            "server/engine/src/b.rs",
            "use std::process::{Command, ExitCode};\nfn f() { tokio::process::Command::new(\"x\"); }\n",
        ),
        ("server/engine/src/c.rs", "#[cfg(test)]\nmod tests { use std::process::Command; }\n"),
        ("server/engine/src/d.rs", "pub use mistralrs::Model;\n"),
        (
            "server/engine/Cargo.toml",
            "[dependencies]\nmistralrs = { workspace = true }\n[features]\nmistralrs = [\"zeroerr-llm/mistralrs\"]\n[target.'cfg(unix)'.dependencies]\nduct = \"1\"\n",
        ),
        ("server/sandbox/src/lib.rs", "use std::process::Command;\n"),
        ("server/llm/src/lib.rs", "use mistralrs::Model;\n"),
    ]);
    let expected = [
        "a.rs:1: names tower_lsp",
        "a.rs:2: names lsp_types",
        "b.rs:1: names std::process::Command",
        "b.rs:2: names process::Command",
        "d.rs:1: names mistralrs",
        "[dependencies] has `mistralrs`",
        "dependencies] has `duct`",
    ];
    assert_complains(leaks(&tree), &expected);
}
