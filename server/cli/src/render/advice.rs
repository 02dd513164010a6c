//! What testers, critics and discriminators contributed to a step, in a few lines.

use zeroerr_core::advice::AdviceReport;

use super::{FAINT, WARN, plural};

/// Lists are cut after so many; `--json` and the report have all.
const SHOWN: usize = 6;

/// The lines; none when nothing came of it.
pub fn lines(advice: &AdviceReport) -> Vec<String> {
    let mut out = Vec::new();
    if !advice.tests.is_empty() {
        let sets: Vec<String> = advice.agreement.iter().map(|s| format!("{} x {}", s.votes, s.tests)).collect();
        let against = if advice.tests_object { "; they speak for another behaviour" } else { "" };
        let sets = if sets.is_empty() { String::new() } else { format!(", votes x passed: {}", sets.join(", ")) };
        out.push(format!("{FAINT}weak votes:{FAINT:#} {}{sets}{against}", plural(advice.tests.len(), "test")));
        let tests = advice.tests.iter().take(SHOWN);
        out.extend(tests.map(|t| format!("  {FAINT}{} of {}{FAINT:#}  {}", t.passed, t.of, t.code)));
    }
    let telling = advice.inputs.iter().filter(|i| i.by == "discriminator" || (i.inside && i.outcomes > 1));
    for input in telling.take(SHOWN) {
        let told = if input.outcomes > 1 { plural(input.outcomes as usize, "outcome") } else { "no difference".into() };
        out.push(format!("{FAINT}input of the {}:{FAINT:#} {}, {told}", input.by, input.call));
    }
    for objection in &advice.objections {
        out.push(format!("{WARN}critic:{WARN:#} objected to {}: {}", objection.class, objection.text));
    }
    if advice.extra_lead > 0 {
        out.push(format!("{} more needed", plural(advice.extra_lead as usize, "vote")));
    }
    out.extend(advice.nothing.iter().map(|(who, why)| format!("{FAINT}{who}: {why}{FAINT:#}")));
    out
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;
    use zeroerr_core::advice::{AgreementReport, InputReport, ObjectionReport, TestReport};

    use super::*;

    #[test]
    fn contributions_are_told_with_what_came_of_them() {
        let input =
            |call: &str, by: &str, inside, outcomes| InputReport { call: call.into(), by: by.into(), inside, outcomes };
        let advice = AdviceReport {
            tests: vec![TestReport { code: "f(2) == 3".into(), passed: 1, of: 4 }],
            agreement: vec![
                AgreementReport { classes: vec!["0a".into()], votes: 3, tests: 0, score: 0 },
                AgreementReport { classes: vec!["0b".into()], votes: 1, tests: 1, score: 1 },
            ],
            tests_object: true,
            inputs: vec![
                input("f(2)", "tester", true, 2),
                input("f(-2)", "tester", false, 2),
                input("f(7)", "discriminator", true, 1),
            ],
            objections: vec![ObjectionReport { class: "0a".into(), text: "f(3) gives 4".into() }],
            extra_lead: 2,
            nothing: BTreeMap::from([("tester 2".into(), "no line of the answer is a test that can be read".into())]),
            ..AdviceReport::default()
        };
        let plain: Vec<String> = lines(&advice).iter().map(|l| anstream::adapter::strip_str(l).to_string()).collect();
        expect![[r#"
            weak votes: 1 test, votes x passed: 3 x 0, 1 x 1; they speak for another behaviour
              1 of 4  f(2) == 3
            input of the tester: f(2), 2 outcomes
            input of the discriminator: f(7), no difference
            critic: objected to 0a: f(3) gives 4
            2 votes more needed
            tester 2: no line of the answer is a test that can be read"#]]
        .assert_eq(&plain.join("\n"));
        assert!(lines(&AdviceReport::default()).is_empty());
    }
}
