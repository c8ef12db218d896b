//! The back room: the demo's visitor plays shopkeeper, changes a price or the stock, and sees what carts say of it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use crate::http::extract::form::Form;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::pages::shop::actions::{Shopper, redirect};
use crate::pages::shop::frame::{Frame, PageVisit, refused, shown};
use crate::pages::shop::shelves::{everything, known};
use crate::pages::shop::{assets, products};

/// The highest price that the back room takes, in cents.
const PRICE_MAX: u64 = 10_000_000;
/// The largest stock.
const STOCK_MAX: u64 = 99_999;

#[derive(Template)]
#[template(path = "shop/back_room.html")]
struct BackRoomPage {
    frame: Frame,
    things: Vec<Thing>,
    changed: Option<String>,
}

struct Thing {
    sku: &'static str,
    title: String,
    aisle: &'static str,
    picture: String,
    price: String,
    stock: String,
}

/// `GET /back-room`.
pub async fn show(State(front): State<Arc<AppState>>, visit: PageVisit) -> Result<Response, Problem> {
    let listing = everything(&front).await;
    let things = products::all().iter().filter_map(|product| {
        let stocked = known(&listing, product)?;
        Some(Thing {
            sku: &product.sku,
            title: stocked.title.to_string(),
            aisle: product.aisle.slug,
            picture: assets::picture(&product.sku, None),
            price: format!("{}.{:02}", stocked.price.amount / 100, stocked.price.amount % 100),
            stock: stocked.stock.map(|stock| stock.to_string()).unwrap_or_default(),
        })
    });
    let things = things.collect();
    let changed = visit.query.once("changed")?.and_then(products::of).map(|product| product.title.clone());
    shown(StatusCode::OK, &BackRoomPage { frame: Frame::of(&visit.visitor, &visit.cart), things, changed })
}

/// `POST /back-room`: `sku`, `price` in euros, `stock` in units.
pub async fn change(State(front): State<Arc<AppState>>, shopper: Shopper, form: Form) -> Response {
    match changed(&front, &form) {
        Ok(sku) => redirect(&format!("/back-room?changed={sku}#{sku}"), None),
        Err(problem) => refused(&front, &shopper.visitor, &problem).await,
    }
}

fn changed(front: &AppState, form: &Form) -> Result<&'static str, Problem> {
    let product = form.get("sku").and_then(products::of).ok_or_else(|| Problem::new(Code::UnknownSku))?;
    let price = form.get("price").and_then(cents).filter(|cents| *cents <= PRICE_MAX);
    let price = price.ok_or_else(|| wrong("price", "Enter a price such as 12.50, up to 100,000."))?;
    let stock =
        form.get("stock").and_then(|text| text.trim().parse().ok()).filter(|stock| *stock <= STOCK_MAX);
    let stock = stock.ok_or_else(|| wrong("stock", "Enter a whole number up to 99,999."))?;
    if !front.service.relabel(&product.sku, price, stock) {
        return Err(wrong("sku", "This shop's prices come from a catalogue of its own: change them there."));
    }
    Ok(&product.sku)
}

fn wrong(field: &str, detail: &'static str) -> Problem {
    Problem::at(Code::InvalidBody, format!("#/{field}"), detail)
}

/// `12.5`, `12,50`, `1,012.50` or `12` as cents; none where it is no amount.
fn cents(text: &str) -> Option<u64> {
    let text = text.trim().trim_start_matches('€').trim_start();
    // A comma before a point stands between thousands, as this shop prints them; else it is the point.
    let text = if text.contains('.') { text.replace(',', "") } else { text.replace(',', ".") };
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |text: &str| !text.is_empty() && text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > 2 {
        return None;
    }
    let part: u64 = format!("{part:0<2}").parse().ok()?;
    Some(whole.parse::<u64>().ok()? * 100 + part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_is_read_as_people_write_it() {
        for (text, read) in
            [("12.50", 1_250), ("12,5", 1_250), ("€1,012.50", 101_250), (" €7 ", 700), ("0.05", 5), ("0", 0)]
        {
            assert_eq!(cents(text), Some(read), "{text}");
        }
        for text in ["", "-1", "1.234", "1e3", ".5", "5.", "12.x", "1.2.3", "99999999999999999999"] {
            assert_eq!(cents(text), None, "{text}");
        }
    }
}
