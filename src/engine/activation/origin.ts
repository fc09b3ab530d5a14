// Where events come from that a run publishes.
import type { EventOrigin } from '../../model/event.ts'
import type { Activation } from './activation.ts'

export function originOf({ claimed, definition }: Pick<Activation, 'claimed' | 'definition'>): EventOrigin {
  const { id, correlationId } = claimed
  return { runId: id, definition: definition.name, ...(correlationId !== null && { correlationId }) }
}
