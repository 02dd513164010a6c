//! Which processes a test started, so that none outlives it unseen.
//!
//! Parents are read from `/proc` again and again while the editor runs: a process that has lost its
//! parent since is still known by its id and start time.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A process: its id, and its start time, since ids are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    id: u32,
    started: u64,
}

/// Everything that descends from one process, as far as it was ever seen.
#[derive(Debug)]
pub struct Family {
    root: u32,
    seen: BTreeMap<Process, String>,
}

impl Family {
    /// The family of `root`.
    pub fn of(root: u32) -> Self {
        Self { root, seen: BTreeMap::new() }
    }

    /// Looks again. Children of members that are known already count, whoever their parent is now.
    pub fn look(&mut self) {
        let all = processes();
        let mut members: Vec<u32> = vec![self.root];
        members.extend(self.seen.keys().filter(|p| all.iter().any(|q| q.process == **p)).map(|p| p.id));
        let mut at = 0;
        while let Some(parent) = members.get(at).copied() {
            at += 1;
            for child in all.iter().filter(|p| p.parent == parent) {
                if !members.contains(&child.process.id) {
                    members.push(child.process.id);
                }
            }
        }
        for row in all.into_iter().filter(|p| members.contains(&p.process.id)) {
            self.seen.insert(row.process, row.name);
        }
    }

    /// Members that are alive now, with their names. Zombies are dead.
    pub fn alive(&self) -> Vec<String> {
        self.living().map(|(p, name)| format!("{name} ({})", p.id)).collect()
    }

    /// Waits until nobody is left; the survivors after `patience`.
    pub fn wait_for_end(&self, patience: Duration) -> Vec<String> {
        let end = Instant::now() + patience;
        loop {
            let alive = self.alive();
            if alive.is_empty() || Instant::now() > end {
                return alive;
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Kills whoever is left.
    pub fn kill(&mut self) {
        self.look();
        let ids: Vec<String> = self.living().map(|(p, _)| p.id.to_string()).collect();
        if !ids.is_empty() {
            drop(Command::new("kill").arg("-9").args(ids).status());
        }
    }

    fn living(&self) -> impl Iterator<Item = (&Process, &String)> {
        let all = processes();
        self.seen.iter().filter(move |(p, _)| all.iter().any(|q| q.process == **p && q.state != 'Z'))
    }
}

impl Drop for Family {
    fn drop(&mut self) {
        self.kill();
    }
}

struct Row {
    process: Process,
    parent: u32,
    state: char,
    name: String,
}

fn processes() -> Vec<Row> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| row(entry.file_name().to_str()?.parse().ok()?)).collect()
}

/// `/proc/ID/stat`: the name stands in parentheses and may hold anything, so the rest is read from
/// the last one on. Field 3 is the state, 4 the parent, 22 the start time in ticks (proc(5)).
fn row(id: u32) -> Option<Row> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(Row {
        process: Process { id, started: fields.get(19)?.parse().ok()? },
        parent: fields.get(1)?.parse().ok()?,
        state: fields.first()?.chars().next()?,
        name: name.to_owned(),
    })
}
