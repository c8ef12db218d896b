//! Where Trolley keeps its records: the port, and a colonnade of adapters that know nothing of each other.

pub mod activity;
pub mod damage;
pub mod embedded;
pub mod memory;
pub mod open;
pub mod port;
pub mod record;
pub mod records;
