//! What a project's `.zeroerr.yaml`, and an editor that passes a workspace's settings on, may say.
//!
//! A repository that was just cloned must not be able to switch the sandbox off, send code to an
//! endpoint, choose a command, or lower what "verified" means. Everything that is not listed in
//! [`RULES`] is refused.

use serde_json::Value;

use crate::error::SettingsError;
use crate::layer::Layer;
use crate::load::leaves;
use crate::sections::verification::Verification;

/// What an untrusted layer may do to a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Anything.
    Free,
    /// Only raise the number.
    Raise,
    /// Only lower the number.
    Lower,
    /// Only repeat `on`.
    OnlyOn,
    /// Only switch on.
    OnlyTrue,
    /// Only take names out of the list.
    Shrink,
    /// Only put names into the list.
    Grow,
    /// Nothing; why.
    Never(&'static str),
}

/// Rules by key, the longest matching prefix decides. Anything else may never be set.
pub const RULES: &[(&str, Rule)] = &[
    ("voting.k", Rule::Raise),
    ("voting.by_input", Rule::Never("it decides what is not asked")),
    ("voting.target_reliability", Rule::Raise),
    ("voting.assumed_success", Rule::Lower),
    ("voting.max_attempts", Rule::Free),
    ("voting.first_temperature", Rule::Free),
    ("voting.temperature", Rule::Free),
    ("voting.top_p", Rule::Free),
    ("voting.seed", Rule::Free),
    ("voting.samples_in_flight", Rule::Lower),
    ("planning", Rule::Free),
    ("planning.max_steps", Rule::Lower),
    ("planning.max_attempts", Rule::Lower),
    ("planning.max_depth", Rule::Lower),
    ("planning.steps_in_flight", Rule::Lower),
    ("planning.revotes", Rule::Lower),
    ("agents", Rule::Raise),
    ("agents.critic", Rule::OnlyTrue),
    ("agents.paraphrase", Rule::Free),
    ("verification.may_be_unavailable", Rule::Shrink),
    ("verification.must_pass", Rule::Grow),
    ("sandbox.mode", Rule::OnlyOn),
    ("llm.max_tokens", Rule::Lower),
    ("llm.endpoints", Rule::Never("it decides where code is sent")),
    ("llm", Rule::Never("it decides where code is sent and what is loaded")),
    ("models", Rule::Never("it decides what is downloaded")),
    ("coordination", Rule::Never("it decides where code is sent")),
    ("environment", Rule::Never("it chooses servers and models")),
    ("logging", Rule::Never("it decides what is written to disk")),
    ("lsp", Rule::Free),
    ("lsp.confirm_edits", Rule::OnlyTrue),
];

/// The key of the lists of layers that need not have run.
const EXCUSED: &str = "may_be_unavailable";

const DEFAULT: Rule = Rule::Never("only your own configuration may set it");

/// The rule for a key. Those of a language follow those of all.
pub fn rule(key: &str) -> Rule {
    let of_language = key.strip_prefix("verification.languages.").and_then(|rest| rest.split_once('.'));
    let general = of_language.map(|(_, name)| format!("verification.{name}"));
    let key = general.as_deref().unwrap_or(key);
    let matches = |prefix: &str| key == prefix || key.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'));
    RULES
        .iter()
        .filter(|(prefix, _)| matches(prefix))
        .max_by_key(|(prefix, _)| prefix.len())
        .map_or(DEFAULT, |(_, rule)| *rule)
}

/// Refuses an untrusted layer that loosens what the layers below it (`base`) say.
pub(crate) fn check(layer: &Layer, base: &Value) -> Result<(), SettingsError> {
    for (path, new) in leaves(&layer.values) {
        if new.as_object().is_some_and(serde_json::Map::is_empty) {
            continue;
        }
        let key = path.join(".");
        let old = before(base, &path);
        let why = match rule(&key) {
            Rule::Free => continue,
            Rule::Never(why) => why.to_owned(),
            Rule::OnlyOn if new == "on" => continue,
            Rule::OnlyOn => "it would run generated code unconfined".to_owned(),
            Rule::OnlyTrue if new == true || old.is_none_or(|o| *o != true) => continue,
            Rule::OnlyTrue => "it would take away what you have asked for".to_owned(),
            Rule::Raise | Rule::Lower => match not_looser(rule(&key), old, &new) {
                None => continue,
                Some(why) => why,
            },
            Rule::Shrink if new.is_null() => "it would take away what you say of this language".to_owned(),
            Rule::Shrink => match added(old, &new) {
                None => continue,
                Some(name) => format!("it would excuse the layer {name}"),
            },
            Rule::Grow => match old.and_then(|old| added(Some(&new), old)) {
                None => continue,
                Some(name) => format!("the layer {name} would no longer have to pass"),
            },
        };
        let error = SettingsError::new(layer.place(&path), &key, format!("`{key}` may not be set here: {why}"));
        return Err(error.with_remedy("set it in your own configuration (`zeroerr config show` names the file)"));
    }
    Ok(())
}

/// Takes out of an untrusted layer's list for a language what the user's own layers above it have taken out of the
/// list for all since: such a list was only allowed because that one had it.
pub(crate) fn hold_languages(stack: &[(Layer, bool)], verification: &mut Verification) {
    let last = |path: &[String]| stack.iter().rposition(|(layer, _)| layer.contains(path));
    let path = |parts: &[&str]| parts.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
    let Some(general) = last(&path(&["verification", EXCUSED])) else { return };
    let excused = verification.may_be_unavailable.clone();
    for (name, rules) in &mut verification.languages {
        let said_by = last(&path(&["verification", "languages", name, EXCUSED])).filter(|at| *at < general);
        if said_by.and_then(|at| stack.get(at)).is_some_and(|(_, is_trusted)| !is_trusted)
            && let Some(list) = &mut rules.may_be_unavailable
        {
            list.retain(|layer| excused.contains(layer));
        }
    }
}

/// What a key was: where a language says nothing of its own, what holds for all.
fn before<'a>(base: &'a Value, path: &[String]) -> Option<&'a Value> {
    let at = |path: &[&str]| path.iter().try_fold(base, |at, part| at.get(part)).filter(|v| !v.is_null());
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    at(&parts).or_else(|| match parts.as_slice() {
        ["verification", "languages", _, name] if *name == EXCUSED => at(&["verification", name]),
        _ => None,
    })
}

/// Why `new` is looser than `old`. A value that is no number is left to the type check, except
/// for `k: auto`, which may turn out lower than any fixed k.
fn not_looser(rule: Rule, old: Option<&Value>, new: &Value) -> Option<String> {
    let (before, after) = (old.and_then(Value::as_f64), new.as_f64());
    match (rule, before, after) {
        (Rule::Raise, Some(before), Some(after)) if after < before => Some(format!("{new} is below your {before}")),
        (Rule::Lower, Some(before), Some(after)) if after > before => Some(format!("{new} is above your {before}")),
        (Rule::Raise, Some(before), None) if new == "auto" => Some(format!("`auto` may turn out below your {before}")),
        (Rule::Raise, None, Some(after)) if old.is_some_and(|o| o == "auto") => {
            Some(format!("{after} may be below what your `auto` computes"))
        }
        _ => None,
    }
}

/// The first name of `new` that `old` does not have.
fn added(old: Option<&Value>, new: &Value) -> Option<String> {
    let old = old.and_then(Value::as_array).cloned().unwrap_or_default();
    new.as_array()?
        .iter()
        .find(|name| !old.contains(name))
        .map(|name| name.as_str().map_or_else(|| name.to_string(), str::to_owned))
}
