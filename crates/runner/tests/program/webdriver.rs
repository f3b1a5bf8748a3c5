//! A small client of the WebDriver protocol (W3C), spoken with Debian's `chromedriver`: JSON over HTTP, one call at a time.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// Quiet and alone: nothing is fetched, reported or kept.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
];

/// A headless Chromium with one page.
pub struct Browser {
    driver: Child,
    agent: ureq::Agent,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one; `None`, with a message, where Chromium and its driver are not installed.
    pub fn start() -> Option<Self> {
        let found = |name: &str| {
            let version = Command::new(name).arg("--version").stderr(Stdio::null()).output();
            version.is_ok_and(|output| output.status.success())
        };
        let browser = BROWSERS.into_iter().find(|name| found(name));
        let (Some(browser), true) = (browser, found("chromedriver")) else {
            testing::missing(
                "chromium",
                "needs chromium and chromedriver (Debian: chromium, chromium-driver)",
            );
            return None;
        };
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the driver starts");
        let lines = BufReader::new(driver.stdout.take().expect("a pipe")).lines();
        let port = lines
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, port) = line.split_once("started successfully on port ")?;
                port.trim_end_matches('.').parse::<u16>().ok()
            })
            .expect("the driver says its port");
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .proxy(None)
            .build()
            .into();
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut arguments = FLAGS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        let binary = which(browser);
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"binary": binary, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let mut this = Self {
            driver,
            agent,
            session: format!("http://127.0.0.1:{port}/session"),
            _profile: profile,
        };
        let made = this.post("", &capabilities);
        this.session = format!("{}/{}", this.session, made["sessionId"].as_str().expect("a session"));
        Some(this)
    }

    /// Loads a file of this machine; `after` is added to its address.
    pub fn open(&self, path: &Path, after: &str) {
        self.post("/url", &json!({"url": format!("file://{}{after}", path.display())}));
    }

    /// Runs a function's body in the page.
    pub fn script(&self, body: &str) -> Value {
        self.post("/execute/sync", &json!({"script": body, "args": []}))
    }

    /// Waits until a script says true, for ten seconds.
    pub fn wait_for(&self, what: &str, body: &str) {
        let until = Instant::now() + Duration::from_secs(10);
        while self.script(body) != json!(true) {
            assert!(Instant::now() < until, "{what}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Clicks the first element of a CSS selector, as a hand would: it must be visible.
    pub fn click(&self, selector: &str) {
        let element = self.element(selector);
        // Not at the very edge, where something may lie over it.
        self.post(
            "/execute/sync",
            &json!({"script": "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", "args": [{ELEMENT: element}]}),
        );
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Types into the first element of a CSS selector.
    pub fn type_into(&self, selector: &str, text: &str) {
        let element = self.element(selector);
        self.post(&format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// What a screen reader calls the elements of a CSS selector.
    pub fn spoken_names(&self, selector: &str) -> Vec<String> {
        let found = self.post("/elements", &json!({"using": "css selector", "value": selector}));
        found
            .as_array()
            .expect("elements")
            .iter()
            .map(|element| {
                let id = element[ELEMENT].as_str().expect("an element");
                let name = self.get(&format!("/element/{id}/computedlabel"));
                name.as_str().expect("a name").to_owned()
            })
            .collect()
    }

    /// A command of Chromium's own protocol.
    pub fn chromium(&self, command: &str, parameters: &Value) -> Value {
        self.post("/goog/cdp/execute", &json!({"cmd": command, "params": parameters}))
    }

    /// What the console has said since the last call.
    pub fn console(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().expect("entries").iter();
        entries
            .map(|entry| format!("{} {}", entry["level"], entry["message"]))
            .collect()
    }

    /// The whole page as it stands, as a PNG.
    pub fn picture(&self) -> Vec<u8> {
        let size = self.chromium("Page.getLayoutMetrics", &json!({}))["cssContentSize"].clone();
        let clip = json!({"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1});
        let shot = self.chromium(
            "Page.captureScreenshot",
            &json!({"captureBeyondViewport": true, "clip": clip}),
        );
        STANDARD.decode(shot["data"].as_str().expect("data")).expect("base64")
    }

    fn element(&self, selector: &str) -> String {
        let found = self.post("/element", &json!({"using": "css selector", "value": selector}));
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    fn get(&self, path: &str) -> Value {
        let response = self.agent.get(format!("{}{path}", self.session)).call();
        Self::value(path, response)
    }

    pub fn post(&self, path: &str, body: &Value) -> Value {
        let request = self.agent.post(format!("{}{path}", self.session));
        Self::value(
            path,
            request
                .header("content-type", "application/json")
                .send(body.to_string()),
        )
    }

    fn value(path: &str, response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Value {
        let mut response = response.unwrap_or_else(|error| panic!("{path}: {error}"));
        let text = response
            .body_mut()
            .with_config()
            .limit(200 << 20)
            .read_to_string()
            .expect("a body");
        let mut answer: Value = serde_json::from_str(&text).expect("JSON");
        let value = answer["value"].take();
        if let Some(error) = value["error"].as_str() {
            panic!("{path}: {error}: {}", value["message"]);
        }
        value
    }
}

/// The key under which the protocol hands over elements.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// The program of this name in `PATH`.
fn which(name: &str) -> String {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places
        .find(|place| place.is_file())
        .map_or_else(|| name.to_owned(), |place| place.display().to_string())
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Ends Chromium too; what is left of it goes with the driver.
        self.agent.delete(&self.session).call().ok();
        self.driver.kill().ok();
        self.driver.wait().ok();
    }
}
