//! Runs one step: feeds the orchestrator, obeys its commands, tells the user, writes the journal.

mod advising;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::{AbortHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use zeroerr_agents::orchestrator::{Command, Event, StepEnd, StepMachine, Verification};
use zeroerr_agents::plan_machine::Turn;
use zeroerr_core::code::{Candidate, TextEdit};
use zeroerr_core::question::Question;
use zeroerr_core::report::{RunEvent, StepReport};
use zeroerr_core::state_manager::{Record, SampleFate};
use zeroerr_core::verdict::{LayerReport, Policy, StackReport, Verdict};
use zeroerr_core::voting_engine::Fingerprint;
use zeroerr_verification::languages::Subject;
use zeroerr_verification::verification_stack::{LayerEvent, subject_for_edit};

use self::advising::Back;
use crate::asking;
use crate::continued::{self, EarlierSample};
use crate::counting::evidence;
use crate::executor::{Drawn, StepContext};
use crate::journal::Journal;

/// Where a step reports to.
#[derive(Clone)]
pub(crate) struct Wires {
    /// Progress for the user.
    pub events: UnboundedSender<RunEvent>,
    /// Cancels the run.
    pub cancel: CancellationToken,
    /// Durable record, if the journal can be written.
    pub journal: Option<(Arc<Journal>, String)>,
    /// The run whose samples this one takes up.
    pub continues: Option<String>,
    /// Questions that the user has answered before it.
    pub answered: u32,
}

impl Wires {
    pub(crate) fn tell(&self, event: RunEvent) {
        // Nobody listening is no reason to stop.
        let _ = self.events.send(event);
    }

    /// What a killed process left of a step.
    pub(crate) fn records_of(&self, step: &str) -> Vec<Record> {
        let Some((journal, run)) = &self.journal else { return Vec::new() };
        journal.records_of_step(run, step).unwrap_or_else(|error| {
            tracing::warn!(%error, step, "what is known of the step is not used");
            Vec::new()
        })
    }

    /// The samples of a step that an earlier run has drawn.
    pub(crate) fn earlier(&self, step: &str) -> Vec<EarlierSample> {
        let Some(((journal, _), run)) = self.journal.as_ref().zip(self.continues.as_ref()) else { return Vec::new() };
        continued::samples_of(journal, run, step).unwrap_or_else(|error| {
            tracing::warn!(%error, step, "the samples of the earlier run are not used");
            Vec::new()
        })
    }

    pub(crate) fn record(&self, record: &Record) {
        if let Some((journal, run)) = &self.journal
            && let Err(error) = journal.append(run, record)
        {
            // Told once, when the run has ended and there still is no room for it.
            tracing::debug!(%error, "a record waits for room in the journal");
        }
    }
}

/// How a step ended, with all there is to say about it.
pub(crate) struct StepOutcome {
    /// Its end; `None` when cancelled.
    pub end: Option<StepEnd>,
    /// Samples, flags, votes.
    pub report: StepReport,
    /// The edits that put the winner into the step's text.
    pub edits: Vec<TextEdit>,
    /// The layers of the last candidate that was verified.
    pub layers: Vec<LayerReport>,
    /// Models whose samples have voted and were counted.
    pub models: BTreeSet<String>,
    /// The winner's code.
    pub winner: Option<Candidate>,
    /// Classes that lost the vote and were not refuted, most votes first, with the code of the first
    /// that voted for each.
    pub rivals: Vec<(String, Candidate)>,
    /// Code that was found wrong, in the order of its samples, each once.
    pub rejected: Vec<Candidate>,
    /// Why the last of it was.
    pub objection: String,
}

/// What a winner must stand before it is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// All eight layers, and there must be evidence.
    FullStack,
    /// No layer may object. A helper of a plan: evidence comes from the function that calls it.
    Part,
}

pub(crate) struct Dispatcher {
    context: Arc<StepContext>,
    wires: Wires,
    check: Check,
    machine: StepMachine,
    candidates: HashMap<u64, Candidate>,
    rejected: BTreeMap<u64, Candidate>,
    /// Who wrote the samples that vote.
    voters: BTreeMap<u64, String>,
    layers: Vec<LayerReport>,
    edits: Vec<TextEdit>,
    questions: Vec<Question>,
    suggestions: Vec<String>,
    decoding: JoinSet<(u64, Drawn)>,
    handles: HashMap<u64, AbortHandle>,
    /// Agents that were asked, and candidates that are tried on what they said.
    advising: JoinSet<Back>,
    announced: u32,
}

