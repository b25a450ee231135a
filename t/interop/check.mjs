// Standard input: a JSON array of requests { package: hex, key: public PEM }.
// Standard output: a JSON array of what each library says of the package.
import { createPublicKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Sign1 } from '@auth0/cose';
import { Tag } from 'cbor2';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import {
  TAG_SIGN1, decodeCbor, encodeCbor, open, packageHash, rawPublicKey, signedBytes, thumbprint, toBytes, toHex,
} from './package.mjs';
import { AlgorithmNames } from './node_modules/@auth0/cose/dist/node/esm/headers.js';

// The library is from before RFC 9864 gave these algorithms numbers of their own
AlgorithmNames.set(-19, 'EdDSA');
AlgorithmNames.set(-9, 'ES256');

async function verifiedByCoseLibrary(bytes, pem) {
  try {
    await Sign1.decode(bytes).verify(createPublicKey(pem));
    return true;
  } catch {
    return false;
  }
}

function verifiedByHand(parts, pem) {
  const message = signedBytes(parts.header, parts.payload);
  const raw = rawPublicKey(pem);
  return raw.length === 32
    ? ed25519.verify(parts.signature, message, raw, { zip215: false })
    : p256.verify(parts.signature, message, raw, { lowS: true });
}

// Decoded and encoded again by another library, is it the same package?
function sameWhenEncodedAgain(parts, bytes) {
  const again = encodeCbor(new Tag(TAG_SIGN1, [
    encodeCbor(parts.map), parts.unprotected, encodeCbor(decodeCbor(parts.payload)), parts.signature,
  ]));
  return toHex(again) === toHex(bytes);
}

// One bit of the signature or the body turned
async function refusedWhenChanged(bytes, parts, pem) {
  for (const at of [bytes.length - 1, bytes.length - parts.signature.length - 4]) {
    const changed = bytes.slice();
    changed[at] ^= 1;
    if (await verifiedByCoseLibrary(changed, pem)) return false;
  }
  return true;
}

const results = [];
for (const request of JSON.parse(readFileSync(0, 'utf8'))) {
  const bytes = toBytes(request.package);
  const parts = open(bytes);
  results.push({
    cose: await verifiedByCoseLibrary(bytes, request.key),
    noble: verifiedByHand(parts, request.key),
    refusedWhenChanged: await refusedWhenChanged(bytes, parts, request.key),
    sameWhenEncodedAgain: sameWhenEncodedAgain(parts, bytes),
    hash: packageHash(bytes),
    thumbprint: toHex(thumbprint(request.key)),
    fields: parts.fields,
  });
}
process.stdout.write(JSON.stringify(results));
