// Standard input: a JSON array of requests { receipt: hex, entry: hex, key: public PEM, statement: hex, packageKey: public PEM }.
// Standard output: a JSON array of what the libraries say of each; of statements only where both keys are P-256.
import { readFileSync } from 'node:fs';
import { decodeCbor, toBytes, toHex } from './package.mjs';
import { claims, isEd25519, join, leafOf, statementVerified, verified } from './receipt.mjs';

// One bit of the path or the signature turned, or another entry
async function refusedWhenChanged(receipt, entry, key) {
  for (const at of [receipt.length - 1, receipt.length - 64 - 2 - 4]) {
    const changed = receipt.slice();
    changed[at] ^= 1;
    if (await verified(changed, await leafOf(entry), key)) return false;
  }
  return !(await verified(receipt, await leafOf(entry.slice(1)), key));
}

async function statementIsRight(request, entry) {
  if (isEd25519(request.key) || isEd25519(request.packageKey)) return null;
  const body = decodeCbor(entry).contents[2];
  return statementVerified(toBytes(request.statement), body, request.packageKey, request.key);
}

const results = [];
for (const request of JSON.parse(readFileSync(0, 'utf8'))) {
  const [receipt, entry] = [toBytes(request.receipt), toBytes(request.entry)];
  results.push({
    verified: await verified(receipt, await leafOf(entry), request.key),
    refusedWhenChanged: await refusedWhenChanged(receipt, entry, request.key),
    claims: claims(receipt).join(' '),
    statement: await statementIsRight(request, entry),
    sameStatement: toHex(await join(entry, receipt)) === request.statement,
  });
}
process.stdout.write(JSON.stringify(results));
