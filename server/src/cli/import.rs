//! `trolley import`: a new store of a dump, all of it or nothing.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::PathBuf;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use trolley_core::cart::limits::Limits;
use trolley_core::cart::op::{Call, Intent, LineRef};
use trolley_core::cart::state::Cart;
use trolley_core::chain::TokenChain;
use trolley_core::ids::{CartId, SessionId, TokenDigest, uuid_v7, uuid_v7_head, uuid_v7_with_head};
use trolley_core::item::Item;
use trolley_core::session::{Session, SessionPolicy, Transport};
use trolley_core::time::Timestamp;
use trolley_store::embedded::backup::Verified;
use trolley_store::embedded::dump::Import as Store;
use trolley_store::open::{OpenError, import};
use trolley_store::records::own::Token;
use trolley_store::records::{Key, Record};

use crate::cli::{CliError, say};
use crate::dump::format::{DumpLine, Guest, Reader, unhex};
use crate::dump::progress::Progress;
use crate::service::clock::Clock;
use crate::service::random::{OsRandom, Random as _};

/// What to take in, and where to.
#[derive(Args, Debug)]
pub struct Import {
    /// A dump that `trolley export` or somebody else wrote; - for standard input
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Where the store will be, a folder that has none: file:DIR
    #[arg(long, value_name = "ADDRESS")]
    store: String,
}

/// Fills a new store, verifies it, and only then puts it in its place.
pub fn run(asked: &Import) -> Result<(), CliError> {
    let world = |error: io::Error| CliError::Runtime(format!("{}: {error}", asked.from.display()));
    let verified = if asked.from.as_os_str() == "-" {
        fill(io::stdin().lock(), 0, &asked.store)?
    } else {
        let file = File::open(&asked.from).map_err(world)?;
        let bytes = file.metadata().map_err(world)?.len();
        fill(BufReader::with_capacity(1 << 18, file), bytes, &asked.store)?
    };
    let Verified { counts, bytes, .. } = verified;
    say(&format!(
        "imported and verified {} carts and {} sessions to {} ({bytes} bytes)",
        counts.carts(),
        counts.sessions(),
        asked.store
    ))
}

fn fill(from: impl BufRead, bytes: u64, store: &str) -> Result<Verified, CliError> {
    let unreadable = |error: crate::dump::format::DumpError| CliError::Runtime(format!("the dump, {error}"));
    let mut reader = Reader::begin(from).map_err(unreadable)?;
    let mut store = import(store)?;
    let now = Clock::System.now();
    let mut ids = Ids::from(now);
    let progress = Progress::new(bytes >> 10, "KiB");
    loop {
        let done = match reader.next_line().map_err(unreadable)? {
            None => break,
            Some(DumpLine::Record(image)) => {
                let key = unhex(&image.id).and_then(|id| Key::of_parts(image.kind, &id));
                let bytes = STANDARD.decode(image.image.as_bytes()).ok();
                let expires_at = image.expires_at_ms.map(Timestamp::from_ms);
                match (key, bytes) {
                    (Some(key), Some(bytes)) => store.put_image(key, &bytes, expires_at).map_err(sentence),
                    (None, _) => {
                        Err("a record of a kind or with an id that this trolley does not know".into())
                    }
                    (_, None) => Err("its image is not base64".into()),
                }
            }
            Some(DumpLine::Guest(guest)) => take_in(&mut store, &guest, &mut ids, now),
            Some(DumpLine::TrolleyDump(_) | DumpLine::End(_)) => Err("it does not belong here".into()),
        };
        done.map_err(|what: String| unreadable(reader.wrong(&what)))?;
        progress.at(reader.bytes >> 10);
    }
    drop(progress);
    Ok(store.finish().map_err(OpenError::Backup)?)
}

fn sentence(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Fresh ids, each above the one before: a record then lands behind the last of its kind, on a page that is at hand.
/// In no order, most of ten million carts are written to pages that went to the disk meanwhile.
struct Ids {
    head: u64,
}

impl Ids {
    fn from(now: Timestamp) -> Ids {
        Ids { head: uuid_v7_head(&uuid_v7(now, [0; 10])) }
    }

    fn next(&mut self) -> [u8; 16] {
        let mut random = [0; 10];
        OsRandom.fill(&mut random);
        self.head += 1;
        uuid_v7_with_head(self.head, random)
    }
}

/// A guest's cart: token, session and cart, as a first add makes them.
fn take_in(store: &mut Store, guest: &Guest, ids: &mut Ids, now: Timestamp) -> Result<(), String> {
    let digest = unhex(&guest.token_sha256).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    let digest = TokenDigest::from_bytes(digest.ok_or("token_sha256 is not 64 hexadecimal digits")?);
    let (session, mut cart) =
        (SessionId::from_bytes(ids.next()), Cart::new(CartId::from_bytes(ids.next()), now));
    for line in &guest.lines {
        let options = line.options.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let item = Item::new(&line.sku, options).map_err(sentence)?;
        let intent = Intent::Add(LineRef::Item(Arc::new(item)), line.quantity);
        let call = Call { session, base: None, at: now, intent };
        cart.call(&call, &Limits::default()).map_err(|refusal| format!("{}: {refusal:?}", line.sku))?;
    }
    let session = Session {
        id: session,
        version: 1,
        tokens: TokenChain::new(digest, now),
        transport: Transport::Cookie,
        cart: Some(cart.id),
        created_at: now,
        last_seen: now,
        // It came back: it is here because somebody kept it.
        presented: true,
        began_with_cart: true,
        sign_in: None,
    };
    let expires_at = SessionPolicy::default().swept_after(&session);
    let token = Token { digest, session: session.id, retired_at: None };
    store.put(&Record::Cart(Arc::new(cart)), None).map_err(sentence)?;
    store.put(&Record::Session(Arc::new(session)), Some(expires_at)).map_err(sentence)?;
    store.put(&Record::Token(Arc::new(token)), None).map_err(sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_id_is_above_the_one_before_it() {
        let mut ids = Ids::from(Timestamp::from_ms(1_700_000_000_000));
        let mut before = [0; 16];
        for n in 0..10_000 {
            let id = ids.next();
            assert!(id > before, "{n}");
            before = id;
        }
    }
}
