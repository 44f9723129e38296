//! Whom this server calls: the list of addresses, and what cannot be known from an address alone.

use std::{
    collections::VecDeque,
    io::{self, Write},
    net::IpAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use counterfoil::events::outbound::{
    Answer as Got, Fault, Names, Options, Outbound, Reach, Rules, SystemNames, Target,
};
use futures_util::future::BoxFuture;
use reqwest::header::HeaderMap;

use super::receiver::{Answer, Receiver};

fn rules(reach: Reach) -> Rules {
    Rules { reach, ports: vec![443, 8443] }
}

fn outbound(reach: Reach, names: impl Names + 'static) -> Outbound {
    Outbound::new(&Options { rules: rules(reach), proxy: None }, Arc::new(names)).unwrap()
}

async fn post(outbound: &Outbound, url: &str) -> Result<Got, Fault> {
    let body = Bytes::from_static(b"{}");
    outbound.post(url, HeaderMap::new(), body, Duration::from_secs(5)).await.outcome
}

/// Addresses of one range each, at its edges and inside, however they are spelt.
const REFUSED: &[&str] = &[
    // This machine.
    "https://127.0.0.1/",
    "https://127.0.0.1:8443/",
    "https://127.255.255.254/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.localhost/",
    "https://[::1]/",
    "https://0.0.0.0/",
    "https://0.1.2.3/",
    "https://[::]/",
    // The same in the spellings that address parsers know.
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.0.0.1/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://%31%32%37.0.0.1/",
    "https://①②⑦.0.0.1/",
    // Private networks.
    "https://10.0.0.0/",
    "https://10.255.255.255/",
    "https://172.16.0.0/",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://192.168.255.255/",
    "https://[fc00::1]/",
    "https://[fdff:ffff::1]/",
    // Clouds' metadata and their wires.
    "https://169.254.169.254/latest/meta-data/",
    "https://169.254.0.1/",
    "https://[fd00:ec2::254]/",
    "https://[fe80::a9fe:a9fe]/",
    "https://[febf::1]/",
    "https://100.100.100.200/",
    "https://168.63.129.16/",
    "https://192.0.0.192/",
    "https://metadata.google.internal/computeMetadata/v1/",
    "https://instance-data.ec2.internal/",
    // Shared by carriers.
    "https://100.64.0.1/",
    "https://100.127.255.255/",
    // Nobody's.
    "https://192.0.2.1/",
    "https://198.51.100.7/",
    "https://203.0.113.255/",
    "https://198.18.0.1/",
    "https://198.19.255.255/",
    "https://192.88.99.1/",
    "https://192.31.196.1/",
    "https://192.52.193.1/",
    "https://192.175.48.1/",
    "https://224.0.0.1/",
    "https://239.255.255.250/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://[2001:db8::1]/",
    "https://[3fff::1]/",
    "https://[100::1]/",
    "https://[5f00::1]/",
    "https://[fec0::1]/",
    "https://[ff02::1]/",
    "https://[3ffe::1]/",
    // IPv4 in the clothes of IPv6.
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::ffff:8.8.8.8]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[::127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::8.8.8.8]/",
    "https://[64:ff9b:1::a00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
    "https://[2001:20::1]/",
    // Names that stay inside.
    "https://redis/",
    "https://postgres.local/",
    "https://router.lan/",
    "https://vault.internal./",
    "https://nas.home.arpa/",
    "https://1.0.0.127.in-addr.arpa/",
    // Other ports, schemes and shapes.
    "https://example.com:22/",
    "https://example.com:80/",
    "https://example.com:6379/",
    "http://example.com/",
    "ftp://example.com/",
    "file:///etc/passwd",
    "gopher://example.com/",
    "https://",
    "https:///path",
    "example.com/hooks",
    "https://user@example.com/",
    "https://user:password@example.com/",
    "https://example.com/#fragment",
    "https://example.com\\@127.0.0.1/",
    "https://exa\nmple.com/",
    "https://example.com/ hooks",
    " https://example.com/",
    "",
];

const ALLOWED: &[&str] = &[
    "https://example.com/hooks?shop=1",
    "https://example.com:8443/",
    "https://sub.example.co.uk/",
    "https://xn--bcher-kva.example/",
    "https://8.8.8.8/",
    "https://1.1.1.1:443/",
    "https://9.255.255.255/",
    "https://11.0.0.0/",
    "https://100.63.255.255/",
    "https://100.128.0.0/",
    "https://172.15.255.255/",
    "https://172.32.0.0/",
    "https://169.253.255.255/",
    "https://198.17.255.255/",
    "https://198.20.0.0/",
    "https://223.255.255.255/",
    "https://[2606:4700:4700::1111]/",
    "https://[2a00:1450:4001::1]/",
    "https://localhost.example.com/",
    "https://internal.example.com/",
];

#[test]
fn every_inside_address_is_refused_and_the_neighbouring_outside_ones_are_not() {
    assert!(REFUSED.len() > 60);
    let rules = rules(Reach::Public);
    for url in REFUSED {
        assert!(Target::parse(url, &rules).is_err(), "{url} was taken");
    }
    for url in ALLOWED {
        assert!(Target::parse(url, &rules).is_ok(), "{url} was refused");
    }
    assert!(Target::parse(&format!("https://example.com/{}", "x".repeat(2_048)), &rules).is_err());
}

