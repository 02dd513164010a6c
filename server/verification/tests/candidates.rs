//! What the gate and the fingerprint make of candidates, good, wrong, hostile and odd: real Python,
//! real sandbox. The tools are those of `ZEROERR_HOME`, or of the user; install them with
//! `zeroerr doctor --fix`.

#![expect(clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod common;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use expect_test::expect;
use zeroerr_core::code::LanguageId;
use zeroerr_sandbox::Job;
use zeroerr_verification::languages::python::Python;
use zeroerr_verification::languages::{CheckError, Judgement, Language, Subject};
use zeroerr_verification::toolchain::Toolchain;

use common::tools;

/// The last function of a file that stands alone, as it is.
fn subject(source: &str) -> Subject {
    let file = PathBuf::from("/nowhere/edited.py");
    let source: Arc<str> = Arc::from(source);
    let task = Python.analyse(&file, &source).tasks.pop().expect("a function with a spec");
    assert_eq!(task.language, LanguageId::Python);
    Subject { previous: source, task, workspace: None }
}

async fn judge(tools: &Toolchain, source: &str) -> Result<Judgement, CheckError> {
    Language::judge(&Python, tools, &subject(source), 7).await
}

/// The judgement as text; of a fingerprint, the outcomes for the named inputs.
async fn verdict(tools: &Toolchain, source: &str) -> String {
    match judge(tools, source).await {
        Ok(Judgement::GateRejected(why) | Judgement::NearMiss(why) | Judgement::Unfit(why)) => {
            format!("rejected: {why}")
        }
        Ok(Judgement::Votes(print)) => format!("votes on {} inputs", print.outcomes.len()),
        Err(error) => format!("error: {error}"),
    }
}

const SPEC: &str = "# @spec The sum of xs.\n# @example total([1, 2]) == 3\n# @example total([4]) == 4\ndef total(xs: list[int]) -> int:\n";

/// A body for `total`, indented.
fn total(body: &str) -> String {
    body.lines().fold(SPEC.to_string(), |all, line| format!("{all}    {line}\n"))
}

#[tokio::test]
async fn nothing_that_a_candidate_does_makes_a_failed_example_pass() {
    let tools = tools();
    let bodies = [
        ("import os; os._exit(0)", "the process exited with code 0"),
        ("import sys; sys.exit(0)", "raised SystemExit"),
        ("raise KeyboardInterrupt", "raised KeyboardInterrupt"),
        ("print('{\"examples\": []}', flush=True); return 1", "gave 1"),
        (
            "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'ok' * 1000)\n    except OSError: pass\nreturn 3",
            "wrote to the harness's channel",
        ),
        ("import os; os.closerange(0, 200); return 1", "ended the process"),
        ("while True:\n    try:\n        while True: pass\n    except BaseException: pass", "did not end"),
        (
            "class A(int):\n    def __eq__(self, o): return True\n    __hash__ = int.__hash__\nreturn A(5)",
            "class A, which can pretend",
        ),
        ("from unittest.mock import ANY; return [ANY][0]", "class _ANY, which can pretend"),
        (
            "import builtins\nbuiltins.repr = builtins.str = builtins.type = lambda *x: 3\nbuiltins.len = builtins.isinstance = lambda *x: True\nreturn 1",
            "gave 1",
        ),
        (
            "import json, os, time\njson.dumps = lambda *a, **k: '{}'\nos.write = os.read = lambda *a: 0\ntime.monotonic = lambda: 0\nreturn 1",
            "gave 1",
        ),
        ("import atexit, os\natexit.register(lambda: os.write(1, b'{}'))\nreturn 1", "gave 1"),
        ("return total(xs)", "raised RecursionError"),
        ("import itertools; return itertools.count()", "gave iterator"),
        ("import os; os.fork(); return 1", "gave 1"),
        ("import os\nwhile True:\n    try: os.fork()\n    except OSError: return 1", ""),
        ("import os, signal; os.kill(os.getppid(), signal.SIGKILL); return 1", ""),
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\nreturn 1", "gave 1"),
        ("return [0] * 10 ** 12", "raised MemoryError"),
        ("import ctypes; ctypes.string_at(0)", "killed by SIGSEGV"),
        ("return float('nan')", "gave nan"),
        ("return True", "gave True"),
    ];
    for (body, why) in bodies {
        let said = verdict(&tools, &total(body)).await;
        assert!(said.starts_with("rejected: ") && said.contains(why), "{body}\n{said}");
    }
}

