//! A rail of people: somebody sends the money, and says what became of it.

use futures_util::future::BoxFuture;

use super::{NoAnswer, Order, Outcome, Rail, Report};

/// Takes every order and waits for `counterfoil payout settle`.
#[derive(Clone, Copy, Debug)]
pub struct Manual;

impl Rail for Manual {
    fn name(&self) -> &'static str {
        "manual"
    }

    fn submit<'a>(&'a self, order: &'a Order<'a>) -> BoxFuture<'a, Result<Report, NoAnswer>> {
        self.status(order)
    }

    fn status<'a>(&'a self, _: &'a Order<'a>) -> BoxFuture<'a, Result<Report, NoAnswer>> {
        let report = Report { outcome: Outcome::Accepted, reference: None, ask_again: None };
        Box::pin(async { Ok(report) })
    }
}
