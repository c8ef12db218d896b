//! The demo shop's pages and forms, as a browser without JavaScript reads and sends them.

use std::sync::Arc;

use trolley::catalogue::form as catalogue_form;
use trolley::catalogue::shop::Shop as Shelves;
use trolley::http::server::state::HttpConfig;
use trolley::pages::shop::products;
use trolley::service::settings::Settings;
use trolley_store::memory::Memory;

use crate::support::faulty::Faulty;
use crate::support::reply::Reply;
use crate::support::{Actor, Browser, Shop, request};

/// The demo shop, with its catalogue.
pub fn shop() -> Shop {
    let shelves = Shelves::new(catalogue_form::shelf(products::CATALOGUE.as_bytes()).unwrap());
    let store = Arc::new(Faulty::over(Arc::new(Memory::new())));
    let rules = HttpConfig { demo: true, ..HttpConfig::default() };
    Shop::made(store, rules, Settings::default(), Some(Arc::new(shelves)))
}

/// A form of a page, with the fields that a browser would send.
#[derive(Clone)]
pub struct Form {
    pub action: String,
    pub fields: Vec<(String, String)>,
}

impl Form {
    /// All of a page's forms that post, in order.
    pub fn all(page: &Reply) -> Vec<Form> {
        let plain = |text: &str| text.replace("&#34;", "\"").replace("&#39;", "'").replace("&#38;", "&");
        let value = |tag: &str, name: &str| {
            let after = tag.split(&format!(" {name}=\"")).nth(1)?;
            after.split('"').next().map(plain)
        };
        let posting = page.text.split("<form method=\"post\"").skip(1);
        let forms = posting.map(|rest| {
            let inner = rest.split("</form>").next().unwrap_or_default();
            let sent = |tag: &&str| !tag.contains("type=\"radio\"") || tag.contains(" checked");
            let inputs = inner.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap_or_default());
            let fields =
                inputs.filter(sent).filter_map(|tag| Some((value(tag, "name")?, value(tag, "value")?)));
            Form { action: value(inner, "action").unwrap_or_default(), fields: fields.collect() }
        });
        forms.collect()
    }

    /// The first that goes to `action`.
    pub fn of(page: &Reply, action: &str) -> Form {
        let found = Form::all(page).into_iter().find(|form| form.action == action);
        found.unwrap_or_else(|| panic!("no form to {action} in {}", page.text))
    }

    pub fn with(mut self, name: &str, value: &str) -> Form {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    pub async fn send(&self, browser: &Browser) -> Reply {
        let encode = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let body: Vec<_> =
            self.fields.iter().map(|(name, value)| format!("{}={}", encode(name), encode(value))).collect();
        let form = request("POST", &self.action)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        browser.send(form.body(body.join("&").into()).unwrap()).await
    }
}

/// The form to `action` on a page.
pub async fn form(browser: &Browser, page: &str, action: &str) -> Form {
    Form::of(&browser.get(page).await.expect(200), action)
}

/// Adds a product from its page.
pub async fn add(browser: &Browser, sku: &str) -> Reply {
    form(browser, &format!("/product/{sku}"), "/cart/add").await.send(browser).await.expect(303)
}
