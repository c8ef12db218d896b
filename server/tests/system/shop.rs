//! The server of the histories, which may be killed and started again, and the sessions that it knows.

use std::time::Duration;

use serde_json::{Value, json};
use trolley_core::ids::SessionId;

use crate::commands::{api_key, out};
use crate::folder::Folder;
use crate::program::Program;
use crate::wire::{Answer, Wire};

/// Sessions outlast every story, and their tokens too.
const SETTINGS: [&str; 11] = [
    "--test-clock",
    // Commits wait for the operating system alone: a killed process loses none of them, and power cuts are tried elsewhere.
    "--durability",
    "relaxed",
    "--log",
    "warn",
    "--idle",
    "20d",
    "--absolute",
    "40d",
    "--renew-after",
    "10d",
];

/// The server.
pub(crate) struct Shop {
    folder: Folder,
    program: Option<Program>,
    wire: Wire,
    /// Of the shop's own login, which signs in without a password.
    key: String,
}

/// A session, and the header that opens it.
pub(crate) struct Visit {
    pub(crate) session: SessionId,
    bearer: String,
}

/// What is known of a cart on the server.
pub(crate) struct Cart {
    pub(crate) id: String,
    pub(crate) revision: u64,
    pub(crate) generation: u64,
    pub(crate) generation_start: u64,
}

impl Shop {
    pub(crate) fn open() -> Shop {
        let folder = Folder::new("histories");
        let program = Program::start(folder.path(), &SETTINGS);
        let made = api_key(folder.path(), &["new", "--scope", "sign-ins", "--name", "the shop's own login"]);
        let (wire, key) = (program.wire(), format!("Bearer {}", out(&made).trim_end()));
        Shop { folder, program: Some(program), wire, key }
    }

    /// A guest with a session and nothing else.
    pub(crate) fn visit(&mut self) -> Visit {
        let begun = self.send("POST", "/v1/session", &[], &json!({"transport": "bearer"}));
        let session = begun.body["device"]["id"].as_str().expect("an id").parse().expect("a UUID");
        Visit { session, bearer: bearer(&begun) }
    }

    /// The shop's own login signs a session in; it has another token from then on.
    pub(crate) fn sign_in(&mut self, visit: &mut Visit, account: &str) -> Answer {
        let key = self.key.clone();
        let body = json!({"session": visit.session.to_string(), "account": account});
        let answer = self.send("POST", "/v1/admin/sign-ins", &[("Authorization", &key)], &body);
        assert_eq!(answer.status, 200, "{answer:?}");
        visit.bearer = bearer(&answer);
        answer
    }

    /// The same, where the server is killed meanwhile: whether it came to it nobody knows.
    pub(crate) fn sign_in_and_kill(&mut self, visit: &Visit, account: &str, tenths: u64) {
        let body = json!({"session": visit.session.to_string(), "account": account});
        let key = self.key.clone();
        self.send_and_kill("/v1/admin/sign-ins", &key, &body, tenths);
    }

    /// The cart that a session opens, which was never checked out.
    pub(crate) fn cart(&mut self, visit: &Visit) -> Cart {
        let shown = self.ask(visit, "GET", "/v1/cart", &Value::Null);
        let number = |name: &str| shown.body[name].as_u64().expect("a number");
        let id = shown.body["id"].as_str().expect("an id").to_owned();
        Cart { id, revision: number("revision"), generation: number("generation"), generation_start: 0 }
    }

    /// Asks as a session.
    pub(crate) fn ask(&mut self, visit: &Visit, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, path, &[("Authorization", &visit.bearer)], body)
    }

    /// The same, of one who had seen the state that `tag` names.
    pub(crate) fn ask_having_seen(
        &mut self,
        visit: &Visit,
        tag: &str,
        (method, path, body): (&str, &str, &Value),
    ) -> Answer {
        self.send(method, path, &[("Authorization", &visit.bearer), ("If-Match", tag)], body)
    }

    /// A delivery, where the server is killed meanwhile and started again.
    pub(crate) fn deliver_and_kill(&mut self, visit: &Visit, body: &Value, tenths: u64) {
        self.send_and_kill("/v1/cart/sync", &visit.bearer, body, tenths);
    }

    pub(crate) fn turn_clock(&mut self, by_ms: u64) {
        let turned = self.send("POST", "/test/clock", &[], &json!({"advance_ms": by_ms}));
        assert_eq!(turned.status, 200, "{turned:?}");
    }

    /// The answer is nobody's: it may come before the end or not.
    fn send_and_kill(&mut self, path: &str, bearer: &str, body: &Value, tenths: u64) {
        let program = self.program.take().expect("it runs");
        let (mut wire, body) = (program.wire(), body.to_string());
        std::thread::scope(|scope| {
            scope.spawn(move || wire.send("POST", path, &[("Authorization", bearer)], &body));
            std::thread::sleep(Duration::from_micros(100 * tenths));
            program.kill();
        });
        let program = Program::start(self.folder.path(), &SETTINGS);
        self.wire = program.wire();
        self.program = Some(program);
    }

    fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        self.wire.send(method, path, headers, &body).expect("an answer")
    }
}

fn bearer(answer: &Answer) -> String {
    format!("Bearer {}", answer.body["token"].as_str().expect("a token"))
}
