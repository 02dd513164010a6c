//! The eight layers and what they say (docs/ARCHITECTURE.md, "Layers").

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::code::LanguageId;

/// One of the eight checks, in cost order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Layer {
    /// Does it parse, in the file it will live in.
    Syntax,
    /// Does the file still type-check, with no new escape from the type system.
    Types,
    /// Do `@requires`, `@ensures` and `@raises` hold.
    Contracts,
    /// Examples, doctests and the project's own tests that reach the function.
    Tests,
    /// `@property` under a generator with shrinking.
    Properties,
    /// The project's linter; only new findings count.
    Analysis,
    /// Scanner and capability check.
    Security,
    /// `@budget` and `@complexity`.
    Performance,
}

impl Layer {
    /// All layers in order.
    pub const ALL: [Layer; 8] = [
        Layer::Syntax,
        Layer::Types,
        Layer::Contracts,
        Layer::Tests,
        Layer::Properties,
        Layer::Analysis,
        Layer::Security,
        Layer::Performance,
    ];

    /// The lower-case name; also the first part of a finding's code.
    pub fn name(self) -> &'static str {
        match self {
            Layer::Syntax => "syntax",
            Layer::Types => "types",
            Layer::Contracts => "contracts",
            Layer::Tests => "tests",
            Layer::Properties => "properties",
            Layer::Analysis => "analysis",
            Layer::Security => "security",
            Layer::Performance => "performance",
        }
    }
}

impl std::fmt::Display for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// What one layer says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Every check ran and none objected.
    Passed,
    /// At least one check objected; the findings say where and why.
    Failed,
    /// There was nothing to check, and why.
    NotApplicable,
    /// A tool the check needs is missing, the wrong version, crashed or printed garbage.
    Unavailable,
    /// The check did not end in its time.
    TimedOut,
}

impl Verdict {
    /// The name in JSON output.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Passed => "passed",
            Verdict::Failed => "failed",
            Verdict::NotApplicable => "not_applicable",
            Verdict::Unavailable => "unavailable",
            Verdict::TimedOut => "timed_out",
        }
    }
}

/// One objection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// `<layer>.<rule>`, e.g. `types.invalid-return-type`.
    pub code: String,
    /// One sentence a developer can act on.
    pub message: String,
    /// 1-based line in the checked file.
    pub line: usize,
    /// A concrete input that shows the fault, as source code (`median([2, 1])`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counterexample: Option<String>,
    /// 1-based line of the spec clause that is violated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_line: Option<usize>,
    /// Documentation of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// What one layer found, with what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerReport {
    /// The layer.
    pub layer: Layer,
    /// Its verdict.
    pub verdict: Verdict,
    /// One phrase: "3 examples", "no @budget", "ty is not installed; run `zeroerr doctor --fix`".
    pub detail: String,
    /// Objections, empty unless `Failed`.
    pub findings: Vec<Finding>,
    /// Tools that took part, `name version`.
    #[serde(default)]
    pub tools: Vec<String>,
    /// How many checks ran that a wrong program could have failed; the evidence of this layer.
    #[serde(default)]
    pub evidence: usize,
    /// Claims of the spec that wrong programs meet as well, as they are written: none of them is evidence.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hollow: Vec<String>,
    /// Wall time in milliseconds.
    #[serde(default)]
    pub elapsed_ms: u64,
    /// Whether it was found out earlier, and nothing has changed since that could change it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub remembered: bool,
}

impl LayerReport {
    /// A report without findings.
    pub fn new(layer: Layer, verdict: Verdict, detail: impl Into<String>) -> Self {
        Self {
            layer,
            verdict,
            detail: detail.into(),
            findings: Vec::new(),
            tools: Vec::new(),
            evidence: 0,
            hollow: Vec::new(),
            elapsed_ms: 0,
            remembered: false,
        }
    }
}

