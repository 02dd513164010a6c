//! Logging, tracing and metrics.
