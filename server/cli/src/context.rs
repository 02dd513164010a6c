//! What every command gets: settings, the data folder, and how to print.

use std::io::{ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use zeroerr_monitoring::logging::{LogGuard, LogOptions, start};
use zeroerr_settings::{Level, Loaded, LogFormat, Sources, load, paths};

use crate::args::{Color, Global};
use crate::exit::CliError;

/// How much is said on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ui {
    /// Nothing but results and errors.
    pub quiet: bool,
    /// The result is JSON on standard output.
    pub json: bool,
    /// Standard error is a terminal: progress may redraw itself.
    pub live: bool,
}

impl Ui {
    /// Decides colours for the whole process, and how to print.
    pub fn new(global: &Global) -> Self {
        let choice = match global.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        Self { quiet: global.quiet, json: global.json, live: std::io::stderr().is_terminal() && !global.quiet }
    }

    /// A line for people, on standard error.
    pub fn note(self, text: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// The result, on standard output.
    ///
    /// # Errors
    /// When it cannot be written. A closed pipe is the reader's choice: no more is printed, and the work goes on.
    pub fn result(self, text: &str) -> Result<(), CliError> {
        let mut out = anstream::stdout().lock();
        let written = out
            .write_all(text.as_bytes())
            .and_then(|()| if text.ends_with('\n') { Ok(()) } else { out.write_all(b"\n") })
            .and_then(|()| out.flush());
        match written {
            Ok(()) => Ok(()),
            Err(e) if e.kind() == ErrorKind::BrokenPipe => Ok(()),
            Err(e) => Err(CliError::machine(format!("cannot write the result: {e}"))),
        }
    }

    /// The result as JSON, on standard output.
    ///
    /// # Errors
    /// As [`Ui::result`].
    pub fn json_result(self, value: &impl serde::Serialize) -> Result<(), CliError> {
        let text = serde_json::to_string_pretty(value)
            .map_err(|e| CliError::bug(format!("the result cannot be written as JSON: {e}")))?;
        self.result(&text)
    }
}

/// Prints an error. Secrets are taken out: it may quote what a server said.
pub fn complain(message: &str) {
    let style = anstyle::AnsiColor::Red.on_default() | anstyle::Effects::BOLD;
    let _ = writeln!(anstream::stderr(), "{style}error{style:#}: {}", zeroerr_monitoring::redact::redact(message));
}

/// Settings and surroundings of one command.
#[derive(Debug)]
pub struct Context {
    /// The settings and where they come from.
    pub loaded: Loaded,
    /// Where they were read from, to read them again.
    pub sources: Sources,
    /// Folder of models, tools, journal and logs.
    pub data_dir: PathBuf,
    /// How to print.
    pub ui: Ui,
    _log: Option<LogGuard>,
}

impl Context {
    /// Reads the settings that hold at `place` and starts logging.
    ///
    /// # Errors
    /// Settings that cannot be used; no data folder; a log that cannot be written.
    pub fn load(global: &Global, place: &Path, overrides: &[(&str, String)], log: LogTo) -> Result<Self, CliError> {
        let sources = sources(global, place, overrides);
        let loaded = load(&sources)?;
        Self::with(global, sources, loaded, log)
    }

    /// For a server, which stays up whatever the settings say: settings that cannot be used are
    /// replaced by the built-in ones, which are the strict ones. The error is given too.
    ///
    /// # Errors
    /// No data folder.
    pub fn for_server(global: &Global, place: &Path) -> Result<(Self, Option<String>), CliError> {
        let sources = sources(global, place, &[]);
        let (loaded, error) = match load(&sources) {
            Ok(loaded) => (loaded, None),
            Err(error) => (load(&Sources::default())?, Some(error.to_string())),
        };
        Ok((Self::with(global, sources, loaded, LogTo::File)?, error))
    }

    fn with(global: &Global, sources: Sources, loaded: Loaded, log: LogTo) -> Result<Self, CliError> {
        let ui = Ui::new(global);
        let data_dir = data_dir()?;
        let log = start_log(&loaded, global, &data_dir, log)?;
        for note in &loaded.notes {
            ui.note(&format!("note: {note}"));
        }
        Ok(Self { loaded, sources, data_dir, ui, _log: log })
    }
}

/// Where a command may log to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogTo {
    /// Where the settings say.
    Settings,
    /// A file, whatever the settings say: editors show what a server writes to standard error.
    File,
}

/// The layers for a command at `place`.
pub fn sources(global: &Global, place: &Path, overrides: &[(&str, String)]) -> Sources {
    let mut sources = Sources::of_process(place);
    sources.config.clone_from(&global.config);
    sources.flags.clone_from(&global.set);
    sources.flags.extend(overrides.iter().map(|(key, value)| ((*key).to_owned(), value.clone())));
    sources
}

/// The data folder.
///
/// # Errors
/// When there is neither `ZEROERR_HOME` nor a home folder.
pub fn data_dir() -> Result<PathBuf, CliError> {
    paths::data_dir().ok_or_else(|| {
        CliError::machine("there is no home folder to keep models and tools in; set ZEROERR_HOME to a folder")
    })
}

fn start_log(loaded: &Loaded, global: &Global, data_dir: &Path, to: LogTo) -> Result<Option<LogGuard>, CliError> {
    let logging = &loaded.settings.logging;
    let level = match (global.verbose, global.quiet) {
        (0, false) => logging.level,
        (0, true) => Level::Error,
        (1, _) => Level::Info,
        _ => Level::Debug,
    };
    let to_file = to == LogTo::File || logging.format == LogFormat::Json;
    let options = LogOptions {
        // The engine complains at length about steps that are made to fail to empty its prompt cache,
        // and what matters of its errors comes back as ours. `ZEROERR_LOG` can still ask for it.
        filter: format!("{},mistralrs_core=off", level.name()),
        folder: to_file.then(|| data_dir.join("logs")),
        keep_days: logging.keep_days,
        colour: std::io::stderr().is_terminal() && global.color != Color::Never,
    };
    match start(&options) {
        Ok(guard) => Ok(Some(guard)),
        // A server that cannot log is still a server.
        Err(error @ zeroerr_monitoring::logging::LogError::Folder { .. }) if to == LogTo::File => {
            complain(&error.to_string());
            Ok(None)
        }
        Err(error) => Err(CliError::usage(error.to_string())),
    }
}
