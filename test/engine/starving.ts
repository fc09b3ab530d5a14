// A process that has no file descriptor left: prints whether it takes the process that started it for dead.
import { openSync } from 'node:fs'
import { isProvedDead, ownIdentity } from '../../src/engine/membership/host.ts'
import type { NodeIdentity } from '../../src/store/nodes.ts'

const other = JSON.parse(process.argv[2] ?? '{}') as NodeIdentity
const own = ownIdentity('starving')
let held = 0
try {
  for (; ; held++) openSync('/dev/null', 'r')
} catch {
  const isDead = isProvedDead(other, own)
  process.stdout.write(JSON.stringify({ isDead, held: held > 0 }))
}
