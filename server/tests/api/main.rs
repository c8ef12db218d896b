//! The API from outside, over HTTP: one file a resource or a promise; `support` holds the actors.
//!
//! Time is turned by hand, nothing sleeps to wait for a clock, and each test has a shop of its own.

#![allow(unreachable_pub, reason = "a test binary has no outside")]
#![allow(clippy::unwrap_used, reason = "in a test an unwrap is an assertion")]

mod accounts;
mod addresses;
mod admin_accounts;
mod api_keys;
mod attempts;
mod bad_input;
mod callers;
mod cart;
mod catalogue;
mod catalogue_strangers;
mod catalogue_web;
mod checkout;
mod clock_law;
mod clock_steps;
mod cross_site;
mod crowds;
mod damaged;
mod data;
mod demo;
mod demo_account;
mod devices;
mod events;
mod every_route;
mod faults;
mod gone_together;
mod heirs;
mod histories;
mod history;
mod hostile;
mod hosts;
mod hung_up;
mod limits;
mod metrics;
mod openapi;
mod orders;
mod orders_kept;
mod price_unknown;
mod problems;
mod quotas;
mod races;
mod remembered;
mod retries;
mod rotation;
mod saved;
mod secrets;
mod sessions;
mod sign_in;
mod sign_in_races;
mod signed_in;
mod signing_out;
mod socket;
mod storm;
mod streams_end;
mod support;
mod sweeping;
mod sync;
mod tagged_bodies;
mod tags;
mod test_clock;
mod texts;
mod under_way;
mod unproven;
mod verify;
