//! What holds for every route: bounds, hosts and proxies, other sites, bad input, the description, failures of the store.

pub(crate) mod addresses;
pub(crate) mod bad_input;
pub(crate) mod clock_law;
pub(crate) mod clock_steps;
pub(crate) mod cross_site;
pub(crate) mod crowds;
pub(crate) mod damaged;
pub(crate) mod every_route;
pub(crate) mod faults;
pub(crate) mod hosts;
pub(crate) mod limits;
pub(crate) mod metrics;
pub(crate) mod openapi;
pub(crate) mod problems;
pub(crate) mod quotas;
pub(crate) mod socket;
pub(crate) mod tags;
pub(crate) mod test_clock;
pub(crate) mod texts;
pub(crate) mod unread;
