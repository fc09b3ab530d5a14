// The queue beside the same rows written raw on the same driver and beside other libraries, in one run, with every count checked.
//
//   npm run bench:queue                          everything, about five minutes
//   npm run bench:queue -- --only processed      pieces whose name contains it
//   npm run bench:queue -- --no-peers --rounds 1
//   npm run bench:queue -- --redis 6380          where Redis listens on this machine, for BullMQ; else one is started where redis-server is
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { benchOptions, progress } from './command-line.ts'
import { peerVersions } from './installed-peers.ts'
import { busyness, quantiles, withFolder, type Pace } from './measure.ts'
import { claimsBeside } from './queue/backlog.ts'
import { idlePercent } from './queue/idle.ts'
import { startLatency } from './queue/latency.ts'
import { growth, memoryOver } from './queue/memory.ts'
import { callManyRow, callRow, hasCallMany, processRow, runRow } from './queue/ours.ts'
import { leastCallManyRow, leastCallRow, leastProcessRow, oneTable } from './queue/one-table.ts'
import { queuePeers, type Peer } from './queue/peers.ts'
import { rawCallManyRow, rawCallRow, rawProcessRow, rawRunRow } from './queue/raw-rows.ts'
import { Bars, machine, median, rate, table } from './report.ts'
import { Rounds } from './rounds.ts'

const { only, peers: isBeside, rounds, own } = benchOptions({ redis: '6379' })

const names = {
  call: 'call, 100 callers',
  callMany: 'callMany',
  processed: 'processed',
  run: 'run, 100 callers wait for the end',
  latency: 'start latency when idle',
  backlog: 'claim beside 1 M waiting',
  idle: 'idle CPU',
  memory: 'memory over 1 M runs',
}
const isWanted = (name: string): boolean => name.includes(only)

const tell = (line: string): void => console.error(line)
const bars = new Bars()

/** Microseconds of a write of 4 KiB that is made durable: what every commit pays at least. */
const syncedWriteUs = (): Promise<number> =>
  withFolder(async (folder) => {
    const file = openSync(join(folder, 'probe'), 'w')
    const page = Buffer.alloc(4_096, 1)
    const times = Array.from({ length: 200 }, () => {
      const startedAt = performance.now()
      writeSync(file, page, 0, page.length, 0)
      fdatasyncSync(file)
      return (performance.now() - startedAt) * 1_000
    })
    closeSync(file)
    return median(times)
  })

const measured = new Rounds(rounds, tell)

async function measureRates(peers: readonly Peer[]): Promise<void> {
  const [call, callMany, processed, run] = [100_000, 400_000, 100_000, 50_000]
  const ours = [
    leastCallRow(names.call, call),
    rawCallRow(names.call, call),
    callRow(names.call, call),
    leastCallManyRow(names.callMany, callMany),
    rawCallManyRow(names.callMany, callMany),
    ...(hasCallMany() ? [callManyRow(names.callMany, callMany)] : []),
    leastProcessRow(names.processed, processed),
    rawProcessRow(names.processed, processed),
    processRow(names.processed, processed),
    rawRunRow(names.run, run),
    runRow(names.run, run),
  ]
  const rows = [...ours, ...peers.flatMap((peer) => peer.rows)].filter(({ what }) => isWanted(what))
  await measured.measure(rows)
}

