//! A private Redis for one test: it starts in milliseconds, so none is shared.

#![expect(clippy::disallowed_methods, reason = "the server needs the PATH of this process")]

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use super::{
    guarded::{Guarded, Program},
    postgres::free_port,
    scratch,
};

const MISSING: &str = "Redis is not installed: run `make test`, which installs what the tests need";
const READY: &str = "Ready to accept connections";

/// A Redis server that belongs to this test; dropping it stops it.
pub(crate) struct Redis {
    program: Program,
    port: u16,
    password: String,
    running: Option<Guarded>,
}

impl Redis {
    /// Starts an empty one.
    pub(crate) fn start() -> Self {
        assert!(installed(), "{MISSING}");
        let directory = scratch::directory("redis");
        let password = scratch::random_hex();
        // A free port can be taken by somebody else before the server has it: then the next one.
        let mut complaint = String::new();
        for _ in 0..5 {
            let port = free_port();
            let settings = write_settings(&directory, port, &password);
            let program = Program::new("redis-server", &directory).arg(settings);
            match program.start(READY) {
                Ok(running) => return Self { program, port, password, running: Some(running) },
                Err(printed) => complaint = printed,
            }
        }
        panic!("the private Redis does not start: {complaint}");
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://:{}@127.0.0.1:{}/", self.password, self.port)
    }

    /// Its address through a proxy that listens on another port.
    pub(crate) fn url_through(&self, port: u16) -> String {
        format!("redis://:{}@127.0.0.1:{port}/", self.password)
    }

    /// The port it listens on, to put a proxy in front.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// `kill -9`: everything it knew is gone, because nothing is written to disk.
    pub(crate) fn kill(&mut self) {
        if let Some(running) = self.running.take() {
            running.end("KILL");
        }
    }

    /// Starts it again, empty, on the same port.
    pub(crate) fn start_again(&mut self) {
        let started = self.program.start(READY);
        self.running = Some(started.unwrap_or_else(|log| panic!("Redis is gone: {log}")));
    }

    /// Freezes it: connections stay open and nothing answers.
    pub(crate) fn pause(&mut self) {
        self.running.as_mut().expect("it runs").signal("STOP");
    }

    /// Lets a paused one go on.
    pub(crate) fn resume(&mut self) {
        self.running.as_mut().expect("it runs").signal("CONT");
    }
}

/// Settings in a file, so that the password does not show in the list of processes.
fn write_settings(directory: &Path, port: u16, password: &str) -> std::path::PathBuf {
    let path = directory.join("redis.conf");
    let mut options = fs::OpenOptions::new();
    options.create(true).write(true).truncate(true).mode(0o600);
    let mut file = options.open(&path).expect("the directory is ours");
    let text = format!(
        "bind 127.0.0.1\nport {port}\nrequirepass {password}\nsave \"\"\nappendonly no\n\
         dir {}\nloglevel notice\n",
        directory.display()
    );
    file.write_all(text.as_bytes()).expect("the directory is ours");
    path
}

fn installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|place| place.join("redis-server").is_file())
}
