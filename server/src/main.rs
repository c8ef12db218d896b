//! The `trolley` program: reads what is asked for and hands it to its command.

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use trolley::cli::{CliError, api_key, backup, config, export, healthcheck, import, openapi, serve, version};
use trolley::config::raw::Raw;

/// Millions of small allocations a second come and go on all threads.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The cart and session server.
#[derive(Parser)]
#[command(name = "trolley", version)]
enum Command {
    /// Serve carts and sessions over HTTP
    Serve(Box<Raw>),
    /// Copy a store, also while it is served, and verify the copy
    Backup(backup::Backup),
    /// Make a store of a backup
    Restore(backup::Restore),
    /// Write all records of a store to a file, also while it is served, which any release and any store can take in
    Export(export::Export),
    /// Make a store of such a file, all of it or nothing
    Import(import::Import),
    /// Make, list and revoke keys for the shop's own systems, at a running server
    #[command(subcommand)]
    ApiKey(api_key::ApiKeyCommand),
    /// Ask the server with these settings whether it is ready: exit code 0 where it is
    Healthcheck(Box<Raw>),
    /// Print or check the settings of serve
    #[command(subcommand)]
    Config(config::ConfigCommand),
    /// Print the description of the API: OpenAPI 3.1
    Openapi,
    /// Tell which release this is
    Version,
}

fn main() -> ExitCode {
    let command = match Command::try_parse() {
        Ok(command) => command,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            error.exit()
        }
        Err(error) => return fail(&CliError::Usage(first_line(&error))),
    };
    let done = match command {
        Command::Serve(raw) => serve::run(*raw),
        Command::Backup(asked) => backup::back_up_store(&asked),
        Command::Restore(asked) => backup::restore_store(&asked),
        Command::Export(asked) => export::run(&asked),
        Command::Import(asked) => import::run(&asked),
        Command::ApiKey(asked) => api_key::run(asked),
        Command::Healthcheck(raw) => healthcheck::run(*raw),
        Command::Config(asked) => config::run(asked),
        Command::Openapi => openapi::run(),
        Command::Version => version::run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => fail(&failed),
    }
}

#[expect(clippy::print_stderr, reason = "a program says on standard error why it ends")]
fn fail(failed: &CliError) -> ExitCode {
    eprintln!("trolley: {failed}");
    ExitCode::from(failed.exit_code())
}

/// What clap says, without its usage: one sentence is enough.
fn first_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ").trim_start_matches("error: ").to_owned()
}
