//! The page that each problem's `type` leads to.

use askama::Template;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::response::{Html, IntoResponse, Response};

use crate::http::openapi::op::op;
use crate::http::openapi::routes::Routes;
use crate::http::problem::code::Code;
use crate::http::problem::response::Problem;

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    code: Code,
}

/// `GET /problems/{code}`.
pub fn routes() -> Routes {
    let shown = op("problem", "What a problem's code means and what to do about it");
    let shown = shown.refuses(&[Code::NotFound]).text(200, "text/html");
    Routes::about("About").get("/problems/{code}", show, shown)
}

async fn show(name: Result<Path<String>, PathRejection>) -> Result<Response, Problem> {
    let code =
        name.ok().and_then(|Path(name)| Code::named(&name)).ok_or_else(|| Problem::new(Code::NotFound))?;
    page(&ProblemPage { code })
}

/// A rendered page.
pub fn page(template: &impl Template) -> Result<Response, Problem> {
    match template.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(error) => Err(Problem::new(Code::Internal).because(error.to_string())),
    }
}
