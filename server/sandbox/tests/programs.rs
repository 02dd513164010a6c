//! Programs that behave: what they may do, they can.

mod common;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use common::{Case, python, sandbox};
use zeroerr_sandbox::{Exit, Sandbox, SandboxError, SandboxOptions};

#[test]
fn a_clean_program_gives_its_exact_output_and_code() {
    let mut case = Case::sh("cat; echo oops >&2; exit 3");
    case.job.stdin = b"one\ntwo\n".to_vec();
    let ran = case.run();
    assert_eq!((ran.exit(), ran.stdout().as_str(), ran.stderr().as_str()), (Exit::Code(3), "one\ntwo\n", "oops\n"));
}

#[test]
fn the_python_of_this_machine_runs_with_its_own_prefix_readable() {
    let script = "import json, sys, statistics; print(json.dumps([statistics.median([3, 1, 2]), sys.stdin.read()]))";
    let mut case = Case::python(script);
    case.job.stdin = b"in".to_vec();
    case.run().prints("[2, \"in\"]\n");
}

#[test]
fn a_virtual_environment_runs_where_it_stands() {
    let (interpreter, readable) = python();
    let home = tempfile::tempdir().unwrap();
    let made = Command::new(interpreter).args(["-m", "venv", "--without-pip"]).arg(home.path().join("venv")).status();
    assert!(made.unwrap().success());
    let program = home.path().join("venv/bin/python");
    let mut case = Case::new(&program, &["-c", "import sys; print(sys.prefix)"]).readable(&home.path().join("venv"));
    case.job.readable.extend(readable.clone());
    case.run().prints(&format!("{}\n", home.path().join("venv").display()));
}

#[test]
fn what_it_writes_to_scratch_is_ours_afterwards() {
    let case = Case::sh("mkdir -p a/b && echo hi > a/b/c && chmod 700 a && pwd && echo $HOME $TMPDIR");
    let scratch = case.job.scratch.display().to_string();
    case.run().prints(&format!("{scratch}\n{scratch} {scratch}\n"));
    let file = case.job.scratch.join("a/b/c");
    assert_eq!(fs::read_to_string(&file).unwrap(), "hi\n");
    assert_eq!(fs::metadata(&file).unwrap().uid(), nix::unistd::getuid().as_raw());
    assert_eq!(fs::metadata(&case.job.scratch).unwrap().uid(), nix::unistd::getuid().as_raw());
    // And the next job finds it again.
    let mut again = Case::sh("cat a/b/c; echo more >> a/b/c; cat a/b/c");
    again.job.scratch = case.job.scratch.clone();
    again.run().prints("hi\nhi\nmore\n");
}

#[test]
fn a_readable_folder_is_seen_where_it_is_even_when_it_is_private() {
    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join("data"), "42").unwrap();
    fs::create_dir(project.path().join("sub")).unwrap();
    fs::write(project.path().join("sub/more"), "43").unwrap();
    let script = format!("cat {0}/data {0}/sub/more", project.path().display());
    Case::sh(&script).readable(project.path()).run().prints("4243");
}

#[test]
fn scratch_inside_a_readable_project_is_writable_and_the_project_is_not() {
    let project = tempfile::tempdir().unwrap();
    fs::write(project.path().join("data"), "42").unwrap();
    let scratch = project.path().join("out");
    fs::create_dir(&scratch).unwrap();
    let mut case =
        Case::sh("cp ../data mine && (echo x > ../data) 2>/dev/null; cat mine ../data").readable(project.path());
    case.job.scratch = scratch;
    case.run().prints("4242");
}

#[test]
fn the_environment_is_the_one_that_was_given() {
    let mut case = Case::sh("env | sort | cut -d= -f1 | grep -v -e PWD -e _ -e SHLVL | tr '\\n' ' '; echo $GIVEN");
    case.job.env = vec![("GIVEN".into(), "yes".into())];
    case.run().prints("GIVEN HOME LANG PATH TMPDIR yes\n");
}

#[test]
fn pools_and_threads_and_pairs_of_sockets_work() {
    let script = "
import asyncio, multiprocessing, subprocess, sys, threading
t = threading.Thread(target=lambda: print('thread')); t.start(); t.join()
print(subprocess.run([sys.executable, '-I', '-c', 'print(1+1)'], capture_output=True, text=True).stdout.strip())
async def main(): return await asyncio.sleep(0, 'loop')
print(asyncio.run(main()))
print(multiprocessing.get_context('fork').Pool(2).map(abs, [-1, -2]))
";
    Case::python(script).run().prints("thread\n2\nloop\n[1, 2]\n");
}

