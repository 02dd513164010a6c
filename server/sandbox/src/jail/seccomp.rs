//! System calls that no verified program needs and every escape does.

use std::collections::BTreeMap;
use std::io;

use libc::{c_long, c_ulong};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

/// Refused with EPERM. Sockets: the network namespace has no way out, but a Unix socket in a
/// readable folder would be one, so only `socketpair` is left.
const REFUSED: &[c_long] = &[
    // Talking to others.
    libc::SYS_socket,
    libc::SYS_connect,
    libc::SYS_bind,
    libc::SYS_listen,
    // Looking into other processes.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    libc::SYS_perf_event_open,
    // Namespaces and mounts.
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    libc::SYS_open_by_handle_at,
    // Kernel surface with a long list of holes.
    libc::SYS_bpf,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_fanotify_init,
    libc::SYS_vmsplice,
    // Memory that no process owns and no limit counts.
    libc::SYS_shmget,
    libc::SYS_memfd_secret,
    // The machine.
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_reboot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_kexec_file_load,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
];

/// Namespace flags of `clone`.
const NEW_NAMESPACES: [i32; 7] = [
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWUTS,
    libc::CLONE_NEWCGROUP,
];

/// Puts the filters on this process and all it will start.
///
/// # Errors
/// When the kernel has no seccomp filters.
pub(super) fn apply() -> io::Result<()> {
    for program in programs()? {
        apply_filter(&program).map_err(io::Error::other)?;
    }
    Ok(())
}

/// The filters, to be put on in this order.
///
/// # Errors
/// When they cannot be written for this machine.
pub(crate) fn programs() -> io::Result<[BpfProgram; 2]> {
    let other = |error: seccompiler::Error| io::Error::other(error);
    // The flags of `clone3` are in memory, out of a filter's sight; `ENOSYS` makes libc use `clone`.
    let clone3 = BTreeMap::from([(libc::SYS_clone3, Vec::new())]);
    Ok([refusals().map_err(other)?, compile(clone3, libc::ENOSYS).map_err(other)?])
}

fn refusals() -> Result<BpfProgram, seccompiler::Error> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> = REFUSED.iter().map(|call| (*call, Vec::new())).collect();
    let clone = NEW_NAMESPACES.iter().map(|flag| {
        let flag = u64::from(flag.unsigned_abs());
        when(0, SeccompCmpOp::MaskedEq(flag), flag)
    });
    rules.insert(libc::SYS_clone, clone.collect::<Result<_, _>>()?);
    let inject = [libc::TIOCSTI, libc::TIOCLINUX].map(|request: c_ulong| when(1, SeccompCmpOp::Eq, request));
    rules.insert(libc::SYS_ioctl, inject.into_iter().collect::<Result<_, _>>()?);
    // SOCK_STREAM pairs between own processes; any other family of pair is refused.
    rules.insert(libc::SYS_socketpair, vec![when(0, SeccompCmpOp::Ne, u64::from(libc::AF_UNIX.unsigned_abs()))?]);
    let mut program = compile(rules, libc::EPERM)?;
    if cfg!(target_arch = "x86_64") {
        program.splice(0..0, refuse_x32());
    }
    Ok(program)
}

fn when(arg: u8, op: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::Error> {
    let condition = SeccompCondition::new(arg, SeccompCmpArgLen::Dword, op, value)?;
    Ok(SeccompRule::new(vec![condition])?)
}

fn compile(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> Result<BpfProgram, seccompiler::Error> {
    let refuse = SeccompAction::Errno(errno.unsigned_abs());
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, refuse, std::env::consts::ARCH.try_into()?)?;
    Ok(filter.try_into()?)
}

/// The x32 calls have other numbers under the same architecture, so a list of numbers misses them:
/// every number with the x32 bit is refused.
fn refuse_x32() -> [seccompiler::sock_filter; 3] {
    const X32_BIT: u32 = 0x4000_0000;
    let statement = |code: u32, jt, jf, k| seccompiler::sock_filter { code: code as u16, jt, jf, k };
    [
        statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        statement(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, X32_BIT),
        statement(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs()),
    ]
}
