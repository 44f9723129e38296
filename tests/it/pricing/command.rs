//! `counterfoil plan import`, as scripts call it.

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::support::scratch;

const PLAN: &str = r#"
    [[plans]]
    key = "cheap-wires"
    name = "Cheap wires"
    method = "wire"
    priority = 5
    fee_type = "fixed"
    fixed_fee = "1.00"
    fixed_currency = "USD"
"#;

fn import(home: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_counterfoil"))
        .args(["--json", "plan", "import"])
        .args(arguments)
        .current_dir(home)
        .env_clear()
        .output()
        .unwrap()
}

fn answer(output: &Output) -> Value {
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_file_is_tried_imported_and_imported_again() {
    let home = scratch::directory("plans");
    std::fs::write(home.join("plans.toml"), PLAN).unwrap();
    let tried = answer(&import(&home, &["plans.toml", "--dry-run"]));
    assert_eq!((&tried["dry_run"], &tried["plans"][0]["change"]), (&json!(true), &json!("new")));
    let made = answer(&import(&home, &["plans.toml"]));
    assert_eq!((&made["dry_run"], &made["plans"][0]["change"]), (&json!(false), &json!("new")));
    let again = answer(&import(&home, &["plans.toml"]));
    assert_eq!(again["plans"][0]["change"], "unchanged");

    let dearer = json!({ "plans": [{
        "key": "cheap-wires", "name": "Cheap wires", "method": "wire", "priority": 5,
        "fee_type": "fixed", "fixed_fee": "2.00", "fixed_currency": "USD",
    }] });
    std::fs::write(home.join("plans.json"), dearer.to_string()).unwrap();
    let changed = answer(&import(&home, &["plans.json"]));
    let plan = &changed["plans"][0];
    assert_eq!((&plan["change"], &plan["version"]), (&json!("new_version"), &json!(2)));
    assert_eq!(plan["fields"], json!([{ "field": "fixed_fee", "old": "1.00", "new": "2.00" }]));
}

#[test]
fn a_file_that_cannot_be_used_is_told_with_every_fault() {
    let home = scratch::directory("plans");
    std::fs::write(home.join("plans.toml"), PLAN.replace("1.00", "x").replace("wire\"", "fax\""))
        .unwrap();
    std::fs::write(home.join("plans.txt"), PLAN).unwrap();
    let refused = import(&home, &["plans.toml"]);
    assert_eq!(refused.status.code(), Some(1), "{refused:?}");
    let error: Value = serde_json::from_slice(&refused.stderr).unwrap();
    assert_eq!(error["error"]["fields"].as_array().unwrap().len(), 2, "{error}");
    assert!(!home.join("data").exists(), "a file with faults opens no database");
    for wrong in ["plans.txt", "missing.toml"] {
        assert_eq!(import(&home, &[wrong]).status.code(), Some(1), "{wrong}");
    }
}
