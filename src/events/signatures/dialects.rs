//! The dialects, one value each.
//!
//! While a rotated secret is still good, both secrets sign. A header whose receivers expect exactly one
//! signature stays on the old secret until the grace is over, and a second header carries the new one.

use std::time::Duration;

use super::{Headers, Manner, Message, Schedule, SigningKey, SigningKeys};

const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

const fn minutes(count: u64) -> Duration {
    Duration::from_mins(count)
}

const fn hours(count: u64) -> Duration {
    Duration::from_hours(count)
}

/// As published: five attempts.
pub(super) const PAYOUTS: Manner = Manner {
    name: "payouts",
    user_agent: "AntonPayments-Webhook/1.0",
    content_type: "application/json",
    timeout: seconds(30),
    schedule: Schedule {
        pauses: &[seconds(30), minutes(2), minutes(8), minutes(32)],
        jitter_percent: 0,
    },
    say: |message| {
        vec![
            ("x-webhook-id", message.event.to_owned()),
            ("x-webhook-event", message.kind.to_owned()),
            ("x-webhook-timestamp", message.unix_seconds.to_string()),
        ]
    },
    sign: |keys, message| {
        let stamp = stamp(message);
        old_then_new(keys, ("x-webhook-signature", "x-webhook-signature-next"), |key| {
            format!("v1={}", key.hex(&[&stamp, message.body]))
        })
    },
};

pub(super) const GROUP_CHECKOUT: Manner = Manner {
    name: "group_checkout",
    user_agent: "Ante/1.0",
    content_type: "application/json",
    timeout: seconds(10),
    schedule: Schedule {
        pauses: &[minutes(1), minutes(5), minutes(30), hours(2), hours(6), hours(12), hours(24)],
        jitter_percent: 10,
    },
    say: |message| {
        vec![
            ("ante-event-id", message.event.to_owned()),
            ("ante-event-type", message.kind.to_owned()),
        ]
    },
    sign: |keys, message| {
        // The published verifiers split at the comma and take two parts: there must never be a third.
        old_then_new(keys, ("ante-signature", "ante-signature-next"), |key| {
            let digest = key.hex(&[&stamp(message), message.body]);
            format!("t={},v1={digest}", message.unix_seconds)
        })
    },
};

pub(super) const PAYMENTS: Manner = Manner {
    name: "payments",
    user_agent: "AteniPay-Webhooks/1",
    content_type: "application/json; charset=utf-8",
    timeout: seconds(10),
    schedule: Schedule {
        pauses: &[
            minutes(1),
            minutes(5),
            minutes(30),
            hours(2),
            hours(5),
            hours(10),
            hours(12),
            hours(12),
            hours(12),
            hours(12),
        ],
        jitter_percent: 10,
    },
    say: |message| {
        vec![
            ("ateni-event-id", message.event.to_owned()),
            ("ateni-delivery-id", message.delivery.to_owned()),
            ("ateni-delivery-attempt", message.attempt.to_string()),
        ]
    },
    sign: |keys, message| {
        // Sixty-four hex digits and nothing else: any decoration makes the documented check throw.
        let bare = keys.longest_known().hex(&[message.body]);
        let digests = keys.newest_first().map(|key| key.hex(&[&stamp(message), message.body]));
        let all: Vec<String> = digests.map(|digest| format!("v1={digest}")).collect();
        vec![
            ("ateni-signature", bare.clone()),
            ("x-ateni-signature", bare),
            ("ateni-signature-v1", format!("t={},{}", message.unix_seconds, all.join(","))),
        ]
    },
};

