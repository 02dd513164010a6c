//! Text as editors hold it mid-edit: any bytes, any length, any depth. Nothing panics, and long files
//! cost linear time.

use super::*;
use proptest::prelude::*;
use zeroerr_core::task_specification::render_diagnostics;

fn analysed(source: &str) -> FileAnalysis {
    analyse(Path::new("f.py"), &Arc::from(source))
}

fn selected(source: &str, selection: TextRange, instruction: &str) -> Result<Task, String> {
    task_for_selection(Path::new("f.py"), &Arc::from(source), selection, instruction)
}

#[test]
fn crlf_tabs_bom_and_nulls() {
    let source = "\u{feff}# @spec Über 🎉.\r\n# @example f(1) == 2\r\ndef f(x):\r\n\t\"\"\"Doc.\r\n\r\n\t>>> f(2)\r\n\t3\r\n\t\"\"\"\r\n\treturn x + 1 # end\r\n";
    let analysis = analysed(source);
    assert_eq!(render_diagnostics(source, &analysis.diagnostics), "");
    let task = &analysis.tasks[0];
    assert_eq!((task.spec_range.start, task.spec.intent.as_str()), (3, "Über 🎉.\nDoc."));
    assert_eq!(task.spec.examples[1].equation, Some(("f(2)".to_owned(), "3".to_owned())));
    assert_eq!(task.body_range.slice(source), "return x + 1 # end");
    let nulls = "# @spec A\0b.\n# @example f(\0) == 2\ndef f(x): ...\n\0\0\n# @spec B.\ndef g(x): ...\n";
    assert!(analysed(nulls).tasks.iter().any(|t| t.signature.name == "g"));
}

/// Time that this thread has computed, where the system tells: a busy machine changes nothing then.
fn cpu_time() -> std::time::Duration {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanoseconds = spent.and_then(|s| s.split_whitespace().next()?.parse().ok());
    let wall = || std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    nanoseconds.map_or_else(wall, std::time::Duration::from_nanos)
}

/// 50,000 lines must not take longer per line than 5,000 do.
#[test]
fn long_files_cost_linear_time() {
    let unit = "# @spec Sum.\n# @example f(1, [2]) == (3, 'x')\n# @ensures result > 0\ndef f(x: int, y=None):\n    total = [x for x in y]\n    if total:\n        return {'a': total, **y}\n    return g(total, key=lambda q: q)\n\nVALUE = f(1, 2)\n";
    let broken = "# @spec Sum.\ndef f(x\n    total = [x for\n  )\n'''\n";
    for (text, lines) in [(unit, 10), (broken, 5)] {
        let time = |count: usize| {
            let distinct = |i: usize| text.replace("f(", &format!("f{i}(")).replace("VALUE", &format!("VALUE_{i}"));
            let source: Arc<str> = Arc::from((0..count / lines).map(distinct).collect::<String>());
            let start = cpu_time();
            let tasks = analyse(Path::new("f.py"), &source).tasks.len();
            (cpu_time().saturating_sub(start), tasks)
        };
        time(1_000);
        let (small, _) = time(5_000);
        let (large, tasks) = time(50_000);
        println!("{lines}-line unit: 5,000 lines {small:?}, 50,000 lines {large:?}, {tasks} tasks");
        assert!(large < small * 40, "5,000 lines {small:?}, 50,000 lines {large:?}");
    }
}

/// Deep nesting of every kind: no recursion may exhaust the stack.
#[test]
fn deep_texts_do_not_overflow() {
    let deep = [
        format!("# @spec Deep.\n# @example f({}1{}) == 1\ndef f(x): ...\n", "[".repeat(4_000), "]".repeat(4_000)),
        format!("# @spec Deep.\ndef f(x):\n    return {}1{}\n", "(".repeat(20_000), ")".repeat(20_000)),
        format!("# @spec Deep.\ndef f(x):\n    return {}1\n", "1+".repeat(20_000)),
        format!("# @spec Deep.\n# @requires {}\ndef f(x): ...\n", "not ".repeat(2_000) + "x"),
        (0..600).map(|i| format!("{}def f{i}():\n", " ".repeat(i))).collect(),
        format!("# @spec Deep.\n# @requires {}\ndef f(x): ...\n", "x ".repeat(20_000)),
    ];
    for text in deep {
        let start = std::time::Instant::now();
        analysed(&text);
        selected(&text, TextRange::new(0, text.len()), "x").ok();
        println!("{:?} {:?}", start.elapsed(), text.get(..40));
    }
}

fn pieces_of(text: &str) -> impl Iterator<Item = &str> {
    let starts = (READER.cut)(text, None).starts;
    let ends: Vec<usize> = starts.iter().skip(1).copied().chain([text.len()]).collect();
    starts.into_iter().zip(ends).map(|(from, to)| &text[from..to])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Any text, and any cut or splice of real text: ranges are on characters, and in order.
    #[test]
    fn any_text_is_analysed(
        pieces in proptest::collection::vec(prop_oneof![
            Just("# @spec A.\n"), Just("# @example f(1) == 2\n"), Just("# @exmaple\n"), Just("def f(x):\n"), Just("    return x\n"), Just("class A:\n"),
            Just("    def g(self): ...\n"), Just("    '''doc\n"), Just("    '''@spec doc\n"), Just("    @ensures x\n"), Just("    >>> f(1)\n"), Just("    2\n"), Just("'''\n"), Just("@dec\n"), Just("\r\n"), Just("\t"),
            Just("# @requires (é\n"), Just("\0"), Just("🎉"), Just("async "), Just("("), Just("\u{feff}"), Just("# @step a(x) -> int: b\n"), Just("    pass\n"), Just("\\\n"), Just("import x\n"),
        ], 0..14),
        noise in "\\PC{0,6}", at in 0usize..200, from in 0usize..200, to in 0usize..200,
    ) {
        let mut text: String = pieces.concat();
        let at = (0..=at.min(text.len())).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.insert_str(at, &noise);
        let analysis = analysed(&text);
        for piece in pieces_of(&text).filter(|piece| !may_have_spec(piece)) {
            let found = analyse_piece(Path::new("f.py"), &Arc::from(piece), &Elsewhere::nothing());
            prop_assert_eq!(found, FileAnalysis::default(), "the quick look must miss nothing");
        }
        for d in &analysis.diagnostics {
            prop_assert!(text.get(d.range.start..d.range.end).is_some(), "{d:?} in {text:?}");
        }
        prop_assert!(analysis.diagnostics.is_sorted_by_key(|d| d.range.start));
        prop_assert!(analysis.tasks.is_sorted_by_key(|t| t.function_range.start));
        for t in &analysis.tasks {
            for range in [t.spec_range, t.function_range, t.body_range] {
                prop_assert!(text.get(range.start..range.end).is_some(), "{range:?} in {text:?}");
            }
            prop_assert!(t.function_range.start <= t.body_range.start && t.body_range.end <= t.function_range.end);
            prop_assert!(t.spec != Spec::default());
        }
        selected(&text, TextRange::new(from, to), "x").ok();
    }
}
