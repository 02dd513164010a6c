//! From a task to messages. The texts are the files in `templates/`. Here are those to coders and planners,
//! in [`advisers`] those to testers, discriminators and critics.
//!
//! A prompt holds the function's own spec, its signature, the file's import lines and the
//! signatures of its helpers: no other line of the file, so no secret of the project.
//!
//! The last message is the beginning of the answer: the code fence and the function's header. A
//! model that goes on from there cannot miss the name or the signature and writes the body only.
//! [`coder_stops`] ends it after the body. Small models gain most (docs/decisions).

pub mod advisers;

use minijinja::{Environment, context};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use serde::{Deserialize, Serialize};
use zeroerr_core::code::{LanguageId, Task};
use zeroerr_core::decomposition_engine::proposal;
use zeroerr_core::ports::{Message, Role};
use zeroerr_core::task_specification::{Example, ExampleClaim, Spec};

/// How a coder is asked; styles change the prompt, not the task, and so decorrelate errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// The spec as written.
    #[default]
    Plain,
    /// Asks for the shortest clear code.
    Terse,
    /// Asks to think of the edge cases first.
    Careful,
    /// The examples before the prose.
    ExamplesFirst,
}

/// What makes one sample's prompt differ from another's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Variation {
    /// How it is asked.
    pub style: Style,
    /// 0 keeps the examples as written, anything else shuffles them.
    pub example_order_seed: u64,
    /// In which other words the task is said over again; 0 is none.
    pub paraphrase: u8,
}

/// Asks for the function of a task. `helpers` are the headers of functions it may call, `feedback`
/// what was wrong with earlier attempts.
pub fn coder_messages(task: &Task, variation: &Variation, helpers: &[String], feedback: &[String]) -> Vec<Message> {
    let words = Words::of(task);
    let mut examples = examples(task);
    shuffle(&mut examples, variation.example_order_seed);
    let style = match variation.style {
        Style::Plain | Style::ExamplesFirst => "",
        Style::Terse => "Write the shortest clear code.",
        Style::Careful => "Mind the edge cases: empty input, zero, negative numbers, repeated values.",
    };
    let user = render(
        "coder_user",
        context! {
            examples_first => variation.style == Style::ExamplesFirst,
            examples, style, helpers,
            again => again(task, variation.paraphrase),
            feedback => feedback.iter().map(|line| one_line(line)).collect::<Vec<_>>(),
            imports => imports(task),
            ..shared(task, &words)
        },
    );
    vec![
        message(Role::System, render("coder_system", shared(task, &words))),
        message(Role::User, user),
        message(Role::Assistant, answer_start(task, &words)),
    ]
}

/// The task said over again, without a word of the spec's own prose.
fn again(task: &Task, paraphrase: u8) -> String {
    let name = &task.signature.name;
    match paraphrase {
        0 => String::new(),
        1 => {
            let typed = |p: &zeroerr_core::code::Param| match &p.annotation {
                Some(annotation) => format!("{} ({annotation})", p.name),
                None => p.name.clone(),
            };
            let given: Vec<String> = task.signature.params.iter().map(typed).collect();
            let given = if given.is_empty() { "nothing".to_owned() } else { given.join(", ") };
            match &task.signature.returns {
                Some(returns) => format!("In short: `{name}` is given {given} and returns {returns}."),
                None => format!("In short: `{name}` is given {given}."),
            }
        }
        _ => format!("Whoever calls `{name}` looks at nothing but what it does and returns."),
    }
}

/// Texts at which a coder's answer is over.
pub fn coder_stops(language: LanguageId) -> Vec<String> {
    let stops: &[&str] = match language {
        LanguageId::Python => &["\n```", "\ndef ", "\nclass ", "\nprint", "\nassert", "\nif __name__", "\n#", "\n@"],
        LanguageId::Rust => &["\n```", "\n}\n"],
        LanguageId::TypeScript => &["\n```", "\n}\n", "\n};"],
    };
    stops.iter().map(|s| (*s).to_owned()).collect()
}

