//! A request to a page, as handlers and services see it.

use std::sync::Arc;

use crate::{
    base::{
        environment::Environment,
        failure::{Code, Failure, Result},
    },
    portal::{
        names::Token,
        sessions::Session,
        trail::Who,
        users::{Person, Right},
    },
    web::form,
};

/// A request that has passed the gate.
#[derive(Clone, Debug)]
pub(in crate::portal) struct Asked(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) cookie: Token,
    pub(super) session: Option<Session>,
    pub(super) form: form::Form,
    pub(super) address: String,
    pub(super) agent: String,
    pub(super) environment: Environment,
}

impl Asked {
    /// Whoever is signed in; behind `Needs::Person` and more there is somebody.
    pub(in crate::portal) fn session(&self) -> Result<&Session> {
        self.0.session.as_ref().ok_or_else(ended)
    }

    /// The person of the session.
    pub(in crate::portal) fn person(&self) -> Result<&Person> {
        Ok(&self.session()?.person)
    }

    /// Whoever acts, for the trail.
    pub(in crate::portal) fn who(&self) -> Result<Who> {
        self.person().map(|person| self.as_person(person))
    }

    /// The same for somebody who is about to sign in.
    pub(in crate::portal) fn as_person(&self, person: &Person) -> Who {
        let Person { merchant, id: user, email, .. } = person;
        let address = self.0.address.clone();
        Who { merchant: *merchant, user: *user, email: email.clone(), address }
    }

    /// Whether this person may do something, so that a page shows no button that is refused.
    pub(in crate::portal) fn may(&self, right: Right) -> bool {
        self.0.session.as_ref().is_some_and(|session| session.person.role.has(right))
    }

    /// A field of the form; empty when it was left out.
    pub(in crate::portal) fn field(&self, name: &str) -> &str {
        self.0.form.get(name).unwrap_or_default()
    }

    /// The names of all fields.
    pub(in crate::portal) fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.form.names()
    }

    /// What a form for this browser carries.
    pub(in crate::portal) fn form_token(&self) -> String {
        self.0.cookie.form_token()
    }

    /// What something is kept under that only this browser, as it came, may take up again.
    pub(in crate::portal) fn own_name(&self, kind: &str) -> String {
        self.0.cookie.name(kind)
    }

    /// The machine that is counted.
    pub(in crate::portal) fn address(&self) -> &str {
        &self.0.address
    }

    /// What the browser calls itself.
    pub(in crate::portal) fn agent(&self) -> &str {
        &self.0.agent
    }
}

/// What somebody without a session is told.
pub(super) fn ended() -> Failure {
    Failure::because(Code::Unauthorized, "your session has ended; sign in again")
}
