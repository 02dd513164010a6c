//! The journal: every run, record by record, in SQLite (write-ahead log), so that a killed server
//! resumes where it was and several editors can write at once.

mod breakers;
mod certificates;
mod lease;
mod origin;
mod read;
mod schema;

use std::collections::{BTreeMap, VecDeque};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, params};
use serde::de::DeserializeOwned;
use serde_json::Value;
use zeroerr_core::report::RunReport;
use zeroerr_core::state_manager::Record;

pub use breakers::BreakerLine;
pub use certificates::{Acceptance, AcceptedBy};
pub use lease::Lease;
pub use origin::Origin;
pub(crate) use origin::qualified;
pub use read::{Entry, RunExport, RunLine, Session};

/// How long to wait for others that open it or write.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where runs are kept. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    connection: Mutex<Connection>,
    /// Records that there was no room for, oldest first: a run is resumed from what was kept, and that
    /// must be its beginning without a gap.
    late: Mutex<VecDeque<(String, Record)>>,
    /// Breakers that this process has opened, by kind and name: each with a lease, since it ends with the process.
    open_breakers: Mutex<BTreeMap<(String, String), (String, Lease)>>,
    /// The run that is to be taken up next.
    preferred: Mutex<Option<String>>,
}

/// The journal could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// SQLite says why.
    #[error("journal: {0}")]
    Store(#[from] rusqlite::Error),
    /// What was to be kept cannot be written down.
    #[error("journal: {0}")]
    Format(#[from] serde_json::Error),
    /// Something that was kept is not what this version writes.
    #[error("journal: {what} cannot be read ({why}); it was written by another version, or changed by hand")]
    Unreadable {
        /// What, and of which run.
        what: String,
        /// Why.
        why: serde_json::Error,
    },
    /// The folder cannot be made.
    #[error("journal: cannot create {0}: {1}; make the folder writable, or set ZEROERR_HOME to one that is")]
    Folder(String, std::io::Error),
    /// The file cannot be opened.
    #[error("journal: cannot open {0}: {1}; make it writable, or set ZEROERR_HOME to another folder")]
    Closed(String, rusqlite::Error),
    /// The file is no journal.
    #[error("journal: {0} is damaged, or none ({1}); move it away, and a new one is begun")]
    Damaged(String, rusqlite::Error),
    /// There is no room for what was to be kept.
    #[error(
        "journal: the disk that holds {0} is full; make room there, or set ZEROERR_HOME to a folder on another disk"
    )]
    Full(String),
    /// The tables are of a later version.
    #[error("journal: it was written by a newer zeroerr; use that, or set ZEROERR_HOME to another folder")]
    Newer,
    /// Nothing is known by that name.
    #[error("there is no run `{0}`; `zeroerr runs list` shows those there are")]
    NoSuchRun(String),
    /// Several ids begin so.
    #[error("several runs begin with `{0}`; write more of the id (`zeroerr runs list` shows them)")]
    Ambiguous(String),
}

/// A run that this process works on.
#[derive(Debug)]
pub struct OpenRun {
    /// Its id.
    pub id: String,
    /// Keeps others away while it lives.
    pub lease: Lease,
    /// Whether it was begun before.
    pub resumed: bool,
}

/// Milliseconds since 1970.
pub fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

