//! `counterfoil merchant suspend` and `resume`.

use super::{counterfoil, done, home, refused};

#[test]
fn a_merchant_is_suspended_and_resumed() {
    let home = home();
    let made = done(&home, "merchant create --name Shop --email owner@shop.example");
    let id = made["merchant_id"].as_str().unwrap();
    for (verb, status) in [("suspend", "suspended"), ("suspend", "suspended"), ("resume", "active")]
    {
        let told = done(&home, &format!("merchant {verb} {id}"));
        assert_eq!((&told["merchant_id"], &told["status"]), (&made["merchant_id"], &status.into()));
        assert_eq!((&told["name"], &told["email"]), (&"Shop".into(), &"owner@shop.example".into()));
    }
    let text = counterfoil(&home, &format!("merchant suspend {id}"), &[]);
    assert!(String::from_utf8_lossy(&text.stdout).contains("is suspended"), "{text:?}");
    let mut nobody = id.to_owned();
    nobody.replace_range(id.len() - 1.., if id.ends_with('0') { "1" } else { "0" });
    assert_eq!(refused(&home, &format!("merchant suspend {nobody}"))["code"], "not_found");
    let output = counterfoil(&home, "merchant suspend nobody --json", &[]);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
}
