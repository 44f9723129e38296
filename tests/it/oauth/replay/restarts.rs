//! The record in memory and its journal: restarts, crashes, power cuts, damage.

use std::{path::Path, time::Duration};

use counterfoil::{
    config::ReplayStore as Home,
    oauth::dpop::{
        nonce::{NonceVerdict, Side},
        replay::{self, LIFE, Outcome, Place},
    },
};

use super::{ONE, begins_anew, claim, memory, nonce, settings, use_once, world};
use crate::support::{both::TestDb, scratch};

/// P66, X5: neither an orderly end nor `kill -9` reopens the window, and neither refuses anybody.
#[tokio::test]
async fn a_restart_remembers_and_refuses_nobody() {
    let test = TestDb::sqlite().await;
    let (ctx, hands) = world(test.open().await);
    let folder = scratch::directory("replay");
    let mut replay = memory(&ctx, &folder).await;
    assert_eq!(use_once(&replay, &ctx, "first").await.unwrap(), Outcome::Fresh);
    let nonce = nonce(&replay, &ctx);
    for (round, orderly) in [true, false, false, true, true, false].into_iter().enumerate() {
        let own = format!("round {round}");
        assert_eq!(use_once(&replay, &ctx, &own).await.unwrap(), Outcome::Fresh);
        if orderly {
            replay.close().await.unwrap();
            use_once(&replay, &ctx, "too late").await.unwrap_err();
        }
        drop(replay);
        hands.advance(Duration::from_secs(20));
        replay = memory(&ctx, &folder).await;
        assert_eq!(replay.forgotten_until(), None);
        for jti in ["first", &own] {
            assert_eq!(use_once(&replay, &ctx, jti).await.unwrap(), Outcome::Replayed, "{jti}");
        }
    }
    let verdict = replay.known().nonces.judge(Side::Resource, &nonce, ctx.now());
    assert_eq!(verdict, NonceVerdict::Old, "nonces live on");
    hands.advance(LIFE);
    assert_eq!(use_once(&replay, &ctx, "first").await.unwrap(), Outcome::Fresh);
}

/// What a power cut, a restored backup or a damaged disk leaves is not believed.
#[tokio::test]
async fn a_journal_that_may_be_incomplete_is_not_believed() {
    for harm in [remove_all, remove_one, cut_header, flip_a_bit] {
        let test = TestDb::sqlite().await;
        let (ctx, hands) = world(test.open().await);
        let folder = scratch::directory("replay");
        let replay = memory(&ctx, &folder).await;
        let (before, nonce) = (claim(&replay, &ctx, ONE, "before"), nonce(&replay, &ctx));
        assert_eq!(replay.claim(&before).await.unwrap(), Outcome::Fresh);
        for jti in ["next page", "last page"] {
            hands.advance(Duration::from_mins(1));
            assert_eq!(use_once(&replay, &ctx, jti).await.unwrap(), Outcome::Fresh);
        }
        drop(replay);
        harm(&folder.join("replay"));
        let replay = memory(&ctx, &folder).await;
        begins_anew(&replay, &ctx, &before, &nonce).await;
        // It is remembered that it was forgotten.
        let until = replay.forgotten_until();
        drop(replay);
        assert_eq!(memory(&ctx, &folder).await.forgotten_until(), until);
    }
}

/// A power cut may take the last pages; only an orderly end says that nothing is missing.
#[tokio::test]
async fn after_a_power_cut_only_a_closed_journal_is_believed() {
    let boots = [Some("one".to_owned()), Some("two".to_owned()), None, None];
    for orderly in [true, false] {
        let test = TestDb::sqlite().await;
        let (ctx, _) = world(test.open().await);
        let folder = scratch::directory("replay");
        let mut epochs = Vec::new();
        for boot in boots.clone() {
            let place = Place { folder: &folder, boot };
            let replay = replay::open(&settings(Home::Memory), &ctx, None, &place).await.unwrap();
            assert_eq!(replay.forgotten_until().is_some(), !orderly && !epochs.is_empty());
            epochs.push(replay.known().epoch);
            use_once(&replay, &ctx, "a").await.unwrap();
            if orderly {
                replay.close().await.unwrap();
            }
        }
        assert_eq!(epochs, if orderly { [1, 1, 1, 1] } else { [1, 2, 3, 4] });
    }
}

/// Killed in the middle of a line: its claim was never answered, the others were.
#[tokio::test]
async fn half_a_line_is_no_loss() {
    let test = TestDb::sqlite().await;
    let (ctx, _) = world(test.open().await);
    let folder = scratch::directory("replay");
    let replay = memory(&ctx, &folder).await;
    use_once(&replay, &ctx, "whole").await.unwrap();
    use_once(&replay, &ctx, "half").await.unwrap();
    drop(replay);
    let page = pages(&folder.join("replay")).pop().unwrap();
    let bytes = std::fs::read(&page).unwrap();
    std::fs::write(&page, &bytes[..bytes.len() - 10]).unwrap();
    let replay = memory(&ctx, &folder).await;
    assert_eq!(replay.forgotten_until(), None);
    assert_eq!(use_once(&replay, &ctx, "whole").await.unwrap(), Outcome::Replayed);
    assert_eq!(use_once(&replay, &ctx, "half").await.unwrap(), Outcome::Fresh);
}

fn pages(folder: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap();
    let mut pages: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    pages.sort();
    pages
}

fn remove_all(folder: &Path) {
    std::fs::remove_dir_all(folder).unwrap();
}

fn remove_one(folder: &Path) {
    let pages = pages(folder);
    assert!(pages.len() >= 3, "{pages:?}");
    std::fs::remove_file(&pages[1]).unwrap();
}

fn cut_header(folder: &Path) {
    let page = &pages(folder)[1];
    let bytes = std::fs::read(page).unwrap();
    std::fs::write(page, &bytes[..60]).unwrap();
}

fn flip_a_bit(folder: &Path) {
    let page = &pages(folder)[1];
    let mut bytes = std::fs::read(page).unwrap();
    bytes[70] ^= 1;
    std::fs::write(page, bytes).unwrap();
}
