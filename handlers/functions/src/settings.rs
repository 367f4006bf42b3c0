//! The one place that reads the handler's environment: once, at the start, into values that cannot be wrong.
//! It never falls back where a wrong value could change what is protected; each error names the setting and what it should hold.

use std::time::Duration;

use lifeboat_execution::Authority;

/// The time that the host gives an invocation when `host.json` says nothing: its default on this plan is longer.
const FUNCTION_TIMEOUT_DEFAULT: Duration = Duration::from_secs(300);
/// The directory of the public cloud.
const AUTHORITY_URL: &str = "https://login.microsoftonline.com";
/// Subscriptions in scope, at most: more do not fit one Resource Graph query.
const SUBSCRIPTIONS_MAX: usize = 1_000;
/// Owned regions, at most: more than Azure has.
const REGIONS_MAX: usize = 200;
/// Hosts inside a network that probes may ask, at most: as many as probes are made in a minute.
const PROBE_HOSTS_MAX: usize = 50;
/// What LIFEBOAT_PROBE_HOSTS should hold.
const PROBE_HOSTS_EXPECTED: &str =
    "hosts inside your network that probes may ask, as in the URLs, separated by commas: shop.internal, 10.1.0.4";
/// What LIFEBOAT_OWNED_REGIONS should hold.
const REGIONS_EXPECTED: &str = "the regions whose machines this deployment changes, separated by commas: westeurope";

/// The handler's settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The time that the host gives an invocation.
    pub function_timeout: Duration,
    /// Id of this deployment.
    pub deployment: String,
    /// The blob container that is the store.
    pub store_url: String,
    /// Regions whose machines this deployment may change, lower-case and without blanks.
    pub owned_regions: Vec<String>,
    /// The region that this deployment itself lies in, in the same form; without it no recovery plan is ever ready.
    pub region: Option<String>,
    /// Subscriptions in scope.
    pub subscriptions: Vec<String>,
    /// ARM id of the storage account that Site Recovery is to use as cache when a failover is protected the other way.
    pub replication_cache: Option<String>,
    /// Where Azure Resource Manager is.
    pub arm_url: String,
    /// Service Bus namespace.
    pub bus_namespace: String,
    /// Where Service Bus is, if not at its namespace.
    pub bus_url: Option<String>,
    /// The endpoint of the Event Grid topic that other systems listen to; without it nobody is told.
    pub events_url: Option<String>,
    /// The user-assigned identity to act as.
    pub client_id: Option<String>,
    /// Hosts that probes may ask although they are inside a network.
    pub probe_hosts: Vec<String>,
    /// Where the tokens of persons come from, and whom they must be for; none where no order that needs a name is taken.
    pub authority: Option<Authority>,
}

/// A setting that is missing or wrong. The process cannot work and ends.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the setting {name} {fault}: expected {expected}")]
pub struct SettingError {
    /// Its name.
    pub name: &'static str,
    /// What is wrong.
    pub fault: Fault,
    /// What it should hold.
    pub expected: &'static str,
}

/// What is wrong with a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not set, or empty.
    #[error("is missing")]
    Missing,
    /// Something else.
    #[error("cannot be used")]
    Unusable,
}

impl Settings {
    /// Reads the process's environment.
    pub fn from_env() -> Result<Self, SettingError> {
        Self::read(variable)
    }

