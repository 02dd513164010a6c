//! What testers, discriminators and critics may do to a vote, and what they may not.

use zeroerr_core::code::Candidate;

use super::*;

fn vote(behaviour: &str) -> SampleFate {
    SampleFate::Votes {
        candidate: Candidate { function: behaviour.into(), body: behaviour.into(), imports: vec![] },
        fingerprint: Fingerprint { outcomes: vec![("f(0)".into(), format!("= {behaviour}"))] },
    }
}

fn test(call: &str, expected: &str) -> Claim {
    Claim { call: call.into(), expected: Some(expected.into()), inside: true }
}

fn input(call: &str) -> Claim {
    Claim { call: call.into(), expected: None, inside: true }
}

fn machine(k: u32, agents: AgentRules) -> StepMachine {
    StepMachine::new("f", StepRules { k, max_attempts: 10, in_flight: 1 }).advised_by(agents)
}

const TESTER: AgentRules =
    AgentRules { testers: 1, weak_votes: 1, critic: false, objection_votes: 1, discriminators: 0 };
const CRITIC: AgentRules = AgentRules { testers: 0, critic: true, ..TESTER };
const DISCRIMINATOR: AgentRules = AgentRules { testers: 0, discriminators: 1, ..TESTER };

/// Runs a machine: sample `id` votes for `votes[id]`, candidates give `outcome` on a call, agents say `said`,
/// and the layers accept everybody. Tells what happened, and the end.
fn run(
    mut m: StepMachine,
    votes: &[&str],
    outcome: impl Fn(u64, &str) -> String,
    said: impl Fn(Errand) -> Said,
) -> (String, StepMachine) {
    let mut told = String::new();
    let mut commands: Vec<Command> = m.start();
    while !commands.is_empty() {
        let command = commands.remove(0);
        let event = match command {
            Command::Draw { id } => {
                told.push_str(&format!("{id} "));
                let fate = votes.get(id as usize % 20).map_or(SampleFate::Flagged(RedFlag::Empty), |v| vote(v));
                Event::Sampled { id, completion_tokens: 1, fate }
            }
            Command::Ask { errand, .. } => {
                told.push_str(&format!("{} ", errand.agent()));
                Event::Advised { errand, completion_tokens: 1, said: said(errand) }
            }
            Command::Try { ids, claims } => {
                told.push_str(&format!("try{ids:?} "));
                let one = |id: u64, c: &Claim| {
                    let outcome = outcome(id, &c.call);
                    let holds = c.expected.as_ref().is_some_and(|e| format!("= {e}") == outcome);
                    (c.code(), Trial { outcome: Some(outcome), holds })
                };
                let trials = ids.iter().map(|id| (*id, claims.iter().map(|c| one(*id, c)).collect()));
                Event::Tried { trials: trials.collect() }
            }
            Command::Verify { id, round, .. } => {
                told.push_str(&format!("verify {id} "));
                Event::Verified { round, verification: Verification::Accepted }
            }
            Command::Cancel { .. } => continue,
            Command::Finish(end) => {
                told.push_str(&match end {
                    StepEnd::Won { id, .. } => format!("won by {id}"),
                    StepEnd::Abstained(why) | StepEnd::Failed(why) => why,
                });
                break;
            }
        };
        commands.extend(m.handle(event));
    }
    (told, m)
}

#[test]
fn false_tests_reject_nobody() {
    let lies = |_| Said::Claims(vec![test("f(1)", "no"), test("f(2)", "never")]);
    let (told, m) = run(machine(3, TESTER), &["a", "a", "a"], |_, _| "= 7".into(), lies);
    assert_eq!(told, "tester 0 1 2 try[0, 1, 2] verify 0 won by 0", "as many samples as without a tester");
    let report = m.report();
    let advice = report.advice.unwrap();
    assert_eq!((advice.extra_lead, advice.granted, report.k), (0, 0, 3));
    assert_eq!(advice.tests.iter().map(|t| (t.passed, t.of)).collect::<Vec<_>>(), [(0, 3), (0, 3)]);
}

