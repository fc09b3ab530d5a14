// A run whose input comes from somebody without its schema, who could not check it.
import { decode } from '../../lib/codec.ts'
import type { Activation } from '../activation/activation.ts'
import { readOrLeave } from '../activation/unread.ts'

/** Asks the schema, and then performs the run with what that gives back. */
export async function performUnchecked(activation: Activation): Promise<unknown> {
  const { definition, around, claimed } = activation
  const input = await readOrLeave(activation, async () => around.encodeInput(definition, decode(claimed.input)))
  if (input === undefined) return undefined
  activation.claimed = { ...activation.claimed, input, isUnchecked: false }
  return activation.isOver ? undefined : definition.perform(activation)
}
