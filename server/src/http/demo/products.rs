//! What the demo sells, and the catalogue that it begins with.

use trolley_core::item::Item;
use trolley_core::money::{Currency, Money};

use crate::service::catalogue::product::{self as catalogue, Shelf};

/// A product of the demo.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// The shop's name of it.
    pub sku: &'static str,
    /// What shoppers call it.
    pub title: &'static str,
    /// What it costs, as it is printed.
    pub price: &'static str,
    /// What it costs, in cents.
    pub cents: u64,
    /// How many there are at first.
    pub stock: u32,
    /// Its picture: what is inside a 64 by 64 SVG, drawn in the text's colour.
    pub picture: &'static str,
}

/// All of them.
pub const PRODUCTS: [Product; 6] = [
    Product {
        sku: "mug-blue",
        title: "Enamel mug",
        price: "€ 12.50",
        cents: 1_250,
        stock: 24,
        picture: r#"<path d="M14 18h28v26a6 6 0 0 1-6 6H20a6 6 0 0 1-6-6z"/><path d="M42 24h5a5 5 0 0 1 5 5v4a5 5 0 0 1-5 5h-5"/>"#,
    },
    Product {
        sku: "notebook-a5",
        title: "Notebook, A5",
        price: "€ 8.90",
        cents: 890,
        stock: 60,
        picture: r#"<rect x="16" y="10" width="34" height="44" rx="3"/><path d="M24 10v44M30 22h13M30 30h13"/>"#,
    },
    Product {
        sku: "lamp-desk",
        title: "Desk lamp",
        price: "€ 49.00",
        cents: 4_900,
        stock: 8,
        picture: r#"<path d="M18 54h24M30 54V40L20 28l14-14"/><path d="m30 10 14 14-6 6-14-14z"/>"#,
    },
    Product {
        sku: "bag-canvas",
        title: "Canvas bag",
        price: "€ 19.90",
        cents: 1_990,
        stock: 30,
        picture: r#"<path d="M12 24h40l-4 30H16z"/><path d="M24 30V18a8 8 0 0 1 16 0v12"/>"#,
    },
    Product {
        sku: "plant-aloe",
        title: "Aloe in a pot",
        price: "€ 14.00",
        cents: 1_400,
        stock: 12,
        picture: r#"<path d="M20 40h24l-4 14H24z"/><path d="M32 40c0-12-4-20-12-24 0 10 4 18 12 24zm0 0c0-14 4-22 12-26 0 12-4 20-12 26z"/>"#,
    },
    Product {
        sku: "clock-wall",
        title: "Wall clock",
        price: "€ 34.50",
        cents: 3_450,
        stock: 5,
        picture: r#"<circle cx="32" cy="32" r="22"/><path d="M32 18v14l9 6"/>"#,
    },
];

/// The catalogue of a demo that has just begun.
pub fn shelf() -> Shelf {
    let euro = Currency::parse("EUR").expect("three capital letters");
    let mut shelf = Shelf::new(euro);
    for product in &PRODUCTS {
        let stocked = catalogue::Product {
            title: product.title.into(),
            price: Money { amount: product.cents, currency: euro },
            stock: Some(product.stock),
            image: None,
        };
        shelf.put(product.sku, stocked);
    }
    shelf
}

/// The product of that item, where the demo has it.
pub fn of(item: &Item) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.sku == item.sku())
}
