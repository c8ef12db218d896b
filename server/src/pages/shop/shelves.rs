//! The shelves: the front page, an aisle, what a search finds, and the page of one product.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use trolley_core::item::Item;

use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::pages::shop::frame::{Frame, Hidden, PageVisit, printed, refused, shown};
use crate::pages::shop::products::{AISLES, Aisle, COLOUR, DemoProduct, Tint};
use crate::pages::shop::{assets, products};
use crate::service::catalogue::asker::Asker;
use crate::service::catalogue::listing::{Answer, Listing};
use crate::service::catalogue::named;
use crate::service::catalogue::product::Product as Stocked;
use crate::service::catalogue::shown::PricedCart;

/// The products that the front page shows.
const PICKED: [&str; 8] = ["mug", "lamp", "aloe", "backpack", "moka", "boots", "tote", "radio"];
/// Fewer than this are told.
const FEW: u64 = 6;

#[derive(Template)]
#[template(path = "shop/home.html")]
struct HomePage {
    frame: Frame,
    aisles: &'static [Aisle],
    cards: Vec<Card>,
}

#[derive(Template)]
#[template(path = "shop/aisle.html")]
struct AislePage {
    frame: Frame,
    title: &'static str,
    text: &'static str,
    cards: Vec<Card>,
}

#[derive(Template)]
#[template(path = "shop/search.html")]
struct SearchPage {
    frame: Frame,
    cards: Vec<Card>,
}

#[derive(Template)]
#[template(path = "shop/product.html")]
struct ProductPage {
    frame: Frame,
    product: &'static DemoProduct,
    pictures: Vec<Picture>,
    choices: Vec<Choice>,
    price: String,
    stock: Stock,
    hidden: Hidden,
    others: Vec<Card>,
}

/// A product among others.
struct Card {
    product: &'static DemoProduct,
    picture: String,
    tints: Vec<Tint>,
    price: String,
    stock: Stock,
    /// The form, where there is nothing to choose.
    hidden: Option<Hidden>,
}

struct Picture {
    address: String,
    label: String,
}

struct Choice {
    name: &'static str,
    title: String,
    is_colour: bool,
    values: &'static [String],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stock {
    Plenty,
    Few(u64),
    None,
    /// Nobody can tell, nor what it costs.
    Unknown,
}

/// `GET /`.
pub async fn home(State(front): State<Arc<AppState>>, visit: PageVisit) -> Result<Response, Problem> {
    let listing = everything(&front).await;
    let cards = PICKED
        .iter()
        .filter_map(|sku| products::of(sku))
        .map(|product| card(&front, &visit.cart, &listing, product));
    let page =
        HomePage { frame: Frame::of(&visit.visitor, &visit.cart), aisles: &AISLES, cards: cards.collect() };
    shown(StatusCode::OK, &page)
}

/// `GET /aisle/{slug}`; `all` is the whole shop.
pub async fn aisle(
    State(front): State<Arc<AppState>>,
    visit: PageVisit,
    Path(slug): Path<String>,
) -> Result<Response, Problem> {
    let aisle = products::aisle(&slug);
    if aisle.is_none() && slug != "all" {
        return Ok(nothing_here(&front, &visit).await);
    }
    let listing = everything(&front).await;
    let in_it = products::all().iter().filter(|product| aisle.is_none_or(|aisle| product.aisle == aisle));
    shown(
        StatusCode::OK,
        &AislePage {
            frame: Frame::at(&visit.visitor, &visit.cart, aisle.map_or("all", |aisle| aisle.slug)),
            title: aisle.map_or("Everything", |aisle| aisle.title),
            text: aisle.map_or("The whole shop, on one shelf.", |aisle| aisle.text),
            cards: in_it.map(|product| card(&front, &visit.cart, &listing, product)).collect(),
        },
    )
}

