//! TLS, HTTP/2, and a certificate that is renewed while we serve.

use std::{fs, net::SocketAddr, path::Path, time::Duration};

use axum::{Router, routing::get};
use counterfoil::{
    base::tasks::Tasks,
    web::server::{self, Tls},
};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client, Version};

use crate::support::scratch;

/// Writes a fresh certificate and gives it in the form that clients trust.
fn certify(folder: &Path) -> Certificate {
    let names = vec!["localhost".to_owned()];
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(names).unwrap();
    fs::write(folder.join("key.pem"), signing_key.serialize_pem()).unwrap();
    fs::write(folder.join("cert.pem"), cert.pem()).unwrap();
    Certificate::from_pem(cert.pem().as_bytes()).unwrap()
}

fn trusting(certificate: Certificate) -> Client {
    Client::builder().tls_certs_only([certificate]).build().unwrap()
}

async fn serve(tls: Option<Tls>) -> (SocketAddr, Tasks) {
    let tasks = Tasks::default();
    let listener = server::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/", get(async || "hello"));
    let drain = Duration::from_secs(5);
    let options = server::Options { drain, tls, ..Default::default() };
    tasks.spawn(server::serve(listener, router, options, tasks.clone()));
    (address, tasks)
}

#[tokio::test]
async fn a_renewed_certificate_is_taken_into_use_and_a_broken_one_is_not() {
    let folder = scratch::directory("tls");
    let old = certify(&folder);
    let tls = Tls::load(folder.join("cert.pem"), folder.join("key.pem")).unwrap();
    let (address, tasks) = serve(Some(tls.clone())).await;
    let url = format!("https://localhost:{}/", address.port());
    let answer = trusting(old.clone()).get(&url).send().await.unwrap();
    assert_eq!(answer.version(), Version::HTTP_2, "TLS clients are offered HTTP/2");
    assert_eq!(answer.text().await.unwrap(), "hello");

    let new = certify(&folder);
    tls.look();
    trusting(new.clone()).get(&url).send().await.unwrap();
    assert!(trusting(old).get(&url).send().await.is_err(), "the old one is gone");

    fs::write(folder.join("cert.pem"), "no certificate").unwrap();
    tls.look();
    trusting(new).get(&url).send().await.unwrap();
    tasks.stop();
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_in_the_clear() {
    let (address, tasks) = serve(None).await;
    let url = format!("http://{address}/");
    let one = Client::builder().http1_only().build().unwrap();
    let two = Client::builder().http2_prior_knowledge().build().unwrap();
    assert_eq!(one.get(&url).send().await.unwrap().version(), Version::HTTP_11);
    assert_eq!(two.get(&url).send().await.unwrap().version(), Version::HTTP_2);
    tasks.stop();
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let folder = scratch::directory("tls");
    fs::write(folder.join("cert.pem"), "no certificate").unwrap();
    let refused = Tls::load(folder.join("cert.pem"), folder.join("key.pem")).unwrap_err();
    let cause = refused.cause_chain().unwrap();
    assert!(cause.contains("cert.pem cannot be used") || cause.contains("key.pem"), "{cause}");
}
