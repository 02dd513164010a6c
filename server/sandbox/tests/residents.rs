//! Programs that stay and are asked again: they answer, they are walled in like any job, and nothing of them is left.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

mod common;

use std::time::Duration;

use common::{Case, eventually, forbidden, marker, processes_with, sandbox};

/// Answers `eval` of each question, or the name of the error.
const ASKED: &str = "
import os, socket, struct, sys, time
def exactly(size):
    data = b''
    while len(data) < size:
        part = os.read(1, size - len(data))
        if not part:
            os._exit(0)
        data += part
    return data
os.write(1, b'!')
while True:
    question = exactly(struct.unpack('<Q', exactly(8))[0]).decode()
    try:
        answer = str(eval(question))
    except Exception as error:
        answer = type(error).__name__
    os.write(1, struct.pack('<Q', len(answer)) + answer.encode())
";

const SECONDS: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_resident_answers_one_question_after_the_other() {
    let case = Case::python(ASKED);
    let mut resident = sandbox().resident(case.job.clone()).await.expect("it starts");
    for (question, answer) in
        [("1 + 1", "2"), ("'x' * 200_000", &"x".repeat(200_000) as &str), ("1 / 0", "ZeroDivisionError")]
    {
        let said = resident.ask(question.as_bytes(), SECONDS, 1 << 20).await.expect("it answers");
        assert_eq!(String::from_utf8(said).unwrap(), answer);
    }
}

#[tokio::test]
async fn a_resident_is_walled_in_like_any_job() {
    let case = Case::python(ASKED);
    let mut resident = sandbox().resident(case.job.clone()).await.expect("it starts");
    let tried = [("open('left', 'w').close()".to_owned(), ["None", "None"])];
    for (question, answers) in forbidden().into_iter().chain(tried) {
        let said = resident.ask(question.as_bytes(), SECONDS, 1 << 20).await.expect("it answers");
        let said = String::from_utf8(said).unwrap();
        assert!(answers.contains(&said.as_str()), "{question}: {said}");
    }
    assert!(case.scratch.path().join("left").is_file(), "its scratch folder is its own to write in");
}

#[tokio::test]
async fn what_is_late_or_says_too_much_is_an_error() {
    let case = Case::python(ASKED);
    let mut resident = sandbox().resident(case.job.clone()).await.expect("it starts");
    let late = resident.ask(b"time.sleep(30)", Duration::from_millis(300), 1 << 20).await;
    assert!(late.unwrap_err().to_string().contains("does not answer in its time"));
    let mut resident = sandbox().resident(case.job.clone()).await.expect("it starts");
    let much = resident.ask(b"'x' * 2000", SECONDS, 1000).await;
    assert!(much.unwrap_err().to_string().contains("says too much"));
    let mut resident = sandbox().resident(case.job.clone()).await.expect("it starts");
    let gone = resident.ask(b"os._exit(3)", SECONDS, 1000).await;
    assert!(gone.is_err(), "who ends instead of answering has not answered");
}

#[tokio::test]
async fn nothing_is_left_of_a_resident_that_is_dropped() {
    let marker = marker("resident");
    let case = Case::python(ASKED).arg(marker.clone());
    let mut resident = sandbox().resident(case.job.clone()).await.expect("it starts");
    let daemon = "os.fork() or time.sleep(60)";
    resident.ask(daemon.as_bytes(), SECONDS, 1 << 20).await.expect("it answers");
    assert!(!processes_with(&marker).is_empty(), "it runs");
    drop(resident);
    assert!(eventually(SECONDS, || processes_with(&marker).is_empty()), "it and its child are gone");
}

#[tokio::test]
async fn what_never_says_that_it_waits_is_no_resident() {
    let case = Case::sh("exit 7");
    let error = sandbox().resident(case.job.clone()).await.expect_err("it cannot be asked");
    assert!(error.to_string().contains("Code(7)"), "{error}");
}
