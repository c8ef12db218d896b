//! Somebody with an account, and devices with a whole cookie jar. Signed in through the service, as the shop's own login does.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};
use parking_lot::Mutex;
use trolley::http::extract::cookie::{DEVICE, NAME, REMEMBER};
use trolley::http::server::app::App;
use trolley::service::Service;
use trolley::service::account::attach::{AttachRequest, Attached, RememberCookie};
use trolley::service::error::ServiceError;
use trolley::service::session::recognise::{Presented, Recognition, Visit};
use trolley::service::session::token::Token;
use trolley_core::account::Account;
use trolley_core::account::sessions::AccountSessions;
use trolley_core::ids::{AccountId, CartId, SessionId};
use trolley_core::session::{Device as From, Transport};
use trolley_store::port::{Store as _, Write};
use trolley_store::records::{Key, Record};

use crate::support::reply::Reply;
use crate::support::{Actor, Shop};

/// An account.
#[derive(Clone, Copy)]
pub struct Member {
    pub account: AccountId,
    pub cart: CartId,
}

impl Shop {
    /// An account of the shop's own, without a password here.
    pub async fn member(&self, n: u8) -> Member {
        let (account, cart) = (AccountId::from_bytes([n; 16]), CartId::from_bytes([n.wrapping_add(100); 16]));
        let now = self.service.now();
        let record = Account {
            id: account,
            version: 1,
            shop_id: Some(format!("customer-{n}").into()),
            email: None,
            password: None,
            cart,
            reset: None,
            created_at: now,
            password_at: now,
        };
        self.store.commit(vec![Write::create(Record::Account(Arc::new(record)), None)]).await.unwrap();
        Member { account, cart }
    }

    /// A device without any cookie.
    pub fn device(&self) -> Device {
        Device { app: self.app.clone(), service: self.service.clone(), jar: Mutex::default() }
    }

    /// A device on which the member signed in.
    pub async fn signed_in(&self, member: &Member, remember: bool) -> Device {
        let device = self.device();
        device.sign_in(member, remember).await;
        device
    }

    /// What the store has of the member's sessions.
    pub async fn sessions_of(&self, member: &Member) -> AccountSessions {
        match self.store.load(Key::AccountSessions(member.account)).await.unwrap() {
            Some(Record::AccountSessions(sessions)) => (*sessions).clone(),
            _ => AccountSessions::new(member.account),
        }
    }

    /// How often that happened to the member.
    pub async fn trail_of(&self, member: &Member, what: &str) -> usize {
        match self.store.load(Key::Trail(member.account)).await.unwrap() {
            Some(Record::Trail(trail)) => trail.rows.iter().filter(|row| row.what.as_str() == what).count(),
            _ => 0,
        }
    }
}

/// A browser whose jar holds every cookie of ours.
pub struct Device {
    app: Arc<App>,
    service: Arc<Service>,
    jar: Mutex<BTreeMap<String, String>>,
}

impl Device {
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().get(name).cloned()
    }

    pub fn token(&self) -> String {
        self.cookie(NAME).unwrap()
    }

    pub fn put(&self, name: &str, value: &str) {
        self.jar.lock().insert(name.to_owned(), value.to_owned());
    }

    pub fn drop_cookie(&self, name: &str) {
        self.jar.lock().remove(name);
    }

    /// Another tab, which took its cookies before whatever comes next.
    pub fn tab(&self) -> Device {
        let jar = Mutex::new(self.jar.lock().clone());
        Device { app: self.app.clone(), service: self.service.clone(), jar }
    }

    /// The same device, before another process.
    pub fn at(&self, shop: &Shop) -> Device {
        Device { app: shop.app.clone(), service: shop.service.clone(), ..self.tab() }
    }

    /// Whom the server takes this device for, without renewing anything.
    pub async fn visit(&self) -> Option<Visit> {
        let token = self.cookie(NAME).and_then(|token| Token::parse(token.as_bytes()));
        let (remember, transport) = (None, Transport::Cookie);
        let presented = Presented { token, remember, transport, renews: false, watches: false };
        match self.service.recognise(&presented).await.unwrap() {
            Recognition::Known(visit, _) => Some(visit),
            Recognition::Nobody | Recognition::Retired | Recognition::Unrenewed => None,
        }
    }

    pub async fn session(&self) -> SessionId {
        self.visit().await.unwrap().session.id
    }

    pub async fn is_signed_in(&self) -> bool {
        self.visit().await.is_some_and(|visit| visit.session.account().is_some())
    }

    pub async fn entering(&self, member: &Member, remember: bool) -> AttachRequest {
        AttachRequest {
            session: self.visit().await.map(|visit| visit.session.id),
            follows: None,
            account: member.account,
            cart: member.cart,
            epoch: self.service.epoch(member.account).await.unwrap(),
            remember,
            transport: Transport::Cookie,
            device: From { name: "a browser".into(), address: "192.0.2.7".into() },
            known_by: self.cookie(DEVICE).and_then(|token| Token::parse(token.as_bytes())),
        }
    }

    pub async fn sign_in(&self, member: &Member, remember: bool) -> Attached {
        let entering = self.entering(member, remember).await;
        self.enter(&entering).await.unwrap()
    }

    pub async fn enter(&self, entering: &AttachRequest) -> Result<Attached, ServiceError> {
        let entered = self.service.attach(entering).await?;
        self.take(&entered);
        Ok(entered)
    }

    /// Keeps the cookies that a sign-in sets.
    pub fn take(&self, entered: &Attached) {
        self.put(NAME, entered.token.expose());
        match &entered.remember {
            RememberCookie::New(token, _) => self.put(REMEMBER, token.expose()),
            RememberCookie::Dropped => self.drop_cookie(REMEMBER),
            RememberCookie::Same => {}
        }
        if let Some(token) = &entered.known_by {
            self.put(DEVICE, token.expose());
        }
    }

    pub async fn sign_out(&self) {
        let visit = self.visit().await.unwrap();
        self.service.sign_out(&visit).await.unwrap();
    }
}

impl Actor for Device {
    fn app(&self) -> &App {
        &self.app
    }

    fn credentials(&self, headers: &mut HeaderMap) {
        let pairs: Vec<String> =
            self.jar.lock().iter().map(|(name, value)| format!("{name}={value}")).collect();
        if !pairs.is_empty() {
            headers.append("cookie", HeaderValue::from_str(&pairs.join("; ")).unwrap());
        }
    }

    fn keep(&self, reply: &Reply) {
        for (name, value) in reply.cookies() {
            self.put(&name, &value);
        }
    }
}
