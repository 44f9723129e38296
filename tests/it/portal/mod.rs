//! The merchant's pages: over HTTP on both databases, and in a real browser.

mod authenticator;
mod browser;
mod charts;
mod codes;
mod credentials;
mod exports;
mod hooks;
mod money;
mod passkeys;
mod payouts;
mod people;
mod prices;
mod proofs;
mod requests;
mod roles;
mod sign_in;
mod strangers;
mod texts;
mod visitor;

use std::sync::atomic::{AtomicU64, Ordering};

use counterfoil::{
    base::ids::MerchantId,
    oauth::merchants::NewMerchant,
    portal::{
        links::{self, Purpose},
        trail::Who,
        users::{self, Role},
    },
};

use crate::support::app::TestApp;
use visitor::Visitor;

const PASSWORD: &str = "a long and quiet password";

/// A merchant whose owner can sign in.
pub(super) struct Shop {
    pub(super) merchant: MerchantId,
    pub(super) email: String,
    pub(super) password: String,
}

impl Shop {
    pub(super) async fn open(app: &TestApp) -> Self {
        Self::named(app, "Corner Shop").await
    }

    pub(super) async fn named(app: &TestApp, name: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let email = format!("owner{}@portal.example", NUMBER.fetch_add(1, Ordering::Relaxed));
        let new = NewMerchant::check(name, &email).unwrap();
        let (merchant, password) =
            users::found(&app.ctx, app.authority.hasher(), &new).await.unwrap();
        Self { merchant: merchant.id, email, password: password.expose().clone() }
    }

    pub(super) async fn owner<'a>(&self, app: &'a TestApp) -> Visitor<'a> {
        Visitor::signed_in(app, &self.email, &self.password).await
    }

    /// An invitation for somebody of this role: its path.
    pub(super) async fn invitation(&self, app: &TestApp, email: &str, role: Role) -> String {
        let owner = users::by_email(&app.ctx, &self.email).await.unwrap().unwrap().person;
        let who = Who {
            merchant: owner.merchant,
            user: owner.id,
            email: owner.email.clone(),
            address: "127.0.0.1".to_owned(),
        };
        let link = links::make(&app.ctx, Purpose::Invitation);
        users::invite(&app.ctx, &who, Role::Owner, email, role, &link).await.unwrap();
        link.address("")
    }

    /// Somebody of this role who is signed in.
    pub(super) async fn member<'a>(&self, app: &'a TestApp, role: Role) -> Visitor<'a> {
        if role == Role::Owner {
            return self.owner(app).await;
        }
        let email = format!("{}-{}", role.as_str(), self.email);
        let path = self.invitation(app, &email, role).await;
        let mut visitor = Visitor::new(app);
        visitor.get(&path).await.expect_status(200);
        let fields = [("name", role.as_str()), ("password", PASSWORD)];
        visitor.post(&path, &fields).await.expect_status(303);
        visitor
    }
}
