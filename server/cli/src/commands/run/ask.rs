//! Asking the user what the candidates disagree about, and writing the answer into the spec.

use std::io::{BufRead, IsTerminal};
use std::path::Path;

use tokio_util::sync::CancellationToken;
use zeroerr_core::code::{LanguageId, Task, apply_edits};
use zeroerr_core::question::Question;
use zeroerr_core::report::RunReport;
use zeroerr_core::task_specification::insert_clause;
use zeroerr_engine::Workbench;

use crate::args::RunArgs;
use crate::context::Ui;
use crate::exit::CliError;
use crate::files;
use crate::render::{FAINT, STRONG, plural};
use crate::targets::{Key, Source};

/// Words that are values in some language.
const VALUES: [&str; 8] = ["None", "True", "False", "null", "undefined", "true", "false", "NaN"];

/// Whether questions are asked: on a terminal, unless the command line says otherwise.
pub fn wanted(args: &RunArgs, ui: Ui) -> bool {
    let on_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    args.ask || (!args.no_ask && !ui.json && !ui.quiet && on_terminal)
}

/// What a line that the user typed means.
#[derive(Debug, PartialEq, Eq)]
enum Said {
    /// This clause.
    Clause(String),
    /// None of the answers is right, and no other is given.
    Nothing,
    /// It cannot be used; why.
    Unclear(String),
}

/// Asks the first question of a report that can be answered, until the answer can be used; writes it
/// into the file. `None` when the user has no answer, there is nothing to ask, or the run was cancelled.
///
/// # Errors
/// When the file was changed meanwhile or cannot be written.
pub async fn ask(
    workbench: &dyn Workbench,
    source: &Source,
    key: &Key,
    report: &RunReport,
    cancel: &CancellationToken,
) -> Result<Option<Source>, CliError> {
    let mut questions = report.steps.iter().flat_map(|s| &s.questions);
    let Some(question) = questions.find(|q| q.choices().next().is_some()) else { return Ok(None) };
    tell(&shown(question, &report.reason));
    loop {
        let line = tokio::select! {
            biased;
            () = cancel.cancelled() => return Ok(None),
            line = typed() => line,
        };
        let clause = match line.as_deref().map_or(Said::Nothing, |line| understand(question, line)) {
            Said::Nothing => return Ok(None),
            Said::Unclear(why) => {
                tell(&format!("  {why}\n> "));
                continue;
            }
            Said::Clause(clause) => clause,
        };
        match written(workbench, source, key, &clause) {
            Err(why) => tell(&format!("  {why}\n> ")),
            Ok(text) => {
                files::replace(&source.path, &source.text, &text)?;
                tell(&format!("  {clause}  {FAINT}added to the spec in {}{FAINT:#}\n", source.path.display()));
                return Source::read(workbench, &source.path).map(Some);
            }
        }
    }
}

fn tell(text: &str) {
    let mut out = anstream::stderr().lock();
    // Nobody reads it: then nobody answers either.
    let _ = std::io::Write::write_all(&mut out, text.as_bytes()).and_then(|()| std::io::Write::flush(&mut out));
}

/// One line of standard input; `None` at its end.
async fn typed() -> Option<String> {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).ok().filter(|n| *n > 0).map(|_| line)
    });
    read.await.ok().flatten()
}

/// The question with its numbered answers.
fn shown(question: &Question, reason: &str) -> String {
    let mut out = format!("  {FAINT}{reason}{FAINT:#}\n{STRONG}? What should {} give?{STRONG:#}\n", question.input);
    let widest = question.answers.iter().map(|a| a.text.chars().count()).max().unwrap_or(0).min(60);
    let mut number = 0;
    for answer in &question.answers {
        let mark = if answer.clause.is_some() {
            number += 1;
            number.to_string()
        } else {
            "–".to_owned()
        };
        let votes = plural(answer.votes as usize, "vote");
        out.push_str(&format!("  {mark:>3}  {:<widest$}  {FAINT}{votes}{FAINT:#}\n", answer.text));
    }
    out.push_str("    n  none of these\n");
    out.push_str("  a number, or the right answer: `= VALUE` or `raises ERROR`\n> ");
    out
}