/// Asks for a plan in the JSON of [`proposal`]; `helpers` are the headers of functions it may call.
pub fn planner_messages(task: &Task, helpers: &[String]) -> Vec<Message> {
    let words = Words::of(task);
    let signature = match task.language {
        LanguageId::Python => "(xs: list[int]) -> int",
        LanguageId::Rust => "(xs: &[i64]) -> i64",
        LanguageId::TypeScript => "(xs: number[]) -> number",
    };
    let user = render(
        "planner",
        context! {
            examples => examples(task), helpers,
            shown => proposal::example(signature),
            shown_none => proposal::example_of_none(),
            most => proposal::MAX_HELPERS,
            ..shared(task, &words)
        },
    );
    vec![
        message(Role::System, "You are a software architect. You answer with JSON and nothing else.".to_owned()),
        message(Role::User, user),
    ]
}

/// How a language is named, fenced and begun.
struct Words {
    name: &'static str,
    fence: &'static str,
    /// What follows a function's header.
    body: &'static str,
}

impl Words {
    fn of(task: &Task) -> Self {
        match task.language {
            LanguageId::Python => Words { name: "Python", fence: "python", body: ":" },
            LanguageId::Rust => Words { name: "Rust", fence: "rust", body: " {" },
            LanguageId::TypeScript if is_javascript(task) => {
                Words { name: "JavaScript", fence: "javascript", body: " {" }
            }
            LanguageId::TypeScript => Words { name: "TypeScript", fence: "typescript", body: " {" },
        }
    }
}

/// Whether the file holds JavaScript without types.
fn is_javascript(task: &Task) -> bool {
    task.file.extension().is_some_and(|e| ["js", "jsx", "mjs", "cjs"].iter().any(|js| e == *js))
}

fn shared(task: &Task, words: &Words) -> minijinja::Value {
    context! {
        language_name => words.name,
        fence => words.fence,
        name => task.signature.name,
        header => header(task, words),
        intent => task.spec.intent.trim(),
        rules => types_said_elsewhere(task).into_iter().chain(rules(&task.spec)).collect::<Vec<_>>(),
    }
}

/// Types that the header does not show: those of JSDoc.
fn types_said_elsewhere(task: &Task) -> Vec<String> {
    let signature = &task.signature;
    let shown = |kind: &str| signature.header.contains(kind);
    let typed = signature.params.iter().filter_map(|p| p.annotation.as_ref().map(|kind| (p, kind)));
    let params = typed.filter(|(_, kind)| !shown(kind)).map(|(p, kind)| format!("`{}` is of type `{kind}`.", p.name));
    let returns = signature.returns.as_ref().filter(|kind| !shown(kind)).map(|kind| format!("It returns `{kind}`."));
    params.chain(returns).collect()
}

fn header(task: &Task, words: &Words) -> String {
    let bare = task.signature.header.trim().trim_end_matches(['{', ':']).trim_end();
    format!("{bare}{}", words.body)
}

/// The fence, the imports the spec names, the header and, in Python, the intent as docstring: after
/// a bare header small models go on with prose.
fn answer_start(task: &Task, words: &Words) -> String {
    let uses =
        task.spec.uses.iter().flat_map(|c| c.text.split([',', ' ']).filter(|m| !m.is_empty()).collect::<Vec<_>>());
    let imports: String = match task.language {
        LanguageId::Python => uses.filter(|m| is_module(m)).map(|m| format!("import {m}\n")).collect(),
        _ => String::new(),
    };
    let gap = if imports.is_empty() { "" } else { "\n" };
    let intent = match task.language {
        LanguageId::Python => format!("    \"\"\"{}\"\"\"\n   ", docstring(&task.spec.intent)),
        LanguageId::Rust | LanguageId::TypeScript => String::new(),
    };
    // The indentation lacks its last space: tokenizers join that with the word that follows.
    let line = if intent.is_empty() { "" } else { "\n" };
    format!("```{}\n{imports}{gap}{}{line}{intent}", words.fence, header(task, words))
}

/// Text that cannot end the docstring it stands in.
fn docstring(text: &str) -> String {
    one_line(text).replace('\\', "/").replace('"', "'")
}