pub(super) const STORES: Manner = Manner {
    name: "stores",
    user_agent: "AnonymousPay-Webhooks/1",
    content_type: "application/json",
    timeout: seconds(10),
    schedule: Schedule {
        pauses: &[
            minutes(1),
            minutes(5),
            minutes(15),
            hours(1),
            hours(3),
            hours(6),
            hours(12),
            hours(24),
            hours(24),
        ],
        jitter_percent: 10,
    },
    say: |message| {
        vec![
            ("x-anonymouspay-event", message.kind.to_owned()),
            ("x-anonymouspay-delivery", message.delivery.to_owned()),
            ("x-anonymouspay-timestamp", message.unix_seconds.to_string()),
            ("x-anonymouspay-attempt", message.attempt.to_string()),
        ]
    },
    sign: |keys, message| {
        let value = |key: &SigningKey| format!("sha256={}", key.hex(&[message.body]));
        let mut headers = vec![("x-anonymouspay-signature", value(&keys.current))];
        let previous = keys.previous.as_ref();
        headers.extend(previous.map(|key| ("x-anonymouspay-signature-previous", value(key))));
        headers
    },
};

/// Twelve attempts over about 6.7 days; HMAC and Ed25519 signatures of every good key in one header.
pub(super) const STANDARD: Manner = Manner {
    name: "standard",
    user_agent: "Counterfoil-Webhooks/1",
    content_type: "application/json",
    timeout: seconds(15),
    schedule: Schedule {
        pauses: &[
            seconds(5),
            seconds(30),
            minutes(5),
            minutes(30),
            hours(2),
            hours(5),
            hours(10),
            hours(24),
            hours(24),
            hours(48),
            hours(48),
        ],
        jitter_percent: 10,
    },
    say: |message| {
        vec![
            ("webhook-id", message.event.to_owned()),
            ("webhook-timestamp", message.unix_seconds.to_string()),
        ]
    },
    sign: |keys, message| {
        let stamp = format!("{}.{}.", message.event, message.unix_seconds).into_bytes();
        let parts: [&[u8]; 2] = [&stamp, message.body];
        let of = |key: &SigningKey| {
            [format!("v1,{}", key.base64(&parts)), format!("v1a,{}", key.ed25519(&parts))]
        };
        let all: Vec<String> = keys.newest_first().flat_map(of).collect();
        vec![("webhook-signature", all.join(" "))]
    },
};

/// `{timestamp}.`, which stands before the body in what is signed.
fn stamp(message: &Message<'_>) -> Vec<u8> {
    format!("{}.", message.unix_seconds).into_bytes()
}

