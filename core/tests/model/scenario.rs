//! One story: who does what, what may go wrong, and what must hold in every state that it can come to.

use std::collections::BTreeMap;
use std::sync::Mutex;

use stateright::{Checker, HasDiscoveries, Model, Property};
use trolley_core::cart::limits::Limits;

use crate::device::{Act, LINES};
use crate::oracle::Name;
use crate::server::{Met, Server};
use crate::world::{Message, Step, World};

/// What is done on one device, in this order, at any time.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Whose session it has at first.
    pub(crate) home: Name,
    /// It shows the cart as the story begins with it.
    pub(crate) has_read: bool,
    /// It may read again at any time.
    pub(crate) reads: bool,
    pub(crate) acts: Vec<Act>,
}

/// A story.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// What the account's cart begins with.
    pub(crate) start: Vec<Act>,
    /// What the guest's does.
    pub(crate) guest_start: Vec<Act>,
    pub(crate) scripts: Vec<Script>,
    /// Which device may be restored as which other one.
    pub(crate) copy: Option<(usize, usize)>,
    pub(crate) limits: Limits,
    /// Requests, and answers, of one device that may be under way at once.
    pub(crate) under_way: usize,
    /// No two shoppers act in one millisecond; else all do.
    pub(crate) ticks: bool,
    pub(crate) crashes: bool,
    pub(crate) signs_in: bool,
    pub(crate) checks_out: bool,
    /// A guest's device goes on showing the guest's cart after the sign-in, and acts on nothing else.
    pub(crate) stays: bool,
    pub(crate) months: u8,
    /// A device may be told to begin anew.
    pub(crate) expires: bool,
    /// What the story must come to at all: a model that stops meeting something has stopped testing it.
    pub(crate) meets: &'static [Met],
    pub(crate) met: Mutex<BTreeMap<Met, u64>>,
}

impl Scenario {
    /// A story in which nothing goes wrong but the network.
    pub(crate) fn of(scripts: Vec<Script>) -> Scenario {
        Scenario {
            start: vec![Act::Add(0, 2)],
            guest_start: Vec::new(),
            scripts,
            copy: None,
            limits: Limits::default(),
            under_way: 1,
            ticks: true,
            crashes: false,
            signs_in: false,
            checks_out: false,
            stays: false,
            months: 0,
            expires: false,
            meets: &[],
            met: Mutex::default(),
        }
    }

    /// The act that an id names.
    pub(crate) fn act(&self, id: u8) -> Act {
        self.scripts[usize::from(id / 16)].acts[usize::from(id % 16)]
    }

    /// Walks through all of it.
    pub(crate) fn check(self, name: &str) {
        let meets = self.meets;
        // The first that does not hold is enough: a world in which something counts twice goes on for ever.
        let until = HasDiscoveries::AnyFailures;
        let checker = self.checker().threads(2).finish_when(until).spawn_bfs().join();
        let met = checker.model().met.lock().unwrap().clone();
        #[expect(clippy::print_stdout, reason = "how much was walked through belongs into a test's report")]
        {
            println!("model: {name}: {} states, {met:?}", checker.unique_state_count());
        }
        if let Some((property, path)) = checker.discoveries().into_iter().next() {
            let last = path.last_state().clone();
            let steps: Vec<_> = path.into_actions().into_iter().map(|step| format!("  {step:?}\n")).collect();
            panic!("{name}: not so: {property}\n{}{last:#?}", steps.concat());
        }
        for what in meets {
            assert!(met.contains_key(what), "{name}: never {what}");
        }
    }

    fn may_sign_in(&self, world: &World) -> bool {
        self.signs_in && (!world.committed.merged || world.net.is_empty())
    }

    fn device_steps(&self, place: usize, world: &World, steps: &mut Vec<Step>) {
        let Some(device) = world.device(place) else { return };
        let script = &self.scripts[place];
        let has_left = self.stays && device.seen.is_some_and(|seen| seen.cart == Name::Account);
        if usize::from(device.done) < script.acts.len() && !has_left {
            steps.push(Step::Act(place));
        }
        let seen = world.committed.seen(script.home);
        if script.reads && device.seen < Some(seen) {
            steps.push(Step::Read(place));
        }
        let requests = world.net.iter().filter(|message| message.is_of(place, true)).count();
        if let Some(request) = world.request(place)
            && requests < self.under_way
            && !world.net.contains(&request)
        {
            steps.push(Step::Send(place));
        }
    }
}

