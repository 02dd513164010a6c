//! `voting`: when a vote decides, and how samples differ.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// First to be ahead by k.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Voting {
    /// The lead that decides: a whole number, or `auto` for the smallest lead with which the plan, of as
    /// many steps as it has, reaches `target_reliability` when each sample is right with
    /// `assumed_success`. Where votes split more than that lets expect, `auto` asks for a larger lead.
    pub k: Margin,
    /// Whether votes are counted input by input: candidates that differ only where no example looks like it, or
    /// where one raises, do not stand in each other's way. Decides more often, and asks less: what an empty
    /// list gives is then up to the winner.
    pub by_input: bool,
    /// Chance that a sample is right; only used by `k: auto`. At 0.5 and below no lead helps.
    #[schemars(range(min = 0.51, max = 0.999))]
    pub assumed_success: f64,
    /// Chance that a whole plan is right; only used by `k: auto`.
    #[schemars(range(min = 0.5, max = 0.999_999))]
    pub target_reliability: f64,
    /// Samples a step may draw before it abstains.
    #[schemars(range(min = 1, max = 10_000))]
    pub max_attempts: u32,
    /// Temperature of the first sample of a step; 0 is greedy.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub first_temperature: f64,
    /// Temperature of every later sample.
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: f64,
    /// Nucleus sampling; 1 switches it off.
    #[schemars(range(min = 0.01, max = 1.0))]
    pub top_p: f64,
    /// Samples drawn side by side, at most.
    #[schemars(range(min = 1, max = 1024))]
    pub samples_in_flight: usize,
    /// Seed of everything that is random; equal seeds and equal models give equal runs.
    pub seed: u64,
}

impl Default for Voting {
    fn default() -> Self {
        Self {
            k: Margin::Fixed(3),
            by_input: false,
            assumed_success: 0.8,
            target_reliability: 0.95,
            max_attempts: 20,
            first_temperature: 0.0,
            temperature: 0.6,
            top_p: 0.95,
            samples_in_flight: 2,
            seed: 0,
        }
    }
}

/// The lead that decides a vote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Margin {
    /// This many votes.
    Fixed(u32),
    /// Computed from measurements.
    Auto,
}

/// Largest lead that makes sense: beyond it no step would ever decide.
pub(crate) const MAX_MARGIN: u32 = 1000;

impl fmt::Display for Margin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(k) => write!(f, "{k}"),
            Self::Auto => f.write_str("auto"),
        }
    }
}

impl Serialize for Margin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Fixed(k) => serializer.serialize_u32(*k),
            Self::Auto => serializer.serialize_str("auto"),
        }
    }
}

impl<'de> Deserialize<'de> for Margin {
    /// Written by hand because an untagged enum would only say "did not match any variant".
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Margin;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "a whole number from 1 to {MAX_MARGIN}, or `auto`")
            }
            fn visit_u64<E: serde::de::Error>(self, k: u64) -> Result<Margin, E> {
                match u32::try_from(k) {
                    Ok(k) if (1..=MAX_MARGIN).contains(&k) => Ok(Margin::Fixed(k)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Unsigned(k), &self)),
                }
            }
            fn visit_i64<E: serde::de::Error>(self, k: i64) -> Result<Margin, E> {
                u64::try_from(k)
                    .map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(k), &self))
                    .and_then(|k| self.visit_u64(k))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Margin, E> {
                if text == "auto" {
                    Ok(Margin::Auto)
                } else {
                    Err(E::invalid_value(serde::de::Unexpected::Str(text), &self))
                }
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Margin {
    fn schema_name() -> Cow<'static, str> {
        "Margin".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "oneOf": [{ "type": "integer", "minimum": 1, "maximum": MAX_MARGIN }, { "const": "auto" }] })
    }
}
