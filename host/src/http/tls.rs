//! What the server proves its name with, and how it is changed while it serves.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a client may take until it has agreed on how to talk.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);
/// The newer protocol, by its name in a handshake.
const HTTP2: &[u8] = b"h2";

/// A certificate with its key, from files that may be replaced.
#[derive(Clone, Debug)]
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    /// As they were when they were read.
    read: [Stamp; 2],
    current: watch::Sender<Arc<ServerConfig>>,
}

type Stamp = Option<(u64, i64, i64, u64)>;

impl Tls {
    /// Reads the files. An error says what is wrong with which.
    pub fn load(certificate: PathBuf, key: PathBuf) -> Result<Tls, String> {
        let read = [stamp(&certificate), stamp(&key)];
        let current = watch::Sender::new(config(&certificate, &key)?);
        Ok(Tls { certificate, key, read, current })
    }

    /// Takes the files anew whenever they change. Connections that are there stay as they are.
    pub(super) async fn follow(self) {
        let mut before = self.read;
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = [stamp(&self.certificate), stamp(&self.key)];
            // Both may be on their way: what fits nothing yet is looked at again when it has changed.
            if now == before {
                continue;
            }
            before = now;
            match config(&self.certificate, &self.key) {
                Ok(config) => {
                    self.current.send_replace(config);
                    tracing::info!("new connections get the certificate that `{}` holds now", self.certificate.display());
                }
                Err(error) => tracing::warn!("the certificate before goes on: {error}"),
            }
        }
    }

    /// A connection on which both sides have agreed; none: they did not.
    pub(super) async fn accept(&self, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.current.borrow().clone());
        tokio::time::timeout(HANDSHAKE_MAX, acceptor.accept(stream)).await.ok()?.ok()
    }
}

/// Tells one version of a file from another.
fn stamp(path: &Path) -> Stamp {
    fs::metadata(path).ok().map(|it| (it.ino(), it.mtime(), it.mtime_nsec(), it.len()))
}

/// Whether a connection speaks the newer protocol.
pub(super) fn is_http2(stream: &TlsStream<TcpStream>) -> bool {
    stream.get_ref().1.alpn_protocol() == Some(HTTP2)
}

fn config(certificate: &Path, key: &Path) -> Result<Arc<ServerConfig>, String> {
    let unread =
        |path: &Path, error: &dyn std::fmt::Display| format!("`{}` holds no certificate that can be read: {error}", path.display());
    let chain: Result<Vec<CertificateDer>, _> = CertificateDer::pem_file_iter(certificate).and_then(Iterator::collect);
    let chain = chain.map_err(|error| unread(certificate, &error))?;
    if chain.is_empty() {
        return Err(unread(certificate, &"there is no `BEGIN CERTIFICATE` in it"));
    }
    let own =
        PrivateKeyDer::from_pem_file(key).map_err(|error| format!("`{}` holds no private key that can be read: {error}", key.display()))?;
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions();
    let made = builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, own));
    let mut made = made.map_err(|error| format!("`{}` and `{}` do not fit: {error}", certificate.display(), key.display()))?;
    made.alpn_protocols = vec![HTTP2.to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(made))
}
