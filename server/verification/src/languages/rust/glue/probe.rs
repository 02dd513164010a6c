//! The pieces of generated code, and which of them a compiler's error means.

use std::ops::Range;

/// One piece of generated code that the spec's author may have got wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in super::super) enum Probe {
    /// An example.
    Example(usize),
    /// A call that must fail.
    Raises(usize),
    /// An expression of `@budget`.
    Budget(usize),
    /// A clause of `@requires`.
    Requires(usize),
    /// A clause of `@ensures`.
    Ensures(usize),
    /// A law.
    Law(usize),
    /// The arguments of an example's call.
    Pool(usize),
    /// Making up values of one of the file's own types.
    Type(usize),
    /// Everything that inputs need.
    Inputs,
    /// That the function is the one that is compiled, where a condition could leave it out.
    Presence,
    /// What the function gives when it is to be wrong.
    Wrong,
}

/// Text in pieces.
#[derive(Debug, Default)]
pub(in super::super) struct Pieces {
    text: String,
    marks: Vec<(Range<usize>, Probe)>,
}

impl Pieces {
    /// Adds lines that belong to a probe, or to nobody.
    pub fn add(&mut self, probe: Option<Probe>, lines: &str) {
        let start = self.lines();
        self.text.push_str(lines);
        if !lines.ends_with('\n') {
            self.text.push('\n');
        }
        if let Some(probe) = probe {
            self.marks.push((start..self.lines(), probe));
        }
    }

    fn lines(&self) -> usize {
        self.text.bytes().filter(|b| *b == b'\n').count()
    }

    /// The text, and the probes by the lines that they stand on (0-based).
    pub fn into_parts(self) -> (String, Vec<(Range<usize>, Probe)>) {
        (self.text, self.marks)
    }
}
