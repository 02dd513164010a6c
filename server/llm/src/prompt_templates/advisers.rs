//! What testers, discriminators and critics are asked. As for coders, the last message is the beginning of
//! the answer, where that has a form: small models go on from there.

use minijinja::context;
use zeroerr_core::code::{LanguageId, Task};
use zeroerr_core::ports::{Message, Role};

use super::{Words, examples, message, one_line, render, shared};

/// Asks for at most `most` tests.
pub fn tester_messages(task: &Task, most: u32) -> Vec<Message> {
    let words = Words::of(task);
    let shown = format!("{}{}", test_start(task), test_end(task.language));
    let user = render("tester", context! { most, shown, examples => examples(task), ..shared(task, &words) });
    vec![
        message(Role::System, format!("You test {} functions. You answer with tests and nothing else.", words.name)),
        message(Role::User, user),
        message(Role::Assistant, format!("```{}\n{}", words.fence, test_start(task))),
    ]
}

/// Asks for calls on which two candidates differ; `known` are some that are known already.
pub fn discriminator_messages(task: &Task, candidates: [&str; 2], known: &[String], most: u32) -> Vec<Message> {
    let words = Words::of(task);
    let [first, second] = candidates;
    let user = render("discriminator", context! { most, first, second, known, ..shared(task, &words) });
    vec![
        message(Role::System, format!("You read {} code. You answer with calls and nothing else.", words.name)),
        message(Role::User, user),
        message(Role::Assistant, format!("```{}\n{}", words.fence, call_start(task))),
    ]
}

/// Asks what is wrong with a candidate that `verdicts` do not object to.
pub fn critic_messages(task: &Task, code: &str, verdicts: &[String]) -> Vec<Message> {
    let words = Words::of(task);
    let verdicts: Vec<String> = verdicts.iter().map(|v| one_line(v)).collect();
    let user = render("critic", context! { code, verdicts, examples => examples(task), ..shared(task, &words) });
    let system = "You review code. You answer with OK, or with one objection that an input proves.";
    vec![message(Role::System, system.to_owned()), message(Role::User, user)]
}

/// What a tester's answer begins with.
pub fn test_start(task: &Task) -> String {
    let call = call_start(task);
    match task.language {
        LanguageId::Python => format!("assert {call}"),
        LanguageId::Rust => format!("assert_eq!({call}"),
        LanguageId::TypeScript => call,
    }
}

/// What a discriminator's answer begins with.
pub fn call_start(task: &Task) -> String {
    format!("{}(", task.signature.name)
}

/// Texts at which the answer of a tester or a discriminator is over.
pub fn stops() -> Vec<String> {
    vec!["\n```".to_owned(), "\n\n\n".to_owned()]
}

fn test_end(language: LanguageId) -> &'static str {
    match language {
        LanguageId::Python | LanguageId::TypeScript => "...) == ...",
        LanguageId::Rust => "...), ...);",
    }
}
