//! Places in source text and the functions found there, independent of any language or protocol.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;

use crate::task_specification::{Severity, Spec, SpecDiagnostic};

/// A half-open range of byte offsets into one source text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, Default)]
pub struct TextRange {
    /// First byte.
    pub start: usize,
    /// One past the last byte.
    pub end: usize,
}

impl TextRange {
    /// The range `start..end`; an inverted pair is taken as empty at `start`.
    pub fn new(start: usize, end: usize) -> Self {
        Self { start, end: end.max(start) }
    }
    /// The same range, `by` bytes further down.
    pub fn moved(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }
    /// Length in bytes.
    pub fn len(self) -> usize {
        self.end - self.start
    }
    /// Whether the range holds no byte.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }
    /// Whether `offset` lies in the range or at its end (a cursor after the last character counts).
    pub fn touches(self, offset: usize) -> bool {
        self.start <= offset && offset <= self.end
    }
    /// Whether the two ranges share a byte or a boundary.
    pub fn overlaps(self, other: TextRange) -> bool {
        self.start <= other.end && other.start <= self.end
    }
    /// The text, or `""` when the range does not fit `source` (never panics).
    pub fn slice(self, source: &str) -> &str {
        source.get(self.start..self.end).unwrap_or("")
    }
}

/// The 1-based line of a byte offset; offsets past the end belong to the last line.
pub fn line_of(source: &str, offset: usize) -> usize {
    let end = offset.min(source.len());
    1 + source.as_bytes()[..end].iter().filter(|&&b| b == b'\n').count()
}

/// A programming language that an adapter exists for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, PartialOrd, Ord)]
#[serde(rename_all = "lowercase")]
pub enum LanguageId {
    /// Python 3.
    Python,
    /// Rust.
    Rust,
    /// TypeScript and JavaScript.
    TypeScript,
}

impl LanguageId {
    /// The language of a path by its extension.
    pub fn from_path(path: &std::path::Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        [Self::Python, Self::Rust, Self::TypeScript].into_iter().find(|id| id.extensions().contains(&extension))
    }
    /// Every extension that its files may have, the usual one first.
    pub fn extensions(self) -> &'static [&'static str] {
        match self {
            Self::Python => &["py", "pyi"],
            Self::Rust => &["rs"],
            Self::TypeScript => &["ts", "tsx", "js", "jsx", "mts", "cts", "mjs", "cjs"],
        }
    }
    /// The extension that its files usually have.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Python => "py",
            Self::Rust => "rs",
            Self::TypeScript => "ts",
        }
    }
    /// The name that people write.
    pub fn title(self) -> &'static str {
        match self {
            Self::Python => "Python",
            Self::Rust => "Rust",
            Self::TypeScript => "TypeScript",
        }
    }
    /// The lower-case name, as editors spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Rust => "rust",
            Self::TypeScript => "typescript",
        }
    }
}

/// How a parameter is passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParamKind {
    /// By position (or by name).
    Plain,
    /// Only by name.
    KeywordOnly,
    /// `*args` or a rest parameter.
    Rest,
    /// `**kwargs`.
    KeywordRest,
}

/// One parameter of a signature, as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Its type annotation, as written.
    pub annotation: Option<String>,
    /// Its default, as written.
    pub default: Option<String>,
    /// How it is passed.
    pub kind: ParamKind,
}

/// The signature of a function, as written in the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// The function's name.
    pub name: String,
    /// Parameters in order, without a method's receiver.
    pub params: Vec<Param>,
    /// The return annotation, as written.
    pub returns: Option<String>,
    /// Whether it is an `async` function.
    pub is_async: bool,
    /// The header exactly as written, from `def`/`fn`/`function` to before the body.
    pub header: String,
}

