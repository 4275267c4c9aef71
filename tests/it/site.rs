//! The dashboard as a browser without a script sees it: pages, forms, cookies, ways on; on the real program and real sockets.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rosterd::base::AccessRole;

use crate::daemon::{Daemon, until};
use crate::demo::Demo;
use crate::door::exchange;

/// A daemon on the demo whose door is open: with an overage that is minor and one that is major, a queue, and a customer of
/// whom nothing was ever taken in.
pub struct Site {
    pub demo: Demo,
    pub daemon: Daemon,
    pub address: String,
}

/// A customer without any package.
const ASPEN: &str = r#"
[[customer]]
id = "aspen"
name = "Aspen Academy"
profile = "school"
time_zone = "America/Denver"

[[customer.source]]
id = "sis"
kind = "oneroster_csv"
path = "demo/aspen"
drop = true
settle_secs = 0

[[customer.product]]
id = "learn"
kind = "module"
seat_model = "role"

[[customer.pool]]
id = "learn"
product = "learn"
owner = "aspen"
on_full = "wait"
"#;

impl Site {
    pub fn open(http: &str) -> Self {
        Self::open_with(http, "")
    }

    /// The same with more customers.
    pub fn open_with(http: &str, more: &str) -> Self {
        let demo = Demo::new();
        let text = fs::read_to_string(demo.settings_file()).expect("settings");
        let text = format!("[http]\nlisten = \"127.0.0.1:0\"\n{http}\n{text}{ASPEN}\n{more}");
        fs::write(demo.settings_file(), text).expect("written");
        fs::create_dir(demo.drops("aspen")).expect("a folder");
        demo.set("id = \"lxp-1\"\nseats = 20", "id = \"lxp-1\"\nseats = 16");
        demo.set("Larkspur Learning Ltd", "Larkspur <script>alert(1)</script> & Co");
        let daemon = Daemon::ready(&demo);
        let mut address = String::new();
        until("the door is open", || {
            let opened = daemon.events("door_opened");
            let first = opened.first().ok_or("not yet")?;
            address = first["address"].as_str().ok_or("no address")?.to_owned();
            Ok(())
        });
        let site = Self { demo, daemon, address };
        site.until_runs("northfield", 2);
        site.until_runs("larkspur", 1);
        site
    }

    pub fn until_runs(&self, customer: &str, runs: usize) {
        until("the packages are taken in", || {
            let all = self.demo.json(&format!("runs {customer}"));
            let over = all["runs"].as_array().map_or(0, |runs| runs.iter().filter(|run| !run["ended"].is_null()).count());
            if over >= runs { Ok(()) } else { Err(all.to_string()) }
        });
    }

    pub fn token(&self, role: AccessRole, more: &str) -> String {
        let org = if role.is_of_org() { " --customer northfield --org nf-cedar" } else { "" };
        let made = self.demo.json(&format!("token create {role}{more} --role {role}{org}"));
        made["text"].as_str().expect("a text").to_owned()
    }

    /// Northfield's source ends so many students at once, more than a guard lets go.
    pub fn end_students(&self, students: std::ops::Range<u32>) {
        let first =
            fs::read_to_string(self.demo.drops("northfield").join("2026-09-01/users.csv")).expect("the demo's first night");
        let mut lines = first.lines();
        let mut users = lines.next().expect("a header").to_owned();
        let keys: Vec<String> = students.map(|number| format!("s-{number:04},")).collect();
        for line in lines.filter(|line| keys.iter().any(|key| line.starts_with(key.as_str()))) {
            users += &format!("\n{}", line.replacen(",,,", ",tobedeleted,2026-09-03T01:15:00.000Z,", 1));
        }
        self.drop_users(&users);
    }

