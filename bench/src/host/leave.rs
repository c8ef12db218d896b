//! What goes when we go: the processes that we started and the folders that we made, also where a signal ends us.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use tokio::signal::unix::{SignalKind, signal};

/// How long a process may take to end before it is killed.
const END_WITHIN: Duration = Duration::from_secs(12);
/// How often we look whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(10);

static OURS: Mutex<Ours> = Mutex::new(Ours { groups: Vec::new(), folders: Vec::new() });

struct Ours {
    groups: Vec<Pid>,
    folders: Vec<PathBuf>,
}

/// From now on a signal that ends us first ends what we started and removes what we made.
pub(crate) fn on_signals() -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (mut interrupt, mut terminate) = {
        let _within = runtime.enter();
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?)
    };
    std::thread::spawn(move || {
        let number = runtime.block_on(async {
            tokio::select! { _ = interrupt.recv() => 2, _ = terminate.recv() => 15 }
        });
        leave();
        std::process::exit(128 + number)
    });
    Ok(())
}

/// Starts a process, and whatever it starts, in a group of its own that ends with us.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    // Locked before it exists: who leaves at this moment either knows of it or has kept it from starting.
    let mut ours = ours();
    let child = command.process_group(0).spawn()?;
    ours.groups.extend(group(&child));
    Ok(child)
}

/// Asks a process and its group to end, and waits until it has; one that takes too long is killed.
pub(crate) fn end(child: &mut Child) {
    let Some(group) = group(child) else { return };
    let _ = kill_process_group(group, Signal::TERM);
    let began = Instant::now();
    while matches!(child.try_wait(), Ok(None)) {
        if began.elapsed() > END_WITHIN {
            let _ = kill_process_group(group, Signal::KILL);
            let _ = child.wait();
        }
        std::thread::sleep(LOOK_EVERY);
    }
    forget(child);
}

/// A process that was waited for is nobody's to end: its number may soon be another's.
pub(crate) fn forget(child: &Child) {
    let ended = group(child);
    ours().groups.retain(|group| Some(*group) != ended);
}

/// A folder that is removed when we leave.
pub(crate) fn made(folder: &Path) {
    ours().folders.push(folder.to_owned());
}

/// Removes a folder that we made.
pub(crate) fn remove(folder: &Path) {
    let _ = std::fs::remove_dir_all(folder);
    ours().folders.retain(|own| own != folder);
}

/// Ends and removes everything. The lock is kept: nothing more is started.
fn leave() {
    let ours = std::mem::ManuallyDrop::new(ours());
    for group in &ours.groups {
        let _ = kill_process_group(*group, Signal::TERM);
    }
    let began = Instant::now();
    let runs = |group: &Pid| {
        matches!(waitid(WaitId::Pid(*group), WaitIdOptions::EXITED | WaitIdOptions::NOHANG), Ok(None))
    };
    while ours.groups.iter().any(runs) && began.elapsed() < END_WITHIN {
        std::thread::sleep(LOOK_EVERY);
    }
    for group in ours.groups.iter().filter(|group| runs(group)) {
        let _ = kill_process_group(*group, Signal::KILL);
    }
    for folder in &ours.folders {
        let _ = std::fs::remove_dir_all(folder);
    }
}

fn ours() -> MutexGuard<'static, Ours> {
    OURS.lock().unwrap_or_else(PoisonError::into_inner)
}

fn group(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}
