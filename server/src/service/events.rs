//! Live updates: after a commit the cart's new state goes to whoever watches it. A watcher who does not keep up is given
//! the newest state, never a growing backlog.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, Revision, SessionId};
use trolley_core::session::Session;
use trolley_store::kind::{Key, Record};

use super::Service;
use super::abuse::Source;
use super::catalogue::shown::Shown;
use super::failure::Failure;

/// States that may wait for one watcher; with one more only the newest is left.
const WAITING_MAX: usize = 8;

/// A state of a cart, shared by all who watch it.
#[derive(Debug)]
pub struct Event {
    /// The cart as it is shown.
    pub cart: Shown,
    /// As it is sent, written by the first who sends it.
    pub text: OnceLock<Bytes>,
}

impl Event {
    fn of(cart: Shown) -> Arc<Event> {
        Arc::new(Event { cart, text: OnceLock::new() })
    }
}

/// What a watcher is given next.
#[derive(Debug)]
pub enum Next {
    /// The cart changed.
    Cart(Arc<Event>),
    /// There is no more to come.
    End,
}

/// Who watches what.
#[derive(Default)]
pub struct Events {
    book: Mutex<Book>,
    /// How many there are, so that a change which nobody watches costs no lock.
    open: AtomicUsize,
}

#[derive(Default)]
struct Book {
    carts: HashMap<CartId, Vec<Arc<Stream>>>,
    sessions: HashMap<SessionId, Vec<Arc<Stream>>>,
    addresses: HashMap<Source, usize>,
    /// The server is stopping: who comes now is told so at once.
    over: bool,
}

struct Stream {
    address: Source,
    state: Mutex<State>,
}

struct State {
    session: SessionId,
    /// The session's version by which it was last judged; none at first.
    version: Option<u64>,
    cart: CartId,
    /// The newest revision that it was given or had seen.
    newest: Option<Revision>,
    waiting: VecDeque<Arc<Event>>,
    over: bool,
    waker: Option<Waker>,
}

