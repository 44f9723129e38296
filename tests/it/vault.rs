//! What rests encrypted opens for us, in its own place, and for nobody else.

use std::fs;

use counterfoil::{
    base::{failure::Code, hex, random::Random, secret::Secret},
    vault::{Kek, Vault},
};

use crate::support::{app::TestApp, both::both, scratch};

const ABOUT: &str = "ben_1/pii";

both! {
    async fn what_is_sealed_opens_in_its_own_place_only(db: TestDb) {
        let app = TestApp::start(&db).await;
        let sealed = app.vault.seal(ABOUT, b"Ada Lovelace").unwrap();
        assert!(!sealed.windows(3).any(|part| part == b"Ada"));
        assert_eq!(&app.vault.open_sealed(ABOUT, &sealed).await.unwrap()[..], b"Ada Lovelace");
        assert_ne!(app.vault.seal(ABOUT, b"Ada Lovelace").unwrap(), sealed, "a nonce of its own");

        app.vault.open_sealed("ben_2/pii", &sealed).await.expect_err("copied to another row");
        for place in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[place] ^= 1;
            app.vault.open_sealed(ABOUT, &bent).await.expect_err("bent");
            app.vault.open_sealed(ABOUT, &sealed[..place]).await.expect_err("cut");
        }
        app.stop().await;
    }

    async fn a_new_key_seals_and_the_old_ones_still_open_on_every_replica(db: TestDb) {
        let app = TestApp::with(&db, |config| config.keys.encryption_key = Some([7; 32].into())).await;
        let kek = || Kek::new(Secret::new([7; 32]));
        let other = Vault::open(&app.ctx, kek()).await.unwrap();
        let before = app.vault.seal(ABOUT, b"before").unwrap();
        app.hands.advance(std::time::Duration::from_secs(1));
        let id = app.vault.rotate().await.unwrap();
        let after = app.vault.seal(ABOUT, b"after").unwrap();
        let named = |sealed: &[u8]| hex::encode(&sealed[1..9]);
        assert_eq!(named(&after), id);
        assert_ne!(named(&before), id);
        for vault in [&app.vault, &other, &Vault::open(&app.ctx, kek()).await.unwrap()] {
            assert_eq!(&vault.open_sealed(ABOUT, &before).await.unwrap()[..], b"before");
            assert_eq!(&vault.open_sealed(ABOUT, &after).await.unwrap()[..], b"after");
        }
        assert_eq!(
            app.vault.fingerprint("pii", b"Ada").unwrap(),
            other.fingerprint("pii", b"Ada").unwrap(),
            "one person is one, whoever looks and whichever key seals"
        );
        assert_ne!(app.vault.fingerprint("pi", b"iAda").unwrap(), app.vault.fingerprint("pii", b"Ada").unwrap());
        app.stop().await;
    }

    async fn without_the_key_encryption_key_nothing_opens_and_the_start_says_why(db: TestDb) {
        let app = TestApp::with(&db, |config| config.keys.encryption_key = Some([7; 32].into())).await;
        let refused = Vault::open(&app.ctx, Kek::new(Secret::new([8; 32]))).await.unwrap_err();
        assert_eq!(refused.code(), Code::NotConfigured);
        assert!(refused.cause_chain().unwrap().contains("keys.encryption_key"));
        app.stop().await;
    }
}

#[test]
fn a_sandbox_keeps_its_key_in_a_file_of_its_own() {
    use std::os::unix::fs::PermissionsExt;
    let folder = scratch::directory("kek");
    let random = Random::seeded(1);
    let made = Kek::configured_or_in(None, &folder, &random).unwrap();
    let again = Kek::configured_or_in(None, &folder, &random).unwrap();
    assert_eq!(format!("{made:?}"), format!("{again:?}"));
    let file = folder.join("vault.key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1, "nothing is left beside it");
    fs::write(&file, "short").unwrap();
    let refused = Kek::configured_or_in(None, &folder, &random).unwrap_err();
    assert_eq!(refused.code(), Code::NotConfigured);
}
