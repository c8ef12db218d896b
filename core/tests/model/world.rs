//! A state of the whole: server, devices, and what is under way between them.

use crate::device::{Device, Queued, Seen, Told};
use crate::oracle::Name;
use crate::scenario::Scenario;
use crate::server::{Met, Server};

/// A message under way. The network loses, doubles and reorders them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Message {
    Request { device: usize, client: u8, ops: Vec<Queued> },
    Answer { device: usize, client: u8, told: Told },
}

/// What the server has done and not yet made durable, with the answers that wait for it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Working {
    pub(crate) server: Server,
    answers: Vec<Message>,
}

/// All of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) committed: Server,
    pub(crate) working: Option<Working>,
    /// None is a copy that is not made yet.
    pub(crate) devices: Vec<Option<Device>>,
    pub(crate) net: Vec<Message>,
    /// Milliseconds that passed while shoppers acted, and times that a month passed.
    clock: u64,
    pub(crate) months: u8,
    /// How many clients were begun anew.
    anew: u8,
    /// Acts that a device was told to offer to its shopper again.
    pub(crate) given_up: Vec<u8>,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Step {
    /// Somebody acts on a device; its queue keeps it.
    Act(usize),
    /// A device reads the cart, without a word about itself.
    Read(usize),
    /// A device sends its queue.
    Send(usize),
    /// A request arrives; it may arrive again.
    Deliver(Message),
    /// A message is lost.
    Lose(Message),
    /// An answer arrives.
    Hear(Message),
    /// What was worked on is durable, and its answers leave.
    Commit,
    /// It is not, and they do not.
    Crash,
    /// A copy of a device is restored from its backup of now; it may stay switched off for long.
    Copy,
    SignIn,
    CheckOut,
    Cancel,
    /// What fits of what was left over.
    BringIn,
    MonthPasses,
}

const BEGIN: u64 = 1_000 * crate::device::DAY;
/// Later than all that a story's shoppers do within a month: ages are true whenever a delivery arrives.
const RECEIVED: u64 = 1_000;

impl World {
    pub(crate) fn new(scenario: &Scenario) -> World {
        let committed = Server::new(scenario, BEGIN);
        let is_copy = |place| scenario.copy.is_some_and(|(_, copy)| copy == place);
        let device = |(place, script): (usize, &crate::scenario::Script)| {
            let seen: Option<Seen> = script.has_read.then(|| committed.seen(script.home));
            (!is_copy(place)).then(|| Device::new([100, 60, 140, 120][place], seen))
        };
        let devices = scenario.scripts.iter().enumerate().map(device).collect();
        World {
            committed,
            working: None,
            devices,
            net: Vec::new(),
            clock: 1,
            months: 0,
            anew: 0,
            given_up: Vec::new(),
        }
    }

    /// The server as the next delivery finds it.
    pub(crate) fn server(&self) -> &Server {
        self.working.as_ref().map_or(&self.committed, |working| &working.server)
    }

    pub(crate) fn device(&self, place: usize) -> Option<&Device> {
        self.devices[place].as_ref()
    }

    pub(crate) fn step(&mut self, step: &Step, scenario: &Scenario) -> Vec<Met> {
        match step {
            Step::Act(place) => {
                let (id, acted) = (act_id(*place, self.device(*place)), self.acted());
                self.clock += u64::from(scenario.ticks);
                self.with_device(*place, |device| device.act(id, acted));
                Vec::new()
            }
            Step::Read(place) => {
                let seen = self.committed.seen(scenario.scripts[*place].home);
                self.with_device(*place, |device| device.seen = device.seen.max(Some(seen)));
                Vec::new()
            }
            Step::Send(place) => {
                self.net.extend(self.request(*place));
                self.net.sort();
                Vec::new()
            }
            Step::Deliver(message) => self.deliver(message, scenario),
            Step::Lose(message) => {
                self.net.retain(|other| other != message);
                Vec::new()
            }
            Step::Hear(message) => {
                self.net.retain(|other| other != message);
                self.hear(message, scenario);
                Vec::new()
            }
            Step::Commit => self.commit(),
            Step::Crash => {
                self.working = None;
                vec!["crashed"]
            }
            Step::Copy => {
                let (from, to) = scenario.copy.expect("a story with a copy says of what");
                let original = self.devices[from].clone();
                self.devices[to] = original.map(|device| Device { done: 0, ..device });
                Vec::new()
            }
            Step::SignIn | Step::CheckOut | Step::Cancel | Step::BringIn => self.serve(step, scenario),
            Step::MonthPasses => {
                self.months += 1;
                Vec::new()
            }
        }
    }

    /// What a device would send now; an empty queue is not worth a word.
    pub(crate) fn request(&self, place: usize) -> Option<Message> {
        let device = self.device(place).filter(|device| !device.queue.is_empty())?;
        Some(Message::Request { device: place, client: device.client, ops: device.queue.clone() })
    }

