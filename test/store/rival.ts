// One of several processes on one file: starts runs, some under keys that all use, and performs whatever it can claim.
import { systemClock } from '../../src/lib/clock.ts'
import { openSqlite } from '../../src/store/sqlite/sqlite.ts'
import { attach, Peer, Scene, settle } from '../../src/testing/conformance/scene.ts'
import { givenToChild } from './children.ts'

const { path, name, runs } = givenToChild<{ path: string; name: string; runs: number }>()

const connect = () => openSqlite({ path, synchronous: 'normal', clock: systemClock })
const scene = await Scene.open({ connect, remove: async () => undefined })
const performed: string[] = []
let isNewOnce = 0

async function perform(node: Peer): Promise<number> {
  const claimed = await node.claim(3)
  await node.commit({ settles: claimed.map(({ held }) => settle(held)) })
  performed.push(...claimed.map(({ id }) => id))
  return claimed.length
}

for (let n = 0; n < runs; n++) {
  const own = scene.startRecord({ id: `${name}-own-${n}` })
  const shared = scene.startRecord({ id: `${name}-shared-${n}`, key: attach(`shared-${n}`) })
  const { started } = await scene.client.commit({ starts: [own, shared] })
  if (started[1]?.isNew) isNewOnce++
  await perform(scene.node)
}
while ((await perform(scene.node)) > 0);
await scene.close()
console.log(JSON.stringify({ performed, isNewOnce }))
