//! `lifeboat package`: writes the zip that is deployed.
//! It never deploys it, and never leaves half a zip under the name asked for.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::handler::{self, Build, Linking};
use crate::output::{self, Form, Outcome};
use crate::settings::Settings;
use crate::stage;

/// Writes the zip that is deployed: host.json, one folder for each function, and the handler, static, for x86-64 Linux.
///
/// The same sources give the same bytes. What to do with the zip is in infra/README.md.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat package
  lifeboat package --out build/lifeboat.zip
  lifeboat package --handler target/x86_64-unknown-linux-gnu/dist/lifeboat-handler

Exit codes: 0 the zip is written, 1 it is not, and why is said, 2 the command line was not understood.")]
pub struct PackageArgs {
    /// The zip to write; one that is there is replaced.
    #[arg(long, value_name = "FILE", default_value = "lifeboat.zip")]
    out: PathBuf,
    /// Takes this executable instead of building one.
    #[arg(long, value_name = "PATH", conflicts_with = "profile")]
    handler: Option<PathBuf>,
    /// The cargo profile to build in: only `dist` is static and small; others build faster, for tests.
    #[arg(long, value_name = "NAME", default_value = "dist")]
    profile: String,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &PackageArgs, settings: &Settings) -> Result<Outcome> {
    let handler = match (&args.handler, args.profile.as_str()) {
        (Some(given), _) => given.clone(),
        (None, "dist") => handler::build(settings, &Build::Deployed).await?,
        (None, profile) => handler::build(settings, &Build::Here { profile: profile.to_owned() }).await?,
    };
    if handler::check_deployable(&handler)? == Linking::Dynamic {
        output::tell("note: this handler is linked dynamically; it starts only where the C library is as new as here");
    }
    let files = stage::app_folder(&handler);
    let written = write(args, &files)?;
    match args.output {
        Form::Json => output::say_json(&json!({
            "out": args.out,
            "bytes": written.bytes,
            "sha256": written.sha256,
            "files": files.iter().map(|file| json!({ "path": file.path, "mode": format!("{:o}", file.mode()) })).collect::<Vec<_>>(),
        })),
        Form::Text => {
            for file in &files {
                output::say(format_args!("  {:o}  {}", file.mode(), file.path));
            }
            output::say(format_args!("{}: {} bytes, sha256 {}", args.out.display(), written.bytes, written.sha256));
        }
    }
    Ok(Outcome::Held)
}

struct Written {
    bytes: usize,
    sha256: String,
}

/// Under another name first: whoever sees the zip sees all of it.
fn write(args: &PackageArgs, files: &[stage::AppFile]) -> Result<Written> {
    let zip = stage::write_zip(files, std::io::Cursor::new(Vec::new()))?.into_inner();
    let mut part = args.out.clone().into_os_string();
    part.push(".part");
    let part = PathBuf::from(part);
    let store = || -> std::io::Result<()> {
        let mut out = BufWriter::new(fs::File::create(&part)?);
        out.write_all(&zip)?;
        out.into_inner()?.sync_all()?;
        fs::rename(&part, &args.out)
    };
    store().with_context(|| format!("{} cannot be written", args.out.display()))?;
    let sha256 = Sha256::digest(&zip).iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(Written { bytes: zip.len(), sha256 })
}
