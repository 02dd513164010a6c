//! Layer 7: what code reaches for. The names of the capabilities are the same in every language;
//! which calls stand for which is the adapter's table.

use std::fmt;

use zeroerr_core::task_specification::Spec;

/// Something outside of pure computation that code may reach for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Capability {
    /// Talks to other machines.
    Network,
    /// Starts, signals or ends processes.
    Process,
    /// Reads or writes files.
    Files,
    /// Turns data into code: `eval`, dynamic imports, unpickling.
    Evaluation,
    /// Leaves the language: foreign functions, raw memory.
    Native,
    /// Reads or changes what the process was given: environment, working folder, interpreter state.
    Environment,
    /// Reaches around the language's own walls: module patching, frames, `__globals__`.
    Reflection,
}

impl Capability {
    /// The rule's name in a finding's code, `security.<name>`.
    pub fn name(self) -> &'static str {
        match self {
            Capability::Network => "network",
            Capability::Process => "process",
            Capability::Files => "files",
            Capability::Evaluation => "evaluation",
            Capability::Native => "native",
            Capability::Environment => "environment",
            Capability::Reflection => "reflection",
        }
    }

    /// What code with this capability does, as the predicate of a sentence.
    pub fn phrase(self) -> &'static str {
        match self {
            Capability::Network => "reaches the network",
            Capability::Process => "controls processes",
            Capability::Files => "touches files",
            Capability::Evaluation => "turns data into code",
            Capability::Native => "leaves the language",
            Capability::Environment => "touches the process's environment",
            Capability::Reflection => "reaches around the language's walls",
        }
    }
}

impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One use of a capability.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reach {
    /// What it amounts to.
    pub capability: Capability,
    /// What is used, by its full name: `os.system`, `open`.
    pub target: String,
    /// 1-based line.
    pub line: usize,
}

/// Whether the spec's `@uses` names `target`, or a module that holds it.
///
/// `@uses socket` permits `socket.create_connection`; `@uses os.path` does not permit `os.system`.
pub fn permits(spec: &Spec, target: &str) -> bool {
    spec.uses
        .iter()
        .flat_map(|c| c.text.split([',', ' ']))
        .filter(|name| !name.is_empty())
        .any(|name| target.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', ':'])))
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroerr_core::code::TextRange;
    use zeroerr_core::task_specification::Clause;

    #[test]
    fn a_permission_covers_the_module_it_names_and_nothing_beside_it() {
        let clause = Clause { text: "socket, os.path".into(), range: TextRange::default() };
        let spec = Spec { uses: vec![clause], ..Spec::default() };
        assert!(permits(&spec, "socket"));
        assert!(permits(&spec, "socket.create_connection"));
        assert!(!permits(&spec, "socketserver.TCPServer"));
        assert!(!permits(&spec, "os.system"));
        assert!(!permits(&Spec::default(), "socket"));
    }
}