fn understand(question: &Question, line: &str) -> Said {
    let line = line.trim();
    if matches!(line, "n" | "none" | "q") {
        return Said::Nothing;
    }
    if let Ok(number) = line.parse::<usize>() {
        let chosen = number.checked_sub(1).and_then(|n| question.choices().nth(n));
        return chosen.map_or_else(
            || Said::Unclear(format!("there is no answer {number}; `= {number}` means the value")),
            |(_, clause)| Said::Clause(clause.to_owned()),
        );
    }
    // A word alone is as likely a slip (`quit`, `zero`) as the name of a value.
    let is_word = line.chars().all(|c| c.is_alphanumeric() || c == '_') && !line.is_empty();
    if is_word && !VALUES.contains(&line) {
        return Said::Unclear(format!("`= {line}` means the value `{line}`; `n` is for none of these"));
    }
    let words = line.strip_prefix('=').unwrap_or(line);
    question.clause_of(words).map_or_else(
        || Said::Unclear("write a number, `= VALUE`, `raises ERROR`, or `n` for none of these".into()),
        Said::Clause,
    )
}

/// The file with the clause in its spec, if the spec is then without an error.
fn written(workbench: &dyn Workbench, source: &Source, key: &Key, clause: &str) -> Result<String, String> {
    let task = source.task(key).ok_or("the function is not there any more")?;
    let text = insert_clause(task, clause)
        .and_then(|edit| apply_edits(&source.text, &[edit]))
        .ok_or_else(|| format!("the spec block cannot take `{clause}`; write it there yourself and run again"))?;
    let analysis = workbench.analyse(&task.file, &text.as_str().into());
    let Some(now) = key.find(&analysis) else { return Err(format!("`{clause}` would break the spec")) };
    if let Some(fault) = analysis.spec_error(now) {
        return Err(format!("`{clause}` cannot be used: {}", fault.message));
    }
    let claims = |task: &Task| task.spec.examples.len() + task.spec.raises.len();
    if claims(now) != claims(task) + 1 {
        return Err(format!(
            "`{clause}` would be no clause there, or undo another; write it there yourself and run again"
        ));
    }
    Ok(text)
}

/// For a run that does not ask: what differs, and the lines that would settle it.
pub fn ready_lines(report: &RunReport) -> String {
    let marker = match LanguageId::from_path(Path::new(&report.file)) {
        Some(LanguageId::Python) | None => "#",
        Some(LanguageId::Rust | LanguageId::TypeScript) => "//",
    };
    let mut out = String::new();
    for question in report.steps.iter().flat_map(|s| &s.questions) {
        out.push_str(&format!("\n    {}", question.summary()));
        let mut choices = question.choices().peekable();
        if choices.peek().is_some() {
            out.push_str("\n      one of these lines in the spec settles it; the next run goes on with these samples:");
        }
        choices.for_each(|(_, clause)| out.push_str(&format!("\n        {marker} {clause}")));
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use zeroerr_core::question::Answer;

    use super::*;

    fn question() -> Question {
        let answer = |text: &str, votes, clause: Option<&str>| Answer {
            text: text.into(),
            votes,
            clause: clause.map(Into::into),
        };
        Question {
            input: "f([])".into(),
            answers: vec![
                answer("0", 5, Some("@example f([]) == 0")),
                answer("does not end in its time", 3, None),
                answer("raises ValueError", 1, Some("@raises ValueError f([])")),
            ],
        }
    }

    #[test]
    fn only_what_can_be_chosen_has_a_number() {
        let text = anstream::adapter::strip_str(&shown(&question(), "no behaviour was ahead")).to_string();
        expect![[r#"
              no behaviour was ahead
            ? What should f([]) give?
                1  0                         5 votes
                –  does not end in its time  3 votes
                2  raises ValueError         1 vote
                n  none of these
              a number, or the right answer: `= VALUE` or `raises ERROR`
            > "#]]
        .assert_eq(&text);
    }

    #[test]
    fn a_line_is_a_number_a_value_or_nothing() {
        let said = |line: &str| understand(&question(), line);
        assert_eq!(said("1\n"), Said::Clause("@example f([]) == 0".into()));
        assert_eq!(said("2"), Said::Clause("@raises ValueError f([])".into()));
        assert_eq!(said("= 3"), Said::Clause("@example f([]) == 3".into()));
        assert_eq!(said("[1]"), Said::Clause("@example f([]) == [1]".into()));
        assert_eq!(said("None"), Said::Clause("@example f([]) == None".into()));
        assert_eq!(said("= zero"), Said::Clause("@example f([]) == zero".into()));
        for slip in ["quit", "zero", "yes"] {
            assert!(matches!(said(slip), Said::Unclear(why) if why.contains(&format!("`= {slip}`"))), "{slip}");
        }
        assert_eq!(said("raises KeyError"), Said::Clause("@raises KeyError f([])".into()));
        assert_eq!((said("n"), said(" none ")), (Said::Nothing, Said::Nothing));
        assert!(matches!(said("3"), Said::Unclear(why) if why.contains("`= 3` means the value")));
        assert!(matches!(said(""), Said::Unclear(_)) && matches!(said("="), Said::Unclear(_)));
    }
}
