//! Where a file stands among the modules of its project: what it is called when it is imported, and where its own
//! imports are looked for.

use std::path::{Path, PathBuf};

use super::reach::imports_below;
use super::tree::parse;

/// The folder whose name is not part of any module's name, though `__init__` files may be missing below it.
const SOURCES: &str = "src";
/// The folder beside a copy of a project that holds what the project would install of itself.
const INSTALLED: &str = "installed";

/// What an import statement, or a call of `import_module` with a literal, asks for: the module with its leading dots,
/// and a name that is taken from it.
pub(super) fn imports(text: &str) -> Vec<(String, Option<String>)> {
    let Some(tree) = parse(text) else { return Vec::new() };
    let stated = imports_below(tree.root_node(), text).into_iter().map(|i| (i.module, i.name));
    let called = text.split("import_module(").skip(1).filter_map(|rest| {
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let name = rest.get(1..)?.split(quote).next()?;
        let is_module = !name.is_empty() && name.trim_start_matches('.').split('.').all(is_name);
        is_module.then(|| (name.to_owned(), None))
    });
    stated.chain(called).collect()
}

/// The dotted name of a file and the folder that its first part lies in.
///
/// Packages without `__init__` files count where the file's relative imports need them.
pub(super) fn module_name(root: &Path, file: &Path, text: &str) -> (String, PathBuf) {
    let mut parts = vec![stem(file)];
    let mut top = file.parent().unwrap_or(root).to_path_buf();
    while is_below(&top, root) && top.join("__init__.py").is_file() {
        parts.insert(0, last(&top));
        top.pop();
    }
    let dots = |module: &str| module.chars().take_while(|c| *c == '.').count();
    let deepest = imports(text).iter().map(|(module, _)| dots(module)).max().unwrap_or(0);
    if deepest >= parts.len() {
        while is_below(&top, root) && top != root.join(SOURCES) && is_name(&last(&top)) {
            parts.insert(0, last(&top));
            top.pop();
        }
    }
    if parts.last().is_some_and(|p| p == "__init__") && parts.len() > 1 {
        parts.pop();
    }
    let is_module = parts.iter().all(|p| is_name(p)) && parts != ["__init__"];
    (if is_module { parts.join(".") } else { "subject".into() }, top)
}

/// Where imports are looked for: beside the outermost package, at the root, in `src`, in a folder above the file that
/// holds what it imports, and among what the project would install.
pub(super) fn search_paths(root: &Path, file: &Path, text: &str) -> Vec<PathBuf> {
    let (_, top) = module_name(root, file, text);
    let mut paths = vec![top];
    let mut add = |path: PathBuf| {
        if !paths.contains(&path) {
            paths.push(path);
        }
    };
    add(root.to_path_buf());
    add(root.join(SOURCES));
    let firsts: Vec<String> = imports(text).into_iter().filter_map(|(m, _)| first(&m).map(str::to_owned)).collect();
    let has = |folder: &Path, name: &str| folder.join(name).is_dir() || folder.join(format!("{name}.py")).is_file();
    let above: Vec<PathBuf> = folders_above(file, root).collect();
    for name in firsts {
        let known = [root.to_path_buf(), root.join(SOURCES)].iter().any(|p| has(p, &name));
        if let Some(folder) = above.iter().find(|f| has(f, &name)).filter(|_| !known) {
            add(folder.clone());
        }
    }
    let installed = installed(root);
    if installed.is_dir() {
        add(installed);
    }
    paths
}

/// Where a copy with this root holds what the project would install of itself.
pub(super) fn installed(root: &Path) -> PathBuf {
    root.with_file_name(INSTALLED)
}

/// The folders around a file up to and with the root, the innermost first.
pub(super) fn folders_above<'p>(file: &'p Path, root: &'p Path) -> impl Iterator<Item = PathBuf> + 'p {
    file.ancestors().skip(1).take_while(move |f| f.starts_with(root)).map(Path::to_path_buf)
}

/// The first part of an absolute module name.
fn first(module: &str) -> Option<&str> {
    module.split('.').next().filter(|p| !p.is_empty())
}

fn is_below(folder: &Path, root: &Path) -> bool {
    folder.starts_with(root) && folder != root
}

fn last(folder: &Path) -> String {
    folder.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

fn stem(file: &Path) -> String {
    file.file_stem().map_or_else(String::new, |s| s.to_string_lossy().into_owned())
}

fn is_name(part: &str) -> bool {
    let is_letter = |c: char| c.is_alphanumeric() || c == '_';
    !part.is_empty() && part.chars().all(is_letter) && !part.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The name of the last file and its search paths, below a root that holds all of them.
    fn placed(files: &[&str], text: &str) -> (String, Vec<String>) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("project");
        for name in files {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let file = root.join(files.last().unwrap());
        let below = |p: PathBuf| p.strip_prefix(&root).unwrap().display().to_string();
        let paths = search_paths(&root, &file, text).into_iter().map(below).collect();
        (module_name(&root, &file, text).0, paths)
    }

    #[test]
    fn packages_without_init_files_count_where_an_import_needs_them() {
        let (name, paths) = placed(&["acme/tools/util.py", "acme/tools/a.py"], "from .util import one\n");
        assert_eq!((name.as_str(), paths.join(" ").as_str()), ("acme.tools.a", " src"));
        let (name, _) = placed(&["src/acme/tools/a.py"], "from ..x import one\n");
        assert_eq!(name, "acme.tools.a");
        let (name, _) = placed(&["acme/tools/a.py"], "from acme.tools.util import one\n");
        assert_eq!(name, "a");
        let (name, _) = placed(&["my-tools/a.py"], "from .util import one\n");
        assert_eq!(name, "a", "a folder that is no name is no package");
    }

    #[test]
    fn imports_are_found_above_the_file() {
        let files = ["backend/app/__init__.py", "backend/app/util.py", "backend/app/a.py"];
        let (name, paths) = placed(&files, "from app.util import one\n");
        assert_eq!((name.as_str(), paths.join(" ").as_str()), ("app.a", "backend  src"));
        let files = ["lib/acme/util.py", "lib/acme/a.py"];
        assert_eq!(
            placed(&files, "import importlib\nm = importlib.import_module('acme.util')\n").1.join(" "),
            "lib/acme  src lib"
        );
    }
}
