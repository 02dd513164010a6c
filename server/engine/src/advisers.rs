//! Asks testers, discriminators and critics, and reads what they say as far as it is of use.
//!
//! An agent that has no answer contributes nothing: it is never the reason for a run to fail.

use zeroerr_agents::replies::{self, Written};
use zeroerr_agents::swarm::Swarm;
use zeroerr_core::advice::{Claim, Errand, Said};
use zeroerr_core::code::{Candidate, LanguageId, Task};
use zeroerr_core::ports::{FinishReason, Message, SampleRequest, SampleResponse};
use zeroerr_core::task_specification::Spec;
use zeroerr_core::verdict::LayerReport;
use zeroerr_core::voting_engine::Fingerprint;
use zeroerr_core::voting_engine::domain::Domain;
use zeroerr_llm::prompt_templates::advisers::{critic_messages, discriminator_messages, stops, tester_messages};
use zeroerr_verification::verification_stack::VerificationStack;

use crate::executor::StepContext;

/// Tokens that one test or call takes, and what an answer takes beside them.
const TOKENS_PER_LINE: usize = 40;
const TOKENS_BESIDE: usize = 40;
/// Tokens of a critic's answer.
const CRITIQUE: usize = 160;
/// Calls that a discriminator proposes, at most.
const INPUTS: u32 = 6;
/// Calls that it is shown.
const SHOWN: usize = 3;

/// An agent's answer.
pub(crate) struct Answer {
    pub errand: Errand,
    pub model: String,
    pub completion_tokens: u64,
    pub said: Said,
}

/// What an errand is about.
#[derive(Default)]
pub(crate) struct About {
    /// Candidates with what they do.
    pub candidates: Vec<(Candidate, Fingerprint)>,
    /// What the layers said.
    pub verdicts: Vec<String>,
}

/// What the layers said, as a critic reads it.
pub(crate) fn verdicts(layers: &[LayerReport]) -> Vec<String> {
    layers.iter().map(|l| format!("{}: {}, {}", l.layer, l.verdict.name().replace('_', " "), l.detail)).collect()
}

impl StepContext {
    /// Asks for one thing.
    pub(crate) async fn advise(&self, errand: Errand, about: About) -> Answer {
        let nothing = |model: &str, completion_tokens: u64, why: String| {
            let (model, said) = (model.to_owned(), Said::Nothing(why));
            Answer { errand, model, completion_tokens, said }
        };
        let models = if self.advisers.is_empty() { &self.models } else { &self.advisers };
        let names = models.iter().map(|m| m.name().to_owned()).collect();
        let draw = Swarm { models: names, ..self.swarm.clone() }.errand(&self.label, errand);
        let Some(model) = models.iter().find(|m| m.name() == draw.model) else {
            return nothing("", 0, "no model is configured".into());
        };
        let Some((messages, tokens)) = self.messages(errand, &about) else {
            return nothing(model.name(), 0, "there is nothing to ask about".into());
        };
        let request = SampleRequest {
            messages,
            temperature: draw.temperature,
            top_p: if draw.temperature == 0.0 { 1.0 } else { self.options.top_p },
            seed: draw.seed,
            max_tokens: tokens.min(self.options.max_tokens),
            stop: if matches!(errand, Errand::Criticise(_)) { Vec::new() } else { stops() },
            constraint: None,
        };
        let response = match model.sample(request).await {
            Ok(response) => response,
            Err(error) => return nothing(model.name(), 0, error.to_string()),
        };
        tracing::trace!(agent = errand.agent(), text = response.text, "an agent has answered");
        let said = self.said(errand, &response);
        Answer { errand, model: response.model, completion_tokens: response.completion_tokens as u64, said }
    }

    fn messages(&self, errand: Errand, about: &About) -> Option<(Vec<Message>, usize)> {
        let lines = |most: u32| TOKENS_BESIDE + TOKENS_PER_LINE * most as usize;
        let most = self.options.agents.tests;
        Some(match (errand, about.candidates.as_slice()) {
            (Errand::Test(_), _) => (tester_messages(&self.task, most), lines(most)),
            (Errand::Discriminate(_), [(a, x), (b, y), ..]) => {
                let known: Vec<String> =
                    x.differences(y).into_iter().map(|(c, _, _)| c.to_owned()).take(SHOWN).collect();
                let both = [a.function.as_str(), b.function.as_str()];
                (discriminator_messages(&self.task, both, &known, INPUTS), lines(INPUTS))
            }
            (Errand::Criticise(_), [(code, _), ..]) => {
                (critic_messages(&self.task, &code.function, &about.verdicts), CRITIQUE)
            }
            _ => return None,
        })
    }

    fn said(&self, errand: Errand, response: &SampleResponse) -> Said {
        // The last line of an answer that was cut off may say something else than was meant.
        let text = match response.finish {
            FinishReason::Stop => response.text.as_str(),
            FinishReason::Length => response.text.rsplit_once('\n').map_or("", |(whole, _)| whole),
        };
        let most = match errand {
            Errand::Test(_) => self.options.agents.tests,
            Errand::Discriminate(_) => INPUTS,
            Errand::Criticise(_) => {
                let silent = if replies::approves(text) { "no objection" } else { "neither `OK` nor an objection" };
                return replies::objection(text).map_or_else(|| Said::Nothing(silent.into()), Said::Objection);
            }
        };
        let written = replies::calls(text, &self.task.signature.name, most as usize);
        let claims = claims(&self.stack, &self.task, written, matches!(errand, Errand::Test(_)));
        if claims.is_empty() {
            return Said::Nothing(format!(
                "no line of the answer is a {} that can be read",
                match errand {
                    Errand::Test(_) => "test",
                    _ => "call",
                }
            ));
        }
        Said::Claims(claims)
    }
}

/// What can be tried of an answer: calls in the function's language, and with a tester's the value that it
/// expects. What an example of the spec says already is no news.
fn claims(stack: &VerificationStack, task: &Task, written: Vec<Written>, with_values: bool) -> Vec<Claim> {
    let spec: &Spec = &task.spec;
    let domain = Domain::of(&task.signature.name, spec.examples.iter().map(|e| e.code.as_str()));
    let is_known = |call: &str| spec.examples.iter().filter_map(|e| e.equation.as_ref()).any(|(left, _)| left == call);
    let mut claims: Vec<Claim> = Vec::new();
    for Written { call, expected } in written {
        let expected = expected.filter(|_| with_values);
        let value = expected.as_deref().unwrap_or(match task.language {
            LanguageId::Python => "None",
            LanguageId::Rust => "()",
            LanguageId::TypeScript => "undefined",
        });
        let Some((call, value)) = stack.claim(task, &call, value) else { continue };
        if is_known(&call) {
            continue;
        }
        let claim = Claim { inside: domain.holds(&call), expected: expected.map(|_| value), call };
        if !claims.contains(&claim) {
            claims.push(claim);
        }
    }
    claims
}
