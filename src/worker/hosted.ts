// Whether this is a thread in which attempts of workers run: a program that opens its engine there as well would never come to an end.
import { TroupeError } from '../lib/errors.ts'

const mark = Symbol.for('troupe.thread')

export function markThread(): void {
  Object.assign(globalThis, { [mark]: true })
}

/** Throws `option_invalid` in such a thread. */
export function checkNoThread(): void {
  if (!(mark in globalThis)) return
  throw new TroupeError(
    'option_invalid',
    'Troupe.open was called in a thread of a worker, by the file that is given as its { thread }: put the worker into a file of its own, which opens nothing, or open the engine only if isMainThread of node:worker_threads.',
  )
}