    fn deliver(&mut self, message: &Message, scenario: &Scenario) -> Vec<Met> {
        let Message::Request { device, client, ops } = message else { return Vec::new() };
        let at = self.now() + RECEIVED;
        let acted: Vec<_> = ops.iter().map(|queued| (*queued, scenario.act(queued.id))).collect();
        let mut working = self.working();
        let home = scenario.scripts[*device].home;
        let (told, met) = working.server.sync(home, *client, &acted, at, &scenario.limits);
        working.answers.extend(told.map(|told| Message::Answer { device: *device, client: *client, told }));
        self.working = Some(working);
        self.settle_work(scenario);
        met
    }

    fn serve(&mut self, step: &Step, scenario: &Scenario) -> Vec<Met> {
        let (acted, received) = (self.acted(), self.now() + RECEIVED);
        let mut working = self.working();
        let met = match step {
            Step::SignIn => Some(working.server.sign_in(received, &scenario.limits)),
            Step::CheckOut => working.server.check_out(acted, &scenario.limits),
            Step::BringIn => working.server.bring_in(received, &scenario.limits),
            _ => working.server.cancel(received, &scenario.limits),
        };
        self.clock += u64::from(scenario.ticks && matches!(step, Step::CheckOut) && met.is_some());
        self.working = Some(working);
        self.settle_work(scenario);
        met.into_iter().collect()
    }

    fn working(&self) -> Working {
        self.working
            .clone()
            .unwrap_or_else(|| Working { server: self.committed.clone(), answers: Vec::new() })
    }

    /// Where no crash is part of the story, what is worked on is durable at once.
    fn settle_work(&mut self, scenario: &Scenario) {
        if !scenario.crashes {
            self.commit();
        }
        if let Some(working) = &mut self.working {
            working.answers.sort();
            working.answers.dedup();
        }
    }

    fn commit(&mut self) -> Vec<Met> {
        if let Some(working) = self.working.take() {
            self.committed = working.server;
            for answer in working.answers {
                if !self.net.contains(&answer) {
                    self.net.push(answer);
                }
            }
            self.net.sort();
        }
        Vec::new()
    }

    fn hear(&mut self, message: &Message, scenario: &Scenario) {
        let Message::Answer { device: place, client, told } = message else { return };
        let fresh = fresh_client(self.anew);
        let mut given_up = Vec::new();
        let mut began_anew = false;
        self.with_device(*place, |device| {
            let (before, showed) = (device.client, device.seen);
            given_up = device.hear(*client, *told, fresh);
            began_anew = device.client != before;
            if scenario.stays && !began_anew && device.seen.is_some_and(|seen| seen.cart == Name::Account) {
                device.seen = showed;
            }
        });
        self.anew += u8::from(began_anew);
        self.given_up.extend(given_up.iter().map(|queued| queued.id));
        self.given_up.sort_unstable();
    }

    /// The rest of the story where nothing more goes wrong: all that is pending gets in, and its answers back.
    pub(crate) fn settled(&self, scenario: &Scenario) -> Option<World> {
        /// A queue gets in at once; a copied one begins anew first, and twice where both of two copies do.
        const ROUNDS: usize = 4;
        let mut world = World { net: Vec::new(), ..self.clone() };
        world.commit();
        world.net.clear();
        for _ in 0..ROUNDS {
            for place in 0..world.devices.len() {
                let Some(request) = world.request(place) else { continue };
                world.deliver(&request, scenario);
                world.commit();
                for answer in std::mem::take(&mut world.net) {
                    world.hear(&answer, scenario);
                }
            }
        }
        world.devices.iter().flatten().all(|device| device.queue.is_empty()).then_some(world)
    }

    fn with_device(&mut self, place: usize, change: impl FnOnce(&mut Device)) {
        if let Some(device) = &mut self.devices[place] {
            change(device);
        }
    }

    fn now(&self) -> u64 {
        BEGIN + u64::from(self.months) * 31 * crate::device::DAY
    }

    fn acted(&self) -> u64 {
        self.now() + self.clock
    }

    /// Every act that was done on a device.
    pub(crate) fn acts(&self) -> impl Iterator<Item = u8> + '_ {
        let of = |(place, device): (usize, &Option<Device>)| {
            let done = device.as_ref().map_or(0, |device| device.done);
            (0..done).map(move |n| id_of(place, n))
        };
        self.devices.iter().enumerate().flat_map(of)
    }
}

/// Neither old nor new clients win every tie.
fn fresh_client(anew: u8) -> u8 {
    if anew.is_multiple_of(2) { 20 + anew } else { 220 + anew }
}

fn act_id(place: usize, device: Option<&Device>) -> u8 {
    id_of(place, device.map_or(0, |device| device.done))
}

fn id_of(place: usize, n: u8) -> u8 {
    u8::try_from(place).expect("a story has few devices") * 16 + n
}

impl Message {
    pub(crate) fn is_of(&self, place: usize, is_request: bool) -> bool {
        match self {
            Message::Request { device, .. } => is_request && *device == place,
            Message::Answer { device, .. } => !is_request && *device == place,
        }
    }
}
