//! A TCP proxy between the server under test and its database or Redis, to break the line on
//! purpose: refuse, cut, freeze.

use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
};

/// A line to a local port that can fail; plain threads, so that no runtime under test is involved.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    line: Arc<Line>,
}

#[derive(Default)]
struct Line {
    state: Mutex<LineState>,
    changed: Condvar,
}

#[derive(Default)]
struct LineState {
    refusing: bool,
    frozen: bool,
    open: Vec<TcpStream>,
}

impl Proxy {
    /// Listens on a port of its own and passes everything to `port` on the loopback.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let own_port = listener.local_addr().expect("it is bound").port();
        let line = Arc::new(Line::default());
        let accepting = Arc::clone(&line);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                accepting.connect(client, SocketAddr::from(([127, 0, 0, 1], port)));
            }
        });
        Self { port: own_port, line }
    }

    /// Cuts every connection and closes new ones at once, as if the other side had died.
    pub(crate) fn cut(&self) {
        self.change(|state| {
            state.refusing = true;
            for stream in state.open.drain(..) {
                // It may have ended by itself.
                let _ = stream.shutdown(Shutdown::Both);
            }
        });
    }

    /// Keeps connections open and passes nothing, as if the network had swallowed everything.
    pub(crate) fn freeze(&self) {
        self.change(|state| state.frozen = true);
    }

    /// Whole again: new connections are accepted and bytes flow.
    pub(crate) fn mend(&self) {
        self.change(|state| {
            state.refusing = false;
            state.frozen = false;
        });
    }

    fn change(&self, how: impl FnOnce(&mut LineState)) {
        how(&mut self.line.state.lock().expect("no thread of the proxy panics"));
        self.line.changed.notify_all();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.cut();
    }
}

impl Line {
    fn connect(self: &Arc<Self>, client: TcpStream, target: SocketAddr) {
        if self.state.lock().expect("no thread of the proxy panics").refusing {
            return;
        }
        let Ok(server) = TcpStream::connect(target) else { return };
        let ways = [(&client, &server), (&server, &client)];
        for (from, to) in ways {
            let (from, to) = (from.try_clone(), to.try_clone());
            let (Ok(from), Ok(to)) = (from, to) else { return };
            let line = Arc::clone(self);
            std::thread::spawn(move || line.pass(from, to));
        }
        let mut state = self.state.lock().expect("no thread of the proxy panics");
        state.open.extend([client, server]);
    }

    fn pass(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer) {
            let state = self.state.lock().expect("no thread of the proxy panics");
            drop(self.changed.wait_while(state, |state| state.frozen && !state.refusing));
            if to.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    }
}
