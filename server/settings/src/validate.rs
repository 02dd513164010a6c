//! What types cannot say: ranges (read from the schema, so that they are written once) and names
//! that must exist.

use serde_json::Value;

use crate::reference;
use crate::sections::coordination::CoordinationMode;
use crate::sections::verification::LANGUAGES;
use crate::{Margin, Settings};

/// A value that has the right type and cannot be right.
pub(crate) struct Fault {
    pub(crate) path: Vec<String>,
    pub(crate) message: String,
    pub(crate) remedy: Option<String>,
}

fn fault_at(path: &[&str], message: impl Into<String>, remedy: Option<String>) -> Fault {
    Fault { path: path.iter().map(|p| (*p).to_owned()).collect(), message: message.into(), remedy }
}

/// The first fault.
pub(crate) fn fault(settings: &Settings) -> Option<Fault> {
    let values = serde_json::to_value(settings).ok()?;
    let schema = reference::schema();
    out_of_range(&schema, &schema, &values, &mut Vec::new())
        .or_else(|| attempts_fault(settings))
        .or_else(|| language_fault(settings))
        .or_else(|| endpoint_fault(settings))
        .or_else(|| model_fault(settings))
        .or_else(|| backend_fault(settings))
        .or_else(|| address_fault(settings))
}

/// Rules for a language that there is none of.
fn language_fault(settings: &Settings) -> Option<Fault> {
    let known = || LANGUAGES.iter().map(|l| l.name());
    let name = settings.verification.languages.keys().find(|name| !known().any(|l| l == name.as_str()))?;
    let names = known().map(|l| format!("`{l}`")).collect::<Vec<_>>().join(", ");
    let message = format!("there is no language `{name}`; there are {names}");
    Some(fault_at(&["verification", "languages", name], message, None))
}

/// `minimum` and `maximum` of the schema.
fn out_of_range(root: &Value, schema: &Value, value: &Value, path: &mut Vec<String>) -> Option<Fault> {
    let schema = reference::resolve(root, schema);
    if let Some(map) = value.as_object() {
        return map.iter().find_map(|(key, inner)| {
            let below = reference::child(schema, key)?;
            path.push(key.clone());
            let found = out_of_range(root, below, inner, path);
            path.pop();
            found
        });
    }
    let number = value.as_f64()?;
    let (low, high) = (schema.get("minimum").and_then(Value::as_f64), schema.get("maximum").and_then(Value::as_f64));
    if low.is_none_or(|low| number >= low) && high.is_none_or(|high| number <= high) {
        return None;
    }
    let range = match (low, high) {
        (Some(low), Some(high)) => format!("from {low} to {high}"),
        (Some(low), None) => format!("at least {low}"),
        (None, high) => format!("at most {}", high.unwrap_or_default()),
    };
    Some(Fault {
        path: path.clone(),
        message: format!("`{}` must be {range}, not {value}", path.join(".")),
        remedy: None,
    })
}

/// A lead that no vote could ever reach. What `k: auto` needs is known later.
fn attempts_fault(settings: &Settings) -> Option<Fault> {
    let (voting, planning) = (&settings.voting, &settings.planning);
    let fixed = match voting.k {
        Margin::Fixed(k) => Some(("voting", k, voting.max_attempts, "step")),
        Margin::Auto => None,
    };
    let all = fixed.into_iter().chain([("planning", planning.k, planning.max_attempts, "plan")]);
    let fault = |(section, k, most, what): (&str, u32, u32, &str)| {
        let message =
            format!("`{section}.max_attempts` is {most}, and `{section}.k` is {k}: no {what} could ever be decided");
        fault_at(&[section, "max_attempts"], message, Some(format!("allow at least {k} samples, better {}", 5 * k)))
    };
    all.into_iter().find(|(_, k, most, _)| most < k).map(fault)
}

