//! Routes that describe themselves: there is no other way to add one to the API.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{self, MethodFilter};

use crate::http::openapi::inputs::RequestInputs;
use crate::http::openapi::op::{Operation, RequestParts};
use crate::http::openapi::shape::Components;
use crate::http::server::state::AppState;

/// Some routes of the API, and what they say about themselves.
pub struct Routes {
    router: Router<Arc<AppState>>,
    pub(crate) described: Vec<Described>,
    tag: &'static str,
}

/// What one route says.
pub(crate) struct Described {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) tag: &'static str,
    pub(crate) op: Operation,
    /// What its handler's arguments add.
    pub(crate) inputs: fn(&mut RequestParts, &mut Components),
}

macro_rules! methods {
    ($($name:ident $filter:ident),*) => {$(
        #[doc = concat!("With a route for `", stringify!($filter), "`.")]
        #[must_use]
        pub fn $name<H, T>(self, path: &'static str, handler: H, op: Operation) -> Routes
        where
            H: Handler<T, Arc<AppState>>,
            T: RequestInputs + 'static,
        {
            self.on(MethodFilter::$filter, stringify!($name), path, handler, op)
        }
    )*};
}

impl Routes {
    /// None yet; those that follow are about `tag`.
    pub fn about(tag: &'static str) -> Routes {
        Routes { router: Router::new(), described: Vec::new(), tag }
    }

    methods!(get GET, post POST, put PUT, patch PATCH, delete DELETE);

    fn on<H, T>(
        mut self,
        on: MethodFilter,
        method: &'static str,
        path: &'static str,
        handler: H,
        op: Operation,
    ) -> Routes
    where
        H: Handler<T, Arc<AppState>>,
        T: RequestInputs + 'static,
    {
        self.router = self.router.route(path, routing::on(on, handler));
        self.described.push(Described { method, path, tag: self.tag, op, inputs: T::describe });
        self
    }

    /// With these too.
    #[must_use]
    pub fn merge(mut self, other: Routes) -> Routes {
        self.router = self.router.merge(other.router);
        self.described.extend(other.described);
        self
    }

    /// With pages for people, which are no part of the API.
    #[must_use]
    pub fn pages(mut self, pages: Router<Arc<AppState>>) -> Routes {
        self.router = self.router.merge(pages);
        self
    }

    /// What answers requests.
    pub fn into_router(self) -> Router<Arc<AppState>> {
        self.router
    }
}
