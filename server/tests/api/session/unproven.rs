//! Guests whose token never came back: how long they are kept, and how many (SESSION.md, *creation*; S34).

use std::sync::Arc;

use serde_json::json;
use trolley::http::server::state::HttpConfig;
use trolley::service::session::token::Token;
use trolley::service::settings::{Bounds, Keeping, Settings};
use trolley_core::ids::SessionId;
use trolley_core::session::SessionPolicy;
use trolley_core::time::{Span, Timestamp};
use trolley_store::memory::Memory;
use trolley_store::port::{BoxFuture, CommitError, Due, Listed, Listing, Store, StoreError, Write};
use trolley_store::records::counts::Counts;
use trolley_store::records::{Key, Kind, Record};

use crate::support::faulty::Faulty;
use crate::support::{Actor, Browser, Shop, days};

#[tokio::test]
async fn who_put_one_thing_in_and_closed_the_tab_finds_it_four_days_later() {
    let shop = Shop::new();
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    shop.turn(days(4)).await;
    let restarted = Shop::over(shop.store, HttpConfig::default(), Settings::default());
    let back = restarted.browser_with(&browser.cookie().unwrap());
    assert_eq!(back.cart().await.shown(), "mug=1");
    // From here on it is a guest as any.
    restarted.turn(days(29)).await;
    assert_eq!(back.cart().await.shown(), "mug=1");
}

#[tokio::test]
async fn a_cart_that_nobody_came_back_to_is_kept_for_two_weeks_or_for_what_is_set() {
    let policy = SessionPolicy { guest_unproven: days(3), ..SessionPolicy::default() };
    for (settings, kept) in
        [(Settings::default(), days(14)), (Settings { policy, ..Settings::default() }, days(3))]
    {
        let shop = Shop::still(HttpConfig::default(), settings);
        let (early, late) = (shop.browser(), shop.browser());
        early.add("mug", 1).await.expect(200);
        late.add("mug", 1).await.expect(200);
        shop.turn(Span::from_ms(kept.as_ms() - 1)).await;
        assert_eq!(early.cart().await.shown(), "mug=1");
        shop.turn(Span::from_ms(1)).await;
        assert_eq!(late.cart().await.shown(), "");
        let early_alone = Counts { guest_carts: 1, guest_sessions: 1, ..Counts::default() };
        assert_eq!(shop.store.count().await.unwrap(), early_alone);
    }
}

#[tokio::test]
async fn a_guest_without_a_cart_is_gone_after_a_day() {
    let shop = Shop::new();
    shop.bearer().await;
    let (data, queue) = (shop.browser(), shop.browser());
    data.json("PATCH", "/v1/session/data", json!({"theme": "dark"})).await.expect(200);
    let ops = json!([{"seq": 1, "op_id": "0123456789abcdef", "base": 0, "age_ms": 0, "op": "add", "sku": "mug", "quantity": 1}]);
    let sync = json!({"client": "7d444840-9dc0-41d1-b245-5ffdce74fad2", "ops": ops});
    queue.json("POST", "/v1/cart/sync", sync).await.expect(200);
    assert_eq!(shop.store.count().await.unwrap().unproven_guests, 3);
    shop.turn(Span::from_hours(23)).await;
    assert_eq!(shop.store.count().await.unwrap().unproven_guests, 3);
    shop.turn(Span::from_hours(1)).await;
    assert_eq!(shop.store.count().await.unwrap().unproven_guests, 1, "the one with a cart is kept");
    assert_eq!(queue.cart().await.shown(), "mug=1");
    assert_eq!(shop.store.count().await.unwrap().unproven_guests, 0);
}

/// A guest of the law below.
struct Guest {
    browser: Browser,
    began: Timestamp,
    came_back: bool,
}

impl Guest {
    async fn is_kept(&self, shop: &Shop) -> bool {
        let token = Token::parse(self.browser.cookie().unwrap().as_bytes()).unwrap();
        shop.store.load(Key::Token(token.digest())).await.unwrap().is_some()
    }
}

fn few(guests_unproven: u64) -> Settings {
    let keeping = Keeping { guests_unproven, ..Keeping::default() };
    let bounds = Bounds { sweep_batch: 3, ..Bounds::default() };
    Settings { keeping, bounds, ..Settings::default() }
}

