// The errors around runs, definitions and options: each is written here once, as those of times, starts, messages, families, undoing and interventions are beside it.
import { TroupeError } from '../lib/errors.ts'
import { meantText } from '../lib/nearest.ts'
import type { Discovered } from './discovered.ts'
import type { LiveState, RunState } from './run.ts'

/** What an engine knows of definitions; `searched` as people are to read it. */
export interface KnownWorkers {
  readonly known: readonly string[]
  readonly searched: readonly Discovered[]
}

export function workerNotRegistered(name: string, { known, searched }: KnownWorkers): TroupeError {
  const registered = known.length === 0 ? 'Nothing is registered yet.' : `Registered are: ${shortened(known)}.`
  const remedy =
    searched.length === 0
      ? 'Pass its definition to Troupe.open({ definitions }), or put its file into a folder and name that in { workers }: none was searched.'
      : `${searched.map(searchText).join(' ')} Export its definition from a file there, or pass it to Troupe.open({ definitions }).`
  const elsewhere = 'Or open an engine with it on this store once: from then on all that use the store know its name.'
  return new TroupeError(
    'worker_not_registered',
    `Worker '${name}' not registered.${meantText(name, known)} ${registered} ${remedy} ${elsewhere}`,
    {
      details: { name },
    },
  )
}

/** The store knows the name, which is not enough. */
export function workerNotHere(name: string, option: string): TroupeError {
  return new TroupeError(
    'worker_not_registered',
    `Worker '${name}' not registered in this process, and starting it needs ${option}, which is code: pass its definition to Troupe.open({ definitions }) here too, or leave it to a process that has it.`,
    { details: { name } },
  )
}

/** No engine has a definition with this limiter, and the process has none either. */
export function limiterNotInitialised(name: string): TroupeError {
  return new TroupeError(
    'worker_manager_not_initialised',
    `Worker manager not initialised: limiter '${name}' was asked to run something and found no engine. Await Troupe.open() first, with a definition that names it in { limits } or without { global: false }.`,
    { details: { limiter: name } },
  )
}

export function workerManagerNotInitialised(): TroupeError {
  return new TroupeError(
    'worker_manager_not_initialised',
    'Worker manager not initialised: WORKER is the engine of this process, and there is none. Await Troupe.open() first, without { global: false }, and use WORKER before that engine is stopped.',
  )
}

/** What ended a thread. */
export interface Crash {
  /** What was thrown and not caught. */
  readonly error: Error | undefined
  readonly exitCode: number
}

