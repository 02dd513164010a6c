//! The tables of the journal, and how a journal of an older version becomes one of this.

use rusqlite::{Connection, TransactionBehavior};

/// Each entry takes the file from the version of its index to the next. Entries are never changed:
/// journals that went through them exist.
const MIGRATIONS: &[&str] = &[
    // 0 -> 1: `if not exists`, because the first journals carried no version.
    "
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
",
    // 1 -> 2: when things happened, what a run began from, who works on it, what was accepted.
    "
alter table runs add column ended_ms integer;
alter table runs add column origin text;
create index runs_by_start on runs (started_ms);
alter table records add column at_ms integer;
alter table records add column step text;
create index records_by_step on records (run_id, step);
create table sessions (
    run_id text not null references runs (id),
    at_ms integer not null,
    after_seq integer not null
);
create index sessions_by_run on sessions (run_id);
create table certificates (
    id integer primary key,
    run_id text not null,
    file text not null,
    function text not null,
    spec_hash text not null,
    code_hash text not null,
    accepted_ms integer not null,
    acceptance text not null,
    unique (run_id, file, function, code_hash)
);
create index certificates_by_file on certificates (file, function);
create index certificates_by_code on certificates (code_hash, spec_hash);
",
    // 2 -> 3: breakers that have opened, for `doctor`.
    "
create table breakers (
    kind text not null,
    name text not null,
    open_until_ms integer,
    last_error text not null,
    at_ms integer not null,
    primary key (kind, name)
) without rowid;
",
];

/// Brings the tables up to date. Several processes may open one journal at the same moment: one of
/// them does the work, the others wait for it.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), super::JournalError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: usize = transaction.query_row("pragma user_version", [], |row| row.get(0))?;
    if version > MIGRATIONS.len() {
        return Err(super::JournalError::Newer);
    }
    for migration in MIGRATIONS.iter().skip(version) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "user_version", MIGRATIONS.len())?;
    transaction.commit()?;
    Ok(())
}
