//! Control groups, version 1 and 2, for the limits that hold for a tree as one: memory and tasks.
//!
//! Our group is made below the group we are in, so that limits set on us go on to hold. Where that
//! cannot be written, the job runs without and its tree is sampled instead.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::Limits;

/// The supervisor's own tasks inside the group: bubblewrap, pid 1 and its sampler thread.
const OWN_TASKS: u64 = 3;

/// Memory that bubblewrap and pid 1 need beside the job.
const OWN_MEMORY: u64 = 16 << 20;

/// One group of one controller (version 1) or of several (version 2).
#[derive(Debug)]
struct Group {
    dir: PathBuf,
    v2: bool,
    memory: bool,
    pids: bool,
}

/// The groups of one job; removed when dropped.
#[derive(Debug, Default)]
pub(crate) struct Groups(Vec<Group>);

impl Groups {
    /// Makes groups, without limits yet, wherever the kernel and our rights allow it.
    pub(crate) fn create() -> Self {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let mut groups = Self::default();
        for parent in parents(&own, &mounts) {
            sweep(&parent.dir);
            let missing = Group {
                memory: parent.memory && !groups.has_memory(),
                pids: parent.pids && !groups.has_pids(),
                ..parent
            };
            if missing.memory || missing.pids {
                groups.0.extend(missing.child());
            }
        }
        groups
    }

    /// Moves this process into the groups.
    pub(crate) fn enter(&self) -> io::Result<()> {
        self.0.iter().try_for_each(|group| set(&group.dir.join("cgroup.procs"), "0"))
    }

    /// Sets the limits of a job.
    pub(crate) fn limit(&self, limits: &Limits) -> io::Result<()> {
        self.0.iter().try_for_each(|group| group.limit(limits))
    }

    /// No longer relies on the groups; they are still removed.
    pub(crate) fn give_up(&mut self) {
        for group in &mut self.0 {
            (group.memory, group.pids) = (false, false);
        }
    }

    /// Whether memory is held for the tree as one.
    pub(crate) fn has_memory(&self) -> bool {
        self.0.iter().any(|group| group.memory)
    }

    /// Whether tasks are counted for the tree as one.
    pub(crate) fn has_pids(&self) -> bool {
        self.0.iter().any(|group| group.pids)
    }

    /// Whether the kernel killed a process of the job for lack of memory.
    pub(crate) fn out_of_memory(&self) -> bool {
        self.0
            .iter()
            .filter(|group| group.memory)
            .any(|group| group.event(if group.v2 { "memory.events" } else { "memory.oom_control" }, "oom_kill ") > 0)
    }

    /// Whether the kernel refused the job another task.
    pub(crate) fn out_of_tasks(&self) -> bool {
        self.0.iter().filter(|group| group.pids).any(|group| group.event("pids.events", "max ") > 0)
    }

    /// Names for `describe`.
    pub(crate) fn names(&self) -> Vec<String> {
        let version = |group: &Group| if group.v2 { "v2" } else { "v1" };
        let name = |what: &str, group: &Group| format!("cgroup {} {what}", version(group));
        let memory = self.0.iter().filter(|group| group.memory).map(|group| name("memory", group));
        let pids = self.0.iter().filter(|group| group.pids).map(|group| name("pids", group));
        memory.chain(pids).collect()
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        for group in &self.0 {
            // The last dead task may leave the group a moment after it was reaped.
            for _ in 0..200 {
                match fs::remove_dir(&group.dir) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    _ => break,
                }
            }
        }
    }
}

impl Group {
    /// Makes a group below this one; `None` where it is not ours to make or holds nothing.
    fn child(&self) -> Option<Self> {
        let dir = self.dir.join(format!("zeroerr-{}", std::process::id()));
        fs::create_dir(&dir).ok()?;
        let writable = |file: &str| fs::OpenOptions::new().write(true).open(dir.join(file)).is_ok();
        let memory = self.memory && writable(if self.v2 { "memory.max" } else { "memory.limit_in_bytes" });
        let pids = self.pids && writable("pids.max");
        if memory || pids {
            return Some(Self { dir, v2: self.v2, memory, pids });
        }
        let _ = fs::remove_dir(&dir);
        None
    }

    fn limit(&self, limits: &Limits) -> io::Result<()> {
        if self.pids {
            set(&self.dir.join("pids.max"), &limits.processes.saturating_add(OWN_TASKS).to_string())?;
        }
        if self.memory {
            let bytes = limits.memory.saturating_add(OWN_MEMORY).to_string();
            let (memory, swap) = if self.v2 {
                ("memory.max", ("memory.swap.max", "0"))
            } else {
                ("memory.limit_in_bytes", ("memory.memsw.limit_in_bytes", bytes.as_str()))
            };
            set(&self.dir.join(memory), &bytes)?;
            // Absent where the kernel does not account for swap.
            let _ = set(&self.dir.join(swap.0), swap.1);
        }
        Ok(())
    }

