//! One file per command.

mod audit;
mod bench;
mod completions;
mod config;
mod corpus;
mod doctor;
mod lsp;
mod models;
mod plan_k;
mod report;
mod run;
mod runs;
mod simulate;
pub mod verify;

use std::future::Future;
use std::time::Duration;

use crate::args::{Cli, Command};
use crate::exit::{CliError, Exit};

/// Runs the command.
///
/// # Errors
/// One sentence and an exit code.
pub fn dispatch(cli: Cli) -> Result<Exit, CliError> {
    let global = cli.global;
    match cli.command {
        Command::Lsp(args) => lsp::main(&global, &args),
        Command::Run(args) => wait(run::main(&global, &args)),
        Command::Verify(args) => wait(verify::main(&global, &args)),
        Command::Runs(command) => runs::main(&global, &command),
        Command::Report(args) => report::main(&global, &args),
        Command::Audit(args) => wait(audit::main(&global, &args)),
        Command::Doctor(args) => wait(doctor::main(&global, &args)),
        Command::Models(command) => wait(models::main(&global, &command)),
        Command::Config(command) => config::main(&global, &command),
        Command::PlanK(args) => plan_k::main(&global, &args),
        Command::Simulate(command) => wait(async { simulate::main(&global, &command) }),
        Command::Bench(command) => wait(bench::main(&global, &command)),
        Command::Completions(args) => completions::main(&args),
    }
}

/// Waits for a command that needs the runtime, but not for what it left behind: the loading of a
/// model cannot be interrupted, and would keep a cancelled command for seconds.
fn wait(command: impl Future<Output = Result<Exit, CliError>>) -> Result<Exit, CliError> {
    let runtime = runtime()?;
    let end = runtime.block_on(command);
    runtime.shutdown_timeout(Duration::from_millis(200));
    end
}

pub fn runtime() -> Result<tokio::runtime::Runtime, CliError> {
    started(&mut tokio::runtime::Builder::new_multi_thread())
}

/// Threads for runs beside which somebody types: models, candidates and layers give way to the editor.
///
/// # Errors
/// The machine has no threads left.
pub fn in_background() -> Result<tokio::runtime::Runtime, CliError> {
    started(tokio::runtime::Builder::new_multi_thread().on_thread_start(zeroerr_sandbox::give_way))
}

fn started(threads: &mut tokio::runtime::Builder) -> Result<tokio::runtime::Runtime, CliError> {
    threads.enable_all().build().map_err(|e| {
        CliError::machine(format!("cannot start threads: {e}; raise the limit on processes (`ulimit -u`)"))
    })
}
