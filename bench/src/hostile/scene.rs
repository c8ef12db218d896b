//! One run: neighbours shop at an even pace; in the middle third somebody does his worst; then they are alone again.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

use super::attack::raider::Siege;
use super::attack::sockets;
use super::attack::tolls::AnswerCounts;
use super::attack::{self, Part};
use super::book::{Book, Phase, Plan};
use super::catalogue::Catalogue;
use super::neighbour::Neighbour;
use super::street::{ADDRESSES, NeighbourErrand, Street, Turns, emails};

/// Connections of neighbours who look, of those who fill carts, and so on: each waits for one answer at a time.
const PEOPLE: [(NeighbourErrand, usize, f64); 6] = [
    (NeighbourErrand::Look, 20, 0.57),
    (NeighbourErrand::Fill, 10, 0.25),
    (NeighbourErrand::Buy, 10, 0.06),
    (NeighbourErrand::SignIn, 10, 0.03),
    (NeighbourErrand::Watch, 10, 0.03),
    (NeighbourErrand::Probe, 2, 0.06),
];
/// An account lets itself be signed in to thirty times an hour; its owner comes less often.
const SIGN_INS_AN_ACCOUNT: f64 = 20.0;
/// Accounts that one address may make in an hour are more than that.
const ACCOUNTS_AN_ADDRESS: usize = 15;
/// How often it is looked how the server does.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How soon it begins when everybody is ready.
const SOON: Duration = Duration::from_millis(100);

/// Open files that all of it takes on our side; the server's are as many.
pub(crate) const FILES: u64 = sockets::ALL as u64 + 1_024;

/// Who plays, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    /// The server.
    pub(crate) server: SocketAddr,
    /// Whom it asks for prices.
    pub(crate) catalogue: Catalogue,
    /// How long neighbours are alone, uncounted.
    pub(crate) warm_up: Duration,
    /// How long each of the three parts is.
    pub(crate) each: Duration,
    /// What neighbours begin in a second, all together.
    pub(crate) rate: f64,
    /// What the attacker does.
    pub(crate) parts: Vec<Part>,
}

/// What came of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// What became of the neighbours.
    pub(crate) book: Book,
    /// What the attacker was told, by the kind of attack.
    pub(crate) told: BTreeMap<&'static str, AnswerCounts>,
}

impl Scene {
    /// Plays it. `look` is called ten times a second with the phase, and how far all of it is, from 0 to 1.
    pub(crate) fn play(&self, mut look: impl FnMut(Option<Phase>, f64)) -> io::Result<Outcome> {
        let street = Street {
            server: self.server,
            opened: self.catalogue.opened(),
            book: Mutex::new(Book::new(Plan { from: Instant::now(), each: self.each })),
            names: AtomicU64::new(0),
        };
        let street = Arc::new(street);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let emails = emails(self.accounts());
        let people = runtime.block_on(self.gather(&street, &emails))?;
        let plan = Plan { from: Instant::now() + SOON + self.warm_up, each: self.each };
        *street.book.lock().unwrap_or_else(PoisonError::into_inner) = Book::new(plan);
        let siege = Siege::new(self.server, plan.ends(Phase::During), emails);
        let siege = Arc::new(siege);
        std::thread::scope(|scope| -> io::Result<()> {
            // Answers are looked for between any two steps: no loop of the attack keeps the others from theirs.
            let attacking = Builder::new_current_thread().enable_all().event_interval(2).build()?;
            let (living, besieging) = (&runtime, Arc::clone(&siege));
            let neighbours = scope.spawn(move || self.live(living, people, plan));
            let attacker = scope.spawn(move || {
                attacking.block_on(async {
                    tokio::time::sleep_until(plan.begins(Phase::During).into()).await;
                    attack::run(besieging, &self.parts).await;
                });
            });
            let (began, over) = (Instant::now(), plan.ends(Phase::After));
            while Instant::now() < over || !neighbours.is_finished() {
                std::thread::sleep(LOOK_EVERY);
                let part = began.elapsed().as_secs_f64() / (over - began).as_secs_f64();
                look(plan.phase(Instant::now()), part.min(1.0));
            }
            neighbours.join().expect("a neighbour does not panic");
            attacker.join().expect("an attacker does not panic");
            Ok(())
        })?;
        let book = street.book.lock().unwrap_or_else(PoisonError::into_inner).clone();
        Ok(Outcome { book, told: siege.tolls.all() })
    }

