//! A catalogue that answers so many questions at once and no more, by a clock that the test turns; and visitors who want more of it.

use std::collections::VecDeque;

use trolley_core::ids::CartId;
use trolley_core::money::{Currency, Money};

use super::*;
use crate::service::catalogue::product::Product;
use crate::service::limits::addresses::Source;

/// What stands between the visitors and the catalogue, and the catalogue: it works on at what was given up.
struct Simulated {
    web: Web,
    began: Instant,
    ms: u64,
    /// How long it takes for a product and for anything else.
    takes: [u64; 2],
    line: VecDeque<(u64, bool)>,
    /// Which question each of its workers is at, and until when.
    workers: Vec<Option<(u64, u64)>>,
    asked: u64,
    under_way: Vec<(u64, u64, Box<str>, UnderWay)>,
    /// Who waits, and until when.
    waiting: Vec<(u64, Vec<Listener>)>,
    was_open: bool,
}

fn is_product(sku: &str) -> bool {
    sku.starts_with('p')
}

impl Simulated {
    fn new(workers: usize, product: u64, other: u64) -> Simulated {
        let patience = Patience { sells_for: Span::from_s(20), ..Patience::default() };
        Simulated {
            web: Web::new("http://192.0.2.1/", patience).unwrap(),
            began: stopwatch::now(),
            ms: 0,
            takes: [product, other],
            line: VecDeque::new(),
            workers: vec![None; workers],
            asked: 0,
            under_way: Vec::new(),
            waiting: Vec::new(),
            was_open: false,
        }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_ms(1_000_000 + self.ms)
    }

    fn at(&self) -> Instant {
        self.began + Duration::from_millis(self.ms)
    }

    /// Somebody at that address wants to know.
    fn want(&mut self, address: u8, cart: u8, stands: bool, skus: impl Iterator<Item = String>) -> Words {
        let source = Some(Source::of([192, 0, 2, address].into()));
        let asker = Asker { source, cart: Some(CartId::from_bytes([cart; 16])) };
        let wanted = skus.map(|sku| Wanted { sku: sku.into(), stands, asker }).collect();
        let (words, listeners) = self.web.0.join(wanted, self.now(), self.at());
        self.waiting.push((self.ms + 2_000, listeners));
        words
    }

    fn answered(&mut self, place: usize, silent: bool) {
        let (_, _, sku, question) = self.under_way.swap_remove(place);
        let answer = if silent {
            QuestionOutcome::Silent(String::new())
        } else if is_product(&sku) {
            let price = Money { amount: 100, currency: Currency::parse("EUR").unwrap() };
            QuestionOutcome::Product(Product { title: "A".into(), price, stock: None, image: None })
        } else {
            QuestionOutcome::Unknown
        };
        self.web.0.hear(question, answer, self.at());
    }

    /// Five milliseconds go by.
    fn tick(&mut self) {
        self.ms += 5;
        for worker in 0..self.workers.len() {
            if let Some((id, until)) = self.workers[worker]
                && self.ms >= until
            {
                self.workers[worker] = None;
                if let Some(place) = self.under_way.iter().position(|(other, ..)| *other == id) {
                    self.answered(place, false);
                }
            }
        }
        let now = self.ms;
        let late = |(_, asked, _, question): &(u64, u64, Box<str>, UnderWay)| {
            now - asked >= if question.is_strange() { 1_000 } else { 2_000 }
        };
        while let Some(place) = self.under_way.iter().position(late) {
            self.answered(place, true);
        }
        self.waiting.retain_mut(|(until, listeners)| {
            listeners.retain(|listener| listener.told().is_none());
            self.ms < *until && !listeners.is_empty()
        });
        while let Some(question) = self.web.0.queue.next(self.at()) {
            self.asked += 1;
            self.line.push_back((self.asked, is_product(&question.sku)));
            self.under_way.push((self.asked, self.ms, (*question.sku).into(), question));
        }
        for worker in self.workers.iter_mut().filter(|worker| worker.is_none()) {
            let Some((id, is_product)) = self.line.pop_front() else { break };
            let takes = self.takes[usize::from(!is_product)];
            *worker = Some((id, self.ms + takes));
        }
        self.was_open |= self.web.0.breaker.lock().is_open();
    }

