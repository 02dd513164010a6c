//! Looking back at runs: the list, one run, and everything of it for export and reports.

use std::collections::BTreeSet;

use rusqlite::{OptionalExtension, Row, params};
use serde::Serialize;
use serde_json::Value;
use zeroerr_agents::plan_machine::Turn;
use zeroerr_core::report::{RunReport, StepReport};
use zeroerr_core::state_manager::Record;

use crate::counting::{counted, is_plan_vote, machine_of, with_cost_of_all};

use super::{Acceptance, Journal, JournalError, Lease, Origin, parsed};

/// One line of `zeroerr runs list`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunLine {
    /// Identifier.
    pub id: String,
    /// File.
    pub file: String,
    /// Function.
    pub function: String,
    /// Milliseconds since 1970.
    pub started_ms: i64,
    /// Milliseconds since 1970, when it has ended.
    pub ended_ms: Option<i64>,
    /// `verified`, `abstained`, `error`, `unfinished`, or `running`: unfinished, and a living
    /// process works on it.
    pub status: String,
    /// Samples it has drawn.
    pub samples: u64,
}

/// One record with its place and time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entry {
    /// Its place in the run, from 0.
    pub seq: i64,
    /// Milliseconds since 1970; journals of the first version did not say.
    pub at_ms: Option<i64>,
    /// The record as it was written.
    pub record: Value,
}

/// A time during which one process worked on the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Session {
    /// When it began, in milliseconds since 1970.
    pub at_ms: i64,
    /// Records there were.
    pub after_seq: i64,
}

/// Everything the journal knows of a run.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunExport {
    /// Version of this layout.
    pub zeroerr_export: u32,
    /// The line of the list.
    pub run: RunLine,
    /// What it began from; journals of the first version did not say.
    pub origin: Option<Origin>,
    /// Who worked on it when.
    pub sessions: Vec<Session>,
    /// Its records, in order.
    pub records: Vec<Entry>,
    /// How it ended, when it has.
    pub report: Option<RunReport>,
    /// Its edits that were accepted.
    pub certificates: Vec<Acceptance>,
}

impl RunExport {
    /// The steps with their votes: from the report, or, while there is none, from the records.
    pub fn steps(&self) -> Vec<StepReport> {
        if let Some(report) = self.report.as_ref().filter(|r| !r.steps.is_empty()) {
            return report.steps.clone();
        }
        let records: Vec<Record> =
            self.records.iter().filter_map(|e| serde_json::from_value(e.record.clone()).ok()).collect();
        let mut turns: BTreeSet<Turn> = BTreeSet::new();
        let mut steps: Vec<String> = Vec::new();
        for record in &records {
            if let Record::Sample { step, .. } = record {
                let turn = Turn::of_label(step);
                if !steps.contains(&turn.step) {
                    steps.push(turn.step.clone());
                }
                turns.insert(turn);
            }
        }
        let is_alone = steps.iter().filter(|name| !is_plan_vote(name)).count() == 1;
        let report = |turn: &Turn| {
            let machine = machine_of(self.origin.as_ref(), &turn.label(), records.iter(), is_alone);
            counted(machine, turn, &records)
        };
        steps.iter().filter_map(|step| with_cost_of_all(turns.iter().filter(|t| t.step == *step).map(report))).collect()
    }
}

const LINE: &str = "select id, file, function, started_ms, ended_ms, status,
    (select count(*) from records where run_id = id and record like '{\"sample\":%') from runs";

impl Journal {
    /// The newest runs, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub fn list(&self, limit: u32) -> Result<Vec<RunLine>, JournalError> {
        let connection = self.connection();
        let mut query = connection.prepare_cached(&format!("{LINE} order by started_ms desc, id limit ?1"))?;
        let rows = query.query_map(params![limit], |row| self.line(row))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn line(&self, row: &Row<'_>) -> rusqlite::Result<RunLine> {
        let (id, mut status): (String, String) = (row.get(0)?, row.get(5)?);
        if status == "unfinished" && Lease::is_held(&self.folder, &id) {
            status = "running".to_owned();
        }
        Ok(RunLine {
            id,
            file: row.get(1)?,
            function: row.get(2)?,
            started_ms: row.get(3)?,
            ended_ms: row.get(4)?,
            status,
            samples: row.get(6)?,
        })
    }

