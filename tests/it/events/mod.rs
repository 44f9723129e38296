//! What happened, and how others learn of it.

mod log;