fn endpoint_fault(settings: &Settings) -> Option<Fault> {
    settings.llm.endpoints.iter().find_map(|(name, endpoint)| {
        let path = ["llm", "endpoints", name, "url"];
        let rest = endpoint.url.strip_prefix("http://").or_else(|| endpoint.url.strip_prefix("https://"));
        let Some(rest) = rest.filter(|r| !r.is_empty()) else {
            let message = format!("`{}` must be an http or https address", path.join("."));
            return Some(fault_at(&path, message, Some("for example `http://127.0.0.1:8000/v1`".into())));
        };
        if let Some(variable) = &endpoint.api_key_env
            && !is_variable(variable)
        {
            // Not quoted: it may be the key itself.
            let path = ["llm", "endpoints", name, "api_key_env"];
            let message = format!("`{}` must be the name of an environment variable", path.join("."));
            return Some(fault_at(
                &path,
                message,
                Some("export the key in a variable, and write the variable's name here".into()),
            ));
        }
        let authority = rest.split('/').next().unwrap_or_default();
        authority.contains('@').then(|| {
            let message = format!("`{}` holds a user name or password", path.join("."));
            let instead = format!("name the variable that holds the key in `llm.endpoints.{name}.api_key_env`");
            fault_at(&path, message, Some(instead))
        })
    })
}

fn is_variable(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

fn model_fault(settings: &Settings) -> Option<Fault> {
    settings.models.iter().find_map(|(name, entry)| {
        let known =
            ["hf:", "pypi:", "file:"].iter().any(|p| entry.source.strip_prefix(p).is_some_and(|r| !r.is_empty()));
        if !known {
            let path = ["models", name, "source"];
            let message =
                format!("`{}` must begin with `hf:`, `pypi:` or `file:`, not `{}`", path.join("."), entry.source);
            return Some(fault_at(&path, message, None));
        }
        let sum = entry.sha256.as_deref()?;
        (sum.len() != 64 || !sum.bytes().all(|b| b.is_ascii_hexdigit())).then(|| {
            let path = ["models", name, "sha256"];
            fault_at(
                &path,
                format!("`{}` must be 64 hex digits", path.join(".")),
                Some(format!("`sha256sum` prints it; this has {} characters", sum.len())),
            )
        })
    })
}

fn backend_fault(settings: &Settings) -> Option<Fault> {
    let llm = &settings.llm;
    let names = settings.models.keys().map(String::as_str);
    let missing = |path: &[&str], name: &str, also: Vec<&str>| {
        let candidates: Vec<&str> = also.into_iter().chain(names.clone()).collect();
        (!candidates.contains(&name)).then(|| {
            let near = candidates
                .iter()
                .max_by(|a, b| strsim::jaro_winkler(name, a).total_cmp(&strsim::jaro_winkler(name, b)));
            let message = format!(
                "`{}` names `{name}`, which is neither a model of the catalogue nor an endpoint",
                path.join(".")
            );
            fault_at(path, message, near.map(|n| format!("did you mean `{n}`?")))
        })
    };
    let mut backends = vec!["embedded", "local", "scripted"];
    backends.extend(llm.endpoints.keys().map(String::as_str));
    let roles = [
        ("coder", &llm.models.coder),
        ("general", &llm.models.general),
        ("verifier", &llm.models.verifier),
        ("planner", &llm.models.planner),
    ];
    missing(&["llm", "backend"], &llm.backend, backends)
        .or_else(|| missing(&["llm", "embedded"], &llm.embedded, vec![]))
        .or_else(|| roles.iter().find_map(|(role, name)| missing(&["llm", "models", role], name.as_deref()?, vec![])))
        .or_else(|| {
            let nobody = llm.backend == "local" && llm.models.coder.is_none();
            nobody.then(|| {
                fault_at(&["llm", "backend"], "`llm.backend` is `local`, but `llm.models.coder` names no model", None)
            })
        })
}

fn address_fault(settings: &Settings) -> Option<Fault> {
    let lists = [
        (["coordination", "kafka", "brokers"], &settings.coordination.kafka.brokers),
        (["coordination", "redis", "cluster"], &settings.coordination.redis.cluster),
    ];
    lists.into_iter().find_map(|(path, list)| {
        let wrong = list.iter().find(|a| {
            !a.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
        })?;
        Some(fault_at(&path, format!("`{}` holds `{wrong}`, which is not HOST:PORT", path.join(".")), None))
    })
}

/// Legal settings that will not do what their author may expect.
pub(crate) fn notes(settings: &Settings) -> Vec<String> {
    let mut out = Vec::new();
    if settings.coordination.mode == CoordinationMode::Cluster {
        out.push("coordination.mode is `cluster`, which this version does not do yet: runs are local".to_owned());
    }
    if settings.sandbox.mode == crate::SandboxMode::Off {
        out.push("sandbox.mode is `off`: generated code runs with all your rights".to_owned());
    }
    out
}