impl Journal {
    /// Opens or creates the journal in `folder`.
    ///
    /// # Errors
    /// When the folder or the file cannot be written, or the file is no journal.
    pub fn open(folder: &Path) -> Result<Self, JournalError> {
        std::fs::create_dir_all(folder).map_err(|e| JournalError::Folder(folder.display().to_string(), e))?;
        let file = folder.join("runs.sqlite");
        let connection = connected(&file).map_err(|error| match error {
            JournalError::Store(why) => {
                use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
                let name = file.display().to_string();
                match why.sqlite_error_code() {
                    Some(DatabaseCorrupt | NotADatabase) => JournalError::Damaged(name, why),
                    _ if is_full(&why, folder) => JournalError::Full(folder.display().to_string()),
                    _ => JournalError::Closed(name, why),
                }
            }
            other => other,
        })?;
        Ok(Self {
            folder: folder.to_path_buf(),
            connection: Mutex::new(connection),
            late: Mutex::default(),
            open_breakers: Mutex::default(),
            preferred: Mutex::default(),
        })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has [`begin`](Self::begin) take up this run before any other of its task.
    pub fn prefer(&self, id: &str) {
        *self.preferred.lock().unwrap_or_else(PoisonError::into_inner) = Some(id.to_owned());
    }

    /// Begins a run of the task `task_key`, or takes up the newest unfinished one that nobody
    /// works on.
    ///
    /// # Errors
    /// When the store fails.
    pub fn begin(&self, task_key: &str, file: &str, origin: &Origin) -> Result<OpenRun, JournalError> {
        let preferred = self.preferred.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut unfinished = self.unfinished(task_key)?;
        unfinished.sort_by_key(|id| preferred.as_ref() != Some(id));
        for id in unfinished {
            // Between the look and the lease another process may have ended it.
            if let Some(lease) = self.lease(&id)?
                && self.unfinished(task_key)?.contains(&id)
            {
                self.kept(self.connection().execute(
                    "insert into sessions (run_id, at_ms, after_seq)
                     values (?1, ?2, (select coalesce(max(seq) + 1, 0) from records where run_id = ?1))",
                    params![id, now_ms()],
                ))?;
                return Ok(OpenRun { id, lease, resumed: true });
            }
        }
        let (now, text) = (now_ms(), serde_json::to_string(origin)?);
        let stem = format!("{now:012x}-{}", task_key.get(..8).unwrap_or(task_key));
        let mut id = stem.clone();
        for twin in 2.. {
            // Two processes may begin the same task in the same millisecond.
            if let Some(lease) = self.lease(&id)? {
                let connection = self.connection();
                let made = connection.execute(
                    "insert or ignore into runs (id, task_key, file, function, started_ms, origin) values (?1, ?2, ?3, ?4, ?5, ?6)",
                    params![id, task_key, file, origin.function, now, text],
                );
                let is_new = matches!(made, Ok(1));
                self.kept(made)?;
                if is_new {
                    self.kept(connection.execute(
                        "insert into sessions (run_id, at_ms, after_seq) values (?1, ?2, 0)",
                        params![id, now],
                    ))?;
                    return Ok(OpenRun { id, lease, resumed: false });
                }
            }
            id = format!("{stem}-{twin}");
        }
        Err(JournalError::NoSuchRun(stem))
    }

    fn unfinished(&self, task_key: &str) -> Result<Vec<String>, JournalError> {
        let connection = self.connection();
        let mut query = connection.prepare_cached(
            "select id from runs where task_key = ?1 and status = 'unfinished' order by started_ms desc, id desc",
        )?;
        Ok(query.query_map(params![task_key], |row| row.get(0))?.collect::<Result<_, _>>()?)
    }

    fn lease(&self, id: &str) -> Result<Option<Lease>, JournalError> {
        Lease::take(&self.folder, id)
            .map_err(|e| JournalError::Folder(self.folder.join("locks").display().to_string(), e))
    }

    /// Marks a run that could not be done as unfinished again, so that it can be taken up.
    ///
    /// # Errors
    /// When the store fails.
    pub fn reopen(&self, id: &str) -> Result<(), JournalError> {
        self.kept(self.connection().execute(
            "update runs set status = 'unfinished', ended_ms = null where id = ?1 and status = 'error'",
            params![id],
        ))
    }

    /// The key that a run was begun with.
    ///
    /// # Errors
    /// When the store fails or there is no such run.
    pub fn task_key(&self, id: &str) -> Result<String, JournalError> {
        Ok(self.connection().query_row("select task_key from runs where id = ?1", params![id], |row| row.get(0))?)
    }

    /// The records of a run, in order.
    ///
    /// # Errors
    /// When the store fails or holds records of another version.
    pub fn records(&self, id: &str) -> Result<Vec<Record>, JournalError> {
        self.select(id, "select record from records where run_id = ?1 order by seq", &[&id])
    }

    /// The records of one step of a run, in order: a long plan is not held in memory.
    ///
    /// # Errors
    /// When the store fails or holds records of another version.
    pub fn records_of_step(&self, id: &str, step: &str) -> Result<Vec<Record>, JournalError> {
        self.select(id, "select record from records where run_id = ?1 and step = ?2 order by seq", &[&id, &step])
    }

    fn select(&self, id: &str, query: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Record>, JournalError> {
        let connection = self.connection();
        let mut query = connection.prepare_cached(query)?;
        let texts = query.query_map(values, |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        texts.iter().map(|text| parsed(text, || format!("a record of run {id}"))).collect()
    }

    /// Appends one record. One that there is no room for is kept in memory and written before the next.
    ///
    /// # Errors
    /// When the store fails.
    pub fn append(&self, id: &str, record: &Record) -> Result<(), JournalError> {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.catch_up(&mut late).and_then(|()| self.insert(id, record));
        if written.is_err() {
            late.push_back((id.to_owned(), record.clone()));
        }
        written
    }

    /// Writes what there was no room for.
    fn catch_up(&self, late: &mut VecDeque<(String, Record)>) -> Result<(), JournalError> {
        while let Some((id, record)) = late.front() {
            self.insert(id, record)?;
            late.pop_front();
        }
        Ok(())
    }

    fn insert(&self, id: &str, record: &Record) -> Result<(), JournalError> {
        let value = serde_json::to_value(record)?;
        let step =
            value.as_object().and_then(|o| o.values().next()).and_then(|v| v.get("step")).and_then(Value::as_str);
        let connection = self.connection();
        let mut query = connection.prepare_cached(
            "insert into records (run_id, seq, record, at_ms, step)
             values (?1, (select coalesce(max(seq) + 1, 0) from records where run_id = ?1), ?2, ?3, ?4)",
        )?;
        self.kept(query.execute(params![id, value.to_string(), now_ms(), step]))
    }

    /// What became of a change, with the place where it failed.
    fn kept(&self, changed: rusqlite::Result<usize>) -> Result<(), JournalError> {
        match changed {
            Ok(_) => Ok(()),
            Err(why) if is_full(&why, &self.folder) => Err(JournalError::Full(self.folder.display().to_string())),
            Err(why) => Err(why.into()),
        }
    }

    /// This process works no more on a run: its last records are written, or given up.
    ///
    /// # Errors
    /// When records are given up. The run stays unfinished, and is resumed from those before them.
    pub fn leave(&self, id: &str) -> Result<(), JournalError> {
        let mut late = self.late.lock().unwrap_or_else(PoisonError::into_inner);
        let written = self.catch_up(&mut late);
        if written.is_err() && late.iter().any(|(run, _)| run == id) {
            late.retain(|(run, _)| run != id);
            return written;
        }
        Ok(())
    }

    /// Marks a run as ended.
    ///
    /// # Errors
    /// When the store fails; then it stays unfinished, and can be resumed.
    pub fn finish(&self, report: &RunReport) -> Result<(), JournalError> {
        self.leave(&report.id)?;
        let status = serde_json::to_value(report.outcome)?;
        let text = serde_json::to_string(report)?;
        let ended = params![report.id, status.as_str().unwrap_or("error"), text, now_ms()];
        let changed =
            self.connection().execute("update runs set status = ?2, report = ?3, ended_ms = ?4 where id = ?1", ended);
        self.kept(changed)?;
        Lease::forget(&self.folder, &report.id);
        Ok(())
    }
}

/// Whether a change failed for want of room: the file systems' own refusals come as unspecific errors.
fn is_full(error: &rusqlite::Error, folder: &Path) -> bool {
    use rusqlite::ErrorCode::{CannotOpen, DiskFull, SystemIoFailure};
    match error.sqlite_error_code() {
        Some(DiskFull) => true,
        Some(SystemIoFailure | CannotOpen) => has_no_room(folder),
        _ => false,
    }
}

/// Whether a few bytes find no room in a folder.
fn has_no_room(folder: &Path) -> bool {
    let file = folder.join(format!("room-{}", std::process::id()));
    let written = std::fs::write(&file, [0; 4096]);
    let _ = std::fs::remove_file(&file);
    written.is_err_and(|e| matches!(e.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded))
}

/// Opens the file, and waits for others that do.
fn connected(file: &Path) -> Result<Connection, JournalError> {
    let end = Instant::now() + PATIENCE;
    loop {
        // SQLite's own patience does not cover the change to a write-ahead log: that is refused at once.
        match connect(file) {
            Err(JournalError::Store(why))
                if why.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) && Instant::now() < end =>
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            other => return other,
        }
    }
}

fn connect(file: &Path) -> Result<Connection, JournalError> {
    let mut connection = Connection::open(file)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    connection.pragma_update(None, "synchronous", "normal")?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

/// What was kept as text; `what` says in an error what could not be read.
fn parsed<T: DeserializeOwned>(text: &str, what: impl FnOnce() -> String) -> Result<T, JournalError> {
    serde_json::from_str(text).map_err(|why| JournalError::Unreadable { what: what(), why })
}

#[cfg(test)]
mod tests;
