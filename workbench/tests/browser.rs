//! The dashboard in a real browser: keyboard, upload, pages without scripts, no request to any other host.

#[path = "browser/base64.rs"]
mod base64;
#[path = "browser/programs.rs"]
mod programs;
#[path = "browser/webdriver.rs"]
mod webdriver;

use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};

use programs::Programs;
use webdriver::{Browser, Scripts};
use workbench::dashboard::{Server, Settings};

const DESK: (u32, u32) = (1280, 800);
const PHONE: (u32, u32) = (390, 844);

/// The demonstration on a port of its own, served until the test program ends, and one browser at a time on it.
struct Desk {
    browser: Browser,
    origin: String,
    _alone: MutexGuard<'static, ()>,
}

static ALONE: Mutex<()> = Mutex::new(());

impl Desk {
    fn open(size: (u32, u32), scripts: Scripts) -> Option<Self> {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let programs = Programs::find()?;
        let origin = serve();
        Some(Self { browser: Browser::start(&programs, size, scripts), origin, _alone: alone })
    }

    fn go(&self, path: &str) {
        self.browser.go(&format!("{}{path}", self.origin));
    }

    /// Opens the first lesion of the worklist by its link.
    fn open_first_lesion(&self) {
        self.go("/");
        self.browser.click(".tile");
    }

    fn overlay(&self) -> String {
        self.browser.property("#overlay", "src").as_str().unwrap_or_default().to_owned()
    }

    /// Presses a key and waits until the map with the words of the query is shown.
    fn press_and_see(&self, keys: &str, query: &str) {
        self.browser.press(keys);
        self.browser
            .wait_for(&format!("document.getElementById('overlay').src.includes('{query}') && !document.querySelector('.loading')"));
    }

    fn keep_screenshot(&self, name: &str) {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/browser");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(name), self.browser.screenshot()).unwrap();
    }

    /// Everything the page loaded came from its own server, and nothing was refused or failed.
    fn assert_quiet_and_at_home(&self) {
        let requests = self.browser.requests();
        assert!(!requests.is_empty());
        let foreign = requests.iter().find(|address| !address.starts_with(&self.origin));
        assert_eq!(foreign, None, "asked elsewhere");
        assert_eq!(self.browser.messages(), Vec::<String>::new());
    }
}

fn serve() -> String {
    let (tell, told) = mpsc::channel::<SocketAddr>();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let server = Server::bind(Settings::demo().unwrap(), SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
            tell.send(server.address().unwrap()).unwrap();
            server.run(std::future::pending()).await.unwrap();
        });
    });
    format!("http://{}", told.recv().unwrap())
}

/// Given the worklist, when its first lesion is opened, then picture, map and seven bars with numbers are seen.
#[test]
fn a_lesion_shows_its_picture_its_map_and_seven_bars() {
    let Some(desk) = Desk::open(DESK, Scripts::On) else { return };
    desk.go("/");
    desk.browser.wait_for("[...document.images].slice(0, 6).every(image => image.complete && image.naturalWidth > 0)");
    desk.keep_screenshot("worklist.png");
    desk.assert_quiet_and_at_home();
    desk.open_first_lesion();
    desk.browser.wait_for("[...document.images].every(image => image.complete && image.naturalWidth >= 512)");
    let bars = desk.browser.run("return [...document.querySelectorAll('section .bars:not(.evidence) tbody tr')].map(row => row.innerText)");
    let bars = bars.as_array().unwrap();
    assert_eq!(bars.len(), 7);
    assert!(bars.iter().all(|bar| bar.as_str().unwrap().trim().ends_with('%')), "{bars:?}");
    assert!(desk.browser.text(".ruo").starts_with("Research use only"));
    assert!(desk.browser.text(".model").contains("trained on drawn lesions"));
    desk.keep_screenshot("reading.png");
    desk.browser.prefer_dark();
    assert_eq!(desk.browser.run("return getComputedStyle(document.body).backgroundColor"), "rgb(17, 22, 26)");
    desk.keep_screenshot("reading-dark.png");
    desk.assert_quiet_and_at_home();
}

/// Given the reading room, when only keys are pressed, then method, class, outline, colours, blink and help all follow.
#[test]
fn the_keyboard_alone_operates_the_reading_room() {
    let Some(desk) = Desk::open(DESK, Scripts::On) else { return };
    desk.open_first_lesion();
    desk.browser.wait_for("!document.getElementById('blink').hidden");
    assert!(desk.overlay().contains("method=relevance"));
    desk.press_and_see("m", "method=gradient");
    desk.press_and_see(".", "threshold=55");
    desk.press_and_see("]", "opacity=65");
    assert!(desk.overlay().contains("fill=on"), "an opacity without colours would do nothing");
    desk.press_and_see("t", "target=0");
    desk.press_and_see("a", "against=1"); // not 0: a class is not held against itself
    assert!(desk.browser.text("#map-caption").contains("against"), "{}", desk.browser.text("#map-caption"));
    assert!(desk.browser.address().contains("against=1"), "the address can be sent to somebody");
    let hidden = || desk.browser.run("return getComputedStyle(document.getElementById('overlay')).visibility");
    desk.browser.press("o");
    assert_eq!((hidden(), desk.browser.property("#blink", "ariaPressed")), ("hidden".into(), "true".into()));
    desk.browser.press("o");
    assert_eq!(hidden(), "visible");
    desk.keep_screenshot("contrast.png");
    desk.browser.press("?");
    assert_eq!(desk.browser.property("#help", "open"), true);
    desk.keep_screenshot("help.png");
    desk.browser.press("\u{E00C}"); // Escape
    assert_eq!(desk.browser.property("#help", "open"), false);
    let before = desk.browser.address();
    desk.browser.press("n");
    desk.browser.wait_for(&format!("location.href !== '{before}' && document.readyState === 'complete'"));
    desk.assert_quiet_and_at_home();
}

