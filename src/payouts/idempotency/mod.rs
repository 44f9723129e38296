//! The answer to "did my payout happen?" for somebody who knows no more than the key that was sent.

pub mod http;
