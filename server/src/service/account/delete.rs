//! An account is deleted: in one commit it is gone, with its sessions, its cart, its trail and its address; what its orders
//! say of the person went before.

use std::sync::Arc;

use trolley_core::account::Account;
use trolley_core::account::audit::EventKind;
use trolley_core::account::password::Password;
use trolley_core::ids::CartId;
use trolley_store::port::Write;
use trolley_store::records::{Key, Record};

use crate::service::Service;
use crate::service::account::credentials::{ClientDevice, Verified};
use crate::service::account::revoke::Tokens;
use crate::service::error::ServiceError;
use crate::service::session::claim::Claim;
use crate::service::session::recognise::Visit;
use crate::service::transaction::Transaction;

impl Service {
    /// Deletes the account of a visit, for who knows its password.
    pub async fn delete_account(
        self: &Arc<Self>,
        visit: &Visit,
        password: Option<Password>,
        from: &ClientDevice,
    ) -> Result<(), ServiceError> {
        let verified = self.confirm(visit, password, from).await?;
        let (id, claim) = (verified.account.id, visit.claim());
        let _lane = self.hold_lane(verified.account.cart).await?;
        let _turn = self.turns.of(id).await;
        self.forget_many_orders(verified.account.cart, &claim).await?;
        for _ in 0..self.settings.bounds.commit_tries {
            let mut tx = Transaction::default();
            self.require_claim_in(&mut tx, &claim).await?;
            self.delete_in(&mut tx, &verified, from).await?;
            if self.commit_desk(tx).await? {
                return Ok(());
            }
        }
        Err(ServiceError::Busy)
    }

    async fn delete_in(
        &self,
        tx: &mut Transaction,
        verified: &Verified,
        from: &ClientDevice,
    ) -> Result<(), ServiceError> {
        let account = verified.stands(self, tx).await?;
        let mut sessions = self.sessions_in(tx, account.id).await?;
        let left = sessions.leave_all();
        self.left_in(tx, account.id, &left, Tokens::Retire).await?;
        for key in self.left_behind(tx, &account).await? {
            tx.read(&*self.store, key).await?;
            tx.remove(&key);
        }
        // The event names the account by its id, which is nobody's from now on, and from no address.
        let row = from.row(self.now(), EventKind::AccountDeleted).from(None, None);
        self.note_event(tx, Some(account.id), row).await
    }

    /// Of more links to orders than one commit should hold, all but the last of them go first; before them those of guests' carts
    /// that came into this one, and that they did.
    async fn forget_many_orders(&self, cart: CartId, claim: &Claim) -> Result<(), ServiceError> {
        let most = self.settings.bounds.sweep_batch;
        for sealed in self.sealed_into(cart).await? {
            let from = sealed.link.from();
            let mut last = self.forget_whole_batches(from, most, claim).await?;
            let mut tx = Transaction::default();
            self.require_claim_in(&mut tx, claim).await?;
            for key in last
                .drain(..)
                .map(|write| write.key)
                .chain([Key::Sealing(from), Key::SealingLink(sealed.link)])
            {
                tx.read(&*self.store, key).await?;
                tx.remove(&key);
            }
            self.commit_desk(tx).await?;
        }
        self.forget_whole_batches(cart, most, claim).await.map(drop)
    }

    /// Takes out the links to a cart's orders, and gives what takes out the last of them, fewer than a batch.
    async fn forget_whole_batches(
        &self,
        cart: CartId,
        most: usize,
        claim: &Claim,
    ) -> Result<Vec<Write>, ServiceError> {
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
    async fn left_behind(&self, tx: &mut Transaction, account: &Account) -> Result<Vec<Key>, ServiceError> {
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
        tx.read(&*self.store, Key::Cart(account.cart)).await?;
        if let Some(Record::Cart(cart)) = tx.get(&Key::Cart(account.cart)) {
            keys.extend(cart.merged.iter().map(|merged| Key::Cart(merged.cart)));
        }
        Ok(keys)
    }
}
