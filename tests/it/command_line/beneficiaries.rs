//! `counterfoil beneficiary`.

use super::{done, home, refused};

#[test]
fn an_id_that_names_nobody_is_refused() {
    let home = home();
    let merchant = done(&home, "merchant create --name Shop --email owner@shop.example");
    let id = merchant["merchant_id"].as_str().unwrap().replace("mer_", "ben_");
    for line in [
        format!("beneficiary block {id} --reason sanctions"),
        format!("beneficiary unblock {id}"),
        "beneficiary unblock nobody".to_owned(),
    ] {
        assert_eq!(refused(&home, &line)["code"], "not_found", "{line}");
    }
}
