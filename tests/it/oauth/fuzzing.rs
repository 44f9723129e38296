//! The fuzz targets, with what they begin from and a few thousand changes of it: so they compile, and
//! hold, on every test run and without a nightly compiler. `make fuzz` is the long form.

use counterfoil::base::random::Random;

#[path = "../../../fuzz/src/basic.rs"]
mod basic;
#[path = "../../../fuzz/src/form.rs"]
mod form;
#[path = "../../../fuzz/src/htu.rs"]
mod htu;
#[path = "../../../fuzz/src/jwk.rs"]
mod jwk;
#[path = "../../../fuzz/src/proof.rs"]
mod proof;

/// Feeds a target its seeds, and each of them with bytes cut out, doubled and replaced.
fn feed(name: &str, target: fn(&[u8])) {
    let folder = format!("{}/fuzz/seeds/{name}", env!("CARGO_MANIFEST_DIR"));
    let mut seeds: Vec<_> =
        std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    seeds.sort_unstable();
    assert!(!seeds.is_empty(), "{name}");
    let random = Random::seeded(5);
    let below =
        |bound: usize| usize::try_from(random.below(u64::try_from(bound).unwrap())).unwrap();
    for seed in seeds {
        let seed = std::fs::read(seed).unwrap();
        target(&seed);
        for _ in 0..500 {
            let mut bytes = seed.clone();
            for _ in 0..=below(3) {
                if bytes.is_empty() {
                    break;
                }
                let at = below(bytes.len());
                match below(4) {
                    0 => drop(bytes.remove(at)),
                    1 => bytes.insert(at, bytes[at]),
                    2 => bytes[at] = random.bytes::<1>()[0],
                    _ => bytes[at] ^= 1 << below(8),
                }
            }
            target(&bytes);
        }
    }
}

#[test]
fn the_targets_hold_on_their_seeds_and_near_them() {
    feed("basic", basic::run);
    feed("form", form::run);
    feed("htu", htu::run);
    feed("jwk", jwk::run);
    feed("proof", proof::run);
}
