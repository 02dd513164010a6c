//! A process of Node's that holds a candidate and stops answering, or is killed in the middle of a call: the verdict comes
//! in time and is no pass, and the next candidate has a process of its own. Python's are in `workers.rs`. Ten seconds.

#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use zeroerr_core::verdict::{Layer, LayerReport, Policy, Verdict};
use zeroerr_verification::languages::Language as _;
use zeroerr_verification::languages::typescript::TypeScript;
use zeroerr_verification::verification_stack::{VerificationStack, subject_as_is};

use common::tools;

async fn examples(stack: &VerificationStack, body: &str) -> LayerReport {
    let source = format!(
        "// @spec One.\n// @example (await f()) === 1\nexport async function f(): Promise<number> {{\n  {body}\n}}\n"
    );
    let task = TypeScript.analyse(Path::new("/nowhere/edited.ts"), &Arc::from(source)).tasks.remove(0);
    stack.check(&subject_as_is(&task, None), Layer::Tests).await
}

/// The processes of this one that hold a candidate.
fn workers() -> Vec<u32> {
    let parent = |pid: u32| -> Option<u32> {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    let is_ours = |pid: &u32| {
        let above = std::iter::successors(Some(*pid), |at| parent(*at).filter(|p| *p > 1));
        above.take(64).any(|at| at == std::process::id())
    };
    let holds = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        String::from_utf8_lossy(&line).contains("worker.mjs")
    };
    let all = std::fs::read_dir("/proc").unwrap().flatten();
    all.filter_map(|e| e.file_name().to_str()?.parse().ok()).filter(holds).filter(is_ours).collect()
}

/// Sends a signal to the first worker that there is.
async fn signal(name: &str) -> usize {
    for _ in 0..200 {
        let all = workers();
        if !all.is_empty() {
            // It has loaded its candidate, whose call takes longer than this.
            tokio::time::sleep(Duration::from_millis(500)).await;
            let send = |pid: &u32| Command::new("kill").args([name, &pid.to_string()]).status();
            return all.iter().filter(|pid| send(pid).is_ok_and(|s| s.success())).count();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    0
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_that_does_not_answer_passes_nothing_and_holds_up_nobody() {
    let stack = VerificationStack::new(Arc::new(tools()), Policy::default());
    let slow = "await new Promise((done) => setTimeout(done, 1500));\n  return 1;";
    for (name, words) in [("-STOP", "did not end"), ("-KILL", "killed by SIGKILL")] {
        // A stack remembers verdicts, and what was disturbed is none to remember.
        let stack = VerificationStack::new(Arc::clone(stack.toolchain()), Policy::default());
        let (said, reached) = tokio::join!(examples(&stack, slow), signal(name));
        assert!(reached > 0, "there was somebody to reach");
        assert_eq!(said.verdict, Verdict::Failed, "{name}: {said:?}");
        let found = said.findings.first().map_or("", |f| f.message.as_str());
        assert!(found.contains(words) || found.contains("ended the process"), "{name}: {found}");
        let next = examples(&stack, "return 1;").await;
        assert_eq!((&next.verdict, next.detail.as_str()), (&Verdict::Passed, "1 example"), "after {name}");
    }
    assert_eq!(workers(), [0; 0], "nobody is left");
}
