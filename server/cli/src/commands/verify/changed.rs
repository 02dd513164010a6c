//! What of a file differs from a commit of git.
//!
//! git is asked for what the commit has and compares nothing itself: for that it would start what the repository's
//! configuration names (a file system monitor, clean filters, drivers), and a repository may be anybody's.

use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use similar::{Algorithm, DiffOp, capture_diff_slices};
use zeroerr_sandbox::trusted;

use crate::exit::CliError;
use crate::files;

/// Changed lines of one file.
#[derive(Debug, PartialEq, Eq)]
pub enum Changed {
    /// The file is not known to git: all of it.
    Everything,
    /// Some of it.
    Since {
        /// What it was.
        before: Arc<str>,
        /// The runs of lines that differ (1-based, both ends included).
        runs: Vec<(usize, usize)>,
    },
}

impl Changed {
    /// Whether any of the lines `first` to `last` changed.
    pub fn touch(&self, first: usize, last: usize) -> bool {
        match self {
            Self::Everything => true,
            Self::Since { runs, .. } => runs.iter().any(|&(from, to)| from <= last && first <= to),
        }
    }
}

/// What of a file's text differs from `revision`.
///
/// # Errors
/// No git, a file outside any repository, or no such commit.
pub async fn since_commit(path: &Path, text: &str, revision: &str) -> Result<Changed, CliError> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default();
    let known = git(folder, &["ls-files".as_ref(), "--error-unmatch".as_ref(), "--".as_ref(), name]).await?;
    if known.code != 0 {
        let inside = git(folder, &["rev-parse".as_ref(), "--is-inside-work-tree".as_ref()]).await?;
        return if inside.code == 0 {
            Ok(Changed::Everything)
        } else {
            Err(CliError::usage(format!(
                "{}: is in no git repository, so --changed has nothing to compare with",
                path.display()
            )))
        };
    }
    let Some(mut place) = commit(folder, revision).await?.map(OsString::from) else {
        // Without a first commit there is no HEAD.
        return if revision == "HEAD" {
            Ok(Changed::Everything)
        } else {
            Err(CliError::usage(format!("{}: git knows no commit `{revision}`", folder.display())))
        };
    };
    place.push(":./");
    place.push(name);
    let before = git(folder, &["cat-file".as_ref(), "blob".as_ref(), &place]).await?;
    Ok(if before.code == 0 { since(&before.stdout, text) } else { Changed::Everything })
}

/// What changed from one text to another. A byte order mark is in git's and not in ours.
pub fn since(before: &str, now: &str) -> Changed {
    let before = files::unmarked(before);
    Changed::Since { before: before.into(), runs: differing(before, now) }
}

/// The full name of a commit, which no option can be mistaken for.
async fn commit(folder: &Path, revision: &str) -> Result<Option<String>, CliError> {
    let peeled = format!("{revision}^{{commit}}");
    let args = ["rev-parse", "--verify", "--quiet", "--end-of-options", &peeled].map(std::ffi::OsStr::new);
    let named = git(folder, &args).await?;
    let name = named.stdout.trim().to_owned();
    Ok((named.code == 0 && !name.is_empty()).then_some(name))
}

async fn git(folder: &Path, args: &[&std::ffi::OsStr]) -> Result<trusted::TrustedOutput, CliError> {
    // A file may be called `:(exclude)x`; nothing is started, and nothing fetched that a partial clone lacks.
    let ours = ["--literal-pathspecs", "-c", "core.fsmonitor=false"].map(OsString::from);
    let args: Vec<OsString> = ours.into_iter().chain(args.iter().map(|a| (*a).to_owned())).collect();
    let env = [("GIT_NO_LAZY_FETCH".into(), "1".into()), ("GIT_OPTIONAL_LOCKS".into(), "0".into())];
    trusted::run(Path::new("git"), &args, &env, Some(folder), Duration::from_secs(60), |_, _| {})
        .await
        .map_err(|e| CliError::machine(e.to_string()))
}

/// Runs of lines that are not as they were, however they end. A pure deletion touches the lines around it.
fn differing(before: &str, after: &str) -> Vec<(usize, usize)> {
    let (before, after): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let changes = capture_diff_slices(Algorithm::Myers, &before, &after);
    let one = |change: &DiffOp| match *change {
        DiffOp::Equal { .. } => None,
        DiffOp::Delete { new_index, .. } => Some((new_index, new_index + 1)),
        DiffOp::Insert { new_index, new_len, .. } | DiffOp::Replace { new_index, new_len, .. } => {
            Some((new_index + 1, new_index + new_len))
        }
    };
    changes.iter().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_give_line_runs() {
        assert_eq!(differing("a\nb\nc\nd\ne\n", "a\r\nx\r\ny\r\nc\r\ne\r\nf"), [(2, 3), (4, 5), (6, 6)]);
        assert_eq!(differing("a\nb\n", "b\n"), [(0, 1)]);
        assert_eq!(since("\u{feff}a\n", "a\n"), Changed::Since { before: "a\n".into(), runs: vec![] });
        let changed = Changed::Since { before: "".into(), runs: vec![(3, 6)] };
        assert!(changed.touch(6, 9) && changed.touch(1, 3) && !changed.touch(7, 9) && !changed.touch(1, 2));
    }
}
