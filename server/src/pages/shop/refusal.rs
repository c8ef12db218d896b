//! Who asked for a page gets one, also where the answer is a problem that no page of ours tells.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::header::{ACCEPT, CONTENT_LENGTH};
use axum::http::request::Parts;
use axum::middleware::Next;
use axum::response::Response;

use crate::http::extract::body;
use crate::http::extract::visitor::Visitor;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;
use crate::http::server::state::AppState;
use crate::pages::shop::frame::{not_shown, refused};

/// The API's own paths: whoever looks at them wants to see what an app would get.
const OF_THE_API: [&str; 2] = ["/v1/", "/test/"];

/// Around all routes of a server with the demo.
pub async fn as_a_page(State(front): State<Arc<AppState>>, request: Request, next: Next) -> Response {
    if !wants_a_page(&request) {
        return next.run(request).await;
    }
    let (mut parts, body) = request.into_parts();
    let mut response = next.run(Request::from_parts(parts.clone(), body)).await;
    if let Some(problem) = problem_in(&response) {
        let page = page_of(&front, &mut parts, &problem).await;
        clothe(&mut response, page);
    }
    response
}

fn wants_a_page(request: &Request) -> bool {
    let path = request.uri().path();
    let accepted: Vec<_> =
        request.headers().get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
    let accepts = |what: &str| accepted.iter().any(|value| value.contains(what));
    // The pages' script sends their forms as they are, takes anything, and shows the page that comes.
    let is_form = body::is_of_type(request.headers(), "application/x-www-form-urlencoded");
    !OF_THE_API.iter().any(|prefix| path.starts_with(prefix))
        && (accepts("text/html") || is_form && !accepts("json"))
}

/// The problem that the answer has in JSON.
fn problem_in(response: &Response) -> Option<Problem> {
    response.extensions().get::<Code>().copied().map(Problem::new)
}

async fn page_of(front: &Arc<AppState>, parts: &mut Parts, problem: &Problem) -> Response {
    let visitor = Visitor::from_request_parts(parts, front).await.unwrap_or(Visitor::Unknown);
    if parts.method.is_safe() {
        not_shown(front, &visitor, problem).await
    } else {
        refused(front, &visitor, problem).await
    }
}

/// Gives the answer the page's body. Its status and what else it says stay: when to come back, what the log is told.
fn clothe(response: &mut Response<Body>, page: Response) {
    let (head, body) = page.into_parts();
    *response.body_mut() = body;
    response.headers_mut().remove(CONTENT_LENGTH);
    response.headers_mut().extend(head.headers);
}
