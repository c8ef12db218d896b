//! How a guest begins: with the first write that has something to keep, or by asking for a bearer token.

use std::net::IpAddr;
use std::sync::Arc;

use trolley_core::cart::state::Cart;
use trolley_core::chain::TokenChain;
use trolley_core::item::Item;
use trolley_core::session::{Session, Transport};
use trolley_core::time::Timestamp;
use trolley_store::port::Write;
use trolley_store::records::own::Token as TokenRecord;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::cart::command::Outcome;
use crate::service::cart::context::Context;
use crate::service::cart::kind::{CommandKind, WithoutSession};
use crate::service::cart::preconditions::{Preconditions, SeenByCaller};
use crate::service::catalogue::asker::Asker;
use crate::service::catalogue::named;
use crate::service::catalogue::shown::PricedCart;
use crate::service::error::ServiceError;
use crate::service::limits::limiter::QuotaState;
use crate::service::limits::quotas::GUEST;
use crate::service::session::recognise::Visit;
use crate::service::session::token::Token;
use crate::service::transaction::Transaction;

/// A guest that has just begun. The token is handed out once and is nowhere else.
#[derive(Debug)]
pub struct NewGuest {
    /// Who.
    pub visit: Visit,
    /// What opens the session.
    pub token: Token,
    /// How the address it began from stands with its quota; none where there are no limits.
    pub standing: Option<QuotaState>,
}

impl Service {
    /// What a visitor without a session asked for; none where the wish is fulfilled by the empty cart that is nobody's.
    /// Where it has something to keep, session, token and cart are made by one commit, and a refused one makes nothing.
    pub async fn first_change(
        &self,
        from: IpAddr,
        terms: &Preconditions,
        task: &CommandKind,
    ) -> Result<Option<(Outcome, NewGuest)>, ServiceError> {
        let now = self.now();
        if terms.strict && !terms.seen.matches_nobodys() {
            return Err(ServiceError::Stale(self.nobodys_cart().await));
        }
        match task.of_nobody() {
            WithoutSession::Begins => {}
            WithoutSession::Nothing => return Ok(None),
            WithoutSession::Refused(failure) => return Err(failure),
            WithoutSession::CheckoutRefused(why) => {
                return Err(ServiceError::CheckoutRefused(why, self.nobodys_cart().await));
            }
        }
        let mut cart = Arc::new(Cart::new(self.new_cart_id(now), now));
        let (mut begun, mut writes) = self.new_guest(&cart, Transport::Cookie, true, now)?;
        let session = begun.visit.session.id;
        let mut tx = Transaction::default();
        let listing = self.listing(named(task.items().map(Item::sku), Asker::here(Some(cart.id)))).await;
        let made = task.carry_out(&mut Context {
            cart: &mut cart,
            tx: &mut tx,
            session: Some(session),
            seen: SeenByCaller::Nothing,
            at: now,
            limits: &self.settings.limits,
            listing: &listing,
        })?;
        begun.standing = self.admit_guest(from, GUEST + cart.bytes_at_most())?;
        writes.push(Write::create(Record::Cart(cart.clone()), None));
        writes.extend(tx.writes());
        self.commit(writes).await?;
        Ok(Some((Outcome { cart: PricedCart::new(cart, listing), made: Ok(made) }, begun)))
    }

    /// A fresh guest whose token travels in the Authorization header. Its cart is stored with its first write.
    pub async fn begin_bearer(&self, from: IpAddr) -> Result<NewGuest, ServiceError> {
        let (begun, writes) = self.new_visit(from, Transport::Bearer, GUEST)?;
        self.commit(writes).await?;
        Ok(begun)
    }

    /// A fresh guest who has put nothing into a cart yet, and the writes that make it: so many bytes with what it brings.
    pub(crate) fn new_visit(
        &self,
        from: IpAddr,
        transport: Transport,
        bytes: usize,
    ) -> Result<(NewGuest, Vec<Write>), ServiceError> {
        let now = self.now();
        let cart = Cart::new(self.new_cart_id(now), now);
        let (mut begun, writes) = self.new_guest(&cart, transport, false, now)?;
        begun.standing = self.admit_guest(from, bytes)?;
        Ok((begun, writes))
    }

    fn new_guest(
        &self,
        cart: &Cart,
        transport: Transport,
        began_with_cart: bool,
        now: Timestamp,
    ) -> Result<(NewGuest, Vec<Write>), ServiceError> {
        let token = Token::mint(&*self.random);
        let session = Arc::new(Session {
            id: self.new_session_id(now),
            version: 1,
            tokens: TokenChain::new(token.digest(), now),
            transport,
            cart: Some(cart.id),
            created_at: now,
            last_seen: now,
            presented: false,
            began_with_cart,
            sign_in: None,
        });
        let expires_at = Some(self.settings.policy.swept_after(&session));
        let named = TokenRecord { digest: token.digest(), session: session.id, retired_at: None };
        let writes = vec![
            Write::create(Record::Token(Arc::new(named)), None),
            Write::create(Record::Session(session.clone()), expires_at),
        ];
        debug_assert_eq!(writes[1].key, Key::Session(session.id));
        let visit = self.visit(session, token.digest(), now);
        let visit = visit.ok_or_else(|| ServiceError::Broken("a new session is over".to_owned()))?;
        Ok((NewGuest { visit, token, standing: None }, writes))
    }
}