/// Which layers must pass before an edit may be offered as verified. By default every layer must run: a missing
/// tool blocks the offer and says so.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Policy {
    /// Layers that may be `Unavailable` or `TimedOut`. `Failed` is never tolerated.
    pub may_be_unavailable: Vec<Layer>,
    /// Layers that must have passed: that there was nothing to check is no excuse.
    #[serde(default)]
    pub must_pass: Vec<Layer>,
    /// What holds for one language in the place of the above.
    #[serde(default)]
    pub languages: BTreeMap<LanguageId, Policy>,
}

impl Policy {
    /// What holds for a language.
    pub fn of(&self, language: LanguageId) -> Policy {
        match self.languages.get(&language) {
            Some(own) => own.clone(),
            None => Policy { languages: BTreeMap::new(), ..self.clone() },
        }
    }
}

/// What is said of code that nothing could have shown to be wrong.
const NO_EVIDENCE: &str = "no evidence: add an @example, @ensures or @property that a wrong program would fail";
/// The same, where something was claimed that shows nothing.
const STRONGER: &str = "add an @example, @ensures or @property that it would fail";

/// All layers of one function.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct StackReport {
    /// One report per layer that was asked, in layer order.
    pub layers: Vec<LayerReport>,
}

impl StackReport {
    /// How many layers passed.
    pub fn passed(&self) -> usize {
        self.layers.iter().filter(|l| l.verdict == Verdict::Passed).count()
    }

    /// Checks that could have failed, over the layers that speak of behaviour.
    pub fn evidence(&self) -> usize {
        self.layers
            .iter()
            .filter(|l| matches!(l.layer, Layer::Contracts | Layer::Tests | Layer::Properties))
            .map(|l| l.evidence)
            .sum()
    }

    /// Why the code may not be called verified, or `None` when it may.
    ///
    /// Everything must have run: a stack that stopped early, a failed layer, a layer that could
    /// not run and is not excused by `policy`, or a lack of evidence each forbid the word.
    pub fn objection(&self, policy: &Policy) -> Option<String> {
        self.fault(policy).or_else(|| self.unpassed(policy)).or_else(|| (self.evidence() == 0).then(|| self.lack()))
    }

    /// What is said where nothing speaks for the code: which claims were no evidence, if there were any.
    fn lack(&self) -> String {
        let hollow: Vec<String> = self.layers.iter().flat_map(|l| &l.hollow).map(|c| format!("`{c}`")).collect();
        match hollow.split_last() {
            None => NO_EVIDENCE.to_owned(),
            Some((last, [])) => format!("no evidence: a wrong program meets {last} too; {STRONGER}"),
            Some((last, others)) => {
                format!("no evidence: a wrong program meets {} and {last} too; {STRONGER}", others.join(", "))
            }
        }
    }

    /// Whether nothing stands against the code but that nothing speaks for it.
    pub fn lacks_evidence_only(&self, policy: &Policy) -> bool {
        self.fault(policy).is_none() && self.evidence() == 0
    }

    /// A layer that must pass and had nothing to check.
    fn unpassed(&self, policy: &Policy) -> Option<String> {
        let idle =
            |layer: &&Layer| self.layers.iter().find(|r| r.layer == **layer && r.verdict == Verdict::NotApplicable);
        let report = policy.must_pass.iter().find_map(|layer| idle(&layer))?;
        Some(format!("{} must pass here, and there was nothing to check: {}", report.layer, report.detail))
    }

    /// As [`objection`](Self::objection), but for a lack of evidence: what stands against a function
    /// that is shown to be right by the one that calls it.
    pub fn fault(&self, policy: &Policy) -> Option<String> {
        if let Some(failed) = self.layers.iter().find(|l| l.verdict == Verdict::Failed) {
            let first = failed.findings.first().map_or(failed.detail.as_str(), |f| f.message.as_str());
            return Some(format!("{} failed: {first}", failed.layer));
        }
        for layer in Layer::ALL {
            let Some(report) = self.layers.iter().find(|l| l.layer == layer) else {
                return Some(format!("{layer} did not run"));
            };
            let could_not_run = matches!(report.verdict, Verdict::Unavailable | Verdict::TimedOut);
            if could_not_run && !policy.may_be_unavailable.contains(&layer) {
                return Some(format!("{layer} could not run: {}", report.detail));
            }
        }
        None
    }