#[test]
fn large_input_that_nobody_reads_blocks_nothing() {
    let mut case = Case::sh("echo done");
    case.job.stdin = vec![b'x'; 8 << 20];
    case.run().prints("done\n");
}

#[test]
fn a_program_that_is_not_visible_is_an_error_that_says_what_to_do() {
    let hidden = tempfile::tempdir().unwrap();
    let program = hidden.path().join("tool");
    fs::copy("/bin/true", &program).unwrap();
    let case = Case::new(&program, &[]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let error = runtime.block_on(sandbox().run(case.job.clone())).unwrap_err();
    assert!(matches!(error, SandboxError::Setup(_)));
    assert!(error.to_string().contains("add its folder to what the job may read"), "{error}");
}

#[test]
fn a_job_that_would_open_the_home_folder_is_refused() {
    let home = std::env::home_dir().unwrap();
    for hole in [PathBuf::from("/"), home] {
        let case = Case::sh("true").readable(&hole);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let error = runtime.block_on(sandbox().run(case.job.clone())).unwrap_err();
        assert!(error.to_string().contains("holds the home folder"), "{error}");
    }
}

#[test]
fn many_jobs_side_by_side_do_not_disturb_each_other() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let sandbox = sandbox();
    runtime.block_on(async {
        let mut running = Vec::new();
        for index in 0..16 {
            let case = Case::sh(&format!("echo {index} > f; sleep 0.1; cat f"));
            let sandbox = sandbox.clone();
            running.push(tokio::spawn(async move { (index, sandbox.run(case.job.clone()).await, case) }));
        }
        for task in running {
            let (index, output, _case) = task.await.unwrap();
            assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap(), format!("{index}\n"));
        }
    });
}

#[test]
fn the_sandbox_says_what_holds_and_what_does_not() {
    let told = sandbox().describe();
    let text = told.to_string();
    for word in ["bubblewrap", "seccomp", "rlimits"] {
        assert!(text.contains(word), "{text}");
    }
    assert!(!told.cannot_stop.is_empty());
    assert_eq!(text.contains("landlock"), kernel_has_landlock(), "{text}");
}

#[test]
fn without_bubblewrap_nothing_runs_and_the_remedy_is_named() {
    let options = SandboxOptions { bwrap: Some("/nonexistent/bwrap".into()), ..SandboxOptions::default() };
    let error = Sandbox::detect(&options).unwrap_err();
    expect_test::expect![[r#"generated code cannot be run safely here: /nonexistent/bwrap is not a program; install it (`apt install bubblewrap`, `dnf install bubblewrap`) or run `zeroerr doctor --fix`"#]]
        .assert_eq(&error.to_string());
}

#[test]
fn a_bubblewrap_that_only_pretends_is_found_out() {
    let fake = tempfile::tempdir().unwrap();
    let bwrap = fake.path().join("bwrap");
    // Starts the next stage without any namespace, as a broken wrapper would.
    fs::write(&bwrap, "#!/bin/sh\nwhile [ \"$1\" != -- ]; do shift; done; shift 2\nexec \"$HELPER\" \"$@\"\n").unwrap();
    let helper = env!("CARGO_BIN_EXE_zeroerr-jail");
    let text = fs::read_to_string(&bwrap).unwrap().replace("$HELPER", helper);
    fs::write(&bwrap, text).unwrap();
    fs::set_permissions(&bwrap, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let options = SandboxOptions { bwrap: Some(bwrap), ..SandboxOptions::default() };
    let error = Sandbox::detect(&options).unwrap_err();
    assert!(error.remedy.contains("user namespaces"), "{error}");
}

#[test]
fn off_runs_with_limits_only_and_says_so() {
    let options = SandboxOptions { mode: zeroerr_sandbox::Mode::Off, ..SandboxOptions::default() };
    let sandbox = Sandbox::detect(&options).unwrap();
    assert!(sandbox.describe().to_string().contains("the sandbox is off"));
    Case::sh("echo hi").run_in(&sandbox).prints("hi\n");
    let marker = common::marker("off");
    let script = format!("(setsid sh -c 'sleep 60; : {marker}' &) ; while :; do :; done");
    let ran = Case::sh(&script).limits(|limits| limits.cpu = Duration::from_secs(1)).run_in(&sandbox);
    assert_eq!(ran.exit(), Exit::Limit(zeroerr_sandbox::LimitKind::Cpu));
    assert_eq!(common::processes_with(&marker), Vec::<u32>::new());
}

fn kernel_has_landlock() -> bool {
    use landlock::{ABI, Access, AccessFs, CompatLevel, Compatible, Ruleset, RulesetAttr};
    let rules = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    rules.handle_access(AccessFs::from_all(ABI::V1)).and_then(Ruleset::create).is_ok()
}
