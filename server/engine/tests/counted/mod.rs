//! What is made of a run's records is compared with what the run itself has counted.

use zeroerr_core::report::{RunReport, StepReport};
use zeroerr_engine::journal::RunExport;
use zeroerr_engine::page::page;

/// The page's lines end at the votes that the run has counted, and so does `runs show` before there is a report.
pub fn check_counted(export: &RunExport, report: &RunReport) {
    let counted =
        |s: &StepReport| (s.name.clone(), s.state, s.attempt, s.samples, s.taken_up, s.tally.clone(), s.margin, s.k);
    let unfinished = RunExport { report: None, ..export.clone() };
    let mut from_records: Vec<_> = unfinished.steps().iter().map(counted).collect();
    let mut ended: Vec<_> = report.steps.iter().map(counted).collect();
    from_records.sort_by(|a, b| a.0.cmp(&b.0));
    ended.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(from_records, ended);
    let html = page(export).expect("a page");
    for step in &report.steps {
        for class in &step.tally {
            let noun = if class.votes == 1 { "vote" } else { "votes" };
            let line = format!("<title>{}: {} {noun}</title>", class.class, class.votes);
            assert!(html.contains(&line), "{}: no {line} in {html}", step.name);
        }
    }
}
