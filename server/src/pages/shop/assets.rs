//! The demo's files, embedded in the program: style, scripts, a font and pictures, at addresses that change with their bytes.

use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};

use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::pages::shop::products;
use crate::pages::shop::products::Tint;

/// One embedded file.
struct File {
    name: &'static str,
    bytes: &'static [u8],
}

macro_rules! files {
    ($($name:literal)*) => {
        &[$(File { name: $name, bytes: include_bytes!(concat!("../../../../web/shop/", $name)) }),*]
    };
}

const FILES: &[File] = files! {
    "css/base.css" "css/frame.css" "css/goods.css" "css/cart.css"
    "js/main.js" "js/send.js" "js/page.js" "js/tell.js" "js/quantity.js" "js/live.js" "js/find.js"
    "fonts/young-serif.woff2" "fonts/OFL.txt"
    "pictures/mark.svg" "pictures/cart.svg" "pictures/empty.svg"
    "pictures/mug.svg" "pictures/kettle.svg" "pictures/moka.svg" "pictures/skillet.svg" "pictures/board.svg"
    "pictures/teapot.svg" "pictures/mill.svg" "pictures/lamp.svg" "pictures/notebook.svg" "pictures/pen.svg"
    "pictures/pencils.svg" "pictures/scissors.svg" "pictures/clock.svg" "pictures/aloe.svg" "pictures/vase.svg"
    "pictures/candle.svg" "pictures/stool.svg" "pictures/radio.svg" "pictures/cushion.svg" "pictures/tent.svg"
    "pictures/flask.svg" "pictures/backpack.svg" "pictures/umbrella.svg" "pictures/watering-can.svg"
    "pictures/lantern.svg" "pictures/tee.svg" "pictures/beanie.svg" "pictures/socks.svg" "pictures/boots.svg"
    "pictures/tote.svg"
};

/// Where the files of this build are: `/shop/<edition>/…`. Scripts name each other by relative paths, so that one
/// edition covers them all.
static EDITION: LazyLock<String> = LazyLock::new(|| {
    let mut digest = Sha256::new();
    for file in FILES {
        digest.update(file.name);
        digest.update(file.bytes);
    }
    let digest: [u8; 32] = digest.finalize().into();
    digest[..6].iter().map(|byte| format!("{byte:02x}")).collect()
});

/// The edition of this build.
pub fn edition() -> &'static str {
    &EDITION
}

/// The address of a product's picture, in a colour of its own where one is named.
pub fn picture(sku: &str, tint: Option<&str>) -> String {
    match tint {
        Some(tint) => format!("/shop/{}/pictures/{sku}.{tint}.svg", edition()),
        None => format!("/shop/{}/pictures/{sku}.svg", edition()),
    }
}

/// `GET /shop/{edition}/{name}`. A page of an older build gets the file of this one, but nobody keeps that.
pub async fn serve(Path((of, name)): Path<(String, String)>) -> Result<Response, Problem> {
    let (body, kind) = find(&name).ok_or_else(|| Problem::new(Code::NotFound))?;
    let mut response = body.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let kept = if of == edition() { "public, max-age=31536000, immutable" } else { "public, max-age=300" };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(kept));
    Ok(response)
}

fn find(name: &str) -> Option<(Vec<u8>, &'static str)> {
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => return None,
    };
    let file = FILES.iter().find(|file| file.name == name);
    file.map(|file| file.bytes.to_vec()).or_else(|| tinted(name)).map(|bytes| (bytes, kind))
}

/// `pictures/mug.red.svg`: the picture of the mug, its own colour replaced.
fn tinted(name: &str) -> Option<Vec<u8>> {
    let (sku, tint) = name.strip_prefix("pictures/")?.strip_suffix(".svg")?.split_once('.')?;
    let product = products::of(sku)?;
    let own = product.tints().first().copied()?;
    let tint = product.tints().into_iter().find(|known: &Tint| known.name == tint)?;
    let file = FILES.iter().find(|file| file.name == format!("pictures/{sku}.svg"))?;
    Some(std::str::from_utf8(file.bytes).ok()?.replace(own.ink, tint.ink).into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_product_has_a_picture_in_each_of_its_colours() {
        for product in products::all() {
            let plain = find(&format!("pictures/{}.svg", product.sku)).unwrap().0;
            for tint in product.tints().iter().skip(1) {
                let tinted = find(&format!("pictures/{}.{}.svg", product.sku, tint.name)).unwrap().0;
                assert_ne!(plain, tinted, "{} in {}", product.sku, tint.name);
            }
        }
        assert!(find("pictures/mug.gold.svg").is_none() && find("../Cargo.toml").is_none());
    }

    #[test]
    fn no_file_loads_anything_from_another_host() {
        for file in FILES.iter().filter(|file| !file.name.starts_with("fonts/")) {
            let text = std::str::from_utf8(file.bytes).unwrap();
            let text = text.replace("http://www.w3.org/2000/svg", "");
            assert!(!text.contains("http://") && !text.contains("https://"), "{}", file.name);
        }
    }
}
