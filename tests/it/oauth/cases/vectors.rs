//! The examples of the RFCs.

use counterfoil::oauth::selftest;

cases! {
    sqlite ["V1", "V2", "V3", "V4", "V5", "V6", "V7", "V8", "V9", "V10", "V11"]
    async fn the_vectors_of_the_rfcs_hold_at_every_start(db: TestDb) {
        drop(db);
        selftest::run().unwrap();
    }
}
