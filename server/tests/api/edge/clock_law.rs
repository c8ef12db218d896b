//! S38 as a law: whatever happens to a shop, its callers cannot tell whether its wall clock was set.

use proptest::prelude::*;
use trolley_core::time::Span;

use crate::edge::clock_steps::{HOUR_MS, shop, wrong_password};
use crate::support::Actor;
use crate::support::reply::Reply;
use crate::support::somebody::at;

/// One thing that happens to two shops alike; only one of them has a wall clock that is set.
#[derive(Clone, Debug)]
enum Act {
    Set(i64),
    Pass(u64),
    Begin(u8, u8),
    Wrong(u8),
    Visit(usize),
    Sweep,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => (-40 * HOUR_MS..40 * HOUR_MS).prop_map(Act::Set),
        3 => (0..4 * 60_000_u64).prop_map(Act::Pass),
        2 => (0..2_u8, 1..255_u8).prop_map(|(address, n)| Act::Begin(address, n)),
        3 => (0..2_u8).prop_map(Act::Wrong),
        4 => (0..8_usize).prop_map(Act::Visit),
        1 => Just(Act::Sweep),
    ]
}

/// What the callers of a shop are told.
async fn told(acts: &[Act], stepped: bool) -> Vec<(u16, Option<String>, bool)> {
    let (shop, hands) = shop();
    let member = shop.member(1).await;
    let mut devices = vec![shop.signed_in(&member, false).await];
    let mut told = Vec::new();
    let mut note = |reply: &Reply| {
        told.push((
            reply.status,
            reply.header("retry-after").map(str::to_owned),
            reply.set_cookie().is_some(),
        ));
    };
    for act in acts {
        match act {
            Act::Set(by) if stepped => hands.set(*by),
            Act::Set(_) => {}
            Act::Pass(ms) => hands.pass(Span::from_ms(*ms)),
            Act::Begin(address, n) => {
                for _ in 0..*n {
                    note(&at(&shop, &format!("192.0.2.{address}")).add("a", 1).await);
                }
                let device = shop.device();
                note(&device.add("a", 1).await);
                devices.push(device);
            }
            Act::Wrong(address) => note(&wrong_password(&shop, &format!("192.0.2.{address}")).await),
            Act::Visit(which) => note(&devices[which % devices.len()].cart().await),
            Act::Sweep => while shop.service.sweep().await.unwrap() {},
        }
    }
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s38_no_caller_can_tell_a_shop_whose_wall_clock_is_set_from_one_whose_is_not(
        acts in proptest::collection::vec(act(), 1..40),
    ) {
        // No visit ends and no token is renewed by its age: how old what was written in hours that came twice is, nobody knows.
        let passes = acts.iter().map(|act| if let Act::Pass(ms) = act { *ms } else { 0 }).sum::<u64>();
        prop_assume!(passes < 55 * 60_000);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let (set, still) = runtime.block_on(async { (told(&acts, true).await, told(&acts, false).await) });
        prop_assert_eq!(set, still);
    }
}
