//! The repository's files, or a few made up ones.

use std::path::{Path, PathBuf};

/// One text file; `path` has forward slashes and starts at the repository.
#[derive(Debug, Clone)]
pub struct File {
    pub path: String,
    pub text: String,
}

/// Files to check.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    pub files: Vec<File>,
    /// Names in the repository's root, folders included.
    pub top: Vec<String>,
}

impl Tree {
    /// Everything that git would track and that is text.
    pub fn repository() -> Self {
        let root = root();
        let mut tree = Self::default();
        let walk = ignore::WalkBuilder::new(&root).hidden(false).filter_entry(|e| e.file_name() != ".git").build();
        for entry in walk.map(|e| e.expect("the repository can be read")) {
            let relative = entry
                .path()
                .strip_prefix(&root)
                .expect("below the root")
                .to_str()
                .expect("UTF-8 names")
                .replace('\\', "/");
            if entry.depth() == 1 {
                tree.top.push(relative.clone());
            }
            if entry.file_type().is_some_and(|t| t.is_file())
                && let Ok(text) = std::fs::read_to_string(entry.path())
            {
                tree.files.push(File { path: relative, text });
            }
        }
        tree.files.sort_by(|a, b| a.path.cmp(&b.path));
        assert!(tree.files.len() > 50, "the repository was not found at {}", root.display());
        tree
    }

    /// A tree of `(path, text)`.
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files: Vec<File> =
            files.iter().map(|(path, text)| File { path: (*path).into(), text: (*text).into() }).collect();
        let top = files.iter().filter_map(|f| f.path.split('/').next().map(str::to_owned)).collect();
        Self { files, top }
    }

    /// Files whose name ends in `.extension`.
    pub fn with_extension(&self, extension: &str) -> impl Iterator<Item = &File> {
        self.files.iter().filter(move |f| f.path.rsplit_once('.').is_some_and(|(_, e)| e == extension))
    }

    /// One file.
    pub fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|f| f.path == path)
    }
}

/// The repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the package lies in the repository").to_path_buf()
}

/// Fails with every complaint on a line of its own.
pub fn assert_clean(complaints: Vec<String>) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

/// Fails unless each of `fragments` is in a complaint of its own.
pub fn assert_complains(complaints: Vec<String>, fragments: &[&str]) {
    assert_eq!(complaints.len(), fragments.len(), "{complaints:#?}");
    for fragment in fragments {
        assert!(complaints.iter().any(|c| c.contains(fragment)), "nothing says {fragment:?}: {complaints:#?}");
    }
}
