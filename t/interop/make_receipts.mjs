// Standard input: a JSON array of requests { key: private PEM, entries: [hex], index }.
// Standard output: a JSON array of { receipt: hex, statement: hex }, the statement of the entry if it is a package.
import { readFileSync } from 'node:fs';
import { toBytes, toHex } from './package.mjs';
import { issue, join, leafOf } from './receipt.mjs';

const results = [];
for (const request of JSON.parse(readFileSync(0, 'utf8'))) {
  const entries = request.entries.map(toBytes);
  const leaves = await Promise.all(entries.map(leafOf));
  const receipt = await issue(request.key, leaves, request.index);
  results.push({ receipt: toHex(receipt), statement: toHex(await join(entries[request.index], receipt)) });
}
process.stdout.write(JSON.stringify(results));
