//! Interpreters that wait for jobs, and jobs that were started ahead: nothing passes from one job to the next, nothing
//! is left of them, and one that dies costs time and no verdict. That they say what processes of their own say
//! is tried on the suites (`suites.rs`). About ten seconds.

#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use zeroerr_core::code::LanguageId;
use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_verification::languages::Subject;
use zeroerr_verification::languages::python::Python;
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is};

use common::tools;

fn stack() -> VerificationStack {
    VerificationStack::new(Arc::new(tools()), Policy::default())
}

fn subject(source: &str) -> Subject {
    let analysis = Python.analyse(Path::new("/nowhere/edited.py"), &Arc::from(source));
    subject_as_is(analysis.tasks.first().expect("a task"), None)
}

/// Runs the examples of a function whose body this is.
async fn examples(stack: &VerificationStack, body: &str) -> LayerReport {
    let source = format!("import os, sys, time\n\n# @spec S.\n# @example f() == 1\ndef f():\n    {body}\n");
    // Another stack with the same workers: this one would remember the verdict.
    let forgetful = VerificationStack::new(Arc::clone(stack.toolchain()), Policy::default());
    forgetful.check(&subject(&source), Layer::Tests).await
}

/// The interpreters that wait for jobs, of those that this process has started.
fn waiting() -> Vec<u32> {
    ours("zygote.py")
}

/// The processes with this word on their command line, of those that this process has started.
fn ours(word: &str) -> Vec<u32> {
    let stat = |pid: u32| std::fs::read_to_string(format!("/proc/{pid}/stat")).ok();
    let parent = |pid: u32| -> Option<u32> { stat(pid)?.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok() };
    let is_ours = |pid: u32| {
        let mut at = pid;
        while let Some(above) = parent(at).filter(|p| *p > 1) {
            if above == std::process::id() {
                return true;
            }
            at = above;
        }
        false
    };
    let waits = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).into_owned();
        // The name of the program stands in bubblewrap's and pid 1's plan, not on their command lines.
        line.contains(word)
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|e| e.file_name().to_str()?.parse().ok()).filter(waits).filter(|pid| is_ours(*pid)).collect()
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(20), "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// One test, for the processes of this process are looked at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn interpreters_that_wait_pass_nothing_on_and_leave_nothing() {
    let stack = stack();
    let said = examples(&stack, "return 1").await;
    assert_eq!((&said.verdict, said.detail.as_str()), (&Verdict::Passed, "1 example"));
    assert_eq!(waiting().len(), 1, "one waits for the next job of its kind");
    let first = waiting();
    no_state(&stack).await;
    assert_eq!(waiting(), first, "the same one was asked all the time");
    deaths(&stack).await;
    examples(&stack, "return 1").await;
    assert_eq!(waiting().len(), 1, "the one that was killed has a successor");
    let left = stack.toolchain().dismiss(Duration::ZERO);
    assert_eq!(left, 0);
    eventually("those that are not needed end", || waiting().is_empty());
    examples(&stack, "return 1").await;
    assert_eq!(waiting().len(), 1);
    drop(stack);
    eventually("none outlives the stack", || waiting().is_empty());
}

/// Runs the examples of a TypeScript function whose body this is.
async fn examples_of_script(stack: &VerificationStack, body: &str) -> LayerReport {
    let source = format!("// @spec S.\n// @example f() === 1\nexport function f(): number {{\n  {body}\n}}\n");
    let language = stack.language(LanguageId::TypeScript).expect("an adapter");
    let analysis = language.analyse(Path::new("/nowhere/edited.ts"), &Arc::from(source));
    let subject = subject_as_is(analysis.tasks.first().expect("a task"), None);
    let forgetful = VerificationStack::new(Arc::clone(stack.toolchain()), Policy::default());
    forgetful.check(&subject, Layer::Tests).await
}

