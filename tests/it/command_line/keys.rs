//! `counterfoil keys`.

use super::{counterfoil, done, home, json, refused};

#[test]
fn a_rotation_publishes_first_and_signs_later() {
    let home = home();
    let next = done(&home, "keys rotate");
    let listed = done(&home, "keys list");
    let first = listed["keys"][0].clone();
    assert_eq!((&first["stage"], &first["alg"]), (&"active".into(), &"ES256".into()));
    assert_eq!(next["stage"], "next");
    assert!(next["active_from"].as_str() > next["made_at"].as_str());
    assert_eq!(done(&home, "keys rotate")["kid"], next["kid"], "one next key is enough");
    assert_eq!(done(&home, "keys rotate --now")["stage"], "active");
    let stages: Vec<_> = done(&home, "keys list")["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| (key["kid"].clone(), key["stage"].clone()))
        .collect();
    let retiring = (first["kid"].clone(), "retiring".into());
    assert_eq!(stages, [retiring, (next["kid"].clone(), "active".into())]);
}

#[test]
fn a_removed_key_is_gone_and_another_signs() {
    let home = home();
    done(&home, "keys rotate");
    let stolen = done(&home, "keys list")["keys"][0]["kid"].as_str().unwrap().to_owned();
    assert_eq!(done(&home, &format!("keys remove {stolen}"))["kid"], stolen.as_str());
    let left = done(&home, "keys list");
    assert_eq!(left["keys"].as_array().unwrap().len(), 1);
    assert_ne!(left["keys"][0]["kid"], stolen.as_str());
    assert_eq!(refused(&home, &format!("keys remove {stolen}"))["code"], "not_found");
}

#[test]
fn a_kid_may_start_with_a_hyphen() {
    let home = home();
    let kid = format!("-h{}", "A".repeat(41));
    assert_eq!(refused(&home, &format!("keys remove {kid}"))["code"], "not_found");
}

#[test]
fn the_settings_say_where_keys_are_and_how_they_rest() {
    let home = home();
    let kek = "0a".repeat(32);
    let variables = [
        ("COUNTERFOIL_KEYS_DIR", "elsewhere"),
        ("COUNTERFOIL_KEYS__ENCRYPTION_KEY", kek.as_str()),
        ("COUNTERFOIL_OAUTH__SIGNING_ALG", "Ed25519"),
    ];
    assert!(counterfoil(&home, "keys rotate", &variables).status.success());
    let output = counterfoil(&home, "keys list --json", &variables);
    let key = json(&output.stdout)["keys"][0].clone();
    let kid = key["kid"].as_str().unwrap();
    assert_eq!(key["alg"], "EdDSA");
    assert!(home.join(format!("elsewhere/{kid}.sealed")).exists());
    let text = counterfoil(&home, "keys list", &variables);
    assert!(String::from_utf8_lossy(&text.stdout).starts_with(kid), "{text:?}");
}

#[test]
fn a_look_makes_no_key() {
    let home = home();
    assert_eq!(done(&home, "keys list")["keys"], serde_json::json!([]));
    let told = counterfoil(&home, "keys list", &[]);
    assert!(String::from_utf8_lossy(&told.stdout).contains("no signing keys yet"), "{told:?}");
    assert_eq!(refused(&home, "keys remove x")["code"], "not_found");
    assert!(!home.join("keys").exists());
}

#[test]
fn a_new_data_key_is_made_and_shown_beside_those_that_still_open() {
    let home = home();
    done(&home, "keys rotate");
    let first = done(&home, "keys rotate --data")["data_key_id"].as_str().unwrap().to_owned();
    let second = done(&home, "keys rotate --data")["data_key_id"].as_str().unwrap().to_owned();
    let keys = done(&home, "keys list")["data_keys"].as_array().unwrap().clone();
    let seals: Vec<_> = keys.iter().filter(|key| key["seals"] == true).collect();
    assert_eq!(seals.len(), 1);
    assert_eq!(seals[0]["id"], second.as_str());
    let opens = keys.iter().find(|key| key["id"] == first.as_str()).unwrap();
    assert_eq!((&opens["purpose"], &opens["seals"]), (&"seal".into(), &false.into()));
    assert_eq!(opens["sealed_by"].as_str().unwrap().len(), 16, "a name, and no key");
    assert!(keys.iter().any(|key| key["purpose"] == "fingerprint"));
    let output = counterfoil(&home, "keys rotate --data --now", &[]);
    assert_eq!(output.status.code(), Some(2), "the two have nothing to do with each other");
}
