// npm's hypercore over the bytes of packages: node measure.mjs PACKAGES FOLDER, packages as COPY text of bytea.
// Prints "case,microseconds for a block".
//
// One core is one feed with one writer: appending a block hashes it (BLAKE2b) into a Merkle tree and signs the root
// (Ed25519), once for an append of one block or of many.  A block has no issuer, no schema and no rule; nothing waits for
// the disk.  A copy that replicates checks each block's hash against the tree and one signature for the root it got.
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import Hypercore from 'hypercore'

const [file, folder] = process.argv.slice(2)
const blocks = readFileSync(file, 'latin1').trimEnd().split('\n').map((line) => Buffer.from(line.replace(/^\\*x/, ''), 'hex'))

async function open(name, key) {
  const core = new Hypercore(`${folder}/${name}`, key)
  await core.ready()
  return core
}

async function measure(what, work) {
  const began = process.hrtime.bigint()
  await work()
  console.log(`${what},${(Number(process.hrtime.bigint() - began) / 1000 / blocks.length).toFixed(3)}`)
}

rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })

const single = await open('single')
await measure('append one by one', async () => {
  for (const block of blocks) await single.append(block)
})
const batched = await open('batched')
await measure('append 1000 at once', async () => {
  for (let i = 0; i < blocks.length; i += 1000) await batched.append(blocks.slice(i, i + 1000))
})
const copy = await open('copy', single.key)
const [there, here] = [single.replicate(true), copy.replicate(false)]
await measure('replicate and verify', async () => {
  there.pipe(here).pipe(there)
  await copy.update({ wait: true })
  await copy.download({ start: 0, end: blocks.length }).done()
})
for (let i = 0; i < blocks.length; i += 997) {
  if (!blocks[i].equals(await copy.get(i))) throw new Error(`block ${i} is another one`)
}
for (const stream of [there, here]) stream.destroy()
await Promise.all([single.close(), batched.close(), copy.close()])
rmSync(folder, { recursive: true, force: true })
