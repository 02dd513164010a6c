//! Limits and rights that a process takes from itself.

use std::ffi::OsStr;
use std::io;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope, path_beneath_rules,
};
use nix::sys::resource::{Resource, setrlimit};
use nix::unistd::{Gid, Uid, setgroups, setresgid, setresuid};

use crate::Limits;
use crate::wire::{HELPER_INSIDE, Plan, Shape};

/// The newest Landlock rules that these rights were written for; older kernels take what they know.
const ABI_KNOWN: ABI = ABI::V6;

/// Room above the limit on processes, so that the count is passed and seen, not only reached.
const SPARE_TASKS: u64 = 8;

/// What every job may read.
const SYSTEM: [&str; 11] =
    ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/nix/store", "/etc", "/proc", HELPER_INSIDE];

/// What every job may write, beside its scratch folder.
const WRITABLE: [&str; 2] = ["/tmp", "/dev/shm"];

/// Devices: may be used, not replaced.
const DEVICES: [&str; 5] = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"];

/// Becomes an unprivileged user and group without any other group.
pub(super) fn drop_root(id: u32) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(id), Gid::from_raw(id));
    setgroups(&[])?;
    setresgid(gid, gid, gid)?;
    setresuid(uid, uid, uid)?;
    if nix::unistd::setuid(Uid::from_raw(0)).is_ok() {
        return Err(io::Error::other("root came back"));
    }
    Ok(())
}

/// Makes the job the first to go when memory runs out, before pid 1 and before the server.
pub(super) fn offer_to_oom_killer() {
    // Best effort: it decides who is killed first, not whether.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Limits for each process.
pub(super) fn set_rlimits(plan: &Plan) -> io::Result<()> {
    for (resource, _, soft, hard) in rlimits(&plan.limits) {
        // A nursery lives longer than any job, and each job starts to count anew.
        if plan.nursery && resource == Resource::RLIMIT_CPU {
            continue;
        }
        lower(resource, soft, hard)?;
    }
    if plan.shape != Shape::Plain {
        let tasks = limits_tasks(&plan.limits) + plan.foreign_tasks;
        lower(Resource::RLIMIT_NPROC, tasks, tasks)?;
    }
    Ok(())
}

fn lower(resource: Resource, soft: u64, hard: u64) -> io::Result<()> {
    let (_, now) = nix::sys::resource::getrlimit(resource)?;
    setrlimit(resource, soft.min(now), hard.min(now)).map_err(io::Error::from)
}

/// The most tasks that the kernel lets a job have.
pub(crate) fn limits_tasks(limits: &Limits) -> u64 {
    limits.processes + SPARE_TASKS
}

/// Limits for each process but that on tasks: which, its name, soft, hard.
pub(crate) fn rlimits(limits: &Limits) -> [(Resource, &'static str, u64, u64); 8] {
    let cpu = limits.cpu.as_secs() + u64::from(limits.cpu.subsec_nanos() > 0);
    [
        (Resource::RLIMIT_CORE, "RLIMIT_CORE", 0, 0),
        (Resource::RLIMIT_CPU, "RLIMIT_CPU", cpu, cpu + 1),
        // DATA counts what can be written; AS would also count what run-times like Node only reserve.
        (Resource::RLIMIT_DATA, "RLIMIT_DATA", limits.memory, limits.memory),
        (Resource::RLIMIT_FSIZE, "RLIMIT_FSIZE", limits.file_size, limits.file_size),
        (Resource::RLIMIT_NOFILE, "RLIMIT_NOFILE", limits.open_files, limits.open_files),
        (Resource::RLIMIT_STACK, "RLIMIT_STACK", 8 << 20, 8 << 20),
        (Resource::RLIMIT_MEMLOCK, "RLIMIT_MEMLOCK", 64 << 10, 64 << 10),
        (Resource::RLIMIT_MSGQUEUE, "RLIMIT_MSGQUEUE", 0, 0),
    ]
}

/// Every descriptor above stderr closes when the program starts.
#[expect(unsafe_code, reason = "close_range has no safe wrapper")]
pub(super) fn close_descriptors() -> io::Result<()> {
    // SAFETY: takes three integers; close-on-exec invalidates nothing that is in use.
    let result = unsafe { libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if result == 0 { Ok(()) } else { close_one_by_one() }
}

/// For kernels before 5.11.
#[expect(unsafe_code, reason = "the descriptors are known by number only")]
fn close_one_by_one() -> io::Result<()> {
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let Some(fd) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        if fd > 2 {
            // SAFETY: takes integers; a number that is not open gives EBADF.
            unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
    Ok(())
}

/// What a job may do with which paths, and with no other.
pub(crate) struct Rights<'a>(pub(crate) [(BitFlags<AccessFs>, Vec<&'a OsStr>); 4]);

impl<'a> Rights<'a> {
    /// For a job that may read and write these, beside what every job may.
    pub(crate) fn new(readable: impl Iterator<Item = &'a OsStr>, scratch: &'a OsStr) -> Self {
        let write = AccessFs::from_all(ABI_KNOWN) & !(AccessFs::MakeChar | AccessFs::MakeBlock);
        let own = |paths: &'static [&'static str]| paths.iter().map(|path| OsStr::new(*path));
        Self([
            (AccessFs::from_read(ABI_KNOWN), own(&SYSTEM).chain(readable).collect()),
            (write, own(&WRITABLE).chain([scratch]).collect()),
            (AccessFs::ReadFile | AccessFs::WriteFile, own(&DEVICES).collect()),
            (AccessFs::ReadDir.into(), vec![OsStr::new("/dev")]),
        ])
    }

    /// The kinds of access that need a right: files, network, and what leaves the job otherwise.
    pub(crate) fn handled() -> [u64; 3] {
        let (fs, net) = (AccessFs::from_all(ABI_KNOWN), AccessNet::from_all(ABI_KNOWN));
        [fs.bits(), net.bits(), Scope::from_all(ABI_KNOWN).bits()]
    }
}

/// Takes away every file and network right that the job was not given, as far as the kernel can.
///
/// # Errors
/// When a kernel that has Landlock refuses the rules.
pub(super) fn landlock(plan: &Plan) -> io::Result<RulesetStatus> {
    let rules = Rights::new(plan.readable.iter().map(AsRef::as_ref), plan.scratch.as_ref());
    let ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(ABI_KNOWN))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(ABI_KNOWN)))
        .and_then(|rules| rules.scope(Scope::from_all(ABI_KNOWN)))
        .and_then(|rules| rules.create());
    let all = rules.0.into_iter().fold(ruleset, |ruleset, (access, paths)| {
        ruleset.and_then(|rules| rules.add_rules(path_beneath_rules(paths, access)))
    });
    all.and_then(landlock::RulesetCreated::restrict_self).map(|status| status.ruleset).map_err(io::Error::other)
}
