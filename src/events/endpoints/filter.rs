//! Which events an endpoint wants.

use crate::events::log::EventType;

/// Event types, groups of them, or all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Vec<Pattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pattern {
    /// `*`
    All,
    /// `payout.*`, kept with its dot.
    Group(String),
    /// `payout.created`
    One(EventType),
}

impl Filter {
    /// Reads the words of a request, or says what they must be. What could never match is refused:
    /// a misspelt word would look like silence.
    pub fn read<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut patterns = Vec::new();
        for word in words {
            let pattern = Pattern::read(word).ok_or_else(|| {
                let word: String = word.chars().take(64).collect();
                format!(
                    "must be published event types, groups such as payout.*, or *; {word:?} is none"
                )
            })?;
            if !patterns.contains(&pattern) {
                patterns.push(pattern);
            }
        }
        if patterns.is_empty() {
            Err("must name at least one event".to_owned())
        } else {
            Ok(Self(patterns))
        }
    }

    /// Whether an event of this type is wanted.
    pub fn wants(&self, kind: EventType) -> bool {
        self.0.iter().any(|pattern| match pattern {
            Pattern::All => true,
            Pattern::Group(prefix) => kind.as_str().starts_with(prefix.as_str()),
            Pattern::One(wanted) => *wanted == kind,
        })
    }

    /// The words again.
    pub fn words(&self) -> Vec<String> {
        let word = |pattern: &Pattern| match pattern {
            Pattern::All => "*".to_owned(),
            Pattern::Group(prefix) => format!("{prefix}*"),
            Pattern::One(kind) => kind.as_str().to_owned(),
        };
        self.0.iter().map(word).collect()
    }
}

impl Pattern {
    fn read(word: &str) -> Option<Self> {
        if word == "*" {
            return Some(Self::All);
        }
        let Some(prefix) = word.strip_suffix('*') else {
            return EventType::parse(word).map(Self::One);
        };
        let known = EventType::ALL.iter().any(|kind| kind.as_str().starts_with(prefix));
        (prefix.ends_with('.') && known).then(|| Self::Group(prefix.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(words: &[&str]) -> Result<Filter, String> {
        Filter::read(words.iter().copied())
    }

    #[test]
    fn a_star_wants_all_and_a_group_its_own() {
        assert!(filter(&["*"]).unwrap().wants(EventType::FundingCredit));
        let payouts = filter(&["payout.*", "funding.credit"]).unwrap();
        assert!(payouts.wants(EventType::PayoutSent) && payouts.wants(EventType::FundingCredit));
        assert!(!payouts.wants(EventType::BatchFailed));
        assert!(filter(&["fx.exchange.*"]).unwrap().wants(EventType::FxExchangeFailed));
        assert!(!filter(&["fx.exchange.*"]).unwrap().wants(EventType::FxQuoteCreated));
        assert_eq!(payouts.words(), ["payout.*", "funding.credit"]);
    }

    #[test]
    fn what_could_never_match_is_refused() {
        for wrong in [&[][..], &["payout"], &["payouts.*"], &["pay*"], &[".*"], &["**"], &[""]] {
            assert!(filter(wrong).is_err(), "{wrong:?}");
        }
        assert_eq!(filter(&["*", "*"]).unwrap().words(), ["*"]);
    }
}
