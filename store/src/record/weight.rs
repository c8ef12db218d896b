//! About how many bytes a decoded record takes in memory: what the cache counts.

use std::sync::Arc;

use trolley_core::account::Account;
use trolley_core::account::audit::{AuditEntry, AuditEvent, Trail};
use trolley_core::account::sessions::{AccountSessions, Series};
use trolley_core::cart::state::{Cart, Change, Client, Line, Recent};
use trolley_core::ledger::{Ledger, LedgerEntry};
use trolley_core::order::{Order, OrderLine, OrderLink, SealedOrders, Sealing};
use trolley_core::session::{Device, Session, SignIn};

use crate::records::Record;
use crate::records::own::{ApiKey, Clock, Data, EmailOwner, Remember, ResetToken, Token};
use crate::records::table::table;

/// A share's two counters, and what an allocation costs besides.
const SHARE: usize = 32;
/// The address and the device's name of an entry of the audit.
const ENTRY_TEXT: usize = 64;
/// An e-mail address, and a password's hash.
const ACCOUNT_TEXT: usize = 160;

/// What a record holds besides its own size: what it points to.
trait Weigh: Sized {
    /// Bytes that it points to.
    fn behind(&self) -> usize {
        0
    }
}

macro_rules! weight {
    ($($(#[$doc:meta])* $number:literal $name:ident($id:ty) holds $holds:ty, id |$it:ident| $of_id:expr, version $version:expr;)*) => {
        /// Bytes that a decoded record takes in memory, about.
        pub fn weight(record: &Record) -> usize {
            let held = match record {
                $(Record::$name(held) => size_of::<$holds>() + held.behind(),)*
            };
            size_of::<Record>() + SHARE + held
        }
    };
}
table!(weight);

impl Weigh for Token {}
impl Weigh for Clock {}
impl Weigh for OrderLink {}
impl Weigh for Sealing {}
impl Weigh for SealedOrders {}
impl Weigh for Remember {}
impl Weigh for EmailOwner {}
impl Weigh for ResetToken {}

impl Weigh for Cart {
    fn behind(&self) -> usize {
        let parts: usize = self.lines.iter().chain(&self.saved).map(line).sum::<usize>()
            + self.clients.iter().map(client).sum::<usize>()
            + self.ring.iter().map(change).sum::<usize>();
        parts + size_of_val(&*self.departed) + size_of_val(&*self.marks) + size_of_val(&*self.leftovers)
    }
}

impl Weigh for Session {
    fn behind(&self) -> usize {
        let signed_in =
            self.sign_in.as_ref().map_or(0, |sign_in| SHARE + size_of::<SignIn>() + device(&sign_in.device));
        size_of_val(&*self.tokens.replaced) + signed_in
    }
}

impl Weigh for Ledger {
    fn behind(&self) -> usize {
        self.entries.len() * size_of::<LedgerEntry>()
    }
}

impl Weigh for Order {
    fn behind(&self) -> usize {
        self.lines.iter().map(ordered).sum()
    }
}

impl Weigh for Data {
    fn behind(&self) -> usize {
        self.json.len()
    }
}

impl Weigh for ApiKey {
    fn behind(&self) -> usize {
        self.name.len() + size_of_val(&*self.scopes)
    }
}

impl Weigh for AccountSessions {
    fn behind(&self) -> usize {
        let series = self.series.iter().map(|series| {
            size_of::<Series>() + size_of_val(&*series.tokens.replaced) + device(&series.device)
        });
        let series: usize = series.sum();
        size_of_val(&*self.entries) + series + size_of_val(&*self.devices)
    }
}

impl Weigh for AuditEvent {
    fn behind(&self) -> usize {
        ENTRY_TEXT
    }
}

impl Weigh for Trail {
    fn behind(&self) -> usize {
        self.rows.len() * (size_of::<AuditEntry>() + ENTRY_TEXT)
    }
}

impl Weigh for Account {
    fn behind(&self) -> usize {
        ACCOUNT_TEXT
    }
}

fn line(line: &Arc<Line>) -> usize {
    let text = line.item.as_ref().map_or(0, |item| SHARE + size_of_val(&**item) + item.text_bytes());
    SHARE + size_of::<Line>() + text + size_of_val(&*line.adds) + size_of_val(&*line.guests)
}

fn client(client: &Arc<Client>) -> usize {
    SHARE + size_of::<Client>() + client.recent.len() * size_of::<Recent>()
}

fn change(change: &Arc<Change>) -> usize {
    SHARE + size_of::<Change>() + size_of_val(&*change.pieces)
}

fn device(device: &Device) -> usize {
    device.name.len() + device.address.len()
}

fn ordered(line: &OrderLine) -> usize {
    let text = line.item.text_bytes() + line.title.as_ref().map_or(0, |title| title.len());
    size_of::<OrderLine>() + SHARE + size_of_val(&*line.item) + text
}