    /// Reads settings from wherever `get` takes them.
    pub fn read(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingError> {
        let optional = |name: &str| get(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
        let error = |name, fault, expected| SettingError { name, fault, expected };
        let required = |name, expected| optional(name).ok_or(error(name, Fault::Missing, expected));
        let deployment = required("LIFEBOAT_DEPLOYMENT", "an id of 1 to 40 letters, digits and dashes")?;
        if deployment.len() > 40 || !deployment.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            return Err(error("LIFEBOAT_DEPLOYMENT", Fault::Unusable, "an id of 1 to 40 letters, digits and dashes"));
        }
        let expected = "subscription ids, separated by commas, at most 1000";
        let subscriptions = required("LIFEBOAT_SUBSCRIPTIONS", expected)?;
        let subscriptions: Vec<String> = subscriptions.split(',').map(|id| id.trim().to_lowercase()).collect();
        let plain = |id: &String| !id.is_empty() && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        if subscriptions.len() > SUBSCRIPTIONS_MAX || !subscriptions.iter().all(plain) {
            return Err(error("LIFEBOAT_SUBSCRIPTIONS", Fault::Unusable, expected));
        }
        let store_url = required(
            "LIFEBOAT_STORE_URL",
            "the URL of a blob container, https://<account>.blob.core.windows.net/lifeboat",
        )?;
        Ok(Self {
            function_timeout: function_timeout(optional("FUNCTIONS_APP_ROOT_PATH").as_deref()),
            deployment,
            store_url,
            owned_regions: owned_regions(&required("LIFEBOAT_OWNED_REGIONS", REGIONS_EXPECTED)?).ok_or(error(
                "LIFEBOAT_OWNED_REGIONS",
                Fault::Unusable,
                REGIONS_EXPECTED,
            ))?,
            region: region(optional("LIFEBOAT_REGION")).ok_or(error(
                "LIFEBOAT_REGION",
                Fault::Unusable,
                "the region that this deployment lies in: northeurope",
            ))?,
            subscriptions,
            replication_cache: optional("LIFEBOAT_REPLICATION_CACHE"),
            arm_url: optional("LIFEBOAT_ARM_URL").unwrap_or_else(|| "https://management.azure.com".to_owned()),
            bus_namespace: required(
                "ServiceBus__fullyQualifiedNamespace",
                "a Service Bus namespace, <name>.servicebus.windows.net",
            )?,
            bus_url: optional("LIFEBOAT_SERVICEBUS_URL"),
            events_url: optional("LIFEBOAT_EVENTS_URL"),
            client_id: optional("AZURE_CLIENT_ID"),
            probe_hosts: probe_hosts(optional("LIFEBOAT_PROBE_HOSTS").as_deref()).ok_or(error(
                "LIFEBOAT_PROBE_HOSTS",
                Fault::Unusable,
                PROBE_HOSTS_EXPECTED,
            ))?,
            authority: authority(optional)?,
        })
    }
}

/// Tenant and audience, both or neither: with one alone somebody meant to take orders, and none would be.
fn authority(optional: impl Fn(&str) -> Option<String>) -> Result<Option<Authority>, SettingError> {
    let url = optional("LIFEBOAT_AUTHORITY_URL").unwrap_or_else(|| AUTHORITY_URL.to_owned());
    let missing = |name, expected| Err(SettingError { name, fault: Fault::Missing, expected });
    match (optional("LIFEBOAT_TENANT_ID"), optional("LIFEBOAT_AUDIENCE")) {
        (Some(tenant), Some(audience)) => Ok(Some(Authority { url, tenant, audience })),
        (None, None) => Ok(None),
        (None, Some(_)) => missing("LIFEBOAT_TENANT_ID", "the id of the tenant whose persons give orders"),
        (Some(_), None) => missing("LIFEBOAT_AUDIENCE", "the client id of the application that tokens are for"),
    }
}

/// Regions in the form of their names in ARM. A deployment without one could change nothing, and one that could change everything
/// would take another's machines for its own.
fn owned_regions(text: &str) -> Option<Vec<String>> {
    let plain = |region: &String| !region.is_empty() && region.bytes().all(|b| b.is_ascii_alphanumeric());
    let regions: Vec<String> = text.split(',').map(|name| name.replace(' ', "").to_lowercase()).collect();
    (regions.len() <= REGIONS_MAX && regions.iter().all(plain)).then_some(regions)
}

/// The deployment's own region; nothing where what is set is no region.
fn region(text: Option<String>) -> Option<Option<String>> {
    let Some(text) = text else { return Some(None) };
    let mut regions = owned_regions(&text)?;
    if regions.len() == 1 { Some(regions.pop()) } else { None }
}

/// Hosts as they stand in URLs; none where nothing is set. A wildcard would allow more than anybody has read.
fn probe_hosts(text: Option<&str>) -> Option<Vec<String>> {
    let plain =
        |host: &String| !host.is_empty() && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b));
    let hosts = text.into_iter().flat_map(|text| text.split(','));
    let hosts: Vec<String> = hosts.map(|host| host.trim().to_lowercase()).collect();
    (hosts.len() <= PROBE_HOSTS_MAX && hosts.iter().all(plain)).then_some(hosts)
}

/// A variable of the process's environment.
#[expect(clippy::disallowed_methods, reason = "this is the handler's one place that reads the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// `functionTimeout` of the app's `host.json`.
fn function_timeout(app_root: Option<&str>) -> Duration {
    let host = app_root.and_then(|root| std::fs::read_to_string(std::path::Path::new(root).join("host.json")).ok());
    let host: Option<serde_json::Value> = host.and_then(|text| serde_json::from_str(&text).ok());
    let timeout = host.as_ref().and_then(|host| host.get("functionTimeout")?.as_str()).and_then(timespan);
    timeout.unwrap_or(FUNCTION_TIMEOUT_DEFAULT)
}

