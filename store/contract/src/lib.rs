//! The one contract suite: every store keeps the promises of the port, each check over each adapter.
//!
//! An adapter's crate says where its stores are ([`place::Place`]) and calls [`suite!`] once: one test for each check, so that a
//! failure names both. What only one adapter can do is tested beside it.
#![expect(clippy::unwrap_used, reason = "a check that meets an error has failed")]
#![expect(missing_docs, reason = "what a check shows is its name")]

pub mod basics;
pub mod expiry;
pub mod listing;
pub mod make;
pub mod model;
pub mod place;
pub mod races;

use std::future::Future;
use std::sync::Arc;

use trolley_store::port::Store;

use crate::place::Place;

/// Runs a check over a fresh store.
pub fn over<P: Place, F: Future<Output = ()>>(place: &P, check: impl FnOnce(Arc<dyn Store>) -> F) {
    runtime().block_on(async { check(place.open().await).await });
}

/// What the checks run on: several threads, so that callers race.
pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap()
}

/// The suite over one adapter: `suite! { memory at MemoryPlace::new }` in a test makes a module `memory` of all checks.
#[macro_export]
macro_rules! suite {
    ($adapter:ident at $place:path) => {
        mod $adapter {
            #[test]
            fn a_store_keeps_what_a_map_would() {
                $crate::model::a_store_keeps_what_a_map_would($place, 120);
            }

            $crate::checks! { $place;
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
            }
        }
    };
}

/// One test a check. Only for [`suite!`].
#[doc(hidden)]
#[macro_export]
macro_rules! checks {
    ($place:path; $($module:ident::$check:ident)*) => {
        $(#[test]
        fn $check() {
            $crate::over(&$place(), $crate::$module::$check);
        })*
    };
}
