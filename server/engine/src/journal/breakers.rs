//! Which breakers are open, for a `doctor` that is another process than the one that found out.

use std::sync::PoisonError;

use rusqlite::params;
use serde::Serialize;

use super::{Journal, JournalError, Lease, now_ms};

/// What is known of one breaker that has ever opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BreakerLine {
    /// `model` or `tool`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Until when it is left alone, in milliseconds since 1970; `None` once it has worked again, or the process
    /// that left it alone has ended.
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
        // Before others can read of it.
        self.hold(kind, name, until.map(|_| now));
        self.connection().execute(
            "insert into breakers (kind, name, open_until_ms, last_error, at_ms) values (?1, ?2, ?3, ?4, ?5)
             on conflict (kind, name) do update set open_until_ms = ?3, last_error = ?4, at_ms = ?5",
            params![kind, name, until, last_error, now],
        )?;
        Ok(())
    }

    /// Shows others that this process lives and leaves it alone, or does no more.
    fn hold(&self, kind: &str, name: &str, since_ms: Option<i64>) {
        let mut open = self.open_breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (kind.to_owned(), name.to_owned());
        if let Some((before, _)) = open.remove(&key) {
            Lease::forget(&self.folder, &before);
        }
        let lease = since_ms.map(|at| lease_name(kind, name, at));
        // Without a lease it is as if the process had ended: nothing worse than a line less.
        if let Some((lease, Ok(Some(held)))) = lease.map(|l| (l.clone(), Lease::take(&self.folder, &l))) {
            open.insert(key, (lease, held));
        }
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
            let (kind, name, at_ms): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(4)?);
            let lease = lease_name(&kind, &name, at_ms);
            let open_until_ms = row.get::<_, Option<i64>>(2)?.filter(|_| Lease::is_held(&self.folder, &lease));
            if open_until_ms.is_none() {
                Lease::forget(&self.folder, &lease);
            }
            Ok(BreakerLine { kind, name, open_until_ms, last_error: row.get(3)?, at_ms })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }
}

/// The lease of a process that leaves a model or tool alone since then.
fn lease_name(kind: &str, name: &str, since_ms: i64) -> String {
    let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).take(64).collect();
    format!("breaker-{kind}-{plain}-{since_ms:x}")
}
