//! Which HTTP function a path means.
//! It never looks at keys.

use super::definitions::{App, Function, Trigger};

/// A function and the parameters of its route.
pub(super) struct Match<'a> {
    pub(super) function: &'a Function,
    pub(super) parameters: Vec<(String, String)>,
}

/// Finds the function; of several the one with more fixed segments. A method that does not fit finds nothing.
pub(super) fn find<'a>(app: &'a App, method: &str, path: &str) -> Option<Match<'a>> {
    let mut segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    if segments.last() == Some(&"") {
        segments.pop();
    }
    for prefix in app.route_prefix.split('/').filter(|part| !part.is_empty()) {
        if !segments.first().is_some_and(|segment| segment.eq_ignore_ascii_case(prefix)) {
            return None;
        }
        segments.remove(0);
    }
    let candidates = app.functions.values().filter(|function| !function.disabled).filter_map(|function| {
        let Ok(Trigger::Http { methods, route, .. }) = &function.trigger else { return None };
        let fits = |methods: &Vec<String>| methods.iter().any(|known| known.eq_ignore_ascii_case(method));
        if !methods.as_ref().is_none_or(fits) {
            return None;
        }
        let parameters = matched(route, &segments)?;
        let fixed = route.split('/').filter(|part| !part.starts_with('{')).count();
        Some((fixed, Match { function, parameters }))
    });
    candidates.max_by_key(|(fixed, _)| *fixed).map(|(_, found)| found)
}

fn matched(route: &str, segments: &[&str]) -> Option<Vec<(String, String)>> {
    let mut parameters = Vec::new();
    let mut rest = segments;
    for part in route.trim_matches('/').split('/') {
        let Some(inner) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else {
            let (first, after) = rest.split_first()?;
            if !first.eq_ignore_ascii_case(part) {
                return None;
            }
            rest = after;
            continue;
        };
        if let Some(name) = inner.strip_prefix('*') {
            parameters.push((name.trim_start_matches('*').to_owned(), rest.join("/")));
            return Some(parameters);
        }
        let (name, constraint) = inner.split_once(':').unwrap_or((inner, ""));
        let optional = name.ends_with('?') || constraint.ends_with('?');
        let Some((first, after)) = rest.split_first() else {
            return optional.then_some(parameters);
        };
        if constraint.trim_end_matches('?') == "int" && first.parse::<i32>().is_err() {
            return None;
        }
        parameters.push((name.trim_end_matches('?').to_owned(), (*first).to_owned()));
        rest = after;
    }
    rest.is_empty().then_some(parameters)
}
