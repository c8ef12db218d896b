//! What a guest's devices send after the sign-in leaves what it would have left before it.

use proptest::prelude::*;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::{MergePolicy, Op, Outcome, SyncCall};
use trolley_core::cart::state::Cart;
use trolley_core::ids::{CartId, ClientId, SessionId};
use trolley_core::time::{Span, Timestamp};

use crate::merging::filled;
use crate::quantities::act;
use crate::runner::{cases, over};
use crate::world::{Act, LINES, intent, quantity};

const DEVICES: usize = 2;
/// After everything that the devices did.
const EVENING: u64 = 10_000;

#[derive(Clone, Debug)]
enum Step {
    Act(usize, Act),
    /// A device reads the guest's cart.
    Read(usize),
    /// A device delivers its queue to the guest's cart.
    Deliver(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..DEVICES, act()).prop_map(|(device, act)| Step::Act(device, act)),
        2 => (0..DEVICES).prop_map(Step::Read),
        1 => (0..DEVICES).prop_map(Step::Deliver),
    ]
}

/// A guest's cart and what its devices have not delivered yet: each op with the time of its act.
struct Guest {
    cart: Cart,
    queues: [Vec<(Op, u64)>; DEVICES],
    seen: [u64; DEVICES],
    next_seq: [u64; DEVICES],
    now: u64,
}

impl Guest {
    fn after(steps: &[Step]) -> Guest {
        let mut guest = Guest {
            cart: Cart::new(CartId::from_bytes([2; 16]), Timestamp::from_ms(0)),
            queues: Default::default(),
            seen: [0; DEVICES],
            next_seq: [1; DEVICES],
            now: 1_000,
        };
        // Each has said a word, so that both move along.
        (0..DEVICES).for_each(|device| drop(deliver(&mut guest.cart, device, &[], 1_000)));
        steps.iter().for_each(|step| guest.step(step));
        guest
    }

    fn step(&mut self, step: &Step) {
        self.now += 1;
        match step {
            Step::Act(device, act) => {
                let op = Op {
                    seq: self.next_seq[*device],
                    op_id: self.now,
                    cart: Some(self.cart.id),
                    generation: None,
                    base: self.seen[*device],
                    age: Span::from_ms(0),
                    intent: Ok(intent(act)),
                };
                self.next_seq[*device] += 1;
                self.queues[*device].push((op, self.now));
            }
            Step::Read(device) => self.seen[*device] = self.cart.revision,
            Step::Deliver(device) => {
                let queue = std::mem::take(&mut self.queues[*device]);
                deliver(&mut self.cart, *device, &queue, self.now);
                self.seen[*device] = self.cart.revision;
            }
        }
    }

    /// All that is pending gets to `cart`, whichever takes it now.
    fn settle(&self, cart: &mut Cart, at: u64) -> Vec<Outcome> {
        let one = |(device, queue): (usize, &Vec<_>)| deliver(cart, device, queue, at);
        self.queues.iter().enumerate().flat_map(one).collect()
    }
}

fn deliver(cart: &mut Cart, device: usize, queue: &[(Op, u64)], at: u64) -> Vec<Outcome> {
    let aged = |(op, acted): &(Op, u64)| Op { age: Span::from_ms(at - acted), ..op.clone() };
    let client = ClientId::from_bytes([[40; 16], [30; 16]][device]);
    let sync = SyncCall { client, at: Timestamp::from_ms(at), ops: queue.iter().map(aged).collect() };
    let synced = cart.sync(&sync, &Limits::default()).unwrap();
    synced.results.iter().map(|result| result.outcome).collect()
}

fn sign_in(account: &mut Cart, guest: &mut Cart, at: u64) {
    guest.seal(account.id);
    let session = SessionId::from_bytes([3; 16]);
    account.merge(guest, MergePolicy::Sum, session, Timestamp::from_ms(at), &Limits::default()).unwrap();
}

#[test]
fn what_comes_after_the_sign_in_counts_as_if_it_had_come_before() {
    let histories = (proptest::collection::vec(act(), 0..8), proptest::collection::vec(step(), 1..20));
    over(cases() / 2, &histories, |(account, steps)| {
        let held = filled(1, &account, &Limits::default());
        let guest = Guest::after(&steps);

        let (mut early, mut guests) = (held.clone(), guest.cart.clone());
        let before = guest.settle(&mut guests, EVENING);
        sign_in(&mut early, &mut guests, EVENING + 1);

        let (mut late, mut guests) = (held, guest.cart.clone());
        sign_in(&mut late, &mut guests, EVENING);
        let after = guest.settle(&mut late, EVENING + 1);

        for line in 0..LINES {
            prop_assert_eq!(quantity(&early, line), quantity(&late, line), "line {}", line);
        }
        prop_assert_eq!(before, after, "a device is told the same");
        Ok(())
    });
}
