//! Precision over coverage as k grows, as an SVG of its own.

use std::fmt::Write as _;

use super::figures::{Figures, Report};

const WIDTH: f64 = 760.0;
const HEIGHT: f64 = 470.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 210.0;
const TOP: f64 = 48.0;
const BOTTOM: f64 = 56.0;
/// Colours of the lines: told apart by people who see no red or no green, too (Okabe and Ito).
const LINES: usize = 8;
/// Light and dark, as the reader's browser prefers.
const STYLE: &str = "<style>\n\
    svg { --paper: #ffffff; --ink: #111111; --soft: #555555; --grid: #e5e5e5; --c0: #666666; --c1: #e69f00; --c2: #56b4e9; \
    --c3: #cc79a7; --c4: #0072b2; --c5: #d55e00; --c6: #009e73; --c7: #000000 }\n\
    @media (prefers-color-scheme: dark) { svg { --paper: #16181d; --ink: #eeeeee; --soft: #aaaaaa; --grid: #33363d; \
    --c0: #999999; --c4: #9a8cff; --c5: #ff7f32; --c6: #1fc49a; --c7: #ffffff } }\n\
    .paper { fill: var(--paper) } .ink { fill: var(--ink) } .soft { fill: var(--soft) } .grid { stroke: var(--grid) }\n\
    .line { fill: none; stroke-width: 2 }\n</style>\n";

/// A line of the chart: its name, and per point a label, coverage and precision.
struct Line {
    name: String,
    points: Vec<(String, f64, f64)>,
}

/// The chart of a report.
pub fn svg(report: &Report) -> String {
    let lines = lines(report);
    let all = lines.iter().flat_map(|l| &l.points);
    let lowest = all.clone().map(|p| p.2).fold(1.0, f64::min);
    let widest = all.map(|p| p.1).fold(0.1, f64::max);
    let floor = ((lowest - 0.02) * 10.0).floor().max(0.0) / 10.0;
    let reach = ((widest + 0.02) * 10.0).ceil().min(10.0) / 10.0;
    let x = |coverage: f64| LEFT + coverage / reach * (WIDTH - LEFT - RIGHT);
    let y = |precision: f64| TOP + (1.0 - precision) / (1.0 - floor).max(0.05) * (HEIGHT - TOP - BOTTOM);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n{STYLE}<rect width=\"100%\" height=\"100%\" class=\"paper\"/>\n\
         <text x=\"{LEFT}\" y=\"26\" font-size=\"15\" class=\"ink\">Precision over coverage as k grows: {} {} ({}), at most {} {}</text>\n",
        report.tasks,
        if report.tasks == 1 { "task" } else { "tasks" },
        report.split,
        report.max_samples,
        if report.max_samples == 1 { "sample" } else { "samples" }
    );
    axes(&mut out, reach, floor, &x, &y);
    for (n, line) in lines.iter().enumerate() {
        draw(&mut out, line, n % LINES, &x, &y);
    }
    for (n, line) in lines.iter().enumerate() {
        let colour = n % LINES;
        let (at, up) = (WIDTH - RIGHT + 22.0, TOP + 14.0 + 22.0 * n as f64);
        let _ = writeln!(
            out,
            "<circle cx=\"{at}\" cy=\"{up}\" r=\"5\" style=\"fill:var(--c{colour})\"/><text x=\"{}\" y=\"{}\" class=\"ink\">{}</text>",
            at + 12.0,
            up + 4.0,
            line.name
        );
    }
    out.push_str("</svg>\n");
    out
}

fn lines(report: &Report) -> Vec<Line> {
    let point = |label: String, f: &Figures| f.precision.map(|precision| (label, f.coverage, precision));
    let mut lines: Vec<Line> = Vec::new();
    let mut add = |name: String, point: Option<(String, f64, f64)>| {
        let Some(point) = point else { return };
        match lines.iter_mut().find(|l| l.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name, points: vec![point] }),
        }
    };
    for row in &report.policies {
        add(row.name.to_owned(), point(row.k.map_or_else(String::new, |k| k.to_string()), &row.figures));
    }
    for up_to in [1, 5] {
        for row in report.questions.iter().filter(|r| r.up_to == up_to) {
            let noun = if up_to == 1 { "question" } else { "questions" };
            add(format!("ours, {up_to} {noun}"), point(row.k.to_string(), &row.figures));
        }
    }
    lines
}

fn axes(out: &mut String, reach: f64, floor: f64, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) {
    let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
    for step in 0..=(reach * 10.0).round() as u32 {
        let (at, share) = (x(f64::from(step) / 10.0), step * 10);
        let _ = writeln!(
            out,
            "<line x1=\"{at:.1}\" y1=\"{TOP}\" x2=\"{at:.1}\" y2=\"{bottom}\" class=\"grid\"/>\
             <text x=\"{at:.1}\" y=\"{}\" text-anchor=\"middle\" class=\"soft\">{share} %</text>",
            bottom + 18.0
        );
    }
    for step in (floor * 10.0).round() as u32..=10 {
        let (at, share) = (y(f64::from(step) / 10.0), step * 10);
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\" class=\"grid\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\" class=\"soft\">{share} %</text>",
            LEFT - 8.0,
            at + 4.0
        );
    }
    let middle = (LEFT + right) / 2.0;
    let _ = writeln!(
        out,
        "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\" class=\"ink\">coverage: tasks with an edit</text>\
         <text transform=\"translate(16 {}) rotate(-90)\" text-anchor=\"middle\" class=\"ink\">precision: edits the hidden test accepts</text>",
        HEIGHT - 14.0,
        (TOP + bottom) / 2.0
    );
}

fn draw(out: &mut String, line: &Line, colour: usize, x: &dyn Fn(f64) -> f64, y: &dyn Fn(f64) -> f64) {
    let path: Vec<String> = line.points.iter().map(|(_, c, p)| format!("{:.1},{:.1}", x(*c), y(*p))).collect();
    let _ = writeln!(out, "<polyline points=\"{}\" class=\"line\" style=\"stroke:var(--c{colour})\"/>", path.join(" "));
    // A policy without a lead is one point, and may lie on another's.
    let radius = if line.points.len() == 1 { 8 } else { 4 };
    for (label, coverage, precision) in &line.points {
        let (at, up) = (x(*coverage), y(*precision));
        let _ = writeln!(
            out,
            "<circle cx=\"{at:.1}\" cy=\"{up:.1}\" r=\"{radius}\" style=\"fill:var(--c{colour})\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" font-size=\"10\" style=\"fill:var(--c{colour})\">{label}</text>",
            at + 5.0,
            up - 5.0
        );
    }
}