fn is_module(text: &str) -> bool {
    text.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// The file's own import lines, which are the only lines of it that a prompt shows.
fn imports(task: &Task) -> Vec<&str> {
    let is_import = |line: &&str| match task.language {
        LanguageId::Python => line.starts_with("import ") || (line.starts_with("from ") && line.contains(" import ")),
        LanguageId::Rust => line.starts_with("use "),
        LanguageId::TypeScript => {
            (line.starts_with("import ") && line.contains(" from "))
                || (line.starts_with("const ") && line.contains(" = require("))
        }
    };
    task.source.lines().filter(is_import).map(str::trim_end).take(20).collect()
}

fn rules(spec: &Spec) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(spec.requires.iter().map(|c| format!("The caller guarantees: {}", c.text)));
    lines.extend(spec.ensures.iter().map(|c| format!("Afterwards it holds: {}", c.text)));
    lines.extend(spec.raises.iter().map(|r| format!("`{}` raises {}.", r.call, r.exception)));
    lines.extend(spec.properties.iter().map(|c| format!("Always true: {}", c.text)));
    if let Some(complexity) = &spec.complexity {
        lines.push(format!("It takes at most {} time.", complexity_text(complexity.bound)));
    }
    lines.extend(spec.uses.iter().map(|c| format!("Use {}.", c.text)));
    lines.extend(spec.forbids.iter().map(|c| format!("Do not use {}.", c.text)));
    lines
}

fn complexity_text(bound: zeroerr_core::task_specification::Complexity) -> &'static str {
    use zeroerr_core::task_specification::Complexity as C;
    match bound {
        C::Constant => "O(1)",
        C::Logarithmic => "O(log n)",
        C::Linear => "O(n)",
        C::Linearithmic => "O(n log n)",
        C::Quadratic => "O(n^2)",
        C::Cubic => "O(n^3)",
        C::Exponential => "O(2^n)",
    }
}

fn examples(task: &Task) -> Vec<String> {
    let equals = if task.language == LanguageId::TypeScript { "===" } else { "==" };
    let show = |example: &Example| match (&example.claim, &example.equation) {
        (_, Some((call, value))) => format!("{call} {equals} {value}"),
        (ExampleClaim::Holds, None) => example.code.clone(),
        (ExampleClaim::Prints(value), None) => format!("{} {equals} {}", example.code, value.trim()),
        (ExampleClaim::Raises(exception), None) => format!("{} raises {exception}", example.code),
    };
    task.spec.examples.iter().map(show).map(|line| one_line(&line)).collect()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Fisher-Yates; 0 keeps the order.
fn shuffle(items: &mut [String], seed: u64) {
    if seed == 0 {
        return;
    }
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    for last in (1..items.len()).rev() {
        let other = (rng.next_u64() % (last as u64 + 1)) as usize;
        items.swap(last, other);
    }
}

fn message(role: Role, content: String) -> Message {
    Message { role, content }
}

/// Renders a template; they are compiled in and tested, so a failure shows in the text, not as a panic.
fn render(name: &str, context: minijinja::Value) -> String {
    static TEMPLATES: std::sync::LazyLock<Environment<'static>> = std::sync::LazyLock::new(|| {
        let mut environment = Environment::new();
        for (name, text) in [
            ("coder_system", include_str!("../templates/coder_system.j2")),
            ("coder_user", include_str!("../templates/coder_user.j2")),
            ("planner", include_str!("../templates/planner.j2")),
            ("tester", include_str!("../templates/tester.j2")),
            ("discriminator", include_str!("../templates/discriminator.j2")),
            ("critic", include_str!("../templates/critic.j2")),
        ] {
            if let Err(error) = environment.add_template(name, text) {
                tracing::error!(%error, name, "a prompt template does not parse");
            }
        }
        environment
    });
    let rendered = TEMPLATES.get_template(name).and_then(|template| template.render(context));
    rendered.unwrap_or_else(|error| {
        tracing::error!(%error, name, "a prompt template does not render");
        String::new()
    })
}

#[cfg(test)]
#[path = "prompt_templates_tests.rs"]
mod tests;
