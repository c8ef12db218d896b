//! What the demo sells: its words, and the prices and stock that its catalogue begins with.

use std::sync::LazyLock;

use serde::Deserialize;

/// A product of the demo.
#[derive(Clone, Debug)]
pub struct DemoProduct {
    /// The shop's name of it.
    pub sku: String,
    /// What shoppers call it.
    pub title: String,
    /// In which aisle it stands.
    pub aisle: &'static Aisle,
    /// What can be chosen: names and values, in the order of the page.
    pub options: Vec<(String, Vec<String>)>,
    /// A few sentences.
    pub text: String,
    /// Size and make.
    pub facts: String,
}

/// A category.
#[derive(Debug, PartialEq, Eq)]
pub struct Aisle {
    /// Its name in addresses and in the style sheet.
    pub slug: &'static str,
    /// Its name on the page.
    pub title: &'static str,
    /// One line about it.
    pub text: &'static str,
    /// The product that stands for it.
    pub face: &'static str,
}

/// A colour that pictures come in.
#[derive(Clone, Copy, Debug)]
pub struct Tint {
    /// As an option's value.
    pub name: &'static str,
    /// As pictures write it.
    pub ink: &'static str,
}

/// The aisles, in the order of the page.
pub const AISLES: [Aisle; 5] = [
    Aisle {
        slug: "kitchen",
        title: "Kitchen",
        text: "For breakfast, and for the dinner that follows it.",
        face: "kettle",
    },
    Aisle { slug: "desk", title: "Desk", text: "Things that make starting easier.", face: "lamp" },
    Aisle { slug: "home", title: "Home", text: "Quiet objects for loud days.", face: "aloe" },
    Aisle { slug: "outdoors", title: "Outdoors", text: "Rain is expected; so is tea.", face: "tent" },
    Aisle { slug: "wear", title: "Wear", text: "Warm, dry, and in your size.", face: "boots" },
];

const TINTS: [Tint; 9] = [
    Tint { name: "blue", ink: "#3c6ea8" },
    Tint { name: "red", ink: "#d8573c" },
    Tint { name: "sage", ink: "#8fb489" },
    Tint { name: "teal", ink: "#2e8078" },
    Tint { name: "cream", ink: "#fbf1de" },
    Tint { name: "plum", ink: "#7d4a70" },
    Tint { name: "mustard", ink: "#e8b13d" },
    Tint { name: "sky", ink: "#9cc5d8" },
    Tint { name: "olive", ink: "#7c8a4a" },
];

/// The option that pictures follow.
pub const COLOUR: &str = "colour";

impl DemoProduct {
    /// The colours it comes in; the first is that of its picture.
    pub fn tints(&self) -> Vec<Tint> {
        let named = |value: &String| TINTS.iter().find(|tint| tint.name == value).copied();
        self.values(COLOUR).unwrap_or_default().iter().filter_map(named).collect()
    }

    /// The values of an option.
    pub fn values(&self, option: &str) -> Option<&[String]> {
        self.options.iter().find(|(name, _)| name == option).map(|(_, values)| values.as_slice())
    }

    /// Whether all words of the query are somewhere in what the page says of it.
    fn answers(&self, words: &[String]) -> bool {
        let mut said =
            format!("{} {} {} {} {}", self.sku, self.title, self.aisle.title, self.text, self.facts);
        for (name, values) in &self.options {
            said.push_str(&format!(" {name} {}", values.join(" ")));
        }
        let said = said.to_lowercase();
        words.iter().all(|word| said.contains(word.as_str()))
    }
}

/// All of them, in the order of the shelf.
pub fn all() -> &'static [DemoProduct] {
    &PRODUCTS
}

/// The product of that sku, where the demo has it.
pub fn of(sku: &str) -> Option<&'static DemoProduct> {
    PRODUCTS.iter().find(|product| product.sku == sku)
}

/// The aisle of that name.
pub fn aisle(slug: &str) -> Option<&'static Aisle> {
    AISLES.iter().find(|aisle| aisle.slug == slug)
}

/// What a query finds: those whose title has it come first.
pub fn search(query: &str) -> Vec<&'static DemoProduct> {
    let words: Vec<String> = query.to_lowercase().split_whitespace().map(str::to_owned).take(8).collect();
    if words.is_empty() {
        return Vec::new();
    }
    let mut found: Vec<_> = PRODUCTS.iter().filter(|product| product.answers(&words)).collect();
    found.sort_by_key(|product| {
        !words.iter().all(|word| product.title.to_lowercase().contains(word.as_str()))
    });
    found
}

/// The catalogue of a demo that has just begun. What the shop's pages say besides stands in it too.
pub const CATALOGUE: &str = include_str!("../../../../web/shop/catalogue.json");

#[derive(Deserialize)]
struct Written {
    products: Vec<Shelved>,
}

#[derive(Deserialize)]
struct Shelved {
    sku: String,
    title: String,
    #[serde(default)]
    options: serde_json::Map<String, serde_json::Value>,
    aisle: String,
    text: String,
    facts: String,
}

static PRODUCTS: LazyLock<Vec<DemoProduct>> =
    LazyLock::new(|| read().expect("the embedded catalogue is read by a test"));

fn read() -> Option<Vec<DemoProduct>> {
    let written: Written = serde_json::from_str(CATALOGUE).ok()?;
    written.products.into_iter().map(Shelved::taken).collect()
}

impl Shelved {
    fn taken(self) -> Option<DemoProduct> {
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let values = |value: &serde_json::Value| -> Option<Vec<String>> {
            value.as_array()?.iter().map(text).collect()
        };
        let options = self.options.iter().map(|(name, value)| Some((name.clone(), values(value)?)));
        Some(DemoProduct {
            options: options.collect::<Option<_>>()?,
            sku: self.sku,
            title: self.title,
            aisle: aisle(&self.aisle)?,
            text: self.text,
            facts: self.facts,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_catalogue_is_read_and_every_aisle_has_goods() {
        assert!(read().is_some_and(|products| products.len() >= 24));
        for aisle in &AISLES {
            assert!(all().iter().filter(|product| product.aisle == aisle).count() >= 4, "{}", aisle.title);
            assert_eq!(of(aisle.face).unwrap().aisle, aisle);
        }
    }

    #[test]
    fn every_colour_on_sale_has_its_ink() {
        for product in all() {
            let colours = product.values(COLOUR).map_or(0, <[String]>::len);
            assert_eq!(product.tints().len(), colours, "{}", product.sku);
        }
    }

    #[test]
    fn a_search_finds_all_its_words_in_any_case_and_titles_come_first() {
        let found =
            |query: &str| search(query).iter().map(|product| product.sku.as_str()).collect::<Vec<_>>();
        assert_eq!(found("ENAMEL mug"), ["mug"]);
        assert_eq!(found("  radio "), ["radio"]);
        assert!(found("red").len() > 5 && found("steel").contains(&"flask"));
        assert!(found("").is_empty() && found("   ").is_empty() && found("trolleybus").is_empty());
        assert_eq!(found("tea")[0], "teapot");
    }
}
