//! What is fuzzed: each function takes any bytes and fails by a panic.
//!
//! `cargo +nightly fuzz run --fuzz-dir tests/fuzz specs` looks for new ones, and so does a stable compiler, without
//! cargo-fuzz and the address sanitizer, in `tests/fuzz`:
//!
//! ```sh
//! S=-Cllvm-args=-sanitizer-coverage
//! export RUSTFLAGS="-Cpasses=sancov-module $S-level=4 $S-inline-8bit-counters $S-pc-table $S-trace-compares -Ccodegen-units=1"
//! cargo build --release --target x86_64-unknown-linux-gnu
//! target/x86_64-unknown-linux-gnu/release/specs -max_total_time=120 corpus/specs
//! ```
//!
//! A short run over seeds is part of the tests of `zeroerr-lsp`.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "each user takes one; a panic is a finding"
)]

use std::path::Path;
use std::sync::Arc;

use zeroerr_core::code::{FileAnalysis, TextRange};
use zeroerr_lsp::frames::{Frame, Splitter};
use zeroerr_verification::languages::{self, Language};

const PING: &[u8] = br#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#;

/// The message reader: in pieces of any size it comes to an end, what it lets through is JSON-RPC, and the
/// messages after the garbage are found.
pub fn reader(data: &[u8]) {
    let (step, garbage) = data.split_first().map_or((1, data), |(first, rest)| (usize::from(*first).max(1), rest));
    let mut stream = garbage.to_vec();
    // A length in the garbage may legally swallow what follows, up to a certain size.
    for _ in 0..4 {
        stream.extend_from_slice(format!("Content-Length: {}\r\n\r\n", PING.len()).as_bytes());
        stream.extend_from_slice(PING);
    }
    let mut splitter = Splitter::default();
    let (mut frames, mut pings) = (0, 0);
    for piece in stream.chunks(step) {
        splitter.push(piece);
        while let Some(frame) = splitter.next_frame() {
            frames += 1;
            assert!(frames <= 2 * stream.len(), "frames without end");
            if let Frame::Message(body) = frame {
                let message: serde_json::Value = serde_json::from_slice(&body).expect("a message is JSON");
                assert_eq!(message["jsonrpc"], "2.0");
                pings += usize::from(body == PING);
            }
        }
    }
    let names_a_length = garbage.windows(8).any(|w| w.eq_ignore_ascii_case(b"-length:"));
    assert!(names_a_length || pings == 4, "{pings} of 4 messages found behind {:?}", String::from_utf8_lossy(garbage));
}

/// The spec parsers: every range that they report lies in the text, on characters, and one in the other.
pub fn specs(data: &[u8]) {
    let (language, rest) = pick(data);
    let source: Arc<str> = String::from_utf8_lossy(rest).into();
    let analysis = analysed(&*language, &source);
    for fault in &analysis.diagnostics {
        assert_fits(&source, fault.range, "a diagnostic");
    }
    for task in &analysis.tasks {
        assert_fits(&source, task.spec_range, "a spec");
        assert_fits(&source, task.function_range, "a function");
        assert_fits(&source, task.body_range, "a body");
        let (function, body) = (task.function_range, task.body_range);
        assert!(function.start <= body.start && body.end <= function.end, "a body outside of its function");
        let ranges = [&task.spec.requires, &task.spec.ensures, &task.spec.properties].into_iter().flatten();
        ranges.for_each(|clause| assert_fits(&source, clause.range, "a clause"));
        assert_eq!(*task.source, *source);
    }
    let middle = source.floor_char_boundary(source.len() / 2);
    drop(language.task_for_selection(path_of(&*language), &source, TextRange::new(middle, source.len()), "sort them"));
    drop(language.names(&source));
}

/// What is put into a file: whatever the response, only the function and new lines elsewhere are touched.
/// The file and the response stand one after the other, a line of `----` between them.
pub fn splice(data: &[u8]) {
    let (language, rest) = pick(data);
    let text = String::from_utf8_lossy(rest);
    let (source, response) = text.split_once("\n----\n").unwrap_or((DOUBLE, &text));
    let source: Arc<str> = source.into();
    for task in analysed(&*language, &source).tasks {
        let Ok(candidate) = language.extract(response, &task) else { continue };
        let Ok(edits) = language.splice(&task, &candidate) else { continue };
        for edit in &edits {
            assert_fits(&source, edit.range, "an edit");
            // What ends the function's last line may go with it.
            let (before, after) = outside(task.function_range, edit.range);
            let ends_line = |c: char| matches!(c, ' ' | '\t' | ';');
            assert!(
                before.slice(&source).is_empty() && after.slice(&source).chars().all(ends_line),
                "text outside of {:?} is replaced: {edit:?} in {source:?}",
                task.function_range
            );
        }
        let mut sorted = edits.clone();
        sorted.sort_by_key(|e| (e.range.start, e.range.end));
        assert!(sorted.windows(2).all(|w| w[0].range.end <= w[1].range.start), "edits overlap: {sorted:?}");
        let mut after = source.to_string();
        sorted.iter().rev().for_each(|e| after.replace_range(e.range.start..e.range.end, &e.new_text));
        drop(analysed(&*language, &after.into()));
    }
}

/// What of `range` lies before `function`, and what behind it.
fn outside(function: TextRange, range: TextRange) -> (TextRange, TextRange) {
    let before = TextRange::new(range.start, range.end.min(function.start).max(range.start));
    let after = TextRange::new(range.start.max(function.end).min(range.end), range.end);
    (before, after)
}

/// A file for responses that come without one.
const DOUBLE: &str = "import os\n\n# @spec Twice x.\n# @example double(2) == 4\ndef double(x: int) -> int:\n    ...\n\nprint(double(1))\n";

/// The language that the first byte picks, and what it reads.
fn pick(data: &[u8]) -> (Box<dyn Language>, &[u8]) {
    let mut all = languages::all();
    let (first, rest) = data.split_first().unwrap_or((&0, data));
    let language = all.swap_remove(usize::from(*first) % all.len());
    (language, rest)
}

fn path_of(language: &dyn Language) -> &'static Path {
    use zeroerr_core::code::LanguageId;
    Path::new(match language.id() {
        LanguageId::Python => "/fuzz/a.py",
        LanguageId::Rust => "/fuzz/a.rs",
        LanguageId::TypeScript => "/fuzz/a.ts",
    })
}

fn analysed(language: &dyn Language, source: &Arc<str>) -> FileAnalysis {
    language.analyse(path_of(language), source)
}

fn assert_fits(source: &str, range: TextRange, what: &str) {
    assert!(source.get(range.start..range.end).is_some(), "{what} at {range:?} does not fit {source:?}");
}
