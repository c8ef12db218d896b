//! The page of the cart, and its history.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use trolley_core::cart::state::{Cart, Change, Line};

use crate::http::extract::visitor::Visitor;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::http::wire::notice::Told;
use crate::pages::shop::frame::{Frame, Hidden, PageVisit, account_of, printed, shown};
use crate::pages::shop::products::COLOUR;
use crate::pages::shop::told::{Known, ago, name_of, sentence};
use crate::pages::shop::{assets, products};
use crate::service::account::devices::{DeviceId, DeviceRow as Device};
use crate::service::catalogue::shown::{Note, PricedCart};

/// Changes that the history shows.
const CHANGES_MAX: usize = 100;

#[derive(Template)]
#[template(path = "shop/cart.html")]
struct CartPage {
    frame: Frame,
    rows: Vec<Row>,
    saved: Vec<Row>,
    subtotal: String,
    notes: Vec<Notice>,
    flash: Option<Past>,
    clear: Hidden,
    cookie_missing: bool,
    lapsed: bool,
    was_here: bool,
}

#[derive(Template)]
#[template(path = "shop/history.html")]
struct HistoryPage {
    frame: Frame,
    changes: Vec<Past>,
}

/// A line, in the cart or saved.
pub(crate) struct Row {
    line: String,
    title: String,
    sku: Option<&'static str>,
    aisle: &'static str,
    picture: Option<String>,
    options: String,
    price: String,
    /// The same in minor units, for sums that a script makes while it waits.
    unit: u64,
    total: String,
    quantity: u32,
    fewer: u32,
    more: u32,
    says: Option<String>,
    forms: [Hidden; 5],
}

/// A notice, and what can be done about it.
pub(crate) struct Notice {
    pub(crate) says: String,
    /// Set this line to that many.
    pub(crate) remedy: Option<(String, u64, Hidden)>,
}

/// One change of the history.
struct Past {
    revision: u64,
    what: String,
    who: String,
    when: String,
    undo: Option<Hidden>,
}

/// `GET /cart`. After a change the browser comes here with `?at=` its revision; where the cookie was set by that change with
/// `check=1` too: without a session the browser did not keep it.
pub async fn cart(State(front): State<Arc<AppState>>, visit: PageVisit) -> Result<Response, Problem> {
    let cookie_missing = matches!(visit.visitor, Visitor::Unknown) && visit.query.once("check")? == Some("1");
    let at: Option<u64> = visit.query.once("at")?.and_then(|at| at.parse().ok());
    let known = known(&front, &visit.visitor).await?;
    let cart = &visit.cart;
    let subtotal = total(cart);
    shown(
        StatusCode::OK,
        &CartPage {
            rows: cart.lines().map(|line| row(&front, cart, line)).collect(),
            saved: cart.saved().map(|line| row(&front, cart, line)).collect(),
            subtotal,
            notes: notes(&front, cart),
            flash: at.and_then(|at| changes(&front, &visit, &known).find(|past| past.revision == at)),
            clear: Hidden::fresh(&front, cart),
            cookie_missing,
            lapsed: visit.lapsed && !cookie_missing,
            was_here: visit.known && account_of(&visit.visitor).is_none(),
            frame: Frame::of(&visit.visitor, cart),
        },
    )
}

/// `GET /cart/history`.
pub async fn history(State(front): State<Arc<AppState>>, visit: PageVisit) -> Result<Response, Problem> {
    let known = known(&front, &visit.visitor).await?;
    let changes = changes(&front, &visit, &known).take(CHANGES_MAX).collect();
    shown(StatusCode::OK, &HistoryPage { changes, frame: Frame::of(&visit.visitor, &visit.cart) })
}

/// The cart's changes, newest first.
fn changes(front: &AppState, visit: &PageVisit, known: &Known) -> impl Iterator<Item = Past> {
    let cart = visit.cart.cart().into_iter();
    cart.flat_map(move |cart| cart.history().map(move |change| past(front, &visit.cart, cart, change, known)))
}

