// The package format of docs/format.md, written against it and not against ecert's C:
// CBOR by cbor2, COSE by @auth0/cose, signatures also by @noble/curves.
import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { decode, encode, Tag } from 'cbor2';

export const TAG_SIGN1 = 18;
export const TAG_DECIMAL = 4;

const LABEL = { alg: 1, contentType: 3, kid: 4, claims: 15, type: 16, seq: -65601, prev: -65602 };
const CLAIM = { issuer: 1, subject: 2, audience: 3, issuedAt: 6 };
// The numbers of RFC 9864, and those of before, which a COSE library of today writes
const ALG = { Ed25519: -19, ES256: -9 };
const ALG_BEFORE = { Ed25519: -8, ES256: -7 };
const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

export const toBytes = (hex) => new Uint8Array(Buffer.from(hex.replace(/^\\x/, ''), 'hex'));
export const toHex = (bytes) => Buffer.from(bytes).toString('hex');

// Deterministic encoding, RFC 8949 section 4.2.1
export const encodeCbor = (value) => encode(value, { cde: true });
export const decodeCbor = (bytes) => decode(bytes, { cde: true, preferMap: true });

// "12.50" as the decimal fraction 1250 * 10^-2; whole numbers as integers
function decimal(text) {
  const [whole, fraction = ''] = text.split('.');
  const mantissa = BigInt(whole + fraction);
  const small = mantissa >= BigInt(Number.MIN_SAFE_INTEGER) && mantissa <= BigInt(Number.MAX_SAFE_INTEGER);
  const integer = small ? Number(mantissa) : mantissa;
  return fraction === '' ? integer : new Tag(TAG_DECIMAL, [-fraction.length, integer]);
}

// A body given as JSON, numbers that must be exact as { "decimal": "12.50" }
export function bodyFromJson(value) {
  if (Array.isArray(value)) return value.map(bodyFromJson);
  if (value === null || typeof value !== 'object') return value;
  if (typeof value.decimal === 'string') return decimal(value.decimal);
  return new Map(Object.entries(value).map(([key, item]) => [key, bodyFromJson(item)]));
}

// The public key's coordinates out of a PEM of either half
export function publicJwk(pem) {
  const key = pem.includes('PRIVATE') ? createPublicKey(createPrivateKey(pem)) : createPublicKey(pem);
  return key.export({ format: 'jwk' });
}

const fromBase64Url = (text) => new Uint8Array(Buffer.from(text, 'base64url'));

export function rawPublicKey(pem) {
  const jwk = publicJwk(pem);
  if (jwk.kty === 'OKP') return fromBase64Url(jwk.x);
  return new Uint8Array([4, ...fromBase64Url(jwk.x), ...fromBase64Url(jwk.y)]);
}

export function rawSecretKey(pem) {
  return fromBase64Url(createPrivateKey(pem).export({ format: 'jwk' }).d);
}

// RFC 9679: SHA-256 over the deterministic COSE_Key of the required members
export function thumbprint(pem) {
  const jwk = publicJwk(pem);
  const key = jwk.kty === 'OKP'
    ? new Map([[1, 1], [-1, 6], [-2, fromBase64Url(jwk.x)]])
    : new Map([[1, 2], [-1, 1], [-2, fromBase64Url(jwk.x)], [-3, fromBase64Url(jwk.y)]]);
  return new Uint8Array(createHash('sha256').update(encodeCbor(key)).digest());
}

// The protected header, its labels in the order of their encoded bytes
export function headerMap(fields, pem) {
  return new Map([
    [LABEL.alg, (fields.library === 'auth0' ? ALG_BEFORE : ALG)[fields.alg]],
    [LABEL.contentType, `application/vnd.ecert.${fields.kind}+cbor`],
    [LABEL.kid, thumbprint(pem)],
    [LABEL.claims, new Map([
      [CLAIM.issuer, fields.issuer],
      [CLAIM.subject, fields.subject],
      [CLAIM.audience, fields.audience],
      [CLAIM.issuedAt, fields.issuedAt],
    ])],
    [LABEL.type, 'application/vnd.ecert+cose'],
    [LABEL.seq, fields.seq],
    [LABEL.prev, toBytes(fields.prev)],
  ]);
}

// Of an ES256 signature (r, s) the one of (r, s) and (r, n - s) that is in strict form
export function lowS(signature) {
  const s = BigInt(`0x${toHex(signature.slice(32))}`);
  if (2n * s <= P256_ORDER) return signature;
  return new Uint8Array([...signature.slice(0, 32), ...toBytes((P256_ORDER - s).toString(16).padStart(64, '0'))]);
}

// Sig_structure of RFC 9052 section 4.4
export function signedBytes(header, payload) {
  return encodeCbor(['Signature1', header, new Uint8Array(0), payload]);
}

// What prev, replaces and audits refer to: the leaf hash of RFC 9162
export function packageHash(bytes) {
  return createHash('sha256').update(Uint8Array.of(0)).update(bytes).digest('hex');
}

// Take a package apart: tag, parts, and the header as a map
export function open(bytes) {
  const tagged = decodeCbor(bytes);
  if (!(tagged instanceof Tag) || Number(tagged.tag) !== TAG_SIGN1) throw new Error('not tagged as COSE_Sign1');
  const [header, unprotected, payload, signature] = tagged.contents;
  const map = decodeCbor(header);
  const claims = map.get(LABEL.claims);
  return {
    header, unprotected, payload, signature, map,
    fields: {
      alg: map.get(LABEL.alg), kid: toHex(map.get(LABEL.kid)), contentType: map.get(LABEL.contentType),
      issuer: claims.get(CLAIM.issuer), subject: claims.get(CLAIM.subject),
      audience: claims.get(CLAIM.audience), issuedAt: claims.get(CLAIM.issuedAt),
      seq: map.get(LABEL.seq), prev: map.has(LABEL.prev) ? toHex(map.get(LABEL.prev)) : null,
    },
  };
}
