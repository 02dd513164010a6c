//! The same spec further down: what was found in one part of a file, in the places of the whole file.

use super::{Clause, Example, Raises, Spec, SpecDiagnostic};
use crate::code::TextRange;

impl Spec {
    /// The same spec, `by` bytes further down.
    pub fn moved(mut self, by: usize) -> Self {
        let lists = [
            &mut self.requires,
            &mut self.ensures,
            &mut self.properties,
            &mut self.uses,
            &mut self.forbids,
            &mut self.guesses,
        ];
        lists.into_iter().flatten().for_each(|Clause { range, .. }| shift(range, by));
        let claims = |examples: &mut [Example], raises: &mut [Raises]| {
            examples.iter_mut().for_each(|e| shift(&mut e.range, by));
            raises.iter_mut().for_each(|r| shift(&mut r.range, by));
        };
        claims(&mut self.examples, &mut self.raises);
        for step in &mut self.steps {
            shift(&mut step.range, by);
            claims(&mut step.examples, &mut step.raises);
        }
        self.budgets.iter_mut().for_each(|b| shift(&mut b.range, by));
        self.complexity.iter_mut().for_each(|c| shift(&mut c.range, by));
        self
    }
}

impl SpecDiagnostic {
    /// The same fault, `by` bytes further down.
    pub fn moved(mut self, by: usize) -> Self {
        shift(&mut self.range, by);
        self.related.iter_mut().for_each(|(range, _)| shift(range, by));
        self
    }
}

fn shift(range: &mut TextRange, by: usize) {
    *range = range.moved(by);
}

#[cfg(test)]
mod tests {
    use crate::task_specification::parser::{Block, BlockKind, BlockLine, parse};

    /// The block with every tag, faults included, that begins at `at`.
    fn block(mut at: usize) -> Block {
        let text = "@spec Words.\n@requires x\n@ensures y\n@example f(1) == 2\n@example? f(2) == 3\n@raises E f(0)\n@raises? E f(9)\n\
            @property p\n@complexity O(n)\n@complexity O(x)\n@budget 2ms f(3)\n@uses m\n@forbid loops\n@step g(a) -> b: words\n\
            @example g(1) == 2\n@raises E g(0)\n@exmaple f(1) == 2\n";
        let lines = text.split_inclusive('\n').map(|line| {
            let start = at;
            at += line.len();
            BlockLine { text: line.trim_end(), start }
        });
        let mut block = parse(&lines.collect::<Vec<_>>(), BlockKind::Comments);
        block.spec.give_steps_their_claims("f");
        block
    }

    #[test]
    fn every_place_moves() {
        let (here, below) = (block(0), block(1_000));
        assert!(!here.spec.steps[0].examples.is_empty() && !here.spec.steps[0].raises.is_empty());
        assert!(!here.spec.guesses.is_empty() && here.spec.complexity.is_some() && !here.diagnostics.is_empty());
        assert_eq!(here.spec.moved(1_000), below.spec);
        let moved: Vec<_> = here.diagnostics.into_iter().map(|d| d.moved(1_000)).collect();
        assert_eq!(moved, below.diagnostics);
    }
}