/// Given the tab key, when it is pressed through the reading room, then every control is reached and its focus is seen.
#[test]
fn every_control_is_reached_by_tab_with_a_visible_focus() {
    let Some(desk) = Desk::open(DESK, Scripts::On) else { return };
    desk.open_first_lesion();
    desk.browser.wait_for("!document.getElementById('blink').hidden");
    let mut reached = Vec::new();
    for _ in 0..40 {
        desk.browser.press("\u{E004}"); // Tab
        let outline = desk.browser.run("return getComputedStyle(document.activeElement).outlineStyle");
        assert_eq!(outline, "solid", "no visible focus on {:?}", desk.browser.run("return document.activeElement.outerHTML.slice(0, 90)"));
        reached.push(desk.browser.run("return document.activeElement.id").as_str().unwrap_or_default().to_owned());
        if reached.last().is_some_and(|id| id == "reset") {
            break;
        }
    }
    for control in ["help-button", "method", "target", "against", "threshold", "colormap", "fill", "opacity", "blink", "reset"] {
        assert!(reached.iter().any(|id| id == control), "{control} was not reached: {reached:?}");
    }
}

/// Given a picture on disk, when it goes through the form, then its reading is shown, and it says that nobody outlined it.
#[test]
fn a_picture_is_uploaded_through_the_form() {
    let Some(desk) = Desk::open(DESK, Scripts::On) else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my <b>lesion.png");
    datasets::synthetic::draw(datasets::LesionClass::Melanoma, 77, 300).image.save(&file).unwrap();
    desk.go("/");
    desk.browser.type_into("#picture", file.to_str().unwrap());
    desk.browser.click(".upload button");
    desk.browser.wait_for("document.getElementById('overlay')?.naturalWidth > 0");
    assert_eq!(desk.browser.text("h1"), "my <b>lesion.png");
    assert!(desk.browser.text("#evidence").contains("nobody outlined"));
    desk.keep_screenshot("upload.png");
    desk.assert_quiet_and_at_home();
}

/// Given a browser without scripts, when the form of the controls is sent, then page and map follow.
#[test]
fn the_reading_room_works_without_scripts() {
    let Some(desk) = Desk::open(DESK, Scripts::Off) else { return };
    desk.open_first_lesion();
    desk.browser.type_into("#method", "rollout-max");
    desk.browser.click("#fill");
    desk.browser.click("#apply");
    desk.browser.wait_for_address(&["method=rollout-max", "fill=on"]);
    assert!(desk.overlay().contains("method=rollout-max") && desk.overlay().contains("fill=on"));
    assert!(desk.browser.text("#map-caption").contains("rollout-max"));
    assert!(desk.browser.property("#overlay", "naturalWidth").as_u64().is_some_and(|width| width >= 512));
    desk.keep_screenshot("without-scripts.png");
}

/// Given the monitoring page, then its figures are drawn under the strict policy.
#[test]
fn monitoring_draws_its_figures() {
    let Some(desk) = Desk::open((1280, 2600), Scripts::On) else { return };
    desk.go("/monitoring");
    desk.browser.wait_for("document.querySelectorAll('.figure .main-svg').length >= 5");
    desk.browser.wait_for("[...document.querySelectorAll('.figure')].every(figure => figure.querySelector('.main-svg'))");
    desk.keep_screenshot("monitoring.png");
    desk.assert_quiet_and_at_home();
}

/// Given a phone's width, then nothing sticks out to the side on any page.
#[test]
fn pages_fit_a_phone() {
    let Some(desk) = Desk::open(PHONE, Scripts::On) else { return };
    for (page, name) in [("/", "phone-worklist.png"), ("/monitoring", "phone-monitoring.png")] {
        desk.go(page);
        fits(&desk, page);
        desk.keep_screenshot(name);
    }
    desk.open_first_lesion();
    desk.browser.wait_for("document.getElementById('overlay').naturalWidth > 0");
    fits(&desk, "the reading room");
    desk.keep_screenshot("phone-reading.png");
}

fn fits(desk: &Desk, page: &str) {
    let widest = desk.browser.run("return document.documentElement.scrollWidth").as_u64().unwrap();
    assert!(widest <= u64::from(PHONE.0), "{page} is {widest} pixels wide");
}
