//! Bitcoin's newer addresses (BIP 173 and 350), and what Lightning is paid to.

use bech32::{
    Bech32,
    primitives::{
        decode::{CheckedHrpstring, SegwitHrpstring},
        hrp,
    },
};

use crate::base::contact::is_email;

/// A witness program of the main network, with the checksum of its version.
pub(super) fn is_segwit(address: &str) -> bool {
    SegwitHrpstring::new(address).is_ok_and(|program| program.hrp() == hrp::BC)
}

/// An invoice of the main network (BOLT 11), an LNURL, or a Lightning address.
pub(super) fn is_lightning(address: &str) -> bool {
    if address.contains('@') {
        return is_email(address);
    }
    let Ok(read) = CheckedHrpstring::new::<Bech32>(address) else { return false };
    let prefix = read.hrp().to_lowercase();
    prefix == "lnurl" || prefix.strip_prefix("lnbc").is_some_and(is_amount)
}

/// Nothing, or a number and at most one letter for its unit.
fn is_amount(text: &str) -> bool {
    let digits = text.strip_suffix(['m', 'u', 'n', 'p']).unwrap_or(text);
    text.is_empty()
        || (!digits.is_empty()
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit()))
}
