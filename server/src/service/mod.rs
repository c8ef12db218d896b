//! The only doer: it loads, lets core decide, commits, and answers. One file a family of use cases.

pub mod abuse;
pub mod account;
mod ages;
pub mod allowance;
pub mod api_key;
pub mod attempts;
pub mod audit;
pub mod batch;
pub mod begin;
pub mod catalogue;
pub mod checkout;
pub mod chores;
pub mod claim;
pub mod clock;
mod commit;
pub mod data;
pub mod decimal;
mod desk;
pub mod devices;
pub mod enter;
pub mod events;
pub mod failure;
pub mod farewell;
mod feed;
pub mod hashing;
mod keeping;
pub mod lane;
pub mod leave;
pub mod limiter;
pub mod merge;
pub mod order;
pub mod orders;
pub mod quotas;
pub mod random;
mod remember;
mod renewal;
mod rotate;
pub mod running;
mod sealing;
pub mod secret;
pub mod seen;
pub mod session;
pub mod settings;
pub mod shares;
pub mod sign_in;
mod steps;
pub mod sweep;
pub mod sync;
pub mod tally;
pub mod task;
pub mod terms;
pub mod token;
pub mod touch;
pub mod tree;
pub mod turn;
mod underway;
mod warm;

use std::sync::{Arc, Weak};

use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, SessionId, uuid_v7};
use trolley_core::time::Timestamp;
use trolley_store::kind::{Key, Record};
use trolley_store::port::Store;

use self::abuse::Limits;
use self::attempts::Attempts;
use self::catalogue::Catalogue;
use self::clock::Clock;
use self::commit::Turns;
use self::events::Events;
use self::failure::Failure;
use self::feed::Feeds;
use self::hashing::Hashers;
use self::keeping::Walk;
use self::lane::Lanes;
use self::quotas::Quotas;
use self::random::Random;
use self::secret::Secret;
use self::seen::SeenBook;
use self::settings::Settings;
use self::steps::Steps;
use self::sweep::Pass;
use self::tally::Tally;
use self::touch::TouchQueue;
use self::underway::Underway;
use self::warm::Warm;

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
    secret: Secret,
    events: Arc<Events>,
    hashers: Hashers,
    lanes: Lanes,
    /// Commits that go on by themselves.
    commits: Arc<Underway>,
    feeds: Feeds,
    turns: Turns,
    seen: SeenBook,
    warm: Warm,
    touches: TouchQueue,
    /// Where the sweep stands. Who sweeps holds it.
    pass: tokio::sync::Mutex<Pass>,
    /// What one address may do at most; none where there are no limits.
    limits: Option<Limits>,
    tally: Tally,
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
        secret: Secret,
        settings: Settings,
        catalogue: Option<Arc<dyn Catalogue>>,
    ) -> Arc<Service> {
        let seen = SeenBook::new(settings.bounds.seen_sessions);
        let warm = Warm::new(settings.bounds.warm_sessions);
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
            lanes: Lanes::new(),
            commits: Arc::default(),
            feeds: Feeds::default(),
            turns: Turns::new(),
            seen,
            warm,
            touches: TouchQueue::new(),
            pass: tokio::sync::Mutex::default(),
            limits: settings.rate_limits.then(Limits::new),
            tally: Tally::default(),
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

    /// Random bytes for a form's key or a request's number; tokens are minted in [`token`].
    pub fn random(&self) -> &dyn Random {
        &*self.random
    }

    /// The cart as the last commit left it; a fresh empty one where nothing was written yet.
    pub async fn cart(&self, id: CartId) -> Result<Arc<Cart>, Failure> {
        match self.store.load(Key::Cart(id)).await? {
            Some(Record::Cart(cart)) => Ok(cart),
            Some(_) | None => Ok(Arc::new(Cart::new(id, self.now()))),
        }
    }

    /// Whether the store answers.
    pub async fn ready(&self) -> Result<(), Failure> {
        self.store.load(Key::Clock).await?;
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
