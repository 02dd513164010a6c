//! Packages that lie beside one another in one repository: what stands above a package, and its neighbours by name.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

use super::tsconfig;

/// Most packages that are looked at.
const MOST: usize = 500;
/// How deep `**` reaches.
const DEPTH: usize = 4;
/// Where the source of a package lies that says where its build does.
const SOURCES: [&str; 2] = ["src/index", "index"];
/// Folders that are nobody's package.
const FOREIGN: [&str; 2] = ["node_modules", ".git"];

/// The folder that holds the packages that a package belongs to: the nearest above it that names them, else the
/// repository's; the package itself when there is none.
pub(super) fn top_of(package: &Path) -> PathBuf {
    let mut repository = None;
    for folder in package.ancestors() {
        if !patterns(folder).is_empty() {
            return folder.to_owned();
        }
        if folder.join(".git").exists() {
            repository = Some(folder.to_owned());
            break;
        }
    }
    repository.unwrap_or_else(|| package.to_owned())
}

/// What `workspaces` of `package.json` and pnpm's file say.
fn patterns(folder: &Path) -> Vec<String> {
    let texts =
        |value: &Value| value.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let mut found: Vec<String> = json(&folder.join("package.json")).map_or_else(Vec::new, |package| {
        let said = &package["workspaces"];
        texts(if said.is_object() { &said["packages"] } else { said })
    });
    let listed = std::fs::read_to_string(folder.join("pnpm-workspace.yaml")).unwrap_or_default();
    let lines = listed.lines().skip_while(|l| !l.starts_with("packages:")).skip(1);
    let items = lines.take_while(|l| l.starts_with([' ', '-', '#']) || l.is_empty());
    found.extend(items.filter_map(|l| Some(l.trim().strip_prefix('-')?.trim().trim_matches(['"', '\'']).to_owned())));
    found.retain(|pattern| !pattern.starts_with('!'));
    found
}

/// What bare specifiers of the packages below a folder mean: patterns with what they stand for, as in `paths`.
pub(super) fn neighbours(top: &Path) -> Vec<(String, Vec<PathBuf>)> {
    let mut folders: Vec<PathBuf> = Vec::new();
    for pattern in patterns(top) {
        let is_plain = Path::new(&pattern).components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        if is_plain {
            matching(top, pattern.trim_start_matches("./").trim_end_matches('/'), DEPTH, &mut folders);
        }
    }
    folders.sort();
    folders.dedup();
    folders.iter().filter_map(|folder| Some((folder, json(&folder.join("package.json"))?))).flat_map(named).collect()
}

/// The folders that a pattern such as `packages/*` means.
fn matching(from: &Path, pattern: &str, depth: usize, out: &mut Vec<PathBuf>) {
    let (head, rest) = pattern.split_once('/').map_or((pattern, None), |(head, rest)| (head, Some(rest)));
    if out.len() >= MOST {
        return;
    }
    let mut below = |folder: PathBuf| match rest {
        Some(rest) => matching(&folder, rest, depth, out),
        None if out.len() < MOST => out.push(folder),
        None => {}
    };
    if !head.contains('*') {
        below(from.join(head));
        return;
    }
    for folder in folders_in(from) {
        let name = folder.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let (start, end) = head.split_once('*').unwrap_or((head, ""));
        if head == "**" || (name.starts_with(start) && name.ends_with(end) && name.len() + 1 >= head.len()) {
            below(folder.clone());
        }
    }
    if head == "**" && depth > 0 {
        folders_in(from).into_iter().for_each(|folder| matching(&folder, pattern, depth - 1, out));
    }
}

fn folders_in(from: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(from).into_iter().flatten().flatten();
    let own = entries.filter(|e| e.file_type().is_ok_and(|t| t.is_dir()));
    let mut found: Vec<PathBuf> =
        own.filter(|e| e.file_name().to_str().is_some_and(|n| !FOREIGN.contains(&n))).map(|e| e.path()).collect();
    found.sort();
    found
}

/// What a package's own name means, and what lies below it.
fn named((folder, package): (&PathBuf, Value)) -> Vec<(String, Vec<PathBuf>)> {
    let Some(name) = package["name"].as_str() else { return Vec::new() };
    // The source says what the build will be.
    let mut entries: Vec<PathBuf> = Vec::new();
    entries.extend(package["source"].as_str().map(|p| folder.join(p)));
    let mut said = Vec::new();
    let exports = &package["exports"];
    texts_of(if exports["."].is_null() { exports } else { &exports["."] }, &mut said);
    said.extend(["module", "main"].iter().filter_map(|field| package[*field].as_str().map(str::to_owned)));
    let (typed, other): (Vec<String>, Vec<String>) =
        said.into_iter().partition(|p| p.ends_with(".ts") || p.ends_with(".tsx"));
    let is_source = |p: &String| !p.ends_with(".d.ts") && !p.contains('*');
    entries.extend(typed.iter().filter(|p| is_source(p)).map(|p| folder.join(tidy(p))));
    entries.extend(SOURCES.map(|p| folder.join(p)));
    entries.extend(other.iter().filter(|p| is_source(p) && p.contains('.')).map(|p| folder.join(tidy(p))));
    let below = vec![folder.join("*"), folder.join("src/*")];
    vec![(name.to_owned(), entries), (format!("{name}/*"), below)]
}

fn tidy(path: &str) -> &str {
    path.trim_start_matches("./")
}

/// All texts in what `exports` says of one entry.
fn texts_of(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Object(fields) => {
            fields.iter().filter(|(name, _)| !name.starts_with('.')).for_each(|(_, value)| texts_of(value, out));
        }
        Value::Array(items) => items.iter().for_each(|value| texts_of(value, out)),
        _ => {}
    }
}

fn json(path: &Path) -> Option<Value> {
    tsconfig::parse(&std::fs::read_to_string(path).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_known_by_their_names_and_what_is_above_them_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let top = folder.path();
        let write = |path: &str, text: &str| {
            std::fs::create_dir_all(top.join(path).parent().unwrap()).unwrap();
            std::fs::write(top.join(path), text).unwrap();
        };
        write("package.json", r#"{ "workspaces": ["packages/*", "./tools"] }"#);
        write("packages/a/package.json", r#"{ "name": "@acme/a" }"#);
        write(
            "packages/b/package.json",
            r#"{ "name": "@acme/b", "exports": { ".": { "types": "./dist/index.d.ts", "default": "./dist/index.js" } } }"#,
        );
        write("packages/node_modules/x/package.json", r#"{ "name": "x" }"#);
        write("tools/package.json", r#"{ "name": "tools", "source": "lib/all.ts" }"#);
        assert_eq!(top_of(&top.join("packages/a")), top);
        let found = neighbours(top);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["@acme/a", "@acme/a/*", "@acme/b", "@acme/b/*", "tools", "tools/*"]);
        let of = |name: &str| found.iter().find(|(n, _)| n == name).unwrap().1.clone();
        assert_eq!(of("@acme/b").last(), Some(&top.join("packages/b/dist/index.js")));
        assert_eq!(of("tools").first(), Some(&top.join("tools/lib/all.ts")));

        let pnpm = tempfile::tempdir().unwrap();
        std::fs::write(
            pnpm.path().join("pnpm-workspace.yaml"),
            "packages:\n  - 'libs/**'\n  - \"!libs/old\"\ncatalog:\n  x: 1\n",
        )
        .unwrap();
        assert_eq!(patterns(pnpm.path()), ["libs/**"]);
        assert_eq!(top_of(&pnpm.path().join("libs/one")), pnpm.path());
    }
}
