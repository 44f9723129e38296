//! Our rules beside other people's, on 100,000 values of each kind, half in each direction: what we make they
//! judge, what they make we judge, and every verdict must be the same.

use std::{fs, path::PathBuf};

use bech32::{Fe32, hrp, segwit};
use counterfoil::base::random::Random;
use sha2::{Digest, Sha256};
use sha3::Keccak256;

use super::published::{accepted, credentials};
use crate::{
    clients::installed,
    support::{guarded::Program, scratch},
};

/// In each direction.
const COUNT: usize = 50_000;

fn ours(family: &str, value: &str) -> bool {
    let (method, credentials) = credentials(family, value);
    accepted(method, &credentials)
}

fn run(program: PathBuf, options: &[&str], script: &str, arguments: &[&str]) {
    let program = Program::new(program, &scratch::directory("twins"))
        .args(options)
        .arg(installed().join("scripts").join(script))
        .args(arguments);
    program.start("{\"saw\":").unwrap_or_else(|printed| panic!("{script} ended early: {printed}"));
}

fn python(arguments: &[&str]) {
    run(installed().join("venv/bin/python"), &[], "numbers.py", arguments);
}

fn node(arguments: &[&str]) {
    let options = ["--preserve-symlinks", "--preserve-symlinks-main"];
    run(PathBuf::from("node"), &options, "numbers.mjs", arguments);
}

/// Lets others judge our values, and fails with the first ones on which we differ.
fn they_agree(family: &str, values: &[String], judge: impl Fn(&str, &str)) {
    let place = scratch::directory("values");
    let (from, to) = (place.join("in"), place.join("out"));
    fs::write(&from, values.join("\n") + "\n").unwrap();
    judge(from.to_str().unwrap(), to.to_str().unwrap());
    let theirs = fs::read_to_string(&to).unwrap();
    let theirs: Vec<bool> = theirs.lines().map(|line| line == "1").collect();
    assert_eq!(theirs.len(), values.len());
    compare(family, values.iter().map(String::as_str).zip(theirs));
}

fn compare<'a>(family: &str, verdicts: impl Iterator<Item = (&'a str, bool)>) {
    let (mut good, mut seen, mut differing) = (0, 0, Vec::new());
    for (value, theirs) in verdicts {
        seen += 1;
        good += usize::from(theirs);
        if ours(family, value) != theirs && differing.len() < 10 {
            differing.push(format!("{value} (theirs: {theirs})"));
        }
    }
    assert!(differing.is_empty(), "{family}: {differing:#?}");
    // A comparison of nothing but good or nothing but bad values would prove little.
    assert!(good * 20 > seen && good < seen, "{family}: {good} of {seen} are good");
}

struct Dice(Random);

impl Dice {
    fn below(&self, bound: usize) -> usize {
        usize::try_from(self.0.below(u64::try_from(bound).unwrap())).unwrap()
    }

    fn pick<'a>(&self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }

    fn text(&self, count: usize, letters: &str) -> String {
        let letters = letters.as_bytes();
        (0..count).map(|_| char::from(letters[self.below(letters.len())])).collect()
    }

    fn digits(&self, count: usize) -> String {
        self.text(count, "0123456789")
    }

    /// One character is another of these.
    fn slip(&self, value: &str, letters: &str) -> String {
        let mut wrong = value.to_owned();
        let place = self.below(value.len());
        wrong.replace_range(place..=place, &self.text(1, letters));
        wrong
    }
}

