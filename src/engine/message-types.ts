// What may be told to runs, in types: by the schemas their definition declares, or anything.
import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { TellOptions } from './telling.ts'

/** The names of messages: those declared, or any. */
export type MessageName<Messages> = unknown extends Messages ? string : keyof Messages & string

/** What is told by a name. */
export type Told<Messages, Name extends string> = Name extends keyof Messages
  ? Messages[Name] extends StandardSchemaV1
    ? StandardSchemaV1.InferInput<Messages[Name]>
    : unknown
  : unknown

/** What is received by a name: told, and then made of it by its schema. */
export type Received<Messages, Name extends string> = Name extends keyof Messages
  ? Messages[Name] extends StandardSchemaV1
    ? StandardSchemaV1.InferOutput<Messages[Name]>
    : unknown
  : unknown

/** What follows the name of a message. */
export type TellArguments<Payload, Options = TellOptions> = undefined extends Payload
  ? [payload?: Payload, options?: Options]
  : [payload: Payload, options?: Options]