impl Dispatcher {
    /// A step that takes up what the journal remembers of it, and what its plan knows beyond that.
    pub(crate) fn new(context: Arc<StepContext>, wires: Wires, check: Check, known: &[Record]) -> Self {
        let earlier = u32::try_from(context.earlier.len()).unwrap_or(u32::MAX);
        let mut machine = StepMachine::new(context.label.clone(), context.options.rules()).taking_up(earlier);
        machine = machine.aiming_at(context.options.aim(context.steps)).advised_by(context.options.agents.rules);
        if context.counts_by_input() {
            let task = &context.task;
            machine = machine.with_evidence(evidence(&task.signature.name, &task.spec, wires.answered));
        }
        let mut records = wires.records_of(machine.name());
        if !records.iter().any(|r| matches!(r, Record::Begun { .. })) {
            let (step, by_input) = (context.label.clone(), context.counts_by_input());
            wires.record(&Record::Begun { step, earlier, steps: context.steps, by_input });
        }
        records.extend_from_slice(known);
        machine.restore(&records);
        let mut this = Self {
            context,
            wires,
            check,
            machine,
            candidates: HashMap::new(),
            rejected: BTreeMap::new(),
            voters: BTreeMap::new(),
            layers: Vec::new(),
            edits: Vec::new(),
            questions: Vec::new(),
            suggestions: Vec::new(),
            decoding: JoinSet::new(),
            handles: HashMap::new(),
            advising: JoinSet::new(),
            announced: 0,
        };
        for record in &records {
            match record {
                Record::Sample { id, model, fate, .. } => this.remember(*id, model, fate),
                Record::Rejected { id, candidate, .. } => drop(this.rejected.insert(*id, candidate.clone())),
                // A run that abstains shows what was held against its last winner, whoever saw it.
                Record::Barred { layers, .. } => this.layers.clone_from(layers),
                _ => {}
            }
        }
        this
    }

