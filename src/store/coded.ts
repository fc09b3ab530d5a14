// A store in between: what is stored of the data of programs goes through codecs on its way in and out.
import type { Coding } from '../model/codecs/codecs.ts'
import { proofPlace } from '../model/codecs/proof.ts'
import { codeBatch } from './coded-batch.ts'
import {
  placeOfAttempt,
  readAnswers,
  readClaimed,
  readCompletion,
  readEnd,
  readMail,
  readMessage,
  readRun,
  readStep,
  type Places,
  placesOf,
} from './coded-views.ts'
import type { IntakeStore, MadeStart } from './intake.ts'
import type { InvestigationStore } from './investigations.ts'
import type { AuditRecord, AuditView, OperatingStore } from './operating.ts'
import type { Store } from './store.ts'

/**
 * The same store, whose values other processes read with the same codecs alone.
 *
 * Inputs, outputs, errors, results and states, messages, asks and answers, events, log lines and reasons go through them; names, keys, tags, error codes, times and what people did do not,
 * so that runs can be looked for. What was written without codecs is read as it is.
 */
export function codedStore(store: Store, coding: Coding): Store {
  const places = placesOf(coding)
  return passing(store, openOfStore, {
    ...watching(store, places),
    ...asking(store, places),
    operating: passing(store.operating, operatingOpen, {
      forkRun: (fork, audit) => store.operating.forkRun(places.ofFork(fork), audit),
      reopenRuns: (ids, audit) => store.operating.reopenRuns(ids, audit && writeAudit(places, audit)),
      resolveStep: (result, audit) => store.operating.resolveStep(places.ofResolved(result), writeAudit(places, audit)),
      recordAudit: (audit) => store.operating.recordAudit(writeAudit(places, audit)),
      listAudit: async (page) => (await store.operating.listAudit(page)).map((entry) => readAudit(places, entry)),
    }),
    investigations: investigating(store.investigations, places),
    schedules: passing(store.schedules, ['prune', 'delete', 'nextAt', 'pause'], {
      save: (records, nodeId) => store.schedules.save(records.map(places.ofNewSchedule), nodeId),
      list: async () => (await store.schedules.list()).map((view) => places.ofSchedule(view)),
      listDue: async (limit) => (await store.schedules.listDue(limit)).map((view) => places.ofSchedule(view)),
      find: async (name) => places.ofSchedule(await store.schedules.find(name)),
      fire: (firing, audit) => store.schedules.fire({ ...firing, cancel: places.cancelled(firing.cancel) }, audit),
    }),
    failures: passing(store.failures, ['drop'], {
      take: async (slice) =>
        (await store.failures.take(slice)).map((row) => ({
          ...row,
          input: places.read(row.input, 'input'),
          value: places.readError(row.value, 'outcome'),
        })),
    }),
    definitions: passing(store.definitions, ['keep', 'find', 'findOf', 'listNames'], {
      listUnfinished: async (page) =>
        (await store.definitions.listUnfinished(page)).map((run) => ({
          ...run,
          claimed: readClaimed(places, run.claimed),
        })),
    }),
    asks: passing(store.asks, ['withdraw'], {
      listOpen: async (...asked) =>
        (await store.asks.listOpen(...asked)).map((row) => ({
          ...row,
          value: places.read(row.value, `message:${row.name}`),
        })),
      listEnds: async (seqs) => readAnswers(places, await store.asks.listEnds(seqs)),
    }),
    events: passing(store.events, ['addSubscription', 'renewSubscriptions', 'dropSubscription', 'listPublishers'], {
      publish: (event) => store.events.publish(places.ofEvent(event)),
      take: async (slice) =>
        (await store.events.take(slice)).map((row) => ({ ...row, value: places.read(row.value, `event:${row.name}`) })),
      settle: (ends) => store.events.settle(ends.map((end) => ({ ...end, events: end.events?.map(places.ofEvent) }))),
    }),
    codings: passing(store.codings, ['use'], {
      list: async () =>
        (await store.codings.list()).map(({ form, proof }) => ({ form, proof: places.read(proof, proofPlace) })),
    }),
    callers: passing(store.callers, ['hasFile', 'isPast'], {
      start: (tx, queue, starts) => store.callers.start(tx, queue, starts.map(places.ofStart)),
      recordStep: (tx, step) => store.callers.recordStep(tx, places.ofStep(step)),
      intake: store.callers.intake && takingIn(store.callers.intake, places),
    }),
  })
}

/** What goes through the codecs while runs are performed. */
function asking(
  store: Store,
  places: Places,
): Pick<Store, 'commit' | 'listEnds' | 'listMail' | 'listMessages' | 'listCompletions'> {
  return {
    commit: async (batch) => {
      const committed = await store.commit(codeBatch(places, batch))
      const { claimed, cancelRequests } = committed
      if (claimed.length === 0 && cancelRequests.length === 0) return committed
      return {
        ...committed,
        claimed: claimed.map((runs) => runs.map((run) => readClaimed(places, run))),
        cancelRequests: cancelRequests.map((one) => ({ ...one, reason: places.readPlain(one.reason, 'reason') })),
      }
    },
    listEnds: async (ids) => {
      const ends = await store.listEnds(ids)
      return new Map([...ends].map(([id, end]) => [id, end === 'gone' ? end : readEnd(places, end)]))
    },
    listMessages: async (slice) => (await store.listMessages(slice)).map((row) => readMessage(places, row)),
    listMail: async (...asked) => (await store.listMail(...asked)).map((row) => readMail(places, row)),
    listCompletions: async (held) =>
      (await store.listCompletions(held)).map((step) => ({ ...step, result: readCompletion(places, step.result) })),
  }
}

