//! Results as SVG: one file, no script, nothing from elsewhere, light or dark as its reader has it.

pub(crate) mod axis;
pub(crate) mod bars;
pub(crate) mod canvas;
pub(crate) mod load;
pub(crate) mod panel;
pub(crate) mod peers;
pub(crate) mod scale;
pub(crate) mod soak;
pub(crate) mod streams;
