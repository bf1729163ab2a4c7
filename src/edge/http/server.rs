//! One listener: connections within bounds, each with limits on its patience.

use super::access::Peer;
use super::tls::{Present, names};
use crate::edge::tasks::Stop;
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::{IpAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;

/// A request line and its headers.
const HEADER_BYTES_MAX: usize = 16 << 10;
/// From the first byte of a request to its last header; also how long a connection may idle.
const HEADER_TIME: Duration = Duration::from_secs(10);
/// How long a client may take nothing while something waits for it.
const WRITE_TIME: Duration = Duration::from_secs(30);
/// How long requests may take to finish after a stop: they are answered from memory.
const DRAIN_TIME: Duration = Duration::from_secs(5);
/// After a failed accept (no file descriptors left), before the next.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves at most so many connections at a time, until it is told to stop.
pub(super) async fn serve(
    (listener, connections_max): (TcpListener, usize),
    tls: Option<Present>,
    routes: Router,
    stop: Stop,
) -> io::Result<()> {
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let mut connections = JoinSet::new();
    let stopped = stop.clone().wait();
    tokio::pin!(stopped);
    loop {
        let has_room = connections.len() < connections_max;
        tokio::select! {
            () = &mut stopped => break,
            // Ended ones are taken off; how a client's connection ended is its own affair.
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept(), if has_room => match accepted {
                Ok((stream, address)) => {
                    let tls = tls.as_ref().map(|present| Arc::clone(&present.borrow()));
                    let (address, routes) = (address.ip(), routes.clone());
                    connections.spawn(connection((stream, address), tls, routes, stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let drain = async { while connections.join_next().await.is_some() {} };
    // What is not done by then is dropped with the set.
    drop(timeout(DRAIN_TIME, drain).await);
    Ok(())
}

async fn connection(
    (stream, address): (TcpStream, IpAddr),
    tls: Option<Arc<ServerConfig>>,
    routes: Router,
    stop: Stop,
) {
    // Events are small and to be seen at once. A socket that refuses is slower, no more.
    drop(stream.set_nodelay(true));
    let stream = Patient {
        stream,
        patience: None,
    };
    let Some(config) = tls else {
        let names = Arc::default();
        return answer(stream, Peer { address, names }, routes, stop).await;
    };
    let accepted = timeout(HEADER_TIME, TlsAcceptor::from(config).accept(stream)).await;
    match accepted.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
        Ok(stream) => {
            let shown = stream.get_ref().1.peer_certificates();
            let names = shown.and_then(<[_]>::first).map(names).unwrap_or_default();
            let names = names.into();
            answer(stream, Peer { address, names }, routes, stop).await;
        }
        Err(error) => tracing::debug!(%error, "a connection was not agreed upon"),
    }
}

async fn answer<S>(stream: S, peer: Peer, routes: Router, stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let io = TokioIo::new(stream);
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer.clone());
        routes.call(request)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(HEADER_BYTES_MAX)
        .serve_connection(io, service);
    tokio::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        () = stop.wait() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection broke off");
    }
}

/// A stream that gives up on a client which takes nothing.
#[derive(Debug)]
struct Patient {
    stream: TcpStream,
    patience: Option<Pin<Box<Sleep>>>,
}

impl Patient {
    fn wait<T>(
        &mut self,
        context: &mut Context<'_>,
        done: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if done.is_ready() {
            self.patience = None;
            return done;
        }
        let patience = self
            .patience
            .get_or_insert_with(|| Box::pin(sleep(WRITE_TIME)));
        patience
            .as_mut()
            .poll(context)
            .map(|()| Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Patient {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Patient {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wait(context, done)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let done = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.wait(context, done)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