#[tokio::test]
async fn a_claim_that_is_no_equation_is_not_fooled_either() {
    let tools = tools();
    let bodies = [
        "class A(int):\n    def __eq__(self, o): return True\n    __lt__ = __gt__ = __eq__\n    __hash__ = int.__hash__\nreturn A(5)",
        "from unittest.mock import ANY; return ANY",
        "import builtins; builtins.bool = lambda x: True; return 1",
        "raise SystemExit(0)",
        "import os; os._exit(0)",
    ];
    for body in bodies {
        let source = total(body)
            .replace("total([1, 2]) == 3", "total([1, 2]) == 3 and total([]) == 0")
            .replace("# @example total([4]) == 4\n", "");
        let said = verdict(&tools, &source).await;
        assert!(said.starts_with("rejected: "), "{body}\n{said}");
    }
}

#[tokio::test]
async fn right_candidates_vote_alike_and_wrong_ones_do_not() {
    let tools = tools();
    let class = async |body: &str| match judge(&tools, &total(body)).await {
        Ok(Judgement::Votes(print)) => print,
        other => panic!("{body}: {other:?}"),
    };
    let sum = class("return sum(xs)").await;
    let repeated = class("out = 0\nfor x in xs:\n    out += x\nreturn out").await;
    assert_eq!(sum.class(), repeated.class());
    assert_eq!(sum, class("return sum(xs)").await, "the same candidate has the same fingerprint twice");
    let overfitted = class("return xs[0] + xs[-1] if len(xs) > 1 else xs[0] if xs else 0").await;
    assert_ne!(sum.class(), overfitted.class());
    let (input, right, wrong) = sum.differences(&overfitted)[0];
    expect!["total([0, 1, 2]): = 3 against = 2"].assert_eq(&format!("{input}: {right} against {wrong}"));
    let draining = class("out = sum(xs)\nxs.clear()\nreturn out").await;
    assert!(sum.differences(&draining)[0].2.contains("; mutates xs -> []"), "{:?}", sum.differences(&draining)[0]);
}

#[tokio::test]
async fn answers_that_depend_on_more_than_the_arguments_do_not_vote() {
    let tools = tools();
    let spec = |body: &str| {
        format!("# @spec Collect.\n# @example len(f([])) >= 0\ndef f(xs: list[int]) -> list:\n    {body}\n")
    };
    let cases = [
        "return list({'a', 'b', 'c', 'dd', 'e'})",
        "import random; return [random.random()]",
        "import time; return [time.time_ns()]",
        "f.__dict__['n'] = f.__dict__.get('n', 0) + 1; return [f.__dict__['n']]",
    ];
    for body in cases {
        let said = verdict(&tools, &spec(body)).await;
        assert!(said.starts_with("rejected: is not deterministic: f(["), "{body}\n{said}");
    }
    let default = "# @spec Append.\n# @example len(grow(1)) > 0\ndef grow(x: int, xs: list = []) -> list:\n    xs.append(x)\n    return list(xs)\n";
    assert!(verdict(&tools, default).await.contains("is not deterministic"), "a default that is shared between calls");
}

#[tokio::test]
async fn the_message_names_the_call_and_both_values() {
    let tools = tools();
    let source = "# @spec The median.\n# @example median([1, 2]) == 1.5\ndef median(xs: list[float]) -> float:\n    return sorted(xs)[0]\n";
    expect!["rejected: median([1, 2]) gave 1, expected 1.5"].assert_eq(&verdict(&tools, source).await);
    let source = "# @spec First.\n# @raises ValueError first([])\ndef first(xs: list[int]) -> int:\n    return xs[0]\n";
    expect!["rejected: first([]) raised IndexError: list index out of range, expected ValueError"]
        .assert_eq(&verdict(&tools, source).await);
    let source =
        "# @spec Half.\n# @requires x > 0\n# @example half(-2) == -1\ndef half(x: int) -> float:\n    return x / 2\n";
    expect![
        "error: the spec contradicts itself: the example `half(-2)` violates `@requires x > 0`; change one of them"
    ]
    .assert_eq(&verdict(&tools, source).await);
    let source =
        "import no_such_module\n# @spec Half.\n# @example half(2) == 1\ndef half(x: int) -> float:\n    return x / 2\n";
    expect!["error: edited.py imports `no_such_module`, which is neither in the project nor in the environment that runs checks; move the function to a file without it"]
        .assert_eq(&verdict(&tools, source).await);
}

