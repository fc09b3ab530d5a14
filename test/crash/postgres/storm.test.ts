// Four nodes on one Postgres, struck by faults of all kinds and accounted for by value; TROUPE_CRASH=postgres strikes as often as a piece of the campaign does.
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { freshDatabase, startPostgres } from '../../postgres.ts'
import type { PostgresServer } from '../../postgres-server.ts'
import { Proxy } from '../../store/proxy.ts'
import { runCampaign } from '../campaign.ts'
import { buildChild } from '../children.ts'
import { campaignSeed, Random } from '../random.ts'
import { cuts, freezes, partitions, restarts, type Strike } from './faults.ts'
import { Network, whyNoNetworks } from './network.ts'
import { runStorm, type StormAccount, type Way } from './storm.ts'

const isFull = process.env['TROUPE_CRASH'] === 'postgres'
const limitMs = isFull ? 480_000 : 240_000
const times = { kills: 100, freezes: 50, restarts: 50, cuts: 500, silences: 50, partitions: 50 }
// A piece on a busy machine has fewer, and says so.
const forMs = 200_000
const fewKills = 12
const few = 3
const figuresFile = fileURLToPath(new URL('figures.jsonl', import.meta.url))
const nodes = [0, 1, 2, 3]
const random = new Random(campaignSeed())

const kills = isFull ? times.kills : fewKills
test(`I1, I2, I3, I5: ${kills} kills on Postgres lose, repeat and change nothing`, { timeout: limitMs }, async () => {
  const [store, ledger] = [await freshDatabase(), ledgerFile()]
  const report = await runCampaign({ build: buildForgiving(), store, ledger, random, kills, shares: true })
  const { figures, violations } = report
  tell('kills', { struck: { kills: report.kills }, figures, violations })
  expect(violations).toEqual([])
  expect(report.kills).toBe(kills)
  // A fault that never fires proves nothing.
  expect(Math.min(figures.inFlight, figures.rescued)).toBeGreaterThan(0)
  expect(figures.executedAgain).toBeLessThanOrEqual(figures.inFlight)
})

test.skipIf(isFull)('faults of all kinds on Postgres lose and double nothing', { timeout: limitMs }, async () => {
  const server = await ownServer()
  const store = `${server.url}/postgres`
  // Who starts and tells has no number of its batches: what of it is written twice is done twice.
  const [own, proxies] = [await proxyTo(store), await proxiesTo(store)]
  await storm('faults of all kinds', few, {
    store: own.url,
    ways: proxies,
    strikes: {
      cuts: cuts([own, ...proxies], random),
      freezes: freezes(store, random),
      silences: partitions(proxies, store, random),
      restarts: restarts(server, random),
    },
  })
})

test.runIf(isFull)(
  'nodes that stand still past their lease lose and double nothing',
  { timeout: limitMs },
  async () => {
    const store = await freshDatabase()
    const ways = nodes.map(() => ({ url: store }))
    await storm('freezes', times.freezes, { store, ways, strikes: { freezes: freezes(store, random) } })
  },
)

test.runIf(isFull)('immediate restarts of Postgres lose and double nothing', { timeout: limitMs }, async () => {
  const server = await ownServer()
  const store = `${server.url}/postgres`
  const ways = nodes.map(() => ({ url: store }))
  await storm('restarts', times.restarts, {
    store,
    ways,
    strikes: { restarts: restarts(server, random) },
  })
})

test.runIf(isFull)(
  'connections that are cut after their commit lose and double nothing',
  { timeout: limitMs },
  async () => {
    const database = await freshDatabase()
    const [own, ways] = [await proxyTo(database), await proxiesTo(database)]
    await storm('cuts', times.cuts, { store: own.url, ways, strikes: { cuts: cuts([own, ...ways], random) } })
  },
)

test.runIf(isFull)('silences between a node and Postgres lose and double nothing', { timeout: limitMs }, async () => {
  const store = await freshDatabase()
  const proxies = await proxiesTo(store)
  await storm('silences', times.silences, {
    store,
    ways: proxies,
    strikes: { silences: partitions(proxies, store, random) },
  })
})

const missing = whyNoNetworks()
if (missing !== undefined) console.log(missing)

test.skipIf(missing !== undefined)(
  'partitions of networks, each way by itself, lose and double nothing',
  { timeout: limitMs },
  async () => {
    const store = await freshDatabase()
    const networks = nodes.map(() => new Network())
    onTestFinished(() => networks.forEach((network) => network.close()))
    // The server listens on the machine alone.
    const proxies = await Promise.all(networks.map(({ host }) => proxyTo(store, host)))
    const ways = proxies.map(({ url }, node) => ({ url, within: networks[node]?.within ?? [] }))
    const strikes = { partitions: partitions(networks, store, random) }
    await storm('partitions', isFull ? times.partitions : few, { store, ways, strikes })
  },
)

interface Stage {
  readonly store: string
  readonly ways: readonly Way[]
  readonly strikes: Readonly<Record<string, Strike>>
}

async function storm(what: string, wanted: number, stage: Stage): Promise<void> {
  const report = await runStorm({
    ...stage,
    build: buildForgiving(),
    ledger: ledgerFile(),
    random,
    times: wanted,
    forMs,
  })
  tell(what, report)
  expect(report.violations).toEqual([])
  // A fault that never fires proves nothing.
  const least = isFull ? 1 : wanted
  for (const struck of Object.values(report.struck)) expect(struck).toBeGreaterThanOrEqual(least)
  expect(report.figures.runs).toBeGreaterThan(wanted)
}

/** Whoever ends at once must have kept what it acknowledged by itself. */
async function ownServer(): Promise<PostgresServer> {
  const server = await startPostgres({ version: '18', isDurable: true })
  onTestFinished(server.stop)
  return server
}

function proxiesTo(store: string): Promise<Proxy[]> {
  return Promise.all(nodes.map(() => proxyTo(store)))
}

async function proxyTo(store: string, address?: string): Promise<Proxy> {
  const proxy = await Proxy.before(store, address)
  onTestFinished(() => proxy.close())
  return proxy
}

// Of what kills processes from outside no message is to blame.
const mostDeaths = 'const mostDeaths = 3'

function buildForgiving(): string {
  const build = buildChild()
  const resident = join(build, 'src', 'entity', 'resident.js')
  const source = readFileSync(resident, 'utf8')
  expect(source.split(mostDeaths)).toHaveLength(2)
  writeFileSync(resident, source.replace(mostDeaths, 'const mostDeaths = Infinity'))
  return build
}

function ledgerFile(): string {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-storm-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'ledger.jsonl')
}

function tell(what: string, { struck, figures, violations }: StormAccount): void {
  const { fired, ...counts } = figures
  const all = {
    what,
    seed: random.seed,
    node: process.version,
    ...struck,
    ...counts,
    fired,
    failures: violations.length,
  }
  console.log(JSON.stringify(all))
  if (isFull) appendFileSync(figuresFile, `${JSON.stringify(all)}\n`)
}
