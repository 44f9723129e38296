//! X11: claims that meet, in every order of their steps.
//!
//! A step is what one lock holds together: the look and write of an entry, one look into a list. Between
//! any two steps of a claim, any other claim may take any of its own. Here all such orders are played,
//! one after the other, on the record itself.

use super::*;
use crate::{base::secret::Secret, oauth::dpop::replay::ReplayKeyer};

const START: i64 = 1_562_262_600;
const LIFE: i64 = 300;
const JKT: &str = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I";

fn moment(second: i64) -> Timestamp {
    Timestamp::from_unix_seconds(START + second)
}

fn claim(jti: &str, second: i64) -> Claim {
    let jkt = JKT.parse().unwrap();
    let key = ReplayKeyer::new(&Secret::new([1; 32])).name(&jkt, jti);
    Claim { key, jkt, now: moment(second), epoch: 1 }
}

fn record(ceiling: usize) -> MemoryReplay {
    let life = Duration::from_secs(LIFE.unsigned_abs());
    MemoryReplay::new(MemoryLimits { life, ceiling, per_key_and_minute: 1_000 })
}

/// Where a claim stands; the same steps as in [`MemoryReplay::claim`].
enum Next {
    Try,
    /// It was full: look for the dead everywhere, once.
    TakeAllDead,
    BuryAll(Vec<ReplayKey>),
    List,
    TakeDead,
    Bury(Vec<ReplayKey>),
    Done,
}

struct Claimer {
    claim: Claim,
    next: Next,
    swept: bool,
    outcome: Option<Outcome>,
}

impl Claimer {
    fn new(claim: Claim) -> Self {
        Self { claim, next: Next::Try, swept: false, outcome: None }
    }

    fn step(&mut self, record: &MemoryReplay) {
        let Claim { key, now, .. } = self.claim;
        self.next = match &mut self.next {
            Next::Try => {
                let outcome = record.try_claim(&self.claim);
                self.outcome = Some(outcome);
                match outcome {
                    Outcome::Full if !self.swept => Next::TakeAllDead,
                    Outcome::Fresh => Next::List,
                    _ => Next::TakeDead,
                }
            }
            Next::TakeAllDead => {
                self.swept = true;
                let shards = 0..SHARDS;
                let dead = shards.flat_map(|shard| record.take_dead(shard, now, usize::MAX));
                Next::BuryAll(dead.collect())
            }
            Next::BuryAll(dead) => match dead.pop() {
                Some(dead_key) => {
                    record.bury(dead_key, now);
                    Next::BuryAll(std::mem::take(dead))
                }
                None => Next::Try,
            },
            Next::List => {
                record.list(key, now);
                Next::TakeDead
            }
            Next::TakeDead => {
                let dead = record.take_dead(key.spread(SHARDS), now, SWEPT_PER_CLAIM);
                if dead.is_empty() { Next::Done } else { Next::Bury(dead) }
            }
            Next::Bury(dead) => {
                if let Some(dead_key) = dead.pop() {
                    record.bury(dead_key, now);
                }
                if dead.is_empty() { Next::Done } else { Next::Bury(std::mem::take(dead)) }
            }
            Next::Done => Next::Done,
        };
    }
}

/// Plays `begin` once for each order in which its claims can take their steps; gives how many there are.
fn in_every_order<W>(
    begin: impl Fn() -> W,
    ready: impl Fn(&W) -> Vec<usize>,
    step: impl Fn(&mut W, usize),
    end: impl Fn(W),
) -> u32 {
    let (mut choices, mut orders) = (Vec::<usize>::new(), 0);
    loop {
        let (mut world, mut widths) = (begin(), Vec::new());
        loop {
            let ready = ready(&world);
            if ready.is_empty() {
                break;
            }
            let at = widths.len();
            if at == choices.len() {
                choices.push(0);
            }
            step(&mut world, ready[choices[at]]);
            widths.push(ready.len());
        }
        end(world);
        orders += 1;
        // The next order: the last choice that can be another one.
        loop {
            match (choices.pop(), widths.pop()) {
                (Some(choice), Some(width)) if choice + 1 < width => {
                    choices.push(choice + 1);
                    break;
                }
                (Some(_), Some(_)) => {}
                _ => return orders,
            }
        }
    }
}

