//! Who waits, who goes first, and who has gone.

use super::*;
use crate::catalogue::web::pace::{PLACES_START, STRANGE_START};
use crate::catalogue::web::stopwatch;
use crate::service::limits::addresses::Source;

fn asker(address: u8, cart: u8) -> Asker {
    Asker {
        source: Some(Source::of([192, 0, 2, address].into())),
        cart: Some(CartId::from_bytes([cart; 16])),
    }
}

fn queue() -> Arc<Queue> {
    Arc::new(Queue::new(Duration::from_secs(1), None))
}

fn join(queue: &Arc<Queue>, sku: &str, rank: Rank, asker: Asker) -> Option<Listener> {
    queue.join(sku, rank, asker, Timestamp::from_ms(0), stopwatch::now())
}

/// The skus that are asked for next, as many as may be under way.
fn next(queue: &Arc<Queue>) -> Vec<UnderWay> {
    std::iter::from_fn(|| queue.next(stopwatch::now())).collect()
}

#[test]
fn thirty_thousand_questions_of_one_address_keep_no_other_waiting() {
    let queue = queue();
    let join = |sku: &str, asker| join(&queue, sku, Rank::Named, asker);
    let flood: Vec<_> = (0..60)
        .flat_map(|cart| (0..500).map(move |n| (cart, format!("{cart}-{n}"))))
        .filter_map(|(cart, sku)| join(&sku, asker(1, cart)))
        .collect();
    assert_eq!(flood.len(), WAITING_OF_ONE, "what is over its share does not wait");
    let under_way = next(&queue);
    assert_eq!(under_way.len(), STRANGE_START * 3 / 4, "nor do all places go to one address");
    let _other = join("mug", asker(2, 200)).unwrap();
    let mug = queue.next(stopwatch::now()).unwrap();
    assert_eq!(&*mug.sku, "mug");
    drop((under_way, mug));
    assert!(queue.waiting.lock().under_way_of.is_empty());
}

#[test]
fn carts_behind_one_address_have_their_turns_too() {
    let queue = queue();
    let join = |sku: &str, cart| join(&queue, sku, Rank::Named, asker(1, cart)).unwrap();
    let _long: Vec<_> = (0..500).map(|n| join(&n.to_string(), 1)).collect();
    let _short = join("mug", 2);
    assert_eq!(&*next(&queue)[1].sku, "mug");
}

#[test]
fn what_stands_in_carts_goes_first_and_still_leaves_a_turn_in_four() {
    let queue = queue();
    let (mut named, mut stands) = (Vec::new(), Vec::new());
    for n in 0..40 {
        named.push(join(&queue, &format!("named-{n}"), Rank::Named, asker(n, 1)).unwrap());
        stands.push(join(&queue, &format!("stands-{n}"), Rank::Stands, asker(n, 1)).unwrap());
    }
    let first: Vec<_> = (0..32).map(|_| queue.next(stopwatch::now()).unwrap().sku.clone()).collect();
    let named = first.iter().filter(|sku| sku.starts_with("named")).count();
    assert_eq!(named, first.len() / TURNS);
    assert!(first[0].starts_with("stands"));
}

#[test]
fn products_go_before_all_that_is_strange_and_leave_it_a_turn() {
    let queue = queue();
    let (mut strange, mut products) = (Vec::new(), Vec::new());
    for n in 0..40 {
        strange.push(join(&queue, &format!("strange-{n}"), Rank::Stands, asker(n, 1)).unwrap());
        products.push(join(&queue, &format!("product-{n}"), Rank::Product, asker(n, 1)).unwrap());
    }
    let first = next(&queue);
    let asked = first.iter().filter(|question| question.sku.starts_with("product")).count();
    assert_eq!((first.len(), asked), (PLACES_START, PLACES_START - 2));
}

#[test]
fn an_address_has_so_many_questions_that_come_to_nothing_and_products_are_not_counted() {
    let ten = Quota { name: "ten", most: 10, within: trolley_core::time::Span::from_s(600) };
    let queue = Arc::new(Queue::new(Duration::from_secs(1), Some(ten)));
    let asked = |address: u8, came: Came| {
        let asks = |n: &u32| {
            let listener = join(&queue, &n.to_string(), Rank::Named, asker(address, 1));
            let question = queue.next(stopwatch::now());
            question.as_ref().map(|question| question.came(came, stopwatch::now()));
            drop(listener);
            question.is_some()
        };
        (0..30).filter(asks).count()
    };
    assert_eq!((asked(1, Came::Product), asked(1, Came::Answer), asked(2, Came::Answer)), (30, 10, 10));
    assert!(queue.waiting.lock().wanted.is_empty());
}

#[test]
fn who_gave_up_asks_no_more_and_takes_no_room() {
    let queue = queue();
    let join = |sku: &str, cart| join(&queue, sku, Rank::Named, asker(1, cart)).unwrap();
    let (lamp, pen) = (join("lamp", 1), join("pen", 1));
    let (mug, again) = (join("mug", 2), join("mug", 3));
    drop((lamp, mug));
    let asked: Vec<_> = next(&queue).into_iter().map(|question| question.sku.to_string()).collect();
    assert_eq!(asked, ["pen", "mug"], "the other who wants a mug asks in its place");
    drop((pen, again));
    let waiting = queue.waiting.lock();
    assert!(waiting.wanted.is_empty() && waiting.waiting.is_empty() && waiting.waiting_for.is_empty());
    assert!(waiting.under_way_of.is_empty() && waiting.pace.has_place());
}

#[test]
fn one_sku_is_asked_for_once_and_all_who_wait_are_told() {
    let queue = queue();
    let join = |cart| join(&queue, "mug", Rank::Named, asker(1, cart)).unwrap();
    let before = [join(1), join(2)];
    let [question] = <[UnderWay; 1]>::try_from(next(&queue)).unwrap_or_else(|_| panic!("asked twice"));
    let late = join(3);
    assert!(queue.next(stopwatch::now()).is_none());
    question.tell(Lookup::Unknown);
    drop(question);
    assert!(before.iter().chain([&late]).all(|listener| matches!(listener.told(), Some(Lookup::Unknown))));
}

#[tokio::test]
async fn who_is_sent_away_waits_for_nothing() {
    let queue = queue();
    let mut mug = join(&queue, "mug", Rank::Stands, asker(1, 1)).unwrap();
    queue.send_away();
    assert!(queue.next(stopwatch::now()).is_none());
    mug.heard().await;
    assert!(mug.told().is_none());
    drop(mug);
    assert!(queue.waiting.lock().waiting.is_empty());
}