impl Model for Scenario {
    type State = World;
    type Action = Step;

    fn init_states(&self) -> Vec<World> {
        vec![World::new(self)]
    }

    fn actions(&self, world: &World, steps: &mut Vec<Step>) {
        for place in 0..world.devices.len() {
            self.device_steps(place, world, steps);
        }
        for message in &world.net {
            steps.push(Step::Lose(message.clone()));
            match message {
                Message::Request { .. } => steps.push(Step::Deliver(message.clone())),
                Message::Answer { .. } => steps.push(Step::Hear(message.clone())),
            }
        }
        if world.working.is_some() {
            steps.extend([Step::Commit, Step::Crash]);
        }
        if let Some((from, to)) = self.copy
            && world.devices[to].is_none()
            && world.device(from).is_some_and(|device| !device.queue.is_empty() || device.seen.is_some())
        {
            steps.push(Step::Copy);
        }
        if self.may_sign_in(world) {
            steps.push(Step::SignIn);
        }
        if self.checks_out {
            let ordered = world.server().order.is_some();
            steps.push(if ordered { Step::Cancel } else { Step::CheckOut });
        }
        if !world.server().account.cart.leftovers.is_empty() {
            steps.push(Step::BringIn);
        }
        if world.months < self.months {
            steps.push(Step::MonthPasses);
        }
    }

    fn next_state(&self, world: &World, step: Step) -> Option<World> {
        let mut next = world.clone();
        let met = next.step(&step, self);
        let mut all = self.met.lock().unwrap();
        for what in met {
            *all.entry(what).or_default() += 1;
        }
        drop(all);
        (next != *world).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Scenario>> {
        vec![
            Property::always(
                "the quantity of a line is as the one sentence has it",
                |_: &Scenario, world: &World| {
                    is_the_sentence(&world.committed) && is_the_sentence(world.server())
                },
            ),
            Property::always("no act is taken in twice", |scenario: &Scenario, world: &World| {
                let server = world.server();
                world.acts().all(|act| (0..LINES).all(|line| server.oracle.times(act, line) <= 1))
                    && scenario.has_settled_once(world)
            }),
            Property::always("what must not be is not", |_: &Scenario, world: &World| {
                world.server().broken.is_none()
            }),
            Property::always(
                "nobody is told to begin anew without need",
                |scenario: &Scenario, world: &World| {
                    world.given_up.is_empty() || (scenario.expires && world.months >= scenario.months.min(1))
                },
            ),
            Property::always(
                "a device has seen nothing that is not durable",
                |_: &Scenario, world: &World| {
                    let seen = |device: &crate::device::Device| device.seen;
                    world
                        .devices
                        .iter()
                        .flatten()
                        .filter_map(seen)
                        .all(|seen| seen.revision <= world.committed.kept(seen.cart).cart.revision)
                },
            ),
        ]
    }
}

impl Scenario {
    /// Left in peace, every queue gets in, each act of it once, and the carts hold what the one sentence says.
    fn has_settled_once(&self, world: &World) -> bool {
        let Some(end) = world.settled(self) else { return false };
        let server = &end.committed;
        let is_in = |act: u8| match self.act(act) {
            Act::Add(line, _) => server.oracle.times(act, line) == 1,
            // One of an older generation does nothing.
            Act::Set(line, _) | Act::Remove(line) => server.oracle.times(act, line) <= 1,
            Act::Clear => true,
        };
        let once = |act: u8| is_in(act) || (end.given_up.contains(&act) && !self.is_in_twice(server, act));
        server.broken.is_none() && is_the_sentence(server) && end.acts().all(once)
    }

    fn is_in_twice(&self, server: &Server, act: u8) -> bool {
        (0..LINES).any(|line| server.oracle.times(act, line) > 1)
    }
}

fn is_the_sentence(server: &Server) -> bool {
    let holds =
        |name: Name| (0..LINES).all(|line| server.units(name, line) == server.oracle.quantity(name, line));
    let guest_is_open = !server.merged;
    holds(Name::Account) && (!guest_is_open || holds(Name::Guest))
}