    fn event(&self, file: &str, key: &str) -> u64 {
        let text = fs::read_to_string(self.dir.join(file)).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix(key)?.trim().parse().ok()).unwrap_or(0)
    }
}

/// Writes to a control file that must already be there: a folder that is no cgroup gets no files.
fn set(file: &Path, value: &str) -> io::Result<()> {
    fs::OpenOptions::new().write(true).open(file)?.write_all(value.as_bytes())
}

/// The groups below which ours may be made, best first.
fn parents(own: &str, mounts: &str) -> Vec<Group> {
    let mut found = Vec::new();
    for line in own.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(_), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next()) else { continue };
        let v2 = controllers.is_empty();
        let has = |name: &str| v2 || controllers.split(',').any(|controller| controller == name);
        let (memory, pids) = (has("memory"), has("pids"));
        if !memory && !pids {
            continue;
        }
        let Some(dir) = mounted(mounts, controllers, path) else { continue };
        if v2 {
            // A group with processes cannot hand out controllers (version 2), so ours is usually a
            // sibling: the parent of a delegated session is where that works.
            let parent = dir.parent().filter(|_| path != "/");
            found.extend(parent.map(|parent| Group { dir: parent.to_path_buf(), v2, memory, pids }));
        }
        found.push(Group { dir, v2, memory, pids });
    }
    found
}

/// Where a cgroup path is seen in the file system.
fn mounted(mounts: &str, controllers: &str, path: &str) -> Option<PathBuf> {
    for line in mounts.lines() {
        let (left, right) = line.split_once(" - ")?;
        let left: Vec<&str> = left.split(' ').collect();
        let right: Vec<&str> = right.split(' ').collect();
        let (Some(root), Some(point), Some(kind)) = (left.get(3), left.get(4), right.first()) else { continue };
        let ours = if controllers.is_empty() {
            *kind == "cgroup2"
        } else {
            let options = right.get(2).copied().unwrap_or_default();
            *kind == "cgroup" && controllers.split(',').all(|name| options.split(',').any(|option| option == name))
        };
        let below = path.strip_prefix(root.trim_end_matches('/'));
        if let (true, Some(below)) = (ours, below) {
            return Some(Path::new(point).join(below.trim_start_matches('/')));
        }
    }
    None
}

/// Removes groups whose supervisor was killed before it could clean up.
fn sweep(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix("zeroerr-")).and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            // Fails, as it should, while a process is left in it.
            let _ = fs::remove_dir(entry.path());
        }
    }
}

#[cfg(test)]
impl Groups {
    /// A group of version 2 that is only files, for tests of what is read from it.
    pub(crate) fn pretend(dir: &Path) -> Self {
        Self(vec![Group { dir: dir.to_path_buf(), v2: true, memory: true, pids: true }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn check(own: &str, mounts: &str, want: &expect_test::Expect) {
        let found: Vec<String> = parents(own, mounts)
            .iter()
            .map(|group| format!("{} v2={} memory={} pids={}", group.dir.display(), group.v2, group.memory, group.pids))
            .collect();
        want.assert_eq(&found.join("\n"));
    }

    #[test]
    fn version_1_controllers_are_found_where_they_are_mounted() {
        check(
            "8:pids:/\n4:memory:/box/a\n1:cpu,cpuacct:/\n0::/",
            "30 25 0:26 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n\
             31 25 0:27 /box /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory",
            &expect![[r#"
                /sys/fs/cgroup/pids/ v2=false memory=false pids=true
                /sys/fs/cgroup/memory/a v2=false memory=true pids=false"#]],
        );
    }

    #[test]
    fn in_version_2_a_sibling_is_tried_before_a_child() {
        check(
            "0::/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope",
            "30 25 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw",
            &expect![[r#"
                /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice v2=true memory=true pids=true
                /sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope v2=true memory=true pids=true"#]],
        );
    }

    #[test]
    fn groups_are_gone_when_dropped() {
        let groups = Groups::create();
        let dirs: Vec<PathBuf> = groups.0.iter().map(|group| group.dir.clone()).collect();
        assert!(dirs.iter().all(|dir| dir.exists()));
        drop(groups);
        assert!(dirs.iter().all(|dir| !dir.exists()), "{dirs:?}");
    }

    #[test]
    fn nothing_mounted_gives_nothing() {
        check("0::/", "30 25 0:26 / / rw - ext4 /dev/vda rw", &expect![""]);
    }
}
