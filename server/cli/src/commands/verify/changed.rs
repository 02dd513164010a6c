//! Which lines of a file differ from a commit of git.

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use zeroerr_sandbox::trusted;

use crate::exit::CliError;

/// Changed lines of one file.
#[derive(Debug, PartialEq, Eq)]
pub enum Changed {
    /// The file is not known to git: all of it.
    Everything,
    /// These runs of lines (1-based, both ends included).
    Lines(Vec<(usize, usize)>),
}

impl Changed {
    /// Whether any of the lines `first` to `last` changed.
    pub fn touch(&self, first: usize, last: usize) -> bool {
        match self {
            Self::Everything => true,
            Self::Lines(runs) => runs.iter().any(|&(from, to)| from <= last && first <= to),
        }
    }
}

/// Asks git what differs from `revision`.
///
/// # Errors
/// No git, a file outside any repository, or no such commit.
pub async fn lines(path: &Path, revision: &str) -> Result<Changed, CliError> {
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
    let Some(commit) = commit(folder, revision).await? else {
        // Without a first commit there is no HEAD.
        return if revision == "HEAD" {
            Ok(Changed::Everything)
        } else {
            Err(CliError::usage(format!("{}: git knows no commit `{revision}`", folder.display())))
        };
    };
    let args: [&std::ffi::OsStr; 8] = [
        "diff".as_ref(),
        "--no-color".as_ref(),
        "--no-ext-diff".as_ref(),
        "--no-textconv".as_ref(),
        "--unified=0".as_ref(),
        commit.as_ref(),
        "--".as_ref(),
        name,
    ];
    let diff = git(folder, &args).await?;
    Ok(if diff.code == 0 { Changed::Lines(hunks(&diff.stdout)) } else { Changed::Everything })
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
    // A file may be called `:(exclude)x`.
    let args: Vec<OsString> =
        std::iter::once("--literal-pathspecs".into()).chain(args.iter().map(|a| (*a).to_owned())).collect();
    trusted::run(Path::new("git"), &args, &[], Some(folder), Duration::from_secs(60), |_, _| {})
        .await
        .map_err(|e| CliError::machine(e.to_string()))
}

/// `@@ -1,2 +3,4 @@` says that lines 3 to 6 are new. A pure deletion touches the lines around it.
fn hunks(diff: &str) -> Vec<(usize, usize)> {
    let one = |line: &str| {
        let new = line.strip_prefix("@@ ")?.split(' ').nth(1)?.strip_prefix('+')?;
        let (start, count) = new.split_once(',').unwrap_or((new, "1"));
        let (start, count): (usize, usize) = (start.parse().ok()?, count.parse().ok()?);
        Some(if count == 0 { (start, start + 1) } else { (start, start + count - 1) })
    };
    diff.lines().filter_map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hunk_headers_give_line_runs() {
        assert_eq!(
            hunks("--- a\n+++ b\n@@ -1,2 +3,4 @@ def f\n+x\n@@ -9 +12 @@\n@@ -20,3 +22,0 @@\n"),
            [(3, 6), (12, 12), (22, 23)]
        );
        let changed = Changed::Lines(vec![(3, 6)]);
        assert!(changed.touch(6, 9) && changed.touch(1, 3) && !changed.touch(7, 9) && !changed.touch(1, 2));
    }
}
