//! The command line: everything else is in the library.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    Box::pin(counterfoil::admin::main(std::env::args_os())).await
}