    /// The run that `name` means: its id, the beginning of one, or `last` for the newest.
    ///
    /// # Errors
    /// When there is none or there are several; when the store fails.
    pub fn find(&self, name: &str) -> Result<RunLine, JournalError> {
        if name == "last" {
            return self.list(1)?.pop().ok_or_else(|| JournalError::NoSuchRun(name.to_owned()));
        }
        let connection = self.connection();
        let mut query = connection.prepare_cached(&format!(
            "{LINE} where substr(id, 1, length(?1)) = ?1 order by id = ?1 desc, id limit 2"
        ))?;
        let mut found =
            query.query_map(params![name], |row| self.line(row))?.collect::<Result<Vec<RunLine>, _>>()?.into_iter();
        match (found.next().filter(|_| !name.is_empty()), found.next()) {
            (None, _) => Err(JournalError::NoSuchRun(name.to_owned())),
            (Some(one), Some(_)) if one.id != name => Err(JournalError::Ambiguous(name.to_owned())),
            (Some(one), _) => Ok(one),
        }
    }

    /// What a run began from.
    ///
    /// # Errors
    /// When the store fails or the run was journaled by another version.
    pub fn origin(&self, id: &str) -> Result<Option<Origin>, JournalError> {
        let text: Option<Option<String>> = self
            .connection()
            .query_row("select origin from runs where id = ?1", params![id], |row| row.get(0))
            .optional()?;
        text.flatten().map(|t| parsed(&t, || format!("what run {id} began from"))).transpose()
    }

    /// The newest runs of a function that have come to a decision, and what they began from, newest first.
    /// Those of another version are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub fn decided(&self, file: &str, function: &str, limit: u32) -> Result<Vec<(String, Origin)>, JournalError> {
        let connection = self.connection();
        let mut query = connection.prepare_cached(
            "select id, origin from runs where file = ?1 and function = ?2 and origin is not null and status in ('verified', 'abstained')
             order by started_ms desc, id desc limit ?3",
        )?;
        let rows =
            query.query_map(params![file, function, limit], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
        let rows: Vec<(String, String)> = rows.collect::<Result<_, _>>()?;
        Ok(rows.into_iter().filter_map(|(id, text)| Some((id, serde_json::from_str(&text).ok()?))).collect())
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
        text.flatten().map(|t| parsed(&t, || format!("the report of run {id}"))).transpose()
    }

    /// Everything of the run that `name` means.
    ///
    /// # Errors
    /// As [`Journal::find`], or when the run was journaled by another version.
    pub fn export(&self, name: &str) -> Result<RunExport, JournalError> {
        let run = self.find(name)?;
        let id = run.id.clone();
        Ok(RunExport {
            zeroerr_export: 1,
            run,
            origin: self.origin(&id)?,
            sessions: self.sessions(&id)?,
            records: self.entries(&id)?,
            report: self.report(&id)?,
            certificates: self.certificates_from(&id)?,
        })
    }

    fn sessions(&self, id: &str) -> Result<Vec<Session>, JournalError> {
        let connection = self.connection();
        let mut query =
            connection.prepare_cached("select at_ms, after_seq from sessions where run_id = ?1 order by rowid")?;
        let rows = query.query_map(params![id], |row| Ok(Session { at_ms: row.get(0)?, after_seq: row.get(1)? }))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    fn entries(&self, id: &str) -> Result<Vec<Entry>, JournalError> {
        let connection = self.connection();
        let mut query =
            connection.prepare_cached("select seq, at_ms, record from records where run_id = ?1 order by seq")?;
        let rows = query.query_map(params![id], |row| Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?)))?;
        rows.map(|row| {
            let (seq, at_ms, text) = row?;
            Ok(Entry { seq, at_ms, record: parsed(&text, || format!("record {seq} of run {id}"))? })
        })
        .collect()
    }
}
