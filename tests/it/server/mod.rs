//! The server as a whole: its document, its guard, its start and its end.

mod connections;
mod document;
mod guard;
mod hostile;
mod lifecycle;
mod limits;
mod outages;
mod privacy;
mod tls;
