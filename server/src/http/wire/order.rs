//! An order draft as the API shows it.

use std::sync::Arc;

use serde::ser::{Serialize, SerializeSeq, SerializeStruct, Serializer};
use serde_json::{Value, json};
use trolley_core::order::{Order, OrderLine};

use crate::http::extract::cursor::next;
use crate::http::openapi::shape::{
    Components, Object, Schema, line_id, list, said, time, uuid, whole, words,
};
use crate::http::wire::cart::{MoneyView, Options};
use crate::http::wire::time::Rfc3339;

/// An order on its way out: to its owner, or to the shop's own systems, which are told where it came from too.
pub struct OrderView<'a> {
    order: &'a Order,
    with_origin: bool,
}

impl<'a> OrderView<'a> {
    /// For its owner.
    pub fn of(order: &'a Order) -> OrderView<'a> {
        OrderView { order, with_origin: false }
    }

    /// For the shop's own systems.
    pub fn with_origin(order: &'a Order) -> OrderView<'a> {
        OrderView { order, with_origin: true }
    }
}

impl Serialize for OrderView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let order = self.order;
        let mut view = serializer.serialize_struct("Order", 9)?;
        view.serialize_field("id", &format_args!("{}", order.id))?;
        if self.with_origin {
            view.serialize_field("cart", &format_args!("{}", order.cart))?;
            view.serialize_field("generation", &order.generation)?;
            view.serialize_field("revision", &order.revision)?;
        }
        view.serialize_field("lines", &Lines(&order.lines))?;
        view.serialize_field("quantity", &order.quantity())?;
        if let Some(subtotal) = order.subtotal {
            view.serialize_field("subtotal", &MoneyView(subtotal))?;
        }
        view.serialize_field("created_at", &Rfc3339::new(order.created_at))?;
        if let Some(at) = order.cancelled_at {
            view.serialize_field("cancelled_at", &Rfc3339::new(at))?;
        }
        view.end()
    }
}

/// `{"orders": [...]}`.
pub struct OrdersView {
    orders: Vec<Arc<Order>>,
    with_origin: bool,
}

impl OrdersView {
    /// For their owner.
    pub fn of(orders: Vec<Arc<Order>>) -> OrdersView {
        OrdersView { orders, with_origin: false }
    }

    /// For the shop's own systems.
    pub fn with_origin(orders: Vec<Arc<Order>>) -> OrdersView {
        OrdersView { orders, with_origin: true }
    }
}

impl Serialize for OrdersView {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let orders = self.orders.iter().map(|order| OrderView { order, with_origin: self.with_origin });
        let mut view = serializer.serialize_struct("Orders", 1)?;
        view.serialize_field("orders", &orders.collect::<Vec<_>>())?;
        view.end()
    }
}

struct Lines<'a>(&'a [OrderLine]);

impl Serialize for Lines<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut lines = serializer.serialize_seq(Some(self.0.len()))?;
        for line in self.0 {
            lines.serialize_element(&LineView(line))?;
        }
        lines.end()
    }
}

struct LineView<'a>(&'a OrderLine);

impl Serialize for LineView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let line = self.0;
        let mut view = serializer.serialize_struct("OrderLine", 7)?;
        view.serialize_field("id", line.item.line_id().as_str())?;
        view.serialize_field("sku", line.item.sku())?;
        view.serialize_field("options", &Options(&line.item))?;
        view.serialize_field("quantity", &line.quantity)?;
        if let Some(title) = &line.title {
            view.serialize_field("title", title)?;
        }
        if let Some(price) = line.unit_price {
            view.serialize_field("unit_price", &MoneyView(price))?;
        }
        if let Some(total) = line.line_total {
            view.serialize_field("line_total", &MoneyView(total))?;
        }
        view.end()
    }
}

impl Schema for OrderView<'_> {
    const NAME: &'static str = "Order";

    fn schema(parts: &mut Components) -> Value {
        Object::new()
            .must("id", uuid())
            .may("cart", said(uuid(), "Told to the shop's own systems."))
            .may("generation", whole(0))
            .may("revision", whole(0))
            .must("lines", list(parts.refer::<LineView<'_>>()))
            .must("quantity", whole(1))
            .may("subtotal", parts.refer::<MoneyView>())
            .must("created_at", time())
            .may("cancelled_at", time())
            .schema()
    }
}

impl Schema for OrdersView {
    const NAME: &'static str = "Orders";

    fn schema(parts: &mut Components) -> Value {
        Object::new().must("orders", list(parts.refer::<OrderView<'_>>())).may("next", next()).schema()
    }
}

impl Schema for LineView<'_> {
    const NAME: &'static str = "OrderLine";

    fn schema(parts: &mut Components) -> Value {
        let money = parts.refer::<MoneyView>();
        Object::new()
            .must("id", line_id())
            .must("sku", words())
            .must("options", json!({ "type": "object", "additionalProperties": words() }))
            .must("quantity", whole(1))
            .may("title", words())
            .may("unit_price", money.clone())
            .may("line_total", money)
            .schema()
    }
}
