//! The command itself: what scripts rely on.

mod beneficiaries;
mod call;
mod credentials;
mod funding;
mod keys;
mod merchants;
mod payouts;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::scratch;

/// Runs the command in a directory of its own with these variables only.
fn counterfoil(home: &Path, line: &str, variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_counterfoil"))
        .args(line.split(' '))
        .current_dir(home)
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("the command can be started")
}

/// The JSON of a command that must do what it is told.
fn done(home: &Path, line: &str) -> Value {
    let output = counterfoil(home, &format!("{line} --json"), &[]);
    assert_eq!(output.status.code(), Some(0), "{line}: {output:?}");
    json(&output.stdout)
}

/// The error of a command that must be refused.
fn refused(home: &Path, line: &str) -> Value {
    let output = counterfoil(home, &format!("{line} --json"), &[]);
    assert_eq!(output.status.code(), Some(1), "{line}: {output:?}");
    json(&output.stderr)["error"].clone()
}

fn home() -> PathBuf {
    scratch::directory("command")
}

fn json(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("not one JSON document: {text}"))
}

#[test]
fn migrate_makes_the_database_where_the_settings_say() {
    let home = home();
    std::fs::write(home.join("counterfoil.toml"), "database_url = \"sqlite://file.db\"").unwrap();
    let made = |line: &str, variables: &[(&str, &str)], file: &str| {
        let output = counterfoil(&home, line, variables);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        assert!(json(&output.stdout)["version"].as_i64() > Some(0), "{output:?}");
        assert!(output.stderr.is_empty(), "{output:?}");
        assert!(home.join(file).exists(), "{file}");
    };
    let variable = [("COUNTERFOIL_DATABASE_URL", "sqlite://variable.db")];
    made("migrate --json", &[], "file.db");
    made("migrate --json", &variable, "variable.db");
    made("--json migrate --database-url sqlite://flag.db", &variable, "flag.db");
}

#[test]
fn a_merchant_is_made_in_a_fresh_sandbox_and_not_twice() {
    let home = home();
    let line = "merchant create --name Shop --email owner@shop.example --json";
    let first = counterfoil(&home, line, &[]);
    assert_eq!(first.status.code(), Some(0), "{first:?}");
    let merchant = json(&first.stdout);
    assert!(merchant["merchant_id"].as_str().unwrap().contains('_'));
    assert_eq!(merchant["email"], "owner@shop.example");
    assert!(merchant["password"].as_str().unwrap().len() >= 16);

    let second = counterfoil(&home, line, &[]);
    assert_eq!(second.status.code(), Some(1), "{second:?}");
    assert!(second.stdout.is_empty());
    assert_eq!(json(&second.stderr)["error"]["code"], "already_exists");
}

#[test]
fn what_cannot_be_used_is_told_before_anything_is_touched() {
    let home = home();
    let unknown = [("COUNTERFOIL_LISTN", "127.0.0.1:1")];
    let output = counterfoil(&home, "migrate --json", &unknown);
    assert_eq!(output.status.code(), Some(2));
    let error = json(&output.stderr)["error"].clone();
    assert_eq!(error["code"], "invalid_configuration");
    assert!(error["message"].as_str().unwrap().contains("did you mean COUNTERFOIL_LISTEN?"));

    let output = counterfoil(&home, "migrate", &[("COUNTERFOIL_ENVIRONMENT", "production")]);
    assert_eq!(output.status.code(), Some(2));
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(told.contains("production refuses `public_url`"), "{told}");

    let output = counterfoil(&home, "migrat --json", &[]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(json(&output.stderr)["error"]["code"], "usage");
    assert_eq!(std::fs::read_dir(&home).unwrap().count(), 0, "nothing was made");
}

#[test]
fn outside_the_sandbox_only_migrate_changes_the_schema() {
    let home = home();
    let staging = [("COUNTERFOIL_ENVIRONMENT", "staging")];
    let line = "merchant create --name Shop --email owner@shop.example --json";
    let refused = counterfoil(&home, line, &staging);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    assert_eq!(counterfoil(&home, "migrate", &staging).status.code(), Some(0));
    assert_eq!(counterfoil(&home, line, &staging).status.code(), Some(0));
}
