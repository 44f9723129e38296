//! A hundred lines of `WebDriver`, over the tests' own HTTP.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Instant,
};

use base64::Engine as _;
use serde_json::{Value, json};
use tokio::task::block_in_place;

use crate::support::{
    guarded::{Guarded, Program},
    http::{Request, Response},
    scratch,
};

const MISSING: &str =
    "chromedriver is not installed: run `make test`, which installs what the tests need";
/// Longer than any page takes.
const PATIENCE_MS: u64 = 20_000;

/// A browser of its own, with its network log.
pub(super) struct Browser {
    address: SocketAddr,
    session: String,
    pub(super) downloads: PathBuf,
    _driver: Guarded,
}

impl Browser {
    pub(super) async fn open() -> Self {
        let home = scratch::directory("browser");
        let program = Program::new("chromedriver", &home).arg("--port=0");
        let driver = block_in_place(|| program.start("started successfully on port"));
        let driver = driver.unwrap_or_else(|printed| panic!("{MISSING}: {printed}"));
        let port = driver.ready_line.trim_end_matches('.').rsplit(' ').next().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap()));
        // In a container Chromium's own sandbox cannot be made; what it opens here is ours alone.
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1280,900",
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments },
            "goog:loggingPrefs": { "browser": "ALL", "performance": "ALL" },
            "timeouts": { "implicit": PATIENCE_MS, "script": PATIENCE_MS },
            "unhandledPromptBehavior": "accept",
        } } });
        let made = Request::post("/session").json(&wanted).send(address).await;
        let session = value(&made)["sessionId"].as_str().unwrap().to_owned();
        let downloads = home.join("downloads");
        fs::create_dir_all(&downloads).unwrap();
        let browser = Self { address, session, downloads, _driver: driver };
        let place = json!({ "behavior": "allow", "downloadPath": browser.downloads });
        browser.devtools("Browser.setDownloadBehavior", &place).await;
        browser
    }

    async fn ask(&self, path: &str, body: &Value) -> Value {
        let path = format!("/session/{}/{path}", self.session);
        value(&Request::post(&path).json(body).send(self.address).await)
    }

    pub(super) async fn go(&self, url: &str) {
        self.ask("url", &json!({ "url": url })).await;
    }

    /// Runs a function body in the page.
    pub(super) async fn run(&self, script: &str) -> Value {
        self.ask("execute/sync", &json!({ "script": script, "args": [] })).await
    }

    /// The same for one that calls its last argument when it is done.
    pub(super) async fn run_async(&self, script: &str) -> Value {
        self.ask("execute/async", &json!({ "script": script, "args": [] })).await
    }

    pub(super) async fn devtools(&self, command: &str, parameters: &Value) -> Value {
        self.ask("goog/cdp/execute", &json!({ "cmd": command, "params": parameters })).await
    }

    /// Gives the machine a device that keeps passkeys and has just seen its owner's finger.
    pub(super) async fn with_authenticator(&self) {
        let device = json!({
            "protocol": "ctap2", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true,
        });
        self.ask("webauthn/authenticator", &device).await;
    }

    /// Waits until there is such an element; gives its name in the protocol.
    async fn find(&self, selector: &str) -> String {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.ask("element", &wanted).await;
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    pub(super) async fn wait_for(&self, selector: &str) {
        self.find(selector).await;
    }

    pub(super) async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        self.ask(&format!("element/{element}/click"), &json!({})).await;
    }

    pub(super) async fn fill(&self, selector: &str, text: &str) {
        let element = self.find(selector).await;
        self.ask(&format!("element/{element}/clear"), &json!({})).await;
        self.ask(&format!("element/{element}/value"), &json!({ "text": text })).await;
    }

    pub(super) async fn text(&self, selector: &str) -> String {
        self.find(selector).await;
        let script = format!("return document.querySelector({}).textContent", json!(selector));
        self.run(&script).await.as_str().unwrap().to_owned()
    }

    /// The content of a downloaded file, as soon as it is there and whole.
    pub(super) async fn downloaded(&self, name: &str) -> String {
        let begun = Instant::now();
        let place = self.downloads.join(name);
        loop {
            // Chromium renames the file when it is complete.
            if let Ok(text) = fs::read_to_string(&place)
                && !text.is_empty()
            {
                fs::remove_file(&place).unwrap();
                return text;
            }
            assert!(begun.elapsed().as_secs() < 20, "{name} was not downloaded");
            self.run("return 1").await;
        }
    }

    /// What the browser has logged of this kind since the last look.
    pub(super) async fn log(&self, kind: &str) -> Vec<Value> {
        let lines = self.ask("se/log", &json!({ "type": kind })).await;
        lines.as_array().unwrap().clone()
    }

    /// Fails on errors in the console: broken scripts, and what the CSP has refused.
    pub(super) async fn expect_quiet(&self, page: &str) {
        let lines = self.log("browser").await;
        let bad: Vec<_> = lines.iter().filter(|line| line["level"] == "SEVERE").collect();
        assert!(bad.is_empty(), "{page}: {bad:#?}");
        let violation = |line: &&Value| line.to_string().contains("Content Security Policy");
        assert!(!lines.iter().any(|line| violation(&line)), "{page}: {lines:#?}");
    }

    pub(super) async fn picture(&self, place: &Path) {
        let taken = self.devtools("Page.captureScreenshot", &json!({ "format": "png" })).await;
        let png = base64::prelude::BASE64_STANDARD.decode(taken["data"].as_str().unwrap());
        fs::write(place, png.unwrap()).unwrap();
    }

    pub(super) async fn close(self) {
        Request::new("DELETE", &format!("/session/{}", self.session)).send(self.address).await;
    }
}

#[track_caller]
fn value(answer: &Response) -> Value {
    let json = answer.json();
    assert_eq!(answer.status, 200, "{json}");
    json["value"].clone()
}
