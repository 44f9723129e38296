//! `counterfoil funding`.

use super::{counterfoil, done, home, refused};

#[test]
fn a_credit_that_is_told_twice_is_booked_once() {
    let home = home();
    let made = done(&home, "merchant create --name Shop --email owner@shop.example");
    let merchant = made["merchant_id"].as_str().unwrap();
    let line = |amount: &str| {
        format!(
            "funding receive --merchant {merchant} --currency EUR --amount {amount} --reference bank-7 --counterparty Ada"
        )
    };
    let booked = done(&home, &line("12.50"));
    assert_eq!((&booked["available"], &booked["repeated"]), (&"12.50".into(), &false.into()));
    let again = done(&home, &line("12.50"));
    assert_eq!((&again["available"], &again["repeated"]), (&"12.50".into(), &true.into()));
    assert_eq!(again["deposit_id"], booked["deposit_id"]);
    assert_eq!(refused(&home, &line("12.51"))["code"], "already_exists");
    assert_eq!(refused(&home, &line("0.00"))["code"], "validation_error");
    assert_eq!(refused(&home, &line("1.001"))["code"], "validation_error");
}

#[test]
fn outside_the_sandbox_credits_are_received_and_not_made_up() {
    let home = home();
    let staging = [("COUNTERFOIL_ENVIRONMENT", "staging")];
    counterfoil(&home, "migrate", &staging);
    let made = counterfoil(
        &home,
        "merchant create --name Shop --email owner@shop.example --json",
        &staging,
    );
    let merchant = super::json(&made.stdout)["merchant_id"].as_str().unwrap().to_owned();
    let money = format!("--merchant {merchant} --currency EUR --amount 5.00 --json");
    let refused = counterfoil(&home, &format!("balance credit {money}"), &staging);
    assert_eq!(super::json(&refused.stderr)["error"]["code"], "sandbox_only");
    let booked = counterfoil(&home, &format!("funding receive --reference r {money}"), &staging);
    assert_eq!(super::json(&booked.stdout)["available"], "5.00", "{booked:?}");
}