#[test]
fn an_inside_address_is_refused_as_the_answer_to_a_name_too() {
    for url in REFUSED.iter().take(70) {
        let host = url.trim_start_matches("https://").split('/').next().unwrap();
        if let Ok(address) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
            assert!(!Reach::Public.allows(address), "{address}");
        }
    }
}

/// A resolver that a test writes the answers of; the last one is repeated.
struct Scripted(Mutex<VecDeque<Vec<IpAddr>>>);

impl Scripted {
    fn new(answers: &[&[&str]]) -> Self {
        let parse = |list: &&[&str]| list.iter().map(|text| text.parse().unwrap()).collect();
        Self(Mutex::new(answers.iter().map(parse).collect()))
    }
}

impl Names for Scripted {
    fn lookup(&self, _: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        Box::pin(std::future::ready(Ok(answer.unwrap_or_default())))
    }
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_when_it_is_given() {
    for inside in ["127.0.0.1", "10.0.0.1", "::1", "::ffff:10.0.0.1", "169.254.169.254"] {
        let outbound = outbound(Reach::Public, Scripted::new(&[&[inside]]));
        assert!(outbound.check("https://hooks.example.com/").await.is_err(), "{inside}");
    }
    // Of a name that leads both ways, none is taken.
    let both = outbound(Reach::Public, Scripted::new(&[&["8.8.8.8", "127.0.0.1"]]));
    assert!(both.check("https://hooks.example.com/").await.is_err());
    let outside = outbound(Reach::Public, Scripted::new(&[&["8.8.8.8"]]));
    assert!(outside.check("https://hooks.example.com/").await.is_ok());
}

/// The name leads outside when it is checked, and to a neighbour when it is called.
#[tokio::test]
async fn a_name_that_is_bound_anew_is_refused_at_the_connection() {
    let neighbour = Receiver::saying(200).await;
    let port = neighbour.address.port();
    let rules = Rules { reach: Reach::Public, ports: vec![port] };
    let names = Scripted::new(&[&["8.8.8.8"], &["127.0.0.1"]]);
    let outbound = Outbound::new(&Options { rules, proxy: None }, Arc::new(names)).unwrap();
    let url = format!("https://hooks.example.com:{port}/");
    assert!(outbound.check(&url).await.is_ok());
    assert_eq!(post(&outbound, &url).await, Err(Fault::Refused));
    assert!(neighbour.seen().is_empty());
}

#[tokio::test]
async fn an_address_that_rules_no_longer_allow_is_not_called() {
    let neighbour = Receiver::saying(200).await;
    let outbound = outbound(Reach::Public, SystemNames);
    assert_eq!(post(&outbound, &neighbour.url()).await, Err(Fault::Refused));
    assert!(neighbour.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let elsewhere = Receiver::saying(200).await;
    let location = elsewhere.url();
    let redirecting = Receiver::doing(move |_| {
        Answer::Bytes(format!(
            "HTTP/1.1 307 Elsewhere\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"
        ))
    });
    let redirecting = redirecting.await;
    let outbound = outbound(Reach::Nearby, SystemNames);
    assert_eq!(post(&outbound, &redirecting.url()).await.unwrap().status, 307);
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn of_a_long_answer_little_is_read_and_a_broken_one_still_counts() {
    let outbound = outbound(Reach::Nearby, SystemNames);
    let long = format!("HTTP/1.1 200 So\r\nContent-Length: 9000000\r\n\r\n{}", "x".repeat(100_000));
    let receiver = Receiver::doing(move |_| Answer::Bytes(long.clone())).await;
    let answer = post(&outbound, &receiver.url()).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (200, 16 << 10));
    receiver.now(|_| Answer::Bytes("HTTP/1.1 200 So\r\nContent-Length: 50\r\n\r\na\0b".to_owned()));
    let answer = post(&outbound, &receiver.url()).await.unwrap();
    assert_eq!((answer.status, answer.body.as_str()), (200, "a\u{fffd}b"));
    receiver.now(|_| Answer::Bytes("HTTP/1.1 200".to_owned()));
    assert_eq!(post(&outbound, &receiver.url()).await, Err(Fault::Broken));
    receiver.now(|_| Answer::Bytes("SSH-2.0-OpenSSH_9.2p1\r\n\r\n".to_owned()));
    assert_eq!(post(&outbound, &receiver.url()).await, Err(Fault::Broken));
}

#[tokio::test]
async fn faults_are_told_apart_in_words_for_the_merchant() {
    let outbound = outbound(Reach::Nearby, Scripted::new(&[&[]]));
    assert_eq!(post(&outbound, "http://nowhere.example.com/").await, Err(Fault::Name));
    let gone = Receiver::saying(200).await.url();
    assert_eq!(post(&outbound, &gone).await, Err(Fault::Connect));
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let tls = format!("https://{}/", plain.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = plain.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Speak plainly\r\n\r\n").unwrap();
    });
    assert_eq!(post(&outbound, &tls).await, Err(Fault::Tls));
    let plain = Receiver::doing(|_| Answer::Stall).await;
    let (body, patience) = (Bytes::new(), Duration::from_millis(200));
    let sent = outbound.post(&plain.url(), HeaderMap::new(), body, patience).await;
    assert_eq!(sent.outcome, Err(Fault::Timeout));
}
