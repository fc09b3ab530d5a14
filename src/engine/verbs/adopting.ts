// Starts from SQL, of which nobody but the database knows until they are taken in: what they say becomes the start of a run, or of one that fails at once.
import { isTroupeError, toError, type TroupeError } from '../../lib/errors.ts'
import { optionInvalid } from '../../model/errors.ts'
import { keyWithinTransaction } from '../../model/start-errors.ts'
import type { MadeStart, PlainStart } from '../../store/intake.ts'
import { bareStart } from '../../store/start.ts'
import type { AnyDefinition } from '../definition/definition.ts'
import { errorText } from '../error-text.ts'
import { nameOf } from '../failures/failures.ts'
import { checkCallOptions, inputText, type UnkeyedOptions } from './call.ts'
import type { Face } from './face.ts'
import type { Starting } from './starting.ts'

/** Undefined where nobody here can start it: its name is not known, or what it needs is code that others have. */
export async function adopt(face: Face, starting: Starting, plain: PlainStart): Promise<MadeStart | undefined> {
  const definition = await known(face, plain.name)
  if (definition === undefined) return undefined
  try {
    return { ...madeOf(starting, definition, plain), failure: undefined }
  } catch (given) {
    const error = toError(given)
    if (isTroupeError(error, 'worker_not_registered')) return undefined
    const text = `${nameOf(definition)} was started from SQL and its run fails: ${error.message}`
    face.deps.log.error({ run: plain.id, err: error }, text)
    return { ...failing(face, definition, plain), failure: errorText(error) }
  }
}

async function known({ registry, deps }: Face, name: string): Promise<AnyDefinition | undefined> {
  try {
    return registry.isAway(name) ? await registry.bring(name) : registry.find(name)
  } catch (error) {
    // One that cannot be read here is left to others, and holds up none of those behind it.
    if (!isTroupeError(error) || isOfStore(error)) throw error
    const isUnknown = error.code === 'worker_not_registered'
    deps.log[isUnknown ? 'debug' : 'warn']({ err: error }, `a start of '${name}' from SQL waits: ${error.message}`)
    return undefined
  }
}

function isOfStore({ code }: TroupeError): boolean {
  return code === 'engine_stopped' || code.startsWith('store_')
}

type Made = Omit<MadeStart, 'failure'>

/** Throws what is wrong with it. */
function madeOf(starting: Starting, definition: AnyDefinition, plain: PlainStart): Made {
  const { name, settings } = definition
  if (!settings.isDurable) throw optionInvalid(`durable of '${name}'`, false, 'true of what is started from SQL')
  const options = JSON.parse(plain.options) as UnkeyedOptions
  checkCallOptions(options)
  const made = starting.unchecked(definition, inputOf(plain), options)
  if (made.record.key !== null) throw keyWithinTransaction(made.record.key.key)
  return made
}

/** The start of a run of which there is nothing to perform. */
function failing({ registry, engine }: Face, definition: AnyDefinition, plain: PlainStart): Made {
  const { queue = 'default', priority } = definition.settings
  const definitionId = registry.idOf(definition)
  const input = textOf(plain, engine.maxValueBytes)
  const record = { ...bareStart, id: plain.id, definitionId, queueId: 0, priority, input }
  return { queue, record }
}

/** What of its input can be stored. */
function textOf(plain: PlainStart, maxBytes: number): string {
  try {
    return inputText(inputOf(plain), maxBytes)
  } catch {
    return inputText(undefined, maxBytes)
  }
}

function inputOf({ input }: PlainStart): unknown {
  return input === null ? undefined : JSON.parse(input)
}