function showRates(peers: readonly Peer[]): void {
  if (measured.whats.length === 0) return
  const others = peers.map(({ who }) => who)
  const told = ({ perSecond }: Pace): string => (Number.isNaN(perSecond) ? '' : rate(perSecond))
  const cpu = ({ cpuUs }: Pace): string => (Number.isNaN(cpuUs) ? '' : cpuUs.toFixed(1))
  const lines = measured.whats.map((what) => {
    const [ours, raw, least] = [measured.of(what, 'troupe'), measured.of(what, 'raw'), measured.of(what, oneTable)]
    const isThere = !Number.isNaN(ours.perSecond)
    const ratioTo = ({ perSecond }: Pace): string => {
      const ratio = ours.perSecond / perSecond
      return Number.isNaN(ratio) ? '' : `${Math.round(ratio * 100)} %`
    }
    const first = isThere ? told(ours) : 'not there yet'
    const own = [first, told(raw), ratioTo(raw), told(least), ratioTo(least), cpu(ours), cpu(raw), cpu(least)]
    return [what, ...own, ...others.map((who) => told(measured.of(what, who)))]
  })
  console.log(
    `\nruns a second, median of ${rounds} rounds, and microseconds of processor time for each. raw: the rows of Troupe, bare; one table: the least that a queue can write; the ratios are the parts of them that are reached`,
  )
  const heads = ['', 'troupe', 'raw', 'ratio', oneTable, 'ratio', 'troupe µs', 'raw µs', 'one table µs']
  console.log(table([...heads, ...others], lines))
  const ours = (what: string): number => measured.of(what, 'troupe').perSecond
  const part = (what: string): number => ours(what) / measured.of(what, oneTable).perSecond
  bars.add('calls a second from 100 callers', ours(names.call), { least: 80_000, unit: '' })
  bars.add('starts a second by callMany', ours(names.callMany), { least: 200_000, unit: '' })
  bars.add('runs processed a second', ours(names.processed), { least: 90_000, unit: '' })
  // The same three bars beside the machine they were set on, where one table took 275 k, 430 k and 175 k.
  bars.add('calls beside one table', part(names.call), { least: 80 / 275, unit: '×' })
  bars.add('callMany beside one table', part(names.callMany), { least: 200 / 430, unit: '×' })
  bars.add('processed beside one table', part(names.processed), { least: 90 / 175, unit: '×' })
}

async function showLatency(peers: readonly Peer[]): Promise<void> {
  progress(names.latency)
  const { ours, raw } = await startLatency(2_000)
  const lines = [
    ['troupe', ours],
    ['raw', raw],
  ] as [string, typeof ours][]
  for (const peer of peers) lines.push([peer.who, quantiles(await peer.latency())])
  progress('')
  console.log(`\n${names.latency}: from the call to the first line of the handler, in ms`)
  const shown = lines.map(([who, { p50, p99 }]) => [who, p50.toFixed(3), p99.toFixed(3)])
  console.log(table(['', 'p50', 'p99'], shown))
  bars.add('start latency when idle, p50', ours.p50, { most: 0.6, unit: ' ms' })
  bars.add('start latency when idle, p99 beside raw', ours.p99 / raw.p99, { most: 1.5, unit: '×' })
}

async function showBacklog(): Promise<void> {
  progress(names.backlog)
  const { emptyMs, fullMs } = await claimsBeside(1_000_000, 600)
  progress('')
  console.log(
    `\na claim of 100 runs: ${emptyMs.toFixed(3)} ms in an empty store, ${fullMs.toFixed(3)} ms beside 1 M waiting runs (half scheduled, half ready in another queue)`,
  )
  bars.add('a claim beside 1 M waiting runs', fullMs / emptyMs, { most: 1.1, unit: '×' })
}

async function showMemory(): Promise<void> {
  const memory = await memoryOver(10, 100_000, progress)
  progress('')
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
  const lines = memory.slices.map(({ runs, heapBytes, residentBytes, perSecond }) => [
    `${runs / 1_000} k`,
    mib(heapBytes),
    mib(residentBytes),
    rate(perSecond),
  ])
  console.log(`\nafter so many runs on one engine; its file has ${mib(memory.fileBytes)} MiB in the end`)
  console.log(table(['runs', 'heap, MiB', 'resident, MiB', 'runs a second'], lines))
  bars.add('heap after 1 M runs beside that after 100 k', growth(memory), { most: 1.1, unit: '×' })
}

const othersPart = busyness()
const wanted = { call: names.call, callMany: names.callMany, process: names.processed, count: 80_000 }
const peers = isBeside ? await queuePeers(wanted, Number(own['redis']), tell) : []
console.log(machine())
console.log(
  `SQLite synchronous=FULL, one process, a worker that does nothing; a write of 4 KiB made durable takes ${(await syncedWriteUs()).toFixed(0)} µs here`,
)
if (isWanted(names.idle)) {
  progress(names.idle)
  const percent = await idlePercent(30_000)
  progress('')
  console.log(`\nan idle engine takes ${percent.toFixed(2)} % of a core`)
  bars.add('idle CPU', percent, { most: 0.5, unit: ' %' })
}
// Before the pieces that leave a heap behind, which an idle engine does not have.
if (isWanted(names.latency)) await showLatency(peers)
await measureRates(peers)
progress('')
showRates(peers)
if (isWanted(names.backlog)) await showBacklog()
if (isWanted(names.memory)) await showMemory()
if (peers.length > 0) {
  console.log(`\n${peerVersions('optionalDependencies').join(', ')}. What they do is not all the same:`)
  for (const { note } of peers) console.log(`- ${note}`)
}
bars.tell(othersPart())