fn kill(pids: &[u32]) {
    for pid in pids {
        assert!(std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_started_ahead_is_used_once_and_its_death_changes_no_verdict() {
    let stack = stack();
    let used = || stack.toolchain().ahead().used;
    let one_waits = || {
        eventually("one is started ahead", || stack.toolchain().ahead().waiting == 1 && ours("worker.mjs").len() == 1);
        (ours("main.mjs"), ours("worker.mjs"))
    };
    let passes = |said: LayerReport| assert_eq!((said.verdict, said.detail.as_str()), (Verdict::Passed, "1 example"));
    passes(examples_of_script(&stack, "return 1;").await);
    assert_eq!(used(), 0, "nobody knew that there would be a first");
    let first = one_waits();
    assert_eq!((first.0.len(), first.1.len()), (1, 1), "a judge with its worker");
    let said = examples_of_script(&stack, "return 2;").await;
    assert_eq!((said.verdict, used()), (Verdict::Failed, 1), "the second is judged by those that waited");
    let second = one_waits();
    assert!(second.0 != first.0 && second.1 != first.1, "nobody is used twice");
    kill(&second.1);
    passes(examples_of_script(&stack, "return 1;").await);
    assert_eq!(used(), 2, "its judge has found another worker");
    kill(&one_waits().0);
    passes(examples_of_script(&stack, "return 1;").await);
    assert_eq!(used(), 2, "a judge that is gone has judged nothing");
    let hangs = examples_of_script(&stack, "for (;;) {}").await;
    assert_eq!(hangs.verdict, Verdict::Failed, "{hangs:?}");
    one_waits();
    assert_eq!(stack.toolchain().dismiss(Duration::ZERO), 0);
    let none = || ours("main.mjs").is_empty() && ours("worker.mjs").is_empty();
    eventually("those that are not needed end", none);
    passes(examples_of_script(&stack, "return 1;").await);
    one_waits();
    drop(stack);
    eventually("none outlives the stack", none);
}

/// What a job leaves anywhere it can write is gone for the next, and so are its processes.
async fn no_state(stack: &VerificationStack) {
    // An example is asked twice: what its own first call has left is not another job's.
    let places = ["/tmp/left", "/dev/shm/left", "left", "../left"];
    for place in places {
        let leave = format!(
            "known = 'asked' not in globals() and os.path.exists({place:?})\n    globals()['asked'] = True\n    try:\n        open({place:?}, 'w').close()\n    except OSError:\n        pass\n    return 1 + known"
        );
        for turn in 0..2 {
            let said = examples(stack, &leave).await;
            assert_eq!(said.verdict, Verdict::Passed, "{place}, job {turn}: {said:?}");
        }
    }
    // A daemon that lives on would be seen by the next job, or kill it.
    let daemon = "if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n            time.sleep(60)\n        os._exit(0)\n    return 1";
    assert_eq!(examples(stack, daemon).await.verdict, Verdict::Passed);
    let alone = "pids = [int(p) for p in os.listdir('/proc') if p.isdigit()]\n    return 1 if len(pids) <= 4 else pids";
    let said = examples(stack, alone).await;
    assert_eq!(said.verdict, Verdict::Passed, "{said:?}");
    // The one that waits cannot be reached: not by a signal to all, not by name, not through its parent.
    let kill = "for pid in [1, os.getppid(), -1] + list(range(2, 200)):\n        try:\n            if pid not in (os.getpid(), os.getpgid(0)) and pid > 1:\n                os.kill(pid, 0)\n        except OSError:\n            pass\n    return 1";
    assert_eq!(examples(stack, kill).await.verdict, Verdict::Passed);
}

/// Whoever dies, the verdict is the one that a process of its own gives.
async fn deaths(stack: &VerificationStack) {
    let said = examples(stack, "os._exit(0)").await;
    assert_eq!(said.verdict, Verdict::Failed, "{said:?}");
    let said = examples(stack, "os.kill(os.getppid(), 9)\n    return 1").await;
    assert_eq!(said.verdict, Verdict::Unavailable, "who kills the judge has not passed: {said:?}");
    assert!(said.detail.contains("the code under test ended its own check"), "{}", said.detail);
    let slow = "time.sleep(1.2)\n    return 1";
    let killer = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        // Its forks have its name; they may be gone with it before it is their turn.
        let kill = |pid: &u32| std::process::Command::new("kill").args(["-9", &pid.to_string()]).status();
        waiting().iter().filter(|pid| kill(pid).is_ok_and(|s| s.success())).count()
    };
    let (said, killed) = tokio::join!(examples(stack, slow), killer);
    assert!(killed > 0, "there was somebody to kill");
    assert_eq!((&said.verdict, said.detail.as_str()), (&Verdict::Passed, "1 example"));
}