    /// Everybody, with carts and accounts.
    async fn gather(
        &self,
        street: &Arc<Street>,
        emails: &[String],
    ) -> io::Result<Vec<(NeighbourErrand, Vec<Neighbour>)>> {
        let mut people = Vec::new();
        for (errand, many, _) in PEOPLE {
            let mut all: Vec<_> = (0..many).map(|number| Neighbour::new(number, errand, street)).collect();
            for (number, neighbour) in all.iter_mut().enumerate() {
                let emails = if errand == NeighbourErrand::SignIn { emails } else { &[] };
                neighbour.prepare(emails.iter().skip(number).step_by(many)).await?;
            }
            people.push((errand, all));
        }
        Ok(people)
    }

    fn live(&self, runtime: &Runtime, people: Vec<(NeighbourErrand, Vec<Neighbour>)>, plan: Plan) {
        let mut all = tokio::task::JoinSet::new();
        for (errand, neighbours) in people {
            let turns = Arc::new(Turns {
                from: plan.from - self.warm_up,
                until: plan.ends(Phase::After),
                every: Duration::from_secs_f64(1.0 / self.rate_of(errand)),
                next: AtomicU64::new(0),
            });
            for neighbour in neighbours {
                all.spawn_on(neighbour.live(Arc::clone(&turns)), runtime.handle());
            }
        }
        runtime.block_on(async { while all.join_next().await.is_some() {} });
    }

    /// How often neighbours begin this, a second. Sign-ins are as many as their accounts let happen in that time.
    fn rate_of(&self, errand: NeighbourErrand) -> f64 {
        let share = PEOPLE.iter().find(|(own, ..)| *own == errand).map_or(0.0, |(_, _, share)| *share);
        let rate = (self.rate * share).max(0.01);
        if errand == NeighbourErrand::SignIn {
            rate.min(self.accounts() as f64 * SIGN_INS_AN_ACCOUNT / self.seconds())
        } else {
            rate
        }
    }

    /// How many accounts there are: a few for each address.
    fn accounts(&self) -> usize {
        let share = PEOPLE
            .iter()
            .find(|(errand, ..)| *errand == NeighbourErrand::SignIn)
            .map_or(0.0, |(.., share)| *share);
        let wanted = (self.rate * share * self.seconds() / SIGN_INS_AN_ACCOUNT).ceil() as usize;
        let addresses = usize::from(ADDRESSES);
        wanted.div_ceil(addresses).clamp(1, ACCOUNTS_AN_ADDRESS) * addresses
    }

    fn seconds(&self) -> f64 {
        (self.warm_up + self.each * 3).as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_accounts_enough_for_all_sign_ins_or_fewer_sign_ins() {
        let scene = |each, rate| Scene {
            server: "127.0.0.1:1".parse().unwrap(),
            catalogue: Catalogue::open("127.0.0.1:0".parse().unwrap()).unwrap(),
            warm_up: Duration::ZERO,
            each: Duration::from_secs(each),
            rate,
            parts: Vec::new(),
        };
        for (each, rate, accounts) in [(1, 70.0, 10), (200, 70.0, 70), (3_600, 700.0, 150)] {
            let scene = scene(each, rate);
            let an_account =
                scene.rate_of(NeighbourErrand::SignIn) * scene.seconds() / scene.accounts() as f64;
            assert_eq!(scene.accounts(), accounts);
            assert!(an_account <= SIGN_INS_AN_ACCOUNT + 0.01, "{an_account}");
        }
    }
}
