//! A room's endpoints. Each is served where its `#[utoipa::path]` says, so none is described elsewhere than it is.

use axum::{
    Router,
    handler::Handler,
    routing::{MethodFilter, on},
};
use utoipa::{Path, openapi::HttpMethod};

/// What a room offers. Only the build that makes the API document carries descriptions: everybody else, a
/// server first of all, has them as the text that is checked in.
pub(crate) struct Routes<S = ()> {
    served: Router<S>,
    #[cfg(test)]
    described: utoipa::openapi::OpenApi,
}

/// Makes [`Routes`] of handlers that have a `#[utoipa::path]`.
macro_rules! routes {
    ($($handler:ident),+ $(,)?) => {{
        let routes = $crate::web::routes::Routes::new();
        $(let routes = pastey::paste!(routes.with::<[<__path_ $handler>], _, _>($handler));)+
        #[cfg(test)]
        let routes = {
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($($handler),+))]
            struct Here;
            routes.described(<Here as utoipa::OpenApi>::openapi())
        };
        routes
    }};
}
pub(crate) use routes;

impl<S: Clone + Send + Sync + 'static> Routes<S> {
    pub(crate) fn new() -> Self {
        Self {
            served: Router::new(),
            #[cfg(test)]
            described: utoipa::openapi::OpenApiBuilder::new().build(),
        }
    }

    /// Serves a handler on the path and the methods of `P`, its description.
    pub(crate) fn with<P: Path, H: Handler<T, S>, T: 'static>(mut self, handler: H) -> Self {
        if let Some(methods) = P::methods().iter().map(filter).reduce(MethodFilter::or) {
            self.served = self.served.route(&P::path(), on(methods, handler));
        }
        self
    }

    /// These and those.
    pub(crate) fn merge(mut self, others: Self) -> Self {
        self.served = self.served.merge(others.served);
        #[cfg(test)]
        self.described.merge(others.described);
        self
    }
}

#[cfg(test)]
impl<S> Routes<S> {
    /// Takes in what describes them.
    pub(crate) fn described(mut self, description: utoipa::openapi::OpenApi) -> Self {
        self.described.merge(description);
        self
    }

    /// What describes them.
    pub(crate) fn into_description(self) -> utoipa::openapi::OpenApi {
        self.described
    }
}

impl<S> From<Routes<S>> for Router<S> {
    fn from(routes: Routes<S>) -> Self {
        routes.served
    }
}

fn filter(method: &HttpMethod) -> MethodFilter {
    match method {
        HttpMethod::Get => MethodFilter::GET,
        HttpMethod::Post => MethodFilter::POST,
        HttpMethod::Put => MethodFilter::PUT,
        HttpMethod::Delete => MethodFilter::DELETE,
        HttpMethod::Options => MethodFilter::OPTIONS,
        HttpMethod::Head => MethodFilter::HEAD,
        HttpMethod::Patch => MethodFilter::PATCH,
        HttpMethod::Trace => MethodFilter::TRACE,
    }
}
