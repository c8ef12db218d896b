//! Against places: sockets that say almost nothing, read almost nothing, or are closed on one side. What is closed is opened again.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, Interest};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::hostile::line;

use super::raider::{ADDRESS, Raider, Siege, pause};
use super::stuffing::largest;

/// Sockets with a whole head and one byte of the body: more than a server has places for requests under way.
const BODIES: usize = 1_100;
/// Sockets whose head comes a byte a second.
const HEADS: usize = 100;
/// Sockets that ask for much and read nothing.
const READERS: usize = 50;
/// How often each of those asks before it stops to read.
const ASKS: usize = 50;
/// Sockets that are closed on our side.
const HALVES: usize = 50;
/// Event streams: more than an address may have, nobody reads them.
const STREAMS: usize = 100;
/// Sockets that are broken off in the middle of a body, again and again: whoever writes a line for each writes many.
const BROKEN: usize = 20;
/// How long each of those is there, in milliseconds, and how long it is not.
const BROKEN_MS: u64 = 25;
/// How long one waits before it comes again.
const AGAIN: Duration = Duration::from_secs(1);

/// All sockets that it has at once.
pub(in crate::hostile) const ALL: usize = BODIES + HEADS + READERS + HALVES + STREAMS + BROKEN;

pub(super) fn begin(siege: &Arc<Siege>, loops: &mut JoinSet<()>) {
    for number in 0..BODIES {
        let again = again("bodies of one byte", siege, Hold::Body);
        loops.spawn(async move {
            // Within a quarter of a second: the other loops want to begin too.
            pause(number as u64 / 4).await;
            again.await;
        });
    }
    for _ in 0..HEADS {
        loops.spawn(again("slow heads", siege, Hold::Head));
    }
    for _ in 0..HALVES {
        loops.spawn(again("half-closed sockets", siege, Hold::Half));
    }
    for _ in 0..BROKEN {
        loops.spawn(again("bodies broken off", siege, Hold::Broken));
    }
    loops.spawn(with_a_cart(Arc::clone(siege)));
}

/// What is done with a socket.
#[derive(Clone, Debug)]
enum Hold {
    Body,
    Broken,
    Head,
    Half,
    /// With a cart's cookies.
    Reader(String),
    Stream(String),
}

/// Readers and streams want a cart to read: the larger the better.
async fn with_a_cart(siege: Arc<Siege>) {
    let mut raider = Raider::new("slow readers", &siege);
    for n in 0..8 {
        let _ = raider.ask("POST", "/v1/cart/lines", &largest(n)).await;
    }
    let cookies = raider.jar.line();
    let mut loops = JoinSet::new();
    for _ in 0..READERS {
        loops.spawn(again("slow readers", &siege, Hold::Reader(cookies.clone())));
    }
    for _ in 0..STREAMS {
        loops.spawn(again("event streams", &siege, Hold::Stream(cookies.clone())));
    }
    while loops.join_next().await.is_some() {}
}

fn again(attack: &'static str, siege: &Arc<Siege>, what: Hold) -> impl Future<Output = ()> + 'static {
    let siege = Arc::clone(siege);
    async move {
        loop {
            let narrow = matches!(what, Hold::Reader(_) | Hold::Stream(_));
            let told = match line::connect(ADDRESS, siege.server, narrow).await {
                Ok(stream) => hold(stream, &siege, attack, &what).await,
                Err(silence) => silence.word().to_owned(),
            };
            siege.tolls.count(attack, told);
            let again = if matches!(what, Hold::Broken) { Duration::from_millis(BROKEN_MS) } else { AGAIN };
            tokio::time::sleep(again).await;
        }
    }
}

/// Holds a socket for as long as the server lets it; says how that ended.
async fn hold(mut stream: TcpStream, siege: &Siege, attack: &'static str, what: &Hold) -> String {
    siege.tolls.count(attack, "opened");
    let host = siege.server;
    let told = match what {
        Hold::Body | Hold::Broken => {
            let head = format!(
                "POST /v1/cart/lines HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{{"
            );
            stream.write_all(head.as_bytes()).await.map(|()| head)
        }
        Hold::Half => {
            let head = format!("GET /v1/cart HTTP/1.1\r\nhost: {host}\r\n");
            let sent = stream.write_all(head.as_bytes()).await;
            sent.and(stream.shutdown().await).map(|()| head)
        }
        Hold::Head => {
            return slowly(stream, &format!("GET /v1/cart HTTP/1.1\r\nhost: {host}\r\nx-slow: ")).await;
        }
        Hold::Reader(cookies) => {
            let ask = format!("GET /v1/cart HTTP/1.1\r\nhost: {host}\r\n{cookies}\r\n");
            let _ = tokio::time::timeout(AGAIN, stream.write_all(ask.repeat(ASKS).as_bytes())).await;
            return until_it_ends(&stream).await;
        }
        Hold::Stream(cookies) => {
            let ask = format!(
                "GET /v1/cart/events HTTP/1.1\r\nhost: {host}\r\n{cookies}accept: text/event-stream\r\n\r\n"
            );
            if stream.write_all(ask.as_bytes()).await.is_err() {
                return "dropped".to_owned();
            }
            let first = status(&mut stream).await;
            siege.tolls.count(attack, first.clone());
            if first != "200" {
                return "closed".to_owned();
            }
            return until_it_ends(&stream).await;
        }
    };
    if matches!(what, Hold::Broken) {
        pause(BROKEN_MS).await;
        return "broken off".to_owned();
    }
    match told {
        Ok(_) => status(&mut stream).await,
        Err(_) => "dropped".to_owned(),
    }
}

/// The status of what comes, whenever that is.
async fn status(stream: &mut TcpStream) -> String {
    let mut head = [0; 12];
    match stream.read_exact(&mut head).await {
        // `HTTP/1.1 408`
        Ok(_) => String::from_utf8_lossy(&head[9..]).into_owned(),
        Err(_) => "dropped".to_owned(),
    }
}

/// A byte a second, and a head that never ends.
async fn slowly(mut stream: TcpStream, head: &str) -> String {
    for byte in head.bytes().chain(std::iter::repeat(b'x')) {
        if stream.write_all(&[byte]).await.is_err() {
            return "dropped".to_owned();
        }
        pause(1_000).await;
        let mut part = [0; 12];
        match stream.try_read(&mut part) {
            Ok(12) => return String::from_utf8_lossy(&part[9..]).into_owned(),
            Ok(_) => return "dropped".to_owned(),
            Err(_) => {}
        }
    }
    "dropped".to_owned()
}

/// Waits, without reading, until the server has had enough: then nothing more can be written to it.
async fn until_it_ends(stream: &TcpStream) -> String {
    loop {
        pause(1_000).await;
        let Ok(ready) = stream.ready(Interest::READABLE | Interest::WRITABLE).await else { break };
        if ready.is_read_closed() || ready.is_write_closed() {
            break;
        }
    }
    "dropped".to_owned()
}