    /// A neighbour looks at eight products every three seconds while `flood` goes on, which is called ten times a second. How often a
    /// price was not to be sold by; and how often it was an old one.
    fn neighbour(&mut self, seconds: u64, mut flood: impl FnMut(&mut Simulated, u64)) -> (usize, usize) {
        let cart = || (0..8).map(|n| format!("p{n}"));
        self.want(1, 1, true, cart());
        (0..400).for_each(|_| self.tick());
        let begun = self.ms;
        let (mut untold, mut old) = (0, 0);
        while self.ms < begun + 1_000 * seconds {
            let since = self.ms - begun;
            if since.is_multiple_of(100) {
                flood(self, since / 100);
            }
            if since.is_multiple_of(3_000) {
                self.want(1, 1, true, cart());
            }
            if since % 3_000 == 2_000 {
                for sku in cart() {
                    let now = self.now();
                    let looked = Timestamp::from_ms(now.as_ms() - 2_000);
                    let memory = &self.web.0.memory;
                    match memory.at_hand(&sku, looked).unwrap_or(memory.stand_in(&sku, now)) {
                        Lookup::Known(_) => {}
                        Lookup::Last(_) => old += 1,
                        Lookup::Unknown | Lookup::Untold(_) => untold += 1,
                    }
                }
            }
            self.tick();
        }
        (untold, old)
    }
}

/// Six carts behind one address name a hundred skus each, that were never named before, three times a second.
fn odd(simulated: &mut Simulated, n: u64) {
    if n.is_multiple_of(3) {
        for cart in 0..6 {
            simulated.want(2, cart, false, (0..100).map(|i| format!("u{cart}-{n}-{i}")));
        }
    }
}

#[test]
fn a_flood_of_odd_skus_leaves_neighbours_their_prices_however_little_the_catalogue_can_do() {
    for (workers, product, other) in
        [(1, 50, 50), (4, 200, 200), (2, 20, 400), (16, 20, 1_500), (2, 20, 1_500), (1, 100, 100)]
    {
        let mut simulated = Simulated::new(workers, product, other);
        let (untold, old) = simulated.neighbour(60, odd);
        let case = format!("{workers} at {product} and {other} ms: {untold} untold, {old} old");
        assert!(!simulated.was_open, "{case}: the breaker opened");
        assert_eq!(untold, 0, "{case}");
        assert!(old <= 24, "{case}");
        assert!(simulated.asked > 50, "{case}: {} questions", simulated.asked);
    }
}

#[test]
fn a_flood_of_odd_skus_that_stand_in_carts_does_no_more() {
    let mut simulated = Simulated::new(1, 50, 50);
    let result = simulated.neighbour(60, |simulated, n| {
        simulated.want(2, (n % 50) as u8, true, (0..60).map(|i| format!("u{n}-{i}")));
    });
    assert_eq!((result.0, simulated.was_open), (0, false), "{result:?}");
}

#[test]
fn nor_does_one_of_real_products() {
    let mut simulated = Simulated::new(1, 50, 50);
    let result = simulated.neighbour(60, |simulated, n| {
        simulated.want(2, (n % 50) as u8, true, (0..60).map(|i| format!("p{}", 100 + (n * 60 + i) % 900)));
    });
    assert_eq!((result.0, simulated.was_open), (0, false), "{result:?}");
}

#[test]
fn a_catalogue_that_hangs_is_found_out_though_a_stranger_goes_on_asking() {
    let mut simulated = Simulated::new(4, 20, 20);
    simulated.neighbour(12, odd);
    assert!(!simulated.was_open);
    simulated.takes = [1_000_000; 2];
    simulated.neighbour(60, odd);
    assert!(simulated.was_open);
}

#[test]
fn a_catalogue_that_has_room_is_asked_for_much_at_once() {
    let mut simulated = Simulated::new(64, 100, 100);
    simulated.neighbour(10, odd);
    assert!(simulated.asked > 500, "{} questions in ten seconds", simulated.asked);
    let mut slow = Simulated::new(64, 600, 600);
    slow.neighbour(10, |simulated, _| {
        simulated.want(2, 2, true, (0..200).map(|n| format!("p{n}")));
    });
    assert!(slow.asked > 60, "{} questions in ten seconds", slow.asked);
}
