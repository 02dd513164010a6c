//! Whether Node and its tools are there, and what a remembered verdict depends on.

use std::ffi::OsString;
use std::time::Duration;

use futures::future::join_all;
use zeroerr_sandbox::{Exit, Job, Limits};

use super::harness;
use super::project;
use crate::languages::{CheckError, Subject};
use crate::toolchain::{NodeEnv, REMEDY, ToolCheck, ToolStatus, Toolchain};

/// The tools: npm's name, and whether Node runs it.
const ASKED: [(&str, bool); 3] = [("esbuild", false), ("typescript", true), ("oxlint", true)];
/// Those that are loaded, not started.
const LOADED: [&str; 3] = ["eslint", "eslint-plugin-security", "fast-check"];

/// Whether the tools that everything needs are there.
///
/// # Errors
/// One sentence with the remedy.
pub(super) fn ready(tools: &Toolchain) -> Result<(), CheckError> {
    tools.node().and_then(|node| node.tool("esbuild")).map(drop)
}

/// What `zeroerr doctor` says: each program is really started, where it will be used.
pub(super) async fn tool_checks(tools: &Toolchain) -> Vec<ToolCheck> {
    let node = match tools.node() {
        Ok(node) => node,
        Err(error) => {
            let detail = error.0.trim_end_matches(REMEDY).trim_end_matches([';', ' ']).to_string();
            return vec![unhappy("node", ToolStatus::Missing, detail)];
        }
    };
    let started = [("node", vec![node.node.clone().into_os_string()])].into_iter().map(Ok).chain(ASKED.map(
        |(package, by_node)| {
            let tool = node.tool(package).map_err(|e| (package, e))?;
            let mut command: Vec<OsString> = Vec::new();
            if by_node {
                command.push(node.node.clone().into());
            }
            command.push(tool.path.into());
            Ok((package, command))
        },
    ));
    let checks = started.map(|one| {
        let node = &node;
        async move {
            match one {
                Ok((package, command)) => start(tools, node, package, command).await,
                Err((package, error)) => {
                    let detail = error.0.trim_end_matches(REMEDY).trim_end_matches([';', ' ']).to_string();
                    unhappy(package, ToolStatus::Missing, detail)
                }
            }
        }
    });
    let mut out = join_all(checks).await;
    out.extend(LOADED.map(|package| match node.tool(package) {
        Ok(tool) => happy(package, tool.version),
        Err(error) => unhappy(package, ToolStatus::Missing, error.0.trim_end_matches(REMEDY).to_string()),
    }));
    out
}

/// Starts one program in the sandbox.
async fn start(tools: &Toolchain, node: &NodeEnv, package: &str, command: Vec<OsString>) -> ToolCheck {
    let (sandbox, scratch) = match (tools.sandbox(), tools.scratch()) {
        (Ok(sandbox), Ok(scratch)) => (sandbox, scratch),
        (Err(e), _) | (_, Err(e)) => {
            let detail = format!("installed, and cannot be tried: {e}");
            return ToolCheck { remedy: String::new(), ..unhappy(package, ToolStatus::Broken, detail) };
        }
    };
    let mut command = command.into_iter();
    let job = Job {
        program: command.next().unwrap_or_default().into(),
        args: command.chain(["--version".into()]).collect(),
        readable: node.readable.clone(),
        scratch: scratch.path().to_path_buf(),
        limits: Limits { wall: Duration::from_secs(30), memory: 2 << 30, processes: 128, ..Limits::default() },
        ..Job::default()
    };
    match sandbox.run(job).await {
        Ok(output) if output.exit == Exit::Code(0) => happy(package, node.named(package)),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("it said nothing");
            unhappy(package, ToolStatus::Broken, format!("it ended with {:?}: {}", output.exit, last.trim()))
        }
        Err(error) => unhappy(package, ToolStatus::Broken, error.to_string()),
    }
}

/// What the doctor calls a package.
fn name_of(package: &str) -> String {
    match package {
        "typescript" => "tsc",
        other => other,
    }
    .to_owned()
}

fn happy(package: &str, version: String) -> ToolCheck {
    ToolCheck { name: name_of(package), status: ToolStatus::Ok, detail: version, remedy: String::new() }
}

fn unhappy(package: &str, status: ToolStatus, detail: String) -> ToolCheck {
    ToolCheck { name: name_of(package), status, detail, remedy: REMEDY.to_string() }
}

/// A hash of everything outside of the file that can change a verdict.
pub(super) fn surroundings(tools: &Toolchain, subject: &Subject) -> Option<String> {
    let node = tools.node().ok()?;
    let around = project::surroundings_hash(subject)?;
    Some(format!("{} {:?} {} {around}", node.version, node.packages, harness::sources_hash()))
}
