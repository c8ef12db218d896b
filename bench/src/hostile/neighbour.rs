//! Neighbours: they come from addresses of their own, do modest things at an even pace, and judge every answer.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::net::TcpStream;

use super::book::{Kind, Verdict};
use super::jar::Jar;
use super::judge;
use super::line::{self, Conversation, Said, Silence};
use super::street::{NeighbourErrand, Street, Turns, address};

/// A cart that somebody adds to is left for a new one when so many things were put in.
const ADDS_A_CART: u64 = 60;
/// A price that moves may do so between look and order, and not ever again.
const REPRICED_MOST: u32 = 3;
/// How long after the end somebody may still begin what was due before.
const LATE: Duration = Duration::from_secs(10);
/// The right password of every account.
pub(super) const PASSWORD: &str = "a neighbour's own long phrase";

/// A neighbour.
#[derive(Debug)]
pub(super) struct Neighbour {
    number: usize,
    errand: NeighbourErrand,
    street: Arc<Street>,
    line: Conversation,
    jar: Jar,
    /// How often it put something into its present cart.
    adds: u64,
    /// The accounts that are its own: their e-mail addresses, and what a browser of theirs keeps.
    accounts: Vec<(String, Jar)>,
    visits: usize,
    /// The stream that it watches.
    stream: Option<TcpStream>,
}

impl Neighbour {
    /// Someone at home.
    pub(super) fn new(number: usize, errand: NeighbourErrand, street: &Arc<Street>) -> Neighbour {
        let street = Arc::clone(street);
        let line = Conversation::new(address(number), street.server);
        let (jar, accounts) = (Jar::default(), Vec::new());
        Neighbour { number, errand, street, line, jar, adds: 0, accounts, visits: 0, stream: None }
    }

