//! What HTTP counts, and how Prometheus reads it.

pub mod prometheus_text;
pub mod registry;
pub mod route_metrics;
