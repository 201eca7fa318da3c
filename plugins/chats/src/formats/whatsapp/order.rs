//! Which number of a date is the day: a number above 12 says it, else the order of the dates.

use super::stamp::{Date, Stamp};
use crate::config::DateOrder;
use crate::when::Moment;

/// Finds the order that all dates of a file have.
pub(super) fn find(
    dates: &(impl Iterator<Item = Date> + Clone),
    set: Option<DateOrder>,
) -> Result<DateOrder, String> {
    let orders = [DateOrder::Dmy, DateOrder::Mdy, DateOrder::Ymd];
    // With two digits a year is written first in few places, so that must be said.
    let is_real = |order: DateOrder, date: &Date| {
        let is_short = date.numbers[0] < 100;
        let is_likely = order != DateOrder::Ymd || !is_short || set == Some(DateOrder::Ymd);
        is_likely && order.date(date).is_some()
    };
    let most = |order: DateOrder| {
        let real = dates.clone().filter(|date| is_real(order, date)).count();
        let mut last = None;
        let mut backwards = 0;
        for at in dates.clone().filter_map(|date| order.date(&date)) {
            backwards += usize::from(last.is_some_and(|last| at < last));
            last = Some(at);
        }
        (real, backwards)
    };
    let fits = orders.map(|order| (order, most(order)));
    let best_real = fits.iter().map(|(_, (real, _))| *real).max().unwrap_or(0);
    let real: Vec<_> = fits
        .iter()
        .filter(|(_, (real, _))| *real == best_real)
        .collect();
    if let [(only, _)] = real[..] {
        return Ok(*only);
    }
    if let Some(set) = set
        && real.iter().any(|(order, _)| *order == set)
    {
        return Ok(set);
    }
    // Nobody writes the month first with dots.
    let first = dates.clone().next();
    if first.is_none_or(|date| date.separator == '.') {
        return Ok(DateOrder::Dmy);
    }
    let least = real
        .iter()
        .map(|(_, (_, backwards))| *backwards)
        .min()
        .unwrap_or(0);
    let best: Vec<_> = real
        .iter()
        .filter(|(_, (_, backwards))| *backwards == least)
        .collect();
    match best[..] {
        [(only, _)] => Ok(*only),
        _ if same(dates, &best.iter().map(|(order, _)| *order).collect::<Vec<_>>()) => Ok(best[0].0),
        _ => Err("its dates can be read as day/month and as month/day; set `date_order` to \"dmy\", \"mdy\" or \"ymd\"".to_owned()),
    }
}

/// Returns whether the orders read each date alike, as 5/5/25.
fn same(dates: &(impl Iterator<Item = Date> + Clone), orders: &[DateOrder]) -> bool {
    dates.clone().all(|date| {
        let mut read = orders.iter().map(|order| order.date(&date));
        let first = read.next();
        read.all(|other| Some(other) == first)
    })
}

impl DateOrder {
    fn date(self, date: &Date) -> Option<[i64; 3]> {
        let [first, second, third] = date.numbers;
        let [year, month, day] = match self {
            DateOrder::Dmy => [third, second, first],
            DateOrder::Mdy => [third, first, second],
            DateOrder::Ymd => [first, second, third],
        };
        let year = match year {
            // WhatsApp is of 2009; two digits are of this century.
            0..=99 => year + 2000,
            2000..=2100 => year,
            _ => return None,
        };
        let is_date = (1..=12).contains(&month) && (1..=31).contains(&day) && year >= 2009;
        (is_date && year < 2100).then_some([year, month, day])
    }

    pub(super) fn moment(self, stamp: &Stamp) -> Option<Moment> {
        Moment::of(self.date(&stamp.date)?, stamp.clock, 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dates(texts: &[&str]) -> Vec<Date> {
        let date = |text: &&str| {
            let separator = text.chars().find(|c| !c.is_ascii_digit()).unwrap();
            let numbers: Vec<_> = text
                .split(separator)
                .map(|number| number.parse().unwrap())
                .collect();
            Date {
                numbers: numbers.try_into().unwrap(),
                separator,
            }
        };
        texts.iter().map(date).collect()
    }

    fn found(texts: &[&str], set: Option<DateOrder>) -> Result<DateOrder, String> {
        find(&dates(texts).into_iter(), set)
    }

    #[test]
    fn a_number_above_twelve_says_the_order() {
        assert_eq!(found(&["1/2/24", "13/2/24"], None), Ok(DateOrder::Dmy));
        assert_eq!(found(&["1/2/24", "2/13/24"], None), Ok(DateOrder::Mdy));
        assert_eq!(found(&["2024-01-02"], None), Ok(DateOrder::Ymd));
        assert_eq!(
            found(&["1/2/24", "13/2/24"], Some(DateOrder::Mdy)),
            Ok(DateOrder::Dmy)
        );
    }

    #[test]
    fn else_the_dates_must_not_go_back() {
        assert_eq!(
            found(&["1/2/24", "2/2/24", "1/3/24"], None),
            Ok(DateOrder::Dmy)
        );
        assert_eq!(
            found(&["2/1/24", "2/2/24", "3/1/24"], None),
            Ok(DateOrder::Mdy)
        );
        assert_eq!(found(&["1.2.24", "1.3.24"], None), Ok(DateOrder::Dmy));
        assert_eq!(found(&["5/5/2024"], None), Ok(DateOrder::Dmy));
    }

    #[test]
    fn what_cannot_be_known_is_asked_for() {
        let texts = ["1/2/2024", "3/4/2024"];
        assert!(found(&texts, None).unwrap_err().contains("date_order"));
        assert_eq!(found(&texts, Some(DateOrder::Mdy)), Ok(DateOrder::Mdy));
    }
}
