//! Records in one folder on this machine's disk, by SQLite: the default, durable and fast on one node.

pub mod settings;
