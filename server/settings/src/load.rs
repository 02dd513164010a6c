//! Puts the layers together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::error::{Actual, Kind};
use serde_json::{Map, Value};

use crate::error::{Place, SettingsError};
use crate::layer::Layer;
use crate::{Settings, paths, reference, trust, validate};

const DEVELOPMENT: &str = include_str!("../../../config/development.yaml");
const PRODUCTION: &str = include_str!("../../../config/production.yaml");
const COMMON: [(&str, &str); 3] = [
    ("config/models.yaml", include_str!("../../../config/models.yaml")),
    ("config/kafka.yaml", include_str!("../../../config/kafka.yaml")),
    ("config/redis.yaml", include_str!("../../../config/redis.yaml")),
];

/// Variables that start with `ZEROERR_` and are no settings: first those that this program reads, then those of
/// its tests. What begins with `ZEROERR_E2E_` is of tests, too.
const NOT_SETTINGS: [&str; 9] = [
    "ZEROERR_HOME",
    "ZEROERR_JAIL",
    "ZEROERR_LOG",
    "ZEROERR_SCRIPTED",
    "ZEROERR_BIN",
    "ZEROERR_CI_CACHE",
    "ZEROERR_E2E",
    "ZEROERR_KILLS",
    "ZEROERR_LATENCY",
];

/// Where settings are read from. `Default` reads nothing but the built-in files, for tests.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// `--config FILE`: used instead of the built-in file of the environment. Must exist.
    pub config: Option<PathBuf>,
    /// The user's file; may be missing.
    pub user_file: Option<PathBuf>,
    /// The project's file; may be missing.
    pub project_file: Option<PathBuf>,
    /// Environment variables.
    pub env: Vec<(String, String)>,
    /// What the editor sent: the object below `zeroerr`.
    pub editor: Option<Value>,
    /// `--set KEY=VALUE`, split at the first `=`.
    pub flags: Vec<(String, String)>,
}

impl Sources {
    /// This process's variables, the user's file, and the project file at or above `start`.
    pub fn of_process(start: &Path) -> Self {
        let env = std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?)));
        Self {
            user_file: paths::user_file(),
            project_file: paths::project_file(start),
            env: env.collect(),
            ..Self::default()
        }
    }
}

/// Settings, and where each value came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Origin of each key that is not at its default, by dotted key.
    pub origins: BTreeMap<String, String>,
    /// Things that are legal but will not do what their author may expect.
    pub notes: Vec<String>,
}

/// Reads and checks all layers.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn load(sources: &Sources) -> Result<Loaded, SettingsError> {
    let stack = layers(sources)?;
    let mut figment = Figment::from(default_layer()?);
    for (layer, trusted) in &stack {
        if !trusted {
            let base: Settings = figment.extract().map_err(|e| explain(&stack, e))?;
            let base = serde_json::to_value(base).unwrap_or_default();
            known_keys(&figment, layer, &stack)?;
            trust::check(layer, &base)?;
        }
        figment = figment.merge(layer.clone());
    }
    let mut settings: Settings = figment.extract().map_err(|e| explain(&stack, e))?;
    trust::hold_languages(&stack, &mut settings.verification);
    if let Some(fault) = validate::fault(&settings) {
        let place = place_of(&stack, &fault.path).unwrap_or_else(|| Place::named("settings"));
        let error = SettingsError::new(place, fault.path.join("."), fault.message);
        return Err(SettingsError { remedy: fault.remedy, ..error });
    }
    let mut origins = BTreeMap::new();
    for (layer, _) in &stack {
        for (path, _) in leaves(&layer.values) {
            origins.insert(path.join("."), layer.place(&path).to_string());
        }
    }
    let mut notes = validate::notes(&settings);
    notes.extend(unread(&sources.env));
    Ok(Loaded { settings, origins, notes })
}

/// An untrusted layer with an unknown key gets told so before it is told that it may not.
fn known_keys(base: &Figment, layer: &Layer, stack: &[(Layer, bool)]) -> Result<(), SettingsError> {
    base.clone().merge(layer.clone()).extract::<Settings>().map(drop).map_err(|e| explain(stack, e))
}

/// All layers above the defaults, lowest first, with whether they are the user's own.
fn layers(sources: &Sources) -> Result<Vec<(Layer, bool)>, SettingsError> {
    let user = match &sources.user_file {
        Some(path) => Layer::from_file(path)?,
        None => None,
    };
    let project = match &sources.project_file {
        Some(path) => Layer::from_file(path)?,
        None => None,
    };
    let env = env_layers(&sources.env)?;
    let flags = sources
        .flags
        .iter()
        .map(|(key, value)| assignment("--set", key, key.split('.'), value))
        .collect::<Result<Vec<_>, _>>()?;

    let mut stack = Vec::new();
    for (name, text) in COMMON {
        stack.push((Layer::from_yaml(format!("{name} (built in)"), text)?, true));
    }
    let own = user.iter().chain(&env).chain(&flags);
    stack.push((ground(sources, own)?, true));
    stack.extend(user.map(|l| (l, true)));
    stack.extend(project.map(|l| (l, false)));
    stack.extend(env.into_iter().map(|l| (l, true)));
    match &sources.editor {
        None | Some(Value::Null) => {}
        Some(Value::Object(values)) => stack.push((editor_layer(values)?, false)),
        Some(_) => return Err(SettingsError::new(Place::named("editor settings"), "", "must be an object")),
    }
    stack.extend(flags.into_iter().map(|l| (l, true)));
    Ok(stack)
}

