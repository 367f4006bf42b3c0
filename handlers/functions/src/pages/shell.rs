//! What stands around every page: its head, its style, the way back, and when it was read.
//! It never loads anything: the style is in the page, by its digest the only one that the content policy allows.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use lifeboat_execution::views::View;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::parts::moment;
use super::{PAGES, path};

/// Seconds between two looks of an open page: a failover's own looks lie fifteen seconds apart, and a region is evaluated each minute.
const REFRESH_SECS: u32 = 10;

/// How a page looks, in light and in dark.
const STYLE: &str = include_str!("style.css");

/// What stands around a page.
pub struct Shell<'a> {
    /// Its title, and its one heading of the first rank.
    pub title: String,
    /// Which page it is; none where it can be asked for in one way only.
    pub view: Option<&'a View>,
    /// The deployment, where it is known.
    pub deployment: Option<&'a str>,
    /// When what it shows was read.
    pub at: Option<Timestamp>,
    /// Whether it stays as it is.
    pub still: bool,
}

impl Shell<'_> {
    /// The page with this body.
    pub fn around(&self, body: &Markup) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    @if !self.still { meta http-equiv="refresh" content=(REFRESH_SECS); }
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        nav aria-label="Pages" {
                            a href=(PAGES) { "Lifeboat" @if let Some(name) = self.deployment { " " (name) } }
                        }
                        (self.age())
                    }
                    main {
                        h1 { (self.title) }
                        (body)
                    }
                    footer { p { "This page only shows. Orders are given by the command " code { "lifeboat" } ", with the same --url." } }
                }
            }
        }
    }

    /// When it was read, and how to keep it as it is while it is read.
    fn age(&self) -> Markup {
        html! {
            p.quiet {
                @if let Some(at) = self.at { "As of " (moment(at)) ". " }
                @if let Some(view) = self.view {
                    @if self.still {
                        "It stays as it is. " a href=(path(view)) { "Follow" }
                    } @else {
                        "Read again every " (REFRESH_SECS) " s. " a href={ (path(view)) "?still=1" } { "Keep still" }
                    }
                }
            }
        }
    }
}

/// What a browser may do with a page: show it with its own style, and nothing else. No script, no form, no frame, no other source.
pub fn content_policy() -> &'static str {
    static POLICY: OnceLock<String> = OnceLock::new();
    POLICY.get_or_init(|| {
        let style = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    })
}
