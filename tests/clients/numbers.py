"""Judges account numbers by other people's implementations, and makes good and bad ones with them.

    numbers.py judge FAMILY IN OUT    IN: one value a line; OUT: 1 or 0 for each
    numbers.py make FAMILY COUNT OUT  OUT: `1 value` or `0 value` a line; half were made to be good
"""

import json
import random
import re
import string
import sys

from schwifty import BIC, IBAN
from schwifty.registry import get_iban_spec
from stdnum import bic, luhn
from stdnum.ar import cbu
from stdnum.br import cnpj, cpf
from stdnum.cl import rut
from stdnum.nz import bankaccount
from stdnum.sg import uen
from stdnum.th import pin
from stdnum.us import rtn

dice = random.Random(7)
CAPITALS = string.ascii_uppercase
# Those of SWIFT's registry: the package knows some that are in use without being in it.
IBAN_COUNTRIES = ["AD", "AE", "BE", "BR", "CH", "CZ", "DE", "EE", "ES", "FR", "GB", "GT", "HN", "IS", "IT", "JO", "KW",
    "LC", "MT", "MU", "NI", "NL", "NO", "PK", "PL", "PT", "QA", "RU", "SA", "SC", "SE", "SM", "TR", "UA", "VG", "XK"]


def digits(count):
    return "".join(dice.choices(string.digits, k=count))


def letters(count, known=CAPITALS):
    return "".join(dice.choices(known, k=count))


def make_iban():
    """Like IBAN.random, which takes five times as long because it looks for banks that exist."""
    country = dice.choice(IBAN_COUNTRIES)
    kinds = {"n": string.digits, "a": CAPITALS, "c": CAPITALS + string.digits}
    parts = re.findall(r"(\d+)!([nac])", get_iban_spec(country).bban_spec)
    bban = "".join(letters(int(count), kinds[kind]) for count, kind in parts)
    return str(IBAN.from_bban(country, bban))


def make_bic():
    country = dice.choice(["DE", "GB", "US", "JP", "ZA", "BR", "NO"])
    return letters(4) + country + letters(2, CAPITALS + string.digits) + dice.choice(["", "XXX", digits(3)])


def make_aba():
    body = dice.choice(["00", "01", "12", "21", "32", "61", "72", "80"]) + digits(6)
    return body + rtn.calc_check_digit(body)


def make_nz():
    """No number is made there, so chance decides: one in eleven is good."""
    bank = dice.choice(["01", "02", "03", "06", "08", "11", "12", "15", "21", "25", "30", "31", "33", "38", "77"])
    account = dice.choice(["099", "0", ""])
    return bank + digits(4) + "0" + account + digits(6 - len(account)) + digits(dice.choice([2, 3]))


def make_cbu():
    bank, account = digits(7), digits(13)
    return bank + cbu.calc_check_digit(bank) + account + cbu.calc_check_digit(account)


def make_rut():
    body = dice.choice("123456789") + digits(dice.choice([6, 7]))
    return body + dice.choice(["", "-"]) + rut.calc_check_digit(body)


def make_card():
    body = "4" + digits(dice.choice([11, 14, 17]))
    return body + luhn.calc_check_digit(body)


def make_cpf():
    body = digits(9)
    return body + cpf._calc_check_digits(body)


def make_cnpj():
    body = letters(12, string.digits + dice.choice(["", CAPITALS]))
    return body + cnpj.calc_check_digits(body)


def make_uen():
    kind = dice.randrange(3)
    if kind == 0:
        body = digits(8)
        return body + uen.calc_business_check_digit(body)
    if kind == 1:
        body = str(dice.randrange(1950, 2020)) + digits(5)
        return body + uen.calc_local_company_check_digit(body)
    body = dice.choice("RST") + f"{dice.randrange(20):02}" + dice.choice(uen.OTHER_UEN_ENTITY_TYPES) + digits(4)
    return body + uen.calc_other_check_digit(body)


def make_thai():
    body = dice.choice("12345678") + digits(11)
    return body + pin.calc_check_digit(body)


def judge_aba(value):
    district = int(value[:2])
    known = district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80
    return known and rtn.is_valid(value)


def judge_bic(value):
    return bic.is_valid(value) and BIC(value, allow_invalid=True).is_valid


def judge_nz(value):
    # The table of branches would refuse what chance has made.
    return bankaccount._calc_checksum(bankaccount.compact(value)) == 0


def judge_thai(value):
    # Businesses use their tax number, which begins with 0 and has the same check digit.
    return value[-1] == pin.calc_check_digit(value)


FAMILIES = {
    "iban": (make_iban, lambda value: IBAN(value, allow_invalid=True).is_valid),
    "bic": (make_bic, judge_bic),
    "aba": (make_aba, judge_aba),
    "nz": (make_nz, judge_nz),
    "cbu": (make_cbu, cbu.is_valid),
    "rut": (make_rut, rut.is_valid),
    "card": (make_card, luhn.is_valid),
    "cpf": (make_cpf, cpf.is_valid),
    "cnpj": (make_cnpj, cnpj.is_valid),
    "uen": (make_uen, uen.is_valid),
    "thai": (make_thai, judge_thai),
}


def slip(value):
    """One other character of the same kind, or two neighbours in the wrong order."""
    place = dice.randrange(len(value))
    old = value[place]
    if "-" in (old, value[place - 1]):
        return value
    if dice.random() < 0.3 and place:
        return value[: place - 1] + old + value[place - 1] + value[place + 1 :]
    kind = string.digits if old.isdigit() else CAPITALS
    return value[:place] + dice.choice(kind) + value[place + 1 :]


def main(action, family, argument, out):
    make, judge = FAMILIES[family]
    with open(out, "w") as verdicts:
        if action == "judge":
            with open(argument) as values:
                for value in values:
                    verdicts.write("1\n" if judge(value.rstrip("\n")) else "0\n")
        else:
            for number in range(int(argument)):
                value = make() if number % 2 else slip(make())
                verdicts.write(f"{1 if judge(value) else 0} {value}\n")
    print(json.dumps({"saw": family}, separators=(",", ":")), flush=True)


main(*sys.argv[1:])
