//! The scratch folder: who owns it, and how much is in it.

use std::fs;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::Path;

/// A folder entry counts at least this much, so that a flood of empty files is seen too.
const ENTRY: u64 = 4096;

/// Gives the tree below `root` to `uid`; symbolic links are changed themselves, never followed.
///
/// Only called while no job runs in it that could put a link in the place of a folder: before one is started,
/// before one that was held is told what it is for, and after its end. A file with a second name may live outside, so it is left
/// alone.
pub(crate) fn give(root: &Path, uid: u32) {
    each(root, &mut |path, meta| {
        let elsewhere = !meta.is_dir() && meta.nlink() > 1;
        if !elsewhere && (meta.uid() != uid || meta.gid() != uid) {
            let _ = lchown(path, Some(uid), Some(uid));
        }
    });
}

/// Bytes that the tree below `root` occupies.
pub(crate) fn size(root: &Path) -> u64 {
    let mut total: u64 = 0;
    each(root, &mut |_, meta| {
        total = total.saturating_add(ENTRY.max(meta.blocks().saturating_mul(512)));
    });
    total
}

/// Visits `root` and everything below it, without following links; what vanishes is skipped.
fn each(root: &Path, visit: &mut impl FnMut(&Path, &fs::Metadata)) {
    let mut open = vec![root.to_path_buf()];
    while let Some(path) = open.pop() {
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        visit(&path, &meta);
        if meta.is_dir() {
            open.extend(fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn size_counts_empty_files_and_does_not_follow_links() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            fs::write(dir.path().join(name), "").unwrap();
        }
        std::os::unix::fs::symlink("/usr", dir.path().join("link")).unwrap();
        assert_eq!(size(dir.path()), 4 * ENTRY);
    }
}
