//! The cart's algebra (CART.md): what a cart holds, how an op changes it, and what bounds it.
//!
//! One sentence is the specification: *the quantity of a line is the value of its newest SET / REMOVE / CLEAR
//! (0 where there is none) plus the sum of all ADDs that no SET, REMOVE or CLEAR had observed.*
//!
//! | part | does |
//! |---|---|
//! | `state`, `op`, `limits` | plain data: what is kept, what may be asked, what bounds it |
//! | `line`, `stamp` | one line, and who acts on it having seen what: the sentence above is here |
//! | `edit` | puts lines into a list, within the bounds |
//! | `owed`, `leftover`, `bring` | units that must not be refused: onto the saved list, and beside the cart where that is full |
//! | `notice` | what the shopper is told of a change |
//! | `apply`, `undo` | each intent's effect |
//! | `call`, `sync`, `client` | plain calls; a device's queue and the table of queues |
//! | `history`, `fold`, `weight` | the ring of changes; folding and the other bounds; the bytes of the whole |
//! | `price` | what each line cost when the cart last changed |
//! | `checkout`, `merge`, `forward`, `forward_undo` | a cart's generations; a guest's cart into an account's, and its late ops |

mod apply;
mod bring;
mod call;
pub mod checkout;
mod client;
mod edit;
mod fold;
mod forward;
mod forward_undo;
mod history;
pub mod leftover;
pub mod limits;
mod line;
pub mod merge;
mod notice;
pub mod op;
mod owed;
mod price;
mod stamp;
pub mod state;
mod sync;
mod undo;
mod weight;
