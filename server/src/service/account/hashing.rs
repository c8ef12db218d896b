//! Passwords are hashed on threads of their own, as many at once as there are cores and behind a bounded queue: a storm
//! of sign-ins waits for itself, and carts do not wait for it.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};

use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use parking_lot::Mutex;
use tokio::sync::oneshot;
use trolley_core::account::password::{Password, PasswordHash};

use crate::service::error::ServiceError;

/// Bytes of a salt.
const SALT_BYTES: usize = 16;
/// Nobody's hash, against which the password of an unknown address is verified: no password gives these bytes.
const NOBODYS: &str = "AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What one hash costs: by default what the OWASP Password Storage Cheat Sheet asks of Argon2id at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Memory, in KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Cost {
    fn default() -> Cost {
        Cost { memory_kib: 19 * 1_024, passes: 2 }
    }
}

/// The threads that hash. They start with the first password and end with this.
pub struct Hashers {
    cost: Params,
    at_once: usize,
    waiting: usize,
    queue: OnceLock<SyncSender<Job>>,
}

type Job = Box<dyn FnOnce() + Send>;

impl Hashers {
    /// As many at once as there are cores, and up to `waiting` that wait.
    pub fn new(cost: Cost, waiting: usize) -> Hashers {
        let cost = Params::new(cost.memory_kib, cost.passes, 1, None);
        let at_once = std::thread::available_parallelism().map_or(1, usize::from);
        Hashers { cost: cost.unwrap_or_default(), at_once, waiting, queue: OnceLock::new() }
    }

    /// What is kept of a password.
    pub async fn hash(
        &self,
        password: Password,
        salt: [u8; SALT_BYTES],
    ) -> Result<PasswordHash, ServiceError> {
        let cost = self.cost.clone();
        let phc = self.run(move || {
            let hasher = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost);
            let made = hasher.hash_password_with_salt(password.expose().as_bytes(), &salt);
            made.map(|phc| phc.to_string()).map_err(|error| error.to_string())
        });
        let phc = phc
            .await?
            .map_err(|why| ServiceError::Broken(format!("a password could not be hashed: {why}")))?;
        Ok(PasswordHash::kept(phc.into()))
    }

    /// Whether it is the password. Where there is no hash it takes as long as where there is one, and is not.
    pub async fn verify(&self, password: Password, kept: Option<PasswordHash>) -> Result<bool, ServiceError> {
        let nobodys = format!("{}{NOBODYS}", self.prefix());
        self.run(move || {
            let phc = kept.as_ref().map_or(nobodys.as_str(), PasswordHash::as_str);
            let is_it = Argon2::default().verify_password(password.expose().as_bytes(), phc).is_ok();
            is_it && kept.is_some()
        })
        .await
    }

    /// Whether a hash was made at another cost than today's, so that the next sign-in renews it.
    pub fn is_outdated(&self, kept: &PasswordHash) -> bool {
        !kept.as_str().starts_with(&self.prefix())
    }

    /// How every hash of today's cost begins.
    fn prefix(&self) -> String {
        let (m, t, p) = (self.cost.m_cost(), self.cost.t_cost(), self.cost.p_cost());
        format!("$argon2id$v=19$m={m},t={t},p={p}$")
    }

    /// Runs `work` on one of the threads; where too many wait it is refused at once.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let (reply, answer) = oneshot::channel();
        let job = move || {
            // Who hung up while it waited needs no answer.
            if !reply.is_closed() {
                let _ = reply.send(work());
            }
        };
        match self.queue().try_send(Box::new(job)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => return Err(ServiceError::Overloaded),
            Err(TrySendError::Disconnected(_)) => {
                return Err(ServiceError::Broken("no thread hashes".to_owned()));
            }
        }
        answer.await.map_err(|_| ServiceError::Broken("hashing a password went wrong".to_owned()))
    }

    fn queue(&self) -> &SyncSender<Job> {
        self.queue.get_or_init(|| {
            let (queue, jobs) = sync_channel(self.waiting);
            let jobs = Arc::new(Mutex::new(jobs));
            for n in 0..self.at_once {
                let jobs = Arc::clone(&jobs);
                let started =
                    std::thread::Builder::new().name(format!("hash-{n}")).spawn(move || work(&jobs));
                if let Err(error) = started {
                    tracing::error!(%error, "a thread that hashes passwords did not start");
                }
            }
            queue
        })
    }
}

