//! The European Central Bank's reference rate files, in all the forms it publishes them: XML of one
//! day, of 90 days or of the whole history, CSV of the same, and CSV in a zip.

use std::{collections::BTreeMap, io::Read, str};

use quick_xml::{
    Reader,
    events::{BytesStart, Event},
};
use time::{Date, format_description::BorrowedFormatItem, macros::format_description};

use crate::money::{Currency, Rate};

use super::DayRates;

/// The whole history is below two megabytes; what unpacks to more than this is not it.
const MOST_BYTES: u64 = 32 << 20;

const ISO_DAY: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]");
/// As the CSV of one day writes it: `30 October 2026`.
const LONG_DAY: &[BorrowedFormatItem<'_>] =
    format_description!("[day padding:none] [month repr:long] [year]");

/// Why a file was not taken; the rates there are stay in use.
#[derive(Debug, thiserror::Error)]
pub enum EcbError {
    /// Neither XML nor CSV nor zip.
    #[error("the rate file is not UTF-8 text")]
    NotText,
    /// Larger than the whole history.
    #[error("the rate file is larger than {} MiB", MOST_BYTES >> 20)]
    TooLarge,
    /// The archive cannot be read.
    #[error("the zip archive cannot be read")]
    Zip(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The markup cannot be read.
    #[error("the XML cannot be read")]
    Xml(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A day that is none.
    #[error("`{0}` is not a day")]
    Day(String),
    /// A rate that is none.
    #[error("the rate of {currency} on {date} is not a rate above zero")]
    Rate {
        /// On which day.
        date: Date,
        /// Of which currency.
        currency: Currency,
    },
    /// The same rate twice: which one holds cannot be known.
    #[error("{what} is listed twice")]
    Twice {
        /// A day, or a currency on a day.
        what: String,
    },
    /// Nothing in it.
    #[error("the file has no rates; is it eurofxref-daily.xml, -hist-90d.xml, -hist.xml or .zip?")]
    Empty,
}

/// Reads a file of any of the forms; days ascend. Currencies that are no more (and are therefore
/// not known here) are passed over: the history has a dozen of them.
pub fn read(file: &[u8]) -> Result<Vec<DayRates>, EcbError> {
    let unpacked;
    let file = if file.starts_with(b"PK\x03\x04") {
        unpacked = unzip(file)?;
        unpacked.as_slice()
    } else {
        file
    };
    if u64::try_from(file.len()).unwrap_or(u64::MAX) > MOST_BYTES {
        return Err(EcbError::TooLarge);
    }
    let text = str::from_utf8(file).map_err(|_| EcbError::NotText)?;
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let mut days = Days::default();
    if text.starts_with('<') {
        read_xml(text, &mut days)?;
    } else {
        read_csv(text, &mut days)?;
    }
    days.finish()
}

/// The first file of an archive, and no more of it than the bound: a small file can unpack to
/// gigabytes and take the server's memory.
fn unzip(file: &[u8]) -> Result<Vec<u8>, EcbError> {
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(file))
        .map_err(|error| EcbError::Zip(error.into()))?;
    let entry = archive.by_index(0).map_err(|error| EcbError::Zip(error.into()))?;
    let mut unpacked = Vec::new();
    entry
        .take(MOST_BYTES + 1)
        .read_to_end(&mut unpacked)
        .map_err(|error| EcbError::Zip(error.into()))?;
    Ok(unpacked)
}

/// The days of a file as they are read.
#[derive(Default)]
struct Days(BTreeMap<Date, BTreeMap<Currency, Rate>>);

impl Days {
    fn begin(&mut self, date: Date) -> Result<(), EcbError> {
        match self.0.insert(date, BTreeMap::new()) {
            None => Ok(()),
            Some(_) => Err(EcbError::Twice { what: date.to_string() }),
        }
    }

    fn add(&mut self, date: Date, code: &str, rate: &str) -> Result<(), EcbError> {
        let Ok(currency) = code.parse::<Currency>() else { return Ok(()) };
        let rate = rate.parse().map_err(|_| EcbError::Rate { date, currency })?;
        let day = self.0.entry(date).or_default();
        match day.insert(currency, rate) {
            None => Ok(()),
            Some(_) => Err(EcbError::Twice { what: format!("{currency} on {date}") }),
        }
    }

    fn finish(self) -> Result<Vec<DayRates>, EcbError> {
        let days: Vec<_> = self
            .0
            .into_iter()
            .filter(|(_, rates)| !rates.is_empty())
            .map(|(date, rates)| DayRates::new(date, rates))
            .collect();
        if days.is_empty() { Err(EcbError::Empty) } else { Ok(days) }
    }
}

/// `<Cube time='2026-10-30'>` opens a day, `<Cube currency='USD' rate='1.1172'/>` is a rate of it.
fn read_xml(text: &str, days: &mut Days) -> Result<(), EcbError> {
    let mut reader = Reader::from_str(text);
    let mut date = None;
    loop {
        let event = reader.read_event().map_err(|error| EcbError::Xml(error.into()))?;
        match event {
            Event::Eof => return Ok(()),
            Event::Start(tag) | Event::Empty(tag) if tag.local_name().as_ref() == "Cube" => {
                if let Some(day) = attribute(&tag, "time")? {
                    let day = parse_day(&day)?;
                    days.begin(day)?;
                    date = Some(day);
                }
                if let (Some(date), Some(code), Some(rate)) =
                    (date, attribute(&tag, "currency")?, attribute(&tag, "rate")?)
                {
                    days.add(date, &code, &rate)?;
                }
            }
            _ => {}
        }
    }
}

fn attribute(tag: &BytesStart<'_>, name: &str) -> Result<Option<String>, EcbError> {
    let found = tag.try_get_attribute(name).map_err(|error| EcbError::Xml(error.into()))?;
    Ok(found.map(|attribute| attribute.value.trim().to_owned()))
}

/// A head line of codes, then one line per day; `N/A` where a currency had no rate.
fn read_csv(text: &str, days: &mut Days) -> Result<(), EcbError> {
    let mut lines = text.lines().map(|line| line.split(',').map(str::trim));
    let mut head = lines.next().ok_or(EcbError::Empty)?;
    if head.next() != Some("Date") {
        return Err(EcbError::Empty);
    }
    let codes: Vec<&str> = head.collect();
    for mut line in lines {
        let Some(day) = line.next().filter(|day| !day.is_empty()) else { continue };
        let date = parse_day(day)?;
        days.begin(date)?;
        for (code, rate) in codes.iter().zip(line) {
            if !code.is_empty() && !rate.is_empty() && rate != "N/A" {
                days.add(date, code, rate)?;
            }
        }
    }
    Ok(())
}

fn parse_day(text: &str) -> Result<Date, EcbError> {
    Date::parse(text, ISO_DAY)
        .or_else(|_| Date::parse(text, LONG_DAY))
        .map_err(|_| EcbError::Day(text.chars().take(40).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: &str = include_str!("fixtures/eurofxref-hist.csv");
    const ZIP: &[u8] = include_bytes!("fixtures/eurofxref-hist.zip");

    fn usd(day: &DayRates) -> String {
        day.per_euro(Currency::USD).unwrap().to_string()
    }

    #[test]
    fn the_history_reads_the_same_from_csv_and_zip() {
        let days = read(CSV.as_bytes()).unwrap();
        let dates: Vec<_> = days.iter().map(|day| day.date.to_string()).collect();
        assert_eq!(dates, ["1999-01-04", "2026-10-28", "2026-10-29", "2026-10-30"]);
        assert_eq!((usd(&days[0]), usd(&days[3])), ("1.1789".to_owned(), "1.1172".to_owned()));
        assert_eq!(read(ZIP).unwrap(), days);
        assert!(days[3].per_euro("RUB".parse().unwrap()).is_none(), "N/A is no rate");
    }

    #[test]
    fn one_day_of_csv_and_many_of_xml_are_read() {
        let daily = read(b"Date, USD, JPY, \n30 October 2026, 1.1172, 175.68, \n").unwrap();
        assert_eq!(daily[0].date.to_string(), "2026-10-30");
        let history = read(
            b"\xef\xbb\xbf<?xml version='1.0'?><e:Envelope xmlns:e='x'><Cube>\
              <Cube time=\"2026-10-30\"><Cube currency=\"USD\" rate=\"1.1172\"/></Cube>\
              <Cube time=\"2026-10-29\"><Cube currency='USD' rate='1.113'></Cube>\
              <Cube currency='TRL' rate='372274'/></Cube></Cube></e:Envelope>",
        )
        .unwrap();
        assert_eq!((history.len(), usd(&history[1])), (2, "1.1172".to_owned()));
        assert_eq!(history[0].currencies().count(), 2, "the dollar and the euro itself");
    }

    #[test]
    fn a_file_that_is_not_what_it_should_be_is_refused_whole() {
        for wrong in [
            &b""[..],
            b"<html>not found</html>",
            b"Date,USD\n",
            b"Date,USD\n2026-13-01,1.1\n",
            b"Date,USD\n2026-10-30,-1.1\n",
            b"Date,USD\n2026-10-30,0\n",
            b"Date,USD,USD\n2026-10-30,1,2\n",
            b"Date,USD\n2026-10-30,1\n2026-10-30,1\n",
            b"<Cube time='2026-10-30'><Cube currency='USD' rate='1e5'/></Cube>",
            b"<Cube time='soon'/>",
            b"<Cube time='2026-10-30'><Cube currency='USD' rate=",
            b"PK\x03\x04 and no more",
            b"\xff\xfe",
        ] {
            assert!(read(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
    }

    #[test]
    fn a_small_file_that_unpacks_to_a_large_one_is_refused() {
        let mut bomb = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        bomb.start_file("eurofxref-hist.csv", zip::write::SimpleFileOptions::default()).unwrap();
        let block = vec![b','; 1 << 20];
        for _ in 0..=MOST_BYTES >> 20 {
            std::io::Write::write_all(&mut bomb, &block).unwrap();
        }
        let bomb = bomb.finish().unwrap().into_inner();
        assert!(bomb.len() < 1 << 20);
        assert!(matches!(read(&bomb), Err(EcbError::TooLarge)));
    }
}
