//! Whether what a cart says is right: every line has its price, the sums are sums, and nothing is said of a catalogue that is well.

use std::time::Duration;

use serde_json::Value;

use super::goods::{self, Ware};

/// What is wrong with a cart that is shown when the shop has been open for so long.
pub(super) fn cart(cart: &Value, open_for: Duration) -> Option<String> {
    let wrong = lines(cart, open_for);
    let codes = cart["notices"].as_array().into_iter().flatten().filter_map(|notice| notice["code"].as_str());
    let mut untrue = codes.filter(|code| matches!(*code, "catalogue_down" | "price_unknown"));
    // A wrong price is worse than a notice that says so.
    wrong.or_else(|| untrue.next().map(|code| format!("notice {code}")))
}

/// What is wrong with an order of a cart whose subtotal was `seen`.
pub(super) fn order(order: &Value, seen: &Value, open_for: Duration) -> Option<String> {
    if order["lines"].as_array().is_none_or(Vec::is_empty) {
        Some("an order of nothing".to_owned())
    } else if order["subtotal"] != *seen {
        Some("an order for another sum".to_owned())
    } else {
        lines(order, open_for).map(|wrong| format!("an order: {wrong}"))
    }
}

/// What is wrong with lines and their sum.
fn lines(whole: &Value, open_for: Duration) -> Option<String> {
    let Some(lines) = whole["lines"].as_array() else { return Some("no lines".to_owned()) };
    let mut sum: u64 = 0;
    for line in lines {
        match priced(line, open_for) {
            Ok(total) => sum = sum.saturating_add(total),
            Err(wrong) => return Some(wrong),
        }
    }
    let wrong = !lines.is_empty() && whole["subtotal"]["amount"].as_u64() != Some(sum);
    wrong.then(|| "subtotal is not the sum".to_owned())
}

/// What a line costs in all, where that is right.
fn priced(line: &Value, open_for: Duration) -> Result<u64, String> {
    let sku = line["sku"].as_str().unwrap_or_default();
    let Some(price) = line["unit_price"]["amount"].as_u64() else {
        return Err("a line without price".to_owned());
    };
    match goods::ware(sku) {
        Ware::Steady(is) if is == price => {}
        Ware::Steady(_) | Ware::Gone | Ware::Odd => return Err("a wrong price".to_owned()),
        Ware::Moving => {
            if goods::stale(price, open_for).is_some() {
                return Err("a price that is long past".to_owned());
            }
        }
    }
    let total = price.saturating_mul(line["quantity"].as_u64().unwrap_or_default());
    if line["line_total"]["amount"].as_u64() == Some(total) {
        Ok(total)
    } else {
        Err("a wrong total".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_wrong_price_a_missing_one_and_a_wrong_sum_are_found() {
        let Ware::Steady(price) = goods::ware("item-1") else { panic!("it is steady") };
        let money = |amount: u64| json!({"amount": amount, "currency": "EUR"});
        let line = |unit: Value, total: u64| {
            json!({"lines": [{"sku": "item-1", "quantity": 2, "unit_price": unit, "line_total": money(total)}],
                "notices": [], "subtotal": money(2 * price)})
        };
        let judge = |body: &Value| cart(body, Duration::from_secs(60));
        let good = line(money(price), 2 * price);
        assert_eq!(judge(&good), None);
        assert_eq!(judge(&line(money(price + 1), 2 * price + 2)).as_deref(), Some("a wrong price"));
        assert_eq!(judge(&line(Value::Null, 0)).as_deref(), Some("a line without price"));
        assert_eq!(judge(&line(money(price), price)).as_deref(), Some("a wrong total"));
        let mut cheap = good.clone();
        cheap["subtotal"] = money(price);
        assert_eq!(judge(&cheap).as_deref(), Some("subtotal is not the sum"));
        let mut down = good;
        down["notices"] = json!([{"code": "catalogue_down"}]);
        assert_eq!(judge(&down).as_deref(), Some("notice catalogue_down"));
        let stale = json!({"lines": [{"sku": "moving-1", "quantity": 1, "unit_price": money(1_000),
            "line_total": money(1_000)}], "subtotal": money(1_000)});
        assert_eq!(cart(&stale, Duration::from_secs(5)), None);
        assert_eq!(judge(&stale).as_deref(), Some("a price that is long past"));
    }
}
