//! Files with secrets in them.

use std::{fs, os::unix::fs::PermissionsExt, path::PathBuf};

use counterfoil::base::{
    private_file::{self, Reserved},
    secret::Secret,
};

use crate::support::scratch;

fn file(name: &str) -> PathBuf {
    scratch::directory("private").join(name)
}

#[test]
fn a_file_is_made_once_for_its_owner_and_never_overwritten() {
    let path = file("made");
    Reserved::new(&path).unwrap().fill(&Secret::new("first".to_owned())).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let refused = Reserved::new(&path).unwrap_err();
    assert!(refused.message().contains("name another file"), "{refused:?}");
    assert_eq!(private_file::read(&path).unwrap().expose(), "first");
}

#[test]
fn a_reserved_file_that_gets_no_content_goes() {
    let path = file("unfilled");
    drop(Reserved::new(&path).unwrap());
    assert!(!path.exists());
}

#[test]
fn a_file_that_others_can_reach_is_refused_with_the_remedy() {
    let path = file("open");
    fs::write(&path, "secret").unwrap();
    for mode in [0o640, 0o604, 0o620, 0o700] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let refused = private_file::read(&path).unwrap_err();
        assert!(refused.message().contains("chmod 600"), "{mode:o}: {refused:?}");
    }
    for mode in [0o600, 0o400] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(private_file::read(&path).unwrap().expose(), "secret", "{mode:o}");
    }
}

#[test]
fn a_huge_file_is_another_file() {
    let path = file("huge");
    fs::write(&path, "x".repeat(70_000)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(private_file::read(&path).unwrap_err().message().contains("larger than 64 KiB"));
}
