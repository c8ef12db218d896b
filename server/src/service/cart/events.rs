//! Live updates: after a commit the cart's new state goes to whoever watches it. A watcher who does not keep up is given
//! the newest state, never a growing backlog.
//!
//! A stream belongs to the token that opened it, and shows the one cart that the token opened then: it is never moved to another
//! one, or whoever had copied a guest's token would be shown its owner's cart after the sign-in.

use std::collections::{HashMap, HashSet, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, Revision, SessionId, TokenDigest};
use trolley_core::session::Verdict;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::catalogue::shown::PricedCart;
use crate::service::error::ServiceError;
use crate::service::limits::addresses::Source;
use crate::service::session::claim::Claim;

/// States that may wait for one watcher; with one more only the newest is left.
const WAITING_MAX: usize = 8;

/// A state of a cart, shared by all who watch it.
#[derive(Debug)]
pub struct CartEvent {
    /// The cart as it is shown.
    pub cart: PricedCart,
    /// As it is sent, written by the first who sends it.
    pub text: OnceLock<Bytes>,
}

impl CartEvent {
    fn of(cart: PricedCart) -> Arc<CartEvent> {
        Arc::new(CartEvent { cart, text: OnceLock::new() })
    }
}

/// What a watcher is given next.
#[derive(Debug)]
pub enum Next {
    /// The cart changed.
    Cart(Arc<CartEvent>),
    /// There is no more to come.
    End,
}

/// Who watches what.
#[derive(Default)]
pub struct EventHub {
    book: Mutex<Subscribers>,
    /// How many there are, so that a change which nobody watches costs no lock.
    open: AtomicUsize,
}

#[derive(Default)]
struct Subscribers {
    carts: HashMap<CartId, Vec<Arc<Stream>>>,
    sessions: HashMap<SessionId, Vec<Arc<Stream>>>,
    addresses: HashMap<Source, usize>,
    /// The server is stopping: who comes now is told so at once.
    over: bool,
}

struct Stream {
    address: Source,
    session: SessionId,
    /// What opened it.
    token: TokenDigest,
    cart: CartId,
    state: Mutex<State>,
}

struct State {
    /// The newest revision that it was given or had seen.
    newest: Option<Revision>,
    waiting: VecDeque<Arc<CartEvent>>,
    over: bool,
    waker: Option<Waker>,
}

impl Stream {
    fn offer(&self, event: &Arc<CartEvent>) {
        let Some(cart) = event.cart.cart() else { return };
        let mut state = self.state.lock();
        if self.cart != cart.id || state.newest.is_some_and(|newest| newest >= cart.revision) {
            return;
        }
        state.newest = Some(cart.revision);
        if state.waiting.len() == WAITING_MAX {
            state.waiting.clear();
        }
        state.waiting.push_back(Arc::clone(event));
        state.wake();
    }

    fn end(&self) {
        let mut state = self.state.lock();
        state.over = true;
        state.wake();
    }
}

impl State {
    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// Somebody's place among the watchers; dropped, it is free.
pub struct Subscription {
    stream: Arc<Stream>,
    events: Arc<EventHub>,
}

impl Subscription {
    /// What comes next. States that were not fetched before the end came are not sent any more.
    pub fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Next> {
        let mut state = self.stream.state.lock();
        if state.over {
            return Poll::Ready(Next::End);
        }
        if let Some(event) = state.waiting.pop_front() {
            if state.waiting.is_empty() {
                state.waiting = VecDeque::new();
            }
            return Poll::Ready(Next::Cart(event));
        }
        if !state.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            state.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.events.leave(&self.stream);
    }
}

/// How many may watch at once.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// Of one session.
    pub session: usize,
    /// From one address.
    pub address: usize,
}

