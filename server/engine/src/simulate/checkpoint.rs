//! The journal of a simulation: one row per step in SQLite, committed in batches together with the
//! totals and the state, so that `kill -9` loses at most one batch and counts nothing twice.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};

use crate::simulate::hanoi::{Move, Towers};
use crate::simulate::{Scenario, StepTotals, Totals};

/// See the module.
#[derive(Debug)]
pub struct Checkpoint {
    connection: Connection,
    open: bool,
}

/// A checkpoint cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// It cannot be read or written; SQLite says why.
    #[error("{0}")]
    Store(rusqlite::Error),
    /// Another process holds it.
    #[error("another process is using it; wait for it, or give another file")]
    InUse,
    /// It is no checkpoint, or a damaged one.
    #[error("it is no checkpoint, or a damaged one ({0}); give another file, or delete this one to begin anew")]
    Damaged(String),
    /// There is no room for more.
    #[error("its disk is full; make room, and the same command goes on where it stopped")]
    Full,
    /// It was begun with other numbers.
    #[error("it was begun with {found}; give these numbers, or another file")]
    OtherScenario {
        /// The options it was begun with.
        found: String,
    },
}

impl From<rusqlite::Error> for CheckpointError {
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{DatabaseBusy, DatabaseCorrupt, DatabaseLocked, DiskFull, NotADatabase};
        match error.sqlite_error_code() {
            Some(DatabaseBusy | DatabaseLocked) => Self::InUse,
            Some(DiskFull) => Self::Full,
            Some(DatabaseCorrupt | NotADatabase) => Self::Damaged(error.to_string()),
            _ => Self::Store(error),
        }
    }
}

impl From<serde_json::Error> for CheckpointError {
    fn from(error: serde_json::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}

const SCHEMA: &str = "
create table if not exists head (id integer primary key check (id = 0), scenario text, totals text, towers text);
create table if not exists steps (step integer primary key, samples integer, votes integer, decided integer);
";

impl Checkpoint {
    /// Opens or creates the file, and holds it: two that go on from one place would count every step twice.
    ///
    /// # Errors
    /// When it cannot be written, is no checkpoint, or another process holds it.
    pub fn open(path: &Path) -> Result<Self, CheckpointError> {
        let connection = Connection::open(path)?;
        connection.busy_timeout(std::time::Duration::ZERO)?;
        connection.pragma_update(None, "locking_mode", "exclusive")?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection, open: false })
    }

    /// Where the last commit left the scenario; its beginning when there is none.
    ///
    /// # Errors
    /// When the file belongs to another scenario.
    pub fn restore(&mut self, scenario: &Scenario) -> Result<(Totals, Towers), CheckpointError> {
        let row: Option<(String, String, String)> = self
            .connection
            .query_row("select scenario, totals, towers from head", [], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
            .optional()?;
        let wanted = serde_json::to_string(scenario)?;
        match row {
            None => {
                let (totals, towers) = (Totals::default(), Towers::new(scenario.disks));
                self.connection.execute(
                    "insert into head values (0, ?1, ?2, ?3)",
                    params![wanted, serde_json::to_string(&totals)?, serde_json::to_string(&towers)?],
                )?;
                Ok((totals, towers))
            }
            Some((found, _, _)) if found != wanted => {
                let found = serde_json::from_str::<Scenario>(&found)?.to_string();
                Err(CheckpointError::OtherScenario { found })
            }
            Some((_, totals, towers)) => Ok((serde_json::from_str(&totals)?, serde_json::from_str(&towers)?)),
        }
    }

    /// Adds a step to the batch.
    ///
    /// # Errors
    /// When the store fails.
    pub fn append(&mut self, step: u64, totals: &StepTotals, decided: Option<Move>) -> Result<(), CheckpointError> {
        if !self.open {
            self.connection.execute_batch("begin")?;
            self.open = true;
        }
        let code = decided.map(|m| i64::from(m.from) * 3 + i64::from(m.to));
        self.connection.prepare_cached("insert into steps values (?1, ?2, ?3, ?4)")?.execute(params![
            step as i64,
            totals.samples,
            totals.votes,
            code
        ])?;
        Ok(())
    }

    /// Makes the batch durable.
    ///
    /// # Errors
    /// When the store fails.
    pub fn commit(&mut self, totals: &Totals, towers: &Towers) -> Result<(), CheckpointError> {
        self.connection
            .prepare_cached("update head set totals = ?1, towers = ?2")?
            .execute(params![serde_json::to_string(totals)?, serde_json::to_string(towers)?])?;
        if std::mem::take(&mut self.open) {
            self.connection.execute_batch("commit")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulate::run;

    #[test]
    fn a_simulation_that_filled_its_disk_goes_on_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("c.sqlite");
        let scenario =
            Scenario { disks: 15, p: 0.9, k: 3, flag_rate: 0.0, correlation: 1.0, max_attempts: 1000, seed: 1 };
        let mut full = Checkpoint::open(&file).unwrap();
        full.connection.pragma_update_and_check(None, "max_page_count", 60, |_| Ok(())).unwrap();
        let mut done = 0;
        let end = run(&scenario, Some(&mut full), &mut |totals| {
            done = totals.steps;
            true
        });
        assert!(matches!(end, Err(CheckpointError::Full)) && done > 0, "{end:?} after {done} steps");
        drop(full);
        let mut resumed = Checkpoint::open(&file).unwrap();
        assert_eq!(resumed.restore(&scenario).unwrap().0.steps, done, "what was told as done is kept");
        assert_eq!(
            run(&scenario, Some(&mut resumed), &mut |_| true).unwrap(),
            run(&scenario, None, &mut |_| true).unwrap()
        );
    }
}
