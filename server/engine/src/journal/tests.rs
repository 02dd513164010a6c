//! The journal across processes, versions and deaths.

use std::sync::Arc;

use super::*;
use zeroerr_core::certificate::Certificate;
use zeroerr_core::code::{LanguageId, TextRange};
use zeroerr_core::red_flag_detector::RedFlag;
use zeroerr_core::report::RunOutcome;
use zeroerr_core::state_manager::SampleFate;
use zeroerr_core::task_specification::Spec;

use crate::options::RunOptions;

fn sample(id: u64) -> Record {
    Record::Sample {
        step: "f".into(),
        id,
        completion_tokens: 3,
        model: "m".into(),
        fate: SampleFate::Flagged(RedFlag::Empty),
    }
}

fn origin() -> Origin {
    Origin {
        class: Some("C".into()),
        function: "f".into(),
        language: LanguageId::Python,
        source: "def f(): ...\n".into(),
        function_range: TextRange::new(0, 12),
        spec_range: TextRange::new(0, 0),
        spec: Spec::default(),
        options: RunOptions::default(),
        models: vec!["m".into()],
        continues: None,
        answered: 0,
        zeroerr: "0".into(),
    }
}

fn report(id: &str, outcome: RunOutcome) -> RunReport {
    RunReport {
        id: id.into(),
        file: "a.py".into(),
        function: "f".into(),
        outcome,
        reason: "no".into(),
        steps: vec![],
        layers: vec![],
        edits: vec![],
        certificate: None,
        elapsed_ms: 1,
    }
}

fn journal() -> (tempfile::TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    (folder, journal)
}

#[test]
fn a_breaker_is_remembered_until_it_has_closed() {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(folder.path()).unwrap();
    journal.note_breaker("tool", "ruff", Some(30_000), "ended with exit code 3").unwrap();
    journal.note_breaker("model", "ruff", Some(1), "another thing of that name").unwrap();
    let other = Journal::open(folder.path()).unwrap();
    let lines = other.breakers().unwrap();
    let tool = lines.iter().find(|l| l.kind == "tool").unwrap();
    assert_eq!((lines.len(), tool.open_until_ms), (2, Some(tool.at_ms + 30_000)));
    other.note_breaker("tool", "ruff", None, "ended with exit code 3").unwrap();
    assert!(journal.breakers().unwrap().iter().any(|l| l.kind == "tool" && l.open_until_ms.is_none()));
}

#[test]
fn a_breaker_ends_with_the_process_that_opened_it() {
    let folder = tempfile::tempdir().unwrap();
    let (other, journal) = (Journal::open(folder.path()).unwrap(), Journal::open(folder.path()).unwrap());
    other.note_breaker("tool", "ruff", Some(30_000), "ended with exit code 3").unwrap();
    let open = || journal.breakers().unwrap()[0].open_until_ms;
    assert!(open().is_some());
    drop(other);
    let line = journal.breakers().unwrap().remove(0);
    assert_eq!((line.open_until_ms, line.last_error.as_str()), (None, "ended with exit code 3"));
    let left = std::fs::read_dir(folder.path().join("locks")).unwrap().count();
    assert_eq!(left, 0, "whoever looks cleans up");
}

#[test]
fn of_two_unfinished_runs_of_a_task_the_one_that_is_asked_for_is_taken_up() {
    let (_folder, journal) = journal();
    let [older, newer] = [(); 2].map(|()| journal.begin("key", "a.py", &origin()).unwrap());
    let (first, last) = (older.id.clone(), newer.id.clone());
    drop((older, newer));
    journal.prefer(&first);
    let taken = journal.begin("key", "a.py", &origin()).unwrap();
    assert_eq!((taken.id, taken.resumed), (first, true));
    assert_eq!(journal.begin("key", "a.py", &origin()).unwrap().id, last, "the wish holds once");
}

#[test]
fn an_unfinished_run_is_taken_up_and_a_finished_one_is_not() {
    let (folder, journal) = journal();
    let first = journal.begin("key", "a.py", &origin()).unwrap();
    assert!(!first.resumed);
    journal.append(&first.id, &sample(0)).unwrap();
    journal.append(&first.id, &sample(1)).unwrap();
    let id = first.id.clone();
    drop((first, journal));

    let journal = Journal::open(folder.path()).unwrap();
    let other = journal.begin("other key", "a.py", &origin()).unwrap();
    assert!(!other.resumed);
    let again = journal.begin("key", "a.py", &origin()).unwrap();
    assert_eq!((again.id.as_str(), again.resumed), (id.as_str(), true));
    assert_eq!(journal.records_of_step(&id, "f").unwrap(), [sample(0), sample(1)]);
    assert_eq!(journal.records_of_step(&id, "g").unwrap(), []);
    let ended = report(&id, RunOutcome::Abstained);
    journal.finish(&ended).unwrap();
    let fresh = journal.begin("key", "a.py", &origin()).unwrap();
    assert!(!fresh.resumed && fresh.id != id);
    assert_eq!(journal.report(&id).unwrap(), Some(ended));

    let export = journal.export(&id).unwrap();
    assert_eq!(export.sessions.iter().map(|s| s.after_seq).collect::<Vec<_>>(), [0, 2]);
    assert_eq!((export.run.status.as_str(), export.run.samples, export.records.len()), ("abstained", 2, 2));
    assert!(export.records.iter().all(|r| r.at_ms.is_some_and(|at| at >= export.run.started_ms)));
    assert_eq!(export.origin, Some(origin()));
}