/// A .NET TimeSpan of the form `hh:mm:ss`, with days before a dot.
fn timespan(text: &str) -> Option<Duration> {
    let (days, rest) = text.split_once('.').unwrap_or(("0", text));
    let parts: Vec<u64> = rest.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    let days: u64 = days.parse().ok()?;
    let secs = days.checked_mul(24)?.checked_add(*hours)?.checked_mul(60)?.checked_add(*minutes)?.checked_mul(60)?;
    Some(Duration::from_secs(secs.checked_add(*seconds)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str) -> Option<String> {
        let value = match name {
            "LIFEBOAT_DEPLOYMENT" => "lb-weu",
            "LIFEBOAT_STORE_URL" => "https://acct.blob.core.windows.net/lifeboat",
            "LIFEBOAT_OWNED_REGIONS" => "westeurope, North Europe",
            "LIFEBOAT_SUBSCRIPTIONS" => "00000000-0000-0000-0000-00000000000A, 00000000-0000-0000-0000-00000000000b",
            "ServiceBus__fullyQualifiedNamespace" => "ns.servicebus.windows.net",
            "LIFEBOAT_TENANT_ID" => "11111111-2222-3333-4444-555555555555",
            "LIFEBOAT_AUDIENCE" => "aaaaaaaa-0000-0000-0000-00000000000a",
            _ => return None,
        };
        Some(value.to_owned())
    }

    #[test]
    fn settings_are_read_and_what_is_missing_or_wrong_is_named() {
        let settings = Settings::read(set).expect("reads");
        assert_eq!(settings.subscriptions.len(), 2);
        assert_eq!(settings.owned_regions, ["westeurope", "northeurope"]);
        assert_eq!((settings.arm_url.as_str(), settings.events_url), ("https://management.azure.com", None));
        assert_eq!(settings.region, None, "nobody guesses it");
        assert!(settings.probe_hosts.is_empty(), "nothing inside is asked unless it is named");
        assert_eq!(settings.authority.map(|authority| authority.url).as_deref(), Some(AUTHORITY_URL));
        let neither = |name: &str| {
            if name.starts_with("LIFEBOAT_TENANT") || name == "LIFEBOAT_AUDIENCE" { None } else { set(name) }
        };
        assert_eq!(Settings::read(neither).expect("reads").authority, None, "then no order that needs a name is taken");
        for (name, value, fault) in [
            ("LIFEBOAT_DEPLOYMENT", "a/b", Fault::Unusable),
            ("LIFEBOAT_SUBSCRIPTIONS", "a,,b", Fault::Unusable),
            ("LIFEBOAT_STORE_URL", " ", Fault::Missing),
            ("LIFEBOAT_OWNED_REGIONS", "", Fault::Missing),
            ("LIFEBOAT_OWNED_REGIONS", "westeurope,", Fault::Unusable),
            ("LIFEBOAT_OWNED_REGIONS", "west/europe", Fault::Unusable),
            ("LIFEBOAT_PROBE_HOSTS", "*.internal", Fault::Unusable),
            ("LIFEBOAT_REGION", "westeurope,northeurope", Fault::Unusable),
            ("ServiceBus__fullyQualifiedNamespace", "", Fault::Missing),
            ("LIFEBOAT_TENANT_ID", "", Fault::Missing),
            ("LIFEBOAT_AUDIENCE", "", Fault::Missing),
        ] {
            let error = Settings::read(|n| if n == name { Some(value.to_owned()) } else { set(n) }).expect_err(name);
            assert_eq!((error.name, error.fault), (name, fault));
        }
    }

    #[test]
    fn the_hosts_time_out_is_read_as_it_writes_it() {
        assert_eq!(function_timeout(None), FUNCTION_TIMEOUT_DEFAULT);
        assert_eq!(timespan("00:10:00"), Some(Duration::from_secs(600)));
        assert_eq!(timespan("1.00:00:01"), Some(Duration::from_secs(86_401)));
        for nonsense in ["", "-1", "10", "a:b:c", "1:2", "99999999999999999999:0:0"] {
            assert_eq!(timespan(nonsense), None, "{nonsense}");
        }
    }
}