export function workerCrashed(name: string, { error, exitCode }: Crash): TroupeError {
  const isMemory = (error as { code?: unknown } | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY'
  const how = isMemory
    ? 'its thread ran out of memory. Let it do less at a time, or allow more with resourceLimits in { thread }.'
    : error === undefined
      ? `its code ended the thread, with exit code ${exitCode}. Let it throw instead.`
      : `an error outside of what its handler awaits was not caught: ${error.message}. Await or catch it there.`
  return new TroupeError('worker_crashed', `Worker '${name}' crashed: ${how}`, {
    cause: error,
    details: { name, exitCode },
    retryable: true,
  })
}

export function handlerMissing(name: string, file: string, exported: readonly string[]): TroupeError {
  const found = exported.length === 0 ? 'nothing' : shortened(exported)
  return new TroupeError(
    'definition_invalid',
    `Worker '${name}' is not in ${file}, which its { thread } names; that exports ${found}. Export the definition there, or a function named handler.`,
    { details: { name, file }, retryable: false },
  )
}

export function runNotFound(runId: string): TroupeError {
  return new TroupeError(
    'run_not_found',
    `Worker run '${runId}' not found: list what there is with \`troupe runs\`, and check that --store names the right file.`,
    { details: { runId } },
  )
}

export function scheduleNotFound(name: string, known: readonly string[]): TroupeError {
  const names = shortened(known.map((one) => `'${one}'`))
  const there = known.length === 0 ? 'there is none' : `there ${known.length === 1 ? 'is' : 'are'} ${names}`
  return new TroupeError('schedule_not_found', `Schedule '${name}' not found: ${there}.${meantText(name, known)}`, {
    details: { name },
  })
}

export function scheduleExists(name: string): TroupeError {
  return new TroupeError(
    'definition_exists',
    `A schedule named '${name}' is declared already: give one of them another name.`,
    { details: { name } },
  )
}

export function runCancelled(name: string, runId: string, reason: string | undefined): TroupeError {
  return new TroupeError('run_cancelled', `Run ${runId} of '${name}' was cancelled${reason ? `: ${reason}` : ''}`, {
    details: { runId, reason: reason ?? null },
  })
}

export function runLost(deliveries: number): TroupeError {
  return new TroupeError(
    'run_lost',
    `The process died ${deliveries} times while it ran this, without finishing a step: look for what kills it (memory, a native crash), then start it again.`,
    { details: { deliveries }, retryable: false },
  )
}

/** `state` is `not_stored` for a run that lives in one process only. */
export function retryRefused(runId: string, state: RunState | 'not_stored'): TroupeError {
  return new TroupeError('retry_refused', `Run ${runId} ${notAgain[state]}`, { details: { runId, state } })
}

export function deleteRefused(runId: string, state: LiveState | 'not_stored'): TroupeError {
  const why = state === 'not_stored' ? 'is not stored (durable: false): there is nothing to delete.' : notDeleted[state]
  return new TroupeError('delete_refused', `Run ${runId} ${why}`, { details: { runId, state } })
}

const endFirst = 'only a run that has ended is deleted. Cancel it first.'
const notDeleted: Readonly<Record<LiveState, string>> = {
  ready: `is ready to run: ${endFirst}`,
  scheduled: `starts by itself later: ${endFirst}`,
  running: `is running: ${endFirst}`,
  parked: `goes on by itself later: ${endFirst}`,
}

const goesOn = 'only a run that failed or was cancelled is tried again. Wait for its end, or cancel it first.'
const ended = 'has ended and is tried again by somebody else: look at it once more.'
const notAgain: Readonly<Record<RunState | 'not_stored', string>> = {
  ready: `is ready to run: ${goesOn}`,
  scheduled: `starts by itself later: ${goesOn}`,
  running: `is running: ${goesOn}`,
  parked: `goes on by itself later: ${goesOn}`,
  succeeded:
    'succeeded: only a run that failed or was cancelled is tried again. Start another one with the same input.',
  failed: ended,
  cancelled: ended,
  not_stored: 'is not stored (durable: false), so there is nothing to go on from: call its worker again.',
}

export function journalMismatch(path: string, stored: string, asked: string): TroupeError {
  return new TroupeError(
    'journal_mismatch',
    `Step '${path}' was a ${stored} when this run first reached it and is a ${asked} now: give the new one another name, or run the old code to the end.`,
    { details: { path, stored, asked }, retryable: false },
  )
}

export function stepNameTaken(path: string): TroupeError {
  return new TroupeError(
    'step_name_taken',
    `Step '${path}' is already under way in this scope: use ctx.map with a key, or give each of the parallel steps its own name; runs that are started get one with the option { name }.`,
    { details: { path }, retryable: false },
  )
}

export function leaseLost(runId: string): TroupeError {
  return new TroupeError(
    'lease_lost',
    `Run ${runId} is another node's now: what this attempt still does is not recorded.`,
    { details: { runId } },
  )
}

export function slotLost(): TroupeError {
  return new TroupeError(
    'lease_lost',
    'The slot of a limiter is lost, because this node did not renew its lease in time: others may pass while this goes on, so end it when the signal aborts.',
  )
}

export function notOpened(): TroupeError {
  return new TroupeError(
    'option_invalid',
    'A Troupe is not made with new: open one with `await Troupe.open({ … })`, as its store has to be opened first.',
  )
}

export function engineStopped(): TroupeError {
  return new TroupeError('engine_stopped', 'This Troupe is stopped and takes no more work: open another one.')
}

export function engineFailed(part: string, cause: Error | undefined): TroupeError {
  return new TroupeError(
    'engine_failed',
    `The ${part} of this engine failed, so it takes no more work: nothing acknowledged is lost; stop it, open another one, and report this.`,
    { cause, details: { part } },
  )
}

export function definitionExists(name: string, version: string): TroupeError {
  return new TroupeError(
    'definition_exists',
    `A definition named '${name}' of version ${version} is registered already: rename one, give it another version, or register with { replace: true }.`,
    { details: { name, version } },
  )
}

export function definitionInvalid(what: string): TroupeError {
  return new TroupeError('definition_invalid', what)
}

export function limiterKeyThrew(name: string, whose: string, error: Error): TroupeError {
  return new TroupeError(
    'option_invalid',
    `The key of limiter '${name}' threw at ${whose}: ${error.message}. Let it make a text of every input, or refuse inputs with a schema.`,
    { details: { limiter: name }, cause: error },
  )
}

export function limiterTaken(name: string): TroupeError {
  return definitionInvalid(
    `Limiter '${name}' is there with other bounds already: use the one object for all that share it, or another name.`,
  )
}

/** `instead`: what does the same here, where the name is known from elsewhere. */
export function optionUnknown(option: string, known: readonly string[], instead?: string): TroupeError {
  const hint = instead === undefined ? '' : `it is ${instead} here; `
  return new TroupeError('option_invalid', `${option} is not known: ${hint}expected one of ${known.join(', ')}.`, {
    details: { option },
  })
}

/** A queue or limiter that nobody has; `remedy` says since when one is known. */
export function nameUnknown(what: string, name: string, { known, remedy }: UnknownName): TroupeError {
  const list = known.length === 0 ? 'There is none yet.' : `Known are ${shortened(known)}.`
  return new TroupeError(
    'option_invalid',
    `The ${what} '${name}' is not known.${meantText(name, known)} ${list} ${remedy}`,
    { details: { option: what, name } },
  )
}

interface UnknownName {
  readonly known: readonly string[]
  readonly remedy: string
}

/** Two options of which only one can be given; `why` ends the sentence. */
export function optionsClash(first: string, second: string, why: string): TroupeError {
  return new TroupeError('option_invalid', `${first} and ${second} are given, and only one of them can be: ${why}.`, {
    details: { option: first },
  })
}

export function optionInvalid(option: string, received: unknown, expected: string): TroupeError {
  return new TroupeError('option_invalid', `${option} is ${printed(received)}: expected ${expected}.`, {
    details: { option },
  })
}

// More than a person reads.
const mostNames = 12

function shortened(names: readonly string[]): string {
  const more = names.length - mostNames
  return `${names.slice(0, mostNames).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}

function searchText({ folder, files, skipped }: Discovered): string {
  const count = files.length === 1 ? '1 file' : `${files.length} files`
  const why = shortened(skipped.map((one) => `${one.file} (${one.why})`))
  return `Looked in the folder ${folder} and loaded ${count}${why === '' ? '' : `; skipped ${why}`}.`
}

function printed(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  try {
    return JSON.stringify(value) ?? String(value)
  } catch {
    return Object.prototype.toString.call(value)
  }
}

/** Events of a step go through a publisher that no process has. */
export function publisherUnknown(asked: {
  readonly publisher: string
  readonly step: string
  readonly template: string
  readonly known: readonly string[]
}): TroupeError {
  const { publisher, step, template, known } = asked
  const message = `Step '${step}' of template '${template}' publishes through '${publisher}', which is no publisher here: pass it to Troupe.open({ publishers }).${meantText(publisher, known)}`
  return new TroupeError('definition_invalid', message, { details: { publisher, step, template } })
}
