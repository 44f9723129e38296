//! A browser without a face: it keeps its cookie, and sends forms as pages make them.

use crate::support::{
    app::TestApp,
    http::{Request, Response},
};

pub(crate) struct Visitor<'a> {
    app: &'a TestApp,
    pub(crate) cookie: Option<String>,
    /// What pages of this browser put into their forms.
    pub(crate) form_token: String,
    /// Where it seems to come from, through a proxy.
    pub(crate) address: Option<&'static str>,
    pub(crate) agent: String,
}

impl<'a> Visitor<'a> {
    pub(crate) fn new(app: &'a TestApp) -> Self {
        let agent = "Test/1.0".to_owned();
        Self { app, cookie: None, form_token: String::new(), address: None, agent }
    }

    pub(crate) async fn signed_in(app: &'a TestApp, email: &str, password: &str) -> Self {
        let mut visitor = Self::new(app);
        visitor.sign_in(email, password).await.expect_status(303);
        visitor
    }

    pub(crate) async fn sign_in(&mut self, email: &str, password: &str) -> Response {
        self.get("/portal/sign-in").await.expect_status(200);
        self.post("/portal/sign-in", &[("email", email), ("password", password)]).await
    }

    pub(crate) async fn get(&mut self, path: &str) -> Response {
        self.send(Request::get(path)).await
    }

    /// A form, with the token that this browser was given; a form of a fresh session gets its own.
    pub(crate) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Response {
        if self.form_token.is_empty() {
            self.get("/portal/account").await;
        }
        let token = self.form_token.clone();
        let mut fields = fields.to_vec();
        fields.push(("csrf", &token));
        self.send(Request::post(path).form(&fields)).await
    }

    pub(crate) async fn send(&mut self, request: Request) -> Response {
        let mut request = request.header("User-Agent", &self.agent);
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", cookie);
        }
        if let Some(address) = self.address {
            request = request.header("X-Forwarded-For", address);
        }
        let answer = self.app.send(request).await;
        if let Some(line) = answer.header("Set-Cookie") {
            self.cookie = Some(line.split(';').next().unwrap().to_owned());
            self.form_token.clear();
        }
        if let Some(token) = between(&answer.text(), "name=\"csrf\" value=\"", "\"") {
            self.form_token = token;
        }
        answer
    }

    /// Where a page sends this browser, if it does.
    pub(crate) async fn sent_on(&mut self, path: &str) -> Option<String> {
        self.get(path).await.header("Location").map(str::to_owned)
    }

    pub(crate) async fn is_in(&mut self) -> bool {
        self.get("/portal/account").await.status == 200
    }
}

/// The text between two others.
pub(crate) fn between(text: &str, start: &str, end: &str) -> Option<String> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside.to_owned())
}
