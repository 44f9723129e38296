//! Plans in the database: imports, and the book that follows them.

use std::time::Duration;

use counterfoil::{
    base::failure::Code,
    pricing::plans::{self, ChangeKind, Format, LEAD, Plans},
};

use super::room::{Room, damage};
use crate::support::both::both;

const ONE: &str = r#"
    [[plans]]
    key = "all"
    name = "Everything"
    fee_type = "percentage"
    percentage_fee = "0.50"
"#;

async fn import(room: &Room, toml: &str) -> Vec<plans::Change> {
    let drafts = plans::drafts(toml, Format::Toml).unwrap();
    plans::import(&room.ctx, &drafts).await.unwrap()
}

/// Every version there is, as `key/number`.
async fn versions(room: &Room) -> Vec<String> {
    let book = Plans::default().book(&room.ctx).await.unwrap();
    book.all()
        .flat_map(|plan| plan.versions.iter().map(|v| format!("{}/{}", plan.key, v.number)))
        .collect()
}

both! {
    async fn an_import_twice_is_an_import_once(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        assert_eq!(import(&room, ONE).await[0].kind, ChangeKind::New);
        room.hands.advance(LEAD);
        assert_eq!(import(&room, ONE).await[0].kind, ChangeKind::Unchanged);
        assert_eq!(versions(&room).await, ["all/1"]);
        room.close().await;
    }

    async fn a_dry_run_tells_the_same_and_changes_nothing(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        let drafts = plans::drafts(ONE, Format::Toml).unwrap();
        let told = plans::preview(&room.ctx, &drafts).await.unwrap();
        assert!(versions(&room).await.is_empty());
        assert_eq!(plans::import(&room.ctx, &drafts).await.unwrap(), told);
        room.close().await;
    }

    async fn a_file_with_one_fault_changes_nothing(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        let stranger = "merchant = \"mer_01HX8Z9K0M2N3P4Q5R6S7T8VAB\"";
        let toml = format!("{ONE}\n{}\n{stranger}", ONE.replace("all", "own"));
        let drafts = plans::drafts(&toml, Format::Toml).unwrap();
        for refused in [
            plans::preview(&room.ctx, &drafts).await.unwrap_err(),
            plans::import(&room.ctx, &drafts).await.unwrap_err(),
        ] {
            assert_eq!(refused.code(), Code::ValidationError);
            assert_eq!(refused.fields()[0].field, "plans.1.merchant");
        }
        assert!(versions(&room).await.is_empty());
        room.close().await;
    }

    async fn a_new_version_prices_only_when_every_replica_knows_it(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        import(&room, ONE).await;
        let elsewhere = Plans::default();
        let known = |book: &plans::PlanBook| book.all().next().unwrap().versions.len();
        assert_eq!(known(&elsewhere.book(&room.ctx).await.unwrap()), 1);
        room.hands.advance(Duration::from_millis(1));
        let changes = import(&room, &ONE.replace("0.50", "0.75")).await;
        let from = changes[0].version.effective_from;
        assert_eq!(from, room.ctx.now().plus(LEAD));
        assert_eq!(known(&elsewhere.book(&room.ctx).await.unwrap()), 1, "held for a second");
        room.hands.advance(Duration::from_secs(1));
        let book = elsewhere.book(&room.ctx).await.unwrap();
        assert_eq!(known(&book), 2);
        let plan = book.all().next().unwrap();
        let in_force = |at| plan.version_at(at).unwrap().number;
        assert_eq!((in_force(room.ctx.now()), in_force(from)), (1, 2));
        room.close().await;
    }

    async fn what_this_server_imports_it_knows_at_once(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        let handle = &room.pricing.plans;
        assert_eq!(handle.book(&room.ctx).await.unwrap().all().count(), 0);
        handle.import(&room.ctx, &plans::drafts(ONE, Format::Toml).unwrap()).await.unwrap();
        assert_eq!(handle.book(&room.ctx).await.unwrap().all().count(), 1);
        room.close().await;
    }

    async fn a_version_can_be_neither_changed_nor_removed(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        import(&room, ONE).await;
        for sql in ["UPDATE fee_plan_versions SET terms = '{}'", "DELETE FROM fee_plan_versions"] {
            assert!(damage(&room.ctx, sql).await.is_err(), "{sql}");
        }
        assert_eq!(versions(&room).await, ["all/1"]);
        room.close().await;
    }

    async fn a_fresh_sandbox_gets_plans_and_an_operators_own_are_left_alone(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        import(&room, ONE).await;
        assert!(!plans::ensure_sandbox(&room.ctx).await.unwrap());
        assert_eq!(versions(&room).await, ["all/1"]);
        room.close().await;
    }

    async fn two_replicas_that_start_together_make_the_sandbox_plans_once(db: TestDb) {
        let room = Room::bare(db.open().await, 1).await;
        let (one, other) =
            tokio::join!(plans::ensure_sandbox(&room.ctx), plans::ensure_sandbox(&room.ctx));
        assert!(one.unwrap() ^ other.unwrap());
        let made = versions(&room).await;
        assert!(made.len() > 5 && made.iter().all(|version| version.ends_with("/1")), "{made:?}");
        room.close().await;
    }
}