    /// What has to be there before anything is counted: a reader's cart, the accounts of who signs in.
    pub(super) async fn prepare<'a>(&mut self, emails: impl Iterator<Item = &'a String>) -> io::Result<()> {
        if matches!(self.errand, NeighbourErrand::Look | NeighbourErrand::Watch) {
            for sku in ["item-1".to_owned(), "item-2".to_owned(), format!("moving-{}", self.number % 4)] {
                let said = self.write("POST", "/v1/cart/lines", &add(&sku, 2)).await;
                let said = expected(said, 200, "filling a cart")?;
                if let Some(wrong) = judge::cart(&said.body, self.street.opened.elapsed()) {
                    return Err(io::Error::other(format!(
                        "a cart has {wrong}: does the server ask our catalogue?"
                    )));
                }
            }
        }
        for email in emails {
            let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
            let said = self.line.ask("POST", "/v1/accounts", &[], &body).await;
            let said = expected(said, 201, "a sign-up")?;
            let mut browser = Jar::default();
            browser.take(&said.cookies);
            self.accounts.push((email.clone(), browser.known_device()));
        }
        Ok(())
    }

    /// Takes its turns until there is none left.
    pub(super) async fn live(mut self, turns: Arc<Turns>) {
        while let Some(mut due) = turns.take() {
            if due > Instant::now() {
                tokio::time::sleep_until(due.into()).await;
                // Nobody but our own clock was waited for.
                due = Instant::now();
            }
            if Instant::now() > turns.until + LATE {
                let verdict = Verdict::Refused("could not begin in time".to_owned());
                self.street.note(self.errand.kind(), due, verdict);
                continue;
            }
            match self.errand {
                NeighbourErrand::Look => drop(self.read(due).await),
                NeighbourErrand::Watch => self.watch(due).await,
                NeighbourErrand::Fill => self.fill(due).await,
                NeighbourErrand::Buy => self.buy(due).await,
                NeighbourErrand::SignIn => self.sign_in(due).await,
                NeighbourErrand::Probe => self.probe(due).await,
            }
            self.visits += 1;
        }
    }

    async fn read(&mut self, due: Instant) -> Option<Said> {
        let said = self.line.ask("GET", "/v1/cart", &[&self.jar.line()], "").await;
        self.judge_cart(Kind::Read, due, 200, said)
    }

    /// Notes what came, and gives it back where it is good.
    fn judge_cart(&self, kind: Kind, due: Instant, status: u16, said: Result<Said, Silence>) -> Option<Said> {
        let verdict = match &said {
            Err(silence) => Verdict::Refused(silence.word().to_owned()),
            Ok(said) if said.status != status => Verdict::Refused(said.word()),
            Ok(said) => {
                let cart = said.body.get("cart").unwrap_or(&said.body);
                judge::cart(cart, self.street.opened.elapsed()).map_or(Verdict::Good, Verdict::Wrong)
            }
        };
        let good = verdict == Verdict::Good;
        self.street.note(kind, due, verdict);
        said.ok().filter(|_| good)
    }

    async fn fill(&mut self, due: Instant) {
        if self.adds >= ADDS_A_CART {
            (self.jar, self.adds) = (Jar::default(), 0);
        }
        self.adds += 1;
        match self.visits % 8 {
            7 if self.adds > 1 => {
                let sku = format!("gone-{}", self.street.name());
                let said = self.write("POST", "/v1/cart/lines", &add(&sku, 1)).await;
                self.street.note(Kind::Add, due, unknown(&said));
            }
            turn => {
                let sku = match turn % 2 {
                    0 => format!("item-{}", self.visits % 40),
                    _ => format!("fresh-{}", self.street.name()),
                };
                let said = self.write("POST", "/v1/cart/lines", &add(&sku, 1)).await;
                self.judge_cart(Kind::Add, due, 200, said);
            }
        }
    }

    async fn buy(&mut self, due: Instant) {
        (self.jar, self.adds) = (Jar::default(), 0);
        self.line.hang_up();
        if self.arrive(due).await.is_none() {
            return;
        }
        // Every third one buys at a price that moves.
        let second = match self.visits % 3 {
            0 => format!("moving-{}", self.number % 4),
            _ => format!("item-{}", self.visits % 7),
        };
        let began = Instant::now();
        let said = self.write("POST", "/v1/cart/lines", &add(&second, 3)).await;
        if self.judge_cart(Kind::Add, began, 200, said).is_none() {
            return;
        }
        for again in 0..=REPRICED_MOST {
            let Some(seen) = self.read(Instant::now()).await else { return };
            let subtotal = &seen.body["subtotal"];
            let body = serde_json::json!({"seen": {"revision": seen.body["revision"], "subtotal": subtotal}});
            let began = Instant::now();
            let said = self.write("POST", "/v1/cart/checkout", &body.to_string()).await;
            let is_repriced = said.as_ref().is_ok_and(|said| said.body["code"] == "price_changed");
            if is_repriced && again < REPRICED_MOST && second.starts_with("moving") {
                // As it should be: the shopper looks again.
                continue;
            }
            let open_for = self.street.opened.elapsed();
            return self.street.note(Kind::Checkout, began, ordered(&said, subtotal, open_for));
        }
    }

    async fn arrive(&mut self, due: Instant) -> Option<Said> {
        let said =
            self.write("POST", "/v1/cart/lines", &add(&format!("item-{}", 10 + self.visits % 7), 2)).await;
        self.judge_cart(Kind::Arrive, due, 200, said)
    }

    async fn sign_in(&mut self, due: Instant) {
        if self.accounts.is_empty() {
            return;
        }
        let at = self.visits % self.accounts.len();
        let (email, browser) = self.accounts[at].clone();
        self.jar = browser;
        self.line.hang_up();
        if self.arrive(due).await.is_none() {
            return;
        }
        let body = format!(r#"{{"email":"{email}","password":"{PASSWORD}"}}"#);
        let second = Instant::now();
        let said = self.write("POST", "/v1/session/sign-in", &body).await;
        self.judge_cart(Kind::SignIn, second, 200, said);
        let known = self.jar.known_device();
        if !known.line().is_empty() {
            self.accounts[at].1 = known;
        }
    }

    async fn watch(&mut self, due: Instant) {
        if let Some(stream) = self.stream.take()
            && line::is_over(&stream)
        {
            let verdict = Verdict::Refused("the stream was ended".to_owned());
            return self.street.note(Kind::Watch, due, verdict);
        }
        let verdict = match self.line.watch("/v1/cart/events", &self.jar.line()).await {
            Ok(Ok(stream)) => {
                self.stream = Some(stream);
                Verdict::Good
            }
            Ok(Err(status)) => Verdict::Refused(status),
            Err(silence) => Verdict::Refused(silence.word().to_owned()),
        };
        self.street.note(Kind::Watch, due, verdict);
    }

    async fn probe(&mut self, due: Instant) {
        self.line.hang_up();
        let path = if self.visits.is_multiple_of(2) { "/healthz" } else { "/readyz" };
        let verdict = match self.line.ask("GET", path, &[], "").await {
            Ok(said) if said.status == 200 => Verdict::Good,
            Ok(said) => Verdict::Refused(said.word()),
            Err(silence) => Verdict::Refused(silence.word().to_owned()),
        };
        self.street.note(Kind::Probe, due, verdict);
    }

    /// A change, under a key where there is a session that it can count in.
    async fn write(&mut self, method: &str, path: &str, body: &str) -> Result<Said, Silence> {
        let cookies = self.jar.line();
        let key = format!("idempotency-key: n-{}-{}\r\n", self.number, self.street.name());
        let headers = [cookies.as_str(), if cookies.is_empty() { "" } else { key.as_str() }];
        let said = self.line.ask(method, path, &headers, body).await?;
        self.jar.take(&said.cookies);
        Ok(said)
    }
}

