//! Whether a connection is used.
//!
//! hyper waits for ever for the first bytes of a connection, and for the next request of an HTTP/2
//! connection whose peer answers pings. So each connection has a pulse, and one that is kept for
//! nothing is closed: no first request in time, a later head that does not come to its end, no
//! request for long, or an answer that nobody takes.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    body::{Body, HttpBody},
    http::Version,
};
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, sleep_until},
};

/// The pulse of one connection.
#[derive(Clone, Debug)]
pub(super) struct Pulse(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Requests that are being answered.
    busy: usize,
    /// When something last came forward.
    since: Instant,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// No request has come.
    New,
    /// Nothing is on its way.
    Idle,
    /// A head has begun. Of HTTP/1 only: bytes of HTTP/2 may be about anything.
    Head,
    /// HTTP/2, after its first request.
    Multiplexed,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let state = State { busy: 0, since: Instant::now(), stage: Stage::New };
        Self(Arc::new(Mutex::new(state)))
    }

    /// A request has come.
    pub(super) fn request(&self, version: Version) -> Busy {
        let mut state = self.state();
        state.busy += 1;
        state.stage = if version == Version::HTTP_2 { Stage::Multiplexed } else { Stage::Idle };
        Busy(self.clone())
    }

    /// Resolves when the connection has been kept for nothing for too long. It is polled together with
    /// the connection, so no request can come in between.
    pub(super) async fn silence(&self, head: Duration, idle: Duration) {
        loop {
            let now = Instant::now();
            // Whatever happens meanwhile, no limit is met before this.
            let look = now + head.min(idle);
            let deadline = self.state().deadline(head, idle);
            if deadline.is_some_and(|deadline| deadline <= now) {
                return;
            }
            sleep_until(deadline.map_or(look, |deadline| deadline.min(look))).await;
        }
    }

    fn received(&self) {
        let mut state = self.state();
        if state.busy == 0 && state.stage == Stage::Idle {
            state.stage = Stage::Head;
            state.since = Instant::now();
        }
    }

    fn went_on(&self) {
        self.state().since = Instant::now();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing inside can panic halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn deadline(&self, head: Duration, idle: Duration) -> Option<Instant> {
        let patience = match self.stage {
            Stage::New | Stage::Head => head,
            Stage::Idle | Stage::Multiplexed => idle,
        };
        // A request at work has limits of its own.
        (self.busy == 0).then(|| self.since + patience)
    }
}

/// A request at work.
#[derive(Debug)]
pub(super) struct Busy(Pulse);

impl Busy {
    /// The handler is done; what is left is to send this.
    pub(super) fn answering(self, body: Body) -> Counted {
        Counted { body, pulse: self.0.clone() }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.busy = state.busy.saturating_sub(1);
        state.since = Instant::now();
    }
}

/// A body whose every part that can be sent is a beat: an answer that lasts is no idle connection, one
/// that nobody takes is.
#[derive(Debug)]
pub(super) struct Counted {
    body: Body,
    pulse: Pulse,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = ready!(Pin::new(&mut self.body).poll_frame(context));
        self.pulse.went_on();
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// A stream that tells the pulse when bytes come.
#[derive(Debug)]
pub(super) struct Watched<S> {
    stream: S,
    pulse: Pulse,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, pulse: Pulse) -> Self {
        Self { stream, pulse }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if buffer.filled().len() > before {
            self.pulse.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Duration = Duration::from_secs(15);
    const IDLE: Duration = Duration::from_secs(75);

    /// How long the connection may go on as it is.
    fn left(pulse: &Pulse) -> Option<Duration> {
        let state = pulse.state();
        state.deadline(HEAD, IDLE).map(|deadline| deadline - state.since)
    }

    #[test]
    fn each_stage_has_its_patience() {
        let pulse = Pulse::new();
        assert_eq!(left(&pulse), Some(HEAD));
        pulse.received();
        assert_eq!(pulse.state().stage, Stage::New, "bytes alone buy no time");
        let busy = pulse.request(Version::HTTP_11);
        pulse.received();
        assert_eq!(left(&pulse), None);
        drop(busy);
        assert_eq!(left(&pulse), Some(IDLE));
        pulse.received();
        let begun = pulse.state().since;
        pulse.received();
        assert_eq!((left(&pulse), pulse.state().since), (Some(HEAD), begun));
    }

    #[test]
    fn bytes_of_http2_begin_no_head_and_streams_are_counted() {
        let pulse = Pulse::new();
        let [first, second] = [pulse.request(Version::HTTP_2), pulse.request(Version::HTTP_2)];
        drop(first);
        assert_eq!(left(&pulse), None);
        drop(second);
        pulse.received();
        assert_eq!(left(&pulse), Some(IDLE));
    }

    #[tokio::test]
    async fn every_part_of_an_answer_is_a_beat() {
        let pulse = Pulse::new();
        let mut body = pulse.request(Version::HTTP_11).answering(Body::from("part"));
        let long_ago = Instant::now().checked_sub(IDLE).unwrap();
        pulse.state().since = long_ago;
        let frame = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await;
        assert!(frame.is_some() && pulse.state().since > long_ago);
    }
}