fn old_then_new(
    keys: &SigningKeys,
    (name, next): (&'static str, &'static str),
    sign: impl Fn(&SigningKey) -> String,
) -> Headers {
    let mut headers = vec![(name, sign(keys.longest_known()))];
    if keys.previous.is_some() {
        headers.push((next, sign(&keys.current)));
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::super::{Dialect, SigningKey};
    use super::*;

    const BODY: &[u8] = br#"{"id":"evt_1","type":"group.funded"}"#;

    fn message(body: &[u8]) -> Message<'_> {
        Message {
            event: "evt_1",
            kind: "group.funded",
            delivery: "dlv_1",
            attempt: 2,
            unix_seconds: 1_713_542_400,
            body,
        }
    }

    fn keys(previous: bool) -> SigningKeys {
        let key = |secret: &str| SigningKey::new(secret.to_owned(), [7; 32]);
        SigningKeys {
            current: key("whsec_test_vector"),
            previous: previous.then(|| key("whsec_old")),
        }
    }

    fn header(dialect: Dialect, keys: &SigningKeys, name: &str) -> Option<String> {
        let headers = dialect.signatures(keys, &message(BODY));
        let mut found = headers.into_iter().filter(|(own, _)| *own == name);
        let first = found.next().map(|(_, value)| value);
        assert!(found.next().is_none(), "{name} stands twice");
        first
    }

    #[test]
    fn the_published_vector_of_group_checkout_is_met() {
        const PUBLISHED: &str = "4253641861cdbaf46e45b40814a0c77ce33d296e52f07600425a5e68b53815b6";
        let signed = header(Dialect::GroupCheckout, &keys(false), "ante-signature").unwrap();
        assert_eq!(signed, format!("t=1713542400,v1={PUBLISHED}"));
        // The same bytes and the same key under another name.
        let signed = header(Dialect::Payouts, &keys(false), "x-webhook-signature").unwrap();
        assert_eq!(signed, format!("v1={PUBLISHED}"));
    }

    #[test]
    fn while_both_secrets_are_good_single_headers_stay_on_the_old_one() {
        for (dialect, name, next) in [
            (Dialect::Payouts, "x-webhook-signature", Some("x-webhook-signature-next")),
            (Dialect::GroupCheckout, "ante-signature", Some("ante-signature-next")),
            (Dialect::Payments, "ateni-signature", None),
        ] {
            let only_new = header(dialect, &keys(false), name).unwrap();
            assert_ne!(header(dialect, &keys(true), name).unwrap(), only_new);
            if let Some(next) = next {
                assert_eq!(header(dialect, &keys(true), next).unwrap(), only_new);
                assert_eq!(header(dialect, &keys(false), next), None);
            }
        }
        let new = header(Dialect::Stores, &keys(true), "x-anonymouspay-signature").unwrap();
        assert_eq!(new, header(Dialect::Stores, &keys(false), "x-anonymouspay-signature").unwrap());
        assert!(
            header(Dialect::Stores, &keys(true), "x-anonymouspay-signature-previous").is_some()
        );
        let both = header(Dialect::Standard, &keys(true), "webhook-signature").unwrap();
        assert_eq!(both.split(' ').count(), 4, "{both}");
        let both = header(Dialect::Payments, &keys(true), "ateni-signature-v1").unwrap();
        assert_eq!(both.matches("v1=").count(), 2, "{both}");
    }

    #[test]
    fn a_bare_digest_has_no_decoration() {
        let bare = header(Dialect::Payments, &keys(false), "ateni-signature").unwrap();
        assert!(bare.len() == 64 && bare.bytes().all(|b| b"0123456789abcdef".contains(&b)));
    }

    #[test]
    fn schedules_are_as_published() {
        let attempts = |dialect: Dialect| dialect.schedule().attempts();
        assert_eq!(attempts(Dialect::Payouts), 5);
        assert_eq!(attempts(Dialect::GroupCheckout), 8);
        assert_eq!(attempts(Dialect::Payments), 11);
        assert_eq!(attempts(Dialect::Stores), 10);
        assert_eq!(attempts(Dialect::Standard), 12);
        let days = |dialect: Dialect| {
            dialect.schedule().pauses.iter().map(Duration::as_secs).sum::<u64>() * 10 / 86_400
        };
        assert_eq!(days(Dialect::Standard), 67, "6.7 days");
        assert_eq!(days(Dialect::Payments), 27, "within 3 days");
    }

    /// `docs/webhooks.md` shows these to receivers; the values are not from this program.
    #[test]
    fn the_vectors_of_the_guide_are_met() {
        const GUIDE: &str = include_str!("../../../docs/webhooks.md");
        const DIGITS: &str = "0123456789abcdef";
        let secret = format!("whsec_{}", DIGITS.repeat(4));
        let body = GUIDE.lines().find(|line| line.starts_with("{\"id\"")).unwrap();
        assert!(GUIDE.contains(&secret));
        let keys = SigningKeys { current: SigningKey::new(secret, [7; 32]), previous: None };
        let message =
            Message { event: "evt_01JADPXQ00000000000000000A", ..message(body.as_bytes()) };
        let shown = |value: &str| assert!(GUIDE.contains(&format!("`{value}`")), "{value}");
        for (dialect, name, prefix) in [
            (Dialect::Payouts, "x-webhook-signature", "v1="),
            (Dialect::GroupCheckout, "ante-signature", "t=1713542400,v1="),
            (Dialect::Payments, "ateni-signature", ""),
            (Dialect::Stores, "x-anonymouspay-signature", "sha256="),
        ] {
            let headers = dialect.signatures(&keys, &message);
            let value = &headers.iter().find(|(own, _)| *own == name).unwrap().1;
            shown(value.strip_prefix(prefix).unwrap());
        }
        let headers = Dialect::Standard.signatures(&keys, &message);
        let value = &headers.iter().find(|(own, _)| *own == "webhook-signature").unwrap().1;
        let (v1, v1a) = value.split_once(' ').unwrap();
        shown(v1.strip_prefix("v1,").unwrap());
        shown(v1a.strip_prefix("v1a,").unwrap());
        shown(&keys.current.public().unwrap());
    }
}
