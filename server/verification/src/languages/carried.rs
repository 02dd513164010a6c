//! The files of a project that a copy of it carries: code first, then whatever else may be read, as far as
//! `.gitignore` and the bounds let it in. What may hold a secret is carried by no copy, unless the language says that
//! nothing compiles without it.

use std::ffi::OsStr;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use ignore::{DirEntry, WalkBuilder};

/// Bounds of a copy: files, bytes in all, bytes of one file.
const MAX_FILES: usize = 6_000;
const MAX_BYTES: u64 = 128 << 20;
const MAX_FILE: u64 = 16 << 20;
/// Files of a project that are looked at.
const MAX_SEEN: usize = 100_000;
/// Bounds of the data beside a module: files, files that are looked at, bytes of one.
const MAX_DATA: usize = 200;
const MAX_DATA_SEEN: usize = 4_000;
const MAX_DATUM: u64 = 1 << 20;
/// Names of files that are told in one message.
const NAMED: usize = 3;
/// Hidden files that configure tools or hold a folder open; no other hidden file is carried.
const HIDDEN: &[&str] = &[
    ".babelrc",
    ".babelrc.json",
    ".coveragerc",
    ".editorconfig",
    ".gitattributes",
    ".gitignore",
    ".gitkeep",
    ".keep",
    ".mocharc.cjs",
    ".mocharc.js",
    ".mocharc.json",
    ".mocharc.yaml",
    ".mocharc.yml",
    ".pylintrc",
    ".swcrc",
];
/// What keys and the states of machines are called by.
const SECRET_ENDINGS: &[&str] = &[
    "env",
    "gpg",
    "jks",
    "kdbx",
    "key",
    "keystore",
    "kubeconfig",
    "ovpn",
    "p12",
    "pem",
    "pfx",
    "ppk",
    "tfstate",
    "tfvars",
];
/// Files that hold secrets whatever comes behind their names, unless it is code: `credentials`, `secrets.json`.
const SECRET_STEMS: &[&str] = &[
    "credential",
    "credentials",
    "htpasswd",
    "kubeconfig",
    "netrc",
    "_netrc",
    "passwords",
    "secret",
    "secrets",
    "service-account",
    "service_account",
];
/// Endings of code, which holds no secrets of this kind.
const CODE: &[&str] = &["cjs", "cts", "js", "jsx", "mjs", "mts", "py", "pyi", "rs", "ts", "tsx"];
/// How the files of private keys start.
const SECRET_STARTS: &[&str] = &["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];

/// What a copy carries.
#[derive(Debug, Default)]
pub(crate) struct Carried {
    /// Where each file is, and where it goes below the copy's root; in order of the paths.
    pub files: Vec<(PathBuf, PathBuf)>,
    /// Files that were too large, or too many.
    pub beyond: Vec<PathBuf>,
    /// Files that may hold a secret.
    pub secret: Vec<PathBuf>,
}

impl Carried {
    /// Reads a project. `is_code` says by an ending what is carried first, `foreign` names folders that are nobody's.
    pub fn read(workspace: &Path, foreign: &'static [&'static str], is_code: impl Fn(&str) -> bool) -> Self {
        let is_foreign = |path: &Path| path.file_name().and_then(OsStr::to_str).is_some_and(|n| foreign.contains(&n));
        Self::read_without(workspace, is_foreign, is_code)
    }

    /// The same where a name alone does not say which folders are nobody's.
    pub fn read_without(
        workspace: &Path,
        is_foreign: impl Fn(&Path) -> bool + Send + Sync + 'static,
        is_code: impl Fn(&str) -> bool,
    ) -> Self {
        let mut all: Vec<(bool, PathBuf, u64)> = Vec::new();
        for (path, size) in files(workspace, None, is_foreign).take(MAX_SEEN) {
            all.push((!is_code(ending(&path)), path, size));
        }
        all.sort_by_key(|(is_data, ..)| *is_data);
        let (mut carried, mut bytes) = (Self::default(), 0);
        for (_, path, size) in all {
            let Ok(below) = path.strip_prefix(workspace).map(Path::to_path_buf) else { continue };
            if is_secret(&path) {
                carried.secret.push(below);
            } else if size > MAX_FILE || carried.files.len() >= MAX_FILES || bytes + size > MAX_BYTES {
                carried.beyond.push(below);
            } else {
                bytes += size;
                carried.files.push((path, below));
            }
        }
        carried.files.sort_by(|a, b| a.1.cmp(&b.1));
        carried
    }

    /// Lets files in that it would leave out, where they are there: they are known by their paths below the workspace.
    pub fn admit(&mut self, workspace: &Path, wanted: &[PathBuf]) {
        for below in wanted {
            self.secret.retain(|other| other != below);
            let path = workspace.join(below);
            if path.is_file() && !self.files.iter().any(|(_, other)| other == below) {
                self.files.push((path, below.clone()));
            }
        }
        self.files.sort_by(|a, b| a.1.cmp(&b.1));
    }

    /// What tests may have missed, in words; `None` where that is nothing. Secrets are worth a word only where a test
    /// `failed`.
    pub fn missed(&self, failed: bool) -> Option<String> {
        let copy = "the copy of the project";
        let beyond = named(&self.beyond).map(|names| format!("too large or too many for {copy}: {names}"));
        let secret = named(&self.secret).filter(|_| failed);
        let secret = secret.map(|names| format!("kept out of {copy}, since there may be secrets in them: {names}"));
        let parts: Vec<String> = beyond.into_iter().chain(secret).collect();
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}

/// Files below a folder that are neither code nor a secret, as far down as `depth`; some hundred at most.
pub(crate) fn data_below(
    folder: &Path,
    depth: usize,
    is_foreign: impl Fn(&Path) -> bool + Send + Sync + 'static,
    is_code: impl Fn(&str) -> bool,
) -> Vec<PathBuf> {
    let small = files(folder, Some(depth), is_foreign).take(MAX_DATA_SEEN).filter(|(_, size)| *size <= MAX_DATUM);
    let data = small.map(|(path, _)| path).filter(|path| !is_code(ending(path)) && !is_secret(path));
    data.take(MAX_DATA).collect()
}

/// The files below a folder with their sizes, in order of their paths; links are not followed.
fn files(
    folder: &Path,
    depth: Option<usize>,
    is_foreign: impl Fn(&Path) -> bool + Send + Sync + 'static,
) -> impl Iterator<Item = (PathBuf, u64)> {
    let is_kept_out = move |e: &DirEntry| {
        let is_folder = e.file_type().is_some_and(|t| t.is_dir());
        e.file_name().to_str().is_none_or(is_hidden_name) || (is_folder && is_foreign(e.path()))
    };
    let walk = WalkBuilder::new(folder)
        .require_git(false)
        .hidden(false)
        .max_depth(depth)
        .filter_entry(move |e| e.depth() == 0 || !is_kept_out(e))
        .sort_by_file_path(Path::cmp)
        .build();
    let found = walk.flatten().filter(|e| e.file_type().is_some_and(|t| t.is_file()));
    found.map(|entry| {
        let size = entry.metadata().map_or(u64::MAX, |m| m.len());
        (entry.into_path(), size)
    })
}

fn ending(path: &Path) -> &str {
    path.extension().and_then(OsStr::to_str).unwrap_or("")
}

/// Some of the files, and how many more there are.
fn named(files: &[PathBuf]) -> Option<String> {
    let names: Vec<String> = files.iter().take(NAMED).map(|p| p.display().to_string()).collect();
    let more = if files.len() > NAMED { format!(" and {} more", files.len() - NAMED) } else { String::new() };
    (!files.is_empty()).then(|| format!("{}{more}", names.join(", ")))
}

fn is_hidden_name(name: &str) -> bool {
    name.starts_with('.') && !HIDDEN.contains(&name)
}

fn is_secret(path: &Path) -> bool {
    let is_code = path.extension().and_then(OsStr::to_str).is_some_and(|e| CODE.contains(&e));
    !is_code && (has_secret_name(path) || is_private_key(path))
}

fn has_secret_name(path: &Path) -> bool {
    let lower = |part: Option<&OsStr>| part.map(|p| p.to_string_lossy().to_lowercase()).unwrap_or_default();
    let name = lower(path.file_name());
    let stem = name.split('.').next().unwrap_or("");
    SECRET_ENDINGS.iter().any(|e| name.rsplit('.').next() == Some(*e))
        || SECRET_STEMS.contains(&stem)
        || SECRET_STARTS.iter().any(|start| stem.starts_with(start))
}

/// Whether a text starts like a private key, whatever it is called.
fn is_private_key(path: &Path) -> bool {
    let mut head = [0; 64];
    let read = std::fs::File::open(path).and_then(|mut f| f.read(&mut head)).unwrap_or(0);
    let head = String::from_utf8_lossy(head.get(..read).unwrap_or_default()).into_owned();
    head.contains("-----BEGIN") && head.contains("PRIVATE KEY")
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn carried(files: &[(&str, &[u8])]) -> Carried {
        carried_with(files, &[])
    }

    /// Some files are so many bytes of nothing.
    fn carried_with(files: &[(&str, &[u8])], empty: &[(&str, u64)]) -> Carried {
        let folder = tempfile::tempdir().unwrap();
        for (name, size) in empty {
            std::fs::File::create(folder.path().join(name)).unwrap().set_len(*size).unwrap();
        }
        for (name, content) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, content).unwrap();
        }
        Carried::read(folder.path(), &["dist"], |ending| ending == "py")
    }

    fn names(carried: &Carried) -> String {
        carried.files.iter().map(|(_, below)| format!("{}\n", below.display())).collect()
    }

    #[test]
    fn data_of_any_kind_is_carried_and_no_secret_is() {
        let found = carried(&[
            (".gitignore", b"ignored.bin\n"),
            (".env", b"KEY=1"),
            (".npmrc", b"token"),
            (".pypirc", b"token"),
            (".aws/credentials", b"key"),
            (".coveragerc", b""),
            ("app.env", b"KEY=1"),
            ("cert.PEM", b"x"),
            ("credentials.json", b"{}"),
            ("credentials.py", b"x = 1"),
            ("credentials.rs", b"struct X;"),
            ("dist/x.py", b""),
            ("fixtures/LICENSE", b"text"),
            ("fixtures/data.bin", b"\0\x01"),
            ("fixtures/dump.sql", b"select 1;"),
            ("id_rsa", b"x"),
            ("id_rsa.pub", b"x"),
            ("ignored.bin", b"x"),
            ("notes.txt", b"-----BEGIN RSA PRIVATE KEY-----\n"),
            ("templates/page.j2", b"{{ x }}"),
        ]);
        expect![[r#"
            .coveragerc
            .gitignore
            credentials.py
            credentials.rs
            fixtures/LICENSE
            fixtures/data.bin
            fixtures/dump.sql
            templates/page.j2
        "#]]
        .assert_eq(&names(&found));
        assert_eq!(found.missed(false), None);
        let said = found.missed(true).unwrap();
        assert_eq!(
            said,
            "kept out of the copy of the project, since there may be secrets in them: app.env, cert.PEM, credentials.json and 3 more"
        );
    }

    #[test]
    fn what_is_too_large_is_told_and_code_comes_first() {
        let data = ["a.bin", "b.bin", "c.bin", "d.bin", "e.bin", "f.bin", "g.bin", "h.bin"];
        let mut empty = vec![("huge.bin", MAX_FILE + 1)];
        empty.extend(data.map(|name| (name, MAX_FILE)));
        let found = carried_with(&[("z.py", b"x")], &empty);
        // One byte of code leaves no room for the last of what fills the bound.
        assert_eq!(names(&found), "a.bin\nb.bin\nc.bin\nd.bin\ne.bin\nf.bin\ng.bin\nz.py\n");
        assert_eq!(found.missed(false).unwrap(), "too large or too many for the copy of the project: h.bin, huge.bin");
    }
}