const CAPITALS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const BOTH: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// A value in the form of its family; chance decides whether its check digits are right.
fn guess(family: &str, dice: &Dice) -> String {
    match family {
        "iban" => {
            let (code, body) = match dice.below(4) {
                0 => ("DE", dice.digits(18)),
                1 => ("GB", format!("{}{}", dice.text(4, CAPITALS), dice.digits(14))),
                2 => (
                    "MT",
                    format!("{}{}{}", dice.text(4, CAPITALS), dice.digits(5), dice.text(18, BOTH)),
                ),
                _ => (
                    dice.pick(&["FR", "NO", "XX", "PK", "US"]),
                    dice.text(dice.below(20) + 11, BOTH),
                ),
            };
            format!("{code}{}{body}", dice.digits(2))
        }
        "bic" => {
            let tail = dice.pick(&["", "XXX", "1A0", "X"]);
            let country = if dice.below(2) == 0 { dice.text(2, CAPITALS) } else { "DE".to_owned() };
            format!("{}{country}{}{tail}", dice.text(4, CAPITALS), dice.text(2, BOTH))
        }
        "aba" => dice.digits(9),
        "nz" => format!("{:02}{}0{}", dice.below(40), dice.digits(4), dice.digits(8)),
        "cbu" => dice.digits(22),
        "rut" => format!("{}{}", dice.digits(8), dice.text(1, "0123456789K")),
        "card" => format!("4{}", dice.digits(15)),
        "cpf" => dice.digits(11),
        "cnpj" => format!("{}{}", dice.text(12, BOTH), dice.digits(2)),
        "uen" => match dice.below(3) {
            0 => format!("{}{}", dice.digits(8), dice.text(1, CAPITALS)),
            1 => format!("{}{}{}", 1950 + dice.below(70), dice.digits(5), dice.text(1, CAPITALS)),
            _ => {
                let kind = dice.pick(&["LL", "FC", "PF", "ZZ"]);
                format!("T{:02}{kind}{}{}", dice.below(20), dice.digits(4), dice.text(1, CAPITALS))
            }
        },
        "thai" => format!("{}{}", dice.below(8) + 1, dice.digits(12)),
        other => panic!("{other}"),
    }
}

/// Where they are known to be wrong or of another mind: banks of New Zealand whose products are added
/// digit by digit, which is described in two ways; Kosovo, which has bank codes all the same.
fn is_left_out(family: &str, value: &str) -> bool {
    match family {
        "nz" => ["09", "26", "28", "29"].contains(&&value[..2]),
        "bic" => &value[4..6] == "XK",
        _ => false,
    }
}

/// The same value with its check characters put right, where ours can find them by trying.
fn repaired(family: &str, value: &str) -> Option<String> {
    if family == "iban" {
        let number = value[4..].chars().chain(value[..2].chars()).chain(['0', '0']);
        let rest = number.fold(0, |rest: u32, letter| {
            let value = letter.to_digit(36).unwrap();
            (rest * if value < 10 { 10 } else { 100 } + value) % 97
        });
        return Some(format!("{}{:02}{}", &value[..2], 98 - rest, &value[4..]));
    }
    let (places, letters) = match family {
        "cbu" => (vec![7, 21], "0123456789"),
        "cpf" | "cnpj" => (vec![value.len() - 2, value.len() - 1], "0123456789"),
        "nz" => (vec![12], "0123456789"),
        "uen" => (vec![value.len() - 1], CAPITALS),
        "rut" => (vec![value.len() - 1], "0123456789K"),
        _ => (vec![value.len() - 1], "0123456789"),
    };
    let replaced = |value: &str, place: usize, letter: char| {
        let mut other = value.to_owned();
        other.replace_range(place..=place, &letter.to_string());
        other
    };
    let mut tries = vec![value.to_owned()];
    for place in places {
        let each = |value: &String| {
            letters.chars().map(|letter| replaced(value, place, letter)).collect::<Vec<_>>()
        };
        tries = tries.iter().flat_map(each).collect();
    }
    tries.into_iter().find(|value| ours(family, value))
}

fn numbers(family: &str) {
    let dice = Dice(Random::seeded(11));
    let mut values = Vec::with_capacity(COUNT);
    while values.len() < COUNT {
        let value = guess(family, &dice);
        if is_left_out(family, &value) {
            continue;
        }
        // Repairing by trying is slow for two digits; one in eight is enough.
        if values.len() % 8 == 0 {
            values.extend(repaired(family, &value));
        }
        values.push(value);
    }
    they_agree(family, &values, |from, to| python(&["judge", family, from, to]));

    let made = scratch::directory("values").join("made");
    python(&["make", family, &COUNT.to_string(), made.to_str().unwrap()]);
    let made = fs::read_to_string(made).unwrap();
    let verdicts = made.lines().map(|line| (&line[2..], line.starts_with('1')));
    compare(family, verdicts.filter(|(value, _)| !is_left_out(family, value)));
}

