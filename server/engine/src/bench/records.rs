//! Recorded samples and tasks, one JSON object a line. A line that cannot be used is skipped and
//! told; only a file without any usable line is an error.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

/// One line of a samples file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Samples {
    /// The task's id.
    pub task_id: String,
    /// The code that precedes each completion; empty when each is a whole module.
    #[serde(default)]
    pub prompt: String,
    /// The model's raw texts.
    pub completions: Vec<String>,
    /// The function's name, when the task does not say it.
    #[serde(default)]
    pub entry_point: Option<String>,
}

/// One line of a tasks file (the format of HumanEval).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct TaskRecord {
    /// Its id.
    pub task_id: String,
    /// The user's spec: imports, signature, docstring with examples.
    pub prompt: String,
    /// The function's name.
    #[serde(default)]
    pub entry_point: Option<String>,
    /// The hidden oracle: a function `check(candidate)`. Read by the last step only.
    pub test: String,
    /// The reference solution's body; answers questions, and shows that the oracle works.
    #[serde(default)]
    pub canonical_solution: String,
}

/// A line that was skipped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// Its number, from 1.
    pub line: usize,
    /// Why, in a clause.
    pub why: String,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Records<T> {
    /// By task id.
    pub by_id: BTreeMap<String, T>,
    /// Lines that were not used.
    pub skipped: Vec<Skipped>,
}

impl<T> Records<T> {
    /// One sentence about the lines that were skipped, naming the first few; `None` without any.
    pub fn warning(&self, file: &str) -> Option<String> {
        let first = self.skipped.first()?;
        let lines: Vec<String> = self.skipped.iter().take(5).map(|s| s.line.to_string()).collect();
        let more = if self.skipped.len() > lines.len() { ", …" } else { "" };
        let noun = if self.skipped.len() == 1 { "line was" } else { "lines were" };
        Some(format!(
            "{file}: {} {noun} skipped (line {}{more}); line {}: {}",
            self.skipped.len(),
            lines.join(", "),
            first.line,
            first.why
        ))
    }
}

/// Reads a samples file. A task may stand on several lines: its samples are put together, a line
/// that was written twice counts once.
///
/// # Errors
/// When no line can be used.
pub fn samples(text: &[u8]) -> Result<Records<Samples>, String> {
    let mut seen = BTreeSet::new();
    let mut by_id: BTreeMap<String, Samples> = BTreeMap::new();
    let skipped = lines(text, |line, record: Samples| {
        if record.completions.is_empty() {
            return Err("has no completions".into());
        }
        if !seen.insert(line.to_vec()) {
            return Err(format!("repeats an earlier line of `{}`", record.task_id));
        }
        match by_id.get_mut(&record.task_id) {
            Some(known) if known.prompt != record.prompt => {
                return Err(format!("has another prompt than the earlier line of `{}`", record.task_id));
            }
            Some(known) => known.completions.extend(record.completions),
            None => drop(by_id.insert(record.task_id.clone(), record)),
        }
        Ok(())
    });
    usable(Records { by_id, skipped }, "samples")
}

/// Reads a tasks file; the first line of an id counts.
///
/// # Errors
/// When no line can be used.
pub fn tasks(text: &[u8]) -> Result<Records<TaskRecord>, String> {
    let mut by_id: BTreeMap<String, TaskRecord> = BTreeMap::new();
    let skipped = lines(text, |_, record: TaskRecord| {
        if by_id.contains_key(&record.task_id) {
            return Err(format!("repeats the task `{}`", record.task_id));
        }
        if record.test.trim().is_empty() {
            return Err("has no `test`".into());
        }
        by_id.insert(record.task_id.clone(), record);
        Ok(())
    });
    usable(Records { by_id, skipped }, "tasks")
}

fn usable<T>(records: Records<T>, what: &str) -> Result<Records<T>, String> {
    if !records.by_id.is_empty() {
        return Ok(records);
    }
    let why = records.skipped.first().map_or_else(
        || "it is empty".to_owned(),
        |s| format!("{} lines were tried; line {}: {}", records.skipped.len(), s.line, s.why),
    );
    Err(format!("holds no {what} that can be used ({why})"))
}

/// Feeds every line that is an object of the wanted shape to `take`; the others are skipped.
fn lines<T: serde::de::DeserializeOwned>(
    text: &[u8],
    mut take: impl FnMut(&[u8], T) -> Result<(), String>,
) -> Vec<Skipped> {
    let mut skipped = Vec::new();
    for (number, line) in text.split(|b| *b == b'\n').enumerate() {
        let line = line.trim_ascii();
        if line.is_empty() {
            continue;
        }
        let read = serde_json::from_slice::<T>(line).map_err(|e| clause(&e));
        if let Err(why) = read.and_then(|record| take(line, record)) {
            skipped.push(Skipped { line: number + 1, why });
        }
    }
    skipped
}

/// A JSON error without serde's line number, which would count from the line's own start.
fn clause(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or(&text);
    format!("is no such object: {text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_lines_are_skipped_and_named() {
        let text = br#"{"task_id":"a","completions":["x","y"]}
not json
{"task_id":"a","completions":["x","y"]}
{"task_id":"a","completions":["z"],"more":1}

{"task_id":"b","completions":[]}
{"task_id":"b"}
{"task_id":"a","prompt":"p","completions":["z"]}
"#;
        let records = samples(text).unwrap();
        assert_eq!(records.by_id["a"].completions, ["x", "y", "z"]);
        assert_eq!(records.skipped.iter().map(|s| s.line).collect::<Vec<_>>(), [2, 3, 6, 7, 8]);
        let warning = records.warning("s.jsonl").unwrap();
        assert!(warning.starts_with("s.jsonl: 5 lines were skipped (line 2, 3, 6, 7, 8); line 2: is no"), "{warning}");
        assert!(records.skipped[3].why.contains("missing field `completions`"), "{}", records.skipped[3].why);
    }

    #[test]
    fn a_file_without_a_usable_line_is_an_error() {
        assert_eq!(samples(b"\n").unwrap_err(), "holds no samples that can be used (it is empty)");
        assert!(tasks(b"\xff\xfe\x00garbage").unwrap_err().contains("line 1"));
        let twice = br#"{"task_id":"a","prompt":"p","test":"t"}
{"task_id":"a","prompt":"q","test":"t"}"#;
        let records = tasks(twice).unwrap();
        assert_eq!((records.by_id["a"].prompt.as_str(), records.skipped[0].line), ("p", 2));
    }
}
