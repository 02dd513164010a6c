//! What pid 1 does for a nursery before it starts it.

use std::io;

/// Version of the capability interface, and the two capabilities that pid 1 keeps.
const VERSION: u32 = 0x2008_0522;
const KEPT: u32 = 1 << 6 | 1 << 7;

/// Mounts a `/proc` that nothing is laid over, and gives up the right to mount.
///
/// Bubblewrap covers parts of `/proc` with read-only views of themselves when it runs as root; the kernel
/// lets nobody below mount a `/proc` of their own then, and every job of a nursery has one. What the
/// cover protects is writable by root alone, which no job is.
#[expect(unsafe_code, reason = "mount has no safe wrapper here")]
pub(super) fn uncover_proc() -> io::Result<()> {
    let flags = libc::MS_NOSUID | libc::MS_NODEV | libc::MS_NOEXEC;
    // SAFETY: three texts that end in nul, and no data.
    let result = unsafe { libc::mount(c"proc".as_ptr(), c"/proc".as_ptr(), c"proc".as_ptr(), flags, std::ptr::null()) };
    if result == 0 { keep_capabilities() } else { Err(io::Error::last_os_error()) }
}

#[expect(unsafe_code, reason = "capset has no safe wrapper")]
fn keep_capabilities() -> io::Result<()> {
    let header: [u32; 2] = [VERSION, 0];
    // Effective, permitted, inheritable: the low words, then the high ones.
    let sets: [u32; 6] = [KEPT, KEPT, 0, 0, 0, 0];
    // SAFETY: both point to as many words as this version of the interface reads.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), sets.as_ptr()) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}
