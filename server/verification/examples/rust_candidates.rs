//! What the second and later candidates for a Rust function cost beside the first, layer by layer:
//! `cargo run -p zeroerr-verification --example rust_candidates` (tools from `ZEROERR_HOME`).
//!
//! The project is a fresh copy, so the first candidate pays for everything that is compiled once.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroerr_core::code::LanguageId;
use zeroerr_core::verdict::{Layer, Policy, StackReport};
use zeroerr_sandbox::{Sandbox, SandboxOptions};
use zeroerr_verification::toolchain::Toolchain;
use zeroerr_verification::verification_stack::{VerificationStack, subject_for_edit, workspace_of};

/// Ways to write `median`, all right.
const BODIES: [&str; 4] = [
    "let mut v = xs.to_vec();\n    v.sort_by(f64::total_cmp);\n    let m = v.len() / 2;\n    if v.len() % 2 == 1 { v[m] } else { v[m - 1] / 2.0 + v[m] / 2.0 }",
    "let mut v: Vec<f64> = xs.iter().copied().collect();\n    v.sort_unstable_by(f64::total_cmp);\n    let n = v.len();\n    (v[(n - 1) / 2] / 2.0) + (v[n / 2] / 2.0)",
    "let mut v = xs.to_owned();\n    v.sort_by(|a, b| a.total_cmp(b));\n    match v.len() % 2 {\n        1 => v[v.len() / 2],\n        _ => v[v.len() / 2 - 1] * 0.5 + v[v.len() / 2] * 0.5,\n    }",
    "let mut v = Vec::from(xs);\n    v.sort_by(f64::total_cmp);\n    let (low, high) = (v[(v.len() - 1) / 2], v[v.len() / 2]);\n    low * 0.5 + high * 0.5",
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let home =
        std::env::var_os("ZEROERR_HOME").map(PathBuf::from).ok_or("set ZEROERR_HOME to the folder of the tools")?;
    let options = SandboxOptions { places: vec![Toolchain::bwrap_place(&home)], ..SandboxOptions::default() };
    let tools = Toolchain::detect(&home, Sandbox::detect(&options));
    let stack = VerificationStack::new(Arc::new(tools), Policy::default());
    let folder = tempfile::tempdir()?;
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/examples/rust_library"), folder.path())?;
    let file = folder.path().join("src/lib.rs");
    let text: Arc<str> = std::fs::read_to_string(&file)?.into();
    let language = stack.language(LanguageId::Rust)?;
    let task =
        language.analyse(&file, &text).tasks.into_iter().find(|t| t.signature.name == "median").ok_or("median")?;
    let mut reports: Vec<StackReport> = Vec::new();
    let mut walls = Vec::new();
    for body in BODIES {
        let response = format!("```rust\npub fn median(xs: &[f64]) -> f64 {{\n    {body}\n}}\n```");
        let candidate = language.extract(&response, &task).map_err(|flag| format!("{flag:?}"))?;
        let edits = language.splice(&task, &candidate)?;
        let subject = subject_for_edit(&task, &edits)?;
        let subject = zeroerr_verification::languages::Subject { workspace: workspace_of(&file), ..subject };
        let started = std::time::Instant::now();
        reports.push(stack.verify_all(&subject, &|_| {}).await);
        walls.push(started.elapsed().as_secs_f64());
    }
    println!("{:<14}{:>10}{:>10}{:>10}{:>10}   first : later", "layer, ms", "first", "second", "third", "fourth");
    for layer in Layer::ALL {
        let of = |r: &StackReport| r.layers.iter().find(|l| l.layer == layer).map_or(0, |l| l.elapsed_ms);
        let all: Vec<u64> = reports.iter().map(of).collect();
        row(layer.name(), &all.iter().map(|ms| f64::from(u32::try_from(*ms).unwrap_or(u32::MAX))).collect::<Vec<_>>());
    }
    row("in all", &walls.iter().map(|s| s * 1000.0).collect::<Vec<_>>());
    Ok(())
}

fn row(name: &str, all: &[f64]) {
    let mut later: Vec<f64> = all.iter().skip(1).copied().collect();
    later.sort_by(f64::total_cmp);
    let middle = later.get(later.len() / 2).copied().unwrap_or(0.0).max(0.5);
    let figures: String = all.iter().map(|ms| format!("{ms:>10.0}")).collect();
    println!("{name:<14}{figures}   {:.1}", all.first().copied().unwrap_or(0.0) / middle);
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            std::fs::create_dir_all(&target)?;
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
