//! The server: core's carts as they are kept, and beside them the oracle's book of everything that arrived.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use trolley_core::cart::checkout::{CheckedOut, Checkout};
use trolley_core::cart::limits::Limits;
use trolley_core::cart::merge::Merge;
use trolley_core::cart::op::{Call, Intent, MergePolicy, Outcome, SyncCall, SyncRefusal};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{OrderId, SessionId};
use trolley_core::time::Timestamp;

use crate::device::{Act, LINES, Queued, Seen, Told, cart_id, client_id, item};
use crate::oracle::{Name, Oracle, Past};
use crate::scenario::Scenario;
use crate::shelf::Shelf;

/// The act id of what no device did.
const NOBODYS: u8 = u8::MAX;
/// The session of the server's own ops and of the start.
const SESSION: u8 = 8;

/// A cart and the fingerprint of all of it but its version, computed once.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) cart: Arc<Cart>,
    print: u64,
}

impl Kept {
    fn new(cart: Cart) -> Kept {
        Kept::beside(cart, &Shelf::default())
    }

    /// A cart and its leftovers.
    fn beside(cart: Cart, shelf: &Shelf) -> Kept {
        struct Into(DefaultHasher);
        impl std::fmt::Write for Into {
            fn write_str(&mut self, text: &str) -> std::fmt::Result {
                self.0.write(text.as_bytes());
                Ok(())
            }
        }
        let mut into = Into(DefaultHasher::new());
        // What stores compare counts on with every delivery, also where nothing else changes.
        let unversioned = Cart { version: 0, ..cart.clone() };
        std::fmt::write(&mut into, format_args!("{unversioned:?}{shelf:?}")).unwrap();
        Kept { cart: Arc::new(cart), print: into.0.finish() }
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Kept) -> bool {
        self.print == other.print
    }
}

impl Eq for Kept {}

impl Hash for Kept {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.print.hash(state);
    }
}

/// The account's leftovers: their part in what tells two states apart is in the account's fingerprint.
#[derive(Clone, Debug, Default)]
pub(crate) struct Beside(Shelf);

impl PartialEq for Beside {
    fn eq(&self, _: &Beside) -> bool {
        true
    }
}

impl Eq for Beside {}

impl Hash for Beside {
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

/// What a server keeps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Server {
    pub(crate) account: Kept,
    pub(crate) guest: Kept,
    beside: Beside,
    pub(crate) oracle: Oracle,
    pub(crate) merged: bool,
    /// What a checkout took, line by line.
    pub(crate) order: Option<Vec<u64>>,
    /// The order was cancelled.
    pub(crate) given_back: bool,
    /// What must not be happened.
    pub(crate) broken: Option<&'static str>,
}

/// What one sync met, for the coverage of a scenario.
pub(crate) type Met = &'static str;

impl Server {
    /// Two carts, each as the story begins with it.
    pub(crate) fn new(scenario: &Scenario, at: u64) -> Server {
        let empty = |name| Kept::new(Cart::new(cart_id(name), Timestamp::from_ms(0)));
        let mut server = Server {
            account: empty(Name::Account),
            guest: empty(Name::Guest),
            beside: Beside::default(),
            oracle: Oracle::default(),
            merged: false,
            order: None,
            given_back: false,
            broken: None,
        };
        server.begin(Name::Account, &scenario.start, at, &scenario.limits);
        server.begin(Name::Guest, &scenario.guest_start, at, &Limits::default());
        server
    }

    fn begin(&mut self, name: Name, start: &[Act], at: u64, limits: &Limits) {
        let mut cart = Cart::clone(&self.kept(name).cart);
        for act in start {
            let (session, at) = (SessionId::from_bytes([SESSION; 16]), Timestamp::from_ms(at));
            let base = cart.revision;
            cart.call(&Call { session, base: Some(base), at, intent: act.intent() }, limits).unwrap();
            let past = self.plain(cart.revision, base, at.as_ms());
            self.note(*act, Past { of: name, ..past });
        }
        *self.kept_mut(name) = Kept::new(cart);
    }

    /// The cart that a session opens: the guest's until it has signed in.
    pub(crate) fn opened_by(&self, home: Name) -> Name {
        if self.merged { Name::Account } else { home }
    }

    pub(crate) fn kept(&self, name: Name) -> &Kept {
        match name {
            Name::Guest => &self.guest,
            Name::Account => &self.account,
        }
    }

    pub(crate) fn seen(&self, home: Name) -> Seen {
        let cart = self.opened_by(home);
        let Cart { revision, generation, .. } = *self.kept(cart).cart;
        Seen { cart, revision, generation }
    }