/// Whom the visitor knows: this browser, and where an account is signed in its other devices.
async fn known(front: &AppState, visitor: &Visitor) -> Result<Known, Problem> {
    let Visitor::Known(visit) = visitor else { return Ok(Known::default()) };
    let rows = match visit.session.account() {
        Some(account) => front.service.devices(account).await?,
        None => Vec::new(),
    };
    let session = |row: Device| match row.id {
        DeviceId::Session(id) => Some((id, row.device.name)),
        DeviceId::Series(_) => None,
    };
    Ok(Known { own: Some(visit.session.id), devices: rows.into_iter().filter_map(session).collect() })
}

fn past(front: &AppState, shown: &PricedCart, cart: &Cart, change: &Change, known: &Known) -> Past {
    Past {
        revision: change.revision,
        what: sentence(cart, change),
        who: known.author(change.author),
        when: ago(change.at, front.service.now()),
        undo: cart.is_undoable(change).then(|| Hidden::fresh(front, shown)),
    }
}

pub(crate) fn notes(front: &AppState, shown: &PricedCart) -> Vec<Notice> {
    let Some(cart) = shown.cart() else { return Vec::new() };
    let plain = |says: String| Notice { says, remedy: None };
    let told = |note: Note| match note {
        Note::PriceChanged { line, was, is } => {
            plain(format!("{} costs {} now; it was {}.", name_of(cart, line), printed(is), printed(was)))
        }
        Note::ShortStock { line, available } => Notice {
            says: format!("Only {available} of {} left, which is fewer than you want.", name_of(cart, line)),
            remedy: Some((line.to_string(), available, Hidden::fresh(front, shown))),
        },
        Note::Unavailable(line) => plain(format!("{} is not on sale any more.", name_of(cart, line))),
        Note::PriceUnknown(line) => plain(format!(
            "We cannot look up what {} costs at the moment. It stays in your cart, and can be ordered when we can.",
            name_of(cart, line)
        )),
        Note::OfChange(_) | Note::CatalogueDown => plain(Told::of(&note).detail.into_owned()),
    };
    shown.notes().into_iter().map(told).collect()
}

/// What all of it costs, in words where that cannot be told.
pub(crate) fn total(cart: &PricedCart) -> String {
    cart.subtotal().ok().flatten().map_or_else(|| "not known".to_owned(), printed)
}

fn row(front: &AppState, shown: &PricedCart, line: &Line) -> Row {
    let item = line.item.as_deref();
    let sku = item.map_or("", |item| item.sku());
    let product = products::of(sku);
    let tag = shown.tag(line);
    let options: Vec<_> = item.iter().flat_map(|item| item.options()).collect();
    let tint = options.iter().find(|(name, _)| *name == COLOUR).map(|(_, value)| *value);
    let tint = tint.filter(|tint| {
        product.is_some_and(|product| product.tints().iter().any(|known| known.name == *tint))
    });
    let quantity = line.quantity();
    let unit = tag.unit_price;
    Row {
        line: line.id.to_string(),
        title: tag.title.map_or_else(|| sku.to_owned(), str::to_owned),
        sku: product.map(|product| product.sku.as_str()),
        aisle: product.map_or("home", |product| product.aisle.slug),
        picture: product.map(|product| assets::picture(&product.sku, tint)),
        options: options
            .iter()
            .map(|(name, value)| format!("{name}: {value}"))
            .collect::<Vec<_>>()
            .join(" · "),
        price: unit.map(printed).unwrap_or_default(),
        unit: unit.map_or(0, |unit| unit.amount),
        total: unit.and_then(|unit| unit.times(u64::from(quantity)).ok()).map(printed).unwrap_or_default(),
        quantity,
        fewer: quantity.saturating_sub(1),
        more: quantity.saturating_add(1),
        says: match tag.available {
            Some(0) => Some("Sold out".to_owned()),
            Some(few) if few < u64::from(quantity) => Some(format!("Only {few} left")),
            _ => None,
        },
        forms: std::array::from_fn(|_| Hidden::fresh(front, shown)),
    }
}
