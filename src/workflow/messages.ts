// What a workflow declares of its messages: a schema for each, asked where they are told, or else where they are received.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { checkName } from '../engine/checks.ts'
import type { ToldCheck } from '../engine/definition.ts'
import { messageUndeclared } from '../model/message-errors.ts'
import { checkSchema, type MessageOptions } from '../worker/options.ts'
import { validate } from '../worker/validate.ts'

/** Schemas of what the runs of a workflow are told, by name; beside them `keep` and `overflow`, as in a worker, for what they send with `ctx.emit`. */
export interface MessagesOption {
  readonly [name: string]: StandardSchemaV1 | MessageOptions[keyof MessageOptions]
}

/** The schemas alone; unknown where there are none, as any message may be told then. */
export type Declared<Messages> = unknown extends Messages
  ? unknown
  : keyof SchemasOf<Messages> extends never
    ? unknown
    : SchemasOf<Messages>

type SchemasOf<Messages> = {
  readonly [Name in keyof Messages as Messages[Name] extends StandardSchemaV1 ? Name : never]: Messages[Name]
}

export interface SplitMessages {
  readonly emitted: MessageOptions | undefined
  readonly told: ToldCheck | undefined
}

/** Tells the schemas of what a workflow is told from the rules of what it sends. */
export function splitMessages(workflow: string, option: MessagesOption | undefined): SplitMessages {
  if (typeof option !== 'object' || option === null) return { emitted: option, told: undefined }
  const schemas = new Map<string, StandardSchemaV1>()
  const emitted: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(option)) {
    if (isRule(name, value)) emitted[name] = value
    else {
      checkName(`The name of a message of '${workflow}'`, name)
      checkSchema(`message '${name}' of '${workflow}'`, value)
      schemas.set(name, value as StandardSchemaV1)
    }
  }
  return { emitted, told: schemas.size === 0 ? undefined : new DeclaredMessages(workflow, schemas) }
}

function isRule(name: string, value: unknown): boolean {
  return (name === 'keep' || name === 'overflow') && !(typeof value === 'object' && value !== null)
}

class DeclaredMessages implements ToldCheck {
  readonly #workflow: string
  readonly #schemas: ReadonlyMap<string, StandardSchemaV1>

  constructor(workflow: string, schemas: ReadonlyMap<string, StandardSchemaV1>) {
    this.#workflow = workflow
    this.#schemas = schemas
  }

  checkName(name: string): void {
    if (this.#schemas.has(name)) return
    throw messageUndeclared(name, `workflow '${this.#workflow}'`, [...this.#schemas.keys()])
  }

  check({ runId, name }: { readonly runId: string; readonly name: string }, payload: unknown): Promise<unknown> {
    return validate(this.#schemas.get(name), payload, `Message '${name}' to run ${runId}`)
  }
}
