//! `zeroerr completions SHELL`.

use clap::CommandFactory;

use crate::args::{Cli, CompletionsArgs};
use crate::exit::{CliError, Exit};

/// Prints the script to standard output.
///
/// # Errors
/// Never; a closed pipe is the reader's choice.
pub fn main(args: &CompletionsArgs) -> Result<Exit, CliError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "zeroerr", &mut script);
    let _ = std::io::Write::write_all(&mut std::io::stdout(), &script);
    Ok(Exit::Clean)
}
