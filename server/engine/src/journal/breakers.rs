//! Which breakers are open, for a `doctor` that is another process than the one that found out.

use rusqlite::params;
use serde::Serialize;

use super::{Journal, JournalError, now_ms};

/// What is known of one breaker that has ever opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BreakerLine {
    /// `model` or `tool`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Until when it is left alone, in milliseconds since 1970; `None` once it has worked again.
    pub open_until_ms: Option<i64>,
    /// The failure that opened it.
    pub last_error: String,
    /// When this was noted, in milliseconds since 1970.
    pub at_ms: i64,
}

impl Journal {
    /// Notes that a breaker has opened for so long, or, with `None`, that it has closed again.
    ///
    /// # Errors
    /// When the store fails.
    pub fn note_breaker(
        &self,
        kind: &str,
        name: &str,
        open_for_ms: Option<u64>,
        last_error: &str,
    ) -> Result<(), JournalError> {
        let now = now_ms();
        let until = open_for_ms.map(|ms| now.saturating_add_unsigned(ms));
        self.connection().execute(
            "insert into breakers (kind, name, open_until_ms, last_error, at_ms) values (?1, ?2, ?3, ?4, ?5)
             on conflict (kind, name) do update set open_until_ms = ?3, last_error = ?4, at_ms = ?5",
            params![kind, name, until, last_error, now],
        )?;
        Ok(())
    }

    /// Every breaker that has ever opened, the latest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn breakers(&self) -> Result<Vec<BreakerLine>, JournalError> {
        let connection = self.connection();
        let mut query = connection.prepare_cached(
            "select kind, name, open_until_ms, last_error, at_ms from breakers order by at_ms desc, kind, name",
        )?;
        let rows = query.query_map([], |row| {
            Ok(BreakerLine {
                kind: row.get(0)?,
                name: row.get(1)?,
                open_until_ms: row.get(2)?,
                last_error: row.get(3)?,
                at_ms: row.get(4)?,
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}
