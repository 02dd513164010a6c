//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

mod runs;

pub use runs::{AuditArgs, ReportArgs, ResumeArgs, RunsCommand};

const EXIT_CODES: &str = "Exit codes:
  0    done and clean
  1    findings, or an abstention
  2    wrong usage or configuration, or a file that cannot be read
  3    something the machine lacks (model, tool, sandbox, rights); the message says the remedy
  4    a bug in zeroerr
  130  cancelled with Ctrl-C";

/// Writes code you do not have to check: voted by local models, verified in a sandbox.
#[derive(Debug, Parser)]
#[command(name = "zeroerr", version, after_help = EXIT_CODES, propagate_version = true, disable_help_subcommand = true)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// Settings file to use instead of the built-in one
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Set one option, e.g. `--set voting.k=5`; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE", value_parser = assignment)]
    pub set: Vec<(String, String)>,
    /// Print the result as JSON to standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more; twice for debugging
    #[arg(short, long, global = true, action = clap::ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say nothing but the result
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: Color,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal that understands them, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the language server on standard input and output
    Lsp(LspArgs),
    /// Write the functions whose spec comments stand above a stub
    Run(RunArgs),
    /// Run the eight verification layers on code that exists
    Verify(VerifyArgs),
    /// Look back at runs, and go on with one that was stopped
    #[command(subcommand)]
    Runs(RunsCommand),
    /// Write one run as an HTML page: plan, votes, behaviours, layers, costs
    Report(ReportArgs),
    /// Re-check functions whose verified edits were accepted, with today's tools
    Audit(AuditArgs),
    /// Check what this machine has; `--fix` installs what is missing
    Doctor(DoctorArgs),
    /// List, fetch and remove models
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Show and check settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Compute the lead k that a plan needs
    PlanK(PlanKArgs),
    /// Vote with a simulated model, and compare with the theory
    #[command(subcommand)]
    Simulate(SimulateCommand),
    /// Measure policies on recorded samples
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
}

/// `zeroerr lsp`
#[derive(Debug, Args)]
pub struct LspArgs {
    /// Accepted because editors pass it; standard input and output are always used
    #[arg(long)]
    pub stdio: bool,
}

/// `zeroerr run`
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Files, or folders to look for them in (.gitignore is respected)
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only this function, whether it is a stub or not
    #[arg(long, short = 'f', value_name = "NAME")]
    pub function: Option<String>,
    /// Write verified edits into the files; without it nothing is changed
    #[arg(long)]
    pub apply: bool,
    /// Ask when the candidates disagree, write the answer into the spec and go on; the default on a terminal
    #[arg(long, conflicts_with = "no_ask")]
    pub ask: bool,
    /// Never ask; print the questions and the lines that would answer them
    #[arg(long)]
    pub no_ask: bool,
    /// Who samples; overrides `llm.backend`
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
}

/// `zeroerr verify`
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// Files, or folders to look for them in (.gitignore is respected)
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only this function
    #[arg(long, short = 'f', value_name = "NAME")]
    pub function: Option<String>,
    /// Only functions that a change since a commit of git reaches within their file; HEAD when none is named
    #[arg(long, value_name = "REV", num_args = 0..=1, require_equals = true, default_missing_value = "HEAD")]
    pub changed: Option<String>,
    /// Functions at a time; by default as many as cores and memory allow
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Check everything anew, whatever is remembered of an earlier run
    #[arg(long)]
    pub fresh: bool,
    /// How to print the result
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: Format,
}

/// How `zeroerr verify` prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// JSON, as `--json`
    Json,
    /// SARIF 2.1.0
    Sarif,
    /// JUnit XML
    Junit,
    /// Annotations of GitHub Actions
    Github,
}

/// `zeroerr doctor`
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Install the tools and fetch the default model
    #[arg(long)]
    pub fix: bool,
}

/// `zeroerr models`
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// List the catalogue and what is here
    List,
    /// Fetch a model; continues where an interrupted fetch stopped
    Pull {
        /// Name in the catalogue
        name: String,
    },
    /// Remove a model's files
    Remove {
        /// Name in the catalogue
        name: String,
    },
}

/// `zeroerr config`
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print the settings in force and where each comes from
    Show,
    /// Print the JSON schema of a settings file
    Schema,
    /// Check all settings
    Check,
}

/// `zeroerr plan-k`
#[derive(Debug, Args)]
pub struct PlanKArgs {
    /// Chance that one sample is right, above 0.5
    #[arg(long, value_name = "P", allow_negative_numbers = true)]
    pub p: f64,
    /// Wanted chance that the whole plan is right
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    pub target: f64,
    /// Steps of the plan
    #[arg(long, value_name = "S")]
    pub steps: u64,
    /// Steps that one sample writes
    #[arg(long, value_name = "M", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub steps_per_agent: u64,
    /// Share of samples that raise a red flag and do not vote
    #[arg(long, value_name = "R", default_value_t = 0.0)]
    pub flag_rate: f64,
}

