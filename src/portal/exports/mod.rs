//! Lists of other folders as files.

mod cells;
pub mod http;
