//! What the demo sells. The real shop has a catalogue; these are words on a page.

use trolley_core::item::Item;

/// A product of the demo.
#[derive(Clone, Copy, Debug)]
pub struct Product {
    /// The shop's name of it.
    pub sku: &'static str,
    /// What shoppers call it.
    pub title: &'static str,
    /// What it costs, as it is printed.
    pub price: &'static str,
    /// Its picture: what is inside a 64 by 64 SVG, drawn in the text's colour.
    pub picture: &'static str,
}

/// All of them.
pub const PRODUCTS: [Product; 6] = [
    Product {
        sku: "mug-blue",
        title: "Enamel mug",
        price: "€ 12.50",
        picture: r#"<path d="M14 18h28v26a6 6 0 0 1-6 6H20a6 6 0 0 1-6-6z"/><path d="M42 24h5a5 5 0 0 1 5 5v4a5 5 0 0 1-5 5h-5"/>"#,
    },
    Product {
        sku: "notebook-a5",
        title: "Notebook, A5",
        price: "€ 8.90",
        picture: r#"<rect x="16" y="10" width="34" height="44" rx="3"/><path d="M24 10v44M30 22h13M30 30h13"/>"#,
    },
    Product {
        sku: "lamp-desk",
        title: "Desk lamp",
        price: "€ 49.00",
        picture: r#"<path d="M18 54h24M30 54V40L20 28l14-14"/><path d="m30 10 14 14-6 6-14-14z"/>"#,
    },
    Product {
        sku: "bag-canvas",
        title: "Canvas bag",
        price: "€ 19.90",
        picture: r#"<path d="M12 24h40l-4 30H16z"/><path d="M24 30V18a8 8 0 0 1 16 0v12"/>"#,
    },
    Product {
        sku: "plant-aloe",
        title: "Aloe in a pot",
        price: "€ 14.00",
        picture: r#"<path d="M20 40h24l-4 14H24z"/><path d="M32 40c0-12-4-20-12-24 0 10 4 18 12 24zm0 0c0-14 4-22 12-26 0 12-4 20-12 26z"/>"#,
    },
    Product {
        sku: "clock-wall",
        title: "Wall clock",
        price: "€ 34.50",
        picture: r#"<circle cx="32" cy="32" r="22"/><path d="M32 18v14l9 6"/>"#,
    },
];

/// The product of that item, where the demo has it.
pub fn of(item: &Item) -> Option<&'static Product> {
    PRODUCTS.iter().find(|product| product.sku == item.sku())
}
