//! Finding, reading and writing the user's source files.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use zeroerr_core::code::LanguageId;

use crate::exit::CliError;

/// Files of a language we know, at and below `paths`, sorted, each once. A path that is named
/// itself is taken whatever .gitignore says.
///
/// # Errors
/// A path that does not exist or whose language we do not know.
pub fn find(paths: &[PathBuf]) -> Result<Vec<PathBuf>, CliError> {
    let adapters: Vec<LanguageId> = zeroerr_verification::languages::all().iter().map(|l| l.id()).collect();
    let is_known = |path: &Path| LanguageId::from_path(path).is_some_and(|id| adapters.contains(&id));
    let mut found = Vec::new();
    for path in paths {
        if path.is_dir() {
            let walk = ignore::WalkBuilder::new(path)
                .require_git(false)
                .filter_entry(|e| e.depth() == 0 || !is_foreign(e))
                .sort_by_file_path(Path::cmp)
                .build();
            for entry in walk {
                let entry = entry.map_err(|e| CliError::usage(format!("{}: cannot be walked: {e}", path.display())))?;
                // A link to a file is looked at; one to a folder could lead anywhere, and in circles.
                let is_file = match entry.path_is_symlink() {
                    true => entry.path().is_file(),
                    false => entry.file_type().is_some_and(|t| t.is_file()),
                };
                if is_file && is_known(entry.path()) {
                    found.push(entry.into_path());
                }
            }
        } else if !path.exists() {
            return Err(CliError::usage(format!(
                "there is no {}; give the path of a file or a folder",
                path.display()
            )));
        } else if !is_known(path) {
            return Err(CliError::usage(format!(
                "{}: this kind of file is not known; there are {}",
                path.display(),
                adapters
                    .iter()
                    .map(|l| format!("{} (.{})", l.title(), l.extensions().join(" .")))
                    .collect::<Vec<_>>()
                    .join(", ")
            )));
        } else if !path.is_file() {
            // Reading a pipe waits for whoever writes, a device may have no end.
            return Err(CliError::usage(format!(
                "{}: is no regular file; give the path of a file or a folder",
                path.display()
            )));
        } else {
            found.push(path.clone());
        }
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|p| seen.insert(p.canonicalize().unwrap_or_else(|_| p.clone())));
    Ok(found)
}

/// Whether a folder holds what others wrote or a tool made: dependencies, environments, caches, builds.
fn is_foreign(entry: &ignore::DirEntry) -> bool {
    const NAMES: [&str; 6] =
        ["node_modules", "bower_components", "site-packages", "__pycache__", "vendor", "third_party"];
    let is_folder = entry.file_type().is_some_and(|t| t.is_dir());
    let is_named = || entry.file_name().to_str().is_some_and(|name| NAMES.contains(&name));
    let is_marked = || ["pyvenv.cfg", "CACHEDIR.TAG"].iter().any(|mark| entry.path().join(mark).is_file());
    is_folder && (is_named() || is_marked())
}

/// What Windows editors put before a text. Editors do not show it to a language server, and no layer is shown it either.
const BYTE_ORDER_MARK: &str = "\u{feff}";

/// A text without its byte order mark.
pub fn unmarked(text: &str) -> &str {
    text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text)
}

/// The text of a file, without a byte order mark.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub fn read(path: &Path) -> Result<Arc<str>, CliError> {
    let bytes = std::fs::read(path).map_err(|e| CliError::usage(format!("{}: cannot be read: {e}", path.display())))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(unmarked(&text).into()),
        Err(error) => {
            let upto = error.utf8_error().valid_up_to();
            let line = 1 + error.as_bytes()[..upto].iter().filter(|&&b| b == b'\n').count();
            Err(CliError::usage(format!("{}:{line}: is not UTF-8; save the file as UTF-8", path.display())))
        }
    }
}

/// Whether [`replace`] could write, asked before minutes are spent on what to write.
///
/// # Errors
/// A file or folder that cannot be written.
pub fn check_writable(path: &Path) -> Result<(), CliError> {
    beside(path).map(drop)
}

