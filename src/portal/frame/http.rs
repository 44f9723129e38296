//! The gate that every request to a page passes, and the routes behind it.
//!
//! Nothing is left to a handler that it could forget: a form without its token does not arrive, and a
//! route cannot be added without saying who may use it.

use std::{convert::Infallible, sync::Arc};

use axum::{
    Extension, Router,
    body::{Body, Bytes, to_bytes},
    extract::{FromRequestParts, Request, State},
    handler::Handler,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
    routing::{MethodRouter, get, post},
};
use maud::{Markup, html};

use super::{
    Asked, Frame, Known, Nav, Needs,
    asked::{Inner, ended},
    assets::{self, Asset},
    csv::File,
    path,
    words::sentence,
};
use crate::{
    base::failure::{Code, Failure, Result},
    portal::{
        Portal,
        names::Token,
        sessions::{self, Stage},
    },
    web::{
        address::{self, Host},
        error, form,
    },
};

/// More than any form of ours has.
const LONGEST_FORM: usize = 16 << 10;
const LONGEST_AGENT: usize = 200;
/// The field of forms, and the header of scripts, that shows who made them.
const FORM_TOKEN: &str = "csrf";
const FORM_TOKEN_HEADER: &str = "x-csrf-token";

impl Asked {
    /// A page.
    pub(in crate::portal) fn page(&self, nav: Option<Nav>, title: &str, body: &Markup) -> Reply {
        self.framed(nav, title, body, None)
    }

    /// A page that asks for a passkey.
    pub(in crate::portal) fn passkey_page(
        &self,
        nav: Option<Nav>,
        title: &str,
        body: &Markup,
    ) -> Reply {
        self.framed(nav, title, body, Some(&assets::PASSKEYS))
    }

    /// A page that makes keys.
    pub(in crate::portal) fn key_page(&self, title: &str, body: &Markup) -> Reply {
        self.framed(Some(Nav::Credentials), title, body, Some(&assets::KEYS))
    }

    fn framed(
        &self,
        nav: Option<Nav>,
        title: &str,
        body: &Markup,
        script: Option<&Asset>,
    ) -> Reply {
        let frame = Frame {
            title,
            nav,
            session: self.0.session.as_ref(),
            csrf: &self.form_token(),
            environment: self.0.environment,
            script,
        };
        Reply::Page(StatusCode::OK, frame.around(body).into_string())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self> {
        let found = parts.extensions.get::<Self>().cloned();
        found.ok_or_else(|| Failure::internal("a page stands outside of the gate"))
    }
}

/// What a handler answers.
#[derive(Debug)]
pub(in crate::portal) enum Reply {
    /// A document.
    Page(StatusCode, String),
    /// Go there, and do not send the form again.
    See(String),
    /// The same, with a new cookie, or with none any more.
    SeeWith(String, Option<Token>),
    /// For a script.
    Json(serde_json::Value),
    /// To be kept, in pieces as they are made.
    File(File),
}

impl Reply {
    /// The page again, because of what is wrong with it.
    pub(in crate::portal) fn refused(self, failure: &Failure) -> Self {
        let status = StatusCode::from_u16(failure.kind().status());
        match self {
            Self::Page(_, body) => {
                Self::Page(status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY), body)
            }
            other => other,
        }
    }
}

/// A cookie that the gate shall set.
#[derive(Clone)]
struct SetCookie(Option<Token>);

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let see = |path: String| {
            let place = HeaderValue::try_from(path).unwrap_or(HeaderValue::from_static("/portal"));
            (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response()
        };
        match self {
            Self::Page(status, text) => {
                (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
            }
            Self::See(path) => see(path),
            Self::SeeWith(path, cookie) => {
                let mut response = see(path);
                response.extensions_mut().insert(SetCookie(cookie));
                response
            }
            Self::Json(value) => axum::Json(value).into_response(),
            Self::File(File { name, media, text }) => {
                let kept = format!("attachment; filename=\"{name}\"");
                let head =
                    [(header::CONTENT_TYPE, media), (header::CONTENT_DISPOSITION, kept.as_str())];
                (head, Body::from_stream(text)).into_response()
            }
        }
    }
}

/// The routes, each with who may use it.
#[derive(Default)]
pub(in crate::portal) struct Pages {
    router: Router<Portal>,
    known: Vec<Known>,
}

