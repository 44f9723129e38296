//! Parameters behind the question mark and ids in the path, read strictly.

use std::str::FromStr;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::{Uri, request::Parts},
};

use super::form::Form;
use crate::base::{
    failure::{Code, Failure, Result},
    ids::IdError,
    pagination::PageQuery,
};

/// The parameters of one request, all of them known ones.
#[derive(Clone, Debug, Default)]
pub struct Query(Form);

impl Query {
    /// Reads the query of an address; a parameter that the route does not document is refused,
    /// because a filter that is silently ignored shows more than was asked for.
    pub fn read(uri: &Uri, known: &[&str]) -> Result<Self> {
        let malformed = |failure: Failure| {
            Failure::because(Code::InvalidParameter, failure.message().to_owned())
        };
        let form = Form::parse(uri.query().unwrap_or_default().as_bytes()).map_err(malformed)?;
        if let Some(name) =
            form.names().find(|name| form.all(name).any(|value| value.contains('\0')))
        {
            // PostgreSQL stores no NUL: further in, one would look like a fault of ours.
            let name: String = name.chars().take(64).collect();
            let refused = Failure::new(Code::InvalidParameter);
            return Err(refused.field(name, "must not hold a NUL character"));
        }
        let unknown = form.names().filter(|name| !known.contains(name));
        let refused = unknown.fold(None, |refused: Option<Failure>, name| {
            let name: String = name.chars().take(64).collect();
            let refused = refused.unwrap_or_else(|| Failure::new(Code::InvalidParameter));
            Some(refused.field(name, "is not a known parameter"))
        });
        refused.map_or(Ok(Self(form)), Err)
    }

    /// Reads these parameters and no others, for the one route whose published contract lets others be.
    pub fn only(uri: &Uri, known: &[&str]) -> Result<Self> {
        let pairs = uri.query().unwrap_or_default().split('&');
        let kept: Vec<&str> = pairs
            .filter(|pair| known.contains(&pair.split('=').next().unwrap_or_default()))
            .collect();
        let query = kept.join("&");
        let malformed = |failure: Failure| {
            Failure::because(Code::InvalidParameter, failure.message().to_owned())
        };
        Form::parse(query.as_bytes()).map(Self).map_err(malformed)
    }

    /// One parameter, if it is there and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name)
    }

    /// One parameter that narrows a list, read by its own parser.
    pub fn filter<'a, T, E: ToString>(
        &'a self,
        name: &str,
        read: impl FnOnce(&'a str) -> Result<T, E>,
    ) -> Result<Option<T>> {
        let malformed =
            |error: E| Failure::new(Code::InvalidParameter).field(name, error.to_string());
        self.get(name).map(read).transpose().map_err(malformed)
    }

    /// The same without these: what says how something went does not narrow a list.
    #[must_use]
    pub fn without(&self, names: &[&str]) -> Self {
        Self(self.0.without(names))
    }

    /// Every parameter that is not empty, in the order they came.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.names().filter_map(|name| self.get(name).map(|value| (name, value)))
    }

    /// The parameters of a paged list; `known` must name them.
    pub fn page(&self) -> PageQuery {
        let owned = |name| self.get(name).map(str::to_owned);
        PageQuery { limit: owned("limit"), cursor: owned("cursor") }
    }
}

/// The id in the path of a route that has one.
#[derive(Clone, Copy, Debug)]
pub struct PathId<T>(pub T);

impl<T: FromStr<Err = IdError>, S: Send + Sync> FromRequestParts<S> for PathId<T> {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Failure> {
        let malformed = |why: &str| Failure::new(Code::InvalidParameter).field("id", why);
        let parameters = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| malformed("must be UTF-8"))?;
        let text = parameters.iter().map(|(_, text)| text).next().unwrap_or_default();
        text.parse().map(Self).map_err(|error| match error {
            IdError::NeverMade => Failure::new(Code::NotFound),
            IdError::Pattern(_) => malformed(&error.to_string()),
        })
    }
}
