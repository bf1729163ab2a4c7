//! Frames to a syslog server over one TLS connection (RFC 5425) or, where a sink says so, plain TCP
//! (RFC 6587). The protocol has no receipts: a frame counts as delivered when the server still
//! held the connection a moment after it was written.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Mutex;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use super::outcome::Outcome;
use super::reach::Reach;
use super::tls::{self, TlsError};

/// How long after a write the server must still be there: a server that stops resets within one
/// round trip.
const RECEIPT_TIME: Duration = Duration::from_millis(200);

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// A server.
pub struct SyslogClient {
    host: String,
    port: u16,
    tls: Option<Arc<ClientConfig>>,
    reach: Reach,
    time: Duration,
    connection: Mutex<Option<Box<dyn Stream>>>,
}

impl std::fmt::Debug for SyslogClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SyslogClient({}:{})", self.host, self.port)
    }
}

impl SyslogClient {
    /// A client that is not connected yet; each write takes at most `time`.
    ///
    /// # Errors
    /// A CA that cannot be used.
    pub fn new(
        (host, port): (&str, u16),
        is_tls: bool,
        ca_file: Option<&Path>,
        reach: Reach,
        time: Duration,
    ) -> Result<Self, TlsError> {
        Ok(Self {
            host: host.to_owned(),
            port,
            tls: is_tls.then(|| tls::client(ca_file)).transpose()?,
            reach,
            time,
            connection: Mutex::new(None),
        })
    }

    /// Writes whole frames, over the connection of the last time if that still stands.
    pub async fn write(&self, frames: &[u8]) -> Outcome {
        let mut connection = self.connection.lock().await;
        let stream = connection.take();
        let time = self.time + RECEIPT_TIME;
        match timeout(time, self.try_write(stream, frames)).await {
            Ok(Ok(stream)) => {
                *connection = Some(stream);
                Outcome::Delivered
            }
            Ok(Err(error)) => Outcome::passing(error),
            Err(_) => Outcome::passing(format!("no progress within {} s", self.time.as_secs())),
        }
    }

    async fn try_write(
        &self,
        old: Option<Box<dyn Stream>>,
        frames: &[u8],
    ) -> io::Result<Box<dyn Stream>> {
        let mut held = None;
        if let Some(mut stream) = old
            && !has_ended(&mut stream).await
        {
            held = Some(stream);
        }
        let mut stream = match held {
            Some(stream) => stream,
            None => self.connect().await?,
        };
        stream.write_all(frames).await?;
        stream.flush().await?;
        match timeout(RECEIPT_TIME, ended(&mut stream)).await {
            Err(_) => Ok(stream),
            Ok(why) => Err(why),
        }
    }

    async fn connect(&self) -> io::Result<Box<dyn Stream>> {
        let addresses = self.reach.resolve(&self.host, self.port).await;
        let addresses = addresses.map_err(io::Error::other)?;
        let stream = TcpStream::connect(&*addresses).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else {
            return Ok(Box::new(stream));
        };
        let name = ServerName::try_from(self.host.clone()).map_err(io::Error::other)?;
        let connector = TlsConnector::from(Arc::clone(tls));
        Ok(Box::new(connector.connect(name, stream).await?))
    }
}

/// Ready once the server has ended the connection. What it says is nothing of the protocol.
async fn ended(stream: &mut Box<dyn Stream>) -> io::Error {
    let mut said = [0; 512];
    loop {
        match stream.read(&mut said).await {
            Ok(0) => return io::Error::new(io::ErrorKind::UnexpectedEof, "the server hung up"),
            Ok(_) => {}
            Err(error) => return error,
        }
    }
}

/// Whether the server has ended the connection already.
async fn has_ended(stream: &mut Box<dyn Stream>) -> bool {
    let mut ended = Box::pin(ended(stream));
    std::future::poll_fn(|context| Poll::Ready(Pin::new(&mut ended).poll(context).is_ready())).await
}