impl Pages {
    /// A page to look at.
    pub(in crate::portal) fn get<H, T>(self, path: &'static str, needs: Needs, handler: H) -> Self
    where
        H: Handler<T, Portal>,
        T: 'static,
    {
        self.add("GET", path, needs, get(handler))
    }

    /// A form that does something.
    pub(in crate::portal) fn post<H, T>(self, path: &'static str, needs: Needs, handler: H) -> Self
    where
        H: Handler<T, Portal>,
        T: 'static,
    {
        self.add("POST", path, needs, post(handler))
    }

    fn add(
        mut self,
        method: &'static str,
        path: &'static str,
        needs: Needs,
        route: MethodRouter<Portal, Infallible>,
    ) -> Self {
        let admit = move |Extension(asked): Extension<Asked>, request: Request, next: Next| async move {
            admit(needs, &asked, request, next).await
        };
        self.router = self.router.route(path, route.layer(from_fn(admit)));
        self.known.push(Known { method, path, needs });
        self
    }

    /// Each route.
    pub(in crate::portal) fn known(self) -> Vec<Known> {
        self.known
    }

    /// The routes behind the gate, and the assets in front of it.
    pub(in crate::portal) fn into_router(self, room: &Portal) -> Router {
        let pages = self
            .router
            .method_not_allowed_fallback(async || Failure::new(Code::MethodNotAllowed))
            .route("/portal/{*rest}", get(async || Failure::new(Code::NotFound)))
            .layer(axum::middleware::from_fn_with_state(room.clone(), gate))
            .with_state(room.clone());
        assets::all().into_iter().fold(pages, |router, asset| {
            let kept = "public, max-age=31536000, immutable";
            let answer = (
                [(header::CONTENT_TYPE, asset.media), (header::CACHE_CONTROL, kept)],
                asset.content,
            );
            router.route(&asset.path, get(async move || answer.into_response()))
        })
    }
}

async fn admit(needs: Needs, asked: &Asked, request: Request, next: Next) -> Response {
    let session = asked.0.session.as_ref();
    let stage = session.map(|session| session.stage);
    let allowed = match (needs, stage) {
        (Needs::Anybody, _)
        | (Needs::Code, Some(Stage::Code))
        | (Needs::Person, Some(Stage::Full)) => true,
        (Needs::Right(right), Some(Stage::Full)) => {
            if !asked.may(right) {
                let why = "your role does not allow that; ask an owner of your team";
                return Failure::because(Code::Forbidden, why).into_response();
            }
            true
        }
        _ => false,
    };
    if allowed {
        return next.run(request).await;
    }
    if request.method() != Method::GET {
        return ended().into_response();
    }
    let place = match (needs, stage) {
        (Needs::Code, Some(Stage::Full)) => "/portal".to_owned(),
        (_, Some(Stage::Code)) => "/portal/sign-in/code".to_owned(),
        _ => sign_in_for(request.uri()),
    };
    Reply::See(place).into_response()
}

fn sign_in_for(uri: &axum::http::Uri) -> String {
    let asked = uri.path_and_query().map_or("/portal", |asked| asked.as_str());
    match path::local(asked).filter(|asked| *asked != "/portal") {
        Some(next) => {
            let query =
                form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            format!("/portal/sign-in?{query}")
        }
        None => "/portal/sign-in".to_owned(),
    }
}

/// Finds the session, reads the form and refuses what another site has sent.
async fn gate(State(room): State<Portal>, request: Request, next: Next) -> Response {
    match passed(&room, request).await {
        Err(failure) => failure.into_response(),
        Ok((asked, is_new, request)) => {
            let mut response = next.run(request).await;
            let set = response.extensions_mut().remove::<SetCookie>();
            let first = is_new.then(|| SetCookie(Some(asked.0.cookie.clone())));
            if let Some(SetCookie(cookie)) = set.or(first) {
                let line = cookie_line(room.https, cookie.as_ref());
                response.headers_mut().insert(header::SET_COOKIE, line);
            }
            response.extensions_mut().insert(asked);
            response
        }
    }
}

async fn passed(room: &Portal, request: Request) -> Result<(Asked, bool, Request)> {
    let (mut parts, body) = request.into_parts();
    let brought = cookie(&parts.headers, room.https);
    let session = match &brought {
        Some(cookie) => sessions::find(&room.ctx, cookie).await?,
        None => None,
    };
    let mut form = form::Form::default();
    if parts.method != Method::GET && parts.method != Method::HEAD {
        from_our_own_page(room, &parts.headers)?;
        let bytes = to_bytes(body, LONGEST_FORM).await;
        let bytes = bytes.map_err(|_| Failure::new(Code::BodyTooLarge))?;
        form = read(&parts.headers, &bytes)?;
        let sent = parts.headers.get(FORM_TOKEN_HEADER).and_then(|value| value.to_str().ok());
        let sent = sent.or_else(|| form.get(FORM_TOKEN)).unwrap_or_default();
        if !brought.as_ref().is_some_and(|cookie| cookie.made(sent)) {
            return Err(stale());
        }
    }
    let is_new = brought.is_none();
    let address = address::client(&parts.extensions, &parts.headers, &room.proxies);
    let agent = parts.headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let asked = Asked(Arc::new(Inner {
        cookie: brought.unwrap_or_else(|| Token::draw(&room.ctx.random)),
        session,
        form,
        address: Host::from(address).to_string(),
        agent: agent.unwrap_or_default().chars().take(LONGEST_AGENT).collect(),
        environment: room.environment,
    }));
    parts.extensions.insert(asked.clone());
    Ok((asked, is_new, Request::from_parts(parts, Body::empty())))
}

fn read(headers: &HeaderMap, bytes: &Bytes) -> Result<form::Form> {
    if bytes.is_empty() {
        return Ok(form::Form::default());
    }
    if !form::is_form(headers) {
        return Err(Failure::new(Code::UnsupportedMediaType));
    }
    let form = form::Form::parse(bytes)?;
    // PostgreSQL stores no NUL: further in, one would look like a fault of ours.
    if form.names().any(|name| form.all(name).any(|value| value.contains('\0'))) {
        return Err(Failure::because(Code::InvalidRequest, "a field holds a NUL character"));
    }
    Ok(form)
}

/// What browsers say of where a form comes from. The token decides; this refuses the same attack in
/// another way, should the token ever leak.
fn from_our_own_page(room: &Portal, headers: &HeaderMap) -> Result<()> {
    let said = |name: &str| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let site = said("sec-fetch-site").is_none_or(|site| site == "same-origin");
    let origin = said("origin").is_none_or(|origin| room.origins.iter().any(|own| own == origin));
    if site && origin { Ok(()) } else { Err(stale()) }
}

fn stale() -> Failure {
    let why =
        "this form was not made for this browser, or is too old; open the page again and repeat it";
    Failure::because(Code::Forbidden, why)
}

/// With `__Host-` a browser takes the cookie from us over TLS only, for this host and all of its
/// paths: a neighbour on another subdomain cannot plant one.
const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-counterfoil" } else { "counterfoil" }
}

fn cookie(headers: &HeaderMap, https: bool) -> Option<Token> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut ours = pairs.filter(|(name, _)| *name == cookie_name(https));
    // Two of one name: one of them was planted, and nobody knows which.
    match (ours.next(), ours.next()) {
        (Some((_, value)), None) => Token::brought(value),
        _ => None,
    }
}

