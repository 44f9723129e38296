//! The URL that a proof is for: the path of a request, a line break, and an `htu`.

use counterfoil::oauth::dpop::{ExpectedHtu, PublicBase};

pub(crate) fn run(data: &[u8]) {
    let Some((path, htu)) = str::from_utf8(data).ok().and_then(|text| text.split_once('\n')) else {
        return;
    };
    let bases = [PublicBase::parse("https://server.example.com").unwrap()];
    let Ok(expected) = ExpectedHtu::new(&bases, path) else { return };
    // What is expected is canonical, so it names itself, and a query never plays a part.
    let own = expected.to_string();
    assert_eq!(expected.matches(&own), Ok(true));
    assert_eq!(expected.matches(&format!("{own}?a=b#c")), Ok(true));
    if expected.matches(htu) == Ok(true) {
        assert_eq!(expected.matches(&format!("{htu}#x")), Ok(true));
    }
}
