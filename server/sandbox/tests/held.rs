//! Jobs that are started ahead: they see what comes after their start, the same walls and limits hold them as any
//! job, their time begins with their stdin, and nothing of them is left. About five seconds.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::time::Duration;

use common::{Case, Ran, eventually, forbidden, marker, processes_with, sandbox};
use zeroerr_sandbox::{Exit, LimitKind, Mode, Sandbox, SandboxOptions};

const SECONDS: Duration = Duration::from_secs(20);

/// A job that makes ready and evaluates what it then reads.
const EVALUATES: &str = "
import os, socket, subprocess, sys, threading, time
os.write(1, b'!')
question = sys.stdin.read()
try:
    print(eval(question), end='')
except Exception as error:
    print(type(error).__name__, end='')
";

/// What a job that is held gives for the stdin.
async fn asked(case: &Case, stdin: &str) -> Ran {
    let held = sandbox().hold(case.job.clone()).await.expect("it starts");
    Ran(held.run(stdin.as_bytes()).await.expect("it runs"))
}

#[tokio::test]
async fn it_reads_what_comes_after_its_start_and_its_folder_is_its_own() {
    let case = Case::python(EVALUATES);
    let held = sandbox().hold(case.job.clone()).await.expect("it starts");
    let project = case.scratch.path().join("project");
    std::fs::create_dir(&project).unwrap();
    std::fs::write(project.join("late"), "came later").unwrap();
    let question = "open('project/late').read() + str(open('project/own', 'w').write('1')) + str(os.rename('project/late', 'late'))";
    Ran(held.run(question.as_bytes()).await.unwrap()).prints("came later1None");
    // It belongs to the caller again.
    std::fs::write(project.join("own"), "2").unwrap();
    std::fs::remove_file(case.scratch.path().join("late")).unwrap();
}

#[tokio::test]
async fn all_of_a_long_stdin_comes_and_none_of_it_is_needed() {
    let long = format!("len('{}')", "x".repeat(3 << 20));
    asked(&Case::python(EVALUATES), &long).await.prints("3145728");
    asked(&Case::sh("printf '!'; head -c 3; printf ' is enough'"), &long).await.prints("len is enough");
    asked(&Case::sh("printf '!'; cat"), "").await.prints("");
}

#[tokio::test]
async fn the_walls_of_any_job_hold_it() {
    let tried = [
        (
            "sorted(os.environ)".to_owned(),
            ["['HOME', 'LANG', 'PATH', 'TMPDIR']", "['HOME', 'LANG', 'LC_CTYPE', 'PATH', 'TMPDIR']"],
        ),
        ("len([p for p in os.listdir('/proc') if p.isdigit()]) <= 3".to_owned(), ["True", "True"]),
    ];
    for (question, answers) in forbidden().into_iter().chain(tried) {
        let said = asked(&Case::python(EVALUATES), &question).await;
        assert!(answers.contains(&said.stdout().as_str()), "{question}: {said:?}");
    }
}

#[tokio::test]
async fn its_time_begins_with_its_stdin() {
    let short = || Case::python(EVALUATES).limits(|l| l.wall = Duration::from_secs(1));
    let case = short();
    let held = sandbox().hold(case.job.clone()).await.expect("it starts");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let ran = Ran(held.run(b"1 + 1").await.unwrap());
    ran.prints("2");
    assert!(ran.0.elapsed < Duration::from_millis(1500), "it did not wait for it: {:?}", ran.0.elapsed);
    assert_eq!(asked(&short(), "time.sleep(60)").await.exit(), Exit::Limit(LimitKind::Wall));
}

#[tokio::test]
async fn the_limits_of_any_job_hold_it() {
    let flood = Case::python(EVALUATES).limits(|l| l.output = 1000);
    assert_eq!(asked(&flood, "'x' * 5000").await.exit(), Exit::Limit(LimitKind::Output));
    let cpu = Case::python(EVALUATES).limits(|l| l.cpu = Duration::from_secs(1));
    assert_eq!(asked(&cpu, "[1 for _ in iter(int, 1)]").await.exit(), Exit::Limit(LimitKind::Cpu));
    let memory = Case::python(EVALUATES).limits(|l| l.memory = 128 << 20);
    assert_eq!(
        asked(
            &memory,
            "[os.fork() or (bytearray(os.urandom(1 << 20)) * 60, time.sleep(20)) for _ in range(3)], time.sleep(20)"
        )
        .await
        .exit(),
        Exit::Limit(LimitKind::Memory)
    );
    let tasks = Case::python(EVALUATES).limits(|l| l.processes = 8);
    // A program that ends by itself has coped, and is not accused.
    let forks = r#"exec("try:\n  [subprocess.Popen(['/bin/sleep', '20']) for _ in range(30)]\nexcept OSError: time.sleep(20)")"#;
    assert_eq!(asked(&tasks, forks).await.exit(), Exit::Limit(LimitKind::Processes));
    // What the caller has put there is not the job's.
    let disk = Case::python(EVALUATES).limits(|l| l.disk = 1 << 20);
    let held = sandbox().hold(disk.job.clone()).await.expect("it starts");
    std::fs::write(disk.scratch.path().join("given"), vec![1; 3 << 20]).unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    Ran(held.run(b"time.sleep(0.5)").await.unwrap()).prints("None");
    let fill = "[open(f'f{i}', 'w').write('x' * 99999) for i in range(30)] and time.sleep(20)";
    let disk = Case::python(EVALUATES).limits(|l| l.disk = 1 << 20);
    assert_eq!(asked(&disk, fill).await.exit(), Exit::Limit(LimitKind::FileSize));
}

#[tokio::test]
async fn nothing_is_left_of_one_that_is_dropped() {
    let marker = marker("held");
    let case = Case::python(EVALUATES).arg(marker.clone());
    let held = sandbox().hold(case.job.clone()).await.expect("it starts");
    assert!(!processes_with(&marker).is_empty(), "it waits");
    drop(held);
    assert!(eventually(SECONDS, || processes_with(&marker).is_empty()), "it is gone while it waits");
    let held = sandbox().hold(case.job.clone()).await.expect("it starts");
    let run = held.run(b"os.fork() or os.setsid(), time.sleep(60)");
    assert!(tokio::time::timeout(Duration::from_millis(300), run).await.is_err(), "it runs");
    assert!(eventually(SECONDS, || processes_with(&marker).is_empty()), "it and its child are gone");
}

#[tokio::test]
async fn one_that_is_gone_gives_no_result() {
    let marker = marker("gone");
    let case = Case::python(EVALUATES).arg(marker.clone());
    let held = sandbox().hold(case.job.clone()).await.expect("it starts");
    for pid in processes_with(&marker) {
        std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    }
    assert!(eventually(SECONDS, || processes_with(&marker).is_empty()));
    let ended = held.run(b"1").await.map(|output| output.exit);
    assert!(!matches!(ended, Ok(Exit::Code(0))), "{ended:?}");
    let error = sandbox().hold(Case::sh("exit 7").job).await.expect_err("it does not wait");
    assert!(error.to_string().contains("Code(7)"), "{error}");
}

#[tokio::test]
async fn without_a_sandbox_there_is_none() {
    let off = Sandbox::detect(&SandboxOptions { mode: Mode::Off, ..SandboxOptions::default() }).unwrap();
    let case = Case::new(Path::new("/bin/sh"), &["-c", "printf '!'; cat"]);
    let error = off.hold(case.job.clone()).await.expect_err("it is refused");
    assert!(error.to_string().contains("without a sandbox"), "{error}");
}
