//! `trolley serve`: opens the store, serves until told to stop, and leaves nothing half done.

use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinHandle, JoinSet};

use trolley_store::embedded::settings::Settings;
use trolley_store::open::{folder_of, open};
use trolley_store::port::Store;
use trolley_store::records::{Key, Record};

use crate::cli::startup::prepare::{Prepared, prepare};
use crate::cli::startup::secret;
use crate::cli::{CliError, environment};
use crate::config::checked::Config;
use crate::config::raw::Raw;
use crate::control_socket::listener::Listening;
use crate::http::server::app::App;
use crate::http::server::serve::serve;
use crate::http::server::state::AppState;
use crate::pages::shop;
use crate::service::Service;
use crate::service::clock::Clock;
use crate::service::random::OsRandom;
use crate::service_manager::Manager;

/// How long the last writes may take after the last request: with the drain it stays under ten seconds.
const CLOSE_WITHIN: Duration = Duration::from_secs(4);

/// Runs until SIGTERM or SIGINT.
pub fn run(raw: Raw) -> Result<(), CliError> {
    let raw = raw.completed(environment())?;
    let checked = Config::new(&raw)?;
    start_log(&checked);
    let runtime = tokio::runtime::Runtime::new().map_err(|error| CliError::Runtime(error.to_string()))?;
    let mut prepared = runtime.block_on(prepare(&checked))?;
    if !prepared.busy.is_empty() {
        return Err(prepared.busy.remove(0));
    }
    let store = open_store(&checked)?;
    let served = runtime.block_on(serve_until_stopped(checked, prepared, store));
    runtime.shutdown_timeout(Duration::from_millis(500));
    served
}

fn open_store(checked: &Config) -> Result<Arc<dyn Store>, CliError> {
    let settings = Settings { durability: checked.durability, cache_mb: checked.cache_mb };
    open(&checked.store, &settings, Arc::new(end_at_once))
        .map_err(|error| CliError::Usage(format!("--store: {error}")))
}

/// After a failed fsync nobody knows what is on the disk (the kernel may have dropped the pages and will not say so
/// again): only a fresh start, which reads, can tell.
fn end_at_once(sentence: &str) {
    tracing::error!("{sentence}; the process ends, so that the next start finds out by reading");
    std::process::exit(1);
}

async fn serve_until_stopped(
    checked: Config,
    prepared: Prepared,
    store: Arc<dyn Store>,
) -> Result<(), CliError> {
    let world = |error: &dyn std::fmt::Display| CliError::Runtime(error.to_string());
    let clock = clock(&checked, &*store).await?;
    let secret = secret::open(&checked.secret)?;
    let Prepared { catalogue, listener, admin, .. } = prepared;
    let listener = listener.ok_or_else(|| world(&"nothing to listen on"))?;
    let address = listener.local_addr().map_err(|error| world(&error))?;
    let end = end_asked().map_err(|error| world(&error))?;

    let service = Service::new(store, clock, Box::new(OsRandom), secret, checked.service, catalogue);
    let chores = service.start_chores();
    let commands = take_commands(&checked.store, &service);
    let app = Arc::new(app(AppState::new(Arc::clone(&service), checked.rules)));
    let mut lines = format!("listening on http://{address}\n");
    let mut served = JoinSet::new();
    if let Some(listener) = admin {
        let address = listener.local_addr().map_err(|error| world(&error))?;
        lines.push_str(&format!("admin on http://{address}\n"));
        let app = Arc::new(app.admin());
        served.spawn(serve(listener, app, checked.bounds.clone(), ended(end.clone())));
    }
    served.spawn(serve(listener, app, checked.bounds, ended(end.clone())));
    announce(&lines).map_err(|error| world(&error))?;
    let told = tell_the_manager(end, &service);
    while served.join_next().await.is_some() {}
    commands.abort();
    let _ = told.await;
    chores.stop().await;
    if tokio::time::timeout(CLOSE_WITHIN, service.close()).await.is_err() {
        tracing::warn!("the store took too long to close");
    }
    Ok(())
}

/// Tells the service manager how it goes, to the end.
fn tell_the_manager(end: watch::Receiver<()>, service: &Arc<Service>) -> JoinHandle<()> {
    let manager = Manager::named_by(|name| std::env::var(name).ok());
    manager.ready();
    let service = Arc::clone(service);
    tokio::spawn(async move {
        tokio::select! {
            () = ended(end) => {}
            () = manager.keep_telling(&service) => {}
        }
        manager.stopping();
    })
}

/// Told once SIGTERM or SIGINT asks for the end, to all who listen.
fn end_asked() -> std::io::Result<watch::Receiver<()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (asked, end) = watch::channel(());
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping: what was begun is finished");
        drop(asked);
    });
    Ok(end)
}

/// Until the end was asked for.
async fn ended(mut end: watch::Receiver<()>) {
    while end.changed().await.is_ok() {}
}

/// The socket for commands, where the store is a folder. A folder that takes no sockets (some mounts do not) is served all
/// the same: commands will say that they find no server.
fn take_commands(store: &str, service: &Arc<Service>) -> AbortHandle {
    let listening = folder_of(store).ok().map(Listening::open);
    let service = Arc::clone(service);
    let task = tokio::spawn(async move {
        match listening {
            Some(Ok(listening)) => listening.serve(service).await,
            Some(Err(error)) => {
                tracing::warn!(%error, "the store's folder takes no socket: commands cannot reach this server");
            }
            None => {}
        }
    });
    task.abort_handle()
}

/// The test clock where it was asked for. A store whose clock was once turned says so when it is served without.
async fn clock(checked: &Config, store: &dyn Store) -> Result<Clock, CliError> {
    if checked.rules.test_clock {
        return Clock::turned(store).await.map_err(|error| CliError::Runtime(error.to_string()));
    }
    if let Ok(Some(Record::Clock(turned))) = store.load(Key::CLOCK).await {
        tracing::warn!(
            ahead_ms = turned.ahead_ms,
            "this store's times were written by a test clock that ran ahead"
        );
    }
    Ok(Clock::System)
}

/// The first line on standard output, once requests are taken: scripts wait for it, and may hear no more after it. So what
/// else there is to say comes with it.
fn announce(line: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(line.as_bytes())?;
    out.flush()
}

fn start_log(checked: &Config) {
    let log = tracing_subscriber::fmt().with_max_level(checked.log).with_writer(std::io::stderr);
    let log = log.with_ansi(std::io::stderr().is_terminal());
    if checked.log_json {
        log.json().flatten_event(true).init();
    } else {
        log.init();
    }
}

/// The application, with the demo shop where it was asked for.
fn app(front: AppState) -> App {
    if front.rules.demo { App::with_pages(front, shop::pages()) } else { App::new(front) }
}
