//! Business days: those on which the euro settles (TARGET) and reference rates appear.

use time::{Date, Duration, Month, Weekday};

/// Whether reference rates appear on this day: not at weekends, on New Year's Day, Good Friday,
/// Easter Monday, 1 May, 25 and 26 December.
pub fn is_business_day(day: Date) -> bool {
    if matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday) {
        return false;
    }
    let fixed = matches!(
        (day.month(), day.day()),
        (Month::January | Month::May, 1) | (Month::December, 25 | 26)
    );
    let moving = easter_sunday(day.year()).is_some_and(|easter| {
        day == easter.saturating_sub(Duration::days(2))
            || day == easter.saturating_add(Duration::days(1))
    });
    !fixed && !moving
}

/// How many business days have begun since `earlier`: the next business day counts as one.
pub fn business_days_since(earlier: Date, today: Date) -> u32 {
    let mut count = 0;
    let mut day = earlier;
    while day < today {
        let Some(next) = day.next_day() else { break };
        day = next;
        count += u32::from(is_business_day(day));
    }
    count
}

/// The Gregorian computus in the form of Meeus, Jones and Butcher.
fn easter_sunday(year: i32) -> Option<Date> {
    let (golden, century, of_century) = (year % 19, year / 100, year % 100);
    let skipped_leaps = century - century / 4 - (8 * century + 13) / 25;
    let full_moon = (19 * golden + skipped_leaps + 15) % 30;
    let weekday = (32 + 2 * (century % 4) + 2 * (of_century / 4) - full_moon - of_century % 4) % 7;
    let correction = (golden + 11 * full_moon + 22 * weekday) / 451;
    let days = full_moon + weekday - 7 * correction + 114;
    let month = Month::try_from(u8::try_from(days / 31).ok()?).ok()?;
    Date::from_calendar_date(year, month, u8::try_from(days % 31 + 1).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use time::macros::date;

    use super::*;

    #[test]
    fn easter_is_where_the_church_puts_it() {
        for easter in [
            date!(1999 - 04 - 04),
            date!(2000 - 04 - 23),
            date!(2008 - 03 - 23),
            date!(2011 - 04 - 24),
            date!(2026 - 04 - 05),
            date!(2038 - 04 - 25),
        ] {
            assert_eq!(easter_sunday(easter.year()), Some(easter));
        }
    }

    #[test]
    fn weekends_and_closing_days_do_not_count() {
        // Maundy Thursday to the Tuesday after Easter: one business day has begun.
        assert_eq!(business_days_since(date!(2026 - 04 - 02), date!(2026 - 04 - 06)), 0);
        assert_eq!(business_days_since(date!(2026 - 04 - 02), date!(2026 - 04 - 07)), 1);
        // Friday to Monday, and Christmas Eve to New Year's Eve (25th a Friday, 26th a Saturday).
        assert_eq!(business_days_since(date!(2026 - 10 - 30), date!(2026 - 11 - 02)), 1);
        assert_eq!(business_days_since(date!(2026 - 12 - 24), date!(2026 - 12 - 31)), 4);
        assert_eq!(business_days_since(date!(2026 - 10 - 30), date!(2026 - 10 - 01)), 0);
    }
}
