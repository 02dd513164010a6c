//! What a piece of a file knows of the others: the names that they bind.
//!
//! What it asks is written down. As long as the answers are the same, so is what was found in the piece.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

/// What one piece binds for all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Bound {
    /// Names, sorted.
    names: Vec<String>,
    /// Whether it imports names that nobody can know.
    star: bool,
}

impl Bound {
    /// Names in any order.
    pub fn new(names: impl Iterator<Item = String>, star: bool) -> Self {
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names.dedup();
        Self { names, star }
    }
}

/// What all pieces of a file bind.
#[derive(Debug, Default)]
pub(crate) struct FileNames {
    names: HashSet<String>,
    star: bool,
    /// Equal for equal sets.
    hash: u64,
}

impl FileNames {
    /// Of all pieces.
    pub fn new<'b>(pieces: impl Iterator<Item = &'b Bound>) -> Self {
        let mut all = Self::default();
        for piece in pieces {
            all.star |= piece.star;
            for name in &piece.names {
                if !all.names.contains(name) {
                    let mut hasher = DefaultHasher::new();
                    name.hash(&mut hasher);
                    all.hash = all.hash.wrapping_add(hasher.finish());
                    all.names.insert(name.clone());
                }
            }
        }
        all
    }
}

/// What was asked, with the answers.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    names: BTreeMap<String, bool>,
    star: Option<bool>,
    all: Option<u64>,
}

impl Asked {
    /// Whether the answers would be the same now.
    pub fn still_holds(&self, file: &FileNames) -> bool {
        self.star.is_none_or(|star| star == file.star)
            && self.all.is_none_or(|hash| hash == file.hash)
            && self.names.iter().all(|(name, known)| file.names.contains(name) == *known)
    }
}

/// Answers a piece's questions about the rest of its file.
#[derive(Debug, Default)]
pub(crate) struct Elsewhere<'f> {
    file: Option<&'f FileNames>,
    /// Whether the text is not the beginning of its file.
    later: bool,
    names: RefCell<BTreeMap<String, bool>>,
    star: Cell<Option<bool>>,
    all: Cell<Option<u64>>,
}

impl<'f> Elsewhere<'f> {
    /// For a piece of a file, which is its beginning or not.
    pub fn new(file: &'f FileNames, later: bool) -> Self {
        Self { file: Some(file), later, ..Self::default() }
    }

    /// For a text that is a whole file.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Whether the text is not the beginning of its file.
    pub fn is_later(&self) -> bool {
        self.later
    }

    /// Whether another piece binds a name.
    pub fn binds(&self, name: &str) -> bool {
        let Some(file) = self.file else { return false };
        let known = file.names.contains(name);
        self.names.borrow_mut().insert(name.to_owned(), known);
        known
    }

    /// Whether another piece may bind a name: it does, or imports what nobody can know.
    pub fn may_bind(&self, name: &str) -> bool {
        let Some(file) = self.file else { return false };
        self.star.set(Some(file.star));
        file.star || self.binds(name)
    }

    /// Every name of the file.
    pub fn all(&self) -> impl Iterator<Item = &'f str> + use<'f> {
        self.all.set(self.file.map(|f| f.hash));
        self.file.into_iter().flat_map(|f| f.names.iter().map(String::as_str))
    }

    /// What was asked.
    pub fn into_asked(self) -> Asked {
        Asked { names: self.names.into_inner(), star: self.star.get(), all: self.all.get() }
    }
}
