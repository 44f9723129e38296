//! The way of a log line to its sink: over a bounded queue to a thread of its own.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Lines that may wait. More means that nobody reads them; then they are dropped and counted.
const QUEUE: usize = 8192;

/// Takes lines and never waits: a full pipe must not stop the request that logs.
#[derive(Debug, Clone)]
pub(super) struct Lines {
    queue: SyncSender<Message>,
    colours: bool,
}

#[derive(Debug)]
enum Message {
    Line(Vec<u8>),
    Flush(SyncSender<()>),
}

impl Lines {
    /// With `colours` the formatter's own colour codes are let through.
    pub(super) fn to(sink: impl Write + Send + 'static, colours: bool) -> io::Result<Self> {
        let (queue, receiver) = sync_channel(QUEUE);
        let write = move || carry(&receiver, sink);
        thread::Builder::new().name("log".to_owned()).spawn(write)?;
        Ok(Self { queue, colours })
    }

    /// Waits until everything handed in so far is written, or patience runs out.
    pub(super) fn flush(&self, patience: Duration) {
        let (done, wait) = sync_channel(1);
        if self.queue.try_send(Message::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(patience);
        }
    }
}

/// Errors of the sink are dropped: there is nobody left to tell them to.
fn carry(lines: &Receiver<Message>, mut sink: impl Write) {
    while let Ok(message) = lines.recv() {
        match message {
            Message::Line(line) => {
                let _ = sink.write_all(&line);
            }
            Message::Flush(done) => {
                let _ = sink.flush();
                let _ = done.send(());
            }
        }
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = &'a Self;

    fn make_writer(&'a self) -> Self::Writer {
        self
    }
}

/// One call is one event: the formatter builds the whole line first.
impl Write for &Lines {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        if self.queue.try_send(Message::Line(one_line(event, self.colours))).is_err() {
            metrics::counter!("log_lines_dropped_total").increment(1);
        }
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Escapes line ends and other control characters inside an event, so that text from a request can
/// neither forge a line of its own nor steer the terminal of whoever reads. The escapes are valid inside
/// a JSON string too.
fn one_line(event: &[u8], colours: bool) -> Vec<u8> {
    let event = String::from_utf8_lossy(event);
    let mut rest = event.strip_suffix('\n').unwrap_or(&event);
    let mut line = String::with_capacity(rest.len().saturating_add(1));
    while let Some(next) = rest.chars().next() {
        let colour = if colours { colour_code(rest) } else { None };
        let taken = colour.unwrap_or(next.len_utf8());
        let (piece, after) = rest.split_at(taken);
        match next {
            _ if colour.is_some() => line.push_str(piece),
            '\n' => line.push_str("\\n"),
            '\r' => line.push_str("\\r"),
            '\t' => line.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(line, "\\u{:04x}", u32::from(control));
            }
            _ => line.push_str(piece),
        }
        rest = after;
    }
    line.push('\n');
    line.into_bytes()
}

/// The length of a colour code (`ESC [ digits and semicolons m`) at the start; the only sequence that
/// changes looks and nothing else.
fn colour_code(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\x1b[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';')?;
    parameters.get(end..)?.starts_with('m').then(|| end.saturating_add("\x1b[m".len()))
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps what is written, for the tests of this room.
    #[derive(Clone, Default)]
    pub(in crate::telemetry) struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Kept {
        pub(in crate::telemetry) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_without_control_characters_whatever_it_contains() {
        let shown =
            |event: &str, colours| String::from_utf8(one_line(event.as_bytes(), colours)).unwrap();
        let evil = "a\nb\r\tc\0\x1b[2J\u{9b}2J\x7f\u{fc}\n";
        let tame = "a\\nb\\r\\tc\\u0000\\u001b[2J\\u009b2J\\u007f\u{fc}\n";
        assert_eq!(shown(evil, false), tame);
        assert_eq!(shown(evil, true), tame);
        assert_eq!(shown("\x1b[1;32mINFO\x1b[0m\n", true), "\x1b[1;32mINFO\x1b[0m\n");
        assert_eq!(shown("\x1b[32mINFO\n", false), "\\u001b[32mINFO\n");
    }

    #[test]
    fn a_sink_that_fails_costs_lines_and_nothing_else() {
        struct Broken;
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
        }
        let lines = Lines::to(Broken, false).unwrap();
        for _ in 0..3 {
            (&lines).write_all(b"lost\n").unwrap();
        }
        let (done, wait) = sync_channel(1);
        lines.queue.send(Message::Flush(done)).unwrap();
        assert!(wait.recv().is_ok(), "the thread outlives the errors");
    }

    #[test]
    fn a_sink_that_hangs_never_makes_the_caller_wait() {
        struct Hanging(Receiver<()>);
        impl Write for Hanging {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                let _ = self.0.recv();
                Ok(bytes.len())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let (_hang, wait) = sync_channel(0);
        let lines = Lines::to(Hanging(wait), false).unwrap();
        // Far more than the queue holds; with a waiting send this test would never end.
        for _ in 0..2 * QUEUE {
            (&lines).write_all(b"waiting\n").unwrap();
        }
        lines.flush(Duration::from_millis(1));
    }
}
