//! `zeroerr runs`, `zeroerr report` and `zeroerr audit`: looking back.

use std::path::PathBuf;

use clap::{Args, Subcommand};

const RUN: &str = "The id of a run, the beginning of one, or `last`";

/// `zeroerr runs`
#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List the newest runs
    List {
        /// How many at most
        #[arg(long, short = 'n', value_name = "N", default_value_t = 20)]
        limit: u32,
    },
    /// Show one run: how it ended, its votes and its layers
    Show {
        #[arg(value_name = "RUN", help = RUN)]
        run: String,
    },
    /// Go on with a run that was stopped
    Resume(ResumeArgs),
    /// Print everything the journal knows of a run, as JSON
    Export {
        #[arg(value_name = "RUN", help = RUN)]
        run: String,
        /// File to write it to instead of standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// `zeroerr runs resume`
#[derive(Debug, Args)]
pub struct ResumeArgs {
    #[arg(value_name = "RUN", help = RUN)]
    pub run: String,
    /// Write the verified edit into the file; without it nothing is changed
    #[arg(long)]
    pub apply: bool,
    /// Who samples; overrides `llm.backend`. It must be who sampled before
    #[arg(long, value_name = "NAME")]
    pub backend: Option<String>,
}

/// `zeroerr report`
#[derive(Debug, Args)]
pub struct ReportArgs {
    #[arg(value_name = "RUN", help = RUN)]
    pub run: String,
    /// File to write instead of one in the data folder; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Show it in your browser
    #[arg(long)]
    pub open: bool,
}

/// `zeroerr audit`
#[derive(Debug, Args)]
pub struct AuditArgs {
    /// Files, or folders to look for them in (.gitignore is respected)
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Only this function
    #[arg(long, short = 'f', value_name = "NAME")]
    pub function: Option<String>,
}
