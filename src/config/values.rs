//! How each kind of value is written: one small function per kind, from what stood in the file or the
//! variable to the typed value, or a sentence saying what is wanted.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

/// A value before it has a type.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Raw {
    /// Text out of a TOML string.
    Text(String),
    /// Text out of a variable or a flag, which may stand for a number, a truth value or a list.
    Loose(String),
    Integer(i64),
    Bool(bool),
    List(Vec<Raw>),
    /// Something no key takes (a float, a date), by the name TOML has for it.
    Other(&'static str),
}

impl std::fmt::Display for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            // An address with a user in it has a password, too, most of the time.
            Self::Text(text) | Self::Loose(text) if text.contains('@') => {
                f.write_str("one with an @")
            }
            Self::Text(text) | Self::Loose(text) => write!(f, "{text:?}"),
            Self::Integer(number) => write!(f, "{number}"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::List(_) => f.write_str("a list"),
            Self::Other(what) => write!(f, "a {what}"),
        }
    }
}

/// What a value should have looked like. The reader adds the key, the place and (unless it is a secret)
/// the value itself.
pub(super) type Wanted = String;

/// The kinds of values a key can have.
pub(super) type Parsed<T> = Result<T, Wanted>;

pub(super) fn text(raw: &Raw) -> Parsed<String> {
    match raw {
        Raw::Text(text) | Raw::Loose(text) if !text.is_empty() => Ok(text.clone()),
        _ => Err("text, and not empty".to_owned()),
    }
}

pub(super) fn path(raw: &Raw) -> Parsed<PathBuf> {
    text(raw).map(PathBuf::from).map_err(|_| "a path".to_owned())
}

pub(super) fn boolean(raw: &Raw) -> Parsed<bool> {
    match raw {
        Raw::Bool(value) => Ok(*value),
        Raw::Loose(text) if text == "true" => Ok(true),
        Raw::Loose(text) if text == "false" => Ok(false),
        _ => Err("true or false".to_owned()),
    }
}

/// A whole number within bounds, so that a setting of zero or of billions is refused at the start and not
/// met as a deadlock or an exhausted machine later.
pub(super) fn integer<T>(bounds: RangeInclusive<T>) -> impl Fn(&Raw) -> Parsed<T>
where
    T: TryFrom<i64> + PartialOrd + std::fmt::Display,
{
    move |raw| {
        let number = match raw {
            Raw::Integer(number) => Some(*number),
            Raw::Loose(text) => text.parse().ok(),
            _ => None,
        };
        number
            .and_then(|number| T::try_from(number).ok())
            .filter(|number| bounds.contains(number))
            .ok_or_else(|| format!("a whole number from {} to {}", bounds.start(), bounds.end()))
    }
}

/// A duration such as "30s", within bounds.
pub(super) fn duration(bounds: RangeInclusive<Duration>) -> impl Fn(&Raw) -> Parsed<Duration> {
    move |raw| {
        text(raw)
            .ok()
            .and_then(|text| parse_duration(&text))
            .filter(|duration| bounds.contains(duration))
            .ok_or_else(|| {
                let (least, most) = (bounds.start(), bounds.end());
                format!(
                    "a duration from {least:?} to {most:?}, such as \"250ms\", \"30s\" or \"5m\""
                )
            })
    }
}

fn parse_duration(text: &str) -> Option<Duration> {
    let (number, unit) = number_and_unit(text)?;
    let millis_each: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    number.checked_mul(millis_each).map(Duration::from_millis)
}

/// A size such as "256KiB", within bounds.
pub(super) fn size(bounds: RangeInclusive<usize>) -> impl Fn(&Raw) -> Parsed<usize> {
    move |raw| {
        text(raw)
            .ok()
            .and_then(|text| parse_size(&text))
            .filter(|size| bounds.contains(size))
            .ok_or_else(|| {
                let (least, most) = (bounds.start(), bounds.end());
                format!(
                    "a size from {least} to {most} bytes, such as \"512B\", \"64KiB\" or \"1MiB\""
                )
            })
    }
}

fn parse_size(text: &str) -> Option<usize> {
    let (number, unit) = number_and_unit(text)?;
    let bytes_each: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    usize::try_from(number.checked_mul(bytes_each)?).ok()
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits)?;
    Some((number.parse().ok()?, unit.trim_start()))
}

