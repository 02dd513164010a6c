//! Work that nobody waits for with a finger on a key gives way to work that somebody does.

/// How much: under a full load a thread of this niceness gets a third of what the others get.
#[cfg(target_os = "linux")]
const NICENESS: libc::c_int = 5;

/// Lets this thread give way to every other one of the user, and with it each thread and process that it
/// starts. Elsewhere than on Linux, where a process has one priority for all of its threads, it does nothing.
#[cfg_attr(
    target_os = "linux",
    expect(unsafe_code, reason = "setpriority has no safe wrapper that is compiled in already")
)]
pub fn give_way() {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: a system call on three numbers; 0 is the calling thread.
        let result = unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, NICENESS) };
        if result != 0 {
            // Only a user who started the editor with a higher niceness still gets here, and has what is wanted.
            tracing::debug!("the niceness stays as it is: {}", std::io::Error::last_os_error());
        }
    }
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;

    fn niceness_of_a_child() -> i32 {
        let out = std::process::Command::new("nice").output().unwrap();
        String::from_utf8(out.stdout).unwrap().trim().parse().unwrap()
    }

    #[test]
    fn what_a_thread_in_the_background_starts_gives_way_and_nothing_else_does() {
        let before = niceness_of_a_child();
        let behind = std::thread::spawn(|| {
            give_way();
            std::thread::spawn(niceness_of_a_child).join().unwrap()
        });
        assert_eq!(behind.join().unwrap(), before.max(NICENESS));
        assert_eq!(niceness_of_a_child(), before);
    }
}
