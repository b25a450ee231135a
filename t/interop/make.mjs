// Standard input: a JSON array of requests { library: "auth0" | "noble", key: private PEM,
// alg, kind, issuer, subject, audience, issuedAt, seq, prev, body }; prev null: the hash of the one before.
// Standard output: a JSON array of { package: hex, hash: hex }.
import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Sign1 } from '@auth0/cose';
import { Tag } from 'cbor2';
import { ed25519 } from '@noble/curves/ed25519.js';
import { p256 } from '@noble/curves/nist.js';
import {
  TAG_SIGN1, bodyFromJson, encodeCbor, headerMap, lowS, packageHash, rawSecretKey, signedBytes, toHex,
} from './package.mjs';

// A COSE library does everything but the body
async function makeByCoseLibrary(request, header, payload) {
  const sign1 = await Sign1.sign(header, new Map(), payload, createPrivateKey(request.key));
  if (request.alg === 'ES256') sign1.signature = lowS(sign1.signature);
  return sign1.encode();
}

// A CBOR library and a curve library, by the book
function makeByHand(request, header, payload) {
  const protectedHeader = encodeCbor(header);
  const message = signedBytes(protectedHeader, payload);
  const secret = rawSecretKey(request.key);
  const signature = request.alg === 'Ed25519' ? ed25519.sign(message, secret) : lowS(p256.sign(message, secret));
  return encodeCbor(new Tag(TAG_SIGN1, [protectedHeader, new Map(), payload, signature]));
}

const results = [];
for (const request of JSON.parse(readFileSync(0, 'utf8'))) {
  const prev = request.prev ?? results.at(-1).hash;
  const header = headerMap({ ...request, prev }, request.key);
  const payload = encodeCbor(bodyFromJson(request.body));
  const bytes = request.library === 'auth0'
    ? await makeByCoseLibrary(request, header, payload)
    : makeByHand(request, header, payload);
  results.push({ package: toHex(bytes), hash: packageHash(bytes) });
}
process.stdout.write(JSON.stringify(results));
