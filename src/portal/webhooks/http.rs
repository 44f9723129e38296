//! `/portal/webhooks`.

use axum::{
    extract::{Path, State},
    http::Uri,
};

use super::{
    form::{self, Wish},
    service::{self, Deed, Seen},
    shown, view,
};
use crate::{
    base::{
        failure::{Code, Failure, Result},
        pagination::{Page, PageRequest},
    },
    events::{
        DeliveryId,
        deliveries::{self, Status, Which},
    },
    portal::{
        Portal,
        events::{Again, DELIVERIES, again, delivery_cells},
        frame::{
            Asked, Nav, Needs, csv,
            http::{Pages, Reply},
        },
        users::Right,
    },
    web::query::Query,
};

const SEE: Needs = Needs::Right(Right::SeeEvents);
const MANAGE: Needs = Needs::Right(Right::ManageWebhooks);

pub(in crate::portal) fn routes(pages: Pages) -> Pages {
    pages
        .get("/portal/webhooks", SEE, list)
        .get("/portal/webhooks.csv", SEE, list_file)
        .get("/portal/webhooks/new", MANAGE, new)
        .post("/portal/webhooks", MANAGE, create)
        .get("/portal/webhooks/{endpoint}", SEE, one)
        .get("/portal/webhooks/{endpoint}/deliveries.csv", SEE, deliveries_file)
        .get("/portal/webhooks/{endpoint}/edit", MANAGE, edit)
        .post("/portal/webhooks/{endpoint}/edit", MANAGE, change)
        .post("/portal/webhooks/{endpoint}/test", MANAGE, test)
        .post("/portal/webhooks/{endpoint}/off", MANAGE, off)
        .post("/portal/webhooks/{endpoint}/on", MANAGE, on)
        .post("/portal/webhooks/{endpoint}/delete", MANAGE, delete)
        .post("/portal/webhooks/{endpoint}/rotate", MANAGE, rotate)
        .post("/portal/webhooks/{endpoint}/again", MANAGE, range)
}

async fn list(State(room): State<Portal>, asked: Asked, uri: Uri) -> Result<Reply> {
    let query = Query::read(&uri, &["done"])?;
    let seen = service::list(&room.ctx, asked.person()?.merchant).await?;
    let done = query.get("done").unwrap_or_default();
    let body = view::list(&seen, asked.may(Right::ManageWebhooks), done);
    Ok(asked.page(Some(Nav::Webhooks), "Webhooks", &body))
}

async fn list_file(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    const HEADS: &[&str] = &[
        "id",
        "url",
        "status",
        "events",
        "dialect",
        "failing_since",
        "delivered_of_last_100",
        "failed_of_last_100",
        "waiting",
        "created_at",
    ];
    let cells = |seen: &Seen| {
        let Seen { endpoint, health } = seen;
        vec![
            endpoint.id.to_string(),
            endpoint.url.clone(),
            endpoint.status.as_str().to_owned(),
            endpoint.filter.words().join(" "),
            endpoint.dialect.as_str().to_owned(),
            endpoint.failing_since.map(|at| at.to_string()).unwrap_or_default(),
            health.delivered.to_string(),
            health.failed.to_string(),
            health.waiting.to_string(),
            endpoint.created_at.to_string(),
        ]
    };
    let seen = service::list(&room.ctx, asked.person()?.merchant).await?;
    Ok(csv::whole("webhooks", HEADS, cells, &seen))
}

async fn new(asked: Asked) -> Reply {
    let wish = Wish { events: vec!["*"], ..Wish::default() };
    let body = form::create(&asked.form_token(), &wish, None);
    asked.page(Some(Nav::Webhooks), "Add a webhook endpoint", &body)
}

fn wish(asked: &Asked) -> Wish<'_> {
    Wish::read(|name| asked.field(name), asked.fields())
}

/// A refusal that the form itself can show; breakdowns and what is gone get the page for those.
fn ours(failure: Failure) -> Result<Failure> {
    if failure.kind().is_ours() || failure.code() == Code::NotFound {
        Err(failure)
    } else {
        Ok(failure)
    }
}

