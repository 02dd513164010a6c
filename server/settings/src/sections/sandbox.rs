//! `sandbox`: what generated code may do while it is tried.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether generated code is confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SandboxMode {
    /// Confined; where the kernel cannot do it, nothing is run.
    #[default]
    On,
    /// Not confined. Only the user's own configuration may say so.
    Off,
}

/// Confinement of generated code.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sandbox {
    /// `on`, or `off` to run generated code with all your rights.
    pub mode: SandboxMode,
    /// What one program may use up.
    pub limits: SandboxLimits,
}

/// What one program may use up, as a whole process tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SandboxLimits {
    /// Wall time in seconds.
    #[schemars(range(min = 1, max = 3600))]
    pub wall_seconds: u64,
    /// CPU time in seconds.
    #[schemars(range(min = 1, max = 3600))]
    pub cpu_seconds: u64,
    /// Memory in MiB.
    #[schemars(range(min = 64, max = 1_048_576))]
    pub memory_mib: u64,
    /// Processes and threads.
    #[schemars(range(min = 1, max = 65_536))]
    pub processes: u64,
    /// Largest file it may write, in MiB.
    #[schemars(range(min = 1, max = 65_536))]
    pub file_size_mib: u64,
    /// Open files.
    #[schemars(range(min = 16, max = 65_536))]
    pub open_files: u64,
    /// Kept output of each of stdout and stderr in KiB; a program that writes more is killed.
    #[schemars(range(min = 16, max = 1_048_576))]
    pub output_kib: u64,
}

impl Default for SandboxLimits {
    fn default() -> Self {
        Self {
            wall_seconds: 10,
            cpu_seconds: 10,
            memory_mib: 1024,
            processes: 64,
            file_size_mib: 64,
            open_files: 256,
            output_kib: 1024,
        }
    }
}