#[test]
fn tests_that_agree_with_a_rival_ask_for_one_more_vote() {
    // f(1) is outside of what the fingerprint may look at, so that only the agreement counts.
    let claims = ["1", "2", "3"].map(|n| Claim { inside: false, ..test(&format!("f({n})"), "2") });
    let said = |_| Said::Claims(claims.to_vec());
    let is_rival = |id: u64| id == 1;
    let outcome = |id: u64, _: &str| if is_rival(id) { "= 2".to_owned() } else { "= 1".to_owned() };
    let votes = ["a", "b", "a", "a", "a", "a"];
    let (told, m) = run(machine(2, TESTER), &votes, outcome, said);
    assert_eq!(told, "tester 0 1 2 3 try[0, 1, 2, 3] 4 try[4] verify 0 won by 0", "a lead of 3 in the place of 2");
    let advice = m.report().advice.unwrap();
    assert!(advice.tests_object && advice.extra_lead == 1 && advice.granted == 1);
    assert_eq!(advice.agreement[0].score, 3, "one vote for b, three tests");
    let (told, _) = run(machine(2, AgentRules { testers: 0, ..TESTER }), &votes, outcome, said);
    assert_eq!(told, "0 1 2 3 verify 0 won by 0", "without a tester");
}

#[test]
fn tests_that_agree_with_the_leader_change_nothing() {
    let claims = Claim { inside: false, ..test("f(1)", "1") };
    let said = |_| Said::Claims(vec![claims.clone()]);
    let outcome = |id: u64, _: &str| if id == 1 { "= 2".to_owned() } else { "= 1".to_owned() };
    let (told, _) = run(machine(3, TESTER), &["a", "b", "a", "a", "a"], outcome, said);
    assert_eq!(told, "tester 0 1 2 3 4 try[0, 1, 2, 3, 4] verify 0 won by 0", "a lead of 3 of its own votes, no less");
}

#[test]
fn inputs_of_tests_split_a_behaviour_whose_members_differ() {
    let said = |_| Said::Claims(vec![test("f(9)", "1")]);
    // The first vote does something else on f(9) than the others.
    let outcome = |id: u64, _: &str| if id == 0 { "! ValueError".to_owned() } else { "= 2".to_owned() };
    let (told, m) = run(machine(2, TESTER), &["a"; 9], outcome, said);
    assert_eq!(told, "tester 0 1 try[0, 1] 2 3 try[2, 3] verify 1 won by 1");
    let report = m.report();
    assert_eq!(report.tally.iter().map(|c| c.votes).collect::<Vec<_>>(), [3, 1]);
    assert_eq!(report.disagreements[0].input, "f(9)", "and it can be asked about");
    assert_eq!(report.advice.unwrap().inputs[0].outcomes, 2);
    let beyond = |_| Said::Claims(vec![Claim { inside: false, ..input("f(-9)") }]);
    let (told, _) = run(machine(2, TESTER), &["a"; 9], outcome, beyond);
    assert_eq!(told, "tester 0 1 try[0, 1] verify 0 won by 0", "what the examples do not speak of splits nothing");
}

#[test]
fn an_input_that_splits_the_rival_makes_nobody_win() {
    let said = |_| Said::Claims(vec![test("f(9)", "1")]);
    // a and b are level; those who vote for b differ on f(9).
    let outcome = |id: u64, _: &str| format!("= {}", if id % 2 == 1 { id } else { 0 });
    let votes = ["a", "b", "a", "b", "a", "b", "a", "b", "a", "b"];
    let (told, m) = run(machine(2, TESTER), &votes, outcome, said);
    assert!(told.contains("no behaviour") && told.contains("counted without the inputs of agents"), "{told}");
    let report = m.report();
    assert_eq!((report.tally[0].votes, report.margin, report.tally.len()), (5, 0, 6), "five for a, b is five by now");
}

#[test]
fn what_was_refuted_is_not_brought_back_by_an_input() {
    let said = |_| Said::Claims(vec![input("f(8)")]);
    // The second vote and all after the refutation do something else on f(8).
    let outcome = |id: u64, _: &str| format!("= {}", u8::from(id == 1 || id >= 20));
    let mut m = machine(2, TESTER);
    let (mut commands, mut verified) = (m.start(), Vec::new());
    while !commands.is_empty() {
        let event = match commands.remove(0) {
            Command::Draw { id } => Event::Sampled { id, completion_tokens: 1, fate: vote("a") },
            Command::Ask { errand, .. } => Event::Advised { errand, completion_tokens: 1, said: said(errand) },
            Command::Try { ids, claims } => Event::Tried {
                trials: ids
                    .iter()
                    .map(|id| {
                        let trial =
                            |c: &Claim| (c.code(), Trial { outcome: Some(outcome(*id, &c.call)), holds: false });
                        (*id, claims.iter().map(trial).collect())
                    })
                    .collect(),
            },
            Command::Verify { id, round, .. } => {
                verified.push(id);
                Event::Verified { round, verification: Verification::Refuted("types failed".into()) }
            }
            Command::Cancel { .. } => continue,
            Command::Finish(end) => {
                assert!(matches!(end, StepEnd::Abstained(_)), "{end:?}");
                break;
            }
        };
        commands.extend(m.handle(event));
    }
    assert_eq!(verified, [0], "one behaviour without the input, whatever tells its members apart: {verified:?}");
}

