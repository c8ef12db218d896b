//! `POST /v1/cart/checkout`: freezes the cart into an order draft, once.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderValue, Response, StatusCode};
use serde::Serialize;
use serde_json::Value;
use trolley_core::ids::OrderId;
use trolley_core::money::{Currency, Money};
use trolley_core::order::Order;

use crate::http::extract::json::{Fields, FromJson, Optional, answer};
use crate::http::openapi::op::{OF_A_CART, op};
use crate::http::openapi::routes::Routes;
use crate::http::openapi::shape::{Components, Object, Schema, between, counted, or, pattern, yes_or_no};
use crate::http::problem::code::Code;
use crate::http::problem::response::{IDEMPOTENCY_REPLAYED, Problem};
use crate::http::routes::cart::change::{CartCaller, CartChange};
use crate::http::routes::cart::lines::HandlerResult;
use crate::http::server::state::AppState;
use crate::http::wire::cart::CartView;
use crate::http::wire::order::OrderView;
use crate::service::cart::checkout::WasShown;
use crate::service::cart::command::Replay;
use crate::service::cart::kind::CommandKind;
use crate::service::cart::preconditions::Preconditions;

/// The checkout's route.
pub fn routes() -> Routes {
    let ordered = op("check_out", "Freezes the cart into an order draft, once; the cart is empty afterwards")
        .refuses(&[
            Code::CartEmpty,
            Code::CartChanged,
            Code::PriceUnknown,
            Code::PriceChanged,
            Code::ShortStock,
            Code::TotalTooLarge,
        ])
        .answers::<Ordered<'_>>(201)
        .tells(OF_A_CART)
        .tells(&[("Location", "The order's path.")])
        .leads("show_order", "id", "/order/id")
        .leads("cancel_order", "id", "/order/id");
    Routes::about("Orders").post("/v1/cart/checkout", check_out, ordered)
}

async fn check_out(
    State(front): State<Arc<AppState>>,
    caller: CartCaller,
    Optional(wish): Optional<Wish>,
) -> HandlerResult {
    let (order, changed) = order(&front, caller, wish).await?;
    Ok(created(&order, &changed))
}

/// Orders what is in the caller's cart: the one way, for the API and for the demo's form.
pub async fn order(
    front: &AppState,
    caller: CartCaller,
    wish: Wish,
) -> Result<(Arc<Order>, CartChange), Problem> {
    let keyed = caller
        .key
        .map(|key| key.with_parts(&caller.method, "checkout", &wish.parts(), caller.seen, caller.strict));
    let terms = Preconditions { seen: caller.seen, strict: caller.strict, keyed };
    let task = CommandKind::Checkout(front.service.checkout(wish.seen, wish.accept_available).await?);
    let changed = front.carry_out(caller.visitor, caller.from, terms, task).await?;
    let order = ordered(front, &changed).await?;
    Ok((order, changed))
}

/// The order that was made, now or earlier under the same key.
async fn ordered(front: &AppState, changed: &CartChange) -> Result<Arc<Order>, Problem> {
    let order = match &changed.made {
        Ok(made) => made.clone().into_order(),
        Err(Replay(earlier)) => match earlier.about {
            Some(order) => front.service.order(OrderId::from_bytes(order)).await?,
            None => None,
        },
    };
    order.ok_or_else(|| Problem::new(Code::Internal).because("a checkout without its order".to_owned()))
}

fn created(order: &Order, changed: &CartChange) -> Response<Body> {
    let view = Ordered { order: OrderView::of(order), cart: CartView(&changed.cart) };
    let mut response = answer(StatusCode::CREATED, &view);
    let headers = response.headers_mut();
    headers.insert(ETAG, CartView(&changed.cart).etag());
    if let Ok(location) = HeaderValue::try_from(format!("/v1/orders/{}", order.id)) {
        headers.insert(LOCATION, location);
    }
    if changed.made.is_err() {
        headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
    }
    response
}

#[derive(Serialize)]
struct Ordered<'a> {
    order: OrderView<'a>,
    cart: CartView<'a>,
}

/// `{"seen"?: {"revision", "subtotal"?}, "accept_available"?: false}`.
pub struct Wish {
    /// What the shopper was shown.
    pub seen: Option<WasShown>,
    /// Order what there is, where there is less than is wanted.
    pub accept_available: bool,
}

impl Wish {
    /// What of it decides the request's effect.
    fn parts(&self) -> [Vec<u8>; 3] {
        let revision = self.seen.map(|seen| seen.revision.to_be_bytes().to_vec());
        let subtotal = self.seen.and_then(|seen| seen.subtotal).map(|subtotal| subtotal.to_string());
        [
            revision.unwrap_or_default(),
            subtotal.unwrap_or_default().into(),
            vec![u8::from(self.accept_available)],
        ]
    }
}

impl FromJson for Wish {
    fn take(fields: &mut Fields<'_>) -> Option<Wish> {
        let seen = if fields.has("seen") { fields.object::<WasShown>("seen").map(Some) } else { Some(None) };
        let accept_available = fields.flag("accept_available", false);
        Some(Wish { seen: seen?, accept_available: accept_available? })
    }
}

impl FromJson for WasShown {
    fn take(fields: &mut Fields<'_>) -> Option<WasShown> {
        let revision = fields.number("revision", 0);
        let subtotal =
            if fields.has("subtotal") { fields.object::<Money>("subtotal").map(Some) } else { Some(None) };
        Some(WasShown { revision: revision?, subtotal: subtotal? })
    }
}

impl FromJson for Money {
    fn take(fields: &mut Fields<'_>) -> Option<Money> {
        let (amount, code) = (fields.number("amount", 0), fields.string("currency"));
        let (amount, currency) = (amount?, Currency::parse(&code?));
        if currency.is_none() {
            fields.fault("currency", "Send a code of three capital letters (ISO 4217).");
        }
        Some(Money { amount, currency: currency? })
    }
}

impl Schema for Ordered<'_> {
    const NAME: &'static str = "Ordered";

    fn schema(parts: &mut Components) -> Value {
        Object::new()
            .must("order", parts.refer::<OrderView<'_>>())
            .must("cart", parts.refer::<CartView<'_>>())
            .schema()
    }
}

impl Schema for Wish {
    const NAME: &'static str = "Checkout";

    fn schema(_: &mut Components) -> Value {
        let amount = between(0, Money::AMOUNT_MAX);
        let subtotal = Object::new().must("amount", amount).must("currency", pattern("^[A-Z]{3}$")).schema();
        let seen = Object::new().must("revision", counted(0)).perhaps("subtotal", subtotal).schema();
        Object::new().perhaps("seen", seen).perhaps("accept_available", or(yes_or_no(), false)).schema()
    }
}
