//! Texts that others have chosen are shown as texts.

use counterfoil::{
    events::log::EventType,
    oauth::{jose::KeyKind, scopes::Scopes},
    portal::users::Role,
};

use super::{Shop, hooks, visitor::Visitor};
use crate::{
    events::receiver::{Answer, Receiver},
    support::{app::TestApp, both::both},
};

const MARKER: &str = "<img src=x onerror=alert(1)>\"'><script>alert(1)</script>";

both! {
    async fn a_text_never_becomes_markup(db: TestDb) {
        let app = TestApp::with(&db, |config| config.webhooks.allow_loopback = true).await;
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
        let invite = [("email", MARKER), ("role", MARKER)];
        clean(&member.post("/portal/team/invite", &invite).await.text(), "an invitation");
        let wrong = [("url", MARKER), ("dialect", MARKER), ("event.<script>", "on")];
        clean(&member.post("/portal/webhooks", &wrong).await.text(), "an endpoint that is refused");
        let bytes = format!("HTTP/1.1 500 No\r\nContent-Length: {}\r\n\r\n{MARKER}", MARKER.len());
        let receiver = Receiver::doing(move |_| Answer::Bytes(bytes.clone())).await;
        // What an address may hold of it.
        let url = format!("{}?q=<script>'\"", receiver.url());
        let endpoint = hooks::endpoint(&app, shop.merchant, &url).await;
        let event = hooks::happen(&app, shop.merchant, EventType::PayoutSent, MARKER).await;
        app.run_due_jobs().await;
        let token = client.mint(&app).await;
        client.get(&app, &token, "/v1/payouts?<script>").await;
        client.get(&app, &token, "/v1/payouts/'><img").await;
        app.requests.flush(&app.ctx).await.unwrap();
        let mut owner = shop.owner(&app).await;
        for visitor in [&mut member, &mut owner] {
            for page in [
                "/portal",
                "/portal/credentials",
                &format!("/portal/credentials/{}", client.id),
                &format!("/portal/credentials/{}?done=%3Cscript%3Ealert(1)%3C/script%3E", client.id),
                "/portal/team",
                "/portal/team?done=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
                "/portal/webhooks",
                &format!("/portal/webhooks/{endpoint}"),
                &format!("/portal/webhooks/{endpoint}/edit"),
                &format!("/portal/webhooks/{endpoint}?done=again&planned=%3Cscript%3E&from=%22%3E"),
                "/portal/events",
                &format!("/portal/events/{event}"),
                "/portal/events?about=%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E",
                "/portal/requests",
                "/portal/requests?request_id=%22%27%3E%3Cscript%3Ealert(1)%3C/script%3E",
                "/portal/trail",
                "/portal/account",
            ] {
                clean(&visitor.get(page).await.expect_status(200).text(), page);
            }
        }
        let answered = owner.get(&format!("/portal/events/{event}")).await.text();
        assert!(answered.contains("onerror=alert(1)&gt;"), "a receiver's answer is shown as it is");
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