#[test]
fn a_run_that_somebody_works_on_is_left_to_them() {
    let (folder, journal) = journal();
    let theirs = journal.begin("key", "a.py", &origin()).unwrap();
    let other = Journal::open(folder.path()).unwrap();
    let ours = other.begin("key", "a.py", &origin()).unwrap();
    assert_ne!(theirs.id, ours.id, "two editors that ask for one function at once each get a run");
    assert_eq!(other.find(&theirs.id).unwrap().status, "running");
    let id = theirs.id.clone();
    drop(theirs);
    assert_eq!(other.find(&id).unwrap().status, "unfinished");
    assert_eq!(other.begin("key", "a.py", &origin()).unwrap().id, id, "its process is gone");
}

#[test]
fn a_run_that_could_not_be_done_can_be_reopened() {
    let (_folder, journal) = journal();
    let id = journal.begin("key", "a.py", &origin()).unwrap().id;
    journal.finish(&report(&id, RunOutcome::Error)).unwrap();
    assert!(!journal.begin("key", "a.py", &origin()).unwrap().resumed);
    journal.reopen(&id).unwrap();
    let held: Vec<OpenRun> = (0..2).map(|_| journal.begin("key", "a.py", &origin()).unwrap()).collect();
    assert!(held.iter().any(|run| run.id == id && run.resumed), "{held:?}");
}

#[test]
fn runs_are_found_by_the_beginning_of_their_id() {
    let (_folder, journal) = journal();
    assert!(matches!(journal.find("last"), Err(JournalError::NoSuchRun(_))));
    let one = journal.begin("key one", "a.py", &origin()).unwrap().id;
    let two = journal.begin("key two", "a.py", &origin()).unwrap().id;
    assert_eq!(journal.find(&one).unwrap().id, one);
    assert!(matches!(journal.find("0"), Err(JournalError::Ambiguous(_))));
    assert!(matches!(journal.find("zzz"), Err(JournalError::NoSuchRun(_))));
    assert!(matches!(journal.find(""), Err(JournalError::NoSuchRun(_))));
    assert!([one, two].contains(&journal.find("last").unwrap().id));
}

#[test]
fn a_certificate_is_kept_once_and_found_by_file_and_by_code() {
    let (_folder, journal) = journal();
    let certificate = Certificate {
        spec_hash: "s".into(),
        code_hash: "c".into(),
        doc_version: None,
        layers: vec![],
        votes: vec![],
        models: vec![],
        seed: 0,
    };
    let acceptance = Acceptance {
        run: "r".into(),
        file: "/a.py".into(),
        function: "C.f".into(),
        accepted_ms: 5,
        by: AcceptedBy::Cli,
        before: "def f(): ...".into(),
        certificate,
    };
    journal.accept(&acceptance).unwrap();
    journal.accept(&Acceptance { accepted_ms: 6, ..acceptance.clone() }).unwrap();
    assert_eq!(journal.certificates_of(Path::new("/a.py")).unwrap(), std::slice::from_ref(&acceptance));
    assert_eq!(
        journal.certificates_for("c", "s").unwrap(),
        std::slice::from_ref(&acceptance),
        "the file may have been renamed"
    );
    assert_eq!(journal.certificates_for("c", "t").unwrap(), []);
    assert_eq!(journal.certificates_from("r").unwrap(), [acceptance]);
}

#[test]
fn a_journal_of_the_first_version_is_taken_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.sqlite");
    let old = Connection::open(&file).unwrap();
    old.execute_batch(
        "create table runs (id text primary key, task_key text not null, file text not null, function text not null,
             started_ms integer not null, status text not null default 'unfinished', report text);
         create table records (run_id text not null, seq integer not null, record text not null,
             primary key (run_id, seq)) without rowid;
         insert into runs (id, task_key, file, function, started_ms) values ('r1', 'key', 'a.py', 'f', 7);",
    )
    .unwrap();
    old.execute("insert into records values ('r1', 0, ?1)", [serde_json::to_string(&sample(0)).unwrap()]).unwrap();
    drop(old);
    for _ in 0..2 {
        let journal = Journal::open(folder.path()).unwrap();
        let export = journal.export("r1").unwrap();
        assert_eq!((export.origin, export.records[0].at_ms, export.run.samples), (None, None, 1));
    }
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Journal::open(folder.path()), Err(JournalError::Newer)));
}

