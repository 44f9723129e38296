//! The team: owners, removals, sessions, and the trail of it.

use counterfoil::portal::users::{self, Role};

use super::{PASSWORD, Shop, visitor::Visitor};
use crate::support::{app::TestApp, both::both};

async fn path_of(app: &TestApp, email: &str, what: &str) -> String {
    let person = users::by_email(&app.ctx, email).await.unwrap().unwrap().person;
    format!("/portal/team/{}/{what}", person.id)
}

both! {
    async fn a_team_keeps_an_owner_and_admins_keep_off_owners(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let (mut owner, mut admin) = (shop.owner(&app).await, shop.member(&app, Role::Admin).await);
        let own = path_of(&app, &shop.email, "role").await;
        owner.post(&own, &[("role", "viewer")]).await.expect_status(409);
        owner.post(&path_of(&app, &shop.email, "remove").await, &[]).await.expect_status(409);
        assert!(owner.is_in().await);
        admin.post(&own, &[("role", "viewer")]).await.expect_status(403);
        let email = format!("admin-{}", shop.email);
        let admins = path_of(&app, &email, "role").await;
        admin.post(&admins, &[("role", "owner")]).await.expect_status(403);
        let invited = [("email", "second@portal.example"), ("role", "owner")];
        admin.post("/portal/team/invite", &invited).await.expect_status(403);
        owner.post(&admins, &[("role", "nonsense")]).await.expect_status(422);
        owner.post(&admins, &[("role", "owner")]).await.expect_status(303);
        admin.post(&own, &[("role", "viewer")]).await.expect_status(303);
        owner.get("/portal/team").await.expect_status(403);
        let trail = admin.get("/portal/trail").await.expect_status(200).text();
        assert!(trail.contains("Changed the role of") && trail.contains("owner → viewer"));
        app.stop().await;
    }

    async fn whoever_is_removed_is_out_at_once_and_can_be_invited_again(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let (mut owner, mut member) = (shop.owner(&app).await, shop.member(&app, Role::Viewer).await);
        let email = format!("viewer-{}", shop.email);
        let path = path_of(&app, &email, "remove").await;
        assert!(member.is_in().await);
        owner.post(&path, &[]).await.expect_status(303);
        assert!(!member.is_in().await);
        Visitor::new(&app).sign_in(&email, PASSWORD).await.expect_status(401);
        owner.post(&path, &[]).await.expect_status(404);
        let invite = [("email", &*email), ("role", "viewer")];
        let handed = owner.post("/portal/team/invite", &invite).await.expect_status(200);
        assert!(handed.text().contains("/portal/link/"), "without a mail server it is handed over");
        owner.post("/portal/team/invite", &invite).await.expect_status(422);
        app.stop().await;
    }

    async fn a_new_password_needs_the_old_one_and_ends_other_sessions(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app).await;
        let (mut one, mut other) = (shop.owner(&app).await, shop.owner(&app).await);
        let path = "/portal/account/password";
        let wrong = [("current", "something else"), ("password", PASSWORD)];
        let told = one.post(path, &wrong).await.expect_status(422).text();
        assert!(told.contains("is not your password"), "{told}");
        one.post(path, &[("current", &shop.password), ("password", "short")]).await.expect_status(422);
        assert!(other.is_in().await);
        one.post(path, &[("current", &shop.password), ("password", PASSWORD)]).await.expect_status(303);
        assert!(one.is_in().await && !other.is_in().await);
        Visitor::new(&app).sign_in(&shop.email, &shop.password).await.expect_status(401);
        Visitor::new(&app).sign_in(&shop.email, PASSWORD).await.expect_status(303);
        app.stop().await;
    }
}