/// All orders of these claims on a record with this ceiling that saw `before`; in each of them as many
/// are fresh, and nothing is left over when all is dead.
fn play(ceiling: usize, before: &[Claim], claims: &[Claim], fresh: usize) -> u32 {
    let begin = || {
        let record = record(ceiling);
        for claim in before {
            assert_eq!(record.claim(claim), Outcome::Fresh);
        }
        (record, claims.iter().copied().map(Claimer::new).collect::<Vec<_>>())
    };
    let ready = |(_, claimers): &(_, Vec<Claimer>)| {
        let claimers = claimers.iter().enumerate();
        let waiting = claimers.filter(|(_, claimer)| !matches!(claimer.next, Next::Done));
        waiting.map(|(index, _)| index).collect()
    };
    let step = |(record, claimers): &mut (MemoryReplay, Vec<Claimer>), index: usize| {
        claimers[index].step(record);
    };
    let end = |(record, claimers): (MemoryReplay, Vec<Claimer>)| {
        let outcomes: Vec<_> = claimers.iter().filter_map(|claimer| claimer.outcome).collect();
        let won = outcomes.iter().filter(|outcome| **outcome == Outcome::Fresh).count();
        assert_eq!(won, fresh, "{outcomes:?}");
        for claimer in &claimers {
            if claimer.outcome == Some(Outcome::Fresh) {
                assert_eq!(record.claim(&claimer.claim), Outcome::Replayed);
            }
        }
        assert!(record.len() <= ceiling);
        (0..SHARDS).for_each(|shard| record.sweep(shard, moment(10_000), usize::MAX));
        assert_eq!(record.len(), 0, "every claim is found by the sweep, and counted once");
        assert!(record.minutes.iter().all(|shard| unpoisoned(shard).is_empty()));
        record.used.run_pending_tasks();
        assert_eq!(record.used.entry_count(), 0);
    };
    in_every_order(begin, ready, step, end)
}

#[test]
fn in_every_order_of_steps_one_claim_wins() {
    // Never seen.
    let orders = play(100, &[], &[claim("a", 0), claim("a", 0), claim("a", 1)], 1);
    assert!(orders > 200, "{orders}");
    // Used once, long ago: the sweep meets the claim that takes its place.
    let old = [claim("a", 0)];
    let orders = play(100, &old, &[claim("a", 600), claim("a", 600), claim("a", 601)], 1);
    assert!(orders > 200, "{orders}");
    // The record still lives for one of them.
    play(100, &old, &[claim("a", LIFE - 1), claim("a", LIFE), claim("a", LIFE + 1)], 1);
    // Others beside it.
    play(100, &old, &[claim("a", 600), claim("a", 600), claim("b", 600)], 2);
}

#[test]
fn in_every_order_of_steps_the_ceiling_holds() {
    play(1, &[], &[claim("a", 0), claim("b", 0), claim("c", 0)], 1);
    // The dead take the only place until somebody sweeps.
    let old = [claim("a", 0)];
    play(1, &old, &[claim("b", 600), claim("c", 600)], 1);
    play(1, &old, &[claim("a", 600), claim("b", 600)], 1);
}

/// What this would find: a look and a write that are two steps have two winners.
#[test]
fn two_winners_would_be_found() {
    use std::{cell::Cell, collections::HashSet};
    let worst = Cell::new(0);
    let begin = || (HashSet::new(), [0, 0], [false, false]);
    let ready = |world: &(HashSet<u8>, [u8; 2], [bool; 2])| {
        (0..2).filter(|index| world.1[*index] < 2).collect()
    };
    let step = |(used, at, fresh): &mut (HashSet<u8>, [u8; 2], [bool; 2]), index: usize| {
        if at[index] == 0 {
            fresh[index] = !used.contains(&7);
        } else {
            used.insert(7);
        }
        at[index] += 1;
    };
    let orders = in_every_order(begin, ready, step, |(_, _, fresh)| {
        worst.set(worst.get().max(fresh.into_iter().filter(|fresh| *fresh).count()));
    });
    assert_eq!((orders, worst.get()), (6, 2));
}
