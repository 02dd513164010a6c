//! Who works on a run: a lock on a file that the system takes away with the process, so that a
//! killed run can be taken up at once and a living one cannot be taken up twice.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Who asks whether a lease is held ([`Lease::is_held`]) holds it for a moment.
const LOOK: Duration = Duration::from_millis(5);
const LOOKS: u32 = 4;

/// Held while a run is worked on.
#[derive(Debug)]
pub struct Lease {
    _file: File,
}

impl Lease {
    /// Takes the lease, or `None` while another holder lives, here or in another process.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(super) fn take(folder: &Path, run: &str) -> std::io::Result<Option<Self>> {
        std::fs::create_dir_all(folder.join("locks"))?;
        let file = File::options().create(true).truncate(false).write(true).open(path(folder, run))?;
        for _ in 0..LOOKS {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self { _file: file })),
                Err(TryLockError::WouldBlock) => std::thread::sleep(LOOK),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Ok(None)
    }

    /// Whether somebody holds it.
    pub(super) fn is_held(folder: &Path, run: &str) -> bool {
        File::open(path(folder, run)).is_ok_and(|f| matches!(f.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Removes the file of a run that has ended. Whoever opened it before and locks it now finds that
    /// out: the status is looked at again once the lease is held.
    pub(super) fn forget(folder: &Path, run: &str) {
        let _ = std::fs::remove_file(path(folder, run));
    }
}

fn path(folder: &Path, run: &str) -> PathBuf {
    folder.join("locks").join(format!("{run}.lock"))
}
