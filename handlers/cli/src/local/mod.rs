//! stub
use anyhow::Result;
use crate::output::Outcome;
use crate::settings::Settings;
/// stub
#[derive(Debug, clap::Args)]
#[command(after_help="Exit codes: 0 ")]
pub struct LocalArgs {}
/// stub
pub async fn run(_args: &LocalArgs, settings: &Settings) -> Result<Outcome> {
    println!("{}", crate::handler::beside_or_built(settings).await?.display());
    Ok(Outcome::Held)
}
