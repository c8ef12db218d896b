//! What a traced server did to its files and told its clients, in the order the kernel saw it (`strace -f -y -xx`).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// One thing the server did.
#[derive(Debug, Clone)]
pub(crate) enum Event {
    /// Bytes were handed to the kernel for a file.
    Wrote { file: PathBuf, offset: u64, bytes: Vec<u8> },
    /// A file's length was set.
    Cut { file: PathBuf, length: u64 },
    /// A sync of this file began; only what was written before counts.
    SyncBegan { file: PathBuf, sync: usize },
    /// It came back.
    SyncEnded { file: PathBuf, sync: usize },
    /// A file went.
    Removed { file: PathBuf },
    /// Bytes came from a client.
    Heard { socket: String },
    /// Bytes were about to go to a client.
    Told { socket: String, bytes: Vec<u8> },
}

/// The system calls that [`parse`] reads.
pub(crate) const CALLS: &str = "pwrite64,write,writev,sendto,fdatasync,fsync,ftruncate,unlink,recvfrom,read";

/// Reads a trace. Only files below `folder` and sockets count; what SQLite keeps in shared memory does not: it is made
/// anew after a power cut.
pub(crate) fn parse(trace: &str, folder: &Path) -> Vec<Event> {
    let mut events = Vec::new();
    let mut begun: HashMap<&str, String> = HashMap::new();
    let mut syncs = 0;
    for line in trace.lines() {
        let Some((pid, call)) = line.split_once(' ') else { continue };
        let call = call.trim_start();
        if let Some(part) = call.strip_suffix(" <unfinished ...>") {
            begin(part, folder, &mut syncs, &mut events);
            begun.insert(pid, part.to_owned());
        } else if call.starts_with("<... ") {
            let (Some(part), Some((_, rest))) = (begun.remove(pid), call.split_once(" resumed>")) else {
                continue;
            };
            let number = syncs_of(&events, &part, folder);
            end(&format!("{part}{rest}"), folder, number, &mut events);
        } else {
            begin(call, folder, &mut syncs, &mut events);
            let number = syncs_of(&events, call, folder);
            end(call, folder, number, &mut events);
        }
    }
    events
}

/// What counts from the moment a call is made: an answer may have left, a sync covers what was there.
fn begin(call: &str, folder: &Path, syncs: &mut usize, events: &mut Vec<Event>) {
    let Some((name, target)) = name_and_target(call) else { return };
    match name {
        "fdatasync" | "fsync" if is_kept(&target, folder) => {
            *syncs += 1;
            events.push(Event::SyncBegan { file: target.into(), sync: *syncs });
        }
        "write" | "writev" | "sendto" if is_socket(&target) => {
            events.push(Event::Told { socket: target, bytes: all_bytes(call) });
        }
        _ => {}
    }
}

/// What counts once a call has come back.
fn end(call: &str, folder: &Path, sync: Option<usize>, events: &mut Vec<Event>) {
    let Some((name, target)) = name_and_target(call) else { return };
    let result: i64 =
        call.rsplit_once(" = ").and_then(|(_, result)| result.split(' ').next()?.parse().ok()).unwrap_or(-1);
    if result < 0 {
        return;
    }
    let file = PathBuf::from(&target);
    match name {
        "pwrite64" if is_kept(&target, folder) => {
            let offset = last_number(call);
            let mut bytes = all_bytes(call);
            bytes.truncate(result as usize);
            events.push(Event::Wrote { file, offset, bytes });
        }
        "ftruncate" if is_kept(&target, folder) => {
            events.push(Event::Cut { file, length: last_number(call) });
        }
        "fdatasync" | "fsync" if is_kept(&target, folder) => {
            events.extend(sync.map(|sync| Event::SyncEnded { file, sync }));
        }
        "unlink" if is_kept(&target, folder) => events.push(Event::Removed { file }),
        "recvfrom" | "read" if is_socket(&target) && result > 0 => {
            events.push(Event::Heard { socket: target });
        }
        _ => {}
    }
}

/// The number of the sync that `call` began last on its file.
fn syncs_of(events: &[Event], call: &str, folder: &Path) -> Option<usize> {
    let (_, target) =
        name_and_target(call).filter(|(name, target)| name.contains("sync") && is_kept(target, folder))?;
    events.iter().rev().find_map(|event| match event {
        Event::SyncBegan { file, sync } if *file == Path::new(&target) => Some(*sync),
        _ => None,
    })
}

/// The call's name, and the path of its descriptor or of its first argument.
fn name_and_target(call: &str) -> Option<(&str, String)> {
    let (name, arguments) = call.split_once('(')?;
    let target = if name == "unlink" {
        all_bytes(arguments)
    } else {
        let (path, _) = arguments.split_once('<')?.1.split_once('>')?;
        if path.starts_with("\\x") { unhex(path) } else { path.as_bytes().to_vec() }
    };
    Some((name, String::from_utf8(target).ok()?))
}

fn is_kept(path: &str, folder: &Path) -> bool {
    Path::new(path).starts_with(folder) && !path.ends_with("-shm")
}

fn is_socket(target: &str) -> bool {
    target.starts_with("socket:") || target.starts_with("TCP:")
}

/// The bytes of all quoted strings of a call, one after the other.
fn all_bytes(call: &str) -> Vec<u8> {
    call.split('"').skip(1).step_by(2).flat_map(unhex).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pairs = text.split("\\x").skip(1);
    pairs.map(|pair| u8::from_str_radix(&pair[..2], 16).expect("strace writes hex")).collect()
}

fn last_number(call: &str) -> u64 {
    let arguments = call.rsplit_once(')').map_or(call, |(arguments, _)| arguments);
    arguments.rsplit_once(", ").and_then(|(_, number)| number.parse().ok()).expect("a number at the end")
}

#[test]
fn a_trace_is_read_in_the_order_of_the_kernel() {
    let hex = |text: &str| text.bytes().map(|byte| format!("\\x{byte:02x}")).collect::<String>();
    let (wal, socket) = (hex("/d/t-wal"), hex("socket:[7]"));
    let trace = format!(
        "1 pwrite64(4<{wal}>, \"{}\", 2, 24) = 2\n\
         1 fdatasync(4<{wal}> <unfinished ...>\n\
         2 writev(9<{socket}>, [{{iov_base=\"{}\", iov_len=1}}, {{iov_base=\"{}\", iov_len=1}}], 2) = 2\n\
         1 <... fdatasync resumed>) = 0\n",
        hex("ab"),
        hex("x"),
        hex("y"),
    );
    let seen: Vec<String> = parse(&trace, Path::new("/d")).iter().map(|event| format!("{event:?}")).collect();
    assert_eq!(
        seen,
        [
            r#"Wrote { file: "/d/t-wal", offset: 24, bytes: [97, 98] }"#,
            r#"SyncBegan { file: "/d/t-wal", sync: 1 }"#,
            r#"Told { socket: "socket:[7]", bytes: [120, 121] }"#,
            r#"SyncEnded { file: "/d/t-wal", sync: 1 }"#,
        ]
    );
}