async fn create(State(room): State<Portal>, asked: Asked) -> Result<Reply> {
    let wish = wish(&asked);
    match service::create(&room, &asked.who()?, &wish).await {
        Ok((seen, keys)) => {
            let body = shown::created(&seen.endpoint, &keys);
            Ok(asked.page(Some(Nav::Webhooks), "Your new endpoint", &body))
        }
        Err(failure) => {
            let failure = ours(failure)?;
            let body = form::create(&asked.form_token(), &wish, Some(&failure));
            let page = asked.page(Some(Nav::Webhooks), "Add a webhook endpoint", &body);
            Ok(page.refused(&failure))
        }
    }
}

async fn own(room: &Portal, asked: &Asked, endpoint: &str) -> Result<Seen> {
    service::own(&room.ctx, asked.person()?.merchant, endpoint).await
}

async fn edit(
    State(room): State<Portal>,
    asked: Asked,
    Path(endpoint): Path<String>,
) -> Result<Reply> {
    let seen = own(&room, &asked, &endpoint).await?;
    let words = seen.endpoint.filter.words();
    let events = words.iter().map(String::as_str).collect();
    let wish = Wish { url: &seen.endpoint.url, dialect: "", events };
    let body = form::change(&asked.form_token(), &seen.endpoint, &wish, None);
    Ok(asked.page(Some(Nav::Webhooks), "Edit the endpoint", &body))
}

async fn change(
    State(room): State<Portal>,
    asked: Asked,
    Path(endpoint): Path<String>,
) -> Result<Reply> {
    let seen = own(&room, &asked, &endpoint).await?;
    let wish = wish(&asked);
    match service::change(&room, &asked.who()?, &seen, &wish).await {
        Ok(()) => Ok(back(&seen, "changed")),
        Err(failure) => {
            let failure = ours(failure)?;
            let body = form::change(&asked.form_token(), &seen.endpoint, &wish, Some(&failure));
            let page = asked.page(Some(Nav::Webhooks), "Edit the endpoint", &body);
            Ok(page.refused(&failure))
        }
    }
}

fn back(seen: &Seen, done: &str) -> Reply {
    Reply::See(format!("/portal/webhooks/{}?done={done}", seen.endpoint.id))
}

fn status(query: &Query) -> Result<Option<Status>> {
    query.filter("status", |word| Status::parse(word).ok_or("must be one of the choices"))
}

fn asked_for(query: &Query) -> Result<(Option<Status>, PageRequest)> {
    Ok((status(query)?, query.page().check(DeliveryId::PREFIX)?))
}

async fn one(
    State(room): State<Portal>,
    asked: Asked,
    Path(endpoint): Path<String>,
    uri: Uri,
) -> Result<Reply> {
    let query = Query::read(&uri, &["done", "planned", "from", "status", "limit", "cursor"])?;
    let seen = own(&room, &asked, &endpoint).await?;
    view_of(&room, &asked, &seen, &query, None).await
}

async fn view_of(
    room: &Portal,
    asked: &Asked,
    seen: &Seen,
    query: &Query,
    refused: Option<Failure>,
) -> Result<Reply> {
    let (merchant, id) = (asked.person()?.merchant, seen.endpoint.id);
    let found = match asked_for(query) {
        Ok((status, page)) => deliveries::of_endpoint(&room.ctx, merchant, id, status, &page).await,
        Err(failure) => Err(failure),
    };
    let (deliveries, wrong) = match found {
        Ok(deliveries) => (deliveries, None),
        Err(failure) => (Page::up_to(Vec::new(), None), Some(ours(failure)?)),
    };
    let token = asked.may(Right::ManageWebhooks).then(|| asked.form_token());
    let page = view::Page {
        seen,
        deliveries: &deliveries,
        query,
        wrong: wrong.as_ref(),
        refused: refused.as_ref(),
        typed: (asked.field("after"), asked.field("through")),
        only_failed: refused.is_none() || asked.field("only_failed") == "on",
        token: token.as_deref(),
        now: room.ctx.now(),
    };
    let reply = asked.page(Some(Nav::Webhooks), "Webhook endpoint", &view::one(&page));
    Ok(match refused.as_ref().or(wrong.as_ref()) {
        Some(failure) => reply.refused(failure),
        None => reply,
    })
}

