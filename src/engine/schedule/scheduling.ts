// The verbs of schedules.
import { decode } from '../../lib/codec.ts'
import { optionInvalid, scheduleNotFound } from '../../model/errors.ts'
import { nextTick, ticksBetween } from '../../model/schedule.ts'
import type { AuditRecord } from '../../store/operating.ts'
import type { ScheduleView, TickRecord } from '../../store/schedules.ts'
import { auditRecord, type ByOption } from '../verbs/audit.ts'
import { checkOptions, checkText, checkWhole, timeOf } from '../checks.ts'
import type { Definition } from '../definition/definition.ts'
import type { Face } from '../verbs/face.ts'
import type { RunHandle } from '../watch/run-handle.ts'
import { cancelFor, type ScheduleKeeper } from './schedule-keeper.ts'
import type { ScheduleRule } from './schedule-rule.ts'
import type { BackfillOptions, ScheduleStatus, ScheduleVerbs } from './schedule-verbs.ts'
import { schedule as declaration, type ScheduledByName } from './schedule.ts'

const mostBackfilled = 1_000
const mostAsked = 1_000

/** Runs that start beside those of the rule. */
interface Beside {
  readonly ticks: readonly TickRecord[]
  readonly overlap: 'allow' | 'buffer-all'
  readonly audit: AuditRecord
}

export class Scheduling implements ScheduleVerbs {
  readonly #face: Face
  readonly #keeper: ScheduleKeeper

  constructor(face: Face, keeper: ScheduleKeeper) {
    this.#face = face
    this.#keeper = keeper
  }

  async schedule(
    name: string,
    rule: ScheduleRule,
    ...starts: [definition: Definition | string, input?: unknown]
  ): Promise<ScheduleStatus> {
    this.#face.checkOpen()
    const record = await this.#keeper.recordOf(declaration(name, rule, ...(starts as ScheduledByName)))
    this.#face.checkOpen()
    await this.#face.deps.store.schedules.save([record], null)
    this.#face.engine.hints.changed()
    return statusOf(await this.#existing(name))
  }

  async unschedule(name: string, options: ByOption = {}): Promise<boolean> {
    this.#check(name)
    const audit = auditRecord('unschedule', options, { action: 'end schedule', target: name })
    return this.#face.deps.store.schedules.delete(name, audit)
  }

  async schedules(): Promise<ScheduleStatus[]> {
    this.#face.checkOpen()
    return (await this.#face.deps.store.schedules.list()).map(statusOf)
  }

  async trigger(name: string, options: ByOption = {}): Promise<RunHandle> {
    const runId = this.#newId()
    const audit = auditRecord('trigger', options, { action: 'trigger schedule', target: name, details: { run: runId } })
    const view = await this.#existing(name)
    const [handle] = await this.#start(view, { ticks: [{ at: null, runId }], overlap: 'allow', audit })
    if (handle === undefined) throw scheduleNotFound(name, [])
    return handle
  }

  async backfill(name: string, span: BackfillOptions, options: ByOption = {}): Promise<RunHandle[]> {
    const what = `the backfill of schedule '${name}'`
    checkOptions(what, span, ['from', 'to'])
    const [from, to] = [timeOf(`from of ${what}`, span.from), timeOf(`to of ${what}`, span.to)]
    const view = await this.#existing(name)
    if (from > to) throw optionInvalid(`from of ${what}`, span.from, 'a time before to')
    if (to > this.#face.deps.store.now()) throw optionInvalid(`to of ${what}`, span.to, 'a time that has passed')
    const times = ticksBetween(view.rule, { from, to }, mostBackfilled)
    if (times === undefined)
      throw optionInvalid(
        `from of ${what}`,
        span.from,
        `a span with at most ${mostBackfilled.toLocaleString('en')} ticks`,
      )
    const overlap = view.rule.overlap === 'allow' ? 'allow' : 'buffer-all'
    const details = { from, to, ticks: times.length }
    const audit = auditRecord('backfill', options, { action: 'backfill schedule', target: name, details })
    return this.#start(view, { ticks: times.map((at) => ({ at, runId: this.#newId() })), overlap, audit })
  }

  async nextFires(name: string, count = 5): Promise<number[]> {
    checkWhole('The number of next fires', count, 1)
    if (count > mostAsked) throw optionInvalid('The number of next fires', count, `at most ${mostAsked}`)
    const { rule, next, isPaused } = await this.#existing(name)
    const fires: number[] = []
    let tick = isPaused ? nextTick({ name, rule }, this.#face.deps.store.now()) : (next ?? undefined)
    while (tick !== undefined && fires.length < count) {
      fires.push(tick.dueAt)
      tick = nextTick({ name, rule }, tick.tickAt)
    }
    return fires
  }

  async pauseSchedule(name: string, options: ByOption = {}): Promise<void> {
    const audit = auditRecord('pauseSchedule', options, { action: 'pause schedule', target: name })
    await this.#existing(name)
    await this.#face.deps.store.schedules.pause(name, null, audit)
  }

  async resumeSchedule(name: string, options: ByOption = {}): Promise<void> {
    const { store } = this.#face.deps
    const audit = auditRecord('resumeSchedule', options, { action: 'resume schedule', target: name })
    const { rule } = await this.#existing(name)
    await store.schedules.pause(name, { next: nextTick({ name, rule }, store.now()) ?? null }, audit)
    this.#face.engine.hints.changed()
  }

  #check(name: string): void {
    this.#face.checkOpen()
    checkText('The name of a schedule', name)
  }

  #newId(): string {
    return this.#face.deps.ids.uuid()
  }

  /** Throws `schedule_not_found`. */
  async #existing(name: string): Promise<ScheduleView> {
    this.#check(name)
    const { store } = this.#face.deps
    const view = await store.schedules.find(name)
    if (view !== undefined) return view
    throw scheduleNotFound(
      name,
      (await store.schedules.list()).map((other) => other.name),
    )
  }

  /** Starts runs beside those of the rule. */
  async #start(view: ScheduleView, { ticks, overlap, audit }: Beside): Promise<RunHandle[]> {
    const { deps, engine } = this.#face
    const definitionId = this.#keeper.definitionIdOf(view)
    const { scheduleId } = view
    const cancel = cancelFor(view)
    const firing = { scheduleId, ticks, dropped: 0, overlap, definitionId, cancel, advance: undefined }
    const fired = await deps.store.schedules.fire(firing, audit)
    engine.hints.changed()
    return (fired?.runIds ?? []).map((id) => this.#face.handleOf({ id, name: view.definition }))
  }
}

function statusOf(view: ScheduleView): ScheduleStatus {
  const { name, rule, definition, isPaused, next, skipped } = view
  return {
    name,
    rule,
    definition,
    input: decode(view.input),
    isPaused,
    nextAt: isPaused ? undefined : next?.dueAt,
    lastTickAt: view.lastTickAt ?? undefined,
    lastRunId: view.lastRunId ?? undefined,
    skipped,
    declaredBy: view.declaredBy ?? undefined,
  }
}