/// `GET /search?q=`.
pub async fn search(State(front): State<Arc<AppState>>, visit: PageVisit) -> Result<Response, Problem> {
    let query: String = visit.query.once("q")?.unwrap_or_default().trim().chars().take(100).collect();
    let listing = everything(&front).await;
    let found = products::search(&query);
    let cards = found.into_iter().map(|product| card(&front, &visit.cart, &listing, product)).collect();
    shown(
        StatusCode::OK,
        &SearchPage { frame: Frame { query, ..Frame::of(&visit.visitor, &visit.cart) }, cards },
    )
}

/// `GET /product/{sku}`.
pub async fn product(
    State(front): State<Arc<AppState>>,
    visit: PageVisit,
    Path(sku): Path<String>,
) -> Result<Response, Problem> {
    let Some(product) = products::of(&sku) else { return Ok(nothing_here(&front, &visit).await) };
    let listing = everything(&front).await;
    let (price, stock) = tag(&listing, product);
    let others =
        products::all().iter().filter(|other| other.aisle == product.aisle && other.sku != product.sku);
    shown(
        StatusCode::OK,
        &ProductPage {
            frame: Frame::at(&visit.visitor, &visit.cart, product.aisle.slug),
            product,
            pictures: pictures(product),
            choices: product.options.iter().map(Choice::of).collect(),
            price,
            stock,
            hidden: Hidden::fresh(&front, &visit.cart),
            others: others.take(4).map(|other| card(&front, &visit.cart, &listing, other)).collect(),
        },
    )
}

async fn nothing_here(front: &AppState, visit: &PageVisit) -> Response {
    let problem = Problem::with(Code::NotFound, "We looked on every shelf. Perhaps a search finds it.");
    refused(front, &visit.visitor, &problem).await
}

/// What the catalogue says of all that the demo sells.
pub(crate) async fn everything(front: &AppState) -> Listing {
    let skus = products::all().iter().map(|product| product.sku.as_str());
    front.service.listing(named(skus, Asker::here(None))).await
}

fn card(front: &AppState, cart: &PricedCart, listing: &Listing, product: &'static DemoProduct) -> Card {
    let (price, stock) = tag(listing, product);
    let is_plain = product.options.is_empty() && stock != Stock::None;
    Card {
        product,
        picture: assets::picture(&product.sku, None),
        tints: product.tints(),
        price,
        stock,
        hidden: is_plain.then(|| Hidden::fresh(front, cart)),
    }
}

/// What it costs now, and how many there are.
fn tag(listing: &Listing, product: &DemoProduct) -> (String, Stock) {
    let Some(known) = known(listing, product) else {
        let is_untold = Item::new(&product.sku, Vec::new())
            .is_ok_and(|item| matches!(listing.of(&item), Answer::Untold(_)));
        return (String::new(), if is_untold { Stock::Unknown } else { Stock::None });
    };
    let stock = match known.stock {
        Some(0) => Stock::None,
        Some(few) if few < FEW => Stock::Few(few),
        Some(_) | None => Stock::Plenty,
    };
    (printed(known.price), stock)
}

/// What the catalogue says of a product, where it sells it.
pub(crate) fn known<'a>(listing: &'a Listing, product: &DemoProduct) -> Option<&'a Stocked> {
    let item = Item::new(&product.sku, Vec::new()).ok()?;
    match listing.of(&item) {
        Answer::Known(stocked) | Answer::Last(stocked) => Some(&stocked.product),
        Answer::Nothing | Answer::Unknown | Answer::Untold(_) => None,
    }
}

fn pictures(product: &DemoProduct) -> Vec<Picture> {
    let tints = product.tints();
    if tints.is_empty() {
        return vec![Picture { address: assets::picture(&product.sku, None), label: product.title.clone() }];
    }
    let tinted = |tint: &Tint| Picture {
        address: assets::picture(&product.sku, Some(tint.name)),
        label: format!("{}, {}", product.title, tint.name),
    };
    tints.iter().map(tinted).collect()
}

impl Choice {
    fn of((name, values): &'static (String, Vec<String>)) -> Choice {
        let mut chars = name.chars();
        let title = chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default();
        Choice { name, title, is_colour: name == COLOUR, values }
    }
}
