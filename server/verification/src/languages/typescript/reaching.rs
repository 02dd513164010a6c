//! The project's own tests that may reach a function: those that import its file, directly or through
//! other files of the project, by path, by an alias of `tsconfig.json` or by the package's own name.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::imports::{resolve, specifiers};
use super::tree::Dialect;
use super::tsconfig::TsConfig;
use crate::languages::Subject;

/// Files that a test imports through at most so many others.
const HOPS: usize = 4;

/// Files larger than this are generated, and no test that anybody wrote.
const MAX_BYTES: u64 = 1 << 20;

/// Whether a path is one that test runners take for tests: `a.test.ts`, `a.spec.js`, `__tests__/a.ts`,
/// `test/a.mjs`.
pub(super) fn is_test_file(path: &Path) -> bool {
    let name = path.file_name().map(|n| n.to_string_lossy().to_lowercase()).unwrap_or_default();
    let is_source = [".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs"].iter().any(|e| name.ends_with(e));
    if !is_source || name.ends_with(".d.ts") {
        return false;
    }
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let folders = || path.parent().into_iter().flat_map(Path::components).map(|c| c.as_os_str().to_string_lossy());
    let by_name = [".test", ".spec", "-test", "_test", "-spec", "_spec"].iter().any(|e| stem.ends_with(e));
    by_name
        || stem == "test"
        || stem.starts_with("test-")
        || folders().any(|f| matches!(&*f, "__tests__" | "test" | "tests"))
}

/// The tests among `files` that reach the subject's file, those that speak of the function first.
///
/// `root` is where relative entries of `files` lie.
pub(super) fn reaching(root: &Path, files: &[PathBuf], subject: &Subject, config: &TsConfig) -> Vec<PathBuf> {
    let target = absolute(root, &subject.task.file);
    let mut reader = Reader { root, config, known: HashMap::new() };
    let tests = files.iter().filter(|f| is_test_file(f.strip_prefix(root).unwrap_or(f)));
    let mut found: Vec<(bool, PathBuf)> = Vec::new();
    for test in tests {
        let path = absolute(root, test);
        if path == target || !reader.reaches(&path, &target) {
            continue;
        }
        let speaks = reader.read(&path).is_some_and(|(text, _)| {
            let name = subject.task.signature.name.trim_start_matches('#');
            text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$')).any(|word| word == name)
        });
        found.push((!speaks, test.clone()));
    }
    found.sort();
    found.into_iter().map(|(_, path)| path).collect()
}

fn absolute(root: &Path, path: &Path) -> PathBuf {
    if path.is_absolute() { path.to_owned() } else { root.join(path) }
}

/// Files that were read, with the files that they import.
struct Reader<'r> {
    root: &'r Path,
    config: &'r TsConfig,
    known: HashMap<PathBuf, Option<(String, Vec<PathBuf>)>>,
}

impl Reader<'_> {
    /// The file that a module means.
    fn file(root: &Path, config: &TsConfig, from: &Path, specifier: &str) -> Option<PathBuf> {
        let mut may = resolve(from, specifier);
        if may.is_empty() {
            may = config.candidates(specifier);
            may.extend(of_own_package(root, from, specifier));
        }
        may.into_iter().find(|p| p.is_file())
    }

    fn read(&mut self, path: &Path) -> Option<&(String, Vec<PathBuf>)> {
        self.known
            .entry(path.to_owned())
            .or_insert_with(|| {
                std::fs::metadata(path).ok().filter(|m| m.is_file() && m.len() <= MAX_BYTES)?;
                let text = std::fs::read_to_string(path).ok()?;
                let imported = specifiers(&text, Dialect::of(path));
                let files = imported.iter().filter_map(|s| Self::file(self.root, self.config, path, s)).collect();
                Some((text, files))
            })
            .as_ref()
    }

    fn reaches(&mut self, from: &Path, target: &Path) -> bool {
        let mut seen: HashSet<PathBuf> = HashSet::new();
        let mut open = vec![from.to_owned()];
        for _ in 0..HOPS {
            let mut next = Vec::new();
            for path in open {
                let Some((_, imported)) = self.read(&path) else { continue };
                if imported.iter().any(|p| p == target) {
                    return true;
                }
                next.extend(imported.iter().filter(|p| seen.insert((*p).clone())).cloned());
            }
            open = next;
        }
        false
    }
}