/// A good address of a chain.
fn address(family: &str, dice: &Dice) -> String {
    let random: [u8; 32] = dice.0.bytes();
    let checked = |version: u8, alphabet: &bs58::Alphabet| {
        let mut bytes = vec![version];
        bytes.extend(&random[..20]);
        let check = Sha256::digest(Sha256::digest(&bytes));
        bytes.extend(&check[..4]);
        bs58::encode(bytes).with_alphabet(alphabet).into_string()
    };
    match family {
        "ethereum" => {
            let hex = dice.text(40, "0123456789abcdef");
            let hash = Keccak256::digest(&hex);
            let cased = hex.char_indices().map(|(place, letter)| {
                let nibble = (hash[place / 2] >> (4 * (1 - place % 2))) & 15;
                if nibble > 7 { letter.to_ascii_uppercase() } else { letter }
            });
            format!("0x{}", cased.collect::<String>())
        }
        "bitcoin" => match dice.below(4) {
            0 => checked(0, bs58::Alphabet::BITCOIN),
            1 => checked(5, bs58::Alphabet::BITCOIN),
            2 => segwit::encode(hrp::BC, Fe32::Q, &random[..20]).unwrap(),
            _ => segwit::encode(hrp::BC, Fe32::P, &random).unwrap(),
        },
        "tron" => checked(0x41, bs58::Alphabet::BITCOIN),
        "ripple" => checked(0, bs58::Alphabet::RIPPLE),
        "solana" => bs58::encode(random).into_string(),
        "stellar" => {
            let mut bytes = vec![6 << 3];
            bytes.extend(random);
            let crc = bytes.iter().fold(0_u16, |crc, byte| {
                (0..8).fold(crc ^ (u16::from(*byte) << 8), |crc, _| {
                    if crc & 0x8000 == 0 { crc << 1 } else { (crc << 1) ^ 0x1021 }
                })
            });
            bytes.extend(crc.to_le_bytes());
            let bits: Vec<u8> = bytes
                .iter()
                .flat_map(|byte| (0..8).rev().map(move |bit| (byte >> bit) & 1))
                .collect();
            let letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".as_bytes();
            bits.chunks(5)
                .map(|five| five.iter().fold(0, |value, bit| value * 2 + usize::from(*bit)))
                .map(|value| char::from(letters[value]))
                .collect()
        }
        other => panic!("{other}"),
    }
}

/// That validator only judges, so the values are ours: half of them good, half with one slip.
fn wallets(family: &str, letters: &str) {
    let dice = Dice(Random::seeded(13));
    let values: Vec<String> = (0..2 * COUNT)
        .map(|number| {
            let good = address(family, &dice);
            match number % 4 {
                0 => dice.slip(&good, letters),
                1 if family == "bitcoin" => address("tron", &dice),
                1 => good[..good.len() - dice.below(4)].to_owned(),
                _ => good,
            }
        })
        .collect();
    they_agree(family, &values, |from, to| node(&[family, from, to]));
}

macro_rules! twins {
    ($($name:ident => $work:expr;)+) => {
        $(#[test] fn $name() { $work })+
    };
}

const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz0";

twins! {
    iban => numbers("iban");
    bic => numbers("bic");
    aba => numbers("aba");
    new_zealand => numbers("nz");
    cbu => numbers("cbu");
    rut => numbers("rut");
    card => numbers("card");
    cpf => numbers("cpf");
    cnpj => numbers("cnpj");
    uen => numbers("uen");
    thai => numbers("thai");
    ethereum => wallets("ethereum", "0123456789abcdefABCDEFx");
    bitcoin => wallets("bitcoin", BASE58);
    tron => wallets("tron", BASE58);
    solana => wallets("solana", BASE58);
    ripple => wallets("ripple", BASE58);
    stellar => wallets("stellar", "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567a1");
}