async fn deliveries_file(
    State(room): State<Portal>,
    asked: Asked,
    Path(endpoint): Path<String>,
    uri: Uri,
) -> Result<Reply> {
    let query = Query::read(&uri, &["status"])?;
    let (status, merchant) = (status(&query)?, asked.person()?.merchant);
    let id = own(&room, &asked, &endpoint).await?.endpoint.id;
    let ctx = room.ctx.clone();
    csv::sheet("deliveries", DELIVERIES, delivery_cells, move |page| {
        let ctx = ctx.clone();
        async move { deliveries::of_endpoint(&ctx, merchant, id, status, &page).await }
    })
    .await
}

async fn test(
    State(room): State<Portal>,
    asked: Asked,
    Path(endpoint): Path<String>,
) -> Result<Reply> {
    let seen = own(&room, &asked, &endpoint).await?;
    match service::test(&room, &asked.who()?, &seen).await {
        Ok(event) => Ok(Reply::See(format!("/portal/events/{event}?done=test"))),
        Err(failure) => again_with(&room, &asked, &seen, ours(failure)?).await,
    }
}

/// The page of the endpoint, with why something was refused.
async fn again_with(room: &Portal, asked: &Asked, seen: &Seen, failure: Failure) -> Result<Reply> {
    let query = Query::read(&Uri::from_static("/"), &[])?;
    view_of(room, asked, seen, &query, Some(failure)).await
}

async fn off(
    State(room): State<Portal>,
    asked: Asked,
    Path(endpoint): Path<String>,
) -> Result<Reply> {
    let seen = own(&room, &asked, &endpoint).await?;
    service::act(&room, &asked.who()?, &seen, Deed::SwitchOff).await?;
    Ok(back(&seen, "off"))
}

async fn on(
    State(room): State<Portal>,
    asked: Asked,
    Path(endpoint): Path<String>,
) -> Result<Reply> {
    let seen = own(&room, &asked, &endpoint).await?;
    let skip_missed = asked.field("skip_missed") == "on";
    service::act(&room, &asked.who()?, &seen, Deed::SwitchOn { skip_missed }).await?;
    Ok(back(&seen, "on"))
}

async fn delete(
    State(room): State<Portal>,
    asked: Asked,
    Path(endpoint): Path<String>,
) -> Result<Reply> {
    let seen = own(&room, &asked, &endpoint).await?;
    service::act(&room, &asked.who()?, &seen, Deed::Delete).await?;
    Ok(Reply::See("/portal/webhooks?done=deleted".to_owned()))
}

async fn rotate(
    State(room): State<Portal>,
    asked: Asked,
    Path(endpoint): Path<String>,
) -> Result<Reply> {
    let seen = own(&room, &asked, &endpoint).await?;
    let keys = service::rotate(&room, &asked.who()?, &seen, asked.field("overlap")).await?;
    let seen = own(&room, &asked, &endpoint).await?;
    let body = shown::rotated(&seen.endpoint, &keys, seen.health.old_secret_ends);
    Ok(asked.page(Some(Nav::Webhooks), "The new secret", &body))
}

fn which(asked: &Asked) -> Result<Which> {
    let number = |name: &str, otherwise: i64| match asked.field(name).trim() {
        "" => Ok(otherwise),
        text => text.parse().ok().filter(|number| *number > 0).ok_or_else(|| {
            Failure::invalid(Vec::new()).field(name, "must be the number of an event, from 1 on")
        }),
    };
    // People count both ends.
    let after = number("after", 1)?.saturating_sub(1);
    let through = number("through", i64::MAX)?;
    Ok(Which::Range { after, through, only_failed: asked.field("only_failed") == "on" })
}

async fn range(
    State(room): State<Portal>,
    asked: Asked,
    Path(endpoint): Path<String>,
) -> Result<Reply> {
    let seen = own(&room, &asked, &endpoint).await?;
    let (ctx, who) = (&room.ctx, asked.who()?);
    let planned = match which(&asked) {
        Ok(which) => again(ctx, &who, &endpoint, which).await,
        Err(failure) => Err(failure),
    };
    match planned {
        Ok(Again { planned, rest_from }) => {
            let rest = rest_from.map(|number| format!("&from={number}")).unwrap_or_default();
            let id = seen.endpoint.id;
            Ok(Reply::See(format!("/portal/webhooks/{id}?done=again&planned={planned}{rest}")))
        }
        Err(failure) => again_with(&room, &asked, &seen, ours(failure)?).await,
    }
}
