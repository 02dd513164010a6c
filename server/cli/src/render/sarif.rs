//! Findings as SARIF 2.1.0, for code scanning services and editors.

use serde_sarif::sarif::{
    ArtifactLocation, Location, Message, MultiformatMessageString, PhysicalLocation, Region, ReportingDescriptor,
    Result as SarifResult, ResultLevel, Run, Sarif, Tool, ToolComponent,
};
use zeroerr_core::task_specification::Severity;
use zeroerr_core::verdict::{Finding, Verdict};

use super::json::Diagnostic;
use crate::commands::verify::Verified;

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The rule of a function that nothing speaks for, or that lacks a layer which must pass.
const NOT_VERIFIED: &str = "zeroerr.not-verified";

/// The document: one result per finding, per fault of a spec and per file that cannot be read; a layer that could not run and an objection that no
/// layer says are results of their own, so that neither is ever taken for a clean bill.
pub fn document(verified: &[Verified], faults: &[Diagnostic]) -> Sarif {
    let mut rules: Vec<ReportingDescriptor> = Vec::new();
    let mut results = Vec::new();
    for function in verified {
        for layer in &function.stack.layers {
            for finding in &layer.findings {
                add_rule(&mut rules, &finding.code, finding.url.as_deref());
                results.push(result(
                    &finding.code,
                    ResultLevel::Error,
                    &sentence(finding),
                    &function.file,
                    finding.line,
                ));
            }
            let code = format!("{}.{}", layer.layer, layer.verdict.name());
            let level = match layer.verdict {
                Verdict::Failed if layer.findings.is_empty() => ResultLevel::Error,
                Verdict::Unavailable | Verdict::TimedOut => ResultLevel::Warning,
                _ => continue,
            };
            add_rule(&mut rules, &code, None);
            results.push(result(&code, level, &layer.detail, &function.file, function.line));
        }
        if let Some(objection) = function.unsaid() {
            add_rule(&mut rules, NOT_VERIFIED, None);
            results.push(result(NOT_VERIFIED, ResultLevel::Error, objection, &function.file, function.line));
        }
    }
    for fault in faults {
        let level = match fault.severity {
            Severity::Error => ResultLevel::Error,
            Severity::Warning => ResultLevel::Warning,
            Severity::Hint => ResultLevel::Note,
        };
        add_rule(&mut rules, &fault.code, None);
        results.push(result(&fault.code, level, &fault.message, &fault.file, fault.line));
    }
    let driver = ToolComponent::builder().name("zeroerr").version(env!("CARGO_PKG_VERSION")).rules(rules).build();
    let run = Run::builder().tool(Tool::builder().driver(driver).build()).results(results).build();
    Sarif::builder().version(serde_json::json!("2.1.0")).schema(SCHEMA).runs([run]).build()
}

fn sentence(finding: &Finding) -> String {
    match &finding.counterexample {
        Some(input) => format!("{}; for example: {input}", finding.message),
        None => finding.message.clone(),
    }
}

fn add_rule(rules: &mut Vec<ReportingDescriptor>, code: &str, url: Option<&str>) {
    if rules.iter().any(|r| r.id == code) {
        return;
    }
    let text = MultiformatMessageString::builder().text(code).build();
    let rule = ReportingDescriptor::builder().id(code).short_description(text);
    rules.push(match url {
        Some(url) => rule.help_uri(url).build(),
        None => rule.build(),
    });
}

fn result(code: &str, level: ResultLevel, message: &str, file: &str, line: usize) -> SarifResult {
    let region = Region::builder().start_line(i64::try_from(line.max(1)).unwrap_or(i64::MAX)).build();
    let uri = reference(file);
    let physical = PhysicalLocation::builder()
        .artifact_location(ArtifactLocation::builder().uri(uri).build())
        .region(region)
        .build();
    let location = Location::builder().physical_location(physical).build();
    SarifResult::builder()
        .rule_id(code)
        .level(level)
        .message(Message::builder().text(message).build())
        .locations([location])
        .build()
}

/// A path as SARIF wants it, a URI reference: forward slashes, and no character that a URI gives a meaning to or
/// does not have.
fn reference(file: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/".contains(&b);
    let escaped = |b: u8| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") };
    file.replace('\\', "/").bytes().map(escaped).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::fixture;

    #[test]
    fn a_path_is_a_uri_reference_whatever_it_is_called() {
        assert_eq!(reference("src\\a b/100%.py"), "src/a%20b/100%25.py");
        assert_eq!(reference("a:b[1]^\u{e9}#?.py"), "a%3Ab%5B1%5D%5E%C3%A9%23%3F.py");
    }

    #[test]
    fn no_failure_is_without_a_result() {
        let sarif = serde_json::to_value(document(&fixture::unsaid(), &fixture::faults())).unwrap();
        let results = sarif["runs"][0]["results"].as_array().unwrap();
        let said: Vec<_> =
            results.iter().map(|r| format!("{} {} {}", r["level"], r["ruleId"], r["message"]["text"])).collect();
        expect_test::expect![[r#"
            "error" "zeroerr.not-verified" "no evidence"
            "warning" "types.unavailable" "ty is not installed"
            "error" "spec.unknown-tag" "unknown tag `@exmaple`"
            "error" "file.unreadable" "is not UTF-8; save the file as UTF-8""#]]
        .assert_eq(&said.join("\n"));
    }

    #[test]
    fn findings_and_missing_tools_are_results_with_rule_and_place() {
        let sarif = serde_json::to_value(document(&fixture::verified(), &[])).unwrap();
        assert_eq!(sarif["version"], "2.1.0");
        let run = &sarif["runs"][0];
        let rules: Vec<&str> =
            run["tool"]["driver"]["rules"].as_array().unwrap().iter().filter_map(|r| r["id"].as_str()).collect();
        assert_eq!(rules, ["types.unavailable", "tests.example"]);
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), 2, "what passed, and what had nothing to do, is no result");
        assert_eq!((&results[0]["level"], &results[1]["level"]), (&"warning".into(), &"error".into()));
        let place = &results[1]["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "my%20code/a.py");
        assert_eq!(place["region"]["startLine"], 9);
        assert_eq!(results[1]["message"]["text"], "median([2, 1]) is 1 & not 1.5; for example: median([2, 1])");
    }
}
