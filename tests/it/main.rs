//! The one test binary: a folder or file per room, `support` under all of them.

#[cfg(test)]
mod architecture;
#[cfg(test)]
mod client;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod command_line;
#[cfg(test)]
mod db;
#[cfg(test)]
mod events;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod kill;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod oauth;
#[cfg(test)]
mod payouts;
#[cfg(test)]
mod portal;
#[cfg(test)]
mod pricing;
#[cfg(test)]
mod private_files;
#[cfg(test)]
mod server;
#[cfg(test)]
#[expect(dead_code, reason = "the benches use the rest of it")]
mod support;
#[cfg(test)]
mod vault;
