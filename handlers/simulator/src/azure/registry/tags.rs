//! What the Resources provider answers of tags, at each scope that they can hang on here: groups and resources in them.
//! It never answers anything itself.

use super::super::charges::Spend;
use super::super::tags;
use super::{Handler, Route, Service, route};

static TAGS: Service = Service { kind: "tags", versions: &["2025-04-01"] };

const GROUP: &str = "/subscriptions/{}/resourceGroups/{}/providers/Microsoft.Resources/tags/default";
const RESOURCE: &str =
    "/subscriptions/{}/resourceGroups/{}/providers/{}/{}/{}/providers/Microsoft.Resources/tags/default";
const WRITE: &str = "Microsoft.Resources/tags/write";

const fn at(method: &'static str, pattern: &'static str, action: &'static str, handler: Handler) -> Route {
    route(method, pattern, action, &TAGS, Spend::Nothing, handler, "tags-at-scope")
}

/// The routes.
pub(super) static ROUTES: &[Route] = &[
    at("GET", GROUP, "Microsoft.Resources/tags/read", tags::get),
    at("PUT", GROUP, WRITE, tags::put),
    at("PATCH", GROUP, WRITE, tags::patch),
    at("DELETE", GROUP, "Microsoft.Resources/tags/delete", tags::delete),
    at("GET", RESOURCE, "Microsoft.Resources/tags/read", tags::get),
    at("PUT", RESOURCE, WRITE, tags::put),
    at("PATCH", RESOURCE, WRITE, tags::patch),
    at("DELETE", RESOURCE, "Microsoft.Resources/tags/delete", tags::delete),
];
