//! Which functions of a file what changed in it can reach.
//!
//! By text alone, and rather one too many: a function is reached when it changed itself, when it names one that is
//! reached, or when anything changed that is no function with a spec, since that may be what it calls or inherits.

use std::collections::BTreeSet;

use zeroerr_core::code::{FileAnalysis, Task, line_of};

use super::changed::Changed;

/// One state of a file.
#[derive(Debug, Clone, Copy)]
pub struct State<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its functions with specs.
    pub analysis: &'a FileAnalysis,
}

impl State<'_> {
    /// First and last line of a function with its spec, 1-based.
    fn lines(&self, task: &Task) -> (usize, usize) {
        let first = line_of(self.text, task.spec_range.start.min(task.function_range.start));
        (first, line_of(self.text, task.function_range.end.saturating_sub(1)))
    }

    /// The lines that belong to no function with a spec; without those that are blank and what no reader sees at the
    /// end of others, where no text can go over several of them.
    fn rest(&self) -> Vec<&str> {
        let taken: Vec<_> = self.analysis.tasks.iter().map(|t| self.lines(t)).collect();
        let is_free = |line: usize| !taken.iter().any(|&(first, last)| (first..=last).contains(&line));
        let lines: Vec<&str> = self.text.lines().zip(1..).filter(|&(_, line)| is_free(line)).map(|(l, _)| l).collect();
        if lines.iter().any(|line| may_open_text(line)) {
            return lines;
        }
        lines.into_iter().map(str::trim_end).filter(|line| !line.is_empty()).collect()
    }

    /// A function with its spec, which may name others, too.
    fn slice(&self, task: &Task) -> &str {
        let start = task.spec_range.start.min(task.function_range.start);
        self.text.get(start..task.function_range.end).unwrap_or(self.text)
    }

    /// Every function, those of one name numbered.
    fn members(&self) -> BTreeSet<Member<'_>> {
        let mut members = BTreeSet::new();
        for task in &self.analysis.tasks {
            let (class, name) = (task.class.as_deref(), task.signature.name.as_str());
            let nth = members.iter().filter(|(c, n, _)| (*c, *n) == (class, name)).count();
            members.insert((class, name, nth));
        }
        members
    }
}

/// A function: its class, its name, and how many of that name stand above it.
type Member<'a> = (Option<&'a str>, &'a str, usize);

/// Which of the tasks of `now` may behave otherwise than in `before`, in their order.
pub fn reached(changed: &Changed, before: State<'_>, now: State<'_>) -> Vec<bool> {
    let tasks = &now.analysis.tasks;
    let touched = |task: &Task| {
        let (first, last) = now.lines(task);
        changed.touch(first, last)
    };
    let mut reached: Vec<bool> = tasks.iter().map(touched).collect();
    let rest = now.rest();
    let is_rest_changed = rest != before.rest();
    // What is gone may still be called, by its name or, as a method, by what does not say it.
    let there = now.members();
    let gone: Vec<Member<'_>> = before.members().into_iter().filter(|member| !there.contains(member)).collect();
    if gone.iter().any(|(class, _, _)| class.is_some()) {
        return vec![true; tasks.len()];
    }
    let mut names: BTreeSet<&str> = gone.iter().map(|(_, name, _)| *name).collect();
    loop {
        names.extend(tasks.iter().zip(&reached).filter(|(_, is)| **is).map(|(t, _)| t.signature.name.as_str()));
        let unnamed = tasks.iter().zip(&reached).any(|(t, is)| *is && is_called_unnamed(t, &rest));
        if unnamed || is_rest_changed || rest.iter().any(|line| mentions(line, &names)) {
            return vec![true; tasks.len()];
        }
        let more: Vec<bool> = tasks.iter().zip(&reached).map(|(t, is)| *is || mentions(now.slice(t), &names)).collect();
        if more == reached {
            return reached;
        }
        reached = more;
    }
}

/// Whether a method is called by what does not say its name: an operator, a constructor, a trait.
fn is_called_unnamed(task: &Task, rest: &[&str]) -> bool {
    let Some(class) = &task.class else { return false };
    let name = &task.signature.name;
    let of_trait = || rest.iter().any(|line| words(line).collect::<Vec<_>>().windows(2).any(|w| w == ["for", class]));
    let by_language = ["constructor", "toString", "valueOf", "toJSON", "next", "then"];
    name.starts_with("__") || name.starts_with('[') || by_language.contains(&name.as_str()) || of_trait()
}

/// Whether a text may begin or end in this line that has several lines.
fn may_open_text(line: &str) -> bool {
    line.contains('`') || line.contains("\"\"\"") || line.contains("'''") || line.matches('"').count() % 2 == 1
}

