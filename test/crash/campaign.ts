// A campaign of kills against one store: children are killed and started again while runs are being started.
import { isDoneWithin } from '../../src/engine/in-time.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { Troupe } from '../../src/troupe.ts'
import { codingOf } from '../../src/model/codecs/codecs.ts'
import { plainIn } from '../store/plain-text.ts'
import { account, type Account } from './account.ts'
import { answering } from './answers.ts'
import type { ChildOrder } from './child.ts'
import { Child } from './children.ts'
import { codecUnder, keyNames, ofOthers, type KeyName } from './keys.ts'
import { ofKind, openLedger, readLedger, type Entry, type Ledger } from './ledger.ts'
import { Random } from './random.ts'
import { fileOf } from './reader.ts'
import { cancelSaga, type SagaInput } from './sagas.ts'
import { sharedDefinitions, SharedLoad } from './shared-work.ts'
import { definitions, randomWork, tellWords, type Kind } from './work.ts'

export interface CampaignOptions {
  readonly build: string
  /** The URL of the store. */
  readonly store: string
  readonly ledger: string
  readonly random: Random
  readonly kills: number
  /** Starts nothing else. */
  readonly only?: Kind | undefined
  /** How long the last child may take to finish everything. */
  readonly drainMs?: number | undefined
  /** What is stored is encrypted, by each process under one of several keys. */
  readonly isCoded?: boolean
  /** There is work beside that all nodes share. */
  readonly shares?: boolean
}

export interface CampaignAccount extends Account {
  readonly kills: number
  readonly isCoded: boolean
  /** What was stored of the data of runs and stands in the file for everybody to read. */
  readonly plain: readonly string[]
  /** Runs whose input is read by a process without keys. */
  readonly readByOthers: number
}

// Children at the same time: more than there are processors, so that they are also kept waiting.
const slots = 4
export const leaseMs = 200
// Steps and workflows at a time in each child: what a kill throws away at most, beside the workers that begin in that moment.
const stepsAtOnce = 2
const most = 3
// A child whose failpoint has not come by then is killed as it stands.
const longestLifeMs = 2_000
// They end in slices of two hundred.
const clanSize = 250
const startLimitMs = 30_000
// Measured: a machine with five times the work it can do takes a minute.
const mostDrainMs = 180_000
const hearMs = 5_000

// Where children kill themselves, and at which passage at the latest.
const places = [
  { place: 'commit:before', most: 50 },
  { place: 'commit:after', most: 50 },
  { place: 'step:before', most: 50 },
  { place: 'step:after', most: 50 },
  { place: 'settle:before', most: 12 },
] as const

/** One under way. */
export interface Campaign extends CampaignOptions {
  readonly client: Troupe
  readonly note: Ledger
  readonly killed: Set<number>
  readonly calls: Promise<void>[]
  /** Over when what was cancelled has ended. */
  readonly cancels: Promise<void>[]
  /** Kills that were begun. */
  planned: number
  readonly failures: string[]
  readonly load: SharedLoad | undefined
  readonly answers: ReturnType<typeof answering>
}

/** Kills children until there were enough, lets a clean one finish everything, and accounts. */
export async function runCampaign(options: CampaignOptions): Promise<CampaignAccount> {
  const campaign = await openCampaign(options)
  await Promise.all(Array.from({ length: slots }, () => killOneAfterAnother(campaign)))
  return closeCampaign(campaign)
}

/** Begins with what takes long. */
export async function openCampaign(options: CampaignOptions): Promise<Campaign> {
  const note = openLedger(options.ledger)
  const { store, shares = false, random } = options
  const known = [...Object.values(definitions(note)), ...(shares ? sharedDefinitions(note, true) : [])]
  // What goes wrong beside a storm is found in the account.
  const quiet = shares ? { logLevel: 'silent' as const } : {}
  const client = await Troupe.open({ store, definitions: known, ...quiet, ...codecOf(options) })
  const campaign: Campaign = {
    ...options,
    client,
    note,
    killed: new Set(),
    calls: [],
    cancels: [],
    planned: 0,
    failures: [],
    load: shares ? new SharedLoad(client, { note, random: new Random(random.between(0, 2 ** 31)) }) : undefined,
    answers: answering(client, options.ledger, note),
  }
  for (let n = 0; n < 3; n++) start(campaign, 'rest', { from: process.pid })
  for (let n = 0; n < 2; n++) start(campaign, 'clan', { from: process.pid, children: clanSize })
  return campaign
}

/** Lets a child without faults finish everything, and accounts. */
export async function closeCampaign(campaign: Campaign): Promise<CampaignAccount> {
  const { client, note, store, isCoded = false } = campaign
  await Promise.all(campaign.calls)
  await settleShared(campaign)
  await drain(campaign)
  await campaign.answers.stop()
  // What was never finished is told by the account.
  await isDoneWithin(systemClock, hearMs, Promise.all(campaign.cancels))
  await client.stop()
  note.close()
  const [file, entries] = [fileOf(store), readLedger(campaign.ledger)]
  const coding = codingOf(codecOf(campaign).codec ?? [])
  const { figures, violations } = await account(store, entries, { killed: campaign.killed, coding })
  return {
    kills: campaign.killed.size,
    isCoded,
    figures,
    violations: [...campaign.failures, ...violations],
    plain: file === undefined ? [] : plainIn(file, dataOf(entries)),
    readByOthers: await readWithoutKeys(store),
  }
}