/// What the editor sent, without values that are the defaults: VS Code sends those of settings that
/// nobody touched, and they must not undo what the user's file says.
fn editor_layer(values: &Map<String, Value>) -> Result<Layer, SettingsError> {
    fn differing(values: &Map<String, Value>, defaults: &Map<String, Value>) -> Map<String, Value> {
        let mut out = Map::new();
        for (key, value) in values {
            match (value, defaults.get(key)) {
                (Value::Object(inner), Some(Value::Object(below))) => {
                    let inner = differing(inner, below);
                    if !inner.is_empty() {
                        out.insert(key.clone(), Value::Object(inner));
                    }
                }
                (_, Some(default)) if default == value => {}
                _ => drop(out.insert(key.clone(), value.clone())),
            }
        }
        out
    }
    Ok(Layer::from_values("editor settings", differing(values, &default_layer()?.values)))
}

/// `--config FILE`, or the built-in file of the environment that the user's own layers choose.
fn ground<'a>(sources: &Sources, own: impl Iterator<Item = &'a Layer>) -> Result<Layer, SettingsError> {
    if let Some(path) = &sources.config {
        return Layer::from_file(path)?.ok_or_else(|| {
            SettingsError::new(Place::named(path.display().to_string()), "", "there is no such file")
                .with_remedy("`--config` takes the path of a YAML file")
        });
    }
    let chosen = own.filter_map(|l| l.values.get("environment")).last().and_then(Value::as_str);
    if chosen == Some("production") {
        Layer::from_yaml("config/production.yaml (built in)", PRODUCTION)
    } else {
        Layer::from_yaml("config/development.yaml (built in)", DEVELOPMENT)
    }
}

/// `ZEROERR_VOTING__K=5`: one layer per variable, so that errors name the variable.
fn env_layers(env: &[(String, String)]) -> Result<Vec<Layer>, SettingsError> {
    let sections = reference::sections();
    let mut sorted: Vec<_> =
        env.iter().filter(|(name, _)| name.starts_with("ZEROERR_") && !NOT_SETTINGS.contains(&name.as_str())).collect();
    sorted.sort();
    let mut out = Vec::new();
    for (name, value) in sorted {
        let rest = name["ZEROERR_".len()..].to_lowercase();
        let origin = format!("environment variable {name}");
        if is_assignment(name) {
            out.push(assignment(&origin, &rest.replace("__", "."), rest.split("__"), value)?);
        } else if let Some(section) = sections.iter().find(|s| rest == **s || rest.starts_with(&format!("{s}_"))) {
            // A forgotten underscore must not be ignored in silence.
            let meant = format!(
                "ZEROERR_{}__{}",
                section.to_uppercase(),
                rest[section.len()..].trim_start_matches('_').to_uppercase()
            );
            return Err(SettingsError::new(
                Place::named(origin),
                rest,
                "two underscores separate a section from its key",
            )
            .with_remedy(format!("did you mean `{meant}`?")));
        }
    }
    Ok(out)
}

/// Whether a variable means to set an option.
fn is_assignment(name: &str) -> bool {
    name.contains("__") || name == "ZEROERR_ENVIRONMENT"
}

/// Variables with our prefix that nothing reads: a misspelt one must not be ignored in silence. An error would
/// be too much, since others may use the prefix for variables of their own.
fn unread(env: &[(String, String)]) -> Vec<String> {
    let is_unread = |name: &&String| {
        name.strip_prefix("ZEROERR_").is_some_and(|rest| !rest.starts_with("E2E_"))
            && !NOT_SETTINGS.contains(&name.as_str())
            && !is_assignment(name)
    };
    let mut names: Vec<&String> = env.iter().map(|(name, _)| name).filter(is_unread).collect();
    names.sort();
    let note = |name: &String| {
        let known = ["ZEROERR_HOME", "ZEROERR_LOG", "ZEROERR_ENVIRONMENT"];
        let near = known.into_iter().find(|known| strsim::damerau_levenshtein(known, name) <= 2);
        let meant = near.map_or("a setting looks like `ZEROERR_VOTING__K`".into(), |n| format!("did you mean `{n}`?"));
        format!("environment variable {name}: nothing reads it; {meant}")
    };
    names.into_iter().map(note).collect()
}

