//! What one run costs in and out of the sandbox: `cargo run --release -p zeroerr-sandbox --example sandbox_cost`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use zeroerr_sandbox::{Job, Sandbox, SandboxOptions, trusted};

const ROUNDS: usize = 100;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let places = zeroerr_settings::paths::data_dir().map(|data| data.join("tools/python/bin")).into_iter().collect();
    let sandbox = Sandbox::detect(&SandboxOptions { places, ..SandboxOptions::default() })?;
    println!("{}", sandbox.describe());
    let (python, prefix) = python().await?;
    for (name, program, args, readable) in [
        ("true", PathBuf::from("/bin/true"), vec![], vec![]),
        ("python3 -I -c ''", python, vec!["-I".into(), "-c".into(), OsString::new()], vec![prefix]),
    ] {
        let scratch = tempfile::tempdir()?;
        let job = Job { program, args, readable, scratch: scratch.path().to_path_buf(), ..Job::default() };
        let (mut bare, mut walled) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let start = Instant::now();
            tokio::process::Command::new(&job.program).args(&job.args).env_clear().output().await?;
            bare.push(start.elapsed());
            let start = Instant::now();
            sandbox.run(job.clone()).await?;
            walled.push(start.elapsed());
        }
        println!("{name:18} bare {}   sandboxed {}", figures(bare), figures(walled));
    }
    Ok(())
}

/// The interpreter behind `python3` and its prefix.
async fn python() -> Result<(PathBuf, PathBuf), Failure> {
    let ask = "import os, sys; print(os.path.realpath(sys.executable)); print(sys.base_prefix)";
    let args = ["-I", "-c", ask].map(OsString::from);
    let said = trusted::run("python3".as_ref(), &args, &[], None, Duration::from_secs(10), |_, _| {}).await?;
    let mut lines = said.stdout.lines().map(PathBuf::from);
    Ok((lines.next().ok_or("no python3")?, lines.next().ok_or("no python3")?))
}

fn figures(mut times: Vec<Duration>) -> String {
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 100).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    format!("p50 {:6.2} ms, p90 {:6.2} ms", at(50), at(90))
}