impl EventHub {
    fn enter(
        self: &Arc<Self>,
        Claim { session, token, .. }: Claim,
        cart: CartId,
        address: Source,
        most: StreamLimits,
    ) -> Result<Subscription, ServiceError> {
        let mut book = self.book.lock();
        let of_session = book.sessions.get(&session).map_or(0, Vec::len);
        let of_address = book.addresses.get(&address).copied().unwrap_or_default();
        if of_session >= most.session {
            return Err(ServiceError::TooManyStreams { most: most.session, of: "session" });
        }
        if of_address >= most.address {
            return Err(ServiceError::TooManyStreams { most: most.address, of: "network address" });
        }
        let (waiting, over) = (VecDeque::new(), book.over);
        let state = State { newest: None, waiting, over, waker: None };
        let stream = Arc::new(Stream { address, session, token, cart, state: Mutex::new(state) });
        book.carts.entry(cart).or_default().push(Arc::clone(&stream));
        book.sessions.entry(session).or_default().push(Arc::clone(&stream));
        *book.addresses.entry(address).or_default() += 1;
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Subscription { stream, events: Arc::clone(self) })
    }

    fn leave(&self, stream: &Arc<Stream>) {
        let mut book = self.book.lock();
        take_out(&mut book.carts, &stream.cart, stream);
        take_out(&mut book.sessions, &stream.session, stream);
        if let Some(count) = book.addresses.get_mut(&stream.address) {
            *count -= 1;
            if *count == 0 {
                book.addresses.remove(&stream.address);
            }
        }
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// The cart was committed in this state. Those who have a newer one already are left alone.
    fn publish(&self, cart: &PricedCart) {
        if self.open.load(Ordering::Relaxed) == 0 {
            return;
        }
        let Some(id) = cart.cart().map(|cart| cart.id) else { return };
        let Some(streams) = self.book.lock().carts.get(&id).cloned() else { return };
        let event = CartEvent::of(cart.clone());
        streams.iter().for_each(|stream| stream.offer(&event));
    }

    /// These tokens went out of use, with a change of these sessions: what they opened ends, with what waited in it.
    pub(crate) fn end_tokens(&self, sessions: &[SessionId], tokens: &[TokenDigest]) {
        if self.open() == 0 || tokens.is_empty() {
            return;
        }
        let tokens: HashSet<_> = tokens.iter().collect();
        let book = self.book.lock();
        let streams = sessions.iter().filter_map(|session| book.sessions.get(session)).flatten();
        streams.filter(|stream| tokens.contains(&stream.token)).for_each(|stream| stream.end());
    }

    fn of_session(&self, session: SessionId) -> Vec<Arc<Stream>> {
        self.book.lock().sessions.get(&session).cloned().unwrap_or_default()
    }

    fn is_watched(&self, cart: CartId) -> bool {
        self.open() > 0 && self.book.lock().carts.contains_key(&cart)
    }

    /// The server stops: all streams are told so, and who comes later too.
    pub fn end_all(&self) {
        let mut book = self.book.lock();
        book.over = true;
        book.sessions.values().flatten().for_each(|stream| stream.end());
    }

    /// How many streams are open.
    pub fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    fn sessions(&self) -> Vec<SessionId> {
        self.book.lock().sessions.keys().copied().collect()
    }
}

fn take_out<K: std::hash::Hash + Eq>(of: &mut HashMap<K, Vec<Arc<Stream>>>, key: &K, stream: &Arc<Stream>) {
    let Some(streams) = of.get_mut(key) else { return };
    streams.retain(|other| !Arc::ptr_eq(other, stream));
    if streams.is_empty() {
        of.remove(key);
    }
}

impl Service {
    /// Who watches what.
    pub fn events(&self) -> &Arc<EventHub> {
        &self.events
    }

    /// Watches the cart that a token opens: its present state comes at once, unless that is what was `seen`, then every change. To
    /// watch is no activity: a session ends under its open streams.
    pub async fn watch(
        &self,
        claim: Claim,
        cart: CartId,
        address: IpAddr,
        seen: Option<(CartId, Revision)>,
    ) -> Result<Subscription, ServiceError> {
        let bounds = &self.settings.bounds;
        let most = StreamLimits {
            session: bounds.session_streams,
            address: if self.settings.rate_limits { bounds.address_streams } else { usize::MAX },
        };
        // First the place, then the state: a change in between is given to the place.
        let watch = self.events.enter(claim, cart, Source::of(address), most)?;
        let present = self.cart_shown(cart).await?;
        match present.cart().map(|cart| (cart.id, cart.revision)) {
            Some(now) if seen == Some(now) => {
                let mut state = watch.stream.state.lock();
                state.newest = state.newest.max(Some(now.1));
            }
            _ => watch.stream.offer(&CartEvent::of(present)),
        }
        // Its token may have gone out of use before it had its place.
        self.judge_streams_of(claim.session).await;
        Ok(watch)
    }

    /// Judges the tokens behind all open streams by the server's clock, and by what other nodes did to their sessions.
    pub async fn judge_streams(&self) {
        for session in self.events.sessions() {
            self.judge_streams_of(session).await;
        }
    }

    /// Tells those who watch a cart what was committed. Who watches is asked only now: somebody who came while the commit was under
    /// way may have read the state before it.
    pub(crate) async fn tell(&self, carts: Vec<Arc<Cart>>) {
        for cart in carts.into_iter().filter(|cart| self.events.is_watched(cart.id)) {
            self.events.publish(&self.shown(cart).await);
        }
    }

    async fn judge_streams_of(&self, session: SessionId) {
        // First the streams, then the session: one that came since may belong to a newer state of it than is read here.
        let streams = self.events.of_session(session);
        if let Err(failure) = self.end_what_is_over(session, &streams).await {
            tracing::debug!(?failure, %session, "an event stream could not be judged");
        }
    }

    /// Ends those whose token opens their cart no more: its session is over, or its grace since it was replaced.
    async fn end_what_is_over(&self, id: SessionId, streams: &[Arc<Stream>]) -> Result<(), ServiceError> {
        let found = self.store.load(Key::Session(id)).await?;
        let session = match found {
            Some(Record::Session(session)) if self.stands(&session).await? => Some(session),
            _ => None,
        };
        let now = self.now();
        for stream in streams {
            let opens = session.as_ref().is_some_and(|session| {
                let verdict = self.judge(session, &stream.token, now);
                let lives = matches!(verdict, Verdict::Live(_) | Verdict::Renew(..) | Verdict::Arrived(_));
                lives && session.cart == Some(stream.cart)
            });
            if !opens {
                stream.end();
            }
        }
        Ok(())
    }
}
