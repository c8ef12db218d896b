//! Every order in which deliveries may arrive that keeps each queue's own.

/// More orders than this are a mistake in the vector, not a test.
const ORDERS_MAX: usize = 20_000;

/// Each order as the list of queues to take the next delivery from; one empty order where nothing is queued.
pub(crate) fn orders(lengths: &[usize]) -> Vec<Vec<usize>> {
    let mut orders = vec![Vec::new()];
    for _ in 0..lengths.iter().sum() {
        let longer = |order: &Vec<usize>| {
            let order = order.clone();
            let may_follow =
                move |queue: &usize| order.iter().filter(|taken| *taken == queue).count() < lengths[*queue];
            (0..lengths.len()).filter(may_follow).collect::<Vec<_>>()
        };
        orders = orders
            .iter()
            .flat_map(|order| longer(order).into_iter().map(|queue| [order.as_slice(), &[queue]].concat()))
            .collect();
        assert!(orders.len() <= ORDERS_MAX, "too many orders: {lengths:?}");
    }
    orders
}

#[test]
fn two_queues_of_two_arrive_in_six_orders() {
    assert_eq!(orders(&[2, 2]).len(), 6);
    assert_eq!(orders(&[]), [[0; 0]]);
    assert_eq!(orders(&[1, 1]), [[0, 1], [1, 0]]);
}
