// Troupe on Postgres beside the same rows written raw in batches and beside other libraries, on one server and in one run, with every count checked.
//
//   npm run bench:postgres                        everything, about a quarter of an hour
//   npm run bench:postgres -- --only processed    pieces whose name contains it; each takes less than eight minutes
//   npm run bench:postgres -- --no-peers --rounds 1
//   npm run bench:postgres -- --size 0.05         fewer runs, to see that all goes: its figures say little
//   npm run bench:postgres -- --minutes 10        how long a transaction is held open; ten for the record
//   npm run bench:postgres -- --redis 6380        where Redis listens on this machine, for BullMQ; else one is started where redis-server is
//   npm run bench:postgres -- --absurd FILE       the tables of absurd (sql/absurd.sql of its repository), which are no part of its package
import { benchOptions, progress } from './command-line.ts'
import { orWithout, peerVersions } from './installed-peers.ts'
import { quantiles, type Quantiles } from './measure.ts'
import { ask, databasesOf, withPostgres, type Within } from './postgres-server.ts'
import { claimsBesideHeld } from './postgres/held.ts'
import { latencyOfOther, paceOfNodes } from './postgres/nodes.ts'
import { graphileName } from './postgres/peer-graphile.ts'
import { queuePeers, workflowPeers } from './postgres/peers.ts'
import { onPostgres } from './postgres/place.ts'
import { walOfOurs, walOfRaw } from './postgres/wal.ts'
import { oursOfThree, parallelSteps, rawOfThree } from './postgres/workflows.ts'
import { startLatency } from './queue/latency.ts'
import { callManyRow, callRow, processRow, runRow } from './queue/ours.ts'
import type { Peer } from './queue/peers.ts'
import { rawCallManyRow, rawCallRow, rawProcessRow, rawRunRow } from './queue/raw-rows.ts'
import { Bars, machine, median, quantileTable, rate, table } from './report.ts'
import { Rounds } from './rounds.ts'
import { besideOthers } from './workflow/beside.ts'
import type { WorkflowPeer } from './workflow/peers.ts'

const { only, peers: isBeside, rounds, own } = benchOptions({ redis: '6379', minutes: '1', absurd: 'none', size: '1' })

const names = {
  call: 'call, 100 callers',
  callMany: 'callMany',
  processed: 'processed',
  run: 'run, 100 callers wait for the end',
  same: 'start latency, same node',
  other: 'start latency, other node',
  three: 'workflows of three steps',
  parallel: 'a run of 100 parallel steps',
  wal: 'write-ahead log',
  held: 'claims beside a held transaction',
  nodes: 'nodes',
}
const [size, minutes] = [positive('size'), positive('minutes')]
const sized = (count: number): number => Math.ceil(count * size)
const isWanted = (name: string): boolean => name.includes(only)
const tell = (line: string): void => console.error(line)
const bars = new Bars()

// More memory than it takes by itself, and seldom a checkpoint, as anybody sets who asks for speed; as durable as it is by itself.
const settings = {
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  shared_buffers: '512MB',
  max_wal_size: '4GB',
  checkpoint_timeout: '30min',
  max_connections: '300',
}

const measured = new Rounds(rounds, tell)

async function measureRates(fresh: Within, peers: readonly Peer[]): Promise<void> {
  const place = onPostgres(fresh)
  const [call, callMany, processed, run] = [50_000, 200_000, 100_000, 30_000].map(sized) as [
    number,
    number,
    number,
    number,
  ]
  const ours = [
    rawCallRow(names.call, call, place),
    callRow(names.call, call, place),
    rawCallManyRow(names.callMany, callMany, place),
    callManyRow(names.callMany, callMany, place),
    rawProcessRow(names.processed, processed, place),
    processRow(names.processed, processed, place),
    rawRunRow(names.run, run, place),
    runRow(names.run, run, place),
  ]
  const rows = [...ours, ...peers.flatMap((peer) => peer.rows)].filter(({ what }) => isWanted(what))
  await measured.measure(rows)
}