    /// Runs the step to its end. Dropping the future, or cancelling, stops every decode and child.
    pub(crate) async fn run(mut self) -> StepOutcome {
        let mut commands = self.machine.start();
        let cancel = self.wires.cancel.clone();
        loop {
            let mut verify = None;
            for command in commands.drain(..) {
                match command {
                    Command::Draw { id } => self.spawn(id),
                    Command::Cancel { ids } => {
                        ids.iter().filter_map(|id| self.handles.remove(id)).for_each(|h| h.abort())
                    }
                    Command::Ask { errand, about } => self.consult(errand, &about),
                    Command::Try { ids, claims } => self.try_on(&ids, claims),
                    Command::Verify { class, id, round } => verify = Some((class, id, round)),
                    Command::Finish(end) => return self.outcome(Some(end)).await,
                }
            }
            let event = if let Some((class, id, round)) = verify {
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => return self.outcome(None).await,
                    verification = self.verify(class, id) => Event::Verified { round, verification },
                }
            } else if self.decoding.is_empty() && self.advising.is_empty() {
                Event::Broken("internal error: the step waits for nothing".into())
            } else {
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => return self.outcome(None).await,
                    Some(back) = self.advising.join_next() => match back {
                        Ok(back) => self.back(back),
                        Err(error) => Event::Broken(format!("internal error: {error}")),
                    },
                    Some(ended) = self.decoding.join_next() => match ended {
                        Ok((id, drawn)) => self.ended(id, drawn),
                        Err(error) if error.is_cancelled() => continue,
                        Err(error) => Event::Broken(format!("internal error: {error}")),
                    },
                }
            };
            commands = self.machine.handle(event);
            self.announce_votes();
        }
    }

    fn spawn(&mut self, id: u64) {
        let context = Arc::clone(&self.context);
        let feedback = self.machine.feedback().to_vec();
        let handle = self.decoding.spawn(async move { (id, context.draw(id, &feedback).await) });
        self.handles.insert(id, handle);
    }

    fn ended(&mut self, id: u64, drawn: Drawn) -> Event {
        self.handles.remove(&id);
        let step = self.step();
        match drawn {
            Drawn::Broken(why) => Event::Broken(why),
            Drawn::Ended { completion_tokens, model, fate, rejected } => {
                let samples = self.machine.ended() + 1;
                self.wires.tell(RunEvent::Sampled {
                    step: step.clone(),
                    samples,
                    max_attempts: self.machine.max_attempts(),
                });
                match &fate {
                    SampleFate::Flagged(flag) => self.wires.tell(RunEvent::Flagged { step: step.clone(), flag: *flag }),
                    SampleFate::GateRejected(why)
                    | SampleFate::NearMiss(why)
                    | SampleFate::Failing { why, .. }
                    | SampleFate::Unfit(why) => {
                        self.wires.tell(RunEvent::GateRejected { step: step.clone(), why: why.clone() })
                    }
                    SampleFate::Votes { .. } | SampleFate::Failed(_) => {}
                }
                self.remember(id, &model, &fate);
                let step = self.machine.name().to_owned();
                if let Some(candidate) = rejected {
                    self.wires.record(&Record::Rejected { step: step.clone(), id, candidate: candidate.clone() });
                    self.rejected.insert(id, candidate);
                }
                self.wires.record(&Record::Sample { step, id, completion_tokens, model, fate: fate.clone() });
                Event::Sampled { id, completion_tokens, fate }
            }
        }
    }

    /// The step's name for the user.
    fn step(&self) -> String {
        self.context.task.signature.name.clone()
    }

    fn remember(&mut self, id: u64, model: &str, fate: &SampleFate) {
        if let SampleFate::Votes { candidate, .. } = fate {
            // As in the count: the first word on a sample stands.
            self.candidates.entry(id).or_insert_with(|| candidate.clone());
            self.voters.entry(id).or_insert_with(|| model.to_owned());
        }
    }

    /// Tells the tally when a vote has been counted since the last time.
    fn announce_votes(&mut self) {
        let votes = self.machine.votes();
        if std::mem::replace(&mut self.announced, votes) != votes {
            let report = self.machine.report();
            self.wires.tell(RunEvent::Voted {
                step: self.step(),
                tally: report.tally,
                margin: report.margin,
                k: report.k,
            });
        }
    }

    async fn verify(&mut self, class: String, id: u64) -> Verification {
        let step = self.machine.name().to_owned();
        let short: String = class.chars().take(8).collect();
        self.wires.tell(RunEvent::Decided { step: self.step(), class: short });
        self.wires.record(&Record::Decided { step: step.clone(), class: class.clone() });
        let Some(candidate) = self.candidates.get(&id) else {
            return Verification::Undecidable("internal error: the winner's code is missing".into());
        };
        let context = Arc::clone(&self.context);
        let placed = match &context.placing {
            Some(place) => place(candidate).map(|subject| (subject, Vec::new())),
            None => alone(&context, candidate),
        };
        let (subject, edits) = match placed {
            Ok(placed) => placed,
            Err(why) => return Verification::Undecidable(format!("the edit does not fit the file: {why}")),
        };
        self.edits = edits;
        let (wires, check) = (self.wires.clone(), self.check);
        let tell = move |event| {
            if check == Check::FullStack {
                wires.tell(layer_event(event));
            }
        };
        // Asked beside the layers: an answer may still overturn a decision that was far from unanimous.
        let classes = if asking::has_strong_minority(&self.machine) { self.classes() } else { Vec::new() };
        let (report, questions) =
            tokio::join!(context.stack.verify(&subject, &tell), asking::questions(&context, &classes));
        let policy = context.options.policy.of(context.task.language);
        let verification = judge_stack(&report, &policy, check);
        self.suggestions = match self.machine.standing().into_iter().find(|s| s.id == id) {
            Some(winner) if check == Check::FullStack && report.lacks_evidence_only(&policy) => {
                asking::suggestions(&context, candidate, winner.fingerprint).await
            }
            _ => Vec::new(),
        };
        self.layers = report.layers;
        self.questions = questions;
        if let Verification::Refuted(feedback) = &verification {
            let layers = self.layers.clone();
            self.wires.record(&Record::Barred { step, class, feedback: feedback.clone(), layers });
        }
        verification
    }

    /// The classes that may still win, each by the candidate of its first vote.
    fn classes(&self) -> Vec<(Candidate, Fingerprint, u32)> {
        let standing = self.machine.standing().into_iter();
        standing.filter_map(|s| Some((self.candidates.get(&s.id)?.clone(), s.fingerprint.clone(), s.votes))).collect()
    }

    /// What a user could settle the split with. A helper of a plan has no spec of its own in the file, so
    /// its answers are shown and cannot be chosen.
    async fn ask(&self) -> Vec<Question> {
        let mut questions = asking::questions(&self.context, &self.classes()).await;
        if self.check == Check::Part {
            questions.iter_mut().flat_map(|q| &mut q.answers).for_each(|a| a.clause = None);
        }
        questions
    }

    /// Waits until every aborted decode is really gone, so that nothing outlives the step.
    async fn outcome(mut self, end: Option<StepEnd>) -> StepOutcome {
        self.decoding.shutdown().await;
        self.advising.shutdown().await;
        if matches!(end, Some(StepEnd::Abstained(_))) {
            let cancel = self.wires.cancel.clone();
            self.questions = tokio::select! {
                biased;
                () = cancel.cancelled() => Vec::new(),
                questions = self.ask() => questions,
            };
        }
        let won = matches!(end, Some(StepEnd::Won { .. }));
        let edits = if won { self.edits } else { Vec::new() };
        let winner = match &end {
            Some(StepEnd::Won { id, .. }) => self.candidates.get(id).cloned(),
            _ => None,
        };
        let losers = self.machine.classes().into_iter().filter(|(class, _)| !is_winner(&end, class));
        let rivals = losers.filter_map(|(class, id)| Some((class, self.candidates.get(&id)?.clone()))).collect();
        let mut wrong = self.rejected;
        wrong.retain(|id, _| self.machine.was_counted(*id));
        let refuted = self.machine.refuted();
        wrong.extend(refuted.iter().filter_map(|(_, id)| Some((*id, self.candidates.get(id)?.clone()))));
        let mut rejected: Vec<Candidate> = Vec::new();
        for candidate in wrong.into_values() {
            if !rejected.contains(&candidate) {
                rejected.push(candidate);
            }
        }
        let report = StepReport {
            name: self.context.task.signature.name.clone(),
            attempt: Turn::of_label(&self.context.label).attempt,
            questions: self.questions,
            suggestions: self.suggestions,
            ..self.machine.report()
        };
        let objection = self.machine.last_objection().to_owned();
        let voters = self.voters.into_iter().filter(|(id, _)| self.machine.was_counted(*id));
        let (layers, models) = (self.layers, voters.map(|(_, model)| model).collect());
        StepOutcome { end, report, edits, layers, models, winner, rivals, rejected, objection }
    }
}

