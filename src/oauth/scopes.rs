//! What a credential may do, one word per right.

use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use crate::base::failure::{Code, Failure};

macro_rules! scopes {
    ($($(#[doc = $about:literal])+ $name:ident = $text:literal;)+) => {
        /// One right. Reading and acting are apart everywhere, so that a reporting job can be given
        /// a credential that moves no money.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Scope { $($(#[doc = $about])+ $name,)+ }

        impl Scope {
            /// Every right there is, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// What it allows, for people.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$name => concat!($($about),+).trim_ascii(),)+ }
            }

            /// The wire word.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }

        /// The rights as types, so that a handler's signature says what its caller must have.
        pub mod right {
            use super::Scope;

            /// A right that a handler can ask for.
            pub trait Right: Send + Sync + 'static {
                /// The scope; `None` when any valid token will do.
                const SCOPE: Option<Scope>;
            }

            /// Any valid token.
            #[derive(Debug)]
            pub enum Any {}
            impl Right for Any {
                const SCOPE: Option<Scope> = None;
            }

            $(
                $(#[doc = $about])+
                #[derive(Debug)]
                pub enum $name {}
                impl Right for $name {
                    const SCOPE: Option<Scope> = Some(Scope::$name);
                }
            )+
        }
    };
}

scopes! {
    /// See fee plans, rates and quotes.
    PricingRead = "pricing:read";
    /// Ask for quotes, which lock a fee.
    PricingQuote = "pricing:quote";
    /// Exchange money between own balances.
    FxExchange = "fx:exchange";
    /// See payouts.
    PayoutsRead = "payouts:read";
    /// Create and cancel payouts.
    PayoutsWrite = "payouts:write";
    /// See beneficiaries and instruments, masked.
    BeneficiariesRead = "beneficiaries:read";
    /// Create and change beneficiaries and instruments.
    BeneficiariesWrite = "beneficiaries:write";
    /// See personal data in clear.
    BeneficiariesPii = "beneficiaries:pii";
    /// See balances, accounts and transactions.
    BalancesRead = "balances:read";
    /// See webhook endpoints, events and deliveries.
    WebhooksRead = "webhooks:read";
    /// Change webhook endpoints and read their secrets.
    WebhooksWrite = "webhooks:write";
    /// Reset and seed the sandbox.
    SandboxWrite = "sandbox:write";
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of rights, written with single spaces between them. Every request copies one, so copies share
/// it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Arc<BTreeSet<Scope>>);

impl Scopes {
    /// All of them: what a credential gets when nothing else is asked.
    pub fn all() -> Self {
        Scope::ALL.iter().copied().collect()
    }

    /// Whether one right is among them.
    pub fn has(&self, scope: Scope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether every right of `other` is among them.
    pub fn cover(&self, other: &Self) -> bool {
        other.0.is_subset(&self.0)
    }

    /// Each of them, in the order of the documentation.
    pub fn iter(&self) -> impl Iterator<Item = Scope> {
        self.0.iter().copied()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(Arc::new(scopes.into_iter().collect()))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl FromStr for Scopes {
    type Err = Failure;

    /// RFC 6749 §3.3: words with exactly one space between them. A doubled space, a control
    /// character or a quote is malformed, and so is a word we do not know.
    fn from_str(text: &str) -> Result<Self, Failure> {
        let word = |word: &str| Scope::ALL.iter().copied().find(|scope| scope.as_str() == word);
        text.split(' ')
            .map(|text| word(text).ok_or_else(|| Failure::new(Code::InvalidScope)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_read_back_and_malformed_ones_are_refused() {
        let scopes: Scopes = "payouts:read pricing:quote".parse().unwrap();
        assert_eq!(scopes.to_string(), "pricing:quote payouts:read");
        assert!(Scopes::all().cover(&scopes) && !scopes.cover(&Scopes::all()));
        for wrong in [
            "",
            " ",
            "payouts:read  pricing:quote",
            "payouts:read ",
            "\"payouts:read\"",
            "payouts:read\tpricing:quote",
            "unknown",
            "PAYOUTS:READ",
        ] {
            let refused = wrong.parse::<Scopes>().unwrap_err();
            assert_eq!(refused.code(), Code::InvalidScope, "{wrong}");
        }
    }
}