/// The real path of a file, and an empty temporary file in its folder.
fn beside(path: &Path) -> Result<(PathBuf, tempfile::NamedTempFile), CliError> {
    // Through the link: renaming over it would cut it off from its target.
    let target =
        path.canonicalize().map_err(|e| CliError::usage(format!("{}: cannot be read: {e}", path.display())))?;
    let read_only = std::fs::metadata(&target).is_ok_and(|m| m.permissions().readonly());
    if read_only {
        return Err(CliError::machine(format!("{}: is read-only; nothing was changed", path.display())));
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    let temporary = tempfile::Builder::new().prefix(".zeroerr-").tempfile_in(folder).map_err(|e| cannot(path, &e))?;
    Ok((target, temporary))
}

fn cannot(path: &Path, error: &std::io::Error) -> CliError {
    // The library adds its temporary file's name, which says nothing to the user.
    let text = error.to_string();
    let text = text.split(" at path ").next().unwrap_or(&text);
    CliError::machine(format!("{}: cannot be written: {text}; nothing was changed", path.display()))
}

/// Replaces a file's text in one step, if it still holds `expected`.
///
/// The new text is written beside the file and renamed over it, so that no reader and no power cut
/// ever sees half of it. Permissions and a byte order mark are kept; a symbolic link stays one.
///
/// # Errors
/// When the file changed since it was read, or the folder cannot be written.
pub fn replace(path: &Path, expected: &str, new: &str) -> Result<(), CliError> {
    let cannot = |e: std::io::Error| cannot(path, &e);
    let (target, mut temporary) = beside(path)?;
    let permissions = std::fs::metadata(&target).map_err(cannot)?.permissions();
    let has_mark = std::fs::read(&target).is_ok_and(|bytes| bytes.starts_with(BYTE_ORDER_MARK.as_bytes()));
    let mark = if has_mark { BYTE_ORDER_MARK } else { "" };
    temporary.write_all(mark.as_bytes()).and_then(|()| temporary.write_all(new.as_bytes())).map_err(cannot)?;
    temporary.as_file().set_permissions(permissions).map_err(cannot)?;
    temporary.as_file().sync_all().map_err(cannot)?;
    // As late as possible: what was changed meanwhile is the user's.
    if *read(path)? != *expected {
        return Err(CliError {
            exit: crate::exit::Exit::Findings,
            message: format!("{}: was changed while the function was being written; run again", path.display()),
        });
    }
    temporary.persist(&target).map_err(|e| cannot(e.error))?;
    Ok(())
}

/// Writes a file of ours (an export, a report), whole or not at all.
///
/// # Errors
/// When its folder cannot be made or written.
pub fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    // Through a link, as any program would; a pipe or a device takes what is written to it.
    let there = path.canonicalize();
    let path = there.as_deref().unwrap_or(path);
    if path.metadata().is_ok_and(|m| !m.is_file() && !m.is_dir()) {
        let written = std::fs::OpenOptions::new().write(true).open(path).and_then(|mut f| f.write_all(text.as_bytes()));
        return written.map_err(|e| CliError::machine(format!("{}: cannot be written: {e}", path.display())));
    }
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        std::fs::create_dir_all(folder)?;
        // As any file of the user's: not for their eyes alone, unless they said so (umask).
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o666);
        let mut file = tempfile::Builder::new().permissions(mode).tempfile_in(folder)?;
        file.write_all(text.as_bytes())?;
        file.persist(path).map_err(|e| e.error)?;
        Ok(())
    };
    write().map_err(|e: std::io::Error| CliError::machine(format!("{}: cannot be written: {e}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_file_is_replaced_in_one_step_and_keeps_its_permissions_and_its_link() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.py");
        std::fs::write(&file, "old\r\n").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o751)).unwrap();
        let link = dir.path().join("link.py");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        replace(&link, "old\r\n", "new\r\n").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new\r\n");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o751);
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "no temporary file is left");
    }

    #[test]
    fn a_file_that_changed_meanwhile_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.py");
        std::fs::write(&file, "theirs").unwrap();
        let error = replace(&file, "ours", "new").unwrap_err();
        assert!(error.message.ends_with("run again"), "{error}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "theirs");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_byte_order_mark_is_kept_and_not_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.py");
        std::fs::write(&file, "\u{feff}old\r\n").unwrap();
        assert_eq!(&*read(&file).unwrap(), "old\r\n");
        replace(&file, "old\r\n", "new\r\n").unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "\u{feff}new\r\n");
    }

    #[test]
    fn a_file_of_ours_is_as_readable_as_any_other_of_the_users() {
        let dir = tempfile::tempdir().unwrap();
        let (ours, plain) = (dir.path().join("x/page.html"), dir.path().join("plain"));
        write_new(&ours, "page").unwrap();
        std::fs::write(&plain, "").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&ours), mode(&plain));
    }

    #[test]
    fn a_read_only_file_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.py");
        std::fs::write(&file, "old").unwrap();
        check_writable(&file).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o444)).unwrap();
        for error in [check_writable(&file).unwrap_err(), replace(&file, "old", "new").unwrap_err()] {
            assert!(error.message.ends_with("a.py: is read-only; nothing was changed"), "{error}");
            assert_eq!(error.exit, crate::exit::Exit::Machine);
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "old");
    }

    #[test]
    fn unreadable_text_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.py");
        std::fs::write(&file, b"ok\n\xe9\n").unwrap();
        assert!(read(&file).unwrap_err().message.ends_with("a.py:2: is not UTF-8; save the file as UTF-8"));
    }

    #[test]
    fn what_is_no_regular_file_is_not_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let (pipe, socket, device) = (dir.path().join("p.py"), dir.path().join("s.py"), dir.path().join("d.py"));
        nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
        for path in [pipe, socket, device] {
            let error = find(&[path]).unwrap_err();
            assert!(error.message.ends_with(".py: is no regular file; give the path of a file or a folder"), "{error}");
            assert_eq!(error.exit, crate::exit::Exit::Usage);
        }
        assert!(find(&[dir.path().to_path_buf()]).unwrap().is_empty(), "a walk passes them over");
    }

    #[test]
    fn folders_are_walked_with_gitignore_and_every_file_counts_once() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.py", "a.py", "skipped.py", "note.txt"] {
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        std::fs::create_dir(dir.path().join(".git")).unwrap();
        std::fs::write(dir.path().join(".gitignore"), "skipped.py\n").unwrap();
        let found = find(&[dir.path().to_path_buf(), dir.path().join("a.py")]).unwrap();
        assert_eq!(found, [dir.path().join("a.py"), dir.path().join("b.py")]);
        assert_eq!(find(&[dir.path().join("skipped.py")]).unwrap().len(), 1, "named by the user");
        assert!(find(&[dir.path().join("none.py")]).unwrap_err().message.starts_with("there is no "));
        assert!(find(&[dir.path().join("note.txt")]).unwrap_err().message.contains("not known"));
    }
}
