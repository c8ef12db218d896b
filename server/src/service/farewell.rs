//! An account is deleted: in one commit it is gone, with its sessions, its cart, its trail and its address; what its orders
//! say of the person went before.

use std::sync::Arc;

use trolley_core::account::Account;
use trolley_core::account::audit::What;
use trolley_core::account::password::Password;
use trolley_core::ids::CartId;
use trolley_store::kind::{Key, Record};
use trolley_store::port::Write;

use super::Service;
use super::account::{From, Verified};
use super::claim::Claim;
use super::desk::Desk;
use super::failure::Failure;
use super::leave::Tokens;
use super::session::Visit;

impl Service {
    /// Deletes the account of a visit, for who knows its password.
    pub async fn delete_account(
        self: &Arc<Self>,
        visit: &Visit,
        password: Option<Password>,
        from: &From,
    ) -> Result<(), Failure> {
        let verified = self.confirm(visit, password, from).await?;
        let (id, claim) = (verified.account.id, visit.claim());
        let _lane = self.hold_lane(verified.account.cart).await?;
        let _turn = self.turns.of(id).await;
        self.forget_many_orders(verified.account.cart, &claim).await?;
        for _ in 0..self.settings.bounds.commit_tries {
            let mut desk = Desk::default();
            self.rest_on(&mut desk, &claim).await?;
            self.delete_on(&mut desk, &verified, from).await?;
            if self.commit_desk(desk).await? {
                return Ok(());
            }
        }
        Err(Failure::Busy)
    }

    async fn delete_on(&self, desk: &mut Desk, verified: &Verified, from: &From) -> Result<(), Failure> {
        let account = verified.stands(self, desk).await?;
        let mut sessions = self.sessions_on(desk, account.id).await?;
        let left = sessions.leave_all();
        self.left_on(desk, account.id, &left, Tokens::Retire).await?;
        for key in self.left_behind(desk, &account).await? {
            desk.lay_out(&*self.store, key).await?;
            desk.remove(&key);
        }
        // The event names the account by its id, which is nobody's from now on, and from no address.
        let row = from.row(self.now(), What::AccountDeleted).from(None, None);
        self.note_event(desk, Some(account.id), row).await
    }

    /// Of more links to orders than one commit should hold, all but the last of them go first; before them those of guests' carts
    /// that came into this one, and that they did.
    async fn forget_many_orders(&self, cart: CartId, claim: &Claim) -> Result<(), Failure> {
        let most = self.settings.bounds.sweep_batch;
        for sealed in self.sealed_into(cart).await? {
            let from = sealed.link.from();
            let mut last = self.forget_whole_batches(from, most, claim).await?;
            let mut desk = Desk::default();
            self.rest_on(&mut desk, claim).await?;
            for key in last
                .drain(..)
                .map(|write| write.key)
                .chain([Key::Sealing(from), Key::SealingLink(sealed.link)])
            {
                desk.lay_out(&*self.store, key).await?;
                desk.remove(&key);
            }
            self.commit_desk(desk).await?;
        }
        self.forget_whole_batches(cart, most, claim).await.map(drop)
    }

    /// Takes out the links to a cart's orders, and gives what takes out the last of them, fewer than a batch.
    async fn forget_whole_batches(
        &self,
        cart: CartId,
        most: usize,
        claim: &Claim,
    ) -> Result<Vec<Write>, Failure> {
        loop {
            self.require(claim).await?;
            let mut links = self.links_of(cart, most).await?;
            if links.len() < most {
                return Ok(links);
            }
            links.push(claim.expected());
            self.commit(links).await?;
        }
    }

    /// The records that are the account's besides its sessions: those of guests whose carts came into its own, too.
    async fn left_behind(&self, desk: &mut Desk, account: &Account) -> Result<Vec<Key>, Failure> {
        let mut keys = vec![
            Key::Account(account.id),
            Key::AccountSessions(account.id),
            Key::Trail(account.id),
            Key::Cart(account.cart),
        ];
        keys.extend(
            account
                .email
                .as_ref()
                .filter(|_| account.password.is_some())
                .map(|email| Key::Email(email.digest())),
        );
        keys.extend(account.reset.map(Key::Reset));
        let links = self.links_of(account.cart, self.settings.bounds.sweep_batch).await?;
        keys.extend(links.into_iter().map(|write| write.key));
        desk.lay_out(&*self.store, Key::Cart(account.cart)).await?;
        if let Some(Record::Cart(cart)) = desk.get(&Key::Cart(account.cart)) {
            keys.extend(cart.merged.iter().map(|merged| Key::Cart(merged.cart)));
        }
        Ok(keys)
    }
}
