//! The settings that the work rests on, as values: whoever starts the process reads them from its environment.
//! It never reads the environment itself.

/// Settings of one deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Id of this deployment: stands in the tag of what it makes.
    pub deployment: String,
    /// Regions whose machines this deployment may change, lower-case and without blanks.
    pub owned_regions: Vec<String>,
    /// Subscriptions in scope.
    pub subscriptions: Vec<String>,
    /// What is running: release and build.
    pub build: Build,
}

/// The program that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Its release.
    pub version: String,
    /// What tells this build from others of the same release.
    pub id: String,
}
