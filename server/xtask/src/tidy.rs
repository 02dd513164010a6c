//! What needs no model: formatting, lints, walls, and generated files.

use crate::run::{Outcome, cargo, run};

/// Crates that compile without mistral.rs. Checking that one costs minutes and finds nothing more:
/// its feature sits on `mod` lines of `zeroerr-llm` only.
const LIGHT: [&str; 13] = [
    "zeroerr-core",
    "zeroerr-agents",
    "zeroerr-engine",
    "zeroerr-llm",
    "zeroerr-verification",
    "zeroerr-sandbox",
    "zeroerr-monitoring",
    "zeroerr-settings",
    "zeroerr-lsp",
    "zeroerr-cli",
    "zeroerr-test-support",
    "zeroerr-tests",
    "zeroerr-xtask",
];

/// Formatting, clippy with warnings denied, and the walls.
pub fn tidy() -> Outcome {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    let packages = LIGHT.iter().flat_map(|name| ["-p", name]);
    run(cargo()
        .args(["clippy", "--no-default-features", "--all-targets"])
        .args(packages)
        .args(["--", "-D", "warnings"]))?;
    run(cargo().args(["test", "-p", "zeroerr-tests", "--test", "unit"]))
}

/// Rewrites generated pages. The test that guards a page mends it and fails once; the second run
/// shows that it is mended.
pub fn codegen() -> Outcome {
    let test = || run(cargo().args(["test", "--quiet", "-p", "zeroerr-settings", "reference_page"]));
    test().or_else(|_| test())
}
