//! What is found piece by piece is what is found in the whole, and from scratch.

use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use zeroerr_core::code::{FileAnalysis, LanguageId};

use super::*;
use crate::languages::{self, Language, python};

fn reader(language: LanguageId) -> (&'static Reader, &'static Path) {
    let path = Path::new(match language {
        LanguageId::Python => "a.py",
        LanguageId::Rust => "a.rs",
        LanguageId::TypeScript => "a.ts",
    });
    // The one that the adapter uses; another test may make it forgotten just then.
    let reader = (0..1_000).find_map(|_| {
        languages::all().into_iter().find(|l| l.id() == language).unwrap().analyse(path, &"".into());
        recall(|m| m.reader.language == language).map(|m| m.reader)
    });
    (reader.unwrap(), path)
}

/// What is found in a text that is taken as one piece.
fn whole(language: LanguageId, source: &Arc<str>) -> FileAnalysis {
    let (reader, path) = reader(language);
    if (reader.may_have_spec)(source) {
        (reader.analyse)(path, source, &Elsewhere::nothing())
    } else {
        FileAnalysis::default()
    }
}

fn fresh(language: &dyn Language, source: &Arc<str>) -> String {
    forget();
    let (_, path) = reader(language.id());
    let found = format!("{:?}", language.analyse(path, source));
    forget();
    format!("{found} {:?}", language.names(source))
}

/// Functions with and without specs, names that specs of other functions speak of, and what a cut must not part.
fn base(language: LanguageId) -> String {
    let part = match language {
        LanguageId::Python => {
            "import math\nLIMIT_N = 3\n\n\n# @spec Twice x.\n# @example fN(1) == 2\n# @requires x < LIMIT_N and x < limit_N\ndef fN(x: int) -> int:\n    y = [x, x]\n\n    return sum(y)\n\n\n@cache\n\ndef gN(a):\n    \"\"\"A text.\n\ndef no():\n    >>> gN(1)\n    1\n    \"\"\"\n    return a\n\n\nclass CN:\n    # @spec One.\n    # @ensures result == gN(1)\n    def m(self) -> int: ...\n\n\n"
        }
        LanguageId::Rust => {
            "use std::collections::HashMap;\nconst LIMIT_N: i64 = 3;\n\n/// @spec Twice x.\n/// @example kN(1) == 2\n/// @requires x < LIMIT_N && x < limit_N\npub fn kN(x: i64) -> i64 {\n    let c = '\\'';\n\n    x + x\n}\n\nimpl CN {\n\n// @spec One.\n// @ensures result == kN(1)\nfn m(&self) -> i64 { todo!() }\n\n}\n\nconst TEXT_N: &str = r#\"\n\nfn no() {\n\"#;\n\n"
        }
        LanguageId::TypeScript => {
            "import { a } from \"m\";\nconst LIMIT_N = 3;\n\n/**\n * @spec Twice x.\n * @example kN(1) === 2\n * @requires x < LIMIT_N && x < limit_N\n */\nexport function kN(x: number): number {\n  return /[\"'`({]/.test(`${x}`) ? 1 : x / 2 / 1\n}\n\nexport function oN(a: string): string;\n\n// @spec The same.\nexport function oN(a: any): any { return a }\n\nclass CN {\n\n  // @spec One.\n  // @ensures result === kN(1)\n  m(): number { throw new Error(\"todo\") }\n\n}\n\nconst tN = `\n\nfunction no() {\n${kN(1)}`;\n\n"
        }
    };
    (0..6).map(|n| part.replace('N', &n.to_string())).collect()
}

