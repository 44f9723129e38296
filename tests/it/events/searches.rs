//! Deliveries in one state, among many.

use std::time::Duration;

use counterfoil::{
    base::pagination::PageQuery,
    events::{
        deliveries::{self, Status},
        log::EventType,
    },
};

use super::{
    deliveries::{all, happen},
    receiver::{Answer, Receiver},
};
use crate::support::both::both;

both! {
    async fn dead_letters_are_found_however_many_have_come_since(db: TestDb) {
        let receiver = Receiver::doing(|_| Answer::Status(500)).await;
        let (app, client, _, endpoint) = all(&db, &receiver).await;
        happen(&app, &client, EventType::PayoutSent, "pay_1").await;
        app.run_due_jobs().await;
        for pause in [30, 120, 480, 1_920] {
            app.hands.advance(Duration::from_secs(pause));
            app.run_due_jobs().await;
        }
        // No more than an endpoint is asked for before it is left alone.
        for number in 0..4 {
            happen(&app, &client, EventType::PayoutSent, &format!("pay_later{number}")).await;
        }
        app.run_due_jobs().await;
        let whose = (client.merchant, endpoint.parse().unwrap());
        let page = async |status, cursor| {
            let request = PageQuery { limit: None, cursor }.check("dlv_").unwrap();
            let found = deliveries::of_endpoint_among(&app.ctx, whose, Some(status), &request, 3).await;
            let found = found.unwrap();
            (found.data.len(), found.next_cursor)
        };
        assert_eq!(page(Status::Failed, None).await, (1, None), "they have an index of their own");
        let (pending, onward) = page(Status::Pending, None).await;
        assert_eq!((pending, onward.is_some()), (3, true), "three are looked at");
        let (pending, onward) = page(Status::Pending, onward).await;
        assert_eq!((pending, onward), (1, None));
        app.stop().await;
    }
}
