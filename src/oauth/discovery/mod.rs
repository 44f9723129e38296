//! What strangers may know: the keys, and where everything is.

pub mod http;
