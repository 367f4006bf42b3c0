//! Debian's Chromium, without a window and with scripts switched off as a person would do it, in a profile of its own.
//! It never sees more of a page than a person: what it drew up, as text.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::PATIENCE;
use crate::site::LOOK_EVERY;

/// The preference "do not allow sites to use JavaScript": the browser's own switch on the command line would also stop what prints pages.
const NO_SCRIPT: &str = r#"{"profile":{"default_content_setting_values":{"javascript":2}}}"#;
/// A page that says whether a script ran.
const SAYS: &str =
    "<!doctype html><p id=a>no script ran<script>document.getElementById('a').textContent='a script ran'</script>";

/// The browser.
pub struct Browser {
    folder: PathBuf,
}

/// A page, as the browser drew it up.
pub struct Drawn {
    /// Its elements, as the browser understood them.
    pub dom: String,
    text: String,
}

impl Browser {
    /// A browser in a folder of this name, of which it is certain that it runs no script.
    pub async fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _absent = std::fs::remove_dir_all(&folder);
        let profile = folder.join("profile/Default");
        std::fs::create_dir_all(&profile).expect("a folder for a test");
        std::fs::write(profile.join("Preferences"), NO_SCRIPT).expect("a file for a test");
        std::fs::write(folder.join("says.html"), SAYS).expect("a file for a test");
        let browser = Self { folder };
        let says = format!("file://{}", browser.folder.join("says.html").display());
        browser.shows(&says).await.holds(&["no script ran"]);
        browser
    }

    /// Shows a page.
    pub async fn shows(&self, url: &str) -> Drawn {
        let dom = self.runs(&["--dump-dom", url]).await;
        assert!(dom.contains("<html"), "{url} is not shown: {dom}");
        Drawn { text: text(&dom), dom }
    }

    /// Shows a page again until this stands in it.
    pub async fn shows_within(&self, url: &str, within: Duration, part: &str) -> Drawn {
        let looks = async {
            let mut looks = tokio::time::interval(LOOK_EVERY);
            loop {
                looks.tick().await;
                let drawn = self.shows(url).await;
                if drawn.text.contains(part) {
                    return drawn;
                }
            }
        };
        tokio::time::timeout(within, looks).await.unwrap_or_else(|_| panic!("{url} never shows: {part}"))
    }

    /// Keeps a picture of a page, for a person who looks at it, so wide and so high.
    pub async fn keeps_picture(&self, url: &str, name: &str, (wide, high): (u32, u32)) {
        let file = self.folder.join(format!("{name}.png"));
        let (picture, size) = (format!("--screenshot={}", file.display()), format!("--window-size={wide},{high}"));
        self.runs(&[&picture, &size, url]).await;
        let bytes = std::fs::read(&file).expect("a picture");
        assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 10_000, "{}", file.display());
    }

    async fn runs(&self, args: &[&str]) -> String {
        let mut command = Command::new("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"]);
        command.args([
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--no-proxy-server",
        ]);
        command.arg(format!("--user-data-dir={}", self.folder.join("profile").display())).args(args);
        command.stdin(Stdio::null()).kill_on_drop(true);
        let run = tokio::time::timeout(PATIENCE, command.output()).await.expect("it ends");
        let run = run.expect("Debian's package chromium is installed");
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
        String::from_utf8_lossy(&run.stdout).into_owned()
    }
}

impl Drawn {
    /// All of this can be read in it.
    pub fn holds(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.text.contains(part), "{part} is not in\n{}", self.text);
        }
    }

    /// It has what a person needs who does not see it, or sees it on a telephone.
    pub fn is_readable(&self) {
        let count = |part: &str| self.dom.matches(part).count();
        assert_eq!(count("<h1"), 1, "one heading of the first rank");
        for part in ["lang=\"en\"", "name=\"viewport\"", "<main>", "http-equiv=\"refresh\""] {
            assert!(count(part) > 0, "{part} is not in {}", self.dom);
        }
        assert_eq!(count("<table"), count("<thead"), "a table without headers");
        assert_eq!((count("<form"), count("<script"), count("<button"), count("<input")), (0, 0, 0, 0));
    }
}

/// What can be read in a page: the text of its body.
fn text(dom: &str) -> String {
    let body = dom.split_once("<body").map_or(dom, |(_, body)| body);
    let mut text = String::new();
    for part in body.split('<').skip(1) {
        text.push_str(part.split_once('>').map_or("", |(_, after)| after));
        text.push(' ');
    }
    let text = text.replace("&nbsp;", " ").replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">");
    text.replace("&amp;", "&").split_whitespace().collect::<Vec<_>>().join(" ")
}
