//! Routes that describe themselves: there is no other way to add one to the API.

use std::sync::Arc;

use axum::Router;
use axum::handler::Handler;
use axum::routing::{self, MethodFilter};

use crate::http::front::Front;

use super::inputs::Inputs;
use super::op::{Op, Takes};
use super::shape::Parts;

/// Some routes of the API, and what they say about themselves.
pub struct Routes {
    router: Router<Arc<Front>>,
    pub(super) described: Vec<Described>,
    tag: &'static str,
}

/// What one route says.
pub(super) struct Described {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) tag: &'static str,
    pub(super) op: Op,
    /// What its handler's arguments add.
    pub(super) inputs: fn(&mut Takes, &mut Parts),
}

macro_rules! methods {
    ($($name:ident $filter:ident),*) => {$(
        #[doc = concat!("With a route for `", stringify!($filter), "`.")]
        #[must_use]
        pub fn $name<H, T>(self, path: &'static str, handler: H, op: Op) -> Routes
        where
            H: Handler<T, Arc<Front>>,
            T: Inputs + 'static,
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
        op: Op,
    ) -> Routes
    where
        H: Handler<T, Arc<Front>>,
        T: Inputs + 'static,
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
    pub fn pages(mut self, pages: Router<Arc<Front>>) -> Routes {
        self.router = self.router.merge(pages);
        self
    }

    /// What answers requests.
    pub fn into_router(self) -> Router<Arc<Front>> {
        self.router
    }
}
