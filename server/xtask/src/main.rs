//! Developer commands: `cargo xtask demo | test | tidy | codegen`.
//!
//! Only the standard library: this crate must compile before anything else does. It starts cargo,
//! pip and our own binary, which is why it is exempt from the wall that keeps processes in
//! `server/sandbox`.

mod editors;
mod emacs;
mod machine;
mod run;
mod setup;
mod tidy;

use std::process::ExitCode;

const HELP: &str = "cargo xtask COMMAND

  demo      build, set the machine up, and write docs/examples/hello_world with the embedded model
  test      set up, then run every test, those with a real Neovim, a real VS Code and the real model included
  tidy      formatting, clippy and the checks of tests/unit; nothing that needs a model
  codegen   rewrite what is generated from the code (docs/API_REFERENCE.md)

CARGO_TARGET_DIR and ZEROERR_HOME are respected.";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["demo", rest @ ..] => setup::demo(rest),
        ["test", rest @ ..] => setup::test(rest),
        ["tidy"] => tidy::tidy(),
        ["codegen"] => tidy::codegen(),
        [] | ["help" | "-h" | "--help"] => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        [other, ..] => Err(format!("there is no command `{other}`\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