    /// "7 of 8 checks passed; performance: nothing to check (no @budget)".
    pub fn summary(&self) -> String {
        let mut out = format!("{} of {} checks passed", self.passed(), Layer::ALL.len());
        for l in self.layers.iter().filter(|l| l.verdict != Verdict::Passed) {
            let word = match l.verdict {
                Verdict::Failed => "failed",
                Verdict::NotApplicable => "nothing to check",
                Verdict::Unavailable => "unavailable",
                Verdict::TimedOut => "timed out",
                Verdict::Passed => continue,
            };
            out.push_str(&format!("; {}: {word} ({})", l.layer, l.detail));
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(verdict: Verdict, evidence: usize) -> StackReport {
        let layers =
            Layer::ALL.iter().map(|&l| LayerReport { evidence, ..LayerReport::new(l, verdict.clone(), "d") }).collect();
        StackReport { layers }
    }

    #[test]
    fn a_full_pass_with_evidence_is_verified() {
        assert_eq!(all(Verdict::Passed, 1).objection(&Policy::default()), None);
    }

    #[test]
    fn nothing_less_is_verified() {
        let policy = Policy::default();
        assert!(all(Verdict::Passed, 0).objection(&policy).is_some_and(|w| w.contains("no evidence")));
        assert!(all(Verdict::Unavailable, 1).objection(&policy).is_some());
        assert!(all(Verdict::TimedOut, 1).objection(&policy).is_some());
        let mut partial = all(Verdict::Passed, 1);
        partial.layers.pop();
        assert_eq!(partial.objection(&policy).as_deref(), Some("performance did not run"));
        let lenient = Policy { may_be_unavailable: Layer::ALL.to_vec(), ..Policy::default() };
        let mut failed = all(Verdict::Passed, 1);
        failed.layers[2].verdict = Verdict::Failed;
        assert!(failed.objection(&lenient).is_some(), "a failure is never tolerated");
    }

    #[test]
    fn claims_that_wrong_programs_meet_are_named_where_nothing_else_speaks_for_the_code() {
        let mut hollow = all(Verdict::Passed, 0);
        hollow.layers[2].hollow = vec!["result == result".into()];
        let said = "no evidence: a wrong program meets `result == result` too; \
                    add an @example, @ensures or @property that it would fail";
        assert_eq!(hollow.objection(&Policy::default()).as_deref(), Some(said));
        hollow.layers[3].hollow = vec!["f(1) == f(1)".into()];
        let both = hollow.objection(&Policy::default()).unwrap_or_default();
        assert!(both.contains("meets `result == result` and `f(1) == f(1)` too"), "{both}");
        hollow.layers[3].evidence = 1;
        assert_eq!(hollow.objection(&Policy::default()), None);
    }

    #[test]
    fn a_layer_that_must_pass_is_not_excused_by_having_nothing_to_check() {
        let mut idle = all(Verdict::Passed, 1);
        idle.layers[4] = LayerReport::new(Layer::Properties, Verdict::NotApplicable, "no @property");
        assert_eq!(idle.objection(&Policy::default()), None);
        let strict = Policy { must_pass: vec![Layer::Tests, Layer::Properties], ..Policy::default() };
        let languages = BTreeMap::from([(LanguageId::Rust, strict.clone())]);
        let policy = Policy { languages, ..Policy::default() };
        assert_eq!(idle.objection(&policy.of(LanguageId::Python)), None);
        assert_eq!(
            idle.objection(&policy.of(LanguageId::Rust)).as_deref(),
            Some("properties must pass here, and there was nothing to check: no @property")
        );
        assert_eq!(all(Verdict::Passed, 1).objection(&strict), None);
    }

    #[test]
    fn only_what_lacks_nothing_but_evidence_is_said_to() {
        let policy = Policy::default();
        assert!(all(Verdict::Passed, 0).lacks_evidence_only(&policy));
        assert!(!all(Verdict::Passed, 1).lacks_evidence_only(&policy));
        assert!(!all(Verdict::Unavailable, 0).lacks_evidence_only(&policy));
    }
}
