//! A shop behind a real socket, and a client that writes bytes: for what only a socket can show.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use trolley::http::server::serve::{ServerLimits, serve};

use crate::support::Shop;

pub struct Served {
    pub address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Served {
    pub async fn start(shop: &Shop, bounds: ServerLimits) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stop_asked = async move {
            let _ = stopped.await;
        };
        let task = tokio::spawn(serve(listener, shop.app.clone(), bounds, stop_asked));
        Served { address, stop: Some(stop), task }
    }

    pub async fn connect(&self) -> Wire {
        Wire(TcpStream::connect(self.address).await.unwrap())
    }

    /// From another address of this machine: what is shared by address can be told apart.
    pub async fn connect_from(&self, address: &str) -> Wire {
        let socket = TcpSocket::new_v4().unwrap();
        // Little is held for who does not read.
        socket.set_recv_buffer_size(4_096).unwrap();
        socket.bind(SocketAddr::new(address.parse().unwrap(), 0)).unwrap();
        Wire(socket.connect(self.address).await.unwrap())
    }

    pub fn ask_to_stop(&mut self) {
        let _ = self.stop.take().unwrap().send(());
    }

    pub async fn stopped(self) {
        self.task.await.unwrap();
    }
}

pub struct Wire(TcpStream);

impl Wire {
    /// The peer may close while we are still writing: what it answered is what counts.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// One answer, head and body, by its Content-Length. What the peer cut short comes as it is. A peer that says nothing
    /// at all fails the test here and does not hang it.
    pub async fn answer(&mut self) -> String {
        let read = tokio::time::timeout(Duration::from_secs(30), self.read_answer());
        read.await.expect("an answer, or the end of the connection")
    }

    async fn read_answer(&mut self) -> String {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4_096];
        loop {
            let text = String::from_utf8_lossy(&bytes).to_string();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.to_ascii_lowercase();
                let length = length.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
                if body.len() >= length.and_then(|text| text.trim().parse().ok()).unwrap_or(0) {
                    return text;
                }
            }
            match self.0.read(&mut chunk).await {
                Ok(0) | Err(_) => return text,
                Ok(read) => bytes.extend_from_slice(&chunk[..read]),
            }
        }
    }

    /// What comes until `wanted` has come.
    pub async fn until(&mut self, wanted: &str) -> String {
        let read = async {
            let (mut text, mut chunk) = (String::new(), [0; 4_096]);
            while !text.contains(wanted) {
                let read = self.0.read(&mut chunk).await.unwrap();
                assert!(read > 0, "closed before {wanted:?}: {text}");
                text.push_str(&String::from_utf8_lossy(&chunk[..read]));
            }
            text
        };
        tokio::time::timeout(Duration::from_secs(30), read).await.expect(wanted)
    }

    /// Whether the peer closes, whatever else it says before.
    pub async fn is_closed_after_all(&mut self) -> bool {
        let mut rest = Vec::new();
        tokio::time::timeout(Duration::from_secs(30), self.0.read_to_end(&mut rest)).await.is_ok()
    }

    /// No more is sent from here; answers may still come.
    pub async fn shut(&mut self) {
        self.0.shutdown().await.unwrap();
    }

    /// Whether the peer has closed.
    pub async fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        let read = tokio::time::timeout(Duration::from_secs(30), self.0.read(&mut byte)).await;
        matches!(read.expect("the end of the connection"), Ok(0) | Err(_))
    }
}