/// `zeroerr simulate`
#[derive(Debug, Subcommand)]
pub enum SimulateCommand {
    /// Towers of Hanoi: a plan of 2^disks - 1 steps, each voted on
    Hanoi(HanoiArgs),
}

/// `zeroerr simulate hanoi`
#[derive(Debug, Args)]
pub struct HanoiArgs {
    /// Disks
    #[arg(long, default_value_t = 20)]
    pub disks: u32,
    /// Chance that an unflagged sample is right; as shipped that of the paper's model, gpt-4.1-mini
    #[arg(long, default_value_t = 0.9978)]
    pub p: f64,
    /// The lead that decides
    #[arg(long, default_value_t = 3)]
    pub k: u32,
    /// Seed; equal seeds give equal runs
    #[arg(long, default_value_t = 0)]
    pub seed: u64,
    /// Share of samples that raise a red flag; as shipped that of the paper's run
    #[arg(long, default_value_t = 0.027)]
    pub flag_rate: f64,
    /// Chance that a wrong sample gives the step's favourite wrong answer; 1 is the theory's worst case
    #[arg(long, default_value_t = 1.0)]
    pub correlation: f64,
    /// Samples a step may take
    #[arg(long, default_value_t = 1000)]
    pub max_attempts: u32,
    /// Runs, each with the seed after the one before; as many at a time as there are processors
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub seeds: u32,
    /// File to keep the state in; a run that was stopped goes on from there
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
}

/// `zeroerr bench`
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Replay recorded samples of a model through every policy, and ask a hidden test who was right
    Replay(ReplayArgs),
    /// Put reference solutions, and small faults in them, through the eight layers
    Corpus(CorpusArgs),
}

/// `zeroerr bench replay`
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// Recorded samples: JSON lines with `task_id`, `prompt`, `completions`; may be gzipped
    #[arg(long, value_name = "FILE")]
    pub samples: PathBuf,
    /// Tasks: JSON lines with `task_id`, `prompt`, `entry_point`, `test`, `canonical_solution`; may be gzipped
    #[arg(long, value_name = "FILE")]
    pub tasks: PathBuf,
    /// Leads to replay
    #[arg(long, value_name = "K", value_delimiter = ',', default_values_t = [1, 2, 3, 4, 5])]
    pub k: Vec<u32>,
    /// Samples per task at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub max: u32,
    /// Questions that the reference solution may answer, per task
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=50))]
    pub ask: u32,
    /// Part of the tasks; a hash of the id decides where a task belongs
    #[arg(long, value_enum, default_value_t = SplitArg::Dev)]
    pub split: SplitArg,
    /// Who says which winner is right: `hidden`, the tasks' own `test`
    #[arg(long, value_enum, default_value_t = TestsArg::Hidden)]
    pub tests: TestsArg,
    /// Shuffled orders of the samples per task
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub orders: u32,
    /// Chooses orders and inputs
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Testers per task: the configured model writes tests, and two policies more count them as weak votes
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10))]
    pub testers: u32,
    /// A critic: the configured model reads a right and a wrong candidate of each task, and winners
    #[arg(long)]
    pub critic: bool,
    /// Discriminators per task: the configured model looks for inputs on which candidates differ
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10))]
    pub discriminators: u32,
    /// Tasks at most; which, a hash of their ids decides
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: Option<u32>,
    /// Write the curve of precision over coverage
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// Keep what the samples do in this folder, and start from it
    #[arg(long, value_name = "FOLDER")]
    pub cache: Option<PathBuf>,
}

/// `zeroerr bench corpus`
#[derive(Debug, Args)]
pub struct CorpusArgs {
    /// Tasks: JSON lines with `task_id`, `prompt`, `entry_point`, `test`, `canonical_solution`; may be gzipped
    #[arg(long, value_name = "FILE")]
    pub tasks: PathBuf,
    /// Mutants of each function; 0 looks for false alarms alone
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=100))]
    pub mutants: u32,
    /// Chooses the mutants
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Only these tasks
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub only: Vec<String>,
    /// Tasks at the same time; as many as the machine has cores if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub jobs: Option<u32>,
}

/// `--split`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SplitArg {
    /// Tasks that rules and constants may be chosen on
    Dev,
    /// The others, to be looked at once
    HeldOut,
    /// Both
    All,
}

/// `--tests`
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum TestsArg {
    /// The tasks' own `test`
    Hidden,
}

/// `zeroerr completions`
#[derive(Debug, Args)]
pub struct CompletionsArgs {
    /// Which shell
    pub shell: clap_complete::Shell,
}

fn assignment(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, for example `voting.k=5`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        super::Cli::command().debug_assert();
    }
}
