//! What `tsconfig.json` says to those who are not the compiler: paths, decorators, JSX. Comments and
//! trailing commas are allowed in it, and one file extends another.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::imports::resolve;

/// Files that extend one another at most.
const CHAIN: usize = 8;
/// Compiler options that change what the code does, and the one that says whether plain JavaScript is checked.
const OF_INTEREST: [&str; 10] = [
    "experimentalDecorators",
    "emitDecoratorMetadata",
    "useDefineForClassFields",
    "jsx",
    "jsxImportSource",
    "jsxFactory",
    "jsxFragmentFactory",
    "verbatimModuleSyntax",
    "preserveValueImports",
    "checkJs",
];

/// The options of the nearest `tsconfig.json` and of what it extends.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct TsConfig {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// The options of interest.
    options: Map<String, Value>,
    /// Patterns of bare specifiers with what they stand for.
    pub aliases: Vec<(String, Vec<PathBuf>)>,
    /// The first of the files that is no JSON, and why.
    pub broken: Option<(PathBuf, String)>,
}

impl TsConfig {
    /// Reads the configuration that holds for a file below `root`; what is not there says nothing.
    pub fn of(file: &Path, root: &Path) -> Self {
        let folders = file.ancestors().skip(1).take_while(|f| f.starts_with(root));
        let nearest = folders.flat_map(|f| [f.join("tsconfig.json"), f.join("jsconfig.json")]).find(|p| p.is_file());
        let mut config = Self { file: nearest.clone(), ..Self::default() };
        let (mut next, mut base_url, mut paths) = (nearest, None, None);
        for _ in 0..CHAIN {
            let Some(path) = next.take() else { break };
            let Ok(text) = std::fs::read_to_string(&path) else { break };
            config.broken = fault(&text).map(|why| (path.clone(), why));
            let Some(Value::Object(read)) = parse(&text) else { break };
            let folder = path.parent().unwrap_or(root);
            let options = read.get("compilerOptions").and_then(Value::as_object).cloned().unwrap_or_default();
            if let Some(own) = options.get("baseUrl").and_then(Value::as_str) {
                base_url.get_or_insert_with(|| folder.join(own));
            }
            if let Some(own) = options.get("paths").and_then(Value::as_object) {
                paths.get_or_insert_with(|| (folder.to_path_buf(), own.clone()));
            }
            for (name, value) in options.into_iter().filter(|(name, _)| OF_INTEREST.contains(&name.as_str())) {
                config.options.entry(name).or_insert(value);
            }
            let parent = read.get("extends").and_then(Value::as_str);
            next = parent
                .filter(|p| p.starts_with('.'))
                .map(|p| folder.join(p))
                .map(|p| if p.is_file() { p } else { with_json(p) });
        }
        config.alias(base_url, paths);
        config
    }

    fn alias(&mut self, base_url: Option<PathBuf>, paths: Option<(PathBuf, Map<String, Value>)>) {
        if let Some((folder, paths)) = paths {
            let from = base_url.clone().unwrap_or(folder);
            for (pattern, targets) in paths {
                let targets = targets.as_array().into_iter().flatten().filter_map(Value::as_str);
                self.aliases.push((pattern, targets.map(|t| tidy(&from.join(t))).collect()));
            }
        }
        if let Some(base) = base_url {
            self.aliases.push(("*".into(), vec![tidy(&base).join("*")]));
        }
    }

    /// Whether plain JavaScript is checked as well, as far as the file says.
    pub fn checks_javascript(&self) -> bool {
        self.options.get("checkJs").and_then(Value::as_bool).unwrap_or(false)
    }

    /// The options as esbuild is told them.
    pub fn raw(&self) -> String {
        json!({"compilerOptions": self.options}).to_string()
    }