/// The body of an add.
pub(super) fn add(sku: &str, quantity: u64) -> String {
    serde_json::json!({"sku": sku, "quantity": quantity}).to_string()
}

/// What is not there cannot be bought.
fn unknown(said: &Result<Said, Silence>) -> Verdict {
    match said {
        Ok(said) if said.status == 422 && said.body["code"] == "unknown_sku" => Verdict::Good,
        Ok(said) if said.status == 200 => Verdict::Wrong("what does not exist is in the cart".to_owned()),
        Ok(said) => Verdict::Refused(said.word()),
        Err(silence) => Verdict::Refused(silence.word().to_owned()),
    }
}

fn ordered(said: &Result<Said, Silence>, seen: &Value, open_for: Duration) -> Verdict {
    match said {
        Ok(said) if said.status == 201 => {
            judge::order(&said.body["order"], seen, open_for).map_or(Verdict::Good, Verdict::Wrong)
        }
        Ok(said) => Verdict::Refused(said.word()),
        Err(silence) => Verdict::Refused(silence.word().to_owned()),
    }
}

fn expected(said: Result<Said, Silence>, status: u16, doing: &str) -> io::Result<Said> {
    match said {
        Ok(said) if said.status == status => Ok(said),
        Ok(said) => Err(io::Error::other(format!("{doing} was answered {}", said.word()))),
        Err(silence) => Err(io::Error::other(format!("{doing}: {}", silence.word()))),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::hostile::goods::{self, Ware};

    use super::*;

    fn said(status: u16, body: Value) -> Result<Said, Silence> {
        Ok(Said { status, cookies: Vec::new(), body })
    }

    #[test]
    fn an_order_is_good_only_at_the_prices_and_the_sum_that_were_seen() {
        let Ware::Steady(price) = goods::ware("item-1") else { panic!("it is steady") };
        let money = |amount: u64| json!({"amount": amount, "currency": "EUR"});
        let order = |unit: u64, sum: u64| {
            let line =
                json!({"sku": "item-1", "quantity": 1, "unit_price": money(unit), "line_total": money(unit)});
            said(201, json!({"order": {"lines": [line], "subtotal": money(sum)}}))
        };
        let judge = |answer| ordered(&answer, &money(price), Duration::from_secs(60));
        assert_eq!(judge(order(price, price)), Verdict::Good);
        assert!(matches!(judge(order(price, price - 1)), Verdict::Wrong(_)));
        assert!(matches!(judge(order(price - 1, price)), Verdict::Wrong(_)));
        assert!(matches!(judge(said(201, json!({"order": {"lines": []}}))), Verdict::Wrong(_)));
        let problem = said(409, json!({"code": "price_unknown"}));
        assert_eq!(judge(problem), Verdict::Refused("409 price_unknown".into()));
        assert_eq!(judge(Err(Silence::Dropped)), Verdict::Refused("dropped".into()));
    }

    #[test]
    fn who_sells_what_does_not_exist_is_wrong_and_not_refused() {
        assert_eq!(unknown(&said(422, json!({"code": "unknown_sku"}))), Verdict::Good);
        assert!(matches!(unknown(&said(200, json!({}))), Verdict::Wrong(_)));
        assert!(matches!(unknown(&said(503, json!({"code": "busy"}))), Verdict::Refused(_)));
    }
}
