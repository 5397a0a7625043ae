//! Certificates for servers under test, each signed by an authority of its own.

use std::path::Path;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

/// Writes `cert.pem` and `key.pem` for `127.0.0.1` to a folder. Gives what is to be trusted, as PEM.
pub fn write(folder: &Path) -> String {
    let authority_key = KeyPair::generate().expect("a key");
    let mut authority = CertificateParams::new(Vec::new()).expect("a certificate");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let trusted = authority.self_signed(&authority_key).expect("a certificate").pem();
    let key = KeyPair::generate().expect("a key");
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).expect("a certificate");
    let certificate = own.signed_by(&key, &Issuer::new(authority, authority_key)).expect("a certificate").pem();
    // Both at once, as those do who renew certificates: a file is there whole or not at all.
    for (name, text) in [("key.pem", key.serialize_pem()), ("cert.pem", certificate)] {
        let new = folder.join(format!("{name}.new"));
        std::fs::write(&new, text).expect("written");
        std::fs::rename(new, folder.join(name)).expect("renamed");
    }
    trusted
}