    /// Takes a delivery in, and says what the device is told.
    pub(crate) fn sync(
        &mut self,
        home: Name,
        client: u8,
        ops: &[(Queued, Act)],
        at: u64,
        limits: &Limits,
    ) -> (Option<Told>, Vec<Met>) {
        let name = self.opened_by(home);
        let before = self.kept(name).clone();
        let mut cart = Cart::clone(&before.cart);
        let sync = SyncCall {
            client: client_id(client),
            at: Timestamp::from_ms(at),
            ops: ops.iter().map(|(queued, act)| queued.op(*act, at)).collect(),
        };
        // What is asked of the guest's cart is not refused: the story is of what comes of it.
        let (mut shelf, roomy) = (self.beside.0.clone(), Limits::default());
        let limits = if name == Name::Guest { &roomy } else { limits };
        let synced = shelf.sync(&mut cart, &sync, limits);
        let refused = synced.is_err();
        let told = match synced {
            Ok(synced) => {
                let met = self.take_in(name, home, client, ops, synced.results.iter().map(|r| r.outcome));
                let folded = (cart.floor > before.cart.floor).then_some("folded");
                *self.kept_mut(name) = Kept::beside(cart, &shelf);
                self.beside = Beside(shelf);
                let told = Told::Synced {
                    taken: synced.results.last().map_or(0, |result| result.seq),
                    seen: self.seen(home),
                };
                return (Some(told), met.into_iter().chain(folded).collect());
            }
            Err(SyncRefusal::ClientForked { seq }) => (Some(Told::Forked { seq }), vec!["forked"]),
            Err(SyncRefusal::ClientExpired) => {
                (Some(Told::Expired { seen: self.seen(home) }), vec!["expired"])
            }
            // A guest's device that had never been heard of before the sign-in: it is shown the cart and begins anew.
            Err(SyncRefusal::ForeignCart) if self.merged && home == Name::Guest => {
                (Some(Told::Expired { seen: self.seen(home) }), vec!["foreign"])
            }
            Err(_) => {
                self.broken = Some("an honest device is never refused otherwise");
                (None, Vec::new())
            }
        };
        if refused && *before.cart != cart {
            self.broken = Some("a refused delivery changes nothing");
        }
        told
    }

    /// Tells the oracle of what was new, with the revision that each got.
    fn take_in(
        &mut self,
        name: Name,
        home: Name,
        client: u8,
        ops: &[(Queued, Act)],
        outcomes: impl Iterator<Item = Outcome>,
    ) -> Vec<Met> {
        let before = self.kept(name).cart.clone();
        let known = before.clients.iter().find(|known| known.id == client_id(client));
        let moved_along = home == Name::Guest && known.is_some_and(|known| known.guest.is_some());
        let (mut revision, mut met) = (before.revision, Vec::new());
        for ((queued, act), outcome) in ops.iter().zip(outcomes) {
            met.push(match outcome {
                Outcome::Duplicate => "duplicate",
                Outcome::Applied => "applied",
                Outcome::Superseded => "superseded",
                Outcome::Carried => "carried",
                Outcome::Clamped => "clamped",
                Outcome::Covered | Outcome::Rejected => "never",
            });
            if outcome == Outcome::Duplicate {
                continue;
            }
            revision += 1;
            let of_guest = queued.seen.is_none_or(|seen| seen.cart == Name::Guest);
            let forwarded = name == Name::Account && moved_along && of_guest;
            met.extend(forwarded.then_some("forwarded"));
            let late = !forwarded && is_late(queued, &before);
            let past = Past {
                act: queued.id,
                line: 0,
                of: if forwarded { Name::Guest } else { name },
                revision,
                author: *client_id(client).bytes(),
                is_device: true,
                seq: queued.seq,
                base: queued.base(),
                acted: queued.acted,
                set: None,
                add: 0,
                forwarded,
            };
            match act {
                // A forwarded ADD is an ADD of the account's.
                Act::Add(..) => self.note(*act, Past { of: name, ..past }),
                // A SET of what was paid since would buy it again.
                _ if late => {}
                _ => self.note(*act, past),
            }
        }
        met
    }

    #[expect(clippy::needless_pass_by_value, reason = "each is made for this")]
    fn note(&mut self, act: Act, past: Past) {
        match act {
            Act::Add(line, n) => self.oracle.push(Past { line, add: u64::from(n), ..past }),
            Act::Set(line, n) => self.oracle.push(Past { line, set: Some(u64::from(n)), ..past }),
            Act::Remove(line) => self.oracle.push(Past { line, set: Some(0), ..past }),
            Act::Clear => {
                for line in 0..LINES {
                    self.oracle.push(Past { line, set: Some(0), ..past.clone() });
                }
            }
        }
    }

    fn plain(&self, revision: u64, base: u64, acted: u64) -> Past {
        Past {
            act: NOBODYS,
            line: 0,
            of: Name::Account,
            revision,
            author: [SESSION; 16],
            is_device: false,
            seq: revision,
            base,
            acted,
            set: None,
            add: 0,
            forwarded: false,
        }
    }