/// What the package that holds a file exports under its own name, as Node finds it: by `exports` alone.
fn of_own_package(root: &Path, from: &Path, specifier: &str) -> Vec<PathBuf> {
    let mut folders = from.ancestors().skip(1).take_while(|f| f.starts_with(root));
    let Some(folder) = folders.find(|f| f.join("package.json").is_file()) else { return Vec::new() };
    let read = std::fs::read(folder.join("package.json")).ok();
    let Some(package) = read.and_then(|text| serde_json::from_slice::<Value>(&text).ok()) else { return Vec::new() };
    let name = package["name"].as_str().unwrap_or_default();
    let Some(rest) = specifier.strip_prefix(name).filter(|r| !name.is_empty() && (r.is_empty() || r.starts_with('/')))
    else {
        return Vec::new();
    };
    let wanted = format!(".{rest}");
    let mut found = Vec::new();
    match &package["exports"] {
        Value::Object(exports) if exports.keys().any(|k| k.starts_with('.')) => {
            for (pattern, target) in exports {
                let middle = match pattern.split_once('*') {
                    Some((head, tail)) => wanted.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail)),
                    None => (*pattern == wanted).then_some(""),
                };
                if let Some(middle) = middle {
                    targets(target, &mut |t| found.push(t.replace('*', middle)));
                }
            }
        }
        all if rest.is_empty() => targets(all, &mut |t| found.push(t.to_owned())),
        _ => {}
    }
    found.iter().map(|target| folder.join(target.trim_start_matches("./"))).collect()
}

/// The files that conditions of `exports` lead to.
fn targets(exports: &Value, each: &mut impl FnMut(&str)) {
    match exports {
        Value::String(target) => each(target),
        Value::Array(all) => all.iter().for_each(|one| targets(one, each)),
        Value::Object(conditions) => conditions.values().for_each(|one| targets(one, each)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::languages::typescript::specs::analyse;
    use std::sync::Arc;

    fn put(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    #[test]
    fn tests_that_import_the_file_are_found_and_ordered() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str, text: &str| put(root, path, text);
        let source = "// @spec Median.\nexport function median(xs: number[]): number {}\n";
        write("src/stats.ts", source);
        write("src/index.ts", "export * from './stats.js';\n");
        write("src/other.ts", "export const x = 1;\n");
        write("src/a.test.ts", "import { mean } from './index';\nmean();\n");
        write("src/stats.test.ts", "import { median } from './stats';\nmedian([1]);\n");
        write("src/other.test.ts", "import { x } from './other';\n// median\n");
        write("test/all.mjs", "const { median } = require('../src');\nmedian([]);\n");
        let task = analyse(&root.join("src/stats.ts"), &Arc::from(source)).tasks.remove(0);
        let subject = Subject { previous: Arc::clone(&task.source), task, workspace: Some(root.to_owned()) };
        let files: Vec<PathBuf> =
            ["src/a.test.ts", "src/index.ts", "src/other.test.ts", "src/stats.test.ts", "test/all.mjs"]
                .iter()
                .map(PathBuf::from)
                .collect();
        let found = reaching(root, &files, &subject, &TsConfig::default());
        let expected = ["src/stats.test.ts", "test/all.mjs", "src/a.test.ts"].map(PathBuf::from);
        assert_eq!(found, expected);
    }

    #[test]
    fn tests_import_by_aliases_and_by_the_packages_own_name_too() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let write = |path: &str, text: &str| put(root, path, text);
        let source = "// @spec Median.\nexport function median(xs: number[]): number {}\n";
        write("src/stats.ts", source);
        write(
            "package.json",
            r#"{"name": "@our/stats", "exports": {".": "./src/index.ts", "./*": {"import": "./src/*.ts"}}}"#,
        );
        write("tsconfig.json", r#"{"compilerOptions": {"paths": {"~/*": ["./src/*"]}}}"#);
        write("src/index.ts", "export * from './stats.js';\n");
        write("test/a.test.ts", "import { median } from '~/stats';\n");
        write("test/b.test.ts", "import { median } from '@our/stats';\n");
        write("test/c.test.ts", "import { median } from '@our/stats/stats';\n");
        write("test/d.test.ts", "import { median } from '@our/stats-more';\n");
        let task = analyse(&root.join("src/stats.ts"), &Arc::from(source)).tasks.remove(0);
        let subject = Subject { previous: Arc::clone(&task.source), task, workspace: Some(root.to_owned()) };
        let files: Vec<PathBuf> = ["a", "b", "c", "d"].iter().map(|f| format!("test/{f}.test.ts").into()).collect();
        let config = TsConfig::of(&root.join("src/stats.ts"), root);
        assert_eq!(reaching(root, &files, &subject, &config), files[..3]);
    }

    #[test]
    fn names_that_runners_take_for_tests() {
        for path in ["a.test.ts", "src/a.spec.jsx", "src/__tests__/a.ts", "test/a.mjs", "tests/deep/a.cjs", "a_test.js"]
        {
            assert!(is_test_file(Path::new(path)), "{path}");
        }
        for path in ["a.ts", "src/test.d.ts", "contest.ts", "test/data.json", "latest.js"] {
            assert!(!is_test_file(Path::new(path)), "{path}");
        }
    }
}