/** Of all kinds of data: the names in inputs, reasons of cancels, messages of errors, values, words and tokens. */
function dataOf(entries: readonly Entry[]): string[] {
  const some = <T>(items: readonly T[]): T[] => items.filter((_, place) => place % Math.ceil(items.length / 20) === 0)
  return [
    'takesMs',
    'as it is meant to',
    ...some([...ofKind(entries, 'effect'), ...ofKind(entries, 'failed')]).map(({ uuid }) => uuid),
    ...some(ofKind(entries, 'told')).map(({ word }) => word),
    ...some(ofKind(entries, 'asked')).map(({ token }) => token),
  ]
}

async function readWithoutKeys(store: string): Promise<number> {
  await using outsider = await Troupe.open({ store, codec: ofOthers, global: false })
  const runs = await outsider.runs({ limit: 1_000_000 })
  return runs.filter(({ input }) => input !== undefined).length
}

async function killOneAfterAnother(campaign: Campaign): Promise<void> {
  const { random, build, killed, failures } = campaign
  while (campaign.planned < campaign.kills) {
    campaign.planned += 1
    const death = randomDeath(random)
    const seed = random.between(0, 2 ** 31)
    const { only } = campaign
    const key = keyOf(campaign)
    const order = { ...placesOf(campaign), only, leaseMs, seed, starts: random.between(0, 60), most, stepsAtOnce, key }
    const child = new Child(build, death.failpoint === undefined ? order : { ...order, death: death.failpoint })
    for (let n = random.between(0, 6); n > 0; n--) startRandom(campaign)
    if (death.servesFirst) await child.hears(() => child.isReady, startLimitMs)
    const timer = systemClock.after(death.lifeMs, () => void child.signal('SIGKILL'))
    const { signal, code, errors } = await child.ended
    timer.cancel()
    if (signal === 'SIGKILL') killed.add(child.pid)
    else failures.push(`child ${child.pid} ended by itself with ${code}: ${errors}`)
  }
}

interface Death {
  readonly failpoint?: { readonly place: string; readonly passage: number }
  /** Its life is counted from when it serves; otherwise from its birth. */
  readonly servesFirst: boolean
  readonly lifeMs: number
}

function randomDeath(random: Random): Death {
  if (random.happens(0.6)) {
    const { place, most } = random.oneOf(places)
    return { failpoint: { place, passage: random.between(1, most) }, servesFirst: true, lifeMs: longestLifeMs }
  }
  const servesFirst = random.happens(0.75)
  return { servesFirst, lifeMs: random.between(0, servesFirst ? 1_000 : 400) }
}

/** Starts a run of any kind, and does to it what its kind asks for. */
export function startRandom(campaign: Campaign): void {
  const { name, input } = randomWork(campaign.random, campaign.only)
  start(campaign, name, input)
}

function start(
  { client, note, calls, cancels }: Campaign,
  name: string,
  input: { readonly from: number; readonly words?: number; readonly children?: number } & Partial<
    Pick<SagaInput, 'ends'>
  >,
): void {
  const called = client.call(name, input).then(async (handle) => {
    note({ kind: 'called', run: handle.id, name, input })
    const { words = 0, ends } = input
    if (ends === 'cancelled') cancels.push(cancelSaga({ id: handle.id, cancel: (why) => handle.cancel(why) }, note))
    await tellWords((...told) => handle.tell(...told), { run: handle.id, words, note })
  })
  calls.push(called)
}

/** What was asked for is answered as long as somebody performs it. */
async function settleShared(campaign: Campaign): Promise<void> {
  if (campaign.load === undefined) return
  const child = new Child(campaign.build, { ...placesOf(campaign), leaseMs, seed: 0, starts: 0, key: keyOf(campaign) })
  await campaign.load.stop()
  child.stop()
  const { code, errors } = await child.ended
  if (code !== 0) campaign.failures.push(`child ${child.pid} ended with ${code}: ${errors}`)
}

async function drain(campaign: Campaign): Promise<void> {
  const child = new Child(campaign.build, {
    ...placesOf(campaign),
    leaseMs,
    seed: 0,
    starts: 0,
    drains: true,
    stepsAtOnce,
    key: keyOf(campaign),
  })
  const timer = systemClock.after(campaign.drainMs ?? mostDrainMs, () => void child.signal('SIGKILL'))
  const { signal, code, errors } = await child.ended
  timer.cancel()
  if (code !== 0) campaign.failures.push(`the last child did not finish everything: ${signal ?? code} ${errors}`)
}

function keyOf({ isCoded = false, random }: Campaign): KeyName | undefined {
  return isCoded ? random.oneOf(keyNames) : undefined
}

/** What all children are told. */
export function placesOf({ store, ledger, shares = false }: Campaign): Pick<ChildOrder, 'store' | 'ledger' | 'shares'> {
  return { store, ledger, shares }
}

function codecOf({ isCoded = false }: CampaignOptions): { codec?: ReturnType<typeof codecUnder> } {
  return isCoded ? { codec: codecUnder('first') } : {}
}
