//! What an operator calls: probes, metrics, the test clock.

pub mod health;
pub mod metrics;
pub mod test_clock;
