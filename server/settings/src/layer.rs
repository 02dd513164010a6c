//! One layer of settings: a tree of values with the name of where it came from.

use std::path::Path;

use figment::value::{Dict, Map, Value};
use figment::{Error, Metadata, Profile, Provider};

use crate::error::{Place, SettingsError};
use crate::locate::line_of_key;

/// A tree of settings and its origin.
#[derive(Debug, Clone)]
pub(crate) struct Layer {
    /// Shown in errors and by `zeroerr config show`.
    pub(crate) origin: String,
    /// The values.
    pub(crate) values: serde_json::Map<String, serde_json::Value>,
    /// The text it was read from, to find lines.
    text: Option<String>,
}

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.origin.clone())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        let dict = Value::serialize(&self.values)?.into_dict().unwrap_or_default();
        Ok(Profile::Default.collect(dict))
    }
}

impl Layer {
    /// A layer that was not read from a text.
    pub(crate) fn from_values(origin: impl Into<String>, values: serde_json::Map<String, serde_json::Value>) -> Self {
        Self { origin: origin.into(), values, text: None }
    }

    /// Reads a YAML text.
    pub(crate) fn from_yaml(origin: impl Into<String>, text: &str) -> Result<Self, SettingsError> {
        let origin = origin.into();
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if let Some((line, column)) = tab_in_indentation(text) {
            let place = Place { origin, line: Some(line), column: Some(column) };
            return Err(SettingsError::new(place, "", "a tab cannot indent YAML").with_remedy("use spaces"));
        }
        let yaml: serde_yaml::Value = serde_yaml::from_str(text).map_err(|e| yaml_error(&origin, text, &e))?;
        let values = match serde_json::to_value(&yaml) {
            Ok(serde_json::Value::Object(values)) => values,
            Ok(serde_json::Value::Null) => serde_json::Map::new(),
            Ok(_) => {
                let place = Place { origin, line: Some(1), column: None };
                return Err(SettingsError::new(
                    place,
                    "",
                    "a settings file must be a mapping such as `voting:` with `k: 3` below it",
                ));
            }
            Err(e) => {
                return Err(SettingsError::new(Place::named(origin), "", format!("cannot be used as settings: {e}")));
            }
        };
        Ok(Self { origin, values, text: Some(text.to_owned()) })
    }

    /// Reads a file; `Ok(None)` when it does not exist.
    pub(crate) fn from_file(path: &Path) -> Result<Option<Self>, SettingsError> {
        let origin = path.display().to_string();
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(SettingsError::new(Place::named(origin), "", format!("cannot be read: {e}"))),
        };
        match std::str::from_utf8(&bytes) {
            Ok(text) => Self::from_yaml(origin, text).map(Some),
            Err(e) => {
                let line = 1 + bytes[..e.valid_up_to()].iter().filter(|&&b| b == b'\n').count();
                let place = Place { origin, line: Some(line), column: None };
                Err(SettingsError::new(place, "", "is not UTF-8").with_remedy("save the file as UTF-8"))
            }
        }
    }

    /// Where a key stands in this layer.
    pub(crate) fn place(&self, path: &[String]) -> Place {
        let line = self.text.as_deref().and_then(|text| line_of_key(text, path));
        Place { origin: self.origin.clone(), line, column: None }
    }

    /// Whether the layer says anything about `path`.
    pub(crate) fn contains(&self, path: &[String]) -> bool {
        let mut at = Some(&self.values);
        for (i, key) in path.iter().enumerate() {
            match at.and_then(|map| map.get(key)) {
                None => return false,
                Some(_) if i + 1 == path.len() => return true,
                Some(value) => at = value.as_object(),
            }
        }
        false
    }
}

/// YAML's own parser says "found character that cannot start any token", which helps nobody.
fn tab_in_indentation(text: &str) -> Option<(usize, usize)> {
    text.lines().enumerate().find_map(|(i, line)| {
        let indent = line.find(|c| c != ' ').unwrap_or(line.len());
        (line[indent..].starts_with('\t') && !line.trim().is_empty()).then_some((i + 1, indent + 1))
    })
}

fn yaml_error(origin: &str, text: &str, error: &serde_yaml::Error) -> SettingsError {
    let message = error.to_string();
    let mut place = Place::named(origin);
    if let Some(location) = error.location() {
        place.line = Some(location.line());
        place.column = Some(location.column());
    }
    // The location is in `place`; the parser repeats it at the end of its sentence.
    let message = message.split(" at line ").next().unwrap_or(&message).to_owned();
    if let Some(key) = message.split("duplicate entry with key \"").nth(1).and_then(|rest| rest.strip_suffix('"')) {
        place.line = last_line_of_key(text, key).or(place.line);
        place.column = None;
        return SettingsError::new(place, key, format!("`{key}` is given twice")).with_remedy("keep one of them");
    }
    SettingsError::new(place, "", format!("is not valid YAML: {message}"))
}

fn last_line_of_key(text: &str, key: &str) -> Option<usize> {
    text.lines()
        .enumerate()
        .filter(|(_, l)| l.trim_start().strip_prefix(key).is_some_and(|r| r.starts_with(':')))
        .last()
        .map(|(i, _)| i + 1)
}
