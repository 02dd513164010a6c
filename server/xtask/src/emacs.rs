//! Emacs 28 and eglot for the end-to-end tests: the old client, which resolves nothing and asks before
//! every edit. No registry has Emacs, so it comes from Debian's packages, unpacked into the data folder:
//! neither root nor the machine's own package lists are touched.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Outcome, output, run};

/// The release whose packages are meant.
const RELEASE: &str = "bookworm";
/// Emacs, eglot, and every library of theirs that a machine may lack.
const PACKAGES: [&str; 21] = [
    "emacs-nox",
    "emacs-bin-common",
    "emacs-common",
    "emacs-el",
    "elpa-eglot",
    "elpa-project",
    "elpa-seq",
    "elpa-xref",
    "libasound2",
    "libdbus-1-3",
    "libgccjit0",
    "libgnutls30",
    "libgpm2",
    "libicu72",
    "libisl23",
    "libjansson4",
    "liblcms2-2",
    "libmpc3",
    "libmpfr6",
    "libsystemd0",
    "libxml2",
];

/// Where [`install`] puts the program that starts it.
pub fn program(folder: &Path) -> PathBuf {
    folder.join("emacs")
}

/// Unpacks Emacs into `folder`. Elsewhere than on that release it says that there is none, and the tests
/// say so too.
///
/// # Errors
/// When the packages cannot be had where they should be.
pub fn install(folder: &Path) -> Outcome {
    let release = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    if !release.contains(RELEASE) || output("apt-get", &["--version"]).is_none() {
        eprintln!("skipped: Emacs; the tests take it from the packages of Debian {RELEASE}, or from the PATH");
        return Ok(());
    }
    drop(std::fs::remove_dir_all(folder));
    for part in ["lists/partial", "archives", "root"] {
        std::fs::create_dir_all(folder.join(part)).map_err(|e| format!("cannot make {}: {e}", folder.display()))?;
    }
    let own = [format!("Dir::State::lists={}", folder.join("lists").display()), "Debug::NoLocking=1".to_owned()];
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.current_dir(folder.join("archives")).arg("--quiet=2");
        for option in own.iter().map(String::as_str).chain(["APT::Sandbox::User=root"]) {
            command.args(["-o", option]);
        }
        command.args(arguments);
        command
    };
    run(&mut apt(&["update"]))?;
    run(apt(&["download"]).args(PACKAGES))?;
    let archives = folder.join("archives");
    let packages = std::fs::read_dir(&archives).map_err(|e| format!("cannot read {}: {e}", archives.display()))?;
    for package in packages.flatten().map(|p| p.path()) {
        run(Command::new("dpkg").arg("--extract").arg(&package).arg(folder.join("root")))?;
    }
    for part in ["lists", "archives"] {
        drop(std::fs::remove_dir_all(folder.join(part)));
    }
    start_script(folder)
}

/// Emacs was built for `/usr`; the variables tell it where everything is instead.
fn start_script(folder: &Path) -> Outcome {
    let script = format!(
        r#"#!/bin/sh
usr='{}/usr'
share=$usr/share/emacs/28.2
programs=$(echo "$usr"/libexec/emacs/28.2/*)
EMACSLOADPATH=$(find "$share/lisp" "$usr"/share/emacs/site-lisp/elpa-src/* -type d | tr '\n' ':')
LD_LIBRARY_PATH=$usr/lib/$(uname -m)-linux-gnu
export EMACSLOADPATH LD_LIBRARY_PATH EMACSDATA="$share/etc" EMACSDOC="$share/etc" EMACSPATH="$programs"
exec "$usr/bin/emacs-nox" --dump-file="$programs/emacs.pdmp" "$@"
"#,
        folder.join("root").display()
    );
    let program = program(folder);
    let written = std::fs::write(&program, script)
        .and_then(|()| std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)));
    written.map_err(|e| format!("cannot write {}: {e}", program.display()))?;
    run(Command::new(&program).args(["-Q", "--batch", "--eval", "(require 'eglot)"]))
}
