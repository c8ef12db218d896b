//! The stories that are walked through.

use trolley_core::cart::limits::Limits;
use trolley_core::time::Span;

use crate::device::{Act, days};
use crate::oracle::Name;
use crate::scenario::{Scenario, Script};

/// What `./campaign model` walks through takes minutes; without it the first device leaves its last act undone.
fn first(acts: &[Act]) -> Script {
    device(&acts[..acts.len() - usize::from(!is_deep())])
}

fn is_deep() -> bool {
    std::env::var_os("MODEL_DEEP").is_some()
}

fn device(acts: &[Act]) -> Script {
    Script { home: Name::Account, has_read: true, reads: false, acts: acts.to_vec() }
}

fn reader(acts: &[Act]) -> Script {
    Script { reads: true, ..device(acts) }
}

fn guest(acts: &[Act]) -> Script {
    Script { home: Name::Guest, ..reader(acts) }
}

use Act::{Add, Clear, Remove, Set};

#[test]
fn two_devices_write_and_a_third_reads_before_it_first_writes() {
    let mut scripts = vec![first(&[Add(0, 1), Remove(0)]), reader(&[Set(0, 3)])];
    if is_deep() {
        scripts.push(device(&[Set(0, 5)]));
    }
    let meets = &["applied", "duplicate"];
    Scenario { meets, ..Scenario::of(scripts) }.check("two write, a third reads first");
}

#[test]
fn all_of_it_in_one_millisecond() {
    let scripts = vec![first(&[Set(0, 1), Add(0, 1)]), device(&[Set(0, 5)]), device(&[Remove(0)])];
    let meets = &["applied", "duplicate", "superseded"];
    Scenario { ticks: false, meets, ..Scenario::of(scripts) }.check("one millisecond");
}

#[test]
fn the_server_crashes_between_what_it_does_and_its_answer() {
    let scripts = vec![first(&[Add(0, 1), Add(1, 1)]), reader(&[Clear])];
    let meets = &["applied", "duplicate", "crashed"];
    Scenario { crashes: true, under_way: 2, meets, ..Scenario::of(scripts) }.check("crashes");
}

#[test]
fn a_device_is_restored_from_its_backup() {
    let scripts = vec![device(&[Add(0, 1), Add(0, 2)]), first(&[Add(0, 4), Remove(0)])];
    let meets = &["applied", "duplicate", "forked"];
    Scenario { copy: Some((0, 1)), meets, ..Scenario::of(scripts) }.check("a restored backup");
}

#[test]
fn months_pass_and_the_cart_is_folded() {
    let limits = Limits { ring_least: 1, ring_for: Span::from_hours(1), ..Limits::default() };
    let later: &[Act] = if is_deep() { &[Add(1, 1), Remove(0)] } else { &[Remove(0)] };
    let scripts = vec![device(&[Add(0, 1), Add(1, 4)]), device(later)];
    let meets = &["applied", "duplicate", "folded"];
    Scenario { limits, months: 1, expires: true, meets, ..Scenario::of(scripts) }.check("folding");
}

#[test]
fn one_client_too_many_is_dropped_and_begins_anew() {
    let limits = Limits { clients: 1, ..Limits::default() };
    let scripts = vec![device(&[Add(0, 1), Add(0, 2)]), device(&[Set(0, 3)])];
    let meets = &["applied", "duplicate", "expired"];
    Scenario { limits, expires: true, meets, ..Scenario::of(scripts) }.check("one client too many");
}

#[test]
fn a_lease_runs_out() {
    let limits = Limits { lease: days(20), ..Limits::default() };
    let scripts = vec![first(&[Add(0, 1), Remove(0)]), reader(&[Add(0, 2)])];
    let meets = &["applied", "duplicate", "expired"];
    Scenario { limits, months: 1, expires: true, meets, ..Scenario::of(scripts) }.check("a lease runs out");
}

#[test]
fn a_guest_signs_in_and_its_devices_ops_come_late() {
    let second = if is_deep() { reader(&[Set(0, 3)]) } else { device(&[Set(0, 3)]) };
    let scripts = vec![guest(&[Add(0, 1), Set(0, 4)]), second];
    let meets = &["applied", "duplicate", "forwarded", "merged", "merged again"];
    // What its tab had added: the device has seen it, and it has another revision in the account's cart.
    let guest_start = vec![Add(0, 1)];
    Scenario { guest_start, signs_in: true, expires: true, meets, ..Scenario::of(scripts) }
        .check("a sign-in");
}

#[test]
fn a_cart_is_checked_out_and_the_order_cancelled() {
    let scripts = vec![first(&[Set(0, 5), Add(1, 1)]), device(&[Add(0, 3)])];
    let meets = &["applied", "duplicate", "carried", "checked out", "cancelled", "cancelled again"];
    Scenario { checks_out: true, meets, ..Scenario::of(scripts) }.check("a checkout");
}

/// One line of two units, nothing saved: what else comes is left over, and late ops find it there. The devices go on showing
/// the guest's cart: a SET of the account's is of its cart alone.
#[test]
fn a_guest_signs_in_to_a_full_cart_and_its_devices_ops_come_late() {
    let limits =
        Limits { lines: 1, saved: 0, saved_bytes: 0, quantity: 2, owed_units: 2, ..Limits::default() };
    let stay = |acts: &[Act]| Script { reads: false, ..guest(acts) };
    let acts: &[Act] = &[Add(1, 1), Set(0, 1), Remove(1), Add(0, 2), Clear];
    let acts = if is_deep() { acts } else { &acts[..4] };
    let meets = &["applied", "clamped", "duplicate", "forwarded", "merged", "merged again", "brought in"];
    Scenario {
        start: Vec::new(),
        guest_start: vec![Add(1, 1), Add(0, 2)],
        limits,
        signs_in: true,
        stays: true,
        expires: true,
        meets,
        ..Scenario::of(vec![stay(acts)])
    }
    .check("a sign-in to a full cart");
}
