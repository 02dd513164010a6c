//! Programs that the user asked for run free, but leave nothing behind either.

mod common;

use std::ffi::OsString;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use common::{eventually, marker, processes_with};
use zeroerr_sandbox::trusted::{self, Stream, TrustedError};

const MINUTE: Duration = Duration::from_secs(60);

fn sh(script: &str) -> Vec<OsString> {
    vec!["-c".into(), script.into()]
}

#[tokio::test]
async fn lines_come_as_they_are_written_and_the_code_comes_back() {
    let seen = Mutex::new(Vec::new());
    let script = "echo one; printf 'a\\rb\\n'; echo \"$GREETING\" >&2; printf tail; exit 7";
    let env = [("GREETING".into(), "hello".into())];
    let output = trusted::run(Path::new("sh"), &sh(script), &env, Some(Path::new("/tmp")), MINUTE, |stream, line| {
        seen.lock().unwrap().push((stream, line.to_owned()));
    })
    .await
    .unwrap();
    assert_eq!((output.code, output.success(), output.stderr.as_str()), (7, false, "hello\n"));
    assert_eq!(output.stdout, "one\na\rb\ntail");
    let seen = seen.into_inner().unwrap();
    let stdout: Vec<&str> =
        seen.iter().filter(|(stream, _)| *stream == Stream::Stdout).map(|(_, line)| line.as_str()).collect();
    assert_eq!(stdout, ["one", "a", "b", "tail"]);
    assert!(seen.contains(&(Stream::Stderr, "hello".to_owned())));
}

#[tokio::test]
async fn a_missing_program_is_named() {
    let error = trusted::run(Path::new("no-such-tool"), &[], &[], None, MINUTE, |_, _| {}).await.unwrap_err();
    assert_eq!(error.to_string(), "cannot start no-such-tool: entity not found; is it installed and on PATH?");
}

#[tokio::test]
async fn a_time_out_kills_the_whole_tree_even_what_left_its_session() {
    let marker = marker("slow");
    let script = format!("setsid sh -c 'sleep 60; : {marker}' & sleep 60; : {marker}");
    let error = trusted::run(Path::new("sh"), &sh(&script), &[], None, Duration::from_millis(500), |_, _| {})
        .await
        .unwrap_err();
    assert!(matches!(error, TrustedError::TimedOut { .. }), "{error}");
    assert!(eventually(Duration::from_secs(3), || processes_with(&marker).is_empty()));
}

#[tokio::test]
async fn dropping_the_future_kills_the_whole_tree() {
    let marker = marker("abandoned");
    let script = format!("setsid sh -c 'sleep 60; : {marker}' & sleep 60; : {marker}");
    let arguments = sh(&script);
    let running = trusted::run(Path::new("sh"), &arguments, &[], None, MINUTE, |_, _| {});
    assert!(tokio::time::timeout(Duration::from_millis(400), running).await.is_err());
    assert!(eventually(Duration::from_secs(3), || processes_with(&marker).is_empty()));
}

#[tokio::test]
async fn long_output_keeps_its_end() {
    let script =
        "i=0; while [ $i -lt 60000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done; echo end";
    let output = trusted::run(Path::new("sh"), &sh(script), &[], None, MINUTE, |_, _| {}).await.unwrap();
    assert!(output.stdout.len() <= 1 << 20 && output.stdout.ends_with("end\n"));
}

#[test]
fn which_finds_what_is_on_path_only() {
    assert!(trusted::which("sh").is_some_and(|path| path.is_absolute()));
    assert_eq!(trusted::which("no-such-tool"), None);
}
