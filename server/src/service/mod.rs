//! The only doer: it loads, lets core decide, commits, and answers. One file a family of use cases.

pub mod account;
pub mod background;
pub mod cart;
pub mod catalogue;
pub mod clock;
mod commit;
pub mod counters;
pub mod error;
mod feed;
pub(crate) mod in_flight;
pub mod json;
pub mod keys;
pub mod limits;
pub mod random;
pub mod running;
pub mod secret;
pub mod session;
pub mod settings;
mod steps;
pub(crate) mod transaction;

use std::sync::{Arc, Weak};

use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, SessionId, uuid_v7};
use trolley_core::time::Timestamp;
use trolley_store::port::Store;
use trolley_store::records::{Key, Record};

use crate::service::account::hashing::Hashers;
use crate::service::cart::events::EventHub;
use crate::service::cart::queue::CartQueues;
use crate::service::catalogue::Catalogue;
use crate::service::clock::Clock;
use crate::service::commit::AccountLocks;
use crate::service::counters::Counters;
use crate::service::error::ServiceError;
use crate::service::feed::Feeds;
use crate::service::in_flight::InFlight;
use crate::service::limits::addresses::AddressLimits;
use crate::service::limits::attempts::Attempts;
use crate::service::limits::quotas::Quotas;
use crate::service::random::Random;
use crate::service::secret::ServerSecret;
use crate::service::session::cache::SessionCache;
use crate::service::session::last_seen::LastSeen;
use crate::service::session::last_seen_writer::LastSeenQueue;
use crate::service::session::retention::Walk;
use crate::service::session::sweep::Pass;
use crate::service::settings::Settings;
use crate::service::steps::Steps;

/// What all use cases share. There is one a process; every request holds it by `Arc`.
pub struct Service {
    /// This, for what goes on where its caller went away.
    own: Weak<Service>,
    store: Arc<dyn Store>,
    clock: Clock,
    steps: Steps,
    random: Box<dyn Random>,
    settings: Settings,
    catalogue: Option<Arc<dyn Catalogue>>,
    secret: ServerSecret,
    events: Arc<EventHub>,
    hashers: Hashers,
    lanes: CartQueues,
    /// Commits that go on by themselves.
    commits: Arc<InFlight>,
    feeds: Feeds,
    turns: AccountLocks,
    seen: LastSeen,
    warm: SessionCache,
    touches: LastSeenQueue,
    /// Where the sweep stands. Who sweeps holds it.
    pass: tokio::sync::Mutex<Pass>,
    /// What one address may do at most; none where there are no limits.
    limits: Option<AddressLimits>,
    tally: Counters,
    /// How often passwords may be guessed; none where there are no limits.
    attempts: Option<Attempts>,
    /// What may be asked of the store; none where there are no limits.
    quotas: Option<Quotas>,
    /// How far the sessions were walked through for those that were never seen again.
    walk: Walk,
}

impl Service {
    /// A service over `store`, with the shop's catalogue where it has one. Nothing runs by itself until
    /// [`Service::start_chores`].
    pub fn new(
        store: Arc<dyn Store>,
        clock: Clock,
        random: Box<dyn Random>,
        secret: ServerSecret,
        settings: Settings,
        catalogue: Option<Arc<dyn Catalogue>>,
    ) -> Arc<Service> {
        let seen = LastSeen::new(settings.bounds.seen_sessions);
        let warm = SessionCache::new(settings.bounds.warm_sessions);
        Arc::new_cyclic(|own| Service {
            own: Weak::clone(own),
            store,
            steps: Steps::new(clock.now(), clock.running()),
            clock,
            random,
            catalogue,
            secret,
            events: Arc::default(),
            hashers: Hashers::new(settings.hashing, settings.bounds.hashes_waiting),
            lanes: CartQueues::new(),
            commits: Arc::default(),
            feeds: Feeds::default(),
            turns: AccountLocks::new(),
            seen,
            warm,
            touches: LastSeenQueue::new(),
            pass: tokio::sync::Mutex::default(),
            limits: settings.rate_limits.then(AddressLimits::new),
            tally: Counters::default(),
            attempts: settings.rate_limits.then(|| Attempts::new(&settings.rates)),
            quotas: settings.rate_limits.then(|| Quotas::new(&settings.rates)),
            walk: Walk::default(),
            settings,
        })
    }

    /// What it was told to keep to.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Random bytes for a form's key or a request's number; tokens are minted in [`session::token`].
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// The cart as the last commit left it; a fresh empty one where nothing was written yet.
    pub async fn cart(&self, id: CartId) -> Result<Arc<Cart>, ServiceError> {
        match self.store.load(Key::Cart(id)).await? {
            Some(Record::Cart(cart)) => Ok(cart),
            Some(_) | None => Ok(Arc::new(Cart::new(id, self.now()))),
        }
    }

    /// Whether the store answers.
    pub async fn ready(&self) -> Result<(), ServiceError> {
        self.store.load(Key::CLOCK).await?;
        Ok(())
    }

    fn new_cart_id(&self, now: Timestamp) -> CartId {
        CartId::from_bytes(uuid_v7(now, self.ten_random_bytes()))
    }

    fn new_session_id(&self, now: Timestamp) -> SessionId {
        SessionId::from_bytes(uuid_v7(now, self.ten_random_bytes()))
    }

    fn ten_random_bytes(&self) -> [u8; 10] {
        let mut bytes = [0; 10];
        self.random.fill(&mut bytes);
        bytes
    }
}
