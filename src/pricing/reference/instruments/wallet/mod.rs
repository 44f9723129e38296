//! Wallet addresses, by the chain that they are on. Main networks only: money sent to an address of a
//! test network is gone.

mod base58;
mod bitcoin;
mod evm;
mod stellar;

use super::rule::Given;

/// The chains that the API names.
pub(super) const CHAINS: &[&str] = &[
    "ethereum",
    "polygon",
    "arbitrum",
    "optimism",
    "base",
    "avalanche",
    "bsc",
    "tron",
    "solana",
    "bitcoin",
    "lightning",
    "stellar",
    "ripple",
];

/// The address has the form of its chain, and its checksum is right where it has one.
pub(super) fn address_passes(given: &Given<'_>) -> bool {
    let address = given.text("wallet_address");
    match given.text("network") {
        "tron" => base58::is_tron(address),
        "solana" => base58::is_solana(address),
        "bitcoin" => base58::is_bitcoin(address) || bitcoin::is_segwit(address),
        "lightning" => bitcoin::is_lightning(address),
        "stellar" => stellar::is_account(address),
        "ripple" => base58::is_ripple(address),
        "ethereum" | "polygon" | "arbitrum" | "optimism" | "base" | "avalanche" | "bsc" => {
            evm::is_address(address)
        }
        _ => false,
    }
}

/// These two carry nothing but bitcoin.
pub(super) fn token_passes(given: &Given<'_>) -> bool {
    let alone = ["bitcoin", "lightning"].contains(&given.text("network"));
    !alone || given.text("token_symbol") == "BTC"
}

/// A destination tag is a number of 32 bits, and XRP's alone: elsewhere it would be lost, and the money
/// with it.
pub(super) fn tag_passes(given: &Given<'_>) -> bool {
    given.text("network") == "ripple" && given.text("destination_tag").parse::<u32>().is_ok()
}

/// Of the chains named here only Stellar has memos; a text memo has 28 bytes at the most.
pub(super) fn memo_passes(given: &Given<'_>) -> bool {
    given.text("network") == "stellar" && given.text("memo").len() <= 28
}
