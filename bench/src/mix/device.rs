//! A device as a sync knows it: its queue is numbered, and sent again until an answer says what became of it.

use std::fmt::Write as _;

use serde_json::Value;

use crate::wire::answer::Answer;

use super::step::SYNC_OPS;

/// A cart knows so many devices at a time: one more, and the one that was silent longest has to begin anew.
pub(crate) const DEVICES_MAX: usize = 32;

/// A device. Its ops are adds of one unit, [`SYNC_OPS`] in a call, one call at a time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Device {
    /// Its id, a UUID of its own making.
    client: String,
    /// Its last op that was taken in.
    seq: u64,
    /// The cart's revision that it saw last.
    base: u64,
    /// The item of the call that no answer has settled yet: that call is what it sends until one does.
    pending: Option<u64>,
    /// Whether that call may have been taken in already.
    in_doubt: bool,
}

/// What an answer says of a device's call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Units that are in the cart now, once.
    pub(crate) units: u64,
    /// Units of the call that counted as unknown until now.
    pub(crate) known: u64,
}

impl Device {
    /// A new one. `stamp`, eight hexadecimal digits, tells it from other runs' devices, `number` from this run's.
    pub(crate) fn new(stamp: &str, number: usize) -> Device {
        Device { client: format!("{stamp}-0000-4000-8000-{number:012x}"), ..Device::default() }
    }

    /// The body of its next call: of the one before again, where nothing settled that, else of adds of `item`.
    pub(crate) fn call(&mut self, item: u64) -> String {
        let item = *self.pending.get_or_insert(item);
        self.call_of(std::iter::repeat_n(item, SYNC_OPS as usize))
    }

    /// The body of a call that adds one unit of each of these items.
    pub(crate) fn call_of(&self, items: impl Iterator<Item = u64>) -> String {
        let mut body = format!(r#"{{"client":"{}","ops":["#, self.client);
        for (seq, item) in (self.seq + 1..).zip(items) {
            let comma = if seq == self.seq + 1 { "" } else { "," };
            let (base, op) = (self.base, format!(r#""op":"add","sku":"item-{item}","quantity":1"#));
            // A string takes everything.
            let _ =
                write!(body, r#"{comma}{{"seq":{seq},"op_id":"{seq:016x}","base":{base},"age_ms":0,{op}}}"#);
        }
        body + "]}"
    }

    /// What the answer to its call settles; nothing where it is a refusal, which leaves the queue to be sent again.
    pub(crate) fn take(&mut self, answer: &Answer<'_>) -> Option<Settled> {
        self.take_reply(answer.status, &answer.json()?)
    }

    /// The same, of an answer whose body is read already.
    pub(crate) fn take_reply(&mut self, status: u16, body: &Value) -> Option<Settled> {
        if status != 200 {
            self.refused(status, body);
            return None;
        }
        let (acked, results) = (body["acked"].as_u64()?, body["results"].as_array()?);
        // A duplicate is an op of a call that was done, and its answer lost: it is there once, as one that is applied now.
        let done = |result: &&Value| matches!(result["outcome"].as_str(), Some("applied" | "duplicate"));
        let units = results.iter().filter(done).count() as u64;
        let known = if self.in_doubt { SYNC_OPS } else { 0 };
        self.seq = acked;
        self.base = body.pointer("/cart/revision").and_then(Value::as_u64).unwrap_or(self.base);
        (self.pending, self.in_doubt) = (None, false);
        Some(Settled { units, known })
    }

    /// The answer to its call was lost: how many units count as unknown from now on.
    pub(crate) fn lose(&mut self) -> u64 {
        if std::mem::replace(&mut self.in_doubt, true) { 0 } else { SYNC_OPS }
    }

    /// The same call would be refused for the same reason for ever: the device does what the problem asks for.
    fn refused(&mut self, status: u16, body: &Value) {
        match (status, body["code"].as_str()) {
            (409, Some("sequence_gap")) => {
                self.seq =
                    body["expected_seq"].as_u64().map_or(self.seq, |expected| expected.saturating_sub(1));
            }
            // What of the old queue was taken in stays unknown.
            (409, Some("client_forked")) | (410, _) => {
                (self.client, self.seq, self.in_doubt) = (renewed(&self.client), 0, false);
            }
            _ => {}
        }
    }
}

/// The next id of the same device.
fn renewed(client: &str) -> String {
    let mut groups: Vec<String> = client.split('-').map(str::to_owned).collect();
    if let Some(group) = groups.get_mut(1) {
        let times = u16::from_str_radix(group, 16).unwrap_or_default();
        *group = format!("{:04x}", times.wrapping_add(1));
    }
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use serde_json::json;

    use super::*;

    fn answer(status: u16, body: &Value) -> Answer<'static> {
        let body = Cow::Owned(serde_json::to_vec(body).unwrap());
        Answer { status, headers: Vec::new(), body, closes: false }
    }

    /// The client, the seqs, the base and the sku of a call.
    fn read(call: &str) -> (String, Vec<u64>, u64, String) {
        let body: Value = serde_json::from_str(call).unwrap();
        let ops = body["ops"].as_array().unwrap();
        let seqs = ops.iter().map(|op| op["seq"].as_u64().unwrap()).collect();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (text(&body["client"]), seqs, ops[0]["base"].as_u64().unwrap(), text(&ops[0]["sku"]))
    }

    fn taken_in(acked: u64, outcome: &str) -> Answer<'static> {
        let results = vec![json!({"outcome": outcome}); SYNC_OPS as usize];
        answer(200, &json!({"acked": acked, "results": results, "cart": {"revision": acked + 3}}))
    }

    #[test]
    fn ops_are_numbered_without_gaps_and_each_call_tells_what_was_seen() {
        let mut device = Device::new("0a0b0c0d", 7);
        let client = "0a0b0c0d-0000-4000-8000-000000000007".to_owned();
        assert_eq!(read(&device.call(1)), (client.clone(), (1..=10).collect(), 0, "item-1".into()));
        assert_eq!(device.take(&taken_in(10, "applied")), Some(Settled { units: 10, known: 0 }));
        assert_eq!(read(&device.call(2)), (client, (11..=20).collect(), 13, "item-2".into()));
    }

    #[test]
    fn a_call_whose_answer_was_lost_is_sent_again_as_it_was_and_its_duplicates_count_once() {
        let mut device = Device::new("0a0b0c0d", 7);
        let first = device.call(1);
        assert_eq!((device.lose(), device.call(2), device.lose()), (10, first, 0));
        assert_eq!(device.take(&taken_in(10, "duplicate")), Some(Settled { units: 10, known: 10 }));
        assert_eq!(device.lose(), 10, "the next call is another one");
    }

    #[test]
    fn a_refusal_is_not_met_again_for_the_same_reason() {
        let mut device = Device::new("0a0b0c0d", 7);
        let first = device.call(1);
        assert_eq!(device.take(&answer(503, &json!({"code": "overloaded"}))), None);
        assert_eq!(device.call(2), first, "what was refused for now is sent again");

        device.take(&answer(409, &json!({"code": "sequence_gap", "expected_seq": 5})));
        assert_eq!(read(&device.call(2)).1, (5..=14).collect::<Vec<_>>());

        for (status, code) in [(409, "client_forked"), (410, "client_expired")] {
            let (old, ..) = read(&device.call(2));
            device.take(&answer(status, &json!({"code": code})));
            let (new, seqs, ..) = read(&device.call(2));
            assert!(new != old && new.len() == old.len(), "{new}");
            assert_eq!(seqs, (1..=10).collect::<Vec<_>>());
        }
    }
}
