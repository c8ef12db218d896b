//! `/v1/cart`: the guest's cart.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, ETAG};
use axum::http::{HeaderValue, Response, StatusCode};
use serde_json::{Value, json};
use trolley_core::cart::op::{Intent, LineRef};
use trolley_core::ids::Quantity;
use trolley_core::item::{Item, ItemError};

use crate::http::extract::json::{Fields, FromJson, Json, pointer};
use crate::http::extract::path::LineName;
use crate::http::extract::preconditions::Had;
use crate::http::extract::visitor::Visitor;
use crate::http::openapi::op::{OF_A_CART, op};
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::{Components, Object, Schema, between, or, text};
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::routes::cart::change::{CartCaller, CartChange, cart_answer};
use crate::http::server::state::AppState;
use crate::http::wire::cart::CartView;
use crate::service::cart::context::Output;

/// The cart, or why not.
pub type HandlerResult = Result<Response<Body>, Problem>;

/// What a change that makes a cart larger may be refused with.
pub const GROWTH: [Code; 6] = [
    Code::LineNotFound,
    Code::QuantityOverLimit,
    Code::InvalidQuantity,
    Code::TooManyLines,
    Code::TooManySaved,
    Code::TotalTooLarge,
];

/// The cart's routes.
pub fn routes() -> Routes {
    let shown = op("show_cart", "The cart of this session; without one an empty cart, and nothing is made");
    Routes::about("Cart")
        .get("/v1/cart", show, shown.empty(304).tells(&OF_A_CART[..1]).cart())
        .delete("/v1/cart", clear, op("clear_cart", "CLEAR: takes out what the caller had seen").cart())
        .post(
            "/v1/cart/lines",
            add,
            op("add_line", "ADD: so many more of an item")
                .refuses(&GROWTH)
                .refuses(&[Code::UnknownSku])
                .cart()
                .leads("set_line", "line", "/lines/0/id")
                .leads("save_line", "line", "/lines/0/id"),
        )
        .put(
            "/v1/cart/lines/{line}",
            set,
            op("set_line", "SET: exactly so many; 0 removes").refuses(&GROWTH).cart(),
        )
        .delete(
            "/v1/cart/lines/{line}",
            remove,
            op("remove_line", "REMOVE: a line that is not there is fine").cart(),
        )
}

async fn show(State(front): State<Arc<AppState>>, visitor: Visitor, had: Had) -> HandlerResult {
    let cart = front.shown(&visitor).await?;
    let etag = CartView(&cart).etag();
    if had.has(&etag) {
        return Ok(not_modified(etag));
    }
    Ok(cart_answer(front.rendered.body(&cart, &etag), etag))
}

async fn add(
    State(front): State<Arc<AppState>>,
    caller: CartCaller,
    Json(add): Json<AddLine>,
) -> HandlerResult {
    let intent = Intent::Add(LineRef::Item(Arc::new(add.item)), add.quantity);
    Ok(front.answer(front.change(caller, intent).await?))
}

async fn set(
    State(front): State<Arc<AppState>>,
    caller: CartCaller,
    line: LineName,
    Json(set): Json<SetLine>,
) -> HandlerResult {
    let intent = Intent::Set(LineRef::Id(line.known()?), set.quantity);
    Ok(front.answer(front.change(caller, intent).await?))
}

async fn remove(
    State(front): State<Arc<AppState>>,
    caller: CartCaller,
    LineName(line): LineName,
) -> HandlerResult {
    let changed = match line {
        Some(line) => front.change(caller, Intent::Remove(LineRef::Id(line))).await?,
        None => unchanged(&front, &caller).await?,
    };
    Ok(front.answer(changed))
}

async fn clear(State(front): State<Arc<AppState>>, caller: CartCaller) -> HandlerResult {
    Ok(front.answer(front.change(caller, Intent::Clear(None)).await?))
}

/// No line ever has an id of that form: the wish that it be gone is fulfilled as it stands.
pub async fn unchanged(front: &AppState, caller: &CartCaller) -> Result<CartChange, Problem> {
    let cart = front.shown(&caller.visitor).await?;
    let as_seen = match cart.cart() {
        Some(cart) => caller.seen.matches(cart),
        None => caller.seen.matches_nobodys(),
    };
    if caller.strict && !as_seen {
        return Err(Problem::new(Code::PreconditionFailed).showing(cart));
    }
    Ok(CartChange { cart, begun: None, made: Ok(Output::Change) })
}

/// 304 with the tag.
pub fn not_modified(etag: HeaderValue) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response.headers_mut().insert(ETAG, etag);
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// `{sku, quantity=1, options={}}`.
struct AddLine {
    item: Item,
    quantity: Quantity,
}

impl FromJson for AddLine {
    fn take(fields: &mut Fields<'_>) -> Option<AddLine> {
        let sku = fields.string("sku");
        let quantity = if fields.has("quantity") { fields.whole_number("quantity", 1) } else { Some(1) };
        let options = fields.strings("options");
        let item = Item::new(&sku?, options?).map_err(|wrong| note(fields, &wrong)).ok()?;
        Some(AddLine { item, quantity: quantity? })
    }
}

/// `{quantity}`.
struct SetLine {
    quantity: Quantity,
}

impl FromJson for SetLine {
    fn take(fields: &mut Fields<'_>) -> Option<SetLine> {
        if !fields.has("quantity") {
            fields.fault("quantity", "This field is missing.");
            return None;
        }
        Some(SetLine { quantity: fields.whole_number("quantity", 0)? })
    }
}

impl Schema for AddLine {
    const NAME: &'static str = "AddLine";

    fn schema(_: &mut Components) -> Value {
        let options = json!({
            "type": "object",
            "maxProperties": Item::OPTIONS_MAX,
            "propertyNames": text(1, Item::OPTION_NAME_CHARS_MAX),
            "additionalProperties": text(0, Item::OPTION_VALUE_CHARS_MAX),
        });
        Object::new()
            .must("sku", text(1, Item::SKU_CHARS_MAX))
            .perhaps("quantity", or(between(1, QUANTITY_MAX), 1))
            .perhaps("options", options)
            .schema()
    }
}

impl Schema for SetLine {
    const NAME: &'static str = "SetLine";

    fn schema(_: &mut Components) -> Value {
        Object::new().must("quantity", between(0, QUANTITY_MAX)).schema()
    }
}

/// The default of the limit: a shop may set another.
const QUANTITY_MAX: u64 = 9_999;

fn note(fields: &mut Fields<'_>, wrong: &ItemError) {
    let detail = crate::http::problem::response::sentence(&wrong.to_string());
    match wrong {
        ItemError::Sku => fields.fault("sku", detail),
        ItemError::TooManyOptions => fields.fault("options", detail),
        ItemError::OptionName(name) | ItemError::OptionValue(name) | ItemError::OptionTwice(name) => {
            fields.fault_at(pointer("#/options", name), detail);
        }
    }
}
