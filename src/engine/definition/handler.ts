// What programs give for the names that the steps of templates use.
import type { Definition } from './definition.ts'

/**
 * Does the work of steps: a worker, workflow or template; a function `(ctx, input)`; or an object with such functions, of which a step names one by its `method`, `call` unless told.
 */
export type Handler = Definition<never> | HandlerFunction | HandlerObject

export type HandlerFunction = (ctx: never, input: never) => unknown

/** An object, or an instance of a class: each of its methods can be named, but for those that begin with an underscore. */
export type HandlerObject = object

/** By the names that steps use. */
export type HandlerMap = Readonly<Record<string, Handler>>

/** Finds what does the work of a name, when a template with it is registered; undefined when it knows none. */
export type HandlerResolver = (
  name: string,
  step: { readonly method: string | undefined },
) => Handler | undefined | Promise<Handler | undefined>

export interface ResolverOptions {
  /** By which the steps of templates ask for it (`resolver`); the name of the function unless told. */
  readonly name?: string
}
