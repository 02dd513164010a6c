//! Does what the orchestrator commands: draws samples, judges candidates, runs the stack.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;
use zeroerr_agents::swarm::Swarm;
use zeroerr_core::code::{Candidate, Task};
use zeroerr_core::ports::{Model, SampleRequest, SampleResponse};
use zeroerr_core::red_flag_detector::{RedFlag, flag_response};
use zeroerr_core::state_manager::SampleFate;
use zeroerr_llm::prompt_templates::{Variation, coder_messages, coder_stops};
use zeroerr_verification::languages::{Observation, Probe, Subject};
use zeroerr_verification::verification_stack::VerificationStack;

use crate::continued::EarlierSample;
use crate::drawing;
use crate::options::RunOptions;
use crate::prompt_style;

/// What was seen of a candidate, shared by all samples that wrote the same code.
type SharedObservation = Arc<OnceCell<Result<Observation, String>>>;

/// Puts a winner where it is verified.
pub(crate) type Placing = Arc<dyn Fn(&Candidate) -> Result<Subject, String> + Send + Sync>;

/// Everything the samples of one step share.
pub(crate) struct StepContext {
    /// The function to write, in the text it will live in.
    pub task: Task,
    /// The checks.
    pub stack: Arc<VerificationStack>,
    /// The models in the order of the swarm.
    pub models: Vec<Arc<dyn Model>>,
    /// The models that testers, discriminators and critics use; none means those that write functions.
    pub advisers: Vec<Arc<dyn Model>>,
    /// Who draws what.
    pub swarm: Swarm,
    /// The rules.
    pub options: RunOptions,
    /// Samples that an earlier run has drawn, by number: judged again, not drawn again.
    pub earlier: Vec<EarlierSample>,
    /// The name that its samples are recorded and seeded by; not the function's when a plan lets it
    /// vote anew.
    pub label: String,
    /// Steps of the plan that it is part of; 1 for a function that stands alone.
    pub steps: u64,
    /// Headers of the functions it may call.
    pub callable: Vec<String>,
    /// How a winner of a plan's step is placed; `None` for a function that stands alone.
    pub placing: Option<Placing>,
    judged: Mutex<HashMap<Candidate, SharedObservation>>,
}

/// What became of one commanded sample.
pub(crate) enum Drawn {
    /// It ended.
    Ended {
        /// Tokens written.
        completion_tokens: u64,
        /// Which model.
        model: String,
        /// How.
        fate: SampleFate,
        /// The code that an example found wrong, when a plan asks for it.
        rejected: Option<Candidate>,
    },
    /// Nothing more can be drawn: model, sandbox or tool missing.
    Broken(String),
}

impl StepContext {
    /// A context without judged candidates.
    pub(crate) fn new(
        task: Task,
        stack: Arc<VerificationStack>,
        models: Vec<Arc<dyn Model>>,
        swarm: Swarm,
        options: RunOptions,
    ) -> Self {
        Self {
            label: task.signature.name.clone(),
            task,
            stack,
            models,
            advisers: Vec::new(),
            swarm,
            options,
            earlier: Vec::new(),
            steps: 1,
            callable: Vec::new(),
            placing: None,
            judged: Mutex::default(),
        }
    }

    /// Whether votes are counted input by input. A function of a plan has seldom examples of its own, and its whole
    /// behaviour is what others build on.
    pub(crate) fn counts_by_input(&self) -> bool {
        self.options.by_input && self.placing.is_none()
    }

    /// The same, taking up what an earlier run has drawn.
    pub(crate) fn taking_up(self, earlier: Vec<EarlierSample>) -> Self {
        Self { earlier, ..self }
    }

    /// Judges the candidate of an earlier run again: the spec has more examples now, and other inputs.
    async fn take_up(&self, sample: &EarlierSample) -> Drawn {
        let fate = match &sample.fate {
            SampleFate::Votes { candidate, .. } => self.judge(candidate.clone()).await.map(|fate| match fate {
                // The new example was chosen to split: who fails it says nothing about what examples are worth.
                SampleFate::GateRejected(why) | SampleFate::NearMiss(why) | SampleFate::Failing { why, .. } => {
                    SampleFate::Unfit(why)
                }
                fate => fate,
            }),
            // Fewer examples refused it already; a malformed response stays one.
            other => Ok(other.clone()),
        };
        match fate {
            Ok(fate) => Drawn::Ended { completion_tokens: 0, model: sample.model.clone(), fate, rejected: None },
            Err(why) => Drawn::Broken(why),
        }
    }

