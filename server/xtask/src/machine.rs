//! What the machine must have before anything can be built, and where our data lives on it.

use std::path::PathBuf;

use crate::run::output;

/// The oldest Python that the pinned tools run on.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// Checks compiler and Python.
///
/// # Errors
/// Everything that is missing, each with its remedy.
pub fn check() -> Result<(), String> {
    let mut missing = Vec::new();
    if !["cc", "clang", "gcc"].iter().any(|cc| output(cc, &["--version"]).is_some()) {
        missing.push(
            "a C compiler (`apt install build-essential`, `dnf install gcc gcc-c++`, `xcode-select --install`)"
                .to_owned(),
        );
    }
    match output("python3", &["-c", "import sys, venv, ensurepip; print(sys.version_info[0], sys.version_info[1])"]) {
        Some(version) if is_new_enough(&version) => {}
        Some(version) => {
            let (major, minor) = OLDEST_PYTHON;
            missing.push(format!("Python {major}.{minor} or newer (python3 is {})", version.replace(' ', ".")));
        }
        None => missing.push("python3 with its venv module (`apt install python3 python3-venv`)".to_owned()),
    }
    if missing.is_empty() { Ok(()) } else { Err(format!("this machine lacks {}", missing.join(", and "))) }
}

fn is_new_enough(version: &str) -> bool {
    let mut parts = version.split(' ').map(|p| p.parse::<u32>().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0)) >= OLDEST_PYTHON
}

/// The data folder, found as the binary finds it (docs/API_REFERENCE.md, "Folders").
///
/// # Errors
/// Without any home folder.
pub fn data_dir() -> Result<PathBuf, String> {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = || variable("HOME");
    let platform = || {
        if cfg!(target_os = "macos") {
            home().map(|h| h.join("Library/Application Support/zeroerr"))
        } else {
            variable("XDG_DATA_HOME").or_else(|| home().map(|h| h.join(".local/share"))).map(|d| d.join("zeroerr"))
        }
    };
    variable("ZEROERR_HOME")
        .map(|p| std::path::absolute(&p).unwrap_or(p))
        .or_else(platform)
        .ok_or_else(|| "there is no home folder; set ZEROERR_HOME to a folder for models and tools".to_owned())
}

#[cfg(test)]
mod tests {
    use super::is_new_enough;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(is_new_enough("3 10") && is_new_enough("3 9999") && is_new_enough("4 0"));
        assert!(!is_new_enough("3 9") && !is_new_enough("2 7") && !is_new_enough("what"));
    }
}
