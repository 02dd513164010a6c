//! Runs one tool on generated code, in the sandbox, and says what its end means.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use zeroerr_sandbox::{Exit, Job, LimitKind, Limits, Output};

use super::Failure;
use crate::toolchain::{Loaded, REMEDY, Toolchain};

/// One run of one tool.
pub struct Run<'a> {
    /// What reports call it.
    pub name: &'a str,
    /// Program and arguments.
    pub command: Vec<OsString>,
    /// The only environment it sees.
    pub env: Vec<(OsString, OsString)>,
    /// What it reads.
    pub stdin: Vec<u8>,
    /// Folders it may read.
    pub readable: Vec<PathBuf>,
    /// Folder it works in.
    pub scratch: PathBuf,
    /// CPU time; the wall time is four times that, for a machine that is busy.
    pub seconds: u64,
    /// Exit codes that mean that the tool did its work.
    pub accepted: &'a [i32],
    /// What an interpreter that waits for such runs has loaded; `None` for what is always started.
    pub loaded: Option<Loaded<'a>>,
}

/// Runs it and returns what it wrote.
///
/// # Errors
/// [`Failure::TimedOut`] at a time limit; [`Failure::Unavailable`] when it is missing, crashes, is
/// stopped at another limit, or ends with a code that is not accepted.
pub async fn run(tools: &Toolchain, run: Run<'_>) -> Result<Output, Failure> {
    let mut command = run.command.into_iter();
    let program = command.next().map(PathBuf::from).unwrap_or_default();
    let cpu = Duration::from_secs(run.seconds);
    let limits = Limits { wall: cpu * 4, cpu, memory: 2 << 30, output: 8 << 20, ..Limits::default() };
    let job = Job {
        program,
        args: command.collect(),
        env: run.env,
        stdin: run.stdin,
        readable: run.readable,
        scratch: run.scratch,
        limits,
    };
    let name = run.name;
    let fault = |output: &Output| fault(name, run.accepted, output);
    let output = match run.loaded {
        Some(loaded) => tools.run_loaded(name, job, loaded, fault).await?,
        None => tools.run_tool(name, job, fault).await?,
    };
    if let Some(why) = refusal(name, run.accepted, &output) {
        return Err(Failure::Unavailable(why));
    }
    if let Some(why) = fault(&output) {
        return Err(Failure::Unavailable(format!("{why}; {REMEDY}")));
    }
    match output.exit {
        Exit::Code(_) | Exit::Signal(_) => Ok(output),
        Exit::Limit(LimitKind::Wall | LimitKind::Cpu) => {
            Err(Failure::TimedOut(format!("{name} did not end within {} seconds of work", run.seconds)))
        }
        Exit::Limit(kind) => {
            Err(Failure::Unavailable(format!("{name} was stopped at the sandbox's limit of {}", limit_name(kind))))
        }
    }
}

/// Files of a project that configure tools.
const CONFIGS: [&str; 11] = [
    "pyproject.toml",
    "ruff.toml",
    ".ruff.toml",
    "setup.cfg",
    "mypy.ini",
    "ty.toml",
    "tox.ini",
    ".bandit",
    ".oxlintrc.json",
    "tsconfig.json",
    "package.json",
];

/// What a tool has against a file of the project's that configures it: no other installation would mend that, and the
/// tool has not failed.
fn refusal(name: &str, accepted: &[i32], output: &Output) -> Option<String> {
    if !matches!(output.exit, Exit::Code(code) if !accepted.contains(&code)) {
        return None;
    }
    let said = [&output.stderr, &output.stdout].map(|bytes| String::from_utf8_lossy(bytes)).join("\n");
    let mut words = said.split(|c: char| c.is_whitespace() || "`'\",:()".contains(c));
    let path = words.find(|word| CONFIGS.contains(&word.rsplit('/').next().unwrap_or(word)))?;
    // Tools see a copy of the project, and have files of these names themselves.
    let file = path.split_once("/project/").map_or(path, |(_, below)| below);
    if file.starts_with('/') || file.contains("node_modules/") {
        return None;
    }
    let why = last_words(output);
    let why = why.rsplit_once(path).map_or(why.as_str(), |(_, why)| why).trim_matches([' ', ':', '.']);
    Some(format!("{name} cannot read {file}: {why}; mend that file"))
}

/// Whether the tool itself has failed. Limits are the work of the code that it was given, and a broken configuration is
/// the project's.
fn fault(name: &str, accepted: &[i32], output: &Output) -> Option<String> {
    match output.exit {
        Exit::Code(code) if accepted.contains(&code) => None,
        Exit::Code(_) if refusal(name, accepted, output).is_some() => None,
        Exit::Code(code) => Some(format!("{name} ended with exit code {code}{}", last_words(output))),
        Exit::Signal(signal) => Some(format!("{name} was killed by signal {signal}{}", last_words(output))),
        Exit::Limit(_) => None,
    }
}

/// The failure of a tool that ended well and printed something that is not its report.
pub fn garbage(name: &str, why: impl std::fmt::Display) -> Failure {
    Failure::Unavailable(format!("{name} printed something that is not its report ({why}); {REMEDY}"))
}

/// The last line of stderr, or of stdout, that says something.
fn last_words(output: &Output) -> String {
    let line = [&output.stderr, &output.stdout].into_iter().find_map(|bytes| {
        String::from_utf8_lossy(bytes).lines().rev().map(str::trim).find(|l| !l.is_empty()).map(str::to_string)
    });
    line.map_or_else(String::new, |l| format!(": {}", l.chars().take(200).collect::<String>()))
}

fn limit_name(kind: LimitKind) -> &'static str {
    match kind {
        LimitKind::Wall => "wall time",
        LimitKind::Cpu => "CPU time",
        LimitKind::Memory => "memory",
        LimitKind::Processes => "processes",
        LimitKind::Output => "output",
        LimitKind::FileSize => "file size",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(code: i32, stderr: &str) -> Output {
        Output { exit: Exit::Code(code), stdout: Vec::new(), stderr: stderr.into(), elapsed: Duration::ZERO }
    }

    #[test]
    fn a_broken_configuration_is_named_and_no_fault_of_the_tool() {
        let ruff = "ruff failed\n  Cause: Failed to parse /tmp/x/project/web/pyproject.toml\n  Cause: TOML parse error at line 2, column 9\n  |\n2 | [project\n  |         ^\nunclosed table, expected `]`\n";
        let told = "ruff cannot read web/pyproject.toml: unclosed table, expected `]`; mend that file";
        assert_eq!(refusal("ruff", &[0, 1], &ended(2, ruff)).as_deref(), Some(told));
        assert_eq!(fault("ruff", &[0, 1], &ended(2, ruff)), None);
        let bandit = "[main]\tERROR\tpyproject.toml : Error parsing file.\n";
        let told = "bandit cannot read pyproject.toml: Error parsing file; mend that file";
        assert_eq!(refusal("bandit", &[0, 1], &ended(2, bandit)).as_deref(), Some(told));
        assert_eq!(refusal("ruff", &[0, 1], &ended(1, ruff)), None, "it did its work");
        let own = "Cannot find module '/opt/tools/node_modules/eslint/package.json'";
        assert_eq!(refusal("eslint", &[0, 1], &ended(2, own)), None, "its own file is not the project's");
        assert_eq!(
            fault("ruff", &[0, 1], &ended(2, "out of luck")).as_deref(),
            Some("ruff ended with exit code 2: out of luck")
        );
    }
}
