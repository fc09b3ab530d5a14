// Why a run will never end: the chain of what it waits for, in words.

import type { RunStatus } from '../engine/verbs/run-status.ts'
import { reasonText } from '../model/reason.ts'
import type { CodePlace } from './performed-code.ts'

export interface StuckRun {
  readonly status: RunStatus
  /** What is performed for it. */
  readonly performing: readonly CodePlace[]
}

/** One sentence on what it waits for, and one on what a test can do about that. */
export async function stuckText(
  run: StuckRun,
  find: (runId: string) => Promise<StuckRun | undefined>,
): Promise<string> {
  const { status, performing } = run
  const { reason, name, id } = status
  const [code] = performing
  if (code !== undefined) {
    const what = code.path === '' ? `its code` : `the function of step '${code.path}'`
    return `'${name}' (${id}) waits for ${what}, which has not returned: time stands still for it. Let it return, or move time with clock.advance().`
  }
  if (reason === undefined)
    return `'${name}' (${id}) is ${status.state}, and its code awaits something that is neither a step nor anything else of its context.`
  const waits = `'${name}' (${id}) waits for ${reasonText(reason)}`
  if (reason.kind === 'message')
    return `${waits}, which nobody tells it: use handle.tell('${reason.name}', …) or onWaiting('${reason.name}', …), or give the receive a timeout.`
  if (reason.kind === 'completion')
    return `${waits}, and nobody does: use troupe.complete(token, output), or give it a timeout.`
  if (reason.kind === 'result' || reason.kind === 'run') {
    const other = await find(reason.runId)
    return other === undefined ? `${waits}.` : `${waits}; ${await stuckText(other, find)}`
  }
  return `${waits}.`
}
