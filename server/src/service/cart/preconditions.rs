//! On which terms a change is asked for: what the caller had seen, and how it would repeat itself.

use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, Revision};

/// What a caller says about any change: what it had seen, and how it would repeat itself.
#[derive(Clone, Copy, Debug)]
pub struct Preconditions {
    /// What the caller had seen of the cart.
    pub seen: SeenByCaller,
    /// Refuse the change where the cart had changed since.
    pub strict: bool,
    /// The caller's key for a retry, if it sent one.
    pub keyed: Option<IdempotencyKey>,
}

/// What a caller had seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SeenByCaller {
    /// It does not say: the newest there is.
    Newest,
    /// The empty cart of a visitor without a session.
    Nothing,
    /// This revision of this cart.
    At(CartId, Revision),
    /// More than one of these.
    Several(Several),
}

/// What a caller had seen who names more than one state: of each cart the oldest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Several {
    newest: bool,
    nothing: bool,
    /// In the order of their ids, the places that are taken first.
    at: [Option<(CartId, Revision)>; Several::CARTS_MAX],
}

impl Several {
    /// The carts that one list may name: a device shows one, and while its owner signs in two.
    pub const CARTS_MAX: usize = 4;

    /// Takes in one more; not where that is of a cart too many.
    pub fn add(&mut self, seen: SeenByCaller) -> bool {
        match seen {
            SeenByCaller::Newest => self.newest = true,
            SeenByCaller::Nothing => self.nothing = true,
            SeenByCaller::At(cart, revision) => {
                if let Some((_, lowest)) = self.at.iter_mut().flatten().find(|(of, _)| *of == cart) {
                    *lowest = revision.min(*lowest);
                    return true;
                }
                let Some(place) = self.at.iter_mut().find(|place| place.is_none()) else { return false };
                *place = Some((cart, revision));
                // Two lists that say the same are the same, also to a digest.
                self.at.sort_unstable_by_key(|place| {
                    place.map_or((true, [0; 16]), |(of, _)| (false, *of.bytes()))
                });
            }
            SeenByCaller::Several(several) => {
                self.newest |= several.newest;
                self.nothing |= several.nothing;
                return several
                    .at
                    .into_iter()
                    .flatten()
                    .all(|(cart, at)| self.add(SeenByCaller::At(cart, at)));
            }
        }
        true
    }

    /// In the simplest form that says it.
    pub fn as_one(self) -> SeenByCaller {
        match (self.newest, self.nothing, self.at) {
            (false, false, [Some((cart, revision)), None, ..]) => SeenByCaller::At(cart, revision),
            (false, true, [None, ..]) => SeenByCaller::Nothing,
            (true, false, [None, ..]) => SeenByCaller::Newest,
            _ => SeenByCaller::Several(self),
        }
    }

    /// Each of them, by itself.
    pub fn each(self) -> impl Iterator<Item = SeenByCaller> {
        let at = self.at.into_iter().flatten().map(|(cart, revision)| SeenByCaller::At(cart, revision));
        at.chain(self.newest.then_some(SeenByCaller::Newest))
            .chain(self.nothing.then_some(SeenByCaller::Nothing))
    }

    /// What it says of this cart; nobody's cart is none.
    fn of(self, cart: CartId) -> SeenByCaller {
        let at = self.at.into_iter().flatten().find(|(of, _)| *of == cart);
        let at = at.map(|(of, revision)| SeenByCaller::At(of, revision));
        at.unwrap_or(if self.newest { SeenByCaller::Newest } else { SeenByCaller::Nothing })
    }
}

impl SeenByCaller {
    /// The revision of `cart` that the caller had seen; another cart's tag counts as having seen nothing of this one.
    pub fn base(self, cart: CartId) -> Option<Revision> {
        match self {
            SeenByCaller::Newest => None,
            SeenByCaller::At(of, revision) if of == cart => Some(revision),
            SeenByCaller::Nothing | SeenByCaller::At(..) => Some(0),
            SeenByCaller::Several(several) => several.of(cart).base(cart),
        }
    }

    /// Whether a cart that nobody has yet is what the caller had seen.
    pub fn matches_nobodys(self) -> bool {
        match self {
            SeenByCaller::Newest | SeenByCaller::Nothing => true,
            SeenByCaller::At(..) => false,
            SeenByCaller::Several(several) => several.newest || several.nothing,
        }
    }

    /// Whether the cart is still what the caller had seen, so that a strict call may change it.
    pub fn matches(self, cart: &Cart) -> bool {
        match self {
            SeenByCaller::Newest => true,
            SeenByCaller::At(of, revision) => of == cart.id && revision == cart.revision,
            SeenByCaller::Nothing => cart.revision == 0,
            SeenByCaller::Several(several) => match several.of(cart.id) {
                SeenByCaller::Nothing => several.nothing && cart.revision == 0,
                said => said.matches(cart),
            },
        }
    }
}

/// A caller's key, and what it was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The first 16 bytes of SHA-256 of the key.
    pub key: [u8; 16],
    /// The first 16 bytes of SHA-256 of everything that decides the request's effect.
    pub request: [u8; 16],
}
