//! `zeroerr doctor`: what this machine has, what it lacks, and what to do about it.

use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use zeroerr_engine::journal::{Journal, now_ms};
use zeroerr_sandbox::Sandbox;
use zeroerr_settings::{SandboxMode, Settings};
use zeroerr_verification::toolchain::{ToolCheck, ToolStatus, Toolchain};

use crate::args::{DoctorArgs, Global};
use crate::commands::models;
use crate::compose;
use crate::context::{Context, LogTo, Ui, complain};
use crate::cpu;
use crate::exit::{CliError, Exit};
use crate::render::{BAD, FAINT, GOOD, WARN, when};

/// Free space below which models and tools will not fit, in bytes.
const WANTED_SPACE: u64 = 1 << 30;

/// One line of the report.
#[derive(Debug, Serialize)]
struct Check {
    name: String,
    status: Status,
    detail: String,
    remedy: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Missing,
    Broken,
}

impl Check {
    fn ok(name: &str, detail: impl Into<String>) -> Self {
        Self { name: name.into(), status: Status::Ok, detail: detail.into(), remedy: String::new() }
    }

    fn bad(name: &str, status: Status, detail: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { name: name.into(), status, detail: detail.into(), remedy: remedy.into() }
    }
}

impl From<ToolCheck> for Check {
    fn from(tool: ToolCheck) -> Self {
        let status = match tool.status {
            ToolStatus::Ok => Status::Ok,
            ToolStatus::Missing => Status::Missing,
            ToolStatus::Broken => Status::Broken,
        };
        Self { name: tool.name, status, detail: tool.detail, remedy: tool.remedy }
    }
}

/// Checks everything; with `--fix` first installs what can be installed without root.
///
/// # Errors
/// Settings that cannot be used.
pub async fn main(global: &Global, args: &DoctorArgs) -> Result<Exit, CliError> {
    let context = Context::load(global, Path::new("."), &[], LogTo::Settings)?;
    let settings = &context.loaded.settings;
    if args.fix {
        fix(&context).await;
    }
    let mut checks = vec![Check::ok("processor", cpu::describe()), data_folder(&context.data_dir)];
    checks.push(sandbox(settings, &context.data_dir));
    let toolchain = compose::toolchain(settings, &context.data_dir);
    checks.extend(toolchain.checks().await.into_iter().map(Check::from));
    for language in zeroerr_verification::languages::all() {
        checks.extend(language.tool_checks(&toolchain).await.into_iter().map(Check::from));
    }
    checks.push(model(settings, &context.data_dir).await);
    checks.push(journal(&context.data_dir));
    checks.push(breakers(&context.data_dir));
    let healthy = checks.iter().all(|c| c.status == Status::Ok);
    if context.ui.json {
        context.ui.json_result(&serde_json::json!({ "checks": checks }))?;
    } else {
        context.ui.result(&shown(&checks))?;
    }
    Ok(if healthy { Exit::Clean } else { Exit::Machine })
}

/// A line per check, and one for its remedy; what is found stands in one column.
fn shown(checks: &[Check]) -> String {
    let width = checks.iter().map(|c| c.name.chars().count()).max().unwrap_or(0);
    let one = |check: &Check| {
        let (mark, style) = match check.status {
            Status::Ok => ("✓", GOOD),
            Status::Missing => ("!", WARN),
            Status::Broken => ("✗", BAD),
        };
        let remedy = if check.remedy.is_empty() { String::new() } else { format!("\n      {}", check.remedy) };
        format!("  {style}{mark}{style:#} {:<width$}  {}{remedy}", check.name, check.detail)
    };
    checks.iter().map(one).collect::<Vec<_>>().join("\n")
}

/// Installs tools, then the model. What fails is told; the checks then say what is left to do.
async fn fix(context: &Context) {
    let (ui, data_dir) = (context.ui, &context.data_dir);
    if let Err(error) = install_tools(ui, data_dir).await {
        complain(&error);
    }
    let settings = &context.loaded.settings;
    if let Err(error) = models::pull(ui, settings, data_dir, &settings.llm.embedded).await {
        complain(&error.message);
    }
}

