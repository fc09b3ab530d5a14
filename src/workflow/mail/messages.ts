// What a workflow declares of its messages: a schema for each, asked where they are told, or else where they are received.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkName, checkOptions } from '../../engine/checks.ts'
import type { ToldCheck } from '../../engine/definition/definition.ts'
import type { AskSchemas } from '../../engine/definition/message-types.ts'
import { messageUndeclared } from '../../model/message-errors.ts'
import { checkSchema, type MessageOptions } from '../../worker/options.ts'
import { validate } from '../../worker/validate.ts'

/** Schemas of what the runs of a workflow are told, by name; beside them `keep` and `overflow`, as in a worker, for what they send with `ctx.emit`. */
export interface MessagesOption {
  readonly [name: string]: StandardSchemaV1 | AskSchemas | MessageOptions[keyof MessageOptions]
}

/** The schemas alone; unknown where there are none, as any message may be told then. */
export type Declared<Messages> = unknown extends Messages
  ? unknown
  : keyof SchemasOf<Messages> extends never
    ? unknown
    : SchemasOf<Messages>

type SchemasOf<Messages> = {
  readonly [
    Name in keyof Messages as Messages[Name] extends StandardSchemaV1 | AskSchemas ? Name : never
  ]: Messages[Name]
}

export interface SplitMessages {
  readonly emitted: MessageOptions | undefined
  readonly told: ToldCheck | undefined
}

/** Tells the schemas of what a workflow is told from the rules of what it sends. */
export function splitMessages(workflow: string, option: MessagesOption | undefined): SplitMessages {
  if (typeof option !== 'object' || option === null) return { emitted: option, told: undefined }
  const schemas = new Map<string, Partial<AskSchemas>>()
  const emitted: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(option)) {
    if (isRule(name, value)) emitted[name] = value
    else {
      checkName(`The name of a message of '${workflow}'`, name)
      schemas.set(name, schemasOf(`message '${name}' of '${workflow}'`, value))
    }
  }
  return { emitted, told: schemas.size === 0 ? undefined : new DeclaredMessages(workflow, schemas) }
}

/** Throws `option_invalid`. */
function schemasOf(what: string, value: unknown): Partial<AskSchemas> {
  if (typeof value !== 'object' || value === null || !('reply' in value)) {
    checkSchema(what, value)
    return { payload: value as StandardSchemaV1 }
  }
  const { payload, reply } = value as AskSchemas
  checkOptions(what, value, ['payload', 'reply'])
  if (payload !== undefined) checkSchema(`payload of ${what}`, payload)
  checkSchema(`reply of ${what}`, reply)
  return { ...(payload && { payload }), reply }
}

function isRule(name: string, value: unknown): boolean {
  return (name === 'keep' || name === 'overflow') && !(typeof value === 'object' && value !== null)
}

class DeclaredMessages implements ToldCheck {
  readonly #workflow: string
  readonly #schemas: ReadonlyMap<string, Partial<AskSchemas>>

  constructor(workflow: string, schemas: ReadonlyMap<string, Partial<AskSchemas>>) {
    this.#workflow = workflow
    this.#schemas = schemas
  }

  checkName(name: string): void {
    if (this.#schemas.has(name)) return
    throw messageUndeclared(name, `workflow '${this.#workflow}'`, [...this.#schemas.keys()])
  }

  check({ runId, name }: { readonly runId: string; readonly name: string }, payload: unknown): Promise<unknown> {
    return validate(this.#schemas.get(name)?.payload, payload, `Message '${name}' to run ${runId}`)
  }

  replyCheck(name: string): ReturnType<ToldCheck['replyCheck']> {
    const schema = this.#schemas.get(name)?.reply
    return schema && ((runId, reply) => validate(schema, reply, `The answer of run ${runId} to '${name}'`))
  }
}
