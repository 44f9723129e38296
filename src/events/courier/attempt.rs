//! One attempt: signed, sent, and read.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::health::Sign;
use crate::{
    base::timestamp::Timestamp,
    events::{
        EndpointId, Events,
        deliveries::{Attempted, Due, Status},
        outbound::Sent,
        signatures::{Dialect, Headers, Message, SigningKeys},
    },
};

/// How much of the answer to a delivery that went well is kept.
const KEPT_OF_SUCCESS: usize = 512;

/// Whom one visit is for.
#[derive(Clone, Copy)]
pub(super) struct Receiver<'a> {
    pub(super) room: &'a Events,
    pub(super) url: &'a str,
    pub(super) dialect: Dialect,
    pub(super) keys: &'a SigningKeys,
    pub(super) id: EndpointId,
}

/// What was signed when: it cannot be told later, because secrets change.
pub(super) struct Signed {
    at: i64,
    headers: Headers,
}

impl Receiver<'_> {
    /// Signs and sends one delivery.
    pub(super) async fn attempt(&self, due: &Due) -> (Signed, Sent) {
        let now = self.room.ctx.now();
        if due.attempts == 0 {
            metrics::histogram!("webhook_wait_seconds").record(now.since(due.happened_at));
        }
        let (event, delivery) = (due.event.to_string(), due.id.to_string());
        let attempt = u32::try_from(due.attempts).unwrap_or(u32::MAX).saturating_add(1);
        let message = Message {
            event: &event,
            kind: due.kind.as_str(),
            delivery: &delivery,
            attempt,
            unix_seconds: now.unix_seconds(),
            body: &due.body,
        };
        let plain = self.dialect.plain_headers(&message);
        let signatures = self.dialect.signatures(self.keys, &message);
        let headers = header_map(plain.iter().chain(&signatures));
        let signed = Signed { at: message.unix_seconds, headers: signatures };
        let patience = self.dialect.timeout().min(self.room.timeout);
        let sent = self.room.outbound.post(self.url, headers, due.body.clone(), patience).await;
        tracing::debug!(endpoint = %self.id, delivery, attempt, took = ?sent.took, "A delivery was attempted.");
        (signed, sent)
    }

    /// What is written down of it.
    pub(super) fn outcome(
        &self,
        due: &Due,
        (signed, sent): (Signed, Sent),
        sign: Sign,
        now: Timestamp,
    ) -> Attempted {
        let attempts = due.attempts.saturating_add(1);
        let made = u32::try_from(attempts).unwrap_or(u32::MAX);
        let asked_for = match sign {
            Sign::Ill { asked_for } => asked_for,
            Sign::Well | Sign::Gone => None,
        };
        let random = &self.room.ctx.random;
        let next = match sign {
            Sign::Well => None,
            _ => self.dialect.schedule().next(made, now, asked_for, random),
        };
        let status = match (sign, next) {
            (Sign::Well, _) => Status::Delivered,
            (_, Some(_)) => Status::Pending,
            (_, None) => Status::Failed,
        };
        let (code, headers, body, error) = match sent.outcome {
            Ok(answer) => {
                let error = (sign != Sign::Well).then(|| refusal(answer.status));
                let body = kept(answer.body, sign);
                (Some(answer.status), Some(answer.headers), Some(body), error)
            }
            Err(fault) => (None, None, None, Some(fault.to_string())),
        };
        Attempted {
            id: due.id,
            attempts,
            status: status.as_str(),
            next: next.map(Timestamp::micros),
            signed_at: Some(signed.at),
            signatures: Some(signed.headers.into_iter().collect()),
            code,
            headers,
            body,
            error,
            ms: Some(u64::try_from(sent.took.as_millis()).unwrap_or(u64::MAX)),
        }
    }
}

fn header_map<'h>(headers: impl Iterator<Item = &'h (&'static str, String)>) -> HeaderMap {
    let line = |(name, value): &(&'static str, String)| {
        Some((HeaderName::from_static(name), HeaderValue::from_str(value).ok()?))
    };
    headers.filter_map(line).collect()
}

fn refusal(status: u16) -> String {
    match status {
        300..=399 => "the answer was a redirect, which is not followed".to_owned(),
        410 => "the receiver said that it is gone".to_owned(),
        _ => format!("the receiver answered {status}"),
    }
}

fn kept(mut body: String, sign: Sign) -> String {
    if sign == Sign::Well {
        body.truncate(body.floor_char_boundary(KEPT_OF_SUCCESS));
    }
    body
}
