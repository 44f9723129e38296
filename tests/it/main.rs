//! The one test binary: a folder or file per room, `support` under all of them.

#[cfg(test)]
mod command_line;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod support;
