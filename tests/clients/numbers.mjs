// Judges wallet addresses by other people's implementations: one value a line in, 1 or 0 a line out.
import fs from 'node:fs';
import { createRequire } from 'node:module';
import wallets from 'multicoin-address-validator';

const require = createRequire(import.meta.url);
const base58 = require('base-x')('123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz');

const coins = { ethereum: 'eth', bitcoin: 'btc', tron: 'trx', stellar: 'xlm', ripple: 'xrp' };

// Of Solana that validator asks only for the letters; a key has thirty-two bytes.
function isSolana(value) {
  try {
    return base58.decode(value).length === 32;
  } catch {
    return false;
  }
}

const [, , family, from, to] = process.argv;
const judge = family === 'solana' ? isSolana : (value) => wallets.validate(value, coins[family]);
const values = fs.readFileSync(from, 'utf8').split('\n').slice(0, -1);
fs.writeFileSync(to, values.map((value) => (judge(value) ? '1\n' : '0\n')).join(''));
console.log(JSON.stringify({ saw: family }));