/** What a program left has gone through them already; what comes from SQL goes through them as it is taken in. */
function takingIn(intake: IntakeStore, places: Places): IntakeStore {
  return passing(intake, ['list'], {
    takeIn: (taken) => intake.takeIn(taken.map((one) => ({ ...one, made: one.made && writeMade(places, one.made) }))),
  })
}

function writeMade(places: Places, made: MadeStart): MadeStart {
  const failure = made.failure === undefined ? undefined : places.writeError(made.failure, 'outcome')
  return { ...made, record: places.ofStart(made.record), failure }
}

/** What goes through the codecs for those who look. */
function watching(
  store: Store,
  places: Places,
): Pick<Store, 'findFinished' | 'findRun' | 'listRuns' | 'listSteps' | 'listAttempts' | 'listEmitted' | 'listLogs'> {
  return {
    findFinished: async (id) => {
      const end = await store.findFinished(id)
      return end && readEnd(places, end)
    },
    findRun: async (id) => {
      const run = await store.findRun(id)
      return run && readRun(places, run)
    },
    listRuns: async (page) => (await store.listRuns(page)).map((run) => readRun(places, run)),
    listSteps: async (id) => (await store.listSteps(id)).map((step) => readStep(places, step)),
    listAttempts: async (id) =>
      (await store.listAttempts(id)).map((row) => ({
        ...row,
        error: places.readError(row.error, placeOfAttempt(row.path)),
      })),
    listEmitted: async (...asked) =>
      (await store.listEmitted(...asked)).map((row) => ({ ...row, value: places.read(row.value, 'emitted') })),
    listLogs: async (...asked) =>
      (await store.listLogs(...asked)).map((row) => ({
        ...row,
        text: places.readPlain(row.text, 'log'),
        fields: row.fields === null ? null : places.readFields(row.fields),
      })),
  }
}

/** Notes are words of people; all else may be read by everybody. */
function investigating(store: InvestigationStore, places: Places): InvestigationStore {
  return passing(store, ['listAgeing', 'listSigns', 'declareStale'], {
    list: async (page) =>
      (await store.list(page)).map((row) => ({
        ...row,
        notes: row.notes === null ? null : places.readPlain(row.notes, 'notes'),
      })),
    keep: (record, audit) => {
      const notes = record.notes === null ? null : places.write(record.notes, 'notes')
      return store.keep({ ...record, notes }, writeAudit(places, audit))
    },
  })
}

/** What was done can be read by everybody; the reason is in words of their own, as it is with the run. */
function writeAudit(places: Places, audit: AuditRecord): AuditRecord {
  return changedReason(audit, (reason) => places.write(reason, 'reason'))
}

function readAudit(places: Places, entry: AuditView): AuditView {
  return changedReason(entry, (reason) => places.readPlain(reason, 'reason'))
}

function changedReason<Entry extends { readonly details: string }>(
  entry: Entry,
  change: (text: string) => string,
): Entry {
  const details = JSON.parse(entry.details) as { readonly reason?: unknown }
  const { reason } = details
  return typeof reason === 'string'
    ? { ...entry, details: JSON.stringify({ ...details, reason: change(reason) }) }
    : entry
}

// What holds no data of programs, or what all may read.
const openOfStore = [
  'listWaits',
  'location',
  'now',
  'internDefinition',
  'internQueue',
  'listNodeViews',
  'insertNode',
  'renewNode',
  'keepLease',
  'leaseLeftMs',
  'updateServing',
  'listNodes',
  'drainNode',
  'clockAheadMs',
  'listFindings',
  'updateNodeClock',
  'rescueNodes',
  'releaseUnheld',
  'deleteNode',
  'expireRuns',
  'wakeRuns',
  'changeCount',
  'whenWritten',
  'listDead',
  'listEntities',
  'countEnded',
  'close',
  'repairRuns',
  'repairLimiters',
  'findToken',
  'retention',
  'templates',
  'pauseQueue',
  'unpauseQueue',
  'listQueues',
  'listQueueNames',
  'internLimiter',
  'setLiveBounds',
  'listLimiters',
  'isHoldingUp',
  'passLimiters',
] as const satisfies readonly (keyof Store)[]

const operatingOpen = [
  'deleteRuns',
  'wakeRunsSetAside',
  'listSetAside',
  'listForkable',
  'pickRuns',
  'countRuns',
  'countCodecKeys',
] as const satisfies readonly (keyof OperatingStore)[]

/** What is in `open` is as it was; what is in neither does not compile. */
function passing<Target extends object, Open extends keyof Target>(
  target: Target,
  _open: readonly Open[],
  own: Omit<Target, Open>,
): Target {
  return new Proxy(target, {
    get: (_target, name) => {
      if (Object.hasOwn(own, name)) return Reflect.get(own, name) as unknown
      const value: unknown = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
