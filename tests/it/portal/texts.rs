//! Texts that others have chosen are shown as texts.

use counterfoil::{
    oauth::{jose::KeyKind, scopes::Scopes},
    portal::users::Role,
};

use super::{Shop, visitor::Visitor};
use crate::support::{app::TestApp, both::both};

const MARKER: &str = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>";

both! {
    async fn a_text_never_becomes_markup(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::named(&app, &format!("Shop {MARKER}")).await;
        let path = shop.invitation(&app, "marked@portal.example", Role::Admin).await;
        let mut member = Visitor::new(&app);
        member.agent = MARKER.to_owned();
        member.get(&path).await.expect_status(200);
        let refused = member.post(&path, &[("name", MARKER), ("password", "short")]).await;
        clean(&refused.expect_status(422).text(), "the invitation that is refused");
        let fields = [("name", MARKER), ("password", super::PASSWORD)];
        member.post(&path, &fields).await.expect_status(303);
        let client = app.client_of(shop.merchant, KeyKind::P256, Scopes::all()).await;
        let refused = member
            .post("/portal/credentials", &[("label", MARKER), ("jwk", MARKER), ("proof", MARKER)])
            .await;
        clean(&refused.expect_status(422).text(), "the credential that is refused");
        let said = serde_json::json!({ "htm": MARKER, "htu": MARKER, "jti": MARKER, "nonce": MARKER });
        let header = serde_json::json!({ "typ": MARKER, "alg": MARKER, "jwk": { "kty": MARKER } });
        for proof in [client.key.sign(&said), client.key.sign_as(&header, &said), MARKER.to_owned()] {
            for fields in [
                vec![("proof", &*proof)],
                vec![("proof", &*proof), ("url", "/x"), ("sent_at", MARKER), ("method", MARKER)],
                vec![("proof", &*proof), ("url", MARKER), ("token", MARKER)],
            ] {
                clean(&member.post("/portal/proofs", &fields).await.text(), "a proof");
            }
        }
        let invite = [("email", MARKER), ("role", MARKER)];
        clean(&member.post("/portal/team/invite", &invite).await.text(), "an invitation");
        let mut owner = shop.owner(&app).await;
        for visitor in [&mut member, &mut owner] {
            for page in [
                "/portal",
                "/portal/credentials",
                &format!("/portal/credentials/{}", client.id),
                &format!("/portal/credentials/{}?done=%3Cscript%3Ealert(1)%3C/script%3E", client.id),
                "/portal/team",
                "/portal/team?done=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
                "/portal/prices",
                "/portal/proofs",
                "/portal/trail",
                "/portal/account",
            ] {
                clean(&visitor.get(page).await.expect_status(200).text(), page);
            }
        }
        for query in [
            "amount=%3Cscript%3Ealert(1)%3C/script%3E&source_currency=%22%27%3E&method=%3Cimg+src%3Dx%3E",
            "dest_country=%22%27%3E%3Cscript%3E&dest_currency=%3Cscript%3E&amount=1",
            "base=%22%27%3E%3Cscript%3Ealert(1)",
            "%3Cscript%3Ealert(1)=%3Cimg+src%3Dx%3E",
        ] {
            clean(&owner.get(&format!("/portal/prices?{query}")).await.text(), query);
            clean(&owner.get(&format!("/portal?currency=%22%27%3E%3Cscript%3E&{query}")).await.text(), query);
        }
        let team = owner.get("/portal/team").await.text();
        assert!(team.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "it is shown as it is");
        let wrong = Visitor::new(&app).sign_in(MARKER, MARKER).await;
        clean(&wrong.text(), "a sign-in that is refused");
        let lost = Visitor::new(&app).get("/portal/sign-in?next=%22%3E%3Cscript%3E").await;
        clean(&lost.text(), "a goal");
        app.stop().await;
    }
}

fn clean(page: &str, which: &str) {
    for bad in ["<script>", "<img", "\"'>", "onerror=alert(1)>"] {
        assert!(!page.contains(bad), "{which} holds {bad}: {page}");
    }
}
