//! Where rates come from: a small interface, and the central bank's file behind it.

use std::{path::PathBuf, time::Duration};

use futures_util::future::BoxFuture;

use crate::base::failure::{Code, Failure, Result};

use super::{DayRates, Source, ecb, snapshot};

/// A file larger than this is not the central bank's history, which has two megabytes.
const MOST_BYTES: usize = 32 << 20;

/// Rates on their way.
pub type Fetching<'a> = BoxFuture<'a, Result<Vec<DayRates>>>;

/// Something that has reference rates: one day or many.
pub trait RateSource: Send + Sync {
    /// The word that is kept with everything priced by these rates.
    fn word(&self) -> Source;

    /// What it has now. Never called inside a transaction.
    fn fetch(&self) -> Fetching<'_>;
}

/// The central bank's file on this machine, put there by something else.
#[derive(Clone, Debug)]
pub struct EcbFile(pub PathBuf);

impl RateSource for EcbFile {
    fn word(&self) -> Source {
        Source::Ecb
    }

    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async move {
            let unusable = |why: std::io::Error| {
                upstream(format!("the rate file {} cannot be read: {why}", self.0.display()))
            };
            let size = tokio::fs::metadata(&self.0).await.map_err(unusable)?.len();
            if usize::try_from(size).unwrap_or(usize::MAX) > MOST_BYTES {
                return Err(upstream("the rate file is too large".to_owned()));
            }
            read(tokio::fs::read(&self.0).await.map_err(unusable)?).await
        })
    }
}

/// The central bank's file where it is published.
#[derive(Clone, Debug)]
pub struct EcbUrl {
    client: reqwest::Client,
    url: reqwest::Url,
}

impl EcbUrl {
    /// An address with its own client: patient for half a minute, and only ever reading.
    pub fn new(url: &str) -> Result<Self> {
        let url = reqwest::Url::parse(url)
            .map_err(|error| upstream(format!("fx.rates is not an address: {error}")))?;
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(10))
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::limited(3))
            .build()
            .map_err(Failure::internal)?;
        Ok(Self { client, url })
    }
}

impl RateSource for EcbUrl {
    fn word(&self) -> Source {
        Source::Ecb
    }

    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async move {
            let failed =
                |error: reqwest::Error| upstream(format!("rates: {}", error.without_url()));
            let answer = self.client.get(self.url.clone()).send().await.map_err(failed)?;
            let mut answer = answer.error_for_status().map_err(failed)?;
            let mut file = Vec::new();
            // Piece by piece: an answer without end must not take the server's memory.
            while let Some(piece) = answer.chunk().await.map_err(failed)? {
                file.extend_from_slice(&piece);
                if file.len() > MOST_BYTES {
                    return Err(upstream("the rate file is too large".to_owned()));
                }
            }
            read(file).await
        })
    }
}

/// The one day that is built in.
#[derive(Clone, Copy, Debug)]
pub struct BuiltIn;

impl RateSource for BuiltIn {
    fn word(&self) -> Source {
        Source::Snapshot
    }

    fn fetch(&self) -> Fetching<'_> {
        Box::pin(async { Ok(vec![snapshot()?]) })
    }
}

/// Off the threads that serve: the whole history takes a while to read.
async fn read(file: Vec<u8>) -> Result<Vec<DayRates>> {
    let read = tokio::task::spawn_blocking(move || ecb::read(&file)).await;
    read.map_err(Failure::internal)?.map_err(|error| upstream(error.to_string()))
}

fn upstream(why: String) -> Failure {
    Failure::new(Code::Unavailable).caused_by(why)
}
