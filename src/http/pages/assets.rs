//! Style, script and picture: part of the program, named by their content, so that a browser keeps them for good.

use std::sync::LazyLock;

use crate::base::Digest;
use crate::http::pages::reply::Reply;

struct Asset {
    /// Below `/assets/`.
    name: String,
    path: String,
    kind: &'static str,
    text: &'static str,
}

impl Asset {
    fn new(stem: &str, ending: &str, kind: &'static str, text: &'static str) -> Self {
        let name = format!("{stem}-{}.{ending}", Digest::of(text.as_bytes()).short());
        Self { path: format!("/assets/{name}"), name, kind, text }
    }
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new("style", "css", "text/css; charset=utf-8", include_str!("assets/style.css")),
        Asset::new("script", "js", "text/javascript; charset=utf-8", include_str!("assets/script.js")),
        Asset::new("icon", "svg", "image/svg+xml", include_str!("assets/icon.svg")),
    ]
});

/// Where the style is.
pub fn style_path() -> &'static str {
    &ASSETS[0].path
}

/// Where the script is.
pub fn script_path() -> &'static str {
    &ASSETS[1].path
}

/// Where the picture is.
pub fn icon_path() -> &'static str {
    &ASSETS[2].path
}

/// One of them by its name; anybody may have it.
pub fn asset(name: &str) -> Option<Reply> {
    ASSETS.iter().find(|asset| asset.name == name).map(|asset| Reply::asset(asset.kind, asset.text))
}
