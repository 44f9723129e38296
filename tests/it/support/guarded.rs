//! Child processes that cannot outlive the test run.
//!
//! A test process may return, panic, be killed or lose its terminal, and none of these runs
//! destructors of statics. So each server runs under a watchdog: a few lines of shell that hold
//! one end of a pipe. When the pipe closes, whatever the cause, the watchdog stops the server.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    io::{BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    time::Duration,
};

/// Starts `"$@"`, passes on each signal whose name it reads, and sends `$final` when its input
/// ends. CONT comes last, because a paused process does not hear TERM or QUIT.
const WATCHDOG: &str = r#"
trap '' PIPE
final=$1
shift
exec 3<&0
"$@" </dev/null 2>&1 3<&- &
server=$!
echo "guarded-pid $server"
{
    while read -r wanted <&3; do kill -s "$wanted" "$server"; done
    kill -s "$final" "$server"
    kill -s CONT "$server"
} 2>/dev/null &
reader=$!
wait "$server"
echo "guarded-exit $?"
kill "$reader"
"#;

/// How long a server may take to start or to stop before the test gives up on it.
const PATIENCE: Duration = Duration::from_mins(1);
const KEPT_LINES: usize = 200;

/// What to start, and how.
pub(crate) struct Program {
    path: PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: PathBuf,
    user: Option<User>,
    final_signal: &'static str,
}

/// Another user than root, for the servers that refuse to run as root.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

/// A running server; dropping it stops the server and waits until it is gone.
pub(crate) struct Guarded {
    watchdog: Child,
    signals: Option<ChildStdin>,
    news: Mutex<Receiver<News>>,
    log: Log,
    /// The server's own process id, for tests that measure it.
    pub(crate) pid: u32,
    /// The line that said it was ready.
    pub(crate) ready_line: String,
}

enum News {
    Pid(u32),
    Ready(String),
    Exit,
}

type Log = Arc<Mutex<VecDeque<String>>>;

impl Program {
    pub(crate) fn new(path: impl Into<PathBuf>, directory: &Path) -> Self {
        Self {
            path: path.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: directory.to_owned(),
            user: None,
            final_signal: "TERM",
        }
    }

    pub(crate) fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.arguments.push(argument.as_ref().to_owned());
        self
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|one| one.as_ref().to_owned()));
        self
    }

    pub(crate) fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Self {
        self.environment.push((name.as_ref().to_owned(), value.as_ref().to_owned()));
        self
    }

    pub(crate) fn user(mut self, user: Option<User>) -> Self {
        self.user = user;
        self
    }

    /// The signal that ends it at once; `TERM` unless told.
    pub(crate) fn final_signal(mut self, name: &'static str) -> Self {
        self.final_signal = name;
        self
    }

    /// Starts it and waits for the line of its output that contains `ready`.
    /// The error is what it printed instead.
    pub(crate) fn start(&self, ready: &str) -> Result<Guarded, String> {
        let mut command = Command::new("sh");
        command
            .args(["-c", WATCHDOG, "watchdog", self.final_signal])
            .arg(&self.path)
            .args(&self.arguments)
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .current_dir(&self.directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Ctrl-C must end the tests first; the closing pipe then ends the server.
            .process_group(0);
        if let Some(user) = &self.user {
            command.gid(user.gid).uid(user.uid);
        }
        let mut watchdog = command.spawn().map_err(|error| format!("sh: {error}"))?;
        let output = watchdog.stdout.take().expect("it was asked for");
        let signals = watchdog.stdin.take();
        let log = Log::default();
        let (tell, news) = channel();
        let (kept, ready) = (Arc::clone(&log), ready.to_owned());
        std::thread::spawn(move || read_lines(output, &ready, &kept, &tell));
        let mut guarded = Guarded {
            watchdog,
            signals,
            news: Mutex::new(news),
            log,
            pid: 0,
            ready_line: String::new(),
        };
        guarded.wait_until_ready()?;
        Ok(guarded)
    }
}

impl Guarded {
    /// Sends a signal by its name without `SIG`: `KILL`, `STOP`, `CONT`, `TERM`, …
    pub(crate) fn signal(&mut self, name: &str) {
        if let Some(pipe) = &mut self.signals {
            // The server may be gone already, and its watchdog with it.
            let _ = writeln!(pipe, "{name}").and_then(|()| pipe.flush());
        }
    }

    /// Sends a signal and waits until the server has gone.
    pub(crate) fn end(mut self, signal: &str) {
        self.signal(signal);
        self.wait_for_exit();
    }

    /// Waits until the server has gone, by a signal sent before or by itself, and every process
    /// that it started too: they hold the other end of our pipe, and a killed PostgreSQL's last
    /// child must have let go of the data before the next server may have it.
    pub(crate) fn wait_for_exit(&mut self) {
        loop {
            match self.next_news() {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the server does not end:\n{}", self.log())
                }
            }
        }
    }

    /// The last lines it printed.
    pub(crate) fn log(&self) -> String {
        let lines = self.log.lock().expect("no reader panicked");
        lines.iter().flat_map(|line| ["    ", line.as_str(), "\n"]).collect()
    }

    fn next_news(&mut self) -> Result<News, RecvTimeoutError> {
        self.news.get_mut().expect("nobody panicked with it").recv_timeout(PATIENCE)
    }

    /// Until both have come: a quick server is ready before its watchdog has told its number.
    fn wait_until_ready(&mut self) -> Result<(), String> {
        while self.pid == 0 || self.ready_line.is_empty() {
            match self.next_news() {
                Ok(News::Pid(pid)) => self.pid = pid,
                Ok(News::Ready(line)) => self.ready_line = line,
                Ok(News::Exit) => return Err(format!("it ended:\n{}", self.log())),
                Err(late) => return Err(format!("not ready ({late}):\n{}", self.log())),
            }
        }
        Ok(())
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        drop(self.signals.take());
        let _ = self.watchdog.wait();
        // A panic that is under way may not be followed by another one.
        if !std::thread::panicking() {
            self.wait_for_exit();
        }
    }
}

fn read_lines(output: impl std::io::Read, ready: &str, log: &Log, tell: &Sender<News>) {
    // Nobody listens any more once the server is ready and the test is busy: that is fine.
    for line in BufReader::new(output).lines().map_while(Result::ok) {
        if let Some(pid) = line.strip_prefix("guarded-pid ") {
            let _ = tell.send(News::Pid(pid.parse().expect("a process id is a number")));
        } else if line.starts_with("guarded-exit ") {
            let _ = tell.send(News::Exit);
        } else {
            if line.contains(ready) {
                let _ = tell.send(News::Ready(line.clone()));
            }
            let mut lines = log.lock().expect("no reader panicked");
            if lines.len() == KEPT_LINES {
                lines.pop_front();
            }
            lines.push_back(line);
        }
    }
}
