//! What runs by itself: writing down last-seen, sweeping, the store's upkeep, and following the catalogue.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::service::Service;

/// How often expired sessions are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(30);
/// How often the sessions behind open event streams are judged.
const STREAMS_EVERY: Duration = Duration::from_secs(15);
/// How often the store is asked whether it wants upkeep.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);

/// How often the catalogue is asked whether it changed.
const FOLLOW_EVERY: Duration = Duration::from_secs(1);

/// The background tasks; they end when this is dropped.
pub struct BackgroundTasks(JoinSet<()>);

impl BackgroundTasks {
    /// Ends them and waits until each is at rest.
    pub async fn stop(mut self) {
        self.0.shutdown().await;
    }
}

impl Service {
    /// Starts the background tasks.
    pub fn start_chores(self: &Arc<Self>) -> BackgroundTasks {
        let mut tasks = JoinSet::new();
        tasks.spawn(Arc::clone(self).write_touches());
        tasks.spawn(Arc::clone(self).sweep_forever());
        tasks.spawn(Arc::clone(self).keep_up_forever());
        tasks.spawn(Arc::clone(self).end_streams_forever());
        tasks.spawn(Arc::clone(self).follow_catalogue_forever());
        BackgroundTasks(tasks)
    }

    async fn sweep_forever(self: Arc<Self>) {
        loop {
            match self.sweep().await {
                // A short rest between batches lets writers in.
                Ok(true) => tokio::time::sleep(Duration::from_millis(5)).await,
                Ok(false) => tokio::time::sleep(SWEEP_EVERY).await,
                Err(failure) => {
                    tracing::warn!(?failure, "expired sessions could not be swept");
                    tokio::time::sleep(SWEEP_EVERY).await;
                }
            }
        }
    }

    async fn end_streams_forever(self: Arc<Self>) {
        loop {
            tokio::time::sleep(STREAMS_EVERY).await;
            self.judge_streams().await;
        }
    }

    async fn keep_up_forever(self: Arc<Self>) {
        loop {
            match self.store.upkeep().await {
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => tokio::time::sleep(UPKEEP_EVERY).await,
                Err(error) => {
                    tracing::warn!(%error, "the store's upkeep failed");
                    tokio::time::sleep(UPKEEP_EVERY * 10).await;
                }
            }
        }
    }

    async fn follow_catalogue_forever(self: Arc<Self>) {
        let Some(catalogue) = &self.catalogue else { return };
        loop {
            tokio::time::sleep(FOLLOW_EVERY).await;
            catalogue.refresh().await;
        }
    }

    /// Waits until no change is under way.
    pub async fn idle(&self) {
        self.lanes.idle().await;
        self.commits.idle().await;
    }

    /// What is left to do after the last request: changes under way, last-seen, and the store itself.
    pub async fn close(&self) {
        self.idle().await;
        if let Err(failure) = self.flush_touches().await {
            tracing::warn!(?failure, "last-seen could not be written down at the end");
        }
        if let Err(error) = self.store.close().await {
            tracing::error!(%error, "the store did not close cleanly");
        }
    }
}