    /// Draws sample `id`: prompt, decode, red flags, gate, fingerprint.
    pub(crate) async fn draw(&self, id: u64, feedback: &[String]) -> Drawn {
        if let Some(sample) = usize::try_from(id).ok().and_then(|id| self.earlier.get(id)) {
            return self.take_up(sample).await;
        }
        let draw = self.swarm.draw(&self.label, id);
        let style = prompt_style::of(draw.style);
        let paraphrase = if self.options.agents.paraphrase { draw.paraphrase } else { 0 };
        let variation = Variation { style, example_order_seed: draw.example_order, paraphrase };
        let request = SampleRequest {
            messages: coder_messages(&self.task, &variation, &self.callable, feedback),
            temperature: draw.temperature,
            top_p: if draw.temperature == 0.0 { 1.0 } else { self.options.top_p },
            seed: draw.seed,
            max_tokens: self.options.max_tokens,
            stop: coder_stops(self.task.language),
            constraint: None,
        };
        let response = match drawing::answer(&self.models, &draw.model, &request).await {
            Ok(response) => response,
            Err(drawn) => return drawn,
        };
        let completion_tokens = response.completion_tokens as u64;
        let mut rejected = None;
        let fate = match candidate_of(&self.stack, &self.task, &response, self.options.max_tokens) {
            Err(flag) => {
                tracing::trace!(flag = flag.name(), text = response.text, "a sample was discarded");
                SampleFate::Flagged(flag)
            }
            Ok(candidate) => match self.judge(candidate.clone()).await {
                Ok(fate) => {
                    rejected = (fate.rejection().is_some() && self.placing.is_some()).then_some(candidate);
                    fate
                }
                Err(why) => return Drawn::Broken(why),
            },
        };
        Drawn::Ended { completion_tokens, model: response.model, fate, rejected }
    }

    /// Gate and fingerprint; equal code is judged once.
    async fn judge(&self, candidate: Candidate) -> Result<SampleFate, String> {
        // What does not fit the file (an import that would rebind a name, say) is the candidate's fault.
        let language = self.stack.language(self.task.language).map_err(|e| e.to_string())?;
        if let Err(why) = language.splice(&self.task, &candidate) {
            return Ok(SampleFate::Unfit(format!("it does not fit the file: {why}")));
        }
        let cell = {
            let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(judged.entry(candidate.clone()).or_default())
        };
        let seen = cell.get_or_init(|| self.observe(&candidate)).await.clone()?;
        Ok(match (seen.objection, seen.behaviour) {
            (None, Some(fingerprint)) => SampleFate::Votes { candidate, fingerprint },
            (None, None) => SampleFate::Unfit("it could not be run".into()),
            (Some(why), _) if seen.is_unfit => SampleFate::Unfit(why),
            (Some(why), Some(behaviour)) => SampleFate::Failing { why, is_near: seen.is_near, behaviour },
            (Some(why), None) if seen.is_near => SampleFate::NearMiss(why),
            (Some(why), None) => SampleFate::GateRejected(why),
        })
    }

    /// What the gate says, and what the candidate does. Of those that fail an example that is only asked where
    /// votes are weighed by it; when it cannot be found out, they are weighed without.
    async fn observe(&self, candidate: &Candidate) -> Result<Observation, String> {
        let seed = self.options.seed;
        let judged = self.stack.judge(&self.task, candidate, seed).await.map_err(|e| e.to_string())?;
        let mut seen = Observation::from(judged);
        if seen.objection.is_some() && !seen.is_unfit && self.counts_by_input() {
            let again = self.stack.observe(&self.task, std::slice::from_ref(candidate), Probe::live(seed)).await;
            let again = again.ok().and_then(|mut all| all.pop()).filter(|again| again.objection.is_some());
            seen.behaviour = again.and_then(|again| again.behaviour);
        }
        Ok(seen)
    }
}

/// The candidate in a response, or the red flag that discards it.
pub(crate) fn candidate_of(
    stack: &VerificationStack,
    task: &Task,
    response: &SampleResponse,
    max_tokens: usize,
) -> Result<Candidate, RedFlag> {
    if let Some(flag) = flag_response(response, max_tokens) {
        return Err(flag);
    }
    // A language without an adapter never gets here: its tasks cannot be analysed.
    let language = stack.language(task.language).map_err(|_| RedFlag::NotOneFunction)?;
    language.extract(&response.text, task)
}
