// Receipts of RFC 9942 by other people's code: @transmute/cose does everything for ES256; for Ed25519,
// which it does not know, CBOR is by cbor2, the tree by @transmute/rfc9162 and signatures by @noble/curves.
import rfc9162 from '@transmute/rfc9162';
import cose from '@transmute/cose';
import algorithms from './node_modules/@transmute/cose/dist/cose/algorithms.js';
import { encode, Tag } from 'cbor2';
import { ed25519 } from '@noble/curves/ed25519.js';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { TAG_SIGN1, decodeCbor, encodeCbor, rawPublicKey, rawSecretKey, signedBytes, thumbprint } from './package.mjs';

const LABEL = { alg: 1, kid: 4, claims: 15, type: 16, receipts: 394, vds: 395, vdp: 396 };
const VDS_RFC9162 = 1;
const INCLUSION = -1;
const ALG = { Ed25519: -19, ES256: -9 };

// The library is from before RFC 9864 gave ECDSA on P-256 with SHA-256 a number of its own
algorithms.IANACOSEAlgorithms['-7'].Value = String(ALG.ES256);

const tree = rfc9162.CoMETRE.RFC9162_SHA256;

export const leafOf = (entry) => tree.leaf(entry);
export const rootOf = async (entries) => tree.root(await Promise.all(entries.map(leafOf)));
export const isEd25519 = (pem) => rawPublicKey(pem).length === 32;

const es256Jwk = (key) => ({ ...key.export({ format: 'jwk' }), alg: 'ES256' });
const buffer = (bytes) => Uint8Array.from(bytes).buffer;

async function issueByCoseLibrary(pem, leaves, index) {
  const signer = cose.detached.signer({
    remote: cose.crypto.signer({ privateKeyJwk: es256Jwk(createPrivateKey(pem)) }),
  });
  const protectedHeader = cose.ProtectedHeader([
    [LABEL.alg, ALG.ES256], [LABEL.kid, buffer(thumbprint(pem))], [LABEL.claims, new Map([[1, 'log.example'], [2, 'feed']])], [LABEL.vds, VDS_RFC9162],
  ]);
  const receipt = await cose.receipt.inclusion.issue({ protectedHeader, entry: index, entries: leaves, signer });
  return new Uint8Array(receipt);
}

// With parameters that ecert does not write: a type, a text key, a time under tag 1, a float; and in an order that is not ecert's
async function issueByHand(pem, leaves, index) {
  const header = encode(new Map([
    ['vendor', 1.5], [LABEL.vds, VDS_RFC9162], [LABEL.type, 'application/example'],
    [LABEL.claims, new Map([[6, new Tag(1, 1706832000)], [2, 'feed'], [1, 'log.example']])], [LABEL.alg, ALG.Ed25519],
  ]));
  const root = await tree.root(leaves);
  const proof = await tree.inclusion_proof(index, leaves);
  const inclusion = encodeCbor([proof.tree_size, proof.leaf_index, proof.inclusion_path.map((hash) => Uint8Array.from(hash))]);
  const signature = ed25519.sign(signedBytes(header, Uint8Array.from(root)), rawSecretKey(pem));
  const unprotectedHeader = new Map([[LABEL.vdp, new Map([[INCLUSION, [inclusion]]])]]);
  return encodeCbor(new Tag(TAG_SIGN1, [header, unprotectedHeader, null, signature]));
}

export const issue = (pem, leaves, index) =>
  (isEd25519(pem) ? issueByHand(pem, leaves, index) : issueByCoseLibrary(pem, leaves, index));

async function verifyByCoseLibrary(receipt, leaf, pem) {
  const verifier = cose.detached.verifier({ resolver: { resolve: async () => es256Jwk(createPublicKey(pem)) } });
  await cose.receipt.inclusion.verify({ entry: leaf, receipt: buffer(receipt), verifier });
  return true;
}

async function verifyByHand(receipt, leaf, pem) {
  const [header, unprotectedHeader, payload, signature] = decodeCbor(receipt).contents;
  const proofs = unprotectedHeader.get(LABEL.vdp).get(INCLUSION);
  if (payload !== null || decodeCbor(header).get(LABEL.vds) !== VDS_RFC9162 || proofs.length !== 1) return false;
  const [treeSize, leafIndex, path] = decodeCbor(proofs[0]);
  const root = await tree.verify_inclusion_proof(leaf, {
    log_id: '', tree_size: treeSize, leaf_index: leafIndex, inclusion_path: path,
  });
  return ed25519.verify(signature, signedBytes(header, Uint8Array.from(root)), rawPublicKey(pem), { zip215: false });
}

// Issuer and subject of a receipt's CWT claims
export function claims(receipt) {
  const found = decodeCbor(decodeCbor(receipt).contents[0]).get(LABEL.claims);
  return [found.get(1), found.get(2)];
}

// Throwing or false is no
export async function verified(receipt, leaf, pem) {
  try {
    return await (isEd25519(pem) ? verifyByHand(receipt, leaf, pem) : verifyByCoseLibrary(receipt, leaf, pem));
  } catch {
    return false;
  }
}

// The package with a receipt in its unprotected header
export async function join(packageBytes, receipt) {
  return new Uint8Array(await cose.receipt.add(buffer(packageBytes), buffer(receipt)));
}

// A transparent statement of ES256 keys, its package and its receipt verified by the library alone
export async function statementVerified(statement, body, packagePem, receiptPem) {
  const resolve = async (coseSign1) => {
    const detached = decodeCbor(new Uint8Array(coseSign1)).contents[2] === null
      || decodeCbor(decodeCbor(new Uint8Array(coseSign1)).contents[0]).has(LABEL.vds);
    return es256Jwk(createPublicKey(detached ? receiptPem : packagePem));
  };
  try {
    const verifier = await cose.receipt.verifier({ resolve });
    const found = await verifier.verify({ coseSign1: buffer(statement), payload: body });
    return found.receipts.length === 1;
  } catch {
    return false;
  }
}