#[test]
fn many_processes_may_open_and_write_at_once() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let writers: Vec<_> = (0..4)
        .map(|n| {
            let folder = Arc::clone(&folder);
            std::thread::spawn(move || {
                let journal = Journal::open(folder.path()).unwrap();
                let run = journal.begin(&format!("key {n}"), "f", &origin()).unwrap();
                (0..50).for_each(|i| journal.append(&run.id, &sample(i)).unwrap());
                run.id
            })
        })
        .collect();
    let ids: Vec<String> = writers.into_iter().map(|w| w.join().unwrap()).collect();
    let journal = Journal::open(folder.path()).unwrap();
    for id in ids {
        assert_eq!(journal.records(&id).unwrap().len(), 50);
    }
}

#[test]
fn a_new_journal_may_be_opened_by_many_at_once() {
    for _ in 0..60 {
        let folder = tempfile::tempdir().unwrap();
        let together = std::sync::Barrier::new(6);
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| {
                    together.wait();
                    drop(Journal::open(folder.path()).unwrap());
                });
            }
        });
    }
}

#[test]
fn what_cannot_be_read_is_named_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("runs.sqlite");
    let journal = Journal::open(folder.path()).unwrap();
    let run = journal.begin("key", "f", &origin()).unwrap();
    journal.append(&run.id, &sample(0)).unwrap();
    journal.connection().execute("update records set record = '{'", []).unwrap();
    let said = journal.records(&run.id).unwrap_err().to_string();
    assert!(said.starts_with(&format!("journal: a record of run {} cannot be read", run.id)), "{said}");
    assert!(journal.export(&run.id).unwrap_err().to_string().contains(&format!("record 0 of run {}", run.id)));
    drop((journal, run));

    std::fs::remove_file(&file).unwrap();
    std::fs::write(&file, "this is no database, though it is long enough to have the header of one; not at all")
        .unwrap();
    let said = Journal::open(folder.path()).unwrap_err().to_string();
    assert!(said.contains(&file.display().to_string()) && said.contains("move it away"), "{said}");
    std::fs::remove_file(&file).unwrap();
    std::fs::create_dir(&file).unwrap();
    let said = Journal::open(folder.path()).unwrap_err().to_string();
    assert!(said.contains(&file.display().to_string()) && said.contains("ZEROERR_HOME"), "{said}");
}

/// Allows the journal so many pages more, as a disk that fills up does.
fn room(journal: &Journal, pages: u32) {
    let connection = journal.connection();
    let now: u32 = connection.query_row("pragma page_count", [], |row| row.get(0)).unwrap();
    connection.pragma_update_and_check(None, "max_page_count", now + pages, |_| Ok(())).unwrap();
}

#[test]
fn what_there_was_no_room_for_is_written_before_what_follows() {
    let (_folder, journal) = journal();
    let run = journal.begin("key", "a.py", &origin()).unwrap();
    room(&journal, 1);
    let ends: Vec<Result<(), JournalError>> = (0..200).map(|id| journal.append(&run.id, &sample(id))).collect();
    let kept = ends.iter().take_while(|end| end.is_ok()).count();
    assert!((1..200).contains(&kept) && ends[kept..].iter().all(Result::is_err), "{kept} of 200 found room");
    let why = ends[kept].as_ref().unwrap_err().to_string();
    assert!(why.contains(" is full; make room there, or set ZEROERR_HOME"), "{why}");
    room(&journal, 1000);
    journal.append(&run.id, &sample(200)).unwrap();
    let ids = journal.records(&run.id).unwrap();
    assert_eq!(ids, (0..=200).map(sample).collect::<Vec<_>>(), "none is lost, none stands before another");
    journal.finish(&report(&run.id, RunOutcome::Abstained)).unwrap();
    assert_eq!(journal.find(&run.id).unwrap().status, "abstained");
}

#[test]
fn a_run_that_there_was_no_room_for_is_resumed_from_what_was_kept() {
    let (folder, journal) = journal();
    let run = journal.begin("key", "a.py", &origin()).unwrap();
    room(&journal, 1);
    let kept = (0..200).take_while(|id| journal.append(&run.id, &sample(*id)).is_ok()).count() as u64;
    let ended = journal.finish(&report(&run.id, RunOutcome::Verified));
    assert!(matches!(ended, Err(JournalError::Full(_))), "{ended:?}");
    let id = run.id.clone();
    drop(run);
    // Given up: other runs of this process are not kept from being written.
    room(&journal, 1000);
    let other = journal.begin("other", "b.py", &origin()).unwrap();
    journal.append(&other.id, &sample(7)).unwrap();
    let later = Journal::open(folder.path()).unwrap();
    let again = later.begin("key", "a.py", &origin()).unwrap();
    assert_eq!((&again.id, again.resumed), (&id, true));
    assert_eq!(later.records(&id).unwrap(), (0..kept).map(sample).collect::<Vec<_>>());
}
