// The actor core beside a plain ring of messages and beside other libraries, in one run, with every result checked.
//
//   npm run bench:actors                          everything, about three minutes
//   npm run bench:actors -- --only ask            rows whose name contains it
//   npm run bench:actors -- --no-peers --rounds 3
import { waitsBesideHotActors } from './actors/hot-loop.ts'
import { bytesPerActor, ours } from './actors/ours.ts'
import { peerRows } from './actors/peers.ts'
import { benchOptions, progress } from './command-line.ts'
import { peerVersions } from './installed-peers.ts'
import { ring } from './actors/ring.ts'
import type { Row } from './actors/row.ts'
import { savina } from './actors/savina.ts'
import { thread } from './actors/thread.ts'
import { machine, rate, table } from './report.ts'

const { only, peers: isBeside, rounds } = benchOptions({ rounds: '5' })

/** Nanoseconds of the best round, by what and who. */
const best = new Map<string, Map<string, number>>()

async function measure({ what, who, count, run }: Row): Promise<void> {
  const start = process.hrtime.bigint()
  await run(count)
  const ns = Number(process.hrtime.bigint() - start) / count
  const row = best.get(what) ?? new Map<string, number>()
  best.set(what, row.set(who, Math.min(row.get(who) ?? Infinity, ns)))
}

const nsOf = (what: string, who = 'troupe'): number => best.get(what)?.get(who) ?? Number.NaN
const floor = (): number => nsOf(ring.what, ring.who)

function beside(what: string, who: string): string {
  const ns = nsOf(what, who)
  return Number.isNaN(ns) ? '' : `${rate(1e9 / ns)} (${(ns / nsOf(what)).toFixed(1)}×)`
}

function bar(
  name: string,
  value: number,
  { least, most, unit = '' }: { least?: number; most?: number; unit?: string },
): void {
  if (Number.isNaN(value)) return
  const isMet = value >= (least ?? -Infinity) && value <= (most ?? Infinity)
  const wanted = least === undefined ? `at most ${most}${unit}` : `at least ${rate(least)}${unit}`
  const reached = least === undefined ? `${value.toFixed(1)}${unit}` : `${rate(value)}${unit}`
  console.log(`${isMet ? 'met   ' : 'missed'}  ${name}: ${reached}, ${wanted}`)
}

const tell = (line: string): void => console.error(line)
const peers = isBeside ? await peerRows(tell) : []
const rows = [...ours, thread, ...savina, ...peers].filter(({ what }) => what.includes(only))

// Measured: once a million actors have grown the young generation past the cache, ring and tell alike take twice as long, so what makes
// many actors comes last.
const makesMany = ({ what }: Row): boolean => /spawn|SkyNet/.test(what)
const parts = [[ring, ...rows.filter((row) => !makesMany(row))], rows.filter(makesMany)]

for (const [index, part] of parts.entries()) {
  for (let round = 1; round <= rounds; round++) {
    for (const row of part) {
      progress(`part ${index + 1} of 2, round ${round} of ${rounds}: ${row.what}, ${row.who}`)
      await measure(row)
    }
  }
}
progress('')

const whats = [...best.keys()]
const others = ['nact', 'xstate', 'comedy', 'effect'].filter((who) => whats.some((what) => best.get(what)?.has(who)))
const lines = whats.map((what) => {
  const ns = what === ring.what ? floor() : nsOf(what)
  return [what, ns.toFixed(1), rate(1e9 / ns), (ns / floor()).toFixed(1), ...others.map((who) => beside(what, who))]
})

console.log(machine())
console.log(`best of ${rounds} rounds; in brackets how many times our time another takes`)
console.log(table(['', 'ns each', 'per second', '× ring', ...others], lines))
if (others.length > 0) {
  console.log(`\n${peerVersions('dependencies').join(', ')}. What they do is not all the same:`)
  console.log(
    '- a tell is 99 tells and the ask that waits for them; xstate cannot be asked and runs each transition inside send, without a mailbox',
  )
  console.log(
    '- comedy has no mailbox in one process: handlers overlap; nact takes a turn of the event loop for each message',
  )
  console.log('- effect: a bounded queue and a fiber that takes from it; an ask waits for a Deferred')
}

if (only === '') {
  const bytes = await bytesPerActor(100_000)
  const hot = await waitsBesideHotActors(3000)
  if (!Number.isNaN(bytes)) console.log(`\nan idle actor takes ${bytes} bytes`)
  console.log(
    `beside fifty actors that never rest (${rate(hot.perSecond)} messages a second): a timer waits ${hot.timer.maxMs.toFixed(1)} ms at most` +
      ` (p99 ${hot.timer.p99Ms.toFixed(1)}), an echo over a socket ${hot.echo.maxMs.toFixed(1)} ms (p99 ${hot.echo.p99Ms.toFixed(1)})\n`,
  )
  bar('tells a second', 1e9 / nsOf('tell'), { least: 20e6 })
  bar('a tell beside the ring', nsOf('tell') / floor(), { most: 3, unit: '×' })
  bar('asks a second, each with a timeout', 1e9 / nsOf('ask, one by one'), { least: 5e6 })
  bar('spawns a second', 1e9 / nsOf('spawn'), { least: 1e6 })
  bar('tells a second to another thread', 1e9 / nsOf(thread.what), { least: 500e3 })
  bar('an idle actor', bytes, { most: 600, unit: ' bytes' })
  bar('a timer beside hot actors', hot.timer.maxMs, { most: 20, unit: ' ms' })
  bar('a socket beside hot actors', hot.echo.maxMs, { most: 20, unit: ' ms' })
}
