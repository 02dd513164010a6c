//! The files behind `mod x;`: which file holds which module of a crate; and those that it takes in as they are.

use std::collections::HashSet;
use std::path::{Component, Path, PathBuf};

use tree_sitter::Node;

use super::tree::{children, parse, text};

/// Most files of one crate that are looked at.
const MOST: usize = 4_000;

/// One `mod x;`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Declared {
    /// The file that it means.
    pub file: PathBuf,
    /// Names of the modules from the declaring file to it; the last is its own.
    pub path: Vec<String>,
    /// Where `pub` would go, with whether it stands there already, for each of those modules.
    pub places: Vec<(usize, bool)>,
}

/// The modules that a file declares, whether their files exist or not: where both spellings could be
/// meant, the one that exists. `is_root` for the root of a crate.
pub(super) fn declared(source: &str, file: &Path, is_root: bool) -> Vec<Declared> {
    let Some(tree) = parse(source) else { return Vec::new() };
    let folder = file.parent().unwrap_or(Path::new(""));
    let stem = file.file_stem().unwrap_or_default();
    let own = if is_root || stem == "mod" { folder.to_path_buf() } else { folder.join(stem) };
    let mut out = Vec::new();
    collect(tree.root_node(), source, &own, folder, &mut (Vec::new(), Vec::new()), &mut out);
    out
}

type Trail = (Vec<String>, Vec<(usize, bool)>);

fn collect(list: Node<'_>, source: &str, base: &Path, folder: &Path, trail: &mut Trail, out: &mut Vec<Declared>) {
    let mut attribute: Option<String> = None;
    for node in children(list) {
        if node.kind() == "attribute_item" {
            attribute = attribute.or_else(|| path_attribute(text(node, source)));
            continue;
        }
        let given = attribute.take();
        if node.kind() != "mod_item" {
            continue;
        }
        let Some(name) = node.child_by_field_name("name").map(|n| text(n, source).to_owned()) else { continue };
        let visibility = children(node).into_iter().find(|n| n.kind() == "visibility_modifier");
        let place = visibility.map_or((node.start_byte(), false), |v| (v.start_byte(), text(v, source) == "pub"));
        trail.0.push(name.clone());
        trail.1.push(place);
        match node.child_by_field_name("body") {
            Some(body) => collect(body, source, &base.join(&name), folder, trail, out),
            None => {
                let files = match given {
                    Some(path) => vec![if trail.0.len() == 1 { folder.join(path) } else { base.join(path) }],
                    None => vec![base.join(format!("{name}.rs")), base.join(&name).join("mod.rs")],
                };
                let file = files.iter().find(|f| f.is_file()).or(files.first()).cloned();
                out.extend(file.map(|file| Declared { file, path: trail.0.clone(), places: trail.1.clone() }));
            }
        }
        trail.0.pop();
        trail.1.pop();
    }
}

/// `x.rs` of `#[path = "x.rs"]`.
fn path_attribute(attribute: &str) -> Option<String> {
    let inner = attribute.trim_start_matches("#[").trim_end_matches(']');
    let value = inner.trim().strip_prefix("path")?.trim_start().strip_prefix('=')?;
    Some(value.trim().trim_matches('"').to_owned())
}

/// The way from a crate's root to one of its files: each file on the way with the declaration in it
/// that leads on. `None` when the crate does not hold the file.
pub(super) fn way(
    root: &Path,
    wanted: &Path,
    read: &dyn Fn(&Path) -> Option<String>,
) -> Option<Vec<(PathBuf, Declared)>> {
    if root == wanted {
        return Some(Vec::new());
    }
    let mut seen: HashSet<PathBuf> = HashSet::from([root.to_path_buf()]);
    let mut open: Vec<(PathBuf, Vec<(PathBuf, Declared)>)> = vec![(root.to_path_buf(), Vec::new())];
    while let Some((file, before)) = open.pop() {
        let Some(source) = read(&file) else { continue };
        for found in declared(&source, &file, file == root) {
            let mut trail = before.clone();
            let next = found.file.clone();
            trail.push((file.clone(), found));
            if next == wanted {
                return Some(trail);
            }
            if seen.len() < MOST && seen.insert(next.clone()) {
                open.push((next, trail));
            }
        }
    }
    None
}

/// A file with the modules that lead on made visible from outside.
pub(super) fn opened(source: &str, found: &Declared) -> String {
    let mut out = source.to_owned();
    for (place, _) in found.places.iter().rev().filter(|(_, is_public)| !is_public) {
        // A restricted `pub(super)` becomes a plain one.
        let rest = out.get(*place..).unwrap_or("");
        let restricted = rest.strip_prefix("pub").map(str::trim_start).filter(|r| r.starts_with('('));
        let skipped =
            restricted.and_then(|r| r.find(')')).map_or(0, |end| rest.len() - restricted.map_or(0, str::len) + end + 1);
        out.replace_range(*place..*place + skipped, "pub ");
    }
    out
}

/// Where files may lie that a file takes in with `include_str!` or `include_bytes!`: beside it, or below a folder above
/// it, as `concat!(env!("CARGO_MANIFEST_DIR"), "/x")` says.
pub(super) fn included(source: &str, file: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for word in ["include_str!", "include_bytes!"] {
        for rest in source.split(word).skip(1) {
            let texts = rest.split(';').next().unwrap_or("").split('"').skip(1).step_by(2);
            for text in texts {
                let below = text.trim_start_matches('/');
                out.extend(file.ancestors().skip(1).map(|folder| straight(&folder.join(below))));
            }
        }
    }
    out
}

/// A path without `.` and `..`.
fn straight(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::Normal(name) => out.push(name),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_taken_in_are_found() {
        let source = "const A: &str = include_str!(\"../keys/a.pem\");\nconst B: &[u8] = include_bytes!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \"/b.key\"));\nconst C: &str = \"c.pem\";";
        let found = included(source, Path::new("one/src/lib.rs"));
        let has = |path: &str| found.contains(&PathBuf::from(path));
        assert!(has("one/keys/a.pem") && has("one/b.key") && !has("keys/b.pem"), "{found:?}");
        assert!(!found.iter().any(|p| p.ends_with("c.pem")), "{found:?}");
    }

    #[test]
    fn files_of_modules_are_found_and_opened() {
        let files = [
            ("/c/src/lib.rs", "mod a;\npub(crate) mod b { mod c; }\n#[path = \"odd.rs\"]\nmod d;\n"),
            ("/c/src/a.rs", "pub mod inner;\n"),
            ("/c/src/a/inner.rs", "fn f() {}\n"),
        ];
        let read = |p: &Path| files.iter().find(|(f, _)| Path::new(f) == p).map(|(_, t)| (*t).to_owned());
        let root = Path::new("/c/src/lib.rs");
        let trail = way(root, Path::new("/c/src/a/inner.rs"), &read).unwrap();
        let names: Vec<String> = trail.iter().flat_map(|(_, d)| d.path.clone()).collect();
        assert_eq!(names, ["a", "inner"]);
        assert_eq!(opened(files[0].1, &trail[0].1).lines().next(), Some("pub mod a;"));
        assert_eq!(opened(files[1].1, &trail[1].1), files[1].1);
        let nested = way(root, Path::new("/c/src/b/c.rs"), &read).unwrap();
        assert_eq!(nested[0].1.path, ["b", "c"]);
        assert!(opened(files[0].1, &nested[0].1).contains("pub  mod b { pub mod c; }"));
        assert!(way(root, Path::new("/c/src/odd.rs"), &read).is_some());
        assert!(way(root, Path::new("/c/src/none.rs"), &read).is_none());
    }
}
