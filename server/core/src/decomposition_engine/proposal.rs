//! A plan as a model proposes it. One type is the JSON schema that constrains the model, the example
//! in its prompt and the parser of its answer, so that they cannot disagree. (In the reference code of
//! MAKER, arXiv 2511.09030, the prompt asks for one field and the parser reads another: plans vanish
//! without a word.)
//!
//! Parsing is strict. What is not exactly such a JSON object raises a red flag; an object that is no
//! usable plan (cycle, missing or unused helper) is rejected with its reason. Nothing is repaired.

use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

use super::{Plan, PlanError, Step};

/// Helpers that one proposal may have; a larger plan comes about by splitting helpers again.
pub const MAX_HELPERS: usize = 6;
/// Characters of a signature or an intent.
const MAX_TEXT: usize = 200;
/// Characters of a name.
const MAX_NAME: usize = 40;

/// The answer of a planner. Fields are in alphabetical order, which is the order in which a
/// constrained model writes them: first what a helper is for, then its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Proposal {
    /// The helper functions; none when the function is simple enough.
    #[schemars(length(max = 6))]
    helpers: Vec<Helper>,
    /// Names of the helpers that the function itself calls.
    #[schemars(length(max = 6), inner(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,39}$")))]
    uses: Vec<String>,
}

/// One helper function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Helper {
    /// What it does, one sentence.
    #[schemars(length(min = 1, max = 200))]
    intent: String,
    /// Its name.
    #[schemars(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,39}$"))]
    name: String,
    /// Its parameters and return type.
    #[schemars(length(min = 1, max = 200))]
    signature: String,
    /// Names of the helpers that it calls.
    #[schemars(length(max = 6), inner(regex(pattern = r"^[A-Za-z_][A-Za-z0-9_]{0,39}$")))]
    uses: Vec<String>,
}

/// Why an answer is no plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not the asked form: a red flag.
    #[error("{0}")]
    Form(String),
    /// The form is right, but no such plan can be carried out.
    #[error("{0}")]
    Unusable(PlanError),
}

/// The JSON schema of an answer, without references.
pub fn schema() -> serde_json::Value {
    let settings = SchemaSettings::default().with(|s| {
        s.inline_subschemas = true;
        s.meta_schema = None;
    });
    settings.into_generator().into_root_schema_for::<Proposal>().to_value()
}

/// An answer as the prompt shows it, in the syntax of a language: `signature` is such as
/// `(xs: list[int]) -> int`.
pub fn example(signature: &str) -> String {
    let helper = |name: &str, intent: &str, uses: &[&str]| Helper {
        intent: intent.into(),
        name: name.into(),
        signature: signature.into(),
        uses: uses.iter().map(|u| (*u).to_owned()).collect(),
    };
    let proposal = Proposal {
        helpers: vec![helper("first_part", "...", &[]), helper("second_part", "...", &["first_part"])],
        uses: vec!["second_part".into()],
    };
    serde_json::to_string(&proposal).unwrap_or_default()
}

/// The answer that means "no helpers".
pub fn example_of_none() -> String {
    serde_json::to_string(&Proposal { helpers: Vec::new(), uses: Vec::new() }).unwrap_or_default()
}

/// Reads an answer as a plan of `function`, which stands at `depth` and may call the functions in
/// `there` besides its helpers.
///
/// # Errors
/// See [`Fault`].
pub fn parse(answer: &str, function: &str, depth: u32, there: &HashSet<&str>) -> Result<Plan, Fault> {
    let proposal: Proposal = serde_json::from_str(answer).map_err(|e| Fault::Form(format!("no plan in JSON: {e}")))?;
    if proposal.helpers.len() > MAX_HELPERS {
        return Err(Fault::Form(format!("{} helpers; at most {MAX_HELPERS} are asked for", proposal.helpers.len())));
    }
    proposal.helpers.iter().try_for_each(check)?;
    let mut steps: Vec<Step> = proposal.helpers.into_iter().map(|h| step(h, depth + 1)).collect();
    steps.push(Step { name: function.to_owned(), needs: unique(proposal.uses), depth, ..Step::default() });
    let plan = Plan { steps }.ordered_beside(there).map_err(Fault::Unusable)?;
    // A helper that needs the function itself makes a cycle or pushes it off the end.
    if plan.steps.last().is_none_or(|s| s.name != function) {
        let last = plan.steps.last().map_or(String::new(), |s| s.name.clone());
        return Err(Fault::Unusable(PlanError::Unused(last)));
    }
    plan.all_used().map_err(Fault::Unusable)?;
    Ok(plan)
}

fn step(helper: Helper, depth: u32) -> Step {
    let Helper { name, signature, intent, uses } = helper;
    let intent = intent.split_whitespace().collect::<Vec<_>>().join(" ");
    Step { name, signature: signature.trim().to_owned(), intent, needs: unique(uses), depth, ..Step::default() }
}

