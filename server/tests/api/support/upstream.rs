//! A shop's own server of products, which does as it is told.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::AppendHeaders;
use axum::routing::get;
use parking_lot::Mutex;
use serde_json::json;
use tokio::net::TcpSocket;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use trolley::catalogue::web::{Patience, Web};

use crate::support::Shop;

pub struct Upstream {
    address: SocketAddr,
    told: Arc<Told>,
    stands: Mutex<Stands>,
}

/// It serves, or holds its port and takes no connection.
enum Stands {
    Up(JoinHandle<()>),
    Down(TcpSocket),
}

struct Told {
    /// Status and body by sku; others are not found.
    products: Mutex<HashMap<String, (u16, String)>>,
    asked: Mutex<Vec<String>>,
    /// Skus that begin so wait at the gate.
    held: Mutex<Option<String>>,
    gate: Mutex<Arc<Semaphore>>,
}

impl Upstream {
    pub async fn start() -> Upstream {
        let socket = bound(SocketAddr::from(([127, 0, 0, 1], 0)));
        let address = socket.local_addr().unwrap();
        let told = Arc::new(Told {
            products: Mutex::default(),
            asked: Mutex::default(),
            held: Mutex::default(),
            gate: Mutex::new(Arc::new(Semaphore::new(0))),
        });
        let upstream = Upstream { address, told, stands: Mutex::new(Stands::Down(socket)) };
        upstream.up();
        upstream.sells("mug", 1_250);
        upstream.sells("lamp", 4_900);
        upstream
    }

    /// Takes connections.
    pub fn up(&self) {
        let router = axum::Router::new().route("/products/{sku}", get(answer)).with_state(self.told.clone());
        let mut stands = self.stands.lock();
        let idle = Stands::Down(TcpSocket::new_v4().unwrap());
        if let Stands::Down(socket) = std::mem::replace(&mut *stands, idle) {
            let listener = socket.listen(1_024).unwrap();
            *stands = Stands::Up(tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }));
        }
    }

    /// Takes none any more: nobody reaches it.
    pub async fn down(&self) {
        let idle = Stands::Down(TcpSocket::new_v4().unwrap());
        let before = std::mem::replace(&mut *self.stands.lock(), idle);
        if let Stands::Up(task) = before {
            task.abort();
            let _ = task.await;
        }
        *self.stands.lock() = Stands::Down(bound(self.address));
    }

    pub fn sells(&self, sku: &str, price: u64) {
        let product =
            json!({"title": format!("The {sku}"), "price": {"amount": price, "currency": "EUR"}, "stock": 9});
        self.answers(sku, 200, &product.to_string());
    }

    pub fn answers(&self, sku: &str, status: u16, body: &str) {
        self.told.products.lock().insert(sku.to_owned(), (status, body.to_owned()));
    }

    /// What was asked for since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.asked.lock())
    }

    /// Skus that begin so get no answer until the gate is open.
    pub fn shut_gate(&self, held: &str) {
        *self.told.held.lock() = Some(held.to_owned());
        *self.told.gate.lock() = Arc::new(Semaphore::new(0));
    }

    pub fn open_gate(&self) {
        *self.told.held.lock() = None;
        self.told.gate.lock().add_permits(1_000_000);
    }

    /// Waits until so many questions came since the last time.
    pub async fn until_asked(&self, questions: usize) {
        while self.told.asked.lock().len() < questions {
            tokio::task::yield_now().await;
        }
    }

    pub fn shop(&self) -> Shop {
        self.shop_with(Duration::from_secs(30))
    }

    pub fn shop_with(&self, patience: Duration) -> Shop {
        let patience = Patience { one: patience, all: 2 * patience, ..Patience::default() };
        Shop::selling(Arc::new(Web::new(&format!("http://{}/products/", self.address), patience).unwrap()))
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if let Stands::Up(task) = &*self.stands.lock() {
            task.abort();
        }
    }
}

/// A socket that has its port and takes no connection yet; what is left of earlier ones does not matter.
fn bound(address: SocketAddr) -> TcpSocket {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(address).unwrap();
    socket
}

/// Each connection is for one question: while it takes none, none is left over.
async fn answer(
    State(told): State<Arc<Told>>,
    Path(sku): Path<String>,
) -> (StatusCode, AppendHeaders<[(&'static str, &'static str); 1]>, String) {
    told.asked.lock().push(sku.clone());
    let is_held = told.held.lock().as_ref().is_some_and(|held| sku.starts_with(held));
    if is_held {
        let gate = told.gate.lock().clone();
        gate.acquire().await.unwrap().forget();
    }
    let (status, body) = told.products.lock().get(&sku).cloned().unwrap_or((404, String::new()));
    (StatusCode::from_u16(status).unwrap(), AppendHeaders([("connection", "close")]), body)
}
