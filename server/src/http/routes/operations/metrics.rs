//! `GET /metrics`: everything that is counted, as Prometheus reads it.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use trolley_store::activity::{Activity, BATCH_BOUNDS};
use trolley_store::records::Kind;
use trolley_store::records::counts::Counts;

use crate::http::metrics::prometheus_text;
use crate::http::metrics::prometheus_text::PrometheusText;
use crate::http::metrics::registry::{CLASSES, Histogram, Metrics, RouteCounters};
use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::service::counters::CounterReport;

/// The metrics' route.
pub fn routes(meter: Arc<Metrics>) -> Routes {
    let show = async move |State(front): State<Arc<AppState>>| {
        let report = front.service.report().await?;
        let page = page(&meter, &report);
        Ok::<_, Problem>(([(CONTENT_TYPE, prometheus_text::CONTENT_TYPE)], page).into_response())
    };
    let shown = op("metrics", "Everything that is counted, as Prometheus reads it");
    Routes::about("Running").get("/metrics", show, shown.text(200, "text/plain"))
}

fn page(meter: &Metrics, report: &CounterReport) -> String {
    let mut page = PrometheusText::default();
    requests(&mut page, meter);
    service(&mut page, report);
    store(&mut page, &report.store);
    page.into_text()
}

fn requests(page: &mut PrometheusText, meter: &Metrics) {
    page.family("trolley_http_requests_total", "counter", "Requests that were answered.");
    meter.tallies(|route, method, tally| {
        for (class, count) in CLASSES.iter().zip(&tally.answers) {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{class}\"");
                page.sample("trolley_http_requests_total", &labels, count);
            }
        }
    });
    let mut histogram = |name: &str, help: &str, per: f64, of: fn(&RouteCounters) -> &Histogram| {
        page.family(name, "histogram", help);
        meter.tallies(|route, method, tally| {
            page.histogram(name, &format!("route=\"{route}\",method=\"{method}\""), of(tally), per);
        });
    };
    let took = "How long an answer took, from the head of the request to the head of the answer.";
    histogram("trolley_http_request_duration_seconds", took, 1e6, |tally| &tally.us);
    let asked = "Bytes of a request's body, where it said so.";
    histogram("trolley_http_request_size_bytes", asked, 1.0, |tally| &tally.request_bytes);
    let answered = "Bytes of an answer's body; streams are not counted.";
    histogram("trolley_http_response_size_bytes", answered, 1.0, |tally| &tally.response_bytes);
    page.family("trolley_refusals_total", "counter", "Answers that are problems, by their code.");
    for (code, count) in meter.refusals() {
        page.sample("trolley_refusals_total", &format!("code=\"{}\"", code.as_str()), count);
    }
}

fn service(page: &mut PrometheusText, report: &CounterReport) {
    let Counts {
        guest_carts,
        account_carts,
        merged_carts,
        guest_sessions,
        account_sessions,
        unproven_guests,
    } = report.counts;
    page.family("trolley_carts", "gauge", "Carts that the store holds, by who holds them.");
    page.sample("trolley_carts", "kind=\"guest\"", guest_carts);
    page.sample("trolley_carts", "kind=\"account\"", account_carts);
    page.sample("trolley_carts", "kind=\"merged\"", merged_carts);
    page.family("trolley_sessions", "gauge", "Sessions that the store holds, by who holds them.");
    page.sample("trolley_sessions", "kind=\"guest\"", guest_sessions);
    page.sample("trolley_sessions", "kind=\"account\"", account_sessions);
    let unproven = "Sessions of guests that were never seen again.";
    page.single("trolley_guests_unproven", "gauge", unproven, unproven_guests);
    page.single("trolley_guests_begun_total", "counter", "Guest sessions that began.", report.begun);
    page.family("trolley_account_events_total", "counter", "What happened to accounts and their sessions.");
    for (what, count) in &report.happened {
        let labels = format!("event=\"{}\"", what.as_str());
        page.sample("trolley_account_events_total", &labels, *count);
    }
    page.single("trolley_sweeps_total", "counter", "Batches of what had expired.", report.sweeps);
    page.single("trolley_swept_total", "counter", "Records that sweeps took out or put off.", report.swept);
    page.single("trolley_lanes", "gauge", "Carts that are being changed.", report.lanes);
    page.single("trolley_streams", "gauge", "Event streams that are open.", report.streams);
}

fn store(page: &mut PrometheusText, activity: &Activity) {
    let Activity { waiting, commits, conflicts, batches, .. } = activity;
    page.single("trolley_store_waiting", "gauge", "Commits that wait for the writer.", *waiting);
    page.single("trolley_store_commits_total", "counter", "Commits that were done.", *commits);
    page.single("trolley_store_conflicts_total", "counter", "Commits that were refused.", *conflicts);
    page.family("trolley_store_batch_commits", "histogram", "Commits that share one sync of the disk.");
    let bounds = BATCH_BOUNDS.iter().map(|bound| *bound as f64);
    page.buckets("trolley_store_batch_commits", "", bounds, batches, (commits + conflicts) as f64);
    let Activity { journal_written_bytes, journal_bytes, folds, hits, misses, .. } = activity;
    let written = "Bytes that were appended to the journal.";
    page.single("trolley_store_journal_written_bytes_total", "counter", written, *journal_written_bytes);
    page.single(
        "trolley_store_journal_bytes",
        "gauge",
        "Bytes of the journal that are not folded.",
        *journal_bytes,
    );
    page.single("trolley_store_folds_total", "counter", "Folds of the journal that were finished.", *folds);
    page.family("trolley_store_loads_total", "counter", "Loads, by whether memory answered them.");
    page.sample("trolley_store_loads_total", "from=\"memory\"", *hits);
    page.sample("trolley_store_loads_total", "from=\"disk\"", *misses);
    let met = "Damaged records that were met since the start; they are left as they are.";
    page.family("trolley_store_damaged_records", "gauge", met);
    for kind in Kind::ALL {
        let count = activity.damaged.iter().filter(|key| key.kind() == *kind).count();
        page.sample("trolley_store_damaged_records", &format!("kind=\"{}\"", name_of(*kind)), count as u64);
    }
    page.sample("trolley_store_damaged_records", "kind=\"unknown\"", activity.strays);
}

/// `OrderLink` as `order_link`.
fn name_of(kind: Kind) -> String {
    let mut name = String::new();
    for letter in format!("{kind:?}").chars() {
        if letter.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
