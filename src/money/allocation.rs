//! Dividing an amount so that nothing is lost.

use super::{Amount, MoneyError};

/// Divides an amount by weights, to the last minor unit: the largest remainder first, and the
/// earlier place on a tie. A negative amount is divided as its mirror image, so that a refund
/// takes back from each exactly what was given.
pub fn allocate(total: Amount, weights: &[u64]) -> Result<Vec<Amount>, MoneyError> {
    let sum: u128 = weights.iter().copied().map(u128::from).sum();
    if sum == 0 {
        return Err(MoneyError::NoWeights);
    }
    let currency = total.currency();
    let whole = u128::from(total.minor().unsigned_abs());
    // At most 2^63 times 2^64: both fit in 128 bits.
    let exact: Vec<u128> = weights.iter().map(|weight| whole * u128::from(*weight)).collect();
    let mut shares: Vec<u128> = exact.iter().map(|part| part / sum).collect();
    let given: u128 = shares.iter().sum();

    let mut by_remainder: Vec<(usize, u128)> =
        exact.iter().map(|part| part % sum).enumerate().collect();
    by_remainder.sort_by_key(|(place, rest)| (std::cmp::Reverse(*rest), *place));
    let missing = usize::try_from(whole - given).unwrap_or(usize::MAX);
    for (place, _) in by_remainder.into_iter().take(missing) {
        if let Some(share) = shares.get_mut(place) {
            *share += 1;
        }
    }

    let signed = |share: u128| {
        let share = i128::try_from(share).ok()?;
        i64::try_from(if total.is_negative() { -share } else { share }).ok()
    };
    let refused = MoneyError::TooLarge { currency };
    let amount = |share| signed(share).map(|minor| Amount::from_minor(minor, currency));
    shares.into_iter().map(|share| amount(share).ok_or(refused)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::money::Currency;

    fn shares(minor: i64, weights: &[u64]) -> Vec<i64> {
        let total = Amount::from_minor(minor, Currency::USD);
        allocate(total, weights).unwrap().into_iter().map(Amount::minor).collect()
    }

    #[test]
    fn the_largest_remainder_comes_first_and_then_the_earlier_place() {
        assert_eq!(shares(100, &[1, 1, 1]), [34, 33, 33]);
        assert_eq!(shares(-100, &[1, 1, 1]), [-34, -33, -33]);
        assert_eq!(shares(101, &[1, 1, 1]), [34, 34, 33]);
        assert_eq!(shares(10, &[1, 0, 2]), [3, 0, 7]);
        assert_eq!(shares(0, &[3, 4]), [0, 0]);
        assert_eq!(shares(i64::MIN, &[u64::MAX]), [i64::MIN]);
    }

    #[test]
    fn without_weights_there_is_nobody_to_give_to() {
        let total = Amount::from_minor(1, Currency::USD);
        assert_eq!(allocate(total, &[]), Err(MoneyError::NoWeights));
        assert_eq!(allocate(total, &[0, 0]), Err(MoneyError::NoWeights));
    }

    proptest! {
        #[test]
        fn the_shares_are_the_whole_and_each_is_fair(
            minor in any::<i64>(),
            weights in prop::collection::vec(prop_oneof![0_u64..10, any::<u64>()], 1..40)
                .prop_filter("somebody must get it", |weights| weights.iter().any(|w| *w > 0)),
        ) {
            let shares = shares(minor, &weights);
            prop_assert_eq!(shares.iter().map(|s| i128::from(*s)).sum::<i128>(), i128::from(minor));
            let sum: u128 = weights.iter().map(|w| u128::from(*w)).sum();
            for (share, weight) in shares.iter().zip(&weights) {
                let fair = u128::from(minor.unsigned_abs()) * u128::from(*weight) / sum;
                let got = u128::from(share.unsigned_abs());
                prop_assert!(got == fair || got == fair + 1, "within one unit of its exact part");
                prop_assert!(*weight > 0 || *share == 0);
            }
        }
    }
}
