// The schedules of this node: those its code declares, and the ticks that any node may fire.
import { formatMs, toMs } from '../../lib/duration.ts'
import { runCancelled, scheduleExists } from '../../model/errors.ts'
import { dueTicks, firstTick } from '../../model/schedule.ts'
import type { ScheduleRecord, ScheduleView } from '../../store/schedules.ts'
import { encodeTags } from '../verbs/call.ts'
import { asDefinition, type AnyDefinition } from '../definition/definition.ts'
import type { Deps } from '../deps.ts'
import { errorText } from '../error-text.ts'
import { limitsFor } from '../limits/limits.ts'
import type { Registry } from '../definition/registry.ts'
import { checkStored, type Schedule } from './schedule.ts'
import { keyWithInput, startKey } from '../verbs/start-options.ts'
import type { StartingOptions } from '../verbs/starting.ts'

// What no code has declared for so long is not only left alone, but forgotten.
const forgottenMs = 30 * 86_400_000
// How many are looked at in one read.
const dueAtOnce = 100

/** What came of a look at what is due. */
export interface ScheduleNews {
  readonly started: number
  /** When the next schedule is due; null when there is none. */
  readonly nextAt: number | null
}

export type KeeperOptions = Pick<StartingOptions, 'encodeInput' | 'maxValueBytes' | 'timeout'>

export class ScheduleKeeper {
  readonly #deps: Deps
  readonly #registry: Registry
  readonly #options: KeeperOptions
  readonly #declared = new Map<string, Schedule>()
  #nodeId: number | undefined

  constructor(deps: Deps, registry: Registry, options: KeeperOptions) {
    this.#deps = deps
    this.#registry = registry
    this.#options = options
  }

  /** Takes a schedule of the code; it is in force once this process is a node. Throws `definition_exists`. */
  async declare(schedule: Schedule): Promise<void> {
    const { name, target } = schedule
    const known = this.#declared.get(name)
    if (known === schedule) return
    if (known !== undefined) throw scheduleExists(name)
    if (typeof target !== 'string') await this.#registry.register(asDefinition(target))
    if (this.#nodeId !== undefined) await this.#deps.store.schedules.save([await this.recordOf(schedule)], this.#nodeId)
    this.#declared.set(name, schedule)
  }

  /** Brings the store in line with the code of this node. What no node declares fires nothing; it goes on should its program come back. */
  async declareOn(nodeId: number): Promise<void> {
    const { store, log } = this.#deps
    const records = await Promise.all([...this.#declared.values()].map((schedule) => this.recordOf(schedule)))
    if (records.length > 0) await store.schedules.save(records, nodeId)
    this.#nodeId = nodeId
    for (const name of await store.schedules.prune(store.now() - forgottenMs)) {
      log.info({ schedule: name }, `schedule '${name}' is gone: no code has declared it for ${formatMs(forgottenMs)}`)
    }
  }

  /** A schedule as the store keeps it. Throws `worker_not_registered`, `option_invalid`, `validation_failed`, `value_…`. */
  async recordOf({ name, rule, target, input }: Schedule): Promise<ScheduleRecord> {
    const { store } = this.#deps
    const { encodeInput, maxValueBytes, timeout } = this.#options
    const definition =
      typeof target === 'string' ? this.#registry.find(target) : this.#registry.resolve(asDefinition(target))
    checkStored(name, definition)
    const { queue = 'default', priority, tags } = definition.settings
    const key = startKey({ definition, input, index: 0, maxBytes: maxValueBytes }, {})
    const text = await encodeInput(definition, input)
    return {
      name,
      rule,
      definitionId: this.#registry.idOf(definition),
      priority,
      tags: encodeTags(tags),
      limits: limitsFor(definition, input, (limiter) => this.#registry.limiterId(limiter)),
      input: text,
      key: keyWithInput(key, text),
      timeoutMs: timeout === undefined ? null : toMs(timeout, 'timeout'),
      queueId: await store.internQueue(queue),
      next: firstTick({ name, rule }, store.now()) ?? null,
    }
  }

  /** The number of the definition that a schedule starts: the newest that this node knows by its name, else the one it was made with. */
  definitionIdOf({ definition, definitionId }: ScheduleView): number {
    return this.#registry.has(definition) ? this.#registry.idOf(this.#definition(definition)) : definitionId
  }

  /** Fires what is due; any node may, and one of them does. */
  async fireDue(): Promise<ScheduleNews> {
    // Race: what the code declares stands in the store before this node fires anything.
    if (this.#nodeId === undefined) return { started: 0, nextAt: null }
    const { store } = this.#deps
    let started = 0
    let due: readonly ScheduleView[]
    do {
      due = await store.schedules.listDue(dueAtOnce)
      const before = started
      for (const view of due) started += await this.#fire(view)
      if (started === before) break
    } while (due.length === dueAtOnce)
    return { started, nextAt: await store.schedules.nextAt() }
  }

  #definition(name: string): AnyDefinition {
    return this.#registry.find(name)
  }

  /** A schedule that cannot be fired holds up none of the others. */
  async #fire(view: ScheduleView): Promise<number> {
    const { name } = view
    try {
      return await this.#fireTicks(view)
    } catch (error) {
      this.#deps.log.error({ schedule: name, err: error }, `schedule '${name}' could not be fired`)
      return 0
    }
  }

  async #fireTicks(view: ScheduleView): Promise<number> {
    const { store, ids, log } = this.#deps
    const { name, rule, scheduleId, revision } = view
    if (view.next === null) return 0
    const { ticks, next, isLate } = dueTicks({ name, rule }, view.next.tickAt, store.now())
    // Of ticks that were all missed the latest is as good as all.
    const isOne = rule.overlap === 'skip' || rule.overlap === 'cancel-other'
    const firing = isOne ? ticks.slice(-1) : ticks
    const fired = await store.schedules.fire({
      scheduleId,
      ticks: firing.map((at) => ({ at, runId: ids.uuid() })),
      dropped: ticks.length - firing.length,
      overlap: rule.overlap,
      definitionId: this.definitionIdOf(view),
      cancel: cancelFor(view),
      advance: { revision, next: next ?? null },
    })
    if (fired === undefined) return 0
    const lateMs = store.now() - view.next.dueAt
    if (isLate)
      log.warn({ schedule: name }, `ticks of schedule '${name}' were left out: it was ${formatMs(lateMs)} late`)
    return fired.runIds.length
  }
}

/** How a run of a schedule is cancelled for the next. */
export function cancelFor({ name, definition }: ScheduleView): { readonly value: string; readonly reason: string } {
  const reason = `the next tick of schedule '${name}' came`
  return { value: errorText(runCancelled(definition, '', reason)), reason }
}
