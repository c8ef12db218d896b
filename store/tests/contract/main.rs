//! The one contract suite: every store keeps the promises of `port.rs`, each check over each adapter.
#![expect(clippy::unwrap_used, reason = "a test that meets an error has failed")]

mod basics;
mod damage;
mod expiry;
mod folding;
mod listing;
mod make;
mod model;
mod place;
mod races;

use std::future::Future;
use std::sync::Arc;

use trolley_store::port::Store;

use place::{Kind, Place};

/// Runs a check over a fresh store of this kind.
fn over<F: Future<Output = ()>>(kind: Kind, check: impl FnOnce(Arc<dyn Store>) -> F) {
    let place = Place::new(kind);
    runtime().block_on(check(place.open()));
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

/// One test for each check and adapter, so that a failure names both.
macro_rules! suite {
    ($($adapter:ident is $kind:expr, $checks:tt;)*) => {$(
        suite!(@ $adapter $kind, $checks);
    )*};
    (@ $adapter:ident $kind:expr, [$($module:ident::$check:ident)*]) => {
        mod $adapter {
            $(#[test]
            fn $check() {
                super::over($kind, super::$module::$check);
            })*
        }
    };
}

/// The checks, over each adapter: a new one is one more line.
macro_rules! adapters {
    ($($adapter:ident is $kind:expr;)*) => {
        suite! {$(
            $adapter is $kind, [
                basics::what_was_never_written_is_absent
                basics::what_was_written_is_read
                basics::a_swap_needs_the_version_that_stands_there
                basics::a_creation_needs_an_empty_place
                basics::a_deletion_needs_its_version
                basics::present_means_any_version_and_not_none
                basics::a_commit_happens_as_a_whole_or_not_at_all
                basics::after_a_deletion_a_record_begins_anew
                basics::records_are_counted_by_who_holds_them
                basics::a_record_that_is_too_big_changes_nothing
                basics::upkeep_changes_nothing_that_shows
                basics::a_closed_store_refuses
                expiry::records_are_named_from_their_millisecond_on
                expiry::the_soonest_come_first_and_no_more_than_asked_for
                expiry::a_later_expiry_takes_the_place_of_the_earlier
                expiry::what_is_folded_expires_too
                expiry::who_goes_on_behind_what_was_named_is_named_each_once
                listing::a_listing_is_in_the_order_of_ids
                listing::a_listing_goes_on_behind_what_it_gave
                listing::a_listing_sees_what_is_folded_and_what_is_not
                listing::what_begins_alike_is_listed_together_and_nothing_beside_it
                races::every_increment_counts_once
                races::only_one_creates
                races::two_keys_change_together
                races::a_commit_whose_caller_left_is_whole
            ];
        )*}
    };
}

adapters! {
    memory is crate::place::Kind::Memory;
    file is crate::place::Kind::File;
}