/// A layer of one value.
fn assignment<'a>(
    origin: &str,
    key: &str,
    parts: impl Iterator<Item = &'a str>,
    text: &str,
) -> Result<Layer, SettingsError> {
    let path: Vec<String> = parts.map(str::to_owned).collect();
    if path.iter().any(String::is_empty) {
        return Err(SettingsError::new(Place::named(origin), key, format!("`{key}` is no key"))
            .with_remedy("a key looks like `voting.k`"));
    }
    let mut value = if reference::is_text(&path) {
        Value::String(text.to_owned())
    } else {
        serde_yaml::from_str::<Value>(text).unwrap_or_else(|_| Value::String(text.to_owned()))
    };
    for part in path.iter().skip(1).rev() {
        value = Value::Object(Map::from_iter([(part.clone(), value)]));
    }
    Ok(Layer::from_values(origin, Map::from_iter(path.first().map(|first| (first.clone(), value)))))
}

fn default_layer() -> Result<Layer, SettingsError> {
    match serde_json::to_value(Settings::default()) {
        Ok(Value::Object(values)) => Ok(Layer::from_values("default", values)),
        _ => {
            Err(SettingsError::new(Place::named("defaults"), "", "cannot be written down; this is a fault of zeroerr"))
        }
    }
}

/// Every value that is no mapping, with its path. An empty mapping is a value.
pub(crate) fn leaves(values: &Map<String, Value>) -> Vec<(Vec<String>, Value)> {
    fn walk(values: &Map<String, Value>, path: &mut Vec<String>, out: &mut Vec<(Vec<String>, Value)>) {
        for (key, value) in values {
            path.push(key.clone());
            match value.as_object().filter(|m| !m.is_empty()) {
                Some(inner) => walk(inner, path, out),
                None => out.push((path.clone(), value.clone())),
            }
            path.pop();
        }
    }
    let mut out = Vec::new();
    walk(values, &mut Vec::new(), &mut out);
    out
}

/// The last layer that says anything about `path`, or about what holds it.
fn place_of(stack: &[(Layer, bool)], path: &[String]) -> Option<Place> {
    (1..=path.len())
        .rev()
        .find_map(|n| stack.iter().rev().find(|(l, _)| l.contains(&path[..n])).map(|(l, _)| l.place(&path[..n])))
}

/// Our sentence for what figment found.
fn explain(stack: &[(Layer, bool)], error: figment::Error) -> SettingsError {
    let mut path = error.path.clone();
    let (message, remedy) = match &error.kind {
        Kind::UnknownField(field, expected) => {
            if path.last() != Some(field) {
                path.push(field.clone());
            }
            (format!("unknown setting `{}`", path.join(".")), suggest(&path, field, expected))
        }
        Kind::UnknownVariant(found, expected) => {
            (format!("`{}` cannot be `{found}`", path.join(".")), suggest(&[], found, expected))
        }
        Kind::InvalidType(found, expected) | Kind::InvalidValue(found, expected) => {
            (format!("`{}` must be {}, not {}", path.join("."), plain(expected), shown(&path, found)), None)
        }
        other => (format!("`{}`: {other}", path.join(".")), None),
    };
    let place = place_of(stack, &path).unwrap_or_else(|| Place::named("settings"));
    SettingsError { remedy, ..SettingsError::new(place, path.join("."), message) }
}

/// A wrong value, unless it may be a secret.
fn shown(path: &[String], found: &Actual) -> String {
    if path.last().is_some_and(|key| key.contains("key") || key.contains("secret")) {
        return "this".into();
    }
    match found {
        Actual::Str(text) => format!("`{text}`"),
        Actual::Unsigned(n) => format!("`{n}`"),
        Actual::Signed(n) => format!("`{n}`"),
        Actual::Float(n) => format!("`{n}`"),
        Actual::Bool(b) => format!("`{b}`"),
        Actual::Unit | Actual::Option => "empty".into(),
        Actual::Seq => "a list".into(),
        Actual::Map => "a section".into(),
        other => other.to_string(),
    }
}

/// Rust's name of a type, in the words of a settings file.
fn plain(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, not below 0",
        "f64" => "a number",
        "a string" | "path string" => "text",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        text if text.starts_with("struct ") || text == "a map" => "a section with keys below it",
        text if text.starts_with("string or") || text.starts_with("enum ") => "one of the words of the reference",
        text => text,
    }
}

fn suggest(path: &[String], found: &str, expected: &[&str]) -> Option<String> {
    let near = expected.iter().map(|e| (strsim::jaro_winkler(found, e), *e)).max_by(|a, b| a.0.total_cmp(&b.0));
    let prefix = path
        .split_last()
        .map(|(_, outer)| outer.iter().map(|p| format!("{p}.")).collect::<String>())
        .unwrap_or_default();
    match near {
        Some((likeness, near)) if likeness > 0.75 => Some(format!("did you mean `{prefix}{near}`?")),
        _ if expected.is_empty() => None,
        _ => Some(format!("expected one of: {}", expected.join(", "))),
    }
}