    /// Northfield's source tells of users alone.
    pub fn drop_users(&self, users: &str) {
        let drops = self.demo.drops("northfield");
        let manifest = fs::read_to_string(drops.join("2026-09-02/manifest.csv")).expect("a manifest");
        let manifest = manifest.replace("file.roles,delta", "file.roles,absent");
        let part = drops.join("2026-09-03.part");
        fs::create_dir(&part).expect("a folder");
        fs::write(part.join("users.csv"), users).expect("written");
        fs::write(part.join("manifest.csv"), manifest.replace("file.enrollments,delta", "file.enrollments,absent"))
            .expect("written");
        fs::rename(&part, drops.join("2026-09-03")).expect("moved");
    }

    /// The run whose removals a guard holds.
    pub fn held_run(&self) -> u64 {
        let mut run = None;
        until("a guard holds the removals", || {
            let held = self.demo.json("hold list northfield");
            run = held["holds"][0]["run"].as_u64();
            run.map(drop).ok_or_else(|| held.to_string())
        });
        run.expect("a run")
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { site: self, cookies: BTreeMap::new(), more: String::new() }
    }

    /// A browser in which somebody is signed in.
    pub fn signed_in(&self, token: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let done = browser.sign_in(token);
        assert_eq!((done.status, done.to()), (303, "/"), "{}", done.body);
        browser
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Reply {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Where it sends one on.
    pub fn to(&self) -> &str {
        self.header("location").unwrap_or_default()
    }

    /// The value of the first hidden field of this name.
    pub fn hidden(&self, name: &str) -> String {
        let from = format!("type=\"hidden\" name=\"{name}\" value=\"");
        let rest = self.body.split_once(&from).unwrap_or_else(|| panic!("no hidden {name} in {}", self.body)).1;
        rest.split('"').next().unwrap_or_default().to_owned()
    }
}

/// A browser without a script: it keeps cookies, fills in forms, and follows nothing by itself.
pub struct Browser<'s> {
    site: &'s Site,
    pub cookies: BTreeMap<String, String>,
    /// More headers, a line each.
    pub more: String,
}

impl Browser<'_> {
    pub fn ask(&mut self, method: &str, path: &str, form: &[(&str, &str)]) -> Reply {
        let pairs: Vec<String> = form.iter().map(|(name, value)| format!("{}={}", quoted(name), quoted(value))).collect();
        let body = pairs.join("&");
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = if cookies.is_empty() { String::new() } else { format!("Cookie: {}\r\n", cookies.join("; ")) };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/x-www-form-urlencoded\r\n" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{cookies}{kind}{}Content-Length: {}\r\n\r\n{body}",
            self.site.address,
            self.more,
            body.len()
        );
        let (status, head, body) = exchange(&self.site.address, &request, Duration::from_secs(120));
        for line in head.lines() {
            let Some((name, cookie)) = line.split_once(": ") else { continue };
            if name.eq_ignore_ascii_case("set-cookie") {
                let (name, value) = cookie.split(';').next().and_then(|pair| pair.split_once('=')).expect("a cookie");
                match cookie.contains("Max-Age=0") {
                    true => self.cookies.remove(name),
                    false => self.cookies.insert(name.to_owned(), value.to_owned()),
                };
            }
        }
        Reply { status, head, body }
    }

    pub fn get(&mut self, path: &str) -> Reply {
        self.ask("GET", path, &[])
    }

    /// A page that has to be there.
    pub fn page(&mut self, path: &str) -> Reply {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.body);
        reply
    }

    pub fn sign_in(&mut self, token: &str) -> Reply {
        let page = self.page("/login");
        self.ask("POST", "/login", &[("csrf", &page.hidden("csrf")), ("token", token)])
    }

    /// Sends a form of a page, with what the page gives along.
    pub fn send(&mut self, page: &Reply, to: &str, form: &[(&str, &str)]) -> Reply {
        assert!(page.body.contains(&format!("\"{to}\"")), "{to} is no form of {}", page.body);
        let csrf = page.hidden("csrf");
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend(form);
        self.ask("POST", to, &all)
    }
}

/// As a form is sent.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}
