// What may be told to runs, in types: by the schemas their definition declares, or anything.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { Storable } from '../../lib/storable.ts'
import type { TellOptions } from '../verbs/telling.ts'

/** What is asked by a name, and what is answered: a schema for each. */
export interface AskSchemas {
  readonly payload?: StandardSchemaV1
  readonly reply: StandardSchemaV1
}

/** The names of messages: those declared, or any. */
export type MessageName<Messages> = unknown extends Messages ? string : keyof Messages & string

/** What is told by a name. */
export type Told<Messages, Name extends string> =
  PayloadSchema<Messages, Name> extends infer Schema extends StandardSchemaV1
    ? StandardSchemaV1.InferInput<Schema>
    : unknown

/** What is received by a name: told, and then made of it by its schema. */
export type Received<Messages, Name extends string> =
  PayloadSchema<Messages, Name> extends infer Schema extends StandardSchemaV1
    ? StandardSchemaV1.InferOutput<Schema>
    : unknown

/** What comes back to whoever asks by a name. */
export type Replied<Messages, Name extends string> =
  ReplySchema<Messages, Name> extends infer Schema extends StandardSchemaV1
    ? StandardSchemaV1.InferOutput<Schema>
    : unknown

/** What is answered by a name, before its schema makes something of it. */
export type Answered<Messages, Name extends string> =
  ReplySchema<Messages, Name> extends infer Schema extends StandardSchemaV1
    ? StandardSchemaV1.InferInput<Schema> | Promise<StandardSchemaV1.InferInput<Schema>>
    : unknown

type PayloadSchema<Messages, Name extends string> = Name extends keyof Messages
  ? Messages[Name] extends StandardSchemaV1
    ? Messages[Name]
    : Messages[Name] extends { readonly payload: infer Payload }
      ? Payload
      : undefined
  : undefined

type ReplySchema<Messages, Name extends string> = Name extends keyof Messages
  ? Messages[Name] extends { readonly reply: infer Reply }
    ? Reply
    : undefined
  : undefined

/** What follows the name of a message of a run: as its definition declares, or anything that can be stored. */
export type MessageArguments<Messages, Name extends string, Payload, Options = TellOptions> = unknown extends Messages
  ? [payload?: Payload & Storable<Payload, 'message'>, options?: Options]
  : TellArguments<Told<Messages, Name>, Options>

/** What follows the name of a message. */
export type TellArguments<Payload, Options = TellOptions> = undefined extends Payload
  ? [payload?: Payload, options?: Options]
  : [payload: Payload, options?: Options]
