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
use crate::catalogue::web::{FRUITLESS, Patience, Web};
use crate::cli::CliError;
use crate::cli::startup::secret;
use crate::config::checked::{CatalogueSource, Config};
use crate::pages::shop::products;
use crate::service::catalogue::Catalogue;

/// What a server needs besides its store.
pub(crate) struct Prepared {
    /// The shop's catalogue, where it has one.
    pub(crate) catalogue: Option<Arc<dyn Catalogue>>,
    /// Where it listens; none where somebody else does at present.
    pub(crate) listener: Option<TcpListener>,
    /// The same for the shop's own systems.
    pub(crate) admin: Option<TcpListener>,
    /// What somebody else holds at present, each with a sentence. It may be free by the time that these settings are served: a server
    /// that runs with them holds its folder and its addresses itself.
    pub(crate) busy: Vec<CliError>,
}

/// Finds out whether a server with these settings would start.
pub(crate) async fn prepare(checked: &Config) -> Result<Prepared, CliError> {
    let mut busy = Vec::new();
    let asked = |error: &dyn std::fmt::Display| CliError::Usage(format!("--store: {error}"));
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

async fn bind(address: SocketAddr, busy: &mut Vec<CliError>) -> Result<Option<TcpListener>, CliError> {
    match TcpListener::bind(address).await {
        Ok(listener) => Ok(Some(listener)),
        Err(error) => {
            let failed = CliError::Runtime(format!("cannot listen on {address}: {error}"));
            if error.kind() != ErrorKind::AddrInUse {
                return Err(failed);
            }
            busy.push(failed);
            Ok(None)
        }
    }
}

/// The shop's catalogue; the demo has its own, where no other is named.
fn catalogue(checked: &Config) -> Result<Option<Arc<dyn Catalogue>>, CliError> {
    let refused = |why: &dyn std::fmt::Display| CliError::Usage(format!("--catalogue: {why}"));
    match &checked.catalogue {
        Some(CatalogueSource::File(path)) => {
            Ok(Some(Arc::new(File::open(path).map_err(|unread| refused(&unread))?)))
        }
        Some(CatalogueSource::Address(address)) => {
            let fruitless = checked.service.rate_limits.then_some(FRUITLESS);
            let patience = Patience { sells_for: checked.stale_prices_for, fruitless, ..Patience::default() };
            let web = Web::new(address, patience).map_err(|wrong| refused(&wrong))?;
            Ok(Some(Arc::new(web)))
        }
        None if checked.rules.demo => {
            let shelf = form::shelf(products::CATALOGUE.as_bytes());
            let shelf = shelf.map_err(|error| CliError::Runtime(error.to_string()))?;
            Ok(Some(Arc::new(Shop::new(shelf))))
        }
        None => Ok(None),
    }
}