/// Does jobs until there will be none any more.
fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        let Ok(job) = jobs.lock().recv() else { return };
        // A panic has dropped the sender of its answer: its caller is told, and the thread goes on.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

impl fmt::Debug for Hashers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hashers").field("at_once", &self.at_once).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use argon2::password_hash::phc::PasswordHash as Phc;

    use super::*;

    const CHEAP: Cost = Cost { memory_kib: 8, passes: 1 };

    fn said(text: &str) -> Password {
        Password::said(text).unwrap()
    }

    #[tokio::test]
    async fn a_password_verifies_against_its_own_hash_and_against_no_other() {
        let hashers = Hashers::new(CHEAP, 4);
        let kept = hashers.hash(said("correct horse"), [7; 16]).await.unwrap();
        assert!(kept.as_str().starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{}", kept.as_str());
        assert!(hashers.verify(said("correct horse"), Some(kept.clone())).await.unwrap());
        assert!(!hashers.verify(said("correct Horse"), Some(kept)).await.unwrap());
        assert!(!hashers.verify(said("correct horse"), None).await.unwrap());
    }

    #[test]
    fn nobodys_hash_has_the_form_and_the_cost_of_a_real_one() {
        let hashers = Hashers::new(Cost::default(), 4);
        let phc = format!("{}{NOBODYS}", hashers.prefix());
        let parsed = Phc::new(&phc).unwrap();
        assert_eq!(parsed.salt.map(|salt| salt.len()), Some(SALT_BYTES));
        assert_eq!(parsed.hash.map(|hash| hash.len()), Some(Params::DEFAULT_OUTPUT_LEN));
    }

    #[tokio::test]
    async fn a_hash_of_another_cost_is_outdated_and_verifies_still() {
        let old = Hashers::new(CHEAP, 4).hash(said("correct horse"), [7; 16]).await.unwrap();
        let hashers = Hashers::new(Cost { passes: 2, ..CHEAP }, 4);
        assert!(hashers.is_outdated(&old) && hashers.verify(said("correct horse"), Some(old)).await.unwrap());
        let new = hashers.hash(said("correct horse"), [7; 16]).await.unwrap();
        assert!(!hashers.is_outdated(&new));
    }

    #[tokio::test]
    async fn as_many_as_there_are_cores_run_so_many_wait_and_one_more_is_refused_at_once() {
        let hashers = Arc::new(Hashers { at_once: 2, ..Hashers::new(CHEAP, 3) });
        let (began, end) = (Arc::new(Barrier::new(3)), Arc::new(Barrier::new(3)));
        let mut running = Vec::new();
        for _ in 0..2 {
            let (hashers, began, end) = (hashers.clone(), began.clone(), end.clone());
            running.push(tokio::spawn(async move {
                hashers.run(move || [began.wait(), end.wait()].len()).await.map(drop)
            }));
            tokio::task::yield_now().await;
        }
        began.wait();
        let waiting: Vec<_> = (0..3)
            .map(|_| {
                tokio::spawn({
                    let hashers = hashers.clone();
                    async move { hashers.run(|| ()).await }
                })
            })
            .collect();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(hashers.run(|| ()).await, Err(ServiceError::Overloaded)));
        end.wait();
        for done in running.into_iter().chain(waiting) {
            assert!(matches!(done.await, Ok(Ok(()))));
        }
    }

    #[tokio::test]
    async fn a_panic_is_told_to_its_caller_and_the_thread_goes_on() {
        let hashers = Hashers { at_once: 1, ..Hashers::new(CHEAP, 3) };
        let panics: fn() = || panic!("planted");
        assert!(matches!(hashers.run(panics).await, Err(ServiceError::Broken(_))));
        assert!(hashers.run(|| ()).await.is_ok());
    }
}
