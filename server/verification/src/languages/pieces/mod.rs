//! What is found in a file, found piece by piece: a key costs what the piece costs that it is typed into.
//!
//! A file is cut at top level ([`cut`]), each piece is analysed as a text of its own, and what is found in it is
//! remembered together with the names of other pieces that it depends on ([`elsewhere`]). Pieces are known again by
//! their text, so nothing has to be told of an edit, and what is found depends on the text of the file alone.

pub(crate) mod cut;
pub(crate) mod elsewhere;

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use zeroerr_core::code::{FileAnalysis, LanguageId, ScopeName, Task};

use cut::{Cuts, Earlier};
use elsewhere::{Asked, Bound, Elsewhere, FileNames};

/// Files that are remembered, of all languages together.
const FILES: usize = 8;
/// Pieces of a file's earlier texts that are remembered: an undo brings them back.
const RETIRED: usize = 256;

/// What a language can tell of a piece. Everything is a function of its arguments alone.
pub(crate) struct Reader {
    /// The language.
    pub language: LanguageId,
    /// Where the pieces of a file begin, given where those of an earlier text of it did.
    pub cut: fn(&str, Option<Earlier<'_>>) -> Cuts,
    /// Whether there may be a spec in a piece. Most files have none, and need no parsing.
    pub may_have_spec: fn(&str) -> bool,
    /// What it binds for the other pieces.
    pub bound: fn(&Path, &str) -> Bound,
    /// What is found in it.
    pub analyse: fn(&Path, &Arc<str>, &Elsewhere<'_>) -> FileAnalysis,
    /// The names of its top level.
    pub names: fn(&str) -> Vec<ScopeName>,
}

/// One piece of a file.
struct Piece {
    text: Arc<str>,
    /// Whether it is not the beginning of its file.
    later: bool,
    may_have_spec: bool,
    bound: OnceLock<Bound>,
    names: OnceLock<Vec<ScopeName>>,
    found: Mutex<Option<Found>>,
}

/// What was found in a piece, and as long as what it holds.
#[derive(Clone)]
struct Found {
    analysis: Arc<FileAnalysis>,
    asked: Arc<Asked>,
    /// The names for which it is known to hold.
    file: Arc<FileNames>,
}

/// A file as it was analysed last.
#[derive(Clone)]
struct Memory {
    reader: &'static Reader,
    path: PathBuf,
    cuts: Arc<Cuts>,
    pieces: Arc<[Arc<Piece>]>,
    names: Option<Arc<FileNames>>,
    retired: Arc<[Arc<Piece>]>,
}

/// Newest first. A memory of what is a function of the text, so nobody can tell that it is shared.
static RECENT: Mutex<VecDeque<Memory>> = Mutex::new(VecDeque::new());

/// Finds functions with specs in a file.
pub(crate) fn analyse(reader: &'static Reader, path: &Path, source: &Arc<str>) -> FileAnalysis {
    let last = recall(|m| m.reader.language == reader.language && m.path == path);
    let recut = recut(reader, source, last.as_ref());
    let mut names = None;
    let mut analysis = FileAnalysis::default();
    if recut.pieces.iter().any(|p| p.may_have_spec) {
        let same = last.as_ref().and_then(|m| m.names.clone()).filter(|_| recut.binds_the_same(reader, path));
        let file = same.unwrap_or_else(|| {
            Arc::new(FileNames::new(recut.pieces.iter().map(|p| p.bound.get_or_init(|| (reader.bound)(path, &p.text)))))
        });
        let mut at = 0;
        for piece in recut.pieces.iter() {
            if piece.may_have_spec {
                let found = piece.found(reader, path, &file);
                analysis.tasks.extend(found.tasks.iter().map(|task| placed(task, at, path, source)));
                analysis.diagnostics.extend(found.diagnostics.iter().map(|d| d.clone().moved(at)));
            }
            at += piece.text.len();
        }
        names = Some(file);
    }
    let again = |p: &&Arc<Piece>| !recut.removed.iter().any(|r| Arc::ptr_eq(r, p));
    let older = last.iter().flat_map(|m| m.retired.iter()).filter(again);
    let retired = recut.removed.iter().chain(older).take(RETIRED).cloned().collect();
    remember(Memory { reader, path: path.to_owned(), cuts: recut.cuts, pieces: recut.pieces, names, retired });
    analysis
}

/// The names of a file's top level, every name once, in file order.
pub(crate) fn names(reader: &Reader, source: &str) -> Vec<ScopeName> {
    let known = recall(|m| m.reader.language == reader.language && is_text_of(&m.pieces, source));
    let pieces = known.map_or_else(|| recut(reader, source, None).pieces, |m| m.pieces);
    let mut seen = HashSet::new();
    let all = pieces.iter().flat_map(|p| p.names.get_or_init(|| (reader.names)(&p.text)));
    all.filter(|name| seen.insert(name.name.as_str())).cloned().collect()
}

fn is_text_of(pieces: &[Arc<Piece>], source: &str) -> bool {
    let rest = pieces.iter().try_fold(source, |rest, piece| rest.strip_prefix(&*piece.text));
    rest.is_some_and(str::is_empty)
}

/// A task of a piece that begins at `at`, as one of the file.
fn placed(task: &Task, at: usize, path: &Path, source: &Arc<str>) -> Task {
    Task {
        file: path.to_owned(),
        language: task.language,
        source: Arc::clone(source),
        signature: task.signature.clone(),
        spec: task.spec.clone().moved(at),
        spec_range: task.spec_range.moved(at),
        function_range: task.function_range.moved(at),
        body_range: task.body_range.moved(at),
        class: task.class.clone(),
        is_stub: task.is_stub,
    }
}

impl Piece {
    fn new(reader: &Reader, text: &str, later: bool) -> Self {
        Self {
            text: text.into(),
            later,
            may_have_spec: (reader.may_have_spec)(text),
            bound: OnceLock::new(),
            names: OnceLock::new(),
            found: Mutex::new(None),
        }
    }

    fn is(&self, text: &str, later: bool) -> bool {
        self.later == later && *self.text == *text
    }

    fn found(&self, reader: &Reader, path: &Path, file: &Arc<FileNames>) -> Arc<FileAnalysis> {
        let slot = || self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let known = slot().clone();
        let new = match known {
            Some(found) if Arc::ptr_eq(&found.file, file) => return found.analysis,
            Some(found) if found.asked.still_holds(file) => Found { file: Arc::clone(file), ..found },
            _ => {
                let elsewhere = Elsewhere::new(file, self.later);
                let analysis = Arc::new((reader.analyse)(path, &self.text, &elsewhere));
                Found { analysis, asked: Arc::new(elsewhere.into_asked()), file: Arc::clone(file) }
            }
        };
        let analysis = Arc::clone(&new.analysis);
        *slot() = Some(new);
        analysis
    }
}

/// The pieces of a text, and how they differ from those of the last one.
struct Recut {
    cuts: Arc<Cuts>,
    pieces: Arc<[Arc<Piece>]>,
    /// How many of the first and of the last are those of the last text.
    kept: (usize, usize),
    /// Those of the last text between them.
    removed: Vec<Arc<Piece>>,
}

/// Cuts a text; a piece that was there before is the one that was there before.
fn recut(reader: &Reader, source: &str, last: Option<&Memory>) -> Recut {
    let (old, retired) = last.map_or((&[][..], &[][..]), |m| (&m.pieces, &m.retired));
    let cuts = (reader.cut)(source, last.map(|m| Earlier { cuts: &m.cuts, same: same_ends(old, source) }));
    let ends = cuts.starts.iter().skip(1).copied().chain([source.len()]);
    let texts: Vec<&str> = cuts.starts.iter().zip(ends).map(|(from, to)| source.get(*from..to).unwrap_or("")).collect();
    let is = |(n, (piece, text)): (usize, (&Arc<Piece>, &&str))| piece.is(text, n > 0);
    let head = old.iter().zip(&texts).enumerate().take_while(|pair| is(*pair)).count();
    let (old_rest, rest) = (&old[head..], &texts[head..]);
    let tail = old_rest.iter().rev().zip(rest.iter().rev()).take_while(|(p, text)| p.is(text, true)).count();
    let removed = &old_rest[..old_rest.len() - tail];
    let known: HashMap<&str, &Arc<Piece>> = retired.iter().chain(removed).map(|p| (&*p.text, p)).collect();
    let middle = rest[..rest.len() - tail].iter().enumerate().map(|(n, text)| {
        let later = head + n > 0;
        let same = known.get(text).filter(|p| p.later == later);
        same.map_or_else(|| Arc::new(Piece::new(reader, text, later)), |p| Arc::clone(p))
    });
    let pieces = old[..head].iter().cloned().chain(middle).chain(old[old.len() - tail..].iter().cloned()).collect();
    Recut { cuts: Arc::new(cuts), pieces, kept: (head, tail), removed: removed.to_vec() }
}

/// With how many of some pieces a text begins, and with how many of the others it ends.
fn same_ends(pieces: &[Arc<Piece>], mut text: &str) -> (usize, usize) {
    let mut head = 0;
    while let Some(rest) = pieces.get(head).and_then(|p| text.strip_prefix(&*p.text)) {
        (head, text) = (head + 1, rest);
    }
    let mut tail = 0;
    while let Some(rest) = pieces[head..].iter().nth_back(tail).and_then(|p| text.strip_suffix(&*p.text)) {
        (tail, text) = (tail + 1, rest);
    }
    (head, tail)
}

impl Recut {
    /// Whether the new pieces bind what those bound that they came for.
    fn binds_the_same(&self, reader: &Reader, path: &Path) -> bool {
        let (head, tail) = self.kept;
        let bound = |p: &Arc<Piece>| p.bound.get_or_init(|| (reader.bound)(path, &p.text)).clone();
        let added = &self.pieces[head..self.pieces.len() - tail];
        added.len() == self.removed.len() && added.iter().zip(&self.removed).all(|(a, b)| bound(a) == bound(b))
    }
}

fn recall(is: impl Fn(&Memory) -> bool) -> Option<Memory> {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).iter().find(|m| is(m)).cloned()
}

fn remember(new: Memory) {
    let mut recent = RECENT.lock().unwrap_or_else(PoisonError::into_inner);
    recent.retain(|m| m.reader.language != new.reader.language || m.path != new.path);
    recent.push_front(new);
    recent.truncate(FILES);
}

/// Forgets every file, so that the next analysis is one from scratch.
#[cfg(test)]
pub(crate) fn forget() {
    RECENT.lock().unwrap_or_else(PoisonError::into_inner).clear();
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
