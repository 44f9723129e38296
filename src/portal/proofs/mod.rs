//! Why a proof was refused: paste it, and read what each check says.

pub mod http;
mod view;
