//! The JSON of catalogues: a whole file, or one product as an address answers it. The book's page `catalogue` is its description.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use trolley_core::item::Item;
use trolley_core::money::{Currency, Money};

use crate::service::catalogue::product::{Product, ProductTable, STOCK_MAX};
use crate::service::json::decimal::{Decimal, Whole};

/// The highest price. A sum of prices is checked besides; this one catches a price that was typed wrongly.
const PRICE_MAX: u64 = 1_000_000_000_000;
const TITLE_CHARS_MAX: usize = 256;
const IMAGE_CHARS_MAX: usize = 2_048;

/// What is wrong with a catalogue, in words for the shop's own people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CatalogueError(String);

/// Reads a whole catalogue.
pub fn shelf(json: &[u8]) -> Result<ProductTable, CatalogueError> {
    let Form { currency, products: Products(products) } =
        serde_json::from_slice(json).map_err(|error| CatalogueError(error.to_string()))?;
    let mut all_in = currency.as_deref().map(parse_currency).transpose()?;
    let mut shelf: Option<ProductTable> = all_in.map(ProductTable::new);
    for (key, written) in products {
        let sku = key.or_else(|| written.sku.clone());
        let sku = sku.ok_or_else(|| CatalogueError("a product has no sku".to_owned()))?;
        let about = |why: String| CatalogueError(format!("the product \"{sku}\": {why}"));
        Item::new(&sku, Vec::new()).map_err(|why| about(why.to_string()))?;
        let product = written.product(all_in).map_err(|why| about(why.0))?;
        let currency = *all_in.get_or_insert(product.price.currency);
        if product.price.currency != currency {
            return Err(about(format!("its price is not in {currency:?}, as others are")));
        }
        if shelf.get_or_insert_with(|| ProductTable::new(currency)).put(&sku, product).is_some() {
            return Err(about("it is there twice".to_owned()));
        }
    }
    shelf.ok_or_else(|| CatalogueError("it has neither a currency nor products".to_owned()))
}

/// Reads one product, whose price says what it is in: what others are in may be another's mistake.
pub fn product(json: &[u8]) -> Result<Product, CatalogueError> {
    let written: Written = serde_json::from_slice(json).map_err(|error| CatalogueError(error.to_string()))?;
    written.product(None)
}

/// A whole file. What else stands in it is the shop's own.
#[derive(Deserialize)]
struct Form {
    currency: Option<String>,
    products: Products,
}

/// A product as it is written.
#[derive(Deserialize)]
struct Written {
    sku: Option<String>,
    title: String,
    price: Price,
    currency: Option<String>,
    stock: Option<Box<RawValue>>,
    image: Option<String>,
}

impl Written {
    fn product(self, currency: Option<Currency>) -> Result<Product, CatalogueError> {
        let wrong = |why: &str| Err(CatalogueError(why.to_owned()));
        let own = match &self.price {
            Price { currency: Some(code), .. } => Some(parse_currency(code)?),
            _ => self.currency.as_deref().map(parse_currency).transpose()?,
        };
        let Some(currency) = own.or(currency) else { return wrong("its price has no currency") };
        if self.price.amount > PRICE_MAX {
            return wrong("its price is over 1,000,000,000,000 minor units");
        }
        if self.title.is_empty() || self.title.chars().count() > TITLE_CHARS_MAX {
            return wrong("its title has not 1 to 256 characters");
        }
        if self.image.as_deref().is_some_and(|image| !is_an_address(image)) {
            return wrong("its image is not a path or an http address of at most 2,048 characters");
        }
        let stock = self.stock.map(|stock| stock_of(&stock)).transpose()?;
        Ok(Product {
            title: self.title.into(),
            price: Money { amount: self.price.amount, currency },
            stock,
            image: self.image.map(Box::from),
        })
    }
}

fn parse_currency(code: &str) -> Result<Currency, CatalogueError> {
    let wrong = || CatalogueError(format!("\"{code}\" is no currency: write its three capital letters"));
    Currency::parse(code).ok_or_else(wrong)
}

