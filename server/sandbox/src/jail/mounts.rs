//! The file system and the namespaces of a job, as a bubblewrap command line.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::RawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use crate::wire::{HELPER_INSIDE, Plan, Shape};

/// Top-level names of the system: links into `/usr`, or folders of their own.
const SYSTEM: [&str; 8] = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store"];

/// What the dynamic loader and Debian's alternatives need of `/etc`.
const ETC: [&str; 4] = ["/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"];

/// A folder that only root may enter is bound entry by entry up to this many entries.
const MAX_ENTRIES: usize = 512;

/// Bubblewrap's options for `plan`, up to but without the program.
///
/// `file` turns a text into an inherited descriptor.
///
/// # Errors
/// When `file` fails.
pub(crate) fn bubblewrap_args(
    plan: &Plan,
    file: &mut dyn FnMut(&str) -> io::Result<RawFd>,
) -> io::Result<Vec<OsString>> {
    let mut args = Args::default();
    namespaces(plan, &mut args);
    for dir in SYSTEM {
        system(Path::new(dir), &mut args);
    }
    args.folder(Path::new("/etc"));
    for path in ETC {
        args.add(["--ro-bind-try", path, path]);
    }
    let (uid, home) = (inside_uid(plan), plan.scratch.to_string_lossy());
    args.data(file(&format!("sandbox:x:{uid}:{uid}::{home}:/bin/sh\n"))?, "/etc/passwd");
    args.data(file(&format!("sandbox:x:{uid}:\n"))?, "/etc/group");
    args.add(["--proc", "/proc", "--dev", "/dev"]);
    let disk = plan.limits.disk.max(4096).to_string();
    for dir in ["/dev/shm", "/tmp"] {
        args.add(["--perms", "1777", "--size", &disk, "--tmpfs", dir]);
    }
    args.parents(Path::new(HELPER_INSIDE));
    args.add([OsStr::new("--ro-bind"), &plan.helper, OsStr::new(HELPER_INSIDE)]);
    for (path, writable) in binds(plan) {
        args.parents(&path);
        bind(&path, writable, plan.shape, &mut args);
    }
    args.add(["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/"]);
    Ok(args.0)
}

#[derive(Default)]
struct Args(Vec<OsString>);

impl Args {
    fn add<T: Into<OsString>, const N: usize>(&mut self, args: [T; N]) {
        self.0.extend(args.map(Into::into));
    }

    fn folder(&mut self, path: &Path) {
        self.add([OsStr::new("--perms"), OsStr::new("0755"), OsStr::new("--dir"), path.as_os_str()]);
    }

    /// The folders above `path`: left to itself, bubblewrap closes them to all but their owner.
    fn parents(&mut self, path: &Path) {
        let mut above: Vec<&Path> = path.ancestors().skip(1).filter(|path| path.parent().is_some()).collect();
        above.reverse();
        above.into_iter().for_each(|path| self.folder(path));
    }

    fn data(&mut self, fd: RawFd, path: &str) {
        self.add(["--perms", "0644", "--ro-bind-data", &fd.to_string(), path]);
    }
}

fn namespaces(plan: &Plan, args: &mut Args) {
    args.add(["--die-with-parent", "--new-session", "--as-pid-1", "--hostname", "sandbox"]);
    args.add(["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]);
    match plan.shape {
        Shape::UserNamespace => args.add(["--unshare-user"]),
        // Pid 1 needs these two to become the job's uid, and for nothing else.
        _ => args.add(["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]),
    }
    if plan.nursery && plan.shape == Shape::Dropped {
        // Pid 1 mounts one more `/proc` with it and puts it down before anything else is started.
        args.add(["--cap-add", "CAP_SYS_ADMIN"]);
    }
}

fn inside_uid(plan: &Plan) -> u32 {
    if plan.shape == Shape::Dropped { plan.uid } else { nix::unistd::getuid().as_raw() }
}

fn system(dir: &Path, args: &mut Args) {
    if let Ok(target) = fs::read_link(dir) {
        args.add([OsStr::new("--symlink"), target.as_os_str(), dir.as_os_str()]);
    } else if dir.is_dir() {
        args.add([OsStr::new("--ro-bind"), dir.as_os_str(), dir.as_os_str()]);
    }
}

/// What to bind, parents before children, so that a nested bind is not covered.
fn binds(plan: &Plan) -> Vec<(PathBuf, bool)> {
    let mut binds: Vec<(PathBuf, bool)> = plan.readable.iter().map(|path| (PathBuf::from(path), false)).collect();
    // A readable path that is a link is wanted at its name and at what other links may point to.
    let real = binds.iter().filter_map(|(path, _)| Some((fs::canonicalize(path).ok()?, false)));
    let real: Vec<_> = real.collect();
    binds.extend(real);
    binds.retain(|(path, _)| !SYSTEM.iter().any(|dir| path.starts_with(dir)));
    binds.push((PathBuf::from(&plan.scratch), true));
    binds.sort_by_key(|(path, writable)| (path.components().count(), path.clone(), *writable));
    binds.dedup();
    binds
}

fn bind(path: &Path, writable: bool, shape: Shape, args: &mut Args) {
    if !writable && shape == Shape::Dropped && is_closed(path) {
        let entries: Vec<_> = fs::read_dir(path).into_iter().flatten().flatten().take(MAX_ENTRIES + 1).collect();
        if entries.len() <= MAX_ENTRIES {
            args.folder(path);
            for entry in entries {
                let child = entry.path();
                match fs::read_link(&child) {
                    Ok(target) => args.add([OsStr::new("--symlink"), target.as_os_str(), child.as_os_str()]),
                    Err(_) => args.add([OsStr::new("--ro-bind"), child.as_os_str(), child.as_os_str()]),
                }
            }
            return;
        }
    }
    let option = if writable { "--bind" } else { "--ro-bind" };
    args.add([OsStr::new(option), path.as_os_str(), path.as_os_str()]);
}

/// Whether a folder of root's is closed to others, as temporary folders are. The caller named it, so
/// the job may read what in it is open to others.
fn is_closed(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == 0 && meta.permissions().mode() & 0o5 != 0o5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_root_may_enter_is_opened_one_level() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), "").unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let mut open = Args::default();
        bind(dir.path(), false, Shape::Dropped, &mut open);
        assert_eq!(open.0[0], "--ro-bind");
        assert_eq!(open.0.len(), 3);
    }
}