fn is_winner(end: &Option<StepEnd>, class: &str) -> bool {
    matches!(end, Some(StepEnd::Won { class: winner, .. }) if winner == class)
}

/// A candidate in its own file.
fn alone(context: &StepContext, candidate: &Candidate) -> Result<(Subject, Vec<TextEdit>), String> {
    let language = context.stack.language(context.task.language).map_err(|e| e.to_string())?;
    let edits = language.splice(&context.task, candidate)?;
    Ok((subject_for_edit(&context.task, &edits)?, edits))
}

/// The progress event of a layer.
pub(crate) fn layer_event(event: LayerEvent) -> RunEvent {
    match event {
        LayerEvent::Started(layer) => RunEvent::LayerStarted { layer },
        LayerEvent::Finished(report) => RunEvent::LayerFinished { report },
    }
}

/// A failed or timed-out layer refutes this behaviour; a missing tool or missing evidence would
/// stand in the way of every other one as well.
pub(crate) fn judge_stack(report: &StackReport, policy: &Policy, check: Check) -> Verification {
    let objection = match check {
        Check::FullStack => report.objection(policy),
        Check::Part => report.fault(policy),
    };
    let Some(objection) = objection else { return Verification::Accepted };
    let refuted = report.layers.iter().any(|l| matches!(l.verdict, Verdict::Failed | Verdict::TimedOut));
    if refuted { Verification::Refuted(objection) } else { Verification::Undecidable(objection) }
}