impl Stream {
    fn offer(&self, event: &Arc<Event>) {
        let Some(cart) = event.cart.cart() else { return };
        let mut state = self.state.lock();
        if state.cart != cart.id || state.newest.is_some_and(|newest| newest >= cart.revision) {
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
pub struct Watch {
    stream: Arc<Stream>,
    events: Arc<Events>,
}

impl Watch {
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

impl Drop for Watch {
    fn drop(&mut self) {
        self.events.leave(&self.stream);
    }
}

/// How many may watch at once.
#[derive(Clone, Copy, Debug)]
pub struct Most {
    /// Of one session.
    pub session: usize,
    /// From one address.
    pub address: usize,
}

impl Events {
    fn enter(
        self: &Arc<Self>,
        session: SessionId,
        cart: CartId,
        address: Source,
        most: Most,
    ) -> Result<Watch, Failure> {
        let mut book = self.book.lock();
        let of_session = book.sessions.get(&session).map_or(0, Vec::len);
        let of_address = book.addresses.get(&address).copied().unwrap_or_default();
        if of_session >= most.session {
            return Err(Failure::TooManyStreams { most: most.session, of: "session" });
        }
        if of_address >= most.address {
            return Err(Failure::TooManyStreams { most: most.address, of: "network address" });
        }
        let (waiting, over) = (VecDeque::new(), book.over);
        let state = State { session, version: None, cart, newest: None, waiting, over, waker: None };
        let stream = Arc::new(Stream { address, state: Mutex::new(state) });
        book.carts.entry(cart).or_default().push(Arc::clone(&stream));
        book.sessions.entry(session).or_default().push(Arc::clone(&stream));
        *book.addresses.entry(address).or_default() += 1;
        self.open.fetch_add(1, Ordering::Relaxed);
        Ok(Watch { stream, events: Arc::clone(self) })
    }

    fn leave(&self, stream: &Arc<Stream>) {
        let mut book = self.book.lock();
        let (session, cart) = {
            let state = stream.state.lock();
            (state.session, state.cart)
        };
        take_out(&mut book.carts, &cart, stream);
        take_out(&mut book.sessions, &session, stream);
        if let Some(count) = book.addresses.get_mut(&stream.address) {
            *count -= 1;
            if *count == 0 {
                book.addresses.remove(&stream.address);
            }
        }
        self.open.fetch_sub(1, Ordering::Relaxed);
    }

    /// The cart was committed in this state. Those who have a newer one already are left alone.
    fn publish(&self, cart: &Shown) {
        if self.open.load(Ordering::Relaxed) == 0 {
            return;
        }
        let Some(id) = cart.cart().map(|cart| cart.id) else { return };
        let Some(streams) = self.book.lock().carts.get(&id).cloned() else { return };
        let event = Event::of(cart.clone());
        streams.iter().for_each(|stream| stream.offer(&event));
    }

    /// The session is over: its streams are told so and closed.
    fn end_session(&self, session: SessionId) {
        if let Some(streams) = self.book.lock().sessions.get(&session) {
            streams.iter().for_each(|stream| stream.end());
        }
    }

    /// The session's cart is another one: its streams show that from now on. Those which did not do so yet come back. A stream
    /// that was judged by a newer state of the session meanwhile stays where it is.
    fn move_session(&self, session: &Session, cart: CartId) -> Vec<Arc<Stream>> {
        let mut book = self.book.lock();
        let mut moved = book.sessions.get(&session.id).cloned().unwrap_or_default();
        moved.retain(|stream| {
            let mut state = stream.state.lock();
            if state.version >= Some(session.version) {
                return false;
            }
            state.version = Some(session.version);
            let left = std::mem::replace(&mut state.cart, cart);
            if left == cart {
                return false;
            }
            state.newest = None;
            drop(state);
            take_out(&mut book.carts, &left, stream);
            book.carts.entry(cart).or_default().push(Arc::clone(stream));
            true
        });
        moved
    }

    fn is_watched(&self, cart: CartId) -> bool {
        self.open() > 0 && self.book.lock().carts.contains_key(&cart)
    }

    fn watches(&self, session: SessionId) -> bool {
        self.open() > 0 && self.book.lock().sessions.contains_key(&session)
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
    pub fn events(&self) -> &Arc<Events> {
        &self.events
    }

    /// Watches a session's cart: its present state comes at once, unless that is what was `seen`, then every change. To
    /// watch is no activity: a session ends under its open streams.
    pub async fn watch(
        &self,
        session: SessionId,
        cart: CartId,
        address: IpAddr,
        seen: Option<(CartId, Revision)>,
    ) -> Result<Watch, Failure> {
        let bounds = &self.settings.bounds;
        let most = Most {
            session: bounds.session_streams,
            address: if self.settings.rate_limits { bounds.address_streams } else { usize::MAX },
        };
        // First the place, then the state: a change in between is given to the place.
        let watch = self.events.enter(session, cart, Source::of(address), most)?;
        let present = self.cart_shown(cart).await?;
        match present.cart().map(|cart| (cart.id, cart.revision)) {
            Some(now) if seen == Some(now) => {
                let mut state = watch.stream.state.lock();
                state.newest = state.newest.max(Some(now.1));
            }
            _ => watch.stream.offer(&Event::of(present)),
        }
        // It may have ended, or signed in, before it had its place.
        self.judge_streams_of(session).await;
        Ok(watch)
    }

    /// Judges the sessions behind all open streams by the server's clock.
    pub async fn judge_streams(&self) {
        for session in self.events.sessions() {
            self.judge_streams_of(session).await;
        }
    }

    /// Tells those who watch what was committed: the new state of carts, and what became of their own sessions. Who watches is
    /// asked only now: somebody who came while the commit was under way may have read the state before it.
    pub(super) async fn tell(&self, carts: Vec<Arc<Cart>>, sessions: &[SessionId]) {
        for cart in carts.into_iter().filter(|cart| self.events.is_watched(cart.id)) {
            self.events.publish(&self.shown(cart).await);
        }
        for session in sessions.iter().filter(|session| self.events.watches(**session)) {
            self.judge_streams_of(*session).await;
        }
    }

    /// Ends a session's streams where it is over, and moves them where its cart is another one since it signed in.
    async fn judge_streams_of(&self, session: SessionId) {
        if let Err(failure) = self.try_judge_streams_of(session).await {
            tracing::debug!(?failure, %session, "an event stream could not be judged");
        }
    }

    async fn try_judge_streams_of(&self, session: SessionId) -> Result<(), Failure> {
        let Some((watching, cart)) = self.watching(session).await? else {
            self.events.end_session(session);
            return Ok(());
        };
        // As in `watch`: first the place, then the state.
        let moved = self.events.move_session(&watching, cart);
        if !moved.is_empty() {
            let event = Event::of(self.cart_shown(cart).await?);
            moved.iter().for_each(|stream| stream.offer(&event));
        }
        Ok(())
    }

    /// A session with the cart that it has now; none where it is over.
    async fn watching(&self, session: SessionId) -> Result<Option<(Arc<Session>, CartId)>, Failure> {
        let Some(Record::Session(session)) = self.store.load(Key::Session(session)).await? else {
            return Ok(None);
        };
        let lives = self.lease(&session, self.now()).is_ok();
        let stands = lives && self.stands(&session).await?;
        Ok(session.cart.filter(|_| stands).map(|cart| (session, cart)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trolley_core::chain::Chain;
    use trolley_core::ids::TokenDigest;
    use trolley_core::session::Transport;
    use trolley_core::time::Timestamp;

    #[test]
    fn what_was_read_of_a_session_before_its_sign_in_moves_no_stream_back() {
        let (events, at) = (Arc::<Events>::default(), Timestamp::from_ms(0));
        let [id, guests, accounts] = [[1; 16], [2; 16], [3; 16]];
        let (id, guests, accounts) =
            (SessionId::from_bytes(id), CartId::from_bytes(guests), CartId::from_bytes(accounts));
        let session = |version| Session {
            id,
            version,
            tokens: Chain::new(TokenDigest::from_bytes([1; 32]), at),
            transport: Transport::Cookie,
            cart: None,
            created_at: at,
            last_seen: at,
            presented: true,
            began_with_cart: true,
            sign_in: None,
        };
        let source = Source::of(IpAddr::from([127, 0, 0, 1]));
        let most = Most { session: 1, address: 1 };
        let watch = events.enter(id, guests, source, most).unwrap();
        assert!(events.move_session(&session(1), guests).is_empty());
        assert_eq!(events.move_session(&session(2), accounts).len(), 1);
        assert!(events.move_session(&session(1), guests).is_empty());
        assert_eq!(watch.stream.state.lock().cart, accounts);
    }
}