/// A path or an address on http; whatever runs in a page (`javascript:`) is neither.
fn is_an_address(text: &str) -> bool {
    let plain = !text.is_empty()
        && text.chars().count() <= IMAGE_CHARS_MAX
        && text.chars().all(|c| !c.is_whitespace() && !c.is_control());
    let scheme = text.split(['/', '?', '#']).next().unwrap_or_default();
    plain && (!scheme.contains(':') || text.starts_with("https://") || text.starts_with("http://"))
}

/// Products in a list, or each under its sku; kept in turn, so that one that is there twice is found.
struct Products(Vec<(Option<String>, Written)>);

impl<'de> Deserialize<'de> for Products {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Products, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Products;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of products, or an object with a product under each sku")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Products, A::Error> {
                let mut products = Vec::new();
                while let Some(product) = list.next_element()? {
                    products.push((None, product));
                }
                Ok(Products(products))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Products, A::Error> {
                let mut products = Vec::new();
                while let Some((sku, product)) = map.next_entry()? {
                    products.push((Some(sku), product));
                }
                Ok(Products(products))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A stock that is whole by its value: `24`, `24.0` and `2.4e1` are one. What was sold and is not there yet makes a negative one in some
/// shops: nothing is available then.
fn stock_of(written: &RawValue) -> Result<u64, CatalogueError> {
    match Decimal::parse(written.get()).map(|number| number.whole()) {
        Some(Whole::Number(stock)) if stock <= STOCK_MAX => Ok(stock),
        Some(Whole::Number(_) | Whole::TooLarge) => {
            Err(CatalogueError("its stock is over 9,007,199,254,740,991".to_owned()))
        }
        Some(Whole::Negative) => Ok(0),
        Some(Whole::Fraction) | None => {
            let why = format!("its stock, {:.40}, is no whole number", written.get());
            Err(CatalogueError(why))
        }
    }
}

/// `1250`, or `{"amount": 1250, "currency": "EUR"}` as the API's own answers have it.
struct Price {
    amount: u64,
    currency: Option<String>,
}

impl<'de> Deserialize<'de> for Price {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Price, D::Error> {
        #[derive(Deserialize)]
        struct Money {
            amount: Box<RawValue>,
            currency: String,
        }
        let written = Box::<RawValue>::deserialize(deserializer)?;
        let (amount, currency) = match serde_json::from_str::<Money>(written.get()) {
            Ok(money) => (money.amount, Some(money.currency)),
            Err(_) => (written, None),
        };
        match Decimal::parse(amount.get()).map(|number| number.whole()) {
            Some(Whole::Number(amount)) => Ok(Price { amount, currency }),
            Some(Whole::TooLarge) => Ok(Price { amount: u64::MAX, currency }),
            Some(Whole::Negative | Whole::Fraction) | None => Err(D::Error::custom(format_args!(
                "{:.80} is no price in whole minor units, such as 1250 or {{\"amount\": 1250, \"currency\": \"EUR\"}}",
                amount.get()
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_and_an_object_say_the_same() {
        let list =
            r#"{"currency": "EUR", "products": [{"sku": "mug", "title": "Mug", "price": 1250, "stock": 3}]}"#;
        let object = r#"{"note": "ours", "products": {"mug": {"title": "Mug", "price": {"amount": 1250, "currency": "EUR"},
            "stock": 3, "weight": 200}}}"#;
        for json in [list, object] {
            let shelf = shelf(json.as_bytes()).unwrap();
            let mug = &shelf.get("mug").unwrap().product;
            assert_eq!(
                (&*mug.title, mug.price.to_string(), mug.stock),
                ("Mug", "EUR 12.50".to_owned(), Some(3))
            );
        }
    }

    #[test]
    fn the_example_of_the_book_is_a_catalogue() {
        let example = shelf(include_bytes!("../../../docs/catalogue.example.json")).unwrap();
        assert_eq!((example.len(), example.get("gift-card-25").unwrap().product.stock), (3, None));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let product = |rest: &str| {
            format!(r#"{{"currency": "EUR", "products": [{{"sku": "mug", "title": "Mug", {rest}}}]}}"#)
        };
        let twice = r#"{"sku": "a", "title": "A", "price": 1}"#;
        for (json, names) in [
            ("[]".to_owned(), "invalid"),
            ("{".to_owned(), "EOF"),
            (r#"{"products": []}"#.to_owned(), "neither"),
            (r#"{"currency": "euro", "products": []}"#.to_owned(), "euro"),
            (product(r#""price": 12.5"#), "minor units"),
            (product(r#""price": -1"#), "minor units"),
            (product(r#""price": "1250""#), "minor units"),
            (product(r#""price": 1000000000001"#), "1,000,000,000,000"),
            (product(r#""stock": 1"#), "price"),
            (product(r#""price": {"amount": 1, "currency": "USD"}"#), "EUR"),
            (product(r#""price": 1, "stock": 1.5"#), "1.5"),
            (product(r#""price": 1, "image": "javascript:alert(1)""#), "image"),
            (product(r#""price": 1, "title": """#), "title"),
            (format!(r#"{{"currency": "EUR", "products": [{twice}, {twice}]}}"#), "twice"),
            (r#"{"products": [{"sku": "a", "title": "A", "price": 1}]}"#.to_owned(), "currency"),
            (r#"{"currency": "EUR", "products": {"": {"title": "A", "price": 1}}}"#.to_owned(), "128"),
        ] {
            let why = shelf(json.as_bytes()).map(|_| ()).unwrap_err().to_string();
            assert!(why.contains(names), "{json}: {why}");
        }
    }

    #[test]
    fn a_stock_is_told_as_it_is_or_refused() {
        let read = |stock: &str| {
            let json = format!(r#"{{"title": "A", "price": {{"amount": 1, "currency": "EUR"}}{stock}}}"#);
            product(json.as_bytes()).map(|product| product.stock)
        };
        assert_eq!(read(r#", "stock": -3"#), Ok(Some(0)));
        assert_eq!(read(r#", "stock": 5000000000"#), Ok(Some(5_000_000_000)));
        assert_eq!(read(r#", "stock": 9007199254740991"#), Ok(Some(STOCK_MAX)));
        for refused in ["9007199254740992", "18446744073709551615", "99999999999999999999", "1e30", "2.5"] {
            assert!(read(&format!(r#", "stock": {refused}"#)).is_err(), "{refused}");
        }
        assert_eq!((read(r#", "stock": null"#), read("")), (Ok(None), Ok(None)));
    }

    #[test]
    fn a_number_counts_by_its_value_however_it_is_written() {
        for (price, stock) in
            [("1250", "24"), ("1250.0", "24.0"), ("1.25e3", "2.4E1"), ("125000e-2", "24.000")]
        {
            let money = format!(r#"{{"amount": {price}, "currency": "EUR"}}"#);
            for json in [
                format!(r#"{{"title": "A", "price": {money}, "stock": {stock}}}"#),
                format!(r#"{{"title": "A", "price": {price}, "currency": "EUR", "stock": {stock}}}"#),
            ] {
                let read = product(json.as_bytes()).unwrap();
                assert_eq!((read.price.amount, read.stock), (1_250, Some(24)), "{json}");
            }
        }
        for price in ["1250.00000000000000000001", "1250.5", "-1", "true", "null", "[1]", "{}"] {
            let json = format!(r#"{{"title": "A", "price": {price}, "currency": "EUR"}}"#);
            assert!(product(json.as_bytes()).is_err(), "{json}");
        }
    }

    #[test]
    fn the_price_of_one_product_says_what_it_is_in() {
        assert!(product(br#"{"title": "A", "price": 1}"#).is_err());
        assert_eq!(
            product(br#"{"title": "A", "price": 1, "currency": "JPY"}"#).unwrap().price.currency.as_str(),
            "JPY"
        );
    }
}