/// What must hold after every sweep.
async fn hold(shop: &Shop, guests: &[Guest], most: usize) {
    let now = shop.service.now();
    let (mut kept, mut over_a_day, mut gone, mut oldest) = (0, 0, 0, now);
    for guest in guests {
        let (is_kept, age) = (guest.is_kept(shop).await, now.since(guest.began));
        if guest.came_back {
            assert!(is_kept, "who came back never gives way");
            continue;
        }
        if age < Span::from_hours(24) {
            assert!(is_kept, "nobody gives way within a day: {age:?}");
        }
        if is_kept {
            kept += 1;
            oldest = oldest.min(guest.began);
            over_a_day += usize::from(age >= Span::from_hours(24));
        } else {
            gone += 1;
            assert!(guest.began <= oldest, "the oldest leave first");
        }
    }
    assert!(kept <= most || over_a_day == 0, "{kept} are kept, {over_a_day} of them over a day");
    assert!(kept >= most.min(kept + gone), "{gone} left though only {kept} were there");
    assert_eq!(shop.store.count().await.unwrap().unproven_guests, kept as u64);
}

#[tokio::test]
async fn s34_of_guests_never_seen_again_the_oldest_over_a_day_leave_first_where_there_are_too_many() {
    let shop = Shop::still(HttpConfig::default(), few(6));
    let (mut guests, mut most_at_once) = (Vec::new(), 0);
    for step in 0..60_usize {
        for n in 0..(step * 7 + 3) % 4 {
            let (browser, came_back) = (shop.browser(), (step + n) % 5 == 0);
            browser.add("mug", 1).await.expect(200);
            if came_back {
                browser.cart().await;
            }
            guests.push(Guest { browser, began: shop.service.now(), came_back });
        }
        most_at_once = most_at_once.max(shop.store.count().await.unwrap().unproven_guests);
        shop.turn(Span::from_hours(if step % 20 < 10 { 5 } else { 2 })).await;
        hold(&shop, &guests, 6).await;
    }
    assert!(most_at_once > 8, "a day takes more than are kept beyond it: {most_at_once}");
    // Another process counts on where this one stopped, and keeps to its own bound.
    let shop = Shop::over(shop.store, HttpConfig::default(), few(2));
    shop.turn(days(1)).await;
    assert_eq!(shop.store.count().await.unwrap().unproven_guests, 2);
    for guest in guests.iter().filter(|guest| guest.came_back) {
        assert!(guest.is_kept(&shop).await);
    }
}

#[tokio::test]
async fn s34_a_guest_who_comes_back_while_it_would_give_way_stays() {
    let shop = Shop::still(HttpConfig::default(), few(0));
    let browser = shop.browser();
    browser.add("mug", 1).await.expect(200);
    shop.turn(Span::from_hours(23)).await;
    browser.cart().await;
    shop.turn(days(2)).await;
    assert_eq!(browser.cart().await.shown(), "mug=1");
}

/// A store one of whose sessions is damaged: lists leave it out, and who asks for it is told.
struct Damaged(Memory, parking_lot::Mutex<Option<SessionId>>);

impl Damaged {
    fn is(&self, key: Key) -> bool {
        self.1.lock().map(Key::Session) == Some(key)
    }
}

impl Store for Damaged {
    fn load(&self, key: Key) -> BoxFuture<'_, Result<Option<Record>, StoreError>> {
        if self.is(key) {
            return Box::pin(async move { Err(StoreError::Damaged { key, what: "planted".to_owned() }) });
        }
        self.0.load(key)
    }

    fn commit(&self, writes: Vec<Write>) -> BoxFuture<'_, Result<(), CommitError>> {
        self.0.commit(writes)
    }

    fn due(
        &self,
        now: Timestamp,
        after: Option<Due>,
        most: usize,
    ) -> BoxFuture<'_, Result<Vec<Due>, StoreError>> {
        self.0.due(now, after, most)
    }

    fn list(&self, listing: Listing, most: usize) -> BoxFuture<'_, Result<Vec<Listed>, StoreError>> {
        Box::pin(async move {
            let mut listed = self.0.list(listing, most + 1).await?;
            listed.retain(|listed| !self.is(listed.record.key()));
            listed.truncate(most);
            Ok(listed)
        })
    }

    fn upkeep(&self) -> BoxFuture<'_, Result<bool, StoreError>> {
        self.0.upkeep()
    }

    fn count(&self) -> BoxFuture<'_, Result<Counts, StoreError>> {
        self.0.count()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.close()
    }
}

#[tokio::test]
async fn s34_a_damaged_session_holds_up_none_of_those_that_have_to_give_way() {
    let store = Arc::new(Damaged(Memory::new(), parking_lot::Mutex::default()));
    let shop = Shop::over(Arc::new(Faulty::over(store.clone())), HttpConfig::default(), few(3));
    for _ in 0..10 {
        shop.browser().add("mug", 1).await.expect(200);
    }
    let all = store.list(Listing::all(Kind::Session), 10).await.unwrap();
    let Record::Session(fifth) = &all[4].record else { panic!() };
    *store.1.lock() = Some(fifth.id);
    shop.turn(days(2)).await;
    assert_eq!(store.count().await.unwrap().unproven_guests, 3);
    assert!(store.0.load(Key::Session(fifth.id)).await.unwrap().is_some());
}