/// One function of a file together with its spec: what a run is asked to write, or to verify.
///
/// All ranges are byte offsets into `source`.
#[derive(Debug, Clone, PartialEq)]
pub struct Task {
    /// The file, absolute where the caller knows it.
    pub file: PathBuf,
    /// Its language.
    pub language: LanguageId,
    /// The whole file, as the editor has it now.
    pub source: Arc<str>,
    /// The signature to be implemented.
    pub signature: Signature,
    /// What it must do.
    pub spec: Spec,
    /// The spec block: the comment lines above the function, or its docstring.
    pub spec_range: TextRange,
    /// The function with its decorators, header, docstring and body.
    pub function_range: TextRange,
    /// The body without the docstring; what an edit replaces.
    pub body_range: TextRange,
    /// The enclosing class, if the function is a method.
    pub class: Option<String>,
    /// Whether the body is a placeholder (`...`, `pass`, `raise NotImplementedError`).
    pub is_stub: bool,
}

/// What a name of a file stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A function.
    Function,
    /// A class, or another type.
    Class,
    /// A module.
    Module,
    /// Anything else.
    Variable,
}

/// A name that a file binds at its top level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeName {
    /// The name.
    pub name: String,
    /// What it stands for.
    pub kind: NameKind,
    /// What a reader should know of it: a signature, an import.
    pub detail: String,
}

/// What a file holds for us: the functions with specs, and what is wrong with the specs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct FileAnalysis {
    /// Functions with a spec, in file order.
    pub tasks: Vec<Task>,
    /// Faults of the spec blocks, in file order.
    pub diagnostics: Vec<SpecDiagnostic>,
}

impl FileAnalysis {
    /// The task whose spec or function touches a byte offset (the innermost, when they nest).
    pub fn task_at(&self, offset: usize) -> Option<&Task> {
        self.tasks
            .iter()
            .filter(|t| t.function_range.touches(offset) || t.spec_range.touches(offset))
            .min_by_key(|t| t.function_range.len())
    }
    /// The task of a function by its name.
    pub fn task_named(&self, name: &str) -> Option<&Task> {
        self.tasks.iter().find(|t| t.signature.name == name)
    }
    /// The first error in a task's spec block: what cannot be read is nothing that code was held to.
    pub fn spec_error(&self, task: &Task) -> Option<&SpecDiagnostic> {
        self.diagnostics.iter().find(|d| d.severity == Severity::Error && d.range.overlaps(task.spec_range))
    }
}

/// Code taken from an unflagged sample.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Candidate {
    /// The function exactly as it would stand at top level, header included, dedented.
    pub function: String,
    /// The body of the function alone, dedented, without the docstring.
    pub body: String,
    /// Import statements the sample put before the function, one per entry.
    pub imports: Vec<String>,
}

/// A change of one file: replace `range` by `new_text`. Several changes never overlap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextEdit {
    /// What is replaced.
    pub range: TextRange,
    /// By what.
    pub new_text: String,
}

/// Applies non-overlapping edits; an edit that does not fit the text yields `None`.
pub fn apply_edits(source: &str, edits: &[TextEdit]) -> Option<String> {
    let mut sorted: Vec<&TextEdit> = edits.iter().collect();
    sorted.sort_by_key(|e| (e.range.start, e.range.end));
    let mut out = String::with_capacity(source.len() + 256);
    let mut at = 0;
    for edit in sorted {
        if edit.range.start < at {
            return None;
        }
        out.push_str(source.get(at..edit.range.start)?);
        out.push_str(&edit.new_text);
        at = edit.range.end;
    }
    out.push_str(source.get(at..)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_that_overlap_or_miss_the_text_are_refused() {
        let e = |a, b, t: &str| TextEdit { range: TextRange::new(a, b), new_text: t.into() };
        assert_eq!(apply_edits("abcdef", &[e(3, 4, "X"), e(0, 1, "Y")]).as_deref(), Some("YbcXef"));
        assert_eq!(apply_edits("abcdef", &[e(0, 3, ""), e(2, 4, "")]), None);
        assert_eq!(apply_edits("é", &[e(1, 1, "x")]), None, "inside a character");
        assert_eq!(apply_edits("ab", &[e(1, 9, "x")]), None);
    }

    #[test]
    fn lines_are_counted_from_one() {
        assert_eq!(line_of("a\nb\n", 0), 1);
        assert_eq!(line_of("a\nb\n", 2), 2);
        assert_eq!(line_of("a\nb\n", 99), 3);
    }
}
