// Standard input: { note: text, origin, key: public PEM of the log, witness, witnessKey: public PEM, entries: [hex] }.
// Standard output: what @sigstore/verify reads out of the note (null when it refuses it), and the time of the
// cosignature by node's own crypto, by C2SP tlog-cosignature (null when it is wrong or not there), and the root
// that @transmute/rfc9162 has for the entries.
import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { rawPublicKey, toBytes, toHex } from './package.mjs';
import { rootOf } from './receipt.mjs';

const require = createRequire(import.meta.url);
// The library has no name of its own for the part that reads checkpoints
const { verifyCheckpoint } = require(join(dirname(require.resolve('@sigstore/verify')), 'tlog', 'checkpoint.js'));

const TYPE = { log: 1, cosignature: 4 };

function keyId(name, type, pem) {
  const bytes = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([type]), rawPublicKey(pem)]);
  return createHash('sha256').update(bytes).digest().subarray(0, 4);
}

function readByLibrary({ note, origin, key }) {
  const log = { logID: keyId(origin, TYPE.log, key), publicKey: createPublicKey(key), baseURL: origin };
  try {
    const found = verifyCheckpoint({ inclusionProof: { checkpoint: { envelope: note } } }, [log]);
    return { origin: found.origin, size: String(found.logSize), root: found.logHash.toString('hex') };
  } catch {
    return null;
  }
}

function cosignedAt({ note, witness, witnessKey }) {
  const end = note.indexOf('\n\n') + 1;
  for (const line of note.slice(end + 1).trimEnd().split('\n')) {
    const [dash, name, content] = line.split(' ');
    const bytes = Buffer.from(content, 'base64');
    if (dash !== '\u2014' || name !== witness || !bytes.subarray(0, 4).equals(keyId(witness, TYPE.cosignature, witnessKey))) continue;
    const time = bytes.readBigUInt64BE(4);
    const message = Buffer.from(`cosignature/v1\ntime ${time}\n${note.slice(0, end)}`);
    if (verify(null, message, createPublicKey(witnessKey), bytes.subarray(12))) return String(time);
  }
  return null;
}

const request = JSON.parse(readFileSync(0, 'utf8'));
process.stdout.write(JSON.stringify({
  checkpoint: readByLibrary(request),
  cosignedAt: cosignedAt(request),
  root: toHex(await rootOf(request.entries.map(toBytes))),
}));