    /// Signs in, or signs in again: the guest's cart is sealed, and comes in once.
    pub(crate) fn sign_in(&mut self, at: u64, limits: &Limits) -> Met {
        let (mut guest, mut account) = (Cart::clone(&self.guest.cart), Cart::clone(&self.account.cart));
        guest.seal(account.id);
        let session = SessionId::from_bytes([SESSION; 16]);
        let asked =
            Merge { guest: &guest, policy: MergePolicy::Sum, author: session, at: Timestamp::from_ms(at) };
        let came_in = self.beside.0.merge(&mut account, &asked, limits).unwrap();
        if came_in == self.merged {
            self.broken = Some("a guest's cart comes in once");
        }
        if came_in {
            self.oracle.merge(account.revision);
        }
        self.merged = true;
        (self.guest, self.account) = (Kept::new(guest), Kept::beside(account, &self.beside.0));
        if came_in { "merged" } else { "merged again" }
    }

    /// Brings in what fits of the account's oldest leftover; none where there is none or nothing fits.
    pub(crate) fn bring_in(&mut self, at: u64, limits: &Limits) -> Option<Met> {
        let mut cart = Cart::clone(&self.account.cart);
        let (session, at) = (SessionId::from_bytes([SESSION; 16]), Timestamp::from_ms(at));
        let intent = Intent::BringIn(cart.leftovers.first()?.id);
        let call = Call { session, base: None, at, intent };
        self.beside.0.call(&mut cart, &call, limits).ok()?;
        self.account = Kept::beside(cart, &self.beside.0);
        Some("brought in")
    }

    /// Units of a line of a cart, wherever they are: all that is owed counts.
    pub(crate) fn units(&self, name: Name, line: usize) -> u64 {
        let (cart, id) = (&self.kept(name).cart, item(line).line_id());
        let shown = cart.shown().chain(cart.shown_saved()).filter(|line| line.id == id);
        let left = if name == Name::Account { self.beside.0.units(cart, id) } else { 0 };
        shown.map(|line| u64::from(line.quantity())).sum::<u64>() + left
    }

    /// Checks the account's cart out; none where it is empty.
    pub(crate) fn check_out(&mut self, at: u64, limits: &Limits) -> Option<Met> {
        let mut cart = Cart::clone(&self.account.cart);
        let base = cart.revision;
        let session = SessionId::from_bytes([SESSION; 16]);
        let taken = cart.checkout(&Checkout::of_all(session, Timestamp::from_ms(at)), limits).ok()?;
        let units = |line: usize| {
            taken.iter().find(|taken| taken.item == item(line)).map_or(0, |taken| u64::from(taken.quantity))
        };
        let order: Vec<u64> = (0..LINES).map(units).collect();
        if (0..LINES).any(|line| order[line] != self.oracle.quantity(Name::Account, line)) {
            self.broken = Some("what is paid is what was there");
        }
        let cleared: Vec<usize> = (0..LINES).filter(|line| self.oracle.shows(*line, base)).collect();
        for line in cleared {
            let past = self.plain(cart.revision, base, at);
            self.note(Act::Remove(line), past);
        }
        self.account = Kept::new(cart);
        self.order = Some(order);
        Some("checked out")
    }

    /// Cancels the order, or cancels it again: its lines come back once.
    pub(crate) fn cancel(&mut self, at: u64, limits: &Limits) -> Option<Met> {
        let order = self.order.clone()?;
        let mut cart = Cart::clone(&self.account.cart);
        let lines: Vec<_> = order
            .iter()
            .enumerate()
            .filter(|(_, units)| **units > 0)
            .map(|(line, units)| CheckedOut { item: item(line), quantity: u32::try_from(*units).unwrap() })
            .collect();
        let (id, session) = (OrderId::from_bytes([7; 16]), SessionId::from_bytes([SESSION; 16]));
        let gave = cart.give_back_order(id, &lines, session, Timestamp::from_ms(at), limits).unwrap();
        if gave == self.given_back {
            self.broken = Some("an order gives back once");
        }
        if gave {
            for (line, units) in order.iter().enumerate().filter(|(_, units)| **units > 0) {
                let past = self.plain(cart.revision, cart.revision - 1, at);
                self.note(Act::Add(line, u32::try_from(*units).unwrap()), past);
            }
        }
        self.given_back = true;
        self.account = Kept::new(cart);
        Some(if gave { "cancelled" } else { "cancelled again" })
    }

    fn kept_mut(&mut self, name: Name) -> &mut Kept {
        match name {
            Name::Guest => &mut self.guest,
            Name::Account => &mut self.account,
        }
    }
}

fn is_late(queued: &Queued, cart: &Cart) -> bool {
    match queued.base() {
        0 => queued.seen.is_some_and(|seen| seen.generation < cart.generation),
        base => base < cart.generation_start,
    }
}
