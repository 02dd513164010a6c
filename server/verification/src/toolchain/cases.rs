//! The cases on which laws held, by the step they were made up for: its next candidate is asked for the same
//! ones, without the generator that made them up. What they are is the harness's business (`laws.py`).

use dashmap::DashMap;
use serde_json::Value;

/// Steps whose cases are kept.
const STEPS: usize = 64;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    known: DashMap<String, Value>,
    keeps_none: bool,
}

impl Cases {
    /// One that remembers nothing.
    pub(crate) fn none() -> Self {
        Self { keeps_none: true, ..Self::default() }
    }

    /// The cases of a step, or an empty object.
    pub(crate) fn of(&self, step: &str) -> Value {
        self.known.get(step).map_or_else(|| Value::Object(serde_json::Map::new()), |known| known.clone())
    }

    /// Keeps the cases of a step; those of laws that did not hold this time stay as they were.
    pub(crate) fn keep(&self, step: String, cases: Value) {
        let Value::Object(cases) = cases else { return };
        if self.keeps_none || cases.is_empty() {
            return;
        }
        if self.known.len() >= STEPS && !self.known.contains_key(&step) {
            self.known.clear();
        }
        let mut known = self.known.entry(step).or_insert_with(|| Value::Object(serde_json::Map::new()));
        if let Value::Object(known) = known.value_mut() {
            known.extend(cases);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_step_keeps_the_cases_of_each_of_its_laws() {
        let cases = Cases::default();
        assert_eq!(cases.of("a"), json!({}));
        cases.keep("a".into(), json!({"0": 1}));
        cases.keep("a".into(), json!({"1": 2}));
        assert_eq!(cases.of("a"), json!({"0": 1, "1": 2}));
        let none = Cases::none();
        none.keep("a".into(), json!({"0": 1}));
        assert_eq!(none.of("a"), json!({}));
    }

    #[test]
    fn no_more_steps_are_kept_than_may_be() {
        let cases = Cases::default();
        for n in 0..3 * STEPS {
            cases.keep(n.to_string(), json!({"0": n}));
        }
        assert!(cases.known.len() <= STEPS);
        assert_eq!(cases.of(&(3 * STEPS - 1).to_string()), json!({"0": 3 * STEPS - 1}));
    }
}