#[test]
fn an_objection_costs_a_vote_and_is_raised_once() {
    let objects = |_| Said::Objection("f(3) is wrong".into());
    let (told, m) = run(machine(2, CRITIC), &["a"; 40], |_, _| String::new(), objects);
    assert_eq!(told, "0 1 verify 0 critic 20 won by 0", "a round of its own, and the layers are not asked again");
    let advice = m.report().advice.unwrap();
    assert_eq!((advice.objections[0].text.as_str(), advice.extra_lead, advice.granted), ("f(3) is wrong", 1, 1));
    let silent = |_| Said::Nothing("no objection".into());
    let (told, _) = run(machine(2, CRITIC), &["a"; 40], |_, _| String::new(), silent);
    assert_eq!(told, "0 1 verify 0 critic won by 0");
}

#[test]
fn whoever_was_objected_to_can_be_overtaken_but_not_without_a_lead() {
    let objects = |errand| match errand {
        Errand::Criticise(0) => Said::Objection("f(3) is wrong".into()),
        _ => Said::Nothing("no objection".into()),
    };
    let votes = ["b", "b", "b", "b", "b", "b"];
    let mut m = StepMachine::new("f", StepRules { k: 1, max_attempts: 10, in_flight: 1 }).advised_by(CRITIC);
    // The first sample votes for a; all of the next round for b.
    let mut commands = m.start();
    let mut told = Vec::new();
    while let Some(command) = commands.pop() {
        let event = match command {
            Command::Draw { id } => {
                told.push(format!("{id}"));
                let behaviour = if id == 0 { "a" } else { votes[id as usize % 6] };
                Event::Sampled { id, completion_tokens: 1, fate: vote(behaviour) }
            }
            Command::Ask { errand, .. } => Event::Advised { errand, completion_tokens: 1, said: objects(errand) },
            Command::Verify { id, round, .. } => {
                told.push(format!("verify {id}"));
                Event::Verified { round, verification: Verification::Accepted }
            }
            Command::Finish(end) => {
                assert!(matches!(end, StepEnd::Won { id: 20, .. }), "{end:?}");
                break;
            }
            Command::Cancel { .. } | Command::Try { .. } => continue,
        };
        commands = m.handle(event);
    }
    assert_eq!(told, ["0", "verify 0", "20", "21", "verify 20"]);
}

#[test]
fn a_near_tie_is_put_to_the_discriminator_and_what_it_finds_splits() {
    let said = |_| Said::Claims(vec![input("f(8)")]);
    // Two of those who vote for a differ on f(8).
    let outcome = |id: u64, _: &str| format!("= {}", id % 2);
    let votes = ["a", "b", "a", "b", "a", "a", "a", "a", "a", "a"];
    let (told, m) = run(machine(3, DISCRIMINATOR), &votes, outcome, said);
    assert!(told.starts_with("0 1 2 3 discriminator 4 5 6 try[0, 1, 2, 3, 4, 5, 6] 7"), "{told}");
    let report = m.report();
    let advice = report.advice.unwrap();
    assert_eq!((advice.inputs[0].by.as_str(), advice.inputs[0].outcomes), ("discriminator", 2));
    assert!(report.tally.len() == 3, "a is two behaviours now: {:?}", report.tally);
}

#[test]
fn agents_that_say_nothing_change_nothing() {
    let all = AgentRules { testers: 3, critic: true, discriminators: 2, ..TESTER };
    let votes = ["a", "b", "a", "b", "a", "a", "a"];
    let (told, m) = run(machine(3, all), &votes, |_, _| String::new(), |_| Said::Nothing("no answer".into()));
    assert_eq!(told, "tester tester tester 0 1 2 3 discriminator 4 5 6 verify 0 critic won by 0");
    assert_eq!(m.report().advice.unwrap().nothing.len(), 5);
}
