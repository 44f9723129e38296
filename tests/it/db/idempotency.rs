//! Idempotency keys, on both engines.

use counterfoil::{
    base::{
        failure::{Code, Failure, Result},
        ids::MerchantId,
        timestamp::Timestamp,
    },
    db::{self, Db},
    web::idempotency::{self, Answer, Key, Request},
};
use serde_json::json;
use tokio::task::JoinSet;

use super::merchant;
use crate::support::both::both;

fn request(merchant: MerchantId, key: &str, amount: i64) -> Request {
    let key = Key::parse(key).unwrap();
    Request::new(merchant, "make_thing", key, "/v1/things", &json!({ "amount": amount }))
}

/// Makes a "thing" (a job, to have a row to count) at most once per key.
async fn make(db: &Db, request: &Request, fails: bool) -> Result<Answer> {
    const EFFECT: &str = "INSERT INTO directory (name, merchant_id) VALUES ($1, $2)";
    let now = Timestamp::from_unix_seconds(7);
    let made = format!("thing-{}", request.key.as_str());
    db::write!(db, request.merchant, |tx| {
        if let Some(answer) = idempotency::claim(tx, request, &made, now).await? {
            return Ok(answer);
        }
        db::exec!(tx, EFFECT, &made, request.merchant)?;
        if fails {
            return Err(Failure::new(Code::ValidationError));
        }
        idempotency::keep(tx, request, Answer::json(201, &json!({ "id": made }))?, now).await
    })
}

async fn things(db: &Db) -> i64 {
    let counted: Result<i64> =
        db::read!(db, |tx| Ok(db::one!(tx, (i64,), "SELECT COUNT(*) FROM directory")?.0));
    counted.unwrap()
}

both! {
    async fn a_repeated_request_gets_the_same_answer_and_acts_once(test: TestDb) {
        let db = test.open().await;
        let shop = merchant(&db, 1).await;
        let first = make(&db, &request(shop, "k", 5), false).await.unwrap();
        let again = make(&db, &request(shop, "k", 5), false).await.unwrap();
        assert!(!first.replayed && again.replayed);
        assert_eq!((first.status, first.body), (again.status, again.body));
        assert_eq!(things(&db).await, 1);
    }

    async fn another_request_under_the_same_key_is_refused(test: TestDb) {
        let db = test.open().await;
        let shop = merchant(&db, 1).await;
        make(&db, &request(shop, "k", 5), false).await.unwrap();
        let refused = make(&db, &request(shop, "k", 6), false).await.unwrap_err();
        assert_eq!(refused.code(), Code::IdempotencyConflict);
        assert_eq!(things(&db).await, 1);
    }

    async fn a_failed_request_leaves_its_key_free(test: TestDb) {
        let db = test.open().await;
        let shop = merchant(&db, 1).await;
        make(&db, &request(shop, "k", 5), true).await.unwrap_err();
        assert_eq!(things(&db).await, 0);
        assert!(!make(&db, &request(shop, "k", 6), false).await.unwrap().replayed);
    }

    async fn a_hundred_callers_with_one_key_act_once(test: TestDb) {
        // Two programs on one database: the lanes of one cannot help the other.
        let (one, two) = (test.open().await, test.open().await);
        let shop = merchant(&one, 1).await;
        let mut callers = JoinSet::new();
        for number in 0..100 {
            let db = if number % 2 == 0 { one.clone() } else { two.clone() };
            callers.spawn(async move { make(&db, &request(shop, "k", 5), false).await });
        }
        let answers: Vec<_> = callers.join_all().await.into_iter().map(Result::unwrap).collect();
        assert_eq!(answers.iter().filter(|answer| !answer.replayed).count(), 1);
        assert!(answers.iter().all(|answer| answer.body == answers[0].body));
        assert_eq!(things(&one).await, 1);
    }

    async fn a_key_acts_once_even_after_its_answer_is_gone(test: TestDb) {
        let db = test.open().await;
        let shop = merchant(&db, 1).await;
        make(&db, &request(shop, "k", 5), false).await.unwrap();
        let dropped: Result<u64> = db::write!(db, super::HOUSE, |tx| {
            Ok(idempotency::forget_answers(tx, Timestamp::from_unix_seconds(8), 1_000).await?)
        });
        assert_eq!(dropped.unwrap(), 1);
        let refused = make(&db, &request(shop, "k", 5), false).await.unwrap_err();
        assert_eq!(refused.code(), Code::IdempotencyKeySpent);
        assert_eq!(refused.facts(), Some(&json!({ "resource_id": "thing-k" })));
        assert_eq!(things(&db).await, 1);
    }
}