async fn install_tools(ui: Ui, data_dir: &Path) -> Result<(), String> {
    let target = if ui.live { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let spinner = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("  {spinner} {wide_msg}") {
        spinner.set_style(style);
    }
    if ui.live {
        spinner.enable_steady_tick(Duration::from_millis(120));
    }
    let on_line = |line: &str| {
        if ui.live {
            spinner.set_message(line.to_owned());
        } else {
            ui.note(&format!("  {FAINT}{line}{FAINT:#}"));
        }
    };
    let done = Toolchain::install(data_dir, &on_line).await.map(drop).map_err(|e| e.to_string());
    spinner.finish_and_clear();
    done
}

fn sandbox(settings: &Settings, data_dir: &Path) -> Check {
    match Sandbox::detect(&compose::sandbox_options(settings, data_dir)) {
        Ok(_) if settings.sandbox.mode == SandboxMode::Off => {
            Check::ok("sandbox", "off by your configuration: generated code runs with all your rights")
        }
        Ok(sandbox) => Check::ok("sandbox", sandbox.describe().to_string()),
        Err(error) => Check::bad("sandbox", Status::Missing, error.reason, error.remedy),
    }
}

async fn model(settings: &Settings, data_dir: &Path) -> Check {
    let name = settings.llm.embedded.clone();
    let store = compose::store(data_dir);
    let key = compose::store_name(&name);
    let fetch = format!("run `zeroerr doctor --fix` or `zeroerr models pull {name}`");
    let entry = match store.get(&key) {
        Ok(entry) => entry,
        Err(error) => return Check::bad("model", Status::Missing, error.to_string(), fetch),
    };
    let Ok(path) = store.path_of(&key) else {
        return Check::bad("model", Status::Missing, format!("{name} is not here"), fetch);
    };
    // A hundred megabytes take a tenth of a second; a runtime thread must not wait for it.
    let actual = tokio::task::spawn_blocking(move || zeroerr_llm::store::sha256_of(&path)).await;
    match actual {
        Ok(Ok(sum)) if sum == entry.sha256 => {
            Check::ok("model", format!("{name}, {} MB, SHA-256 as recorded", entry.size / 1_000_000))
        }
        Ok(Ok(_)) => Check::bad(
            "model",
            Status::Broken,
            format!("{name} is damaged: its SHA-256 is not the recorded one"),
            format!("run `zeroerr models remove {name}` and `zeroerr models pull {name}`"),
        ),
        Ok(Err(error)) => Check::bad("model", Status::Broken, error.to_string(), fetch),
        Err(error) => Check::bad("model", Status::Broken, error.to_string(), fetch),
    }
}

fn journal(data_dir: &Path) -> Check {
    let folder = data_dir.join("journal");
    match Journal::open(&folder) {
        Ok(_) => Check::ok("journal", folder.display().to_string()),
        Err(error) => {
            let said = error.to_string();
            let (detail, remedy) = said.rsplit_once("; ").unwrap_or((&said, "set ZEROERR_HOME to another folder"));
            Check::bad("journal", Status::Broken, detail.to_owned(), remedy.to_owned())
        }
    }
}

/// Models and tools that a living process leaves alone, as far as the journal knows.
fn breakers(data_dir: &Path) -> Check {
    let name = "breakers";
    let lines = Journal::open(&data_dir.join("journal")).and_then(|j| j.breakers());
    let lines = match lines {
        Ok(lines) => lines,
        Err(error) => return Check::ok(name, format!("not known: {error}")),
    };
    let now = now_ms();
    let open: Vec<String> = lines
        .iter()
        .filter_map(|l| {
            let left = l.open_until_ms?.saturating_sub(now).max(0) as u64;
            (left > 0).then(|| {
                format!("{} {} is left alone for another {} s: {}", l.kind, l.name, left.div_ceil(1000), l.last_error)
            })
        })
        .collect();
    match (open.as_slice(), lines.first()) {
        ([], None) => Check::ok(name, "none has ever opened"),
        ([], Some(last)) => {
            let (kind, tool, when) = (&last.kind, &last.name, when::minute(last.at_ms));
            Check::ok(name, format!("all closed; the last was that of {kind} {tool}, {when} UTC: {}", last.last_error))
        }
        _ => {
            let remedy = "mend what the message names; the next try comes by itself";
            Check::bad(name, Status::Broken, open.join("; "), remedy)
        }
    }
}

fn data_folder(data_dir: &Path) -> Check {
    let name = "data folder";
    if let Err(error) = std::fs::create_dir_all(data_dir) {
        return Check::bad(
            name,
            Status::Broken,
            format!("cannot make {}: {error}", data_dir.display()),
            "set ZEROERR_HOME to a folder that can be written",
        );
    }
    #[expect(clippy::unnecessary_cast, reason = "the system decides how wide these are")]
    let free = nix::sys::statvfs::statvfs(data_dir)
        .map(|s| (s.blocks_available() as u64).saturating_mul(s.fragment_size() as u64));
    match free {
        Ok(free) if free < WANTED_SPACE => Check::bad(
            name,
            Status::Broken,
            format!("{} has {} MB left", data_dir.display(), free >> 20),
            "free a gigabyte, or set ZEROERR_HOME to a folder elsewhere",
        ),
        Ok(free) => Check::ok(name, format!("{}, {} GB free", data_dir.display(), free >> 30)),
        Err(_) => Check::ok(name, data_dir.display().to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_stands_in_one_column_however_long_a_name_is() {
        let missing = Check::bad("eslint-plugin-security", Status::Missing, "not here", "install it");
        let shown = anstream::adapter::strip_str(&shown(&[Check::ok("tsc", "5.9"), missing])).to_string();
        assert_eq!(shown, "  ✓ tsc                     5.9\n  ! eslint-plugin-security  not here\n      install it");
    }
}