fn cookie_line(https: bool, cookie: Option<&Token>) -> HeaderValue {
    let (name, secure) = (cookie_name(https), if https { "; Secure" } else { "" });
    let value = cookie.map(Token::expose).unwrap_or_default();
    let ends = if cookie.is_none() { "; Max-Age=0" } else { "" };
    let line = format!("{name}={value}; Path=/; HttpOnly; SameSite=Lax{secure}{ends}");
    let mut line = HeaderValue::try_from(line).unwrap_or(HeaderValue::from_static(""));
    line.set_sensitive(true);
    line
}

/// Writes refusals as pages, and the headers that every page has; the outermost layer of the group.
pub(in crate::portal) async fn finish(
    State(room): State<Portal>,
    request: Request,
    next: Next,
) -> Response {
    // A script reads the API's envelope.
    let script = request.headers().contains_key(FORM_TOKEN_HEADER);
    let mut response = next.run(request).await;
    let asked = response.extensions_mut().remove::<Asked>();
    if !script && let Some(failure) = error::take(&mut response) {
        let mut shown = shown(&room, asked.as_ref(), &failure).into_response();
        for (name, value) in response.headers() {
            shown.headers_mut().entry(name).or_insert_with(|| value.clone());
        }
        error::add_headers(&mut shown, &failure);
        response = shown;
    }
    let mut set = |name: HeaderName, value: &'static str| {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(header::CACHE_CONTROL, "no-store");
    // Not no-referrer: with that, browsers call the origin of our own forms null.
    set(header::REFERRER_POLICY, "same-origin");
    set(header::X_FRAME_OPTIONS, "DENY");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()");
    response
}

fn shown(room: &Portal, asked: Option<&Asked>, failure: &Failure) -> Reply {
    let status = failure.kind().status();
    let body = html! {
        section.refusal {
            p.code { (status) }
            h1 { (headline(status)) }
            p { (sentence(failure.message())) }
            @for fault in failure.fields() { p { code { (fault.field) } " " (fault.message) } }
            p { a.button href="/portal" { "Go to the overview" } }
        }
    };
    let session = asked.and_then(|asked| asked.0.session.as_ref());
    let full = session.filter(|session| session.stage == Stage::Full);
    let frame = Frame {
        title: headline(status),
        nav: None,
        session: full,
        csrf: "",
        environment: room.environment,
        script: None,
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Reply::Page(status, frame.around(&body).into_string())
}

const fn headline(status: u16) -> &'static str {
    match status {
        401 => "Please sign in again",
        403 => "That is not allowed",
        404 => "There is nothing here",
        429 => "Too many tries",
        400..=499 => "That does not work",
        _ => "Something broke on our side",
    }
}