fn mentions(text: &str, names: &BTreeSet<&str>) -> bool {
    words(text).any(|word| names.contains(word))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '$').filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use zeroerr_core::code::LanguageId;
    use zeroerr_verification::languages;

    use super::super::changed::since;
    use super::*;

    /// The functions that are reached when the first text becomes the second.
    fn check(file: &str, before: &str, now: &str, expected: &[&str]) {
        let all = languages::all();
        let language = all.iter().find(|l| LanguageId::from_path(Path::new(file)) == Some(l.id())).unwrap();
        let [old, new] = [before, now].map(|text| language.analyse(Path::new(file), &Arc::from(text)));
        let (before, now) = (State { text: before, analysis: &old }, State { text: now, analysis: &new });
        let found = reached(&since(before.text, now.text), before, now);
        let names: Vec<&str> =
            new.tasks.iter().zip(found).filter(|(_, is)| *is).map(|(t, _)| t.signature.name.as_str()).collect();
        assert_eq!(names, expected, "{}", now.text);
    }

    const PYTHON: &str = "import math\n\n# @example one(1) == 1\ndef one(x):\n    return helper(x)\n\n\n# @example two(1) == 2\ndef two(x):\n    return one(x) + 1\n\n\n# @example three(1) == 3\ndef three(x):\n    return 3 * x\n";
    const HELPER: &str = "\n\ndef helper(x):\n    return x\n";

    #[test]
    fn what_changed_outside_of_specs_reaches_all_and_a_function_those_that_name_it() {
        let text = format!("{PYTHON}{HELPER}");
        let all = ["one", "two", "three"];
        check("a.py", &text, &text, &[]);
        check("a.py", &text, &text.replace("    return x\n", "    return x + 1\n"), &all);
        check("a.py", &text, &text.replace("import math", "import cmath"), &all);
        check("a.py", &text, PYTHON, &all);
        check("a.py", &text, &text.replace("return helper(x)", "return x"), &["one", "two"]);
        check("a.py", &text, &text.replace("one(x) + 1", "one(x) + 2"), &["two"]);
        check("a.py", &text, &text.replace("3 * x", "x * 3"), &["three"]);
        check("a.py", &text, &text.replace("\n\n\n", "\n\n\n\n"), &[]);
        check("a.py", &text, &text.replace('\n', "\r\n"), &[]);
        // A spec that names what changed.
        let law = text.replace("# @example three(1) == 3", "# @property three(x) == one(x) * 3");
        check("a.py", &law, &law.replace("return helper(x)", "return x"), &["one", "two", "three"]);
        // Blank lines and blanks within a text are seen by who reads it.
        let long = format!("{text}TEXT = \"\"\"a\n\nb \n\"\"\"\n");
        check("a.py", &long, &long.replace("a\n\nb", "a\nb"), &all);
        check("a.py", &long, &long.replace("b \n", "b\n"), &all);
        let rust =
            "/// @example f() == 1\npub fn f() -> usize {\n    T.lines().count()\n}\n\nconst T: &str = \"a\n\nb\";\n";
        check("a.rs", rust, &rust.replace("a\n\nb", "a\nb"), &["f"]);
        // What is gone is still called.
        let gone = text.replace("# @example one(1) == 1\ndef one(x):\n    return helper(x)\n", "");
        check("a.py", &text, &gone, &["two"]);
        // A method may be called by what does not say its class.
        let class =
            format!("{text}\n\nclass A:\n    # @example A().size() == 1\n    def size(self):\n        return 1\n");
        let other = "# @example size() == 1\ndef size():\n    return 1\n";
        check("a.py", &class, &format!("{text}\n\nclass A:\n    pass\n\n\n{other}"), &["one", "two", "three", "size"]);
        // A helper that calls what changed.
        let calls = text.replace("    return x\n", "    return three(x)\n");
        check("a.py", &calls, &calls.replace("3 * x", "x * 3"), &all);
    }

    #[test]
    fn a_method_that_is_called_without_its_name_reaches_all() {
        let python = "class P:\n    # @ensures result >= 0\n    def __len__(self):\n        return 1\n\n\n# @example f() == 1\ndef f():\n    return len(P())\n";
        check("a.py", python, &python.replace("return 1", "return 2"), &["__len__", "f"]);
        let rust = "pub struct P(u8);\n\nimpl std::ops::Neg for P {\n    type Output = u8;\n    /// @ensures result <= 255\n    fn neg(self) -> u8 {\n        self.0\n    }\n}\n\n/// @example f() == 1\npub fn f() -> u8 {\n    -P(1)\n}\n";
        check("a.rs", rust, &rust.replace("self.0", "self.0 + 1"), &["neg", "f"]);
        let typescript = "/** @example half(2) == 1 */\nexport function half(x: number): number {\n  return x / 2;\n}\n\n/** @example whole(2) == 2 */\nexport const whole = (x: number): number => half(x) * 2;\n";
        check("a.ts", typescript, &typescript.replace("x / 2", "x * 0.5"), &["half", "whole"]);
        check("a.ts", typescript, &typescript.replace("* 2;", "* 3;"), &["whole"]);
    }
}
