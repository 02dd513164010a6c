//! Which part of a Cargo project a file belongs to: the package, what cargo is told to build, and the
//! way from the crate's root to the file.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::WalkBuilder;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use zeroerr_sandbox::Exit;

use super::compiling::BuildError;
use super::modules;
use super::toolchain::RustTools;
use super::workspace::{Held, complaint};
use crate::languages::Subject;
use crate::toolchain::Toolchain;

/// What `cargo metadata` says.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    packages: Vec<Package>,
}

#[derive(Debug, Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<CargoTarget>,
}

#[derive(Debug, Clone, Deserialize)]
struct CargoTarget {
    kind: Vec<String>,
    name: String,
    src_path: PathBuf,
    #[serde(default, rename = "required-features")]
    required_features: Vec<String>,
}

/// The part of a project that a file belongs to.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The package.
    pub package: String,
    /// The package's folder, below the root.
    pub folder: PathBuf,
    /// What cargo is told to build: `--lib`, or `--bin NAME`.
    pub target: Vec<String>,
    /// Whether it is a library.
    pub is_library: bool,
    /// The name by which code calls the crate.
    pub crate_name: String,
    /// The root file of the crate, below the project's root.
    pub crate_root: PathBuf,
    /// The package's test programs: what cargo calls them, and their root files below the project's root.
    pub tests: Vec<(String, PathBuf)>,
    /// The file, below the project's root.
    pub file: PathBuf,
    /// Files from the crate's root to the file, each with the declaration that leads on.
    pub way: Vec<(PathBuf, modules::Declared)>,
}

impl Held<'_> {
    /// Where the subject's file belongs.
    ///
    /// # Errors
    /// When no part of the project holds it, or cargo cannot read the project.
    pub async fn place_of(&self, tools: &Toolchain, rust: &RustTools, subject: &Subject) -> Result<Place, BuildError> {
        let metadata = self.metadata(tools, rust).await?;
        let relative = subject.task.file.strip_prefix(&self.workspace.root).unwrap_or(&subject.task.file).to_path_buf();
        let file = self.folder().join(&relative);
        let holds = |p: &&Package| p.manifest_path.parent().is_some_and(|f| file.starts_with(f));
        let package = metadata.packages.iter().filter(holds).max_by_key(|p| p.manifest_path.components().count());
        let package = package.ok_or_else(|| {
            BuildError::Unavailable(format!("{} belongs to no package of its workspace", relative.display()))
        })?;
        let read = |p: &Path| std::fs::read_to_string(p).ok();
        for target in sorted(package) {
            let Some(way) = modules::way(&target.src_path, &file, &read) else { continue };
            return place_in(package, &target, way, &self.folder(), relative);
        }
        Err(BuildError::Unavailable(format!(
            "no library, program or example of `{}` has {} among its modules; declare it with `mod`",
            package.name,
            relative.display()
        )))
    }

    async fn metadata(&self, tools: &Toolchain, rust: &RustTools) -> Result<Arc<Metadata>, BuildError> {
        let key = self.manifests();
        if let Ok(known) = self.workspace.targets.lock()
            && let Some((k, metadata)) = known.get(&self.copy)
            && *k == key
        {
            return Ok(metadata.clone());
        }
        // What it says of packages that are not here, the build will say.
        self.lock(tools, rust).await?;
        let args = ["metadata", "--format-version", "1", "--no-deps", "--offline"];
        let output = self.cargo(tools, rust, "cargo", &args, 30).await?;
        let read = serde_json::from_slice::<Metadata>(&output.stdout);
        let metadata = match read {
            Ok(metadata) if output.exit == Exit::Code(0) => Arc::new(metadata),
            _ => return Err(BuildError::Unavailable(format!("cargo cannot read the project: {}", complaint(&output)))),
        };
        if let Ok(mut known) = self.workspace.targets.lock() {
            known.insert(self.copy, (key, metadata.clone()));
        }
        Ok(metadata)
    }

    /// A hash of the manifests, and of which sources there are: what decides about targets.
    fn manifests(&self) -> String {
        let mut hasher = Sha256::new();
        let mut paths: Vec<PathBuf> = WalkBuilder::new(self.folder())
            .standard_filters(false)
            .build()
            .filter_map(Result::ok)
            .map(ignore::DirEntry::into_path)
            .filter(|p| p.extension().is_some_and(|e| e == "rs" || e == "toml"))
            .collect();
        paths.sort();
        for path in paths {
            hasher.update(path.as_os_str().as_encoded_bytes());
            if path.ends_with("Cargo.toml") {
                hasher.update(std::fs::read(&path).unwrap_or_default());
            }
        }
        hasher.finalize().iter().map(|b| format!("{b:02x}")).collect()
    }
}

/// The targets of a package that code can be called in, libraries first.
fn sorted(package: &Package) -> Vec<CargoTarget> {
    let rank = |t: &CargoTarget| match t.kind.first().map(String::as_str) {
        Some("bin") => 1,
        Some("example") => 2,
        Some("test" | "bench") => 3,
        Some("custom-build") => 4,
        _ => 0,
    };
    let mut all = package.targets.clone();
    all.sort_by_key(rank);
    all
}

fn place_in(
    package: &Package,
    target: &CargoTarget,
    way: Vec<(PathBuf, modules::Declared)>,
    folder: &Path,
    file: PathBuf,
) -> Result<Place, BuildError> {
    let kind = target.kind.first().map_or("", String::as_str);
    let (args, is_library) = match kind {
        "bin" => (vec!["--bin".to_owned(), target.name.clone()], false),
        "example" => (vec!["--example".to_owned(), target.name.clone()], false),
        "proc-macro" | "custom-build" => {
            return Err(BuildError::Unavailable(format!(
                "{} runs inside the compiler (a macro or build script), where it cannot be checked; move the function to a library",
                file.display()
            )));
        }
        "test" | "bench" => {
            return Err(BuildError::Unavailable(format!(
                "{} is a test itself; move the function to a library",
                file.display()
            )));
        }
        _ => (vec!["--lib".to_owned()], true),
    };
    let below = |p: &Path| p.strip_prefix(folder).unwrap_or(p).to_path_buf();
    let is_test = |t: &&CargoTarget| t.kind.iter().any(|k| k == "test") && t.required_features.is_empty();
    let tests = package.targets.iter().filter(is_test).map(|t| (t.name.clone(), below(&t.src_path))).collect();
    Ok(Place {
        tests,
        package: package.name.clone(),
        folder: package.manifest_path.parent().map(below).unwrap_or_default(),
        target: args,
        is_library,
        crate_name: target.name.replace('-', "_"),
        crate_root: below(&target.src_path),
        file,
        way: way.into_iter().map(|(at, d)| (below(&at), d)).collect(),
    })
}

/// The edition that a file is written in: its package's, or that of a new project.
pub(super) fn edition_of(file: &Path) -> String {
    let manifests = file.ancestors().skip(1).filter_map(|f| std::fs::read_to_string(f.join("Cargo.toml")).ok());
    for manifest in manifests {
        let named = manifest.lines().find_map(|l| l.trim().strip_prefix("edition")?.trim_start().strip_prefix('='));
        if let Some(edition) = named {
            return edition.trim().trim_matches(['"', '\'']).chars().take_while(char::is_ascii_digit).collect();
        }
        // `edition.workspace = true` stands further up; a package that says nothing is of the first.
        if !manifest.contains("edition.workspace") {
            return "2015".to_owned();
        }
    }
    "2024".to_owned()
}
