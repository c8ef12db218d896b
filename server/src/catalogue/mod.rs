//! The adapters of the catalogue's port; none knows another. The program's start chooses one.

pub mod file;
pub mod form;
pub mod shop;
pub mod web;
