//! The plan as a drawing: steps in columns, each to the right of all that it needs.

use std::collections::BTreeMap;

use serde::Serialize;
use zeroerr_core::decomposition_engine::Step;

const WIDTH: usize = 172;
const HEIGHT: usize = 52;
const ACROSS: usize = 56;
const DOWN: usize = 18;
const MARGIN: usize = 8;
/// Characters of a name that fit a box.
const NAME: usize = 21;

/// One box.
#[derive(Debug, Serialize)]
pub(super) struct Node {
    pub x: usize,
    pub y: usize,
    pub full: String,
    pub name: String,
    pub note: String,
    /// `won`, `lost`, `open`, `waiting`, or `unused`: it has won, and nothing calls it.
    pub state: &'static str,
}

/// The drawing, in pixels.
#[derive(Debug, Serialize)]
pub(super) struct Graph {
    pub width: usize,
    pub height: usize,
    pub node_width: usize,
    pub node_height: usize,
    pub nodes: Vec<Node>,
    /// Paths of the arrows.
    pub edges: Vec<String>,
}

/// Draws steps; `about` gives the state and the second line of each.
pub(super) fn draw(steps: &[Step], about: impl Fn(&str) -> (&'static str, String)) -> Graph {
    let columns = columns(steps);
    let tallest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let height = |rows: usize| rows * HEIGHT + rows.saturating_sub(1) * DOWN;
    let mut places: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (column, names) in columns.iter().enumerate() {
        let top = MARGIN + (height(tallest) - height(names.len())) / 2;
        for (row, name) in names.iter().enumerate() {
            places.insert(name, (MARGIN + column * (WIDTH + ACROSS), top + row * (HEIGHT + DOWN)));
        }
    }
    let mut edges = Vec::new();
    for step in steps {
        for need in &step.needs {
            if let (Some(from), Some(to)) = (places.get(need.as_str()), places.get(step.name.as_str())) {
                edges.push(arrow(*from, *to));
            }
        }
    }
    let nodes = steps.iter().filter_map(|step| {
        let (x, y) = *places.get(step.name.as_str())?;
        let (state, note) = about(&step.name);
        Some(Node { x, y, full: step.name.clone(), name: shortened(&step.name), note, state })
    });
    Graph {
        width: 2 * MARGIN + columns.len() * (WIDTH + ACROSS) - ACROSS.min(columns.len() * ACROSS),
        height: 2 * MARGIN + height(tallest),
        node_width: WIDTH,
        node_height: HEIGHT,
        nodes: nodes.collect(),
        edges,
    }
}

/// Names by column: as far left as their needs allow, and beside what they need.
fn columns(steps: &[Step]) -> Vec<Vec<&str>> {
    let mut column_of: BTreeMap<&str, usize> = BTreeMap::new();
    // Steps come in an order in which each follows its needs; one that does not is put first.
    for step in steps {
        let after = step.needs.iter().filter_map(|n| column_of.get(n.as_str())).max();
        column_of.insert(&step.name, after.map_or(0, |c| c + 1));
    }
    let count = column_of.values().max().map_or(0, |c| c + 1);
    let mut columns: Vec<Vec<&str>> = Vec::with_capacity(count);
    let mut row_of: BTreeMap<&str, usize> = BTreeMap::new();
    for column in 0..count {
        let mut members: Vec<&Step> =
            steps.iter().filter(|s| column_of.get(s.name.as_str()) == Some(&column)).collect();
        let middle = |s: &Step| {
            let rows: Vec<usize> = s.needs.iter().filter_map(|n| row_of.get(n.as_str()).copied()).collect();
            rows.iter().sum::<usize>() * 1000 / rows.len().max(1)
        };
        members.sort_by_key(|s| middle(s));
        for (row, step) in members.iter().enumerate() {
            row_of.insert(&step.name, row);
        }
        columns.push(members.iter().map(|s| s.name.as_str()).collect());
    }
    columns
}

/// From the right edge of one box to the left edge of another.
fn arrow(from: (usize, usize), to: (usize, usize)) -> String {
    let (x1, y1, x2, y2) = (from.0 + WIDTH, from.1 + HEIGHT / 2, to.0, to.1 + HEIGHT / 2);
    let bend = (x2.saturating_sub(x1) / 2).max(ACROSS / 2);
    format!("M{x1},{y1} C{},{y1} {},{y2} {},{y2}", x1 + bend, x2.saturating_sub(bend), x2.saturating_sub(7))
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(name: &str, needs: &[&str]) -> Step {
        Step { name: name.into(), needs: needs.iter().map(|s| (*s).into()).collect(), ..Step::default() }
    }

    #[test]
    fn every_step_stands_right_of_what_it_needs() {
        let steps = [step("a", &[]), step("b", &["a"]), step("c", &[]), step("d", &["b", "c", "gone"])];
        let graph = draw(&steps, |_| ("won", String::new()));
        let x = |name: &str| graph.nodes.iter().find(|n| n.full == name).map(|n| n.x).unwrap();
        assert!(x("a") == x("c") && x("a") < x("b") && x("b") < x("d"));
        assert_eq!(graph.edges.len(), 3, "what is not in the plan has no arrow");
        assert!(graph.nodes.iter().all(|n| n.x + WIDTH <= graph.width && n.y + HEIGHT <= graph.height));
        let mut places: Vec<_> = graph.nodes.iter().map(|n| (n.x, n.y)).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), 4, "no two boxes lie on one another");
    }

    #[test]
    fn an_empty_plan_is_an_empty_drawing() {
        assert_eq!(draw(&[], |_| ("won", String::new())).nodes.len(), 0);
    }
}
