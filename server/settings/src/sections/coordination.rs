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
    /// Spread by Kafka, with the state in Redis. Not done yet: runs are local, and a note says so.
    Cluster,
}

/// Spreading work over machines; not done yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Coordination {
    /// `local`; with `cluster` runs are local too so far, and a note says so.
    pub mode: CoordinationMode,
    /// Is to carry sample requests, votes and verification work; nothing uses it yet.
    pub kafka: Kafka,
    /// Is to hold run state, tallies and leases; nothing uses it yet.
    pub redis: Redis,
}

/// Kafka brokers.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Kafka {
    /// Whether cluster mode will use it.
    pub enabled: bool,
    /// Brokers to start from, `HOST:PORT`.
    pub brokers: Vec<String>,
}

/// Redis nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redis {
    /// Whether cluster mode will use it.
    pub enabled: bool,
    /// Nodes to start from, `HOST:PORT`; one node is a plain server.
    pub cluster: Vec<String>,
}
