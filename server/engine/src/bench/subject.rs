//! A recorded task as the file that a user would have open: its prompt with an empty body.

use std::path::PathBuf;
use std::sync::Arc;

use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::task_specification::{Example, ExampleClaim, ExampleOrigin, Spec};
use zeroerr_verification::languages::Language;

use super::records::{Samples, TaskRecord};

/// Name of the hidden test's function.
const CHECK: &str = "check";

/// The task that a user with this prompt in the editor would run, or why there is none.
///
/// # Errors
/// A clause: no such function, or nothing in its docstring that could show a candidate to be wrong.
pub fn task(record: &TaskRecord, samples: &Samples, language: &dyn Language) -> Result<Task, String> {
    let entry = record.entry_point.as_deref().or(samples.entry_point.as_deref());
    let entry = entry.ok_or("neither file names its function (`entry_point`)")?;
    let source: Arc<str> = format!("{}\n    ...\n", record.prompt.trim_end()).into();
    let file = PathBuf::from("/recorded").join(format!("{}.py", entry.to_lowercase()));
    let analysis = language.analyse(&file, &source);
    // The last of that name: a prompt may bring helpers, and Python itself takes the last.
    let task = analysis.tasks.iter().rev().find(|t| t.signature.name == entry).cloned();
    let task = task.ok_or("its docstring has no example that can be read")?;
    if let Some(fault) = analysis.spec_error(&task) {
        return Err(format!("its spec cannot be used: {}", fault.message));
    }
    if !task.spec.has_evidence() {
        return Err("its docstring has no example that can be read".into());
    }
    Ok(task)
}

/// The task whose one claim is the hidden test: the same gate then judges by the oracle.
pub fn oracle(record: &TaskRecord, task: &Task) -> Task {
    let mut task = task.clone();
    let test = record.test.trim();
    task.source = format!("{}\n\n{test}\n", task.source.trim_end()).into();
    let claim = format!("{CHECK}({}) is None", task.signature.name);
    let claim = Example {
        code: claim,
        claim: ExampleClaim::Holds,
        equation: None,
        origin: ExampleOrigin::Tag,
        range: task.spec_range,
    };
    task.spec = Spec { examples: vec![claim], ..Spec::default() };
    task
}

/// The reference solution as a candidate.
pub fn reference(record: &TaskRecord, task: &Task, language: &dyn Language) -> Option<Candidate> {
    language.extract(&format!("{}\n{}", task.signature.header, record.canonical_solution), task).ok()
}

/// A recorded completion as the response it was: the function's header and what follows it, cut at
/// the next statement at top level, where a live request stops decoding.
pub fn response(samples: &Samples, task: &Task, completion: &str) -> String {
    if samples.prompt.trim().is_empty() {
        return completion.to_owned();
    }
    format!("{}\n{}", task.signature.header, cut(completion))
}

/// A completion up to the next line that starts at the left edge. Brackets that close, comments, and
/// the insides of strings in triple quotes may stand there.
fn cut(completion: &str) -> &str {
    let mut at = 0;
    let mut quotes: Option<&str> = None;
    for line in completion.split_inclusive('\n') {
        let starts = line.starts_with(|c: char| !c.is_whitespace() && !matches!(c, ')' | ']' | '}' | '#'));
        if quotes.is_none() && at > 0 && starts {
            return &completion[..at];
        }
        let mut rest = line;
        loop {
            let marks: &[&str] = quotes.as_ref().map_or(&["\"\"\"", "'''"], std::slice::from_ref);
            let Some((i, mark)) = marks.iter().filter_map(|m| rest.find(m).map(|i| (i, *m))).min() else { break };
            quotes = if quotes.is_some() { None } else { Some(mark) };
            rest = &rest[i + 3..];
        }
        at += line.len();
    }
    completion
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroerr_verification::languages::python::Python;

    fn record(prompt: &str) -> (TaskRecord, Samples) {
        let record = TaskRecord {
            task_id: "t/0".into(),
            prompt: prompt.into(),
            entry_point: Some("double".into()),
            test: "def check(candidate):\n    assert candidate(4) == 8\n".into(),
            canonical_solution: "    return 2 * x\n".into(),
        };
        let samples = Samples {
            task_id: "t/0".into(),
            prompt: "def double(x):\n".into(),
            completions: vec![],
            entry_point: None,
        };
        (record, samples)
    }

    #[test]
    fn a_completion_ends_where_a_live_request_stops() {
        assert_eq!(cut("    return (\n)\n\n\nprint(1)\n"), "    return (\n)\n\n\n");
        assert_eq!(
            cut("    x = '''\nno end\n'''\n    return x\ndef g(): pass"),
            "    x = '''\nno end\n'''\n    return x\n"
        );
        assert_eq!(cut("    return 1\n# done\n    "), "    return 1\n# done\n    ");
        assert_eq!(cut("return 1"), "return 1");
    }

    #[test]
    fn the_prompt_is_the_users_file_and_the_test_stays_outside() {
        let (record, samples) = record("def double(x):\n    \"\"\"Twice.\n\n    >>> double(1)\n    2\n    \"\"\"\n");
        let task = task(&record, &samples, &Python).unwrap();
        assert_eq!(task.spec.examples.len(), 1);
        assert!(!task.source.contains("check"));
        let hidden = oracle(&record, &task);
        assert!(hidden.source.contains("def check") && hidden.spec.examples[0].code == "check(double) is None");
        assert!(reference(&record, &task, &Python).is_some());
        let response = response(&samples, &task, "    return x + x\n\nprint(2)");
        assert!(Python.extract(&response, &task).is_ok(), "{response}");
    }

    #[test]
    fn a_task_without_an_example_has_no_evidence() {
        let (record, samples) = record("def double(x):\n    \"\"\"Twice.\"\"\"\n");
        assert_eq!(task(&record, &samples, &Python).unwrap_err(), "its docstring has no example that can be read");
    }
}
