//! How many histories a law runs, and which.

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// How many interleavings the main law runs.
pub(crate) fn cases() -> u64 {
    setting("LAW_CASES").unwrap_or(10_000)
}

/// Runs `law` over so many histories. The same seed gives the same ones.
pub(crate) fn over<S: Strategy>(
    cases: u64,
    histories: &S,
    law: impl Fn(S::Value) -> Result<(), TestCaseError>,
) where
    S::Value: std::fmt::Debug,
{
    let seed = setting("LAW_SEED").unwrap_or(1);
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases: u32::try_from(cases.max(1)).unwrap(),
        max_shrink_iters: 20_000,
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    if let Err(broken) = runner.run(histories, law) {
        panic!("LAW_SEED={seed}: {broken}");
    }
}
