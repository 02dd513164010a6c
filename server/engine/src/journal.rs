//! The journal: every run, record by record, in SQLite (write-ahead log), so that a killed server
//! resumes where it was and several editors can write at once.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, OptionalExtension, params};
use zeroerr_core::report::RunReport;
use zeroerr_core::state_manager::Record;

/// Where runs are kept. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Journal {
    connection: Mutex<Connection>,
}

/// The journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// SQLite says why.
    #[error("journal: {0}")]
    Store(#[from] rusqlite::Error),
    /// A record is not what this version writes.
    #[error("journal: a record cannot be read ({0}); it was written by another version")]
    Format(#[from] serde_json::Error),
    /// The folder cannot be made.
    #[error("journal: cannot create {0}: {1}")]
    Folder(String, std::io::Error),
}

/// One line of `zeroerr runs list`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunLine {
    /// Identifier.
    pub id: String,
    /// File.
    pub file: String,
    /// Function.
    pub function: String,
    /// Milliseconds since 1970.
    pub started_ms: i64,
    /// `verified`, `abstained`, `error`, or `unfinished`.
    pub status: String,
}

const SCHEMA: &str = "
create table if not exists runs (
    id text primary key,
    task_key text not null,
    file text not null,
    function text not null,
    started_ms integer not null,
    status text not null default 'unfinished',
    report text
);
create index if not exists runs_by_task on runs (task_key, status);
create table if not exists records (
    run_id text not null references runs (id),
    seq integer not null,
    record text not null,
    primary key (run_id, seq)
) without rowid;
";

impl Journal {
    /// Opens or creates the journal in `folder`.
    ///
    /// # Errors
    /// When the folder or the file cannot be written, or the file is no journal.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        std::fs::create_dir_all(folder).map_err(|e| JournalError::Folder(folder.display().to_string(), e))?;
        let connection = Connection::open(folder.join("runs.sqlite"))?;
        connection.busy_timeout(std::time::Duration::from_secs(5))?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a run of the task `task_key`, or takes up the newest unfinished one: returns its id
    /// and the records it left, in order.
    ///
    /// # Errors
    /// When the store fails or holds records of another version.
    pub fn begin(
        &self,
        new_id: &str,
        task_key: &str,
        file: &str,
        function: &str,
        now_ms: i64,
    ) -> Result<(String, Vec<Record>), JournalError> {
        let connection = self.connection();
        let known: Option<String> = connection
            .query_row(
                "select id from runs where task_key = ?1 and status = 'unfinished' order by started_ms desc limit 1",
                params![task_key],
                |row| row.get(0),
            )
            .optional()?;
        let Some(id) = known else {
            connection.execute(
                "insert into runs (id, task_key, file, function, started_ms) values (?1, ?2, ?3, ?4, ?5)",
                params![new_id, task_key, file, function, now_ms],
            )?;
            return Ok((new_id.to_owned(), Vec::new()));
        };
        drop(connection);
        let records = self.records(&id)?;
        Ok((id, records))
    }

    /// The records of a run, in order.
    ///
    /// # Errors
    /// When the store fails or holds records of another version.
    pub fn records(&self, id: &str) -> Result<Vec<Record>, JournalError> {
        let connection = self.connection();
        let mut query = connection.prepare_cached("select record from records where run_id = ?1 order by seq")?;
        let texts = query.query_map(params![id], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        texts.iter().map(|text| serde_json::from_str(text).map_err(JournalError::from)).collect()
    }

    /// Appends one record.
    ///
    /// # Errors
    /// When the store fails.
    pub fn append(&self, id: &str, record: &Record) -> Result<(), JournalError> {
        let text = serde_json::to_string(record)?;
        self.connection()
            .prepare_cached("insert into records (run_id, seq, record) values (?1, (select count(*) from records where run_id = ?1), ?2)")?
            .execute(params![id, text])?;
        Ok(())
    }

    /// Marks a run as ended.
    ///
    /// # Errors
    /// When the store fails.
    pub fn finish(&self, report: &RunReport) -> Result<(), JournalError> {
        let status = serde_json::to_value(report.outcome)?;
        self.connection().execute(
            "update runs set status = ?2, report = ?3 where id = ?1",
            params![report.id, status.as_str().unwrap_or("error"), serde_json::to_string(report)?],
        )?;
        Ok(())
    }

    /// The newest runs, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, limit: u32) -> Result<Vec<RunLine>, JournalError> {
        let connection = self.connection();
        let mut query = connection
            .prepare("select id, file, function, started_ms, status from runs order by started_ms desc, id limit ?1")?;
        let rows = query.query_map(params![limit], |row| {
            Ok(RunLine {
                id: row.get(0)?,
                file: row.get(1)?,
                function: row.get(2)?,
                started_ms: row.get(3)?,
                status: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The report of an ended run.
    ///
    /// # Errors
    /// When the store fails or holds a report of another version.
    pub fn report(&self, id: &str) -> Result<Option<RunReport>, JournalError> {
        let text: Option<Option<String>> = self
            .connection()
            .query_row("select report from runs where id = ?1", params![id], |row| row.get(0))
            .optional()?;
        Ok(text.flatten().map(|t| serde_json::from_str(&t)).transpose()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zeroerr_core::red_flag_detector::RedFlag;
    use zeroerr_core::report::RunOutcome;
    use zeroerr_core::state_manager::SampleFate;

    fn sample(id: u64) -> Record {
        Record::Sample {
            step: "f".into(),
            id,
            completion_tokens: 3,
            model: "m".into(),
            fate: SampleFate::Flagged(RedFlag::Empty),
        }
    }

    #[test]
    fn an_unfinished_run_is_taken_up_and_a_finished_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(folder.path()).unwrap();
        let (id, records) = journal.begin("r1", "key", "a.py", "f", 1).unwrap();
        assert_eq!((id.as_str(), records.len()), ("r1", 0));
        journal.append("r1", &sample(0)).unwrap();
        journal.append("r1", &sample(1)).unwrap();
        drop(journal);

        let journal = Journal::open(folder.path()).unwrap();
        assert_eq!(journal.begin("r2", "other key", "a.py", "f", 2).unwrap().0, "r2");
        assert_eq!(journal.begin("r3", "key", "a.py", "f", 3).unwrap(), ("r1".into(), vec![sample(0), sample(1)]));
        let report = RunReport {
            id: "r1".into(),
            file: "a.py".into(),
            function: "f".into(),
            outcome: RunOutcome::Abstained,
            reason: "no".into(),
            steps: vec![],
            layers: vec![],
            edits: vec![],
            certificate: None,
            elapsed_ms: 1,
        };
        journal.finish(&report).unwrap();
        assert_eq!(journal.begin("r4", "key", "a.py", "f", 4).unwrap(), ("r4".into(), vec![]));
        assert_eq!(journal.report("r1").unwrap(), Some(report));
        let states: Vec<_> = journal.list(9).unwrap().into_iter().map(|l| format!("{} {}", l.id, l.status)).collect();
        assert_eq!(states, ["r4 unfinished", "r2 unfinished", "r1 abstained"]);
    }

    #[test]
    fn two_processes_may_write_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let one = Journal::open(folder.path()).unwrap();
        let two = Journal::open(folder.path()).unwrap();
        one.begin("a", "k1", "f", "f", 1).unwrap();
        two.begin("b", "k2", "f", "f", 1).unwrap();
        for i in 0..50 {
            one.append("a", &sample(i)).unwrap();
            two.append("b", &sample(i)).unwrap();
        }
        assert_eq!(one.records("b").unwrap().len(), 50);
    }
}
