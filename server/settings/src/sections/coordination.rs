//! `coordination`: spreading work over machines.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where runs are done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CoordinationMode {
    /// In this process; no server is needed.
    #[default]
    Local,
    /// Spread by Kafka, with the state in Redis.
    Cluster,
}

/// Spreading work over machines.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Coordination {
    /// `local`, or `cluster`.
    pub mode: CoordinationMode,
    /// Carries sample requests, votes and verification work.
    pub kafka: Kafka,
    /// Holds run state, tallies and leases.
    pub redis: Redis,
}

/// Kafka brokers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// Whether cluster mode uses it.
    pub enabled: bool,
    /// Brokers to start from, `HOST:PORT`.
    pub brokers: Vec<String>,
}

/// Redis nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// Whether cluster mode uses it.
    pub enabled: bool,
    /// Nodes to start from, `HOST:PORT`; one node is a plain server.
    pub cluster: Vec<String>,
}
