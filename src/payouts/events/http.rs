//! `GET /v1/events`: what happened, in order, so that nothing can be missed.

use axum::{Json, extract::State, http::Uri};
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::{
    base::{
        failure::{Code, Failure, Result},
        pagination::MAX_LIMIT,
    },
    ctx::Ctx,
    db,
    events::log::{self, Event, EventType},
    oauth::{access::May, scopes::right},
    web::{
        query::Query,
        routes::{Routes, routes},
    },
};

/// The route.
pub(crate) fn routes() -> Routes<Ctx> {
    routes![list]
}

/// Events, as they were frozen when they happened.
#[derive(Serialize, ToSchema)]
struct Events {
    /// Each with `id`, `type`, `created_at`, `sequence` and `data`: byte for byte what webhooks carry.
    #[schema(value_type = Vec<Object>)]
    data: Vec<Box<RawValue>>,
    /// Where to go on: pass it as `after`. With a filter it can lie beyond the last event shown.
    next_after: i64,
    /// The number of your newest event: you have seen everything once `next_after` is equal to it.
    last_sequence: i64,
}

/// List what happened
///
/// The oldest first. Your events are numbered from 1 on without a gap, so whoever follows `next_after`
/// to `last_sequence` has missed nothing. Events are kept for 90 days at least.
#[utoipa::path(
    get, path = "/v1/events", tag = "Events", security(("oauth" = ["webhooks:read"])),
    params(
        ("after" = Option<i64>, Query, description = "The number after which to begin; 0 without it"),
        ("types" = Option<String>, Query, description = "Only these, with commas between them: `payout.completed,payout.failed`"),
        ("limit" = Option<u16>, Query, description = "1 to 100, 100 without it"),
    ),
    responses(
        (status = 200, body = Events, description = "Some events, and where to go on"),
        (status = 400, description = "`invalid_parameter`"),
    )
)]
async fn list(
    State(ctx): State<Ctx>,
    caller: May<right::WebhooksRead>,
    uri: Uri,
) -> Result<Json<Events>> {
    let query = Query::read(&uri, &["after", "types", "limit"])?;
    let after = number(&query, "after", 0, 0..=i64::MAX)?;
    let limit = number(&query, "limit", i64::from(MAX_LIMIT), 1..=i64::from(MAX_LIMIT))?;
    let kinds = kinds(&query)?;
    let (merchant, limit) = (caller.merchant, u16::try_from(limit).unwrap_or(MAX_LIMIT));
    let (events, next_after, last_sequence) = db::read!(ctx.db, |tx| {
        // Before the events: what is written meanwhile is beyond the number that is told.
        let last = log::last(tx, merchant).await?;
        let (events, seen) = log::after(tx, merchant, after, &kinds, limit).await?;
        Ok((events, seen, last.max(seen)))
    })?;
    let data = events.iter().map(envelope).collect::<Result<_>>()?;
    Ok(Json(Events { data, next_after, last_sequence }))
}

fn envelope(event: &Event) -> Result<Box<RawValue>> {
    serde_json::from_slice(&event.body).map_err(Failure::internal)
}

fn number(
    query: &Query,
    name: &'static str,
    usual: i64,
    allowed: std::ops::RangeInclusive<i64>,
) -> Result<i64> {
    let Some(text) = query.get(name) else { return Ok(usual) };
    text.parse().ok().filter(|number| allowed.contains(number)).ok_or_else(|| {
        let (low, high) = allowed.into_inner();
        let message = format!("must be a whole number from {low} to {high}");
        Failure::new(Code::InvalidParameter).field(name, message)
    })
}

fn kinds(query: &Query) -> Result<Vec<EventType>> {
    let words = query.get("types").into_iter().flat_map(|text| text.split(','));
    words
        .map(|word| {
            EventType::parse(word).ok_or_else(|| {
                let message = "must be published event types, with commas between them";
                Failure::new(Code::InvalidParameter).field("types", message)
            })
        })
        .collect()
}
