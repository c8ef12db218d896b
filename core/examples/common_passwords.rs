//! Makes the set of common passwords, on standard output, of a list of them on standard input, one a line:
//! `cargo run -p trolley-core --example common_passwords < list.txt > core/src/account/common.bin`

use std::io::{self, Read as _, Write as _};

use trolley_core::account::common::kept;
use trolley_core::account::password::CHARS_MIN;

fn main() -> io::Result<()> {
    let mut list = String::new();
    io::stdin().read_to_string(&mut list)?;
    let long_enough = list.lines().map(str::to_lowercase).filter(|line| line.chars().count() >= CHARS_MIN);
    let mut set: Vec<_> = long_enough.map(|password| kept(&password)).collect();
    set.sort_unstable();
    set.dedup();
    io::stdout().write_all(&set.concat())
}