    /// The files that a bare specifier may mean.
    pub fn candidates(&self, specifier: &str) -> Vec<PathBuf> {
        let mut out = Vec::new();
        for (pattern, targets) in &self.aliases {
            let middle = match pattern.split_once('*') {
                Some((head, tail)) => specifier.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail)),
                None => (specifier == pattern).then_some(""),
            };
            for target in middle.into_iter().flat_map(|m| targets.iter().map(move |t| replaced(t, m))) {
                // As if the file beside it had asked for it.
                let name = target.file_name().map(|n| format!("./{}", n.to_string_lossy()));
                out.extend(name.map(|n| resolve(&target, &n)).unwrap_or_default());
            }
        }
        out
    }
}

fn replaced(target: &Path, middle: &str) -> PathBuf {
    PathBuf::from(target.to_string_lossy().replacen('*', middle, 1))
}

/// `tsconfig.base` means `tsconfig.base.json`: what stands behind the dot is no extension.
fn with_json(path: PathBuf) -> PathBuf {
    let mut name = path.into_os_string();
    name.push(".json");
    name.into()
}

/// A path without `.`.
fn tidy(path: &Path) -> PathBuf {
    path.components().filter(|c| !matches!(c, std::path::Component::CurDir)).collect()
}

/// Why a text is no JSON with comments and trailing commas. An empty file is one without options, as for tsc.
fn fault(text: &str) -> Option<String> {
    let plain = plain(text);
    let error =
        serde_json::from_str::<Value>(&plain).err().filter(|_| !plain.trim().is_empty() && parse(text).is_none());
    // Its line is that of a text without comments.
    error.map(|e| e.to_string()).map(|e| e.split(" at line ").next().unwrap_or(&e).to_owned())
}

/// JSON with comments and trailing commas.
pub(super) fn parse(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok().or_else(|| serde_json::from_str(&plain(text)).ok())
}

fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.trim_start_matches('\u{feff}');
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '"' => string_length(rest),
            '/' if rest.starts_with("//") => {
                rest = rest.find('\n').map_or("", |at| &rest[at..]);
                continue;
            }
            '/' if rest.starts_with("/*") => {
                rest = rest.find("*/").map_or("", |at| &rest[at + 2..]);
                continue;
            }
            '}' | ']' => {
                let kept = out.trim_end().trim_end_matches(',').len();
                out.truncate(kept);
                1
            }
            other => other.len_utf8(),
        };
        out.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    out
}

/// Bytes of the string that a text starts with.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_trailing_commas_are_no_obstacle() {
        let text = "\u{feff}// our options\n{ \"a\": \"x // y /* z */ \\\" ,]\", /* b */ \"c\": [1, 2, ], }\n";
        assert_eq!(parse(text), Some(json!({"a": "x // y /* z */ \" ,]", "c": [1, 2]})));
        assert_eq!(parse("{ \"a\": "), None);
    }

    #[test]
    fn a_file_that_is_no_json_is_told_and_an_empty_one_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let broken = |text: &str| {
            std::fs::write(folder.path().join("tsconfig.json"), text).unwrap();
            TsConfig::of(&folder.path().join("a.ts"), folder.path()).broken.map(|(_, why)| why)
        };
        assert_eq!(broken("// ours\n{ \"strict\": "), Some("EOF while parsing a value".to_owned()));
        assert_eq!(broken("{ \"strict\": true, /* */ }"), None);
        assert_eq!(broken(" // nothing\n"), None);
    }

    #[test]
    fn the_nearest_file_wins_and_paths_lead_to_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("src")).unwrap();
        let base =
            r#"{"compilerOptions": {"jsx": "react", "experimentalDecorators": true, "paths": {"@/*": ["./src/*"]}}}"#;
        std::fs::write(root.join("tsconfig.base.json"), base).unwrap();
        std::fs::write(
            root.join("tsconfig.json"),
            r#"{"extends": "./tsconfig.base", "compilerOptions": {"jsx": "preserve"}}"#,
        )
        .unwrap();
        let config = TsConfig::of(&root.join("src/a.ts"), root);
        let told = json!({"compilerOptions": {"experimentalDecorators": true, "jsx": "preserve"}});
        assert_eq!(parse(&config.raw()), Some(told));
        assert!(config.candidates("@/lib/b").contains(&root.join("src/lib/b.ts")));
        assert!(config.candidates("lib/b").is_empty());
    }
}
