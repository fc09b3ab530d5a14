// Eight processes on one Postgres attack the slots of a limiter and the ticks of a schedule, while they are killed and the server is started anew.
import { expect, onTestFinished, test } from 'vitest'
import { freshDatabase, startPostgres } from '../../postgres.ts'
import { attackSlots, attackTicks } from '../attacks.ts'
import { buildChild } from '../children.ts'

const isFull = process.env['TROUPE_CRASH'] === 'postgres'
const kills = isFull ? 40 : 4
const timeout = isFull ? 480_000 : 240_000
const processes = 8
// Who is killed is proved dead at once; who is slow on a busy machine is not to be taken for dead.
const leaseMs = 10_000

test(
  'no more than three of eight processes pass a limiter for three, and all slots come free',
  { timeout },
  async () => {
    const options = { store: await freshDatabase(), processes, most: 3, leaseMs, stayMs: 200 }
    const { faults, counts } = await attackSlots(buildChild('attacker.ts'), kills, options)
    console.log(JSON.stringify({ what: 'slots on Postgres', ...counts }))
    expect(faults).toEqual([])
    expect(counts['most']).toBe(3)
    expect(counts['holders']).toBeGreaterThan(0)
  },
)

test(
  'I14: eight processes start one run for each tick through kills and restarts of the server',
  { timeout },
  async () => {
    const server = await startPostgres({ version: '18', isDurable: true })
    onTestFinished(server.stop)
    const options = { store: `${server.url}/postgres`, processes, leaseMs, disturb: () => server.restart() }
    const { faults, counts } = await attackTicks(buildChild('attacker.ts'), kills, options)
    console.log(JSON.stringify({ what: 'ticks on Postgres', ...counts }))
    expect(faults).toEqual([])
    expect(counts['ticks']).toBeGreaterThan(kills * 2)
  },
)
