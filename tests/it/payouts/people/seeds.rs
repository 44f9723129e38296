//! The curated people of a sandbox.

use counterfoil::{
    db,
    payouts::{beneficiaries, instruments},
};

use super::Desk;
use crate::support::{app::TestApp, both::both};

both! {
    async fn seeds_are_the_same_each_time_and_never_doubled(db: TestDb) {
        let app = TestApp::start(&db).await;
        let (desk, other) = (Desk::open(&app).await, Desk::open(&app).await);
        let seed = async |desk: &Desk<'_>| {
            beneficiaries::seed(&app.ctx, &app.vault, desk.client.merchant).await.unwrap()
        };
        let first = seed(&desk).await;
        let again = seed(&desk).await;
        let ids = |seeded: &[(beneficiaries::Beneficiary, Vec<instruments::Instrument>)]| {
            seeded.iter().map(|(one, all)| (one.id, all.len())).collect::<Vec<_>>()
        };
        assert_eq!(ids(&first), ids(&again));
        let names = |seeded: &[(beneficiaries::Beneficiary, Vec<instruments::Instrument>)]| {
            seeded.iter().map(|(one, _)| one.display_name.clone()).collect::<Vec<_>>()
        };
        assert_eq!(names(&first), names(&seed(&other).await));
        for (beneficiary, instruments) in &first {
            assert!(instruments[0].is_default && !instruments.iter().skip(1).any(|i| i.is_default));
            assert_eq!(instruments[0].beneficiary, beneficiary.id);
        }
        let listed = desk.get("/v1/beneficiaries?limit=100").await.expect_status(200).json();
        assert_eq!(listed["data"].as_array().unwrap().len(), first.len());

        // A sandbox that begins anew has none, and may have the same again.
        let merchant = desk.client.merchant;
        db::write!(app.ctx.db, merchant, |tx| {
            instruments::wipe(tx, merchant).await?;
            beneficiaries::wipe(tx, merchant).await?;
            Ok(())
        }).unwrap();
        let listed = desk.get("/v1/beneficiaries").await.json();
        assert_eq!(listed["data"].as_array().unwrap().len(), 0);
        assert_eq!(names(&seed(&desk).await), names(&first));
        app.stop().await;
    }
}