#[tokio::test]
async fn methods_coroutines_generators_and_own_types_are_run() {
    let tools = tools();
    let outcomes = async |source: &str| match judge(&tools, source).await {
        Ok(Judgement::Votes(print)) => print.outcomes,
        other => panic!("{other:?}\n{source}"),
    };
    let method = "class Stack:\n    def __init__(self, size: int = 3):\n        self.items = [0] * size\n\n    # @spec Add x.\n    # @example Stack().push(1) == 4\n    def push(self, x: int) -> int:\n        self.items.append(x)\n        return len(self.items)\n";
    let found = outcomes(method).await;
    assert!(
        found.iter().any(|(call, out)| call.starts_with("Stack().push(")
            && out.contains("= 4; mutates self -> Stack(items=[0, 0, 0, ")),
        "{found:?}"
    );
    let coroutine = "import asyncio\n\n# @spec Twice.\n# @example twice(2) == 4\nasync def twice(x: int) -> int:\n    await asyncio.sleep(0)\n    return 2 * x\n";
    assert!(outcomes(coroutine).await.contains(&("twice(5)".into(), "= 10".into())));
    let generator = "# @spec Below.\n# @example list(below(2)) == [0, 1]\ndef below(n: int):\n    i = 0\n    while i < n:\n        yield i\n        i += 1\n";
    assert!(outcomes(generator).await.contains(&("below(3)".into(), "= iterator [0, 1, 2]".into())));
    let own = "from dataclasses import dataclass\nfrom enum import Enum\n\nclass Side(Enum):\n    LEFT = 1\n    RIGHT = 2\n\n@dataclass\nclass Point:\n    x: int\n    y: int\n\n# @spec Mirror p.\n# @example mirror(Point(1, 2), Side.LEFT) == Point(-1, 2)\ndef mirror(p: Point, side: Side) -> Point:\n    return Point(-p.x, p.y) if side is Side.LEFT else Point(p.x, -p.y)\n";
    let found = outcomes(own).await;
    assert!(found.iter().any(|(call, out)| call.contains("Side.RIGHT") && out.starts_with("= Point(x=")), "{found:?}");
}

#[tokio::test]
async fn inputs_without_annotations_come_from_the_examples() {
    let tools = tools();
    let source = "# @spec Brackets match.\n# @example balanced(\"([])\") == True\n# @example balanced(\"(]\") == False\ndef balanced(text):\n    return text.count('(') == text.count(')') and text.count('[') == text.count(']') and not text.startswith(')')\n";
    let Ok(Judgement::Votes(print)) = judge(&tools, source).await else { panic!("it is right on the examples") };
    assert!(print.outcomes.len() >= 30, "{:?}", print.outcomes);
    let of_brackets = print
        .outcomes
        .iter()
        .filter(|(call, _)| call.contains(['(', '[', ']']) && call.len() > "balanced('')".len())
        .count();
    assert!(of_brackets >= 15, "{:?}", print.outcomes);
    assert!(
        print.outcomes.iter().any(|(_, out)| out == "= True") && print.outcomes.iter().any(|(_, out)| out == "= False")
    );
}

#[tokio::test]
async fn a_judgement_costs_one_sandbox_job_and_little_more() {
    let tools = tools();
    let python = tools.python().expect("Python");
    let source = total("return sum(xs)");
    judge(&tools, &source).await.expect("a judgement");
    let (mut bare, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..7 {
        let scratch = tools.scratch().expect("a folder");
        let start = Instant::now();
        let job = Job {
            program: python.interpreter.clone(),
            args: ["-s", "-B", "-c", "import json"].map(Into::into).to_vec(),
            readable: python.readable.clone(),
            scratch: scratch.path().to_path_buf(),
            ..Job::default()
        };
        tools.sandbox().expect("a sandbox").run(job).await.expect("Python starts");
        bare.push(start.elapsed().as_millis());
        let start = Instant::now();
        judge(&tools, &source).await.expect("a judgement");
        whole.push(start.elapsed().as_millis());
    }
    // Pairs that ran one after the other met the same load; a start per call would be a ratio of 40.
    let ratio = bare.iter().zip(&whole).map(|(b, w)| w / b.max(&1)).min().expect("pairs");
    bare.sort_unstable();
    whole.sort_unstable();
    println!("a bare start of Python in the sandbox: {} ms best, {} ms median of 7", bare[0], bare[3]);
    println!("two examples and 40 inputs, run twice: {} ms best, {} ms median of 7", whole[0], whole[3]);
    assert!(ratio < 10, "a judgement takes {whole:?} ms, a bare start {bare:?} ms");
}
