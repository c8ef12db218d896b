//! Who wants to know what the catalogue says: questions that have to wait are shared out by it.

use std::future::Future;
use std::net::IpAddr;

use trolley_core::ids::CartId;

use crate::service::limits::addresses::Source;

tokio::task_local! {
    /// Where the request comes from that this task answers.
    static SOURCE: Source;
}

/// Whose question it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Asker {
    /// Where the request comes from; none where the server itself wants to know.
    pub source: Option<Source>,
    /// For which cart.
    pub cart: Option<CartId>,
}

impl Asker {
    /// Who asks in this task, for that cart.
    pub fn here(cart: Option<CartId>) -> Asker {
        Asker { source: SOURCE.try_with(|source| *source).ok(), cart }
    }
}

/// Does `work` for a request from that address. What the task asks the catalogue meanwhile counts as that address's, so that no
/// use case has to carry the address to where a question is asked.
pub async fn asking_from<T>(address: IpAddr, work: impl Future<Output = T>) -> T {
    SOURCE.scope(Source::of(address), work).await
}
