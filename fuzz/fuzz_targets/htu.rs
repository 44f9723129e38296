//! The URL that a proof is for.
#![no_main]

use counterfoil::oauth::dpop::{ExpectedHtu, PublicBase};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: (&str, &str)| {
    let (path, htu) = data;
    let bases = [PublicBase::parse("https://server.example.com").unwrap()];
    let Ok(expected) = ExpectedHtu::new(&bases, path) else { return };
    // What is expected is canonical, so it names itself, and a query never plays a part.
    let own = expected.to_string();
    assert_eq!(expected.matches(&own), Ok(true));
    assert_eq!(expected.matches(&format!("{own}?a=b#c")), Ok(true));
    if expected.matches(htu) == Ok(true) {
        assert_eq!(expected.matches(&format!("{htu}#x")), Ok(true));
    }
});
