//! The API document as the handlers make it. Only a test makes it: what is served is what is checked in.

use std::{fs, path::Path};

use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder,
    security::{ClientCredentials, Flow, OAuth2, Scopes, SecurityScheme},
};

use super::{
    balances, credentials, discovery, events, idempotency, log, money, oauth, people, pricing,
};
use crate::oauth::scopes::Scope;

/// Every room's part, after what is true of all.
fn document() -> OpenApi {
    let mut document = about();
    for part in [
        oauth().into_description(),
        discovery::http::routes().into_description(),
        credentials::http::routes().into_description(),
        pricing::http::routes().into_description(),
        balances::http::routes().into_description(),
        people().into_description(),
        money().into_description(),
        idempotency::http::routes().into_description(),
        log::http::routes().into_description(),
        events::http::routes().into_description(),
    ] {
        document.merge(part);
    }
    document
}

/// What is true of the whole API.
fn about() -> OpenApi {
    const ABOUT: &str = "Fee quotes and payouts behind OAuth 2.0 client credentials with DPoP (RFC 9449). \
        Every call under `/v1` carries `Authorization: DPoP <token>` and a fresh `DPoP` proof.";
    let scopes = Scope::ALL.iter().map(|scope| (scope.as_str(), scope.about()));
    let flow = ClientCredentials::new("/oauth/token", scopes.collect::<Scopes>());
    let scheme = SecurityScheme::OAuth2(OAuth2::with_description(
        [Flow::ClientCredentials(flow)],
        "Client credentials; tokens are bound to a key and sent as `DPoP`, never as `Bearer`.",
    ));
    let info =
        InfoBuilder::new().title("Counterfoil").version("1.0.0").description(Some(ABOUT)).build();
    OpenApiBuilder::new()
        .info(info)
        .components(Some(ComponentsBuilder::new().security_scheme("oauth", scheme).build()))
        .build()
}

/// An old text is written anew before the test fails, so that the next run, and the next build, have the new one.
#[test]
fn the_checked_in_document_is_the_one_that_the_handlers_make() {
    let document = document();
    let json = document.to_pretty_json().unwrap() + "\n";
    let yaml = document.to_yaml().unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi");
    let mut old = Vec::new();
    for (name, made) in [("openapi.json", json), ("openapi.yaml", yaml)] {
        let file = folder.join(name);
        if fs::read_to_string(&file).unwrap_or_default() != made {
            fs::write(&file, made).unwrap();
            old.push(name);
        }
    }
    assert!(
        old.is_empty(),
        "{old:?} in openapi/ was old and is now as the handlers make it: read it"
    );
}
