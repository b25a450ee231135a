// Arguments: names of key files to make. Each NAME gets NAME.pem and NAME.pub in the current
// directory: P-256 where the name says es256, Ed25519 otherwise.
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';

for (const name of process.argv.slice(2)) {
  const pair = name.includes('es256')
    ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
    : generateKeyPairSync('ed25519');
  writeFileSync(`${name}.pem`, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  writeFileSync(`${name}.pub`, pair.publicKey.export({ type: 'spki', format: 'pem' }));
}
