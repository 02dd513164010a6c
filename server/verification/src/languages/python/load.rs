//! A file that does not load, and whose fault that is.
//!
//! What a package needs and is not here says nothing of the function that is judged in it. Only what stood there
//! before the edit excuses: a line that the candidate brought is its own affair, and so is what its code does while
//! the file loads.

use std::path::Path;

use crate::fingerprint::Broken;
use crate::languages::{CheckError, Subject};

/// Errors of what is not here, whichever line of the file asks for it.
const ABSENT: [&str; 10] = [
    "ConnectionError",
    "ConnectionRefusedError",
    "FileNotFoundError",
    "IsADirectoryError",
    "ModuleNotFoundError",
    "NotADirectoryError",
    "OSError",
    "PackageNotFoundError",
    "PermissionError",
    "gaierror",
];

/// The complaint about a file that cannot be loaded here, whatever its function does; `None` where it was loaded, or
/// where the code that is judged may be why not.
pub(super) fn hindered(subject: &Subject, broken: Option<&Broken>) -> Option<CheckError> {
    let broken = broken?;
    missing_import(subject, &broken.3).or_else(|| surroundings(subject, broken))
}

/// The complaint about a module that the file needed before the edit already: not the candidate's
/// fault. `None` when nothing is missing, or when the candidate brought the import.
fn missing_import(subject: &Subject, module: &str) -> Option<CheckError> {
    let root = module.split('.').next().filter(|m| !m.is_empty())?;
    let imports =
        |line: &str| is_import(line) && line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == root);
    let file = subject.task.file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    subject.previous.lines().any(imports).then(|| {
        CheckError(format!("{file} imports `{root}`, which is neither in the project nor in the environment that runs checks; move the function to a file without it"))
    })
}

/// The complaint about what lies around the file: its package, a module that it imports, data that it reads.
fn surroundings(subject: &Subject, broken: &Broken) -> Option<CheckError> {
    let Broken(_, error, text, _, place, origin) = broken;
    let file = subject.task.file.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let in_file = Path::new(place.rsplit_once(':').map_or(place.as_str(), |(path, _)| path)).ends_with(&file);
    if origin != "elsewhere" {
        let line = subject.task.source.lines().nth(origin.parse::<usize>().ok()?.checked_sub(1)?)?.trim();
        let was_there = subject.previous.lines().any(|l| l.trim() == line);
        let by_import = is_import(line) && (!in_file || subject.is_edit());
        let is_absent = ABSENT.contains(&error.as_str()) || (error == "KeyError" && line.contains("environ"));
        if !was_there || !(by_import || is_absent) {
            return None;
        }
    }
    let what = if origin != "elsewhere" && in_file { file.as_str() } else { "the package" };
    let remedy = match error.as_str() {
        "ModuleNotFoundError" => "import it where it is used, or move the function to a file that loads without it",
        _ => {
            "what it needs is not in the copy that checks run in: ask for it where it is used, or move the function to a file that loads without it"
        }
    };
    Some(CheckError(format!("{what} does not load: {error}: {text} ({place}); {remedy}")))
}

fn is_import(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("import ") || line.starts_with("from ")
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::Arc;

    use super::*;
    use crate::languages::python::Python;
    use crate::verification_stack::subject_as_is;

    const FILE: &str =
        "import app\nKEY = read()\n\n# @spec Twice.\n# @example f(1) == 2\ndef f(x):\n    return 2 * x\n";

    /// What is said of an error, where `before` stands for the file before the edit.
    fn said(before: Option<&str>, (error, place, origin): (&str, &str, &str)) -> Option<String> {
        let analysis = Python.analyse(Path::new("a.py"), &Arc::from(FILE));
        let mut subject = subject_as_is(&analysis.tasks[0], Some(PathBuf::from("/p")));
        subject.previous = before.map_or(subject.previous, Arc::from);
        let [error, text, place, origin] = [error, "why", place, origin].map(str::to_owned);
        let broken = Broken("broken".into(), error, text, String::new(), place, origin);
        hindered(&subject, Some(&broken)).map(|e| e.0.split(';').next().unwrap_or("").to_owned())
    }

    #[test]
    fn only_what_stood_there_before_excuses() {
        let package = Some("the package does not load: ValueError: why (/p/__init__.py:3)".to_owned());
        assert_eq!(said(None, ("ValueError", "/p/__init__.py:3", "elsewhere")), package);
        assert_eq!(said(None, ("ValueError", "/p/__init__.py:3", "1")), package, "an import of the file");
        assert_eq!(said(Some("KEY = read()\n"), ("ValueError", "/p/app.py:3", "1")), None, "an import of the edit");
        let own = Some("a.py does not load: FileNotFoundError: why (/p/a.py:2)".to_owned());
        assert_eq!(said(None, ("FileNotFoundError", "/p/a.py:2", "2")), own);
        assert_eq!(said(Some("import app\n"), ("FileNotFoundError", "/p/a.py:2", "2")), None);
        assert_eq!(said(None, ("ValueError", "/p/a.py:2", "2")), None, "a fault of the file itself");
        assert_eq!(said(None, ("ImportError", "/p/a.py:1", "1")), None);
        assert_eq!(said(None, ("FileNotFoundError", "/p/a.py:2", "function")), None);
        assert_eq!(said(None, ("NameError", "", "")), None);
    }
}
