// The world of an engine, which a test or a simulator may own.
import { systemClock } from '../../lib/clock.ts'
import { createIds } from '../../lib/ids.ts'
import { atLevel, createLog, type LogLevel } from '../../lib/log.ts'
import type { Discovered } from '../../model/discovered.ts'
import type { NodeIdentity } from '../../store/nodes.ts'
import { openStore } from '../../store/open.ts'
import type { Deps } from '../deps.ts'
import type { EngineSettings } from './engine-settings.ts'
import type { CheckedOptions } from './options.ts'

/** Parts of the world that a test or a simulator may bring along; a store that it brings has the codecs already. */
export interface World extends Partial<Deps> {
  readonly leaseMs?: number
  /** Whether the process of another node is certainly gone. */
  readonly isProvedDead?: (other: NodeIdentity) => boolean
  /** Called with what the folder of workers brought. */
  readonly discovered?: (found: Discovered) => void
  /** Called once with what the engine shows to whoever owns its world. */
  readonly opened?: (inside: Inside) => void
  readonly maxDeliveries?: number
  /** False shows what happens to what nobody mends. */
  readonly repairs?: boolean
}

type UpkeepRules = Pick<EngineSettings, 'leaseMs' | 'maxDeliveries' | 'repairs'>

/** What whoever owns the world of an engine sees of it. */
export interface Inside {
  /** Somebody waits for something that has yet to come: news of a run, the end of one that is not stored, or that the engine has stopped. */
  isAwaited(): boolean
  /** The runs of which somebody waits for news. */
  awaited(): readonly string[]
  /** Tells whoever waits for news of a run why none will come. */
  tell(runId: string, error: Error): void
}

/** What an engine is built with; its store is open. Throws `store_…`. */
export async function depsOf(checked: CheckedOptions, world: World, logLevel: LogLevel): Promise<Deps> {
  const { clock = systemClock, failpoint = () => {}, performStep, parksAtOnce, coding = checked.coding } = world
  const write = (line: string): void => void process.stderr.write(line)
  const log = atLevel(world.log ?? checked.log ?? createLog({ level: logLevel, clock, write }), logLevel)
  const ids = world.ids ?? createIds(clock)
  const { synchronous, migrate } = checked
  const store = world.store ?? (await openStore(checked.store, { clock, synchronous, coding, migrate }))
  return { store, clock, log, ids, failpoint, performStep, coding, parksAtOnce }
}

const defaultLeaseMs = 15_000
// The fourth time a process dies over the same step, the run waits for a person.
const defaultDeliveries = 4

/** How nodes are kept up, and what is mended. */
export function upkeepRules({ leaseMs, maxDeliveries, repairs }: World): UpkeepRules {
  return {
    leaseMs: leaseMs ?? defaultLeaseMs,
    maxDeliveries: maxDeliveries ?? defaultDeliveries,
    repairs: repairs ?? true,
  }
}
