//! The real program on a real disk: killed, cut off from power, filled up. Each trial starts the `trolley` binary on a
//! free port with its own folder, speaks HTTP to it, and ends it by its own process id.

mod backup;
mod commands;
mod crash;
mod damage;
mod devices;
mod disk;
mod dump;
mod exact;
mod folder;
mod full;
mod histories;
mod https;
mod operation;
#[path = "../../../core/tests/model/oracle.rs"]
mod oracle;
mod power;
mod program;
mod queue;
mod settings;
mod shop;
mod trace;
mod wire;