/// One word out of a few.
pub(super) fn choice<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Raw) -> Parsed<T> {
    move |raw| {
        let given = text(raw).unwrap_or_default();
        words.iter().find(|(word, _)| *word == given).map(|(_, value)| *value).ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(word, _)| format!("{word:?}")).collect();
            format!("one of {}", all.join(", "))
        })
    }
}

pub(super) fn socket(raw: &Raw) -> Parsed<SocketAddr> {
    let wanted = "an address and a port, such as \"127.0.0.1:8080\" or \"[::1]:8080\"";
    text(raw).ok().and_then(|text| text.parse().ok()).ok_or_else(|| wanted.to_owned())
}

pub(super) fn network(raw: &Raw) -> Parsed<IpNet> {
    let parse = |text: String| {
        text.parse().ok().or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from))
    };
    let wanted = "an address or a network, such as \"10.0.0.0/8\"";
    text(raw).ok().and_then(parse).ok_or_else(|| wanted.to_owned())
}

/// A list of any kind; in a variable its members are separated by commas.
pub(super) fn list<T>(member: impl Fn(&Raw) -> Parsed<T>) -> impl Fn(&Raw) -> Parsed<Vec<T>> {
    move |raw| {
        let members: Vec<Raw> = match raw {
            Raw::List(members) => members.clone(),
            Raw::Loose(text) => text
                .split(',')
                .map(str::trim)
                .filter(|text| !text.is_empty())
                .map(|text| Raw::Loose(text.to_owned()))
                .collect(),
            _ => return Err("a list in brackets".to_owned()),
        };
        members
            .iter()
            .map(|raw| member(raw).map_err(|wanted| format!("a list of which each is {wanted}")))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn t(text: &str) -> Raw {
        Raw::Text(text.to_owned())
    }

    fn l(text: &str) -> Raw {
        Raw::Loose(text.to_owned())
    }

    #[test]
    fn durations_need_a_unit_and_stay_in_bounds() {
        let kind = duration(Duration::from_millis(10)..=Duration::from_hours(24));
        assert_eq!(kind(&t("250ms")), Ok(Duration::from_millis(250)));
        assert_eq!(kind(&l("5m")), Ok(Duration::from_mins(5)));
        assert_eq!(kind(&t("1d")), Ok(Duration::from_hours(24)));
        for bad in [
            t("30"),
            t("s"),
            t("-1s"),
            t("1h30m"),
            t("2d"),
            t("1ms"),
            t("99999999999999999999s"),
            Raw::Integer(30),
        ] {
            assert!(kind(&bad).is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn sizes_are_binary_and_stay_in_bounds() {
        let kind = size(1..=1 << 30);
        assert_eq!(kind(&t("64KiB")), Ok(65_536));
        assert_eq!(kind(&t("512B")), Ok(512));
        for bad in [t("64KB"), t("64"), t("0B"), t("2GiB"), Raw::Integer(64)] {
            assert!(kind(&bad).is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn a_number_in_a_variable_is_text_but_text_in_the_file_is_no_number() {
        let kind = integer::<u32>(1..=10);
        assert_eq!(kind(&l("7")), Ok(7));
        assert_eq!(kind(&Raw::Integer(7)), Ok(7));
        for bad in [t("7"), l("seven"), l("0"), l("11"), Raw::Integer(-1), Raw::Bool(true)] {
            assert!(kind(&bad).is_err(), "{bad} must be refused");
        }
    }

    #[test]
    fn lists_take_brackets_in_the_file_and_commas_in_a_variable() {
        let kind = list(network);
        let both = vec!["10.0.0.0/8".parse().unwrap(), "192.0.2.1/32".parse().unwrap()];
        assert_eq!(kind(&l("10.0.0.0/8, 192.0.2.1")), Ok(both.clone()));
        assert_eq!(kind(&Raw::List(vec![t("10.0.0.0/8"), t("192.0.2.1")])), Ok(both));
        assert!(kind(&t("10.0.0.0/8")).is_err());
        assert!(kind(&l("10.0.0.0/99")).is_err());
    }
}
