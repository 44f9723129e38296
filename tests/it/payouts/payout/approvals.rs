//! What an approval is bound to.

use counterfoil::{
    money::{Amount, Currency},
    payouts::payout::{self, FeeBearer, Payout},
    pricing::Method,
};
use serde_json::json;

use super::Shop;
use crate::support::{app::TestApp, both::both};

/// What is changed, and how.
type Change<'a> = (&'static str, &'a dyn Fn(&mut Payout));

both! {
    async fn a_digest_names_everything_that_must_have_been_seen(db: TestDb) {
        let app = TestApp::start(&db).await;
        let shop = Shop::open(&app, "1000.00").await;
        let id = shop.paid("one", "100.00", &json!({ "reference": "ab", "purpose": "c" })).await;
        let other = shop.paid("two", "100.00", &json!({ "reference": "ab", "purpose": "c" })).await;
        let get = async |id: &str| payout::get(&app.ctx, shop.client.merchant, id.parse().unwrap()).await.unwrap();
        let (seen, other) = (get(&id).await, get(&other).await);
        assert_eq!(seen.digest(), get(&id).await.digest());
        let euros = |minor| Amount::from_minor(minor, Currency::EUR);
        let dollars = |amount: Amount| Amount::from_minor(amount.minor(), Currency::USD);
        let changes: [Change<'_>; 14] = [
            ("id", &|it| it.id = other.id),
            ("beneficiary", &|it| it.beneficiary = "ben_01HX8Z9K0M2N3P4Q5R6S7T8VAB".parse().unwrap()),
            ("instrument", &|it| it.instrument = "ins_01HX8Z9K0M2N3P4Q5R6S7T8VAB".parse().unwrap()),
            ("source", &|it| it.amounts.source = euros(10_001)),
            ("source currency", &|it| it.amounts.source = dollars(it.amounts.source)),
            ("dest", &|it| it.amounts.dest = euros(9_999)),
            ("dest currency", &|it| it.amounts.dest = dollars(it.amounts.dest)),
            ("fee", &|it| it.amounts.fee = euros(1)),
            ("fee currency", &|it| it.amounts.fee = dollars(it.amounts.fee)),
            ("bearer", &|it| it.amounts.bearer = FeeBearer::Beneficiary),
            ("method", &|it| it.method = Method::Wire),
            ("network", &|it| it.network = Some("base".to_owned())),
            ("reference", &|it| it.reference = None),
            // The same letters, cut elsewhere.
            ("words", &|it| (it.reference, it.purpose) = (Some("a".to_owned()), Some("bc".to_owned()))),
        ];
        for (what, change) in changes {
            let mut copy = seen.clone();
            change(&mut copy);
            assert_ne!(copy.digest(), seen.digest(), "{what}");
        }
        app.stop().await;
    }
}
