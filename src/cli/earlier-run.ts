// A key that has a run already: whoever gives it again is told what becomes of what was given now.
import { isDeepStrictEqual } from 'node:util'
import type { RunStatus } from '../engine/verbs/run-status.ts'
import type { Io } from './io.ts'
import { oneLine } from './paint.ts'
import { relative } from './times.ts'
import { shortValue } from './values.ts'

export interface Asked {
  readonly payload: unknown
  readonly askedAt: number
  readonly key: string
}

/** Says that the run was there before, and that other input is not used; undefined when it was not there. */
export function earlierText(status: RunStatus, asked: Asked, { clock }: Pick<Io, 'clock'>): string | undefined {
  if (status.createdAt >= asked.askedAt) return undefined
  const input = hasOtherInput(status, asked)
    ? ` with the input ${shortValue(status.input)}: what is given now is not used`
    : ''
  const when = relative(status.createdAt, clock.now())
  return `Key '${oneLine(asked.key)}' is that of run ${status.id}, started ${when}${input}.`
}

export function hasOtherInput({ input }: RunStatus, { payload }: Asked): boolean {
  return !isDeepStrictEqual(input, payload)
}