function showRates(peers: readonly Peer[]): void {
  if (measured.whats.length === 0) return
  const perSecondOf = (what: string, who: string): number => measured.of(what, who).perSecond
  const others = peers.map(({ who }) => who)
  const told = (perSecond: number): string => (Number.isNaN(perSecond) ? '' : rate(perSecond))
  const lines = measured.whats.map((what) => {
    const [ours, raw] = [perSecondOf(what, 'troupe'), perSecondOf(what, 'raw')]
    const ratio = `${Math.round((ours / raw) * 100)} %`
    return [what, told(ours), told(raw), ratio, ...others.map((who) => told(perSecondOf(what, who)))]
  })
  console.log(`\nruns a second, median of ${rounds} rounds. raw: the rows of Troupe, bare, in batches`)
  console.log(table(['', 'troupe', 'raw', 'ratio', ...others], lines))
  const ours = (what: string): number => perSecondOf(what, 'troupe')
  bars.add('calls a second from 100 callers', ours(names.call), { least: 20_000, unit: '' })
  bars.add('starts a second by callMany', ours(names.callMany), { least: 100_000, unit: '' })
  const beside = ours(names.processed) / perSecondOf(names.processed, graphileName)
  bars.add(`processed beside ${graphileName}`, beside, { least: 1.2, unit: '×' })
  bars.add(`processed beside ${graphileName}, the aim`, beside, { least: 1.6, unit: '×' })
}

async function showLatency(fresh: Within, peers: readonly Peer[]): Promise<void> {
  const lines: [string, Quantiles][] = []
  if (isWanted(names.same)) {
    progress(names.same)
    const { ours, raw } = await startLatency(sized(1_000), onPostgres(fresh))
    lines.push(['troupe, same node', ours], ['raw, same node', raw])
    bars.add('start latency when idle, same node, p50', ours.p50, { most: 2, unit: ' ms' })
  }
  if (isWanted(names.other)) {
    progress(names.other)
    const other = await latencyOfOther(fresh, sized(500))
    lines.push(['troupe, other node', other])
    bars.add('start latency when idle, other node, p50', other.p50, { most: 5, unit: ' ms' })
  }
  if (lines.length === 0) return
  for (const peer of peers) {
    progress(`start latency: ${peer.who}`)
    const times = await orWithout(peer.who, () => peer.latency(), tell)
    if (times !== undefined) lines.push([peer.who, quantiles(times)])
  }
  progress('')
  console.log('\nfrom the call to the first line of the handler, nothing else going on, in ms')
  console.log(quantileTable(lines))
}

async function showThree(fresh: Within, peers: readonly WorkflowPeer[]): Promise<void> {
  const { troupe, peers: others } = await besideOthers(names.three, {
    rounds,
    troupe: () => oursOfThree(fresh, size),
    raw: () => rawOfThree(fresh, size),
    peers,
    tell,
  })
  bars.add('workflows of three steps a second', troupe.perSecond, { least: 8_000, unit: '' })
  for (const [{ who }, { perSecond }] of [...others].filter(([peer]) => ['restate', 'dbos'].includes(peer.who)))
    bars.add(`workflows of three steps beside ${who}`, troupe.perSecond / perSecond, { least: 7, unit: '×' })
  bars.add('one alone, median', troupe.aloneMs, { most: 3.5, unit: ' ms' })
}

async function showParallel(fresh: Within): Promise<void> {
  progress(names.parallel)
  const { ours, raw } = await parallelSteps(fresh, sized(300))
  progress('')
  console.log(`\n${names.parallel}, from the call to the result, in ms`)
  console.log(quantileTable(Object.entries({ troupe: ours, raw })))
  bars.add('100 parallel steps in one run, median', ours.p50, { most: 4, unit: ' ms' })
}

async function showWal(fresh: Within): Promise<void> {
  progress(names.wal)
  const [ours, raw] = [await walOfOurs(fresh, sized(50_000)), await walOfRaw(fresh, sized(50_000))]
  progress('')
  console.log('\nbytes of write-ahead log for each run, from its claim to its end')
  const lines = Object.entries({ troupe: ours, raw }).map(([who, { records, images }]) => [
    who,
    records.toFixed(0),
    images.toFixed(0),
  ])
  console.log(table(['', 'records', 'images of pages beside'], lines))
  bars.add('write-ahead log of a run', ours.records, { most: 700, unit: ' bytes' })
}

