//! What every page has around it: the gate, the layout, the assets.

mod asked;
mod assets;
pub(super) mod csv;
pub mod http;
mod layout;
mod list;
mod path;
mod words;

pub(super) use asked::Asked;
pub(super) use csv::{File, download};
pub(super) use layout::{Frame, Nav, mark};
pub(super) use list::{Head, Narrow, empty, filters, looked_through, onward, table, unread};
pub(super) use path::local;
pub(super) use words::{
    ago, badge, csrf, digits, fault_of, faults, faults_of_query, moment, money, notice, short,
};

use super::users::Right;

/// What a route asks of whoever comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing.
    Anybody,
    /// The password; the code is still to come.
    Code,
    /// To be signed in.
    Person,
    /// A right that the role gives.
    Right(Right),
}

/// A route as it is served: the tests walk over all of them.
#[derive(Clone, Copy, Debug)]
pub struct Known {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// With `{…}` where an id stands.
    pub path: &'static str,
    /// Who may.
    pub needs: Needs,
}
