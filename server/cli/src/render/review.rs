//! What critics and discriminators are worth, as `bench replay` prints it.

use std::fmt::Write as _;

use zeroerr_engine::bench::figures::Report;
use zeroerr_engine::bench::review_figures::Share;

/// The lines; nothing where nobody was asked.
pub fn of(report: &Report) -> String {
    let mut out = String::new();
    if let Some(critic) = &report.critic {
        out.push_str("\na critic before a right and a wrong candidate of each task, both accepted by the layers\n");
        let _ = writeln!(out, "objects to right code  {}", share(&critic.right));
        let _ = writeln!(out, "objects to wrong code  {}", share(&critic.wrong));
        let _ = writeln!(
            out,
            "to the wrong one alone {}, to the right one alone {}; one who knows nothing does so with a chance of {:.2}",
            critic.wrong_alone, critic.right_alone, critic.chance
        );
    }
    if let Some(found) = &report.discriminators {
        out.push_str("\na discriminator, shown a right and a wrong candidate that do not do the same\n");
        let _ = writeln!(out, "answers with inputs that can be read      {}", share(&found.usable));
        let _ = writeln!(out, "inputs that look like the examples'       {}", share(&found.inside));
        let _ = writeln!(out, "tells the right from the wrong one        {}", share(&found.pair));
        let _ = writeln!(out, "splits behaviours with wrong members      {}", share(&found.wrong));
        let _ = writeln!(out, "splits behaviours of right members alone  {}", share(&found.right));
    }
    if !report.changes.is_empty() {
        out.push_str("\nwhat agents change, in tasks, among winners that the layers accept\n");
        out.push_str(
            "policy                   k  wrong winners stopped       right winners lost          newly right, wrong\n",
        );
        for row in &report.changes {
            let (stopped, lost) = (share(&row.wrong_stopped), share(&row.right_lost));
            let (name, k, right, wrong) = (row.name, row.k, row.newly_right, row.newly_wrong);
            let _ = writeln!(out, "{name:<23} {k:>2}  {stopped:<26}  {lost:<26}  {right:.1}, {wrong:.1}");
        }
    }
    out
}

/// `3 of 8, .14-.69`; tasks may be broken numbers.
fn share(share: &Share) -> String {
    let number = |n: f64| if n.fract() == 0.0 { format!("{n}") } else { format!("{n:.1}") };
    let [low, high] = share.share_95;
    format!("{} of {} ({low:.2}-{high:.2})", number(share.some), number(share.of))
}
