//! What `serve` does before it opens its store, and all that `config check` does: one checker, so that neither passes what the other
//! refuses. Nothing is made that stays, and nothing is changed.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::net::TcpListener;
use trolley_store::open::inspect;

use crate::catalogue::file::File;
use crate::catalogue::form;
use crate::catalogue::shop::Shop;
use crate::catalogue::web::{Patience, Web};
use crate::config::checked::{Checked, Place};
use crate::http::demo::products;
use crate::service::catalogue::Catalogue;

use super::{Failed, secret};

/// What a server needs besides its store.
pub(super) struct Prepared {
    /// The shop's catalogue, where it has one.
    pub(super) catalogue: Option<Arc<dyn Catalogue>>,
    /// Where it listens; none where somebody else does at present.
    pub(super) listener: Option<TcpListener>,
    /// The same for the shop's own systems.
    pub(super) admin: Option<TcpListener>,
    /// What somebody else holds at present, each with a sentence. It may be free by the time that these settings are served: a server
    /// that runs with them holds its folder and its addresses itself.
    pub(super) busy: Vec<Failed>,
}

/// Finds out whether a server with these settings would start.
pub(super) async fn prepare(checked: &Checked) -> Result<Prepared, Failed> {
    let mut busy = Vec::new();
    let asked = |error: &dyn std::fmt::Display| Failed::Asked(format!("--store: {error}"));
    match inspect(&checked.store) {
        Ok(None) => {}
        Ok(Some(held)) => busy.push(asked(&held)),
        Err(error) => return Err(asked(&error)),
    }
    secret::look(&checked.secret)?;
    let catalogue = catalogue(checked)?;
    let listener = bind(checked.listen, &mut busy).await?;
    let admin = match checked.admin_listen {
        Some(address) => bind(address, &mut busy).await?,
        None => None,
    };
    Ok(Prepared { catalogue, listener, admin, busy })
}

async fn bind(address: SocketAddr, busy: &mut Vec<Failed>) -> Result<Option<TcpListener>, Failed> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) => {
            let failed = Failed::World(format!("cannot listen on {address}: {error}"));
            if error.kind() != ErrorKind::AddrInUse {
                return Err(failed);
            }
            busy.push(failed);
            Ok(None)
        }
    }
}

/// The shop's catalogue; the demo has its own, where no other is named.
fn catalogue(checked: &Checked) -> Result<Option<Arc<dyn Catalogue>>, Failed> {
    let refused = |why: &dyn std::fmt::Display| Failed::Asked(format!("--catalogue: {why}"));
    match &checked.catalogue {
        Some(Place::File(path)) => Ok(Some(Arc::new(File::open(path).map_err(|unread| refused(&unread))?))),
        Some(Place::Address(address)) => {
            let patience = Patience { sells_for: checked.stale_prices_for, ..Patience::default() };
            let web = Web::new(address, patience).map_err(|wrong| refused(&wrong))?;
            Ok(Some(Arc::new(web)))
        }
        None if checked.rules.demo => {
            let shelf = form::shelf(products::CATALOGUE.as_bytes());
            let shelf = shelf.map_err(|error| Failed::World(error.to_string()))?;
            Ok(Some(Arc::new(Shop::new(shelf))))
        }
        None => Ok(None),
    }
}
