//! Layer 2: what a type checker says, and the ways around it that an edit may not add.

/// A way around the type checker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escape {
    /// A type that switches checking off (`Any`, `any`, `unknown as`).
    AnyType,
    /// A conversion that is believed unchecked.
    Cast,
    /// A comment that silences a checker.
    Suppression,
}

impl Escape {
    /// The rule's name in a finding's code, `types.<name>`.
    pub fn name(self) -> &'static str {
        match self {
            Escape::AnyType => "escape-any",
            Escape::Cast => "escape-cast",
            Escape::Suppression => "suppression",
        }
    }

    /// What it does, as one sentence.
    pub fn message(self, text: &str) -> String {
        match self {
            Escape::AnyType => format!("`{text}` switches type checking off for everything it touches"),
            Escape::Cast => format!("`{text}` is believed by the type checker and checked by nobody"),
            Escape::Suppression => format!("`{text}` silences a checker; the edit must pass it instead"),
        }
    }
}
