//! Starts logging: for people on standard error, or one JSON object a line in a daily file.

use std::io::{self, Write};
use std::path::PathBuf;

use tracing_appender::non_blocking::{NonBlocking, WorkerGuard};
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::redact::redact;

/// Where to, and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogOptions {
    /// `tracing` filter, e.g. `warn` or `zeroerr_engine=debug,warn`. `ZEROERR_LOG` wins over it.
    pub filter: String,
    /// Folder of daily JSON files; `None` writes for people to standard error.
    pub folder: Option<PathBuf>,
    /// Daily files that are kept.
    pub keep_days: usize,
    /// Whether standard error understands colours.
    pub colour: bool,
}

/// Keeps the log flowing; what is buffered is written when it is dropped.
#[derive(Debug)]
pub struct LogGuard(#[expect(dead_code, reason = "held for its Drop, which flushes")] Option<WorkerGuard>);

/// Logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter is not understood.
    #[error(
        "`{filter}` is no log filter ({detail}); write for example `ZEROERR_LOG=info` or `ZEROERR_LOG=zeroerr_engine=debug`"
    )]
    Filter {
        /// The filter.
        filter: String,
        /// What the parser said.
        detail: String,
    },
    /// The folder cannot be written.
    #[error("cannot write logs to {folder}: {detail}; set ZEROERR_HOME to a folder that can be written")]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        detail: String,
    },
    /// Something else has set up logging in this process.
    #[error("logging was started twice")]
    Twice,
}

/// Starts logging for the whole process.
///
/// # Errors
/// A filter that cannot be read, a folder that cannot be written, or a second call.
pub fn start(options: &LogOptions) -> Result<LogGuard, LogError> {
    let filter = filter(options, std::env::var("ZEROERR_LOG").ok())?;
    let Some(folder) = &options.folder else {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(Clean(io::stderr))
            .with_ansi(options.colour)
            .without_time()
            .finish();
        return tracing::subscriber::set_global_default(subscriber)
            .map(|()| LogGuard(None))
            .map_err(|_| LogError::Twice);
    };
    let (writer, guard) = daily(folder.clone(), options.keep_days)?;
    let subscriber = json(filter, writer);
    tracing::subscriber::set_global_default(subscriber).map(|()| LogGuard(Some(guard))).map_err(|_| LogError::Twice)
}

fn filter(options: &LogOptions, variable: Option<String>) -> Result<EnvFilter, LogError> {
    let filter = variable.filter(|v| !v.trim().is_empty()).unwrap_or_else(|| options.filter.clone());
    EnvFilter::builder().parse(&filter).map_err(|e| LogError::Filter { filter, detail: e.to_string() })
}

fn daily(folder: PathBuf, keep_days: usize) -> Result<(NonBlocking, WorkerGuard), LogError> {
    // The appender makes it too, but complains on stderr first, which an editor shows as an error.
    drop(std::fs::create_dir_all(&folder));
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("zeroerr")
        .filename_suffix("jsonl")
        .max_log_files(keep_days.max(1))
        .build(&folder)
        .map_err(|e| LogError::Folder { folder, detail: cause(&e) })?;
    Ok(tracing_appender::non_blocking(appender))
}

fn json<W>(filter: EnvFilter, writer: W) -> impl tracing::Subscriber + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt().json().with_env_filter(filter).with_writer(Clean(writer)).finish()
}

/// The innermost cause: the outer ones only say that a file could not be made.
fn cause(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |e| e.source()).last().map_or_else(String::new, ToString::to_string)
}

/// Redacts what goes through it. `tracing` writes each event with one call.
struct Clean<W>(W);

impl<'a, W: MakeWriter<'a>> MakeWriter<'a> for Clean<W> {
    type Writer = CleanWriter<W::Writer>;
    fn make_writer(&'a self) -> Self::Writer {
        CleanWriter(self.0.make_writer())
    }
}

/// See [`Clean`].
struct CleanWriter<W>(W);

impl<W: Write> Write for CleanWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(bytes);
        self.0.write_all(redact(&text).as_bytes())?;
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(filter: &str) -> LogOptions {
        LogOptions { filter: filter.into(), folder: None, keep_days: 2, colour: false }
    }

    #[test]
    fn the_variable_beats_the_setting_and_both_are_checked() {
        assert_eq!(filter(&options("warn"), None).unwrap().to_string(), "warn");
        assert_eq!(filter(&options("warn"), Some("debug".into())).unwrap().to_string(), "debug");
        assert_eq!(filter(&options("warn"), Some(" ".into())).unwrap().to_string(), "warn");
        let error = filter(&options("warn"), Some("zeroerr=loud".into())).unwrap_err().to_string();
        assert!(error.starts_with("`zeroerr=loud` is no log filter"), "{error}");
    }

    #[test]
    fn a_file_gets_one_json_object_a_line_without_secrets_and_not_below_the_level() {
        let dir = tempfile::tempdir().unwrap();
        let (writer, guard) = daily(dir.path().join("logs"), 2).unwrap();
        let subscriber = json(EnvFilter::new("info"), writer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(api_key = "verysecret", "calling {}", "http://me:pw@host/v1");
            tracing::debug!("not this");
        });
        drop(guard);
        let files: Vec<_> = std::fs::read_dir(dir.path().join("logs")).unwrap().flatten().collect();
        assert_eq!(files.len(), 1);
        let text = std::fs::read_to_string(files[0].path()).unwrap();
        let lines: Vec<serde_json::Value> = text.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(lines.len(), 1, "{text}");
        assert_eq!(lines[0]["fields"]["message"], "calling http://<redacted>@host/v1");
        assert!(!text.contains("verysecret"), "{text}");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = daily(file.join("logs"), 2).unwrap_err().to_string();
        assert!(error.contains("file/logs") && error.contains("ZEROERR_HOME"), "{error}");
    }
}