fn unique(mut names: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// What the schema says in words that a parser can check.
fn check(helper: &Helper) -> Result<(), Fault> {
    let name = &helper.name;
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let goes_on = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !(begins && goes_on && name.len() <= MAX_NAME) {
        return Err(Fault::Form(format!("`{name}` is no name of a function")));
    }
    for (what, text) in [("intent", &helper.intent), ("signature", &helper.signature)] {
        if text.trim().is_empty() || text.chars().count() > MAX_TEXT || text.contains(['\n', '\r']) {
            return Err(Fault::Form(format!("the {what} of `{name}` must be one line of 1 to {MAX_TEXT} characters")));
        }
    }
    let signature = helper.signature.trim();
    if !(signature.starts_with('(') && signature.contains(')') && signature.contains("->")) {
        return Err(Fault::Form(format!("`{signature}` is no signature; it is written `(parameters) -> type`")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn read(answer: &str) -> Result<Plan, Fault> {
        parse(answer, "f", 0, &HashSet::from(["there"]))
    }

    fn helper(name: &str, uses: &str) -> String {
        format!(r#"{{"intent":"does it","name":"{name}","signature":"(n: int) -> int","uses":[{uses}]}}"#)
    }

    fn answer(helpers: &[String], uses: &str) -> String {
        format!(r#"{{"helpers":[{}],"uses":[{uses}]}}"#, helpers.join(","))
    }

    #[test]
    fn the_prompts_own_examples_are_plans() {
        let plan = read(&example("(xs: list[int]) -> int")).unwrap();
        let names: Vec<_> = plan.steps.iter().map(|s| (s.name.as_str(), s.depth)).collect();
        assert_eq!(names, [("first_part", 1), ("second_part", 1), ("f", 0)]);
        assert_eq!(read(&example_of_none()).unwrap(), Plan::of_one("f"));
    }

    #[test]
    fn the_schema_allows_what_the_parser_allows() {
        let schema = schema();
        let keys = |value: &serde_json::Value| -> Vec<String> {
            value["properties"].as_object().unwrap().keys().cloned().collect()
        };
        let shown: serde_json::Value = serde_json::from_str(&example("() -> int")).unwrap();
        let of = |value: &serde_json::Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
        assert_eq!(keys(&schema), of(&shown));
        let items = &schema["properties"]["helpers"]["items"];
        assert_eq!(keys(items), of(&shown["helpers"][0]));
        assert_eq!(schema["properties"]["helpers"]["maxItems"], MAX_HELPERS);
        assert_eq!(items["properties"]["intent"]["maxLength"], MAX_TEXT);
        assert_eq!(items["properties"]["name"]["pattern"], format!("^[A-Za-z_][A-Za-z0-9_]{{0,{}}}$", MAX_NAME - 1));
        assert_eq!(schema["additionalProperties"], false);
        assert_eq!(items["additionalProperties"], false);
        assert!(!schema.to_string().contains("$ref"), "engines differ in what references they follow");
    }

    #[test]
    fn what_is_not_the_asked_form_raises_a_flag() {
        let flag = |text: &str| match read(text) {
            Err(Fault::Form(why)) => why,
            other => panic!("{text}: {other:?}"),
        };
        expect!["no plan in JSON: expected value at line 1 column 1"].assert_eq(&flag("Sure! Here is a plan."));
        expect!["no plan in JSON: trailing characters at line 1 column 26"]
            .assert_eq(&flag(r#"{"helpers":[],"uses":[]} done"#));
        expect!["no plan in JSON: unknown field `F`, expected `helpers` or `uses` at line 1 column 4"]
            .assert_eq(&flag(r#"{"F":[]}"#));
        expect!["no plan in JSON: missing field `uses` at line 1 column 14"].assert_eq(&flag(r#"{"helpers":[]}"#));
        expect!["`a b` is no name of a function"].assert_eq(&flag(&answer(&[helper("a b", "")], r#""a b""#)));
        let seven: Vec<String> = (0..7).map(|i| helper(&format!("h{i}"), "")).collect();
        expect!["7 helpers; at most 6 are asked for"].assert_eq(&flag(&answer(&seven, "")));
        let no_types = helper("a", "").replace("(n: int) -> int", "n");
        expect!["`n` is no signature; it is written `(parameters) -> type`"].assert_eq(&flag(&answer(&[no_types], "")));
        let empty = helper("a", "").replace("does it", " ");
        expect!["the intent of `a` must be one line of 1 to 200 characters"].assert_eq(&flag(&answer(&[empty], "")));
    }

    #[test]
    fn cycles_missing_definitions_and_unused_steps_are_rejected() {
        let unusable = |helpers: &[String], uses: &str| match read(&answer(helpers, uses)) {
            Err(Fault::Unusable(why)) => why,
            other => panic!("{other:?}"),
        };
        let two = [helper("a", r#""b""#), helper("b", r#""a""#)];
        assert_eq!(unusable(&two, r#""a""#), PlanError::Cycle("a -> b".into()));
        assert_eq!(unusable(&[helper("a", r#""z""#)], r#""a""#), PlanError::Missing("a".into(), "z".into()));
        assert_eq!(unusable(&[helper("a", ""), helper("b", "")], r#""a""#), PlanError::Unused("b".into()));
        assert_eq!(unusable(&[helper("a", "")], ""), PlanError::Unused("a".into()));
        assert_eq!(unusable(&[helper("f", "")], r#""f""#), PlanError::NamedLikeTask("f".into()));
        assert_eq!(unusable(&[helper("a", r#""f""#)], ""), PlanError::Unused("a".into()));
        assert_eq!(unusable(&[helper("a", r#""f""#)], r#""a""#), PlanError::Cycle("a -> f".into()));
        assert!(read(&answer(&[helper("a", r#""there""#)], r#""a""#)).is_ok(), "what is there may be called");
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in ".{0,80}", cut in 0usize..200) {
            let _ = read(&text);
            let whole = answer(&[helper("a", "")], r#""a""#);
            let cut: String = whole.chars().take(cut).collect();
            proptest::prop_assert_eq!(read(&cut).is_ok(), cut.len() == whole.len());
        }
    }
}
