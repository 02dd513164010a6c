//! Certificates of edits that a user accepted, kept for good.

use std::path::Path;

use rusqlite::params;
use serde::{Deserialize, Serialize};
use zeroerr_core::certificate::Certificate;

use super::{Journal, JournalError, parsed};

/// Who put an edit into its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcceptedBy {
    /// `zeroerr run --apply`.
    Cli,
    /// An editor, whose document showed the edit.
    Editor,
}

/// One accepted edit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Acceptance {
    /// The run that made it.
    pub run: String,
    /// The file, absolute.
    pub file: String,
    /// `Class.name`, or the bare name.
    pub function: String,
    /// Milliseconds since 1970.
    pub accepted_ms: i64,
    /// By whom.
    pub by: AcceptedBy,
    /// The function's text before the edit: what was there already is no fault of the edit.
    pub before: String,
    /// What was checked, and by what.
    pub certificate: Certificate,
}

impl Journal {
    /// Keeps a certificate. Accepting one edit twice is one acceptance.
    ///
    /// # Errors
    /// When the store fails.
    pub fn accept(&self, acceptance: &Acceptance) -> Result<(), JournalError> {
        let text = serde_json::to_string(acceptance)?;
        let connection = self.connection();
        // Unlike a sample, which would be drawn again, this must survive a power cut.
        connection.pragma_update(None, "synchronous", "full")?;
        let kept = connection.execute(
            "insert or ignore into certificates (run_id, file, function, spec_hash, code_hash, accepted_ms, acceptance)
             values (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                acceptance.run,
                acceptance.file,
                acceptance.function,
                acceptance.certificate.spec_hash,
                acceptance.certificate.code_hash,
                acceptance.accepted_ms,
                text
            ],
        );
        connection.pragma_update(None, "synchronous", "normal")?;
        self.kept(kept)
    }

    /// Every certificate of a file, oldest first.
    ///
    /// # Errors
    /// When the store fails or holds certificates of another version.
    pub fn certificates_of(&self, file: &Path) -> Result<Vec<Acceptance>, JournalError> {
        self.acceptances("where file = ?1 order by id", &[&file.to_string_lossy()])
    }

    /// Certificates for exactly this code and this spec, whatever the file was called, oldest first.
    ///
    /// # Errors
    /// When the store fails or holds certificates of another version.
    pub fn certificates_for(&self, code_hash: &str, spec_hash: &str) -> Result<Vec<Acceptance>, JournalError> {
        self.acceptances("where code_hash = ?1 and spec_hash = ?2 order by id", &[&code_hash, &spec_hash])
    }

    /// Every certificate of files at or below a path, oldest first.
    ///
    /// # Errors
    /// When the store fails or holds certificates of another version.
    pub fn certificates_below(&self, place: &Path) -> Result<Vec<Acceptance>, JournalError> {
        let place = place.to_string_lossy();
        let folder = format!("{}/", place.trim_end_matches('/'));
        // No `like`: a name may hold what that takes for a wildcard.
        self.acceptances("where file = ?1 or substr(file, 1, length(?2)) = ?2 order by id", &[&place, &folder])
    }

    /// Every certificate of functions of that name, in any file, oldest first.
    ///
    /// # Errors
    /// When the store fails or holds certificates of another version.
    pub fn certificates_named(&self, function: &str) -> Result<Vec<Acceptance>, JournalError> {
        self.acceptances("where function = ?1 order by id", &[&function])
    }

    /// The certificates that came out of a run, oldest first.
    ///
    /// # Errors
    /// When the store fails or holds certificates of another version.
    pub fn certificates_from(&self, run: &str) -> Result<Vec<Acceptance>, JournalError> {
        self.acceptances("where run_id = ?1 order by id", &[&run])
    }

    fn acceptances(&self, condition: &str, values: &[&dyn rusqlite::ToSql]) -> Result<Vec<Acceptance>, JournalError> {
        let connection = self.connection();
        let mut query =
            connection.prepare_cached(&format!("select acceptance, run_id, function from certificates {condition}"))?;
        let row = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
        let rows: Vec<(String, String, String)> = query.query_map(values, row)?.collect::<Result<_, _>>()?;
        let read = |(text, run, function): &(String, String, String)| {
            parsed(text, || format!("the certificate of `{function}` from run {run}"))
        };
        rows.iter().map(read).collect()
    }
}
