//! Where random bytes come from: the operating system, or in tests a source that can be repeated.

/// A source of random bytes.
pub trait Random: Send + Sync + 'static {
    /// Fills `bytes`. They must be fit for secrets, but in tests.
    fn fill(&self, bytes: &mut [u8]);
}

/// The operating system's generator.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl Random for OsRandom {
    fn fill(&self, bytes: &mut [u8]) {
        // Without randomness no token may be made: a panic ends the request, and nothing weaker takes its place.
        getrandom::fill(bytes).expect("the generator of the operating system answers once the system is up");
    }
}