async function showHeld(fresh: Within): Promise<void> {
  const shown = (part: number): void => progress(`${names.held}: ${Math.round(part * 100)} %`)
  const { tenths, all, perSecond, deadRows } = await claimsBesideHeld(fresh, minutes, shown)
  progress('')
  console.log(
    `\na claim of 50 runs while a transaction is held open for ${minutes} min, at ${rate(perSecond)} runs a second, in ms; ${rate(deadRows)} rows have gone and could not be cleared away`,
  )
  console.log(quantileTable(tenths.map((tenth, i) => [`tenth ${i + 1}`, tenth])))
  bars.add(`claims beside a transaction held for ${minutes} min, p99`, all.p99, { most: 3, unit: ' ms' })
  bars.add('runs a second meanwhile', perSecond, { least: 1_990, unit: '' })
}

async function showNodes(fresh: Within): Promise<void> {
  const paces: Record<number, number[]> = { 1: [], 2: [], 4: [] }
  for (let round = 1; round <= rounds; round++) {
    for (const [nodes, times] of Object.entries(paces)) {
      progress(`${names.nodes}: round ${round} of ${rounds}: ${nodes}`)
      times.push(await paceOfNodes(fresh, Number(nodes), sized(50_000)))
    }
  }
  progress('')
  console.log(`\nruns processed a second by nodes that are processes of their own, median of ${rounds} rounds`)
  const medians = Object.entries(paces).map(([nodes, times]) => [nodes, median(times)] as const)
  console.log(
    table(
      ['nodes', 'runs a second'],
      medians.map(([nodes, perSecond]) => [nodes, rate(perSecond)]),
    ),
  )
  const one = median(paces[1] ?? [])
  for (const [nodes, perSecond] of medians.slice(1))
    bars.add(`${nodes} nodes beside one`, perSecond / one, { least: 1, unit: '×' })
}

function positive(name: string): number {
  const value = Number(own[name])
  return value > 0 ? value : refuse(`--${name} is ${own[name]}, and is to be a number above 0`)
}

function refuse(why: string): never {
  console.error(why)
  process.exit(2)
}

async function findQueues(within: Within): Promise<Peer[]> {
  const { call, callMany, processed, same, other } = names
  if (!isBeside || ![call, callMany, processed, same, other].some(isWanted)) return []
  const wanted = { call, callMany, process: processed, count: sized(80_000) }
  return queuePeers({ wanted, within, redisPort: Number(own['redis']) }, tell)
}

async function findWorkflows(within: Within): Promise<WorkflowPeer[]> {
  if (!isBeside || !isWanted(names.three)) return []
  const absurdTables = own['absurd'] === 'none' ? '' : (own['absurd'] ?? '')
  return workflowPeers({ within, absurdTables }, tell)
}

if (!Object.values(names).some(isWanted))
  refuse(`nothing is called ${only}: there are ${Object.values(names).join('; ')}`)
await withPostgres(async (server) => {
  const fresh = databasesOf(server)
  const [queues, workflows] = [await findQueues(fresh), await findWorkflows(fresh)]
  const [version] = await ask<{ name: string }>(server, `select current_setting('server_version') as name`)
  console.log(machine())
  console.log(
    `Postgres ${version?.name}, fsync=on, synchronous_commit=on, over TCP, on the same machine; a worker that does nothing`,
  )
  if (size < 1) console.log(`Fewer runs than for the record (--size ${size}): the figures say little.`)
  await showLatency(fresh, queues)
  await measureRates(fresh, queues)
  showRates(queues)
  if (isWanted(names.three)) await showThree(fresh, workflows)
  if (isWanted(names.parallel)) await showParallel(fresh)
  if (isWanted(names.wal)) await showWal(fresh)
  if (isWanted(names.nodes)) await showNodes(fresh)
  if (isWanted(names.held)) await showHeld(fresh)
  const all = [...queues, ...workflows]
  if (all.length > 0) {
    const versions = [
      ...(queues.length > 0 ? peerVersions('optionalDependencies') : []),
      ...peerVersions('devDependencies'),
    ]
    console.log(`\n${versions.join(', ')}. What they do is not all the same:`)
    for (const { note } of all) console.log(`- ${note}`)
  }
  bars.tell()
}, settings)