const TYPED: &[&str] = &[
    "x",
    "1",
    "\n",
    "\n\n",
    "    ",
    "\"\"\"",
    "'",
    "\"",
    "`",
    "${",
    "# @example f1(1) == 2\n",
    "// @spec Two.\n",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    "def g(a):\n    return a\n",
    "fn g() {}\n",
    "function g() {}\n",
    "😀",
    "/*",
    "*/",
    "//",
    "#",
    "\\",
    "@",
    ";",
    "r#\"",
    "LIMIT_9 = 1\n",
    "from x import *\n",
    "use x::*;\n",
    "\r\n",
    "",
    "",
    "",
    "",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn after_any_edits_what_is_found_is_what_is_found_in_the_text_from_scratch(
        edits in prop::collection::vec((0usize..4_000, 0usize..30, prop::sample::select(TYPED), prop::bool::weighted(0.2)), 1..12)
    ) {
        for language in languages::all() {
            let mut text = base(language.id());
            let (mut undo, mut typed) = (text.clone(), Vec::new());
            forget();
            for (at, length, new, back) in &edits {
                if *back {
                    std::mem::swap(&mut text, &mut undo);
                } else {
                    undo.clone_from(&text);
                    let floor = |n: usize| (0..=n.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap();
                    let from = at % (text.len() + 1);
                    text.replace_range(floor(from)..floor(from + length), new);
                }
                let source: Arc<str> = text.as_str().into();
                let found = format!("{:?}", language.analyse(reader(language.id()).1, &source));
                typed.push((format!("{found} {:?}", language.names(&source)), source));
            }
            for (found, source) in typed {
                // Not `assert_eq`: a difference is some megabytes long.
                assert!(found == fresh(language.as_ref(), &source), "what is found depends on what was there before:\n{source}");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_text_is_cut_the_same_whatever_is_known_of_an_earlier_one(
        edits in prop::collection::vec((0usize..4_000, 0usize..30, prop::sample::select(TYPED)), 1..12)
    ) {
        for language in languages::all() {
            let (reader, _) = reader(language.id());
            let mut text = base(language.id());
            let mut cuts = (reader.cut)(&text, None);
            for (at, length, new) in &edits {
                let pieces: Vec<Arc<Piece>> = (0..cuts.starts.len())
                    .map(|n| &text[cuts.starts[n]..cuts.starts.get(n + 1).copied().unwrap_or(text.len())])
                    .map(|text| Arc::new(Piece::new(reader, text, true)))
                    .collect();
                let floor = |n: usize| (0..=n.min(text.len())).rev().find(|n| text.is_char_boundary(*n)).unwrap();
                let from = at % (text.len() + 1);
                text.replace_range(floor(from)..floor(from + length), new);
                let next = (reader.cut)(&text, Some(Earlier { cuts: &cuts, same: same_ends(&pieces, &text) }));
                prop_assert_eq!(&next, &(reader.cut)(&text, None), "{}", text);
                cuts = next;
            }
        }
    }
}

/// The text with a spec above every function, so that there is something to be found.
fn with_specs(language: LanguageId, text: &str) -> String {
    let (words, comment): (&[&str], &str) = match language {
        LanguageId::Python => (&["def ", "async def "], "# @spec Does it.\n"),
        LanguageId::Rust => (&["fn ", "pub fn ", "pub(crate) fn ", "pub(super) fn "], "// @spec Does it.\n"),
        LanguageId::TypeScript => {
            (&["function ", "export function ", "async function ", "export async function "], "// @spec Does it.\n")
        }
    };
    let line = |line: &str| {
        let bare = line.trim_start();
        let indent = &line[..line.len() - bare.len()];
        let spec = if words.iter().any(|w| bare.starts_with(w)) { format!("{indent}{comment}") } else { String::new() };
        format!("{spec}{line}")
    };
    text.split_inclusive('\n').map(line).collect()
}

/// How much a comparison has seen.
#[derive(Default)]
struct Seen {
    files: usize,
    pieces: usize,
    tasks: usize,
}

fn compare(language: &dyn Language, name: &Path, text: &str, seen: &mut Seen) {
    let source: Arc<str> = with_specs(language.id(), text).into();
    if !language.parses(&source) {
        return;
    }
    let (reader, path) = reader(language.id());
    let (cut, whole) = (language.analyse(path, &source), whole(language.id(), &source));
    let place =
        |a: &FileAnalysis| a.tasks.iter().map(|t| (t.signature.header.clone(), t.function_range)).collect::<Vec<_>>();
    assert_eq!(place(&cut), place(&whole), "{}", name.display());
    assert!(cut == whole, "{} differs in what is said of its specs:\n{cut:#?}\n{whole:#?}", name.display());
    seen.files += 1;
    seen.pieces += (reader.cut)(&source, None).starts.len();
    seen.tasks += cut.tasks.len();
}

#[test]
fn in_files_as_people_write_them_pieces_say_what_the_whole_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let languages = languages::all();
    let mut seen: HashMap<LanguageId, Seen> = HashMap::new();
    let files = ignore::WalkBuilder::new(&root).build().flatten().map(ignore::DirEntry::into_path);
    for file in files {
        let language = LanguageId::from_path(&file).and_then(|id| languages.iter().find(|l| l.id() == id));
        let (Some(language), Ok(text)) = (language, std::fs::read_to_string(&file)) else { continue };
        compare(language.as_ref(), &file, &text, seen.entry(language.id()).or_default());
    }
    for (language, seen) in &seen {
        println!("{language:?}: {} files, {} pieces, {} tasks", seen.files, seen.pieces, seen.tasks);
        assert!(seen.files > 9 && seen.tasks > 30 && seen.pieces > seen.files * 2, "{language:?} was hardly looked at");
    }
    assert_eq!(seen.len(), languages.len());
}

#[test]
fn what_a_cut_must_not_part_stays_together() {
    for language in languages::all() {
        let text = base(language.id());
        compare(language.as_ref(), Path::new("base"), &text, &mut Seen::default());
        let (reader, _) = reader(language.id());
        let cuts = (reader.cut)(&text, None);
        assert!(cuts.starts.len() > 12, "{:?}: {cuts:?}", language.id());
    }
}

#[test]
fn one_broken_function_is_not_the_end_of_the_others() {
    for language in languages::all() {
        let (reader, path) = reader(language.id());
        let text = base(language.id());
        let all = language.analyse(path, &text.as_str().into()).tasks.len();
        let broken = match language.id() {
            LanguageId::Python => text.replacen("sum(y)", "sum((y", 1),
            LanguageId::Rust => text.replacen("x + x", "x + (x", 1),
            LanguageId::TypeScript => text.replacen(".test(", ".test((", 1),
        };
        assert_ne!(text, broken);
        let left = language.analyse(path, &broken.as_str().into()).tasks.len();
        assert!(left + 2 >= all, "{:?}: {left} of {all} are left", language.id());
        let pieces = |text: &str| (reader.cut)(text, None).starts.len();
        assert!(pieces(&broken) + 1 >= pieces(&text), "{:?}: what is below stays in pieces", language.id());
    }
}

#[test]
fn a_name_that_goes_or_comes_is_noticed_in_other_pieces() {
    let python = python::Python;
    let faults = |limit: &str| {
        let text = format!(
            "import os\nA = 1\n\n{limit} = 3\n\n# @spec Two.\n# @requires x < LIMIT\n# @example f(1) == 2\ndef f(x): ...\n"
        );
        let found = python.analyse(Path::new("names.py"), &text.as_str().into());
        found.diagnostics.iter().map(|d| d.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(faults("LIMIT"), [""; 0]);
    assert_eq!(faults("LIMIX"), ["nothing is named `LIMIT` here; did you mean `LIMIX`?"]);
    assert_eq!(faults("LIMIY"), ["nothing is named `LIMIT` here; did you mean `LIMIY`?"]);
    assert_eq!(faults("LIMIT"), [""; 0]);
}
