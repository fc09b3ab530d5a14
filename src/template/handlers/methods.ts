// Objects whose methods do the work of steps, each as a worker.
import { asDefinition, isDefinition, type AnyDefinition } from '../../engine/definition/definition.ts'
import type { Handler } from '../../engine/definition/handler.ts'
import { isThenable } from '../../lib/thenable.ts'
import { optionInvalid } from '../../model/errors.ts'
import { worker, type WorkerHandler } from '../../worker/worker.ts'
import { handlerName } from '../model/template.ts'

type Method = WorkerHandler<unknown, unknown>

/** The names of what it can do; of a worker or a function that is `call`. Throws `option_invalid` for what can do nothing. */
export function methodsOf(what: string, handler: Handler): readonly string[] {
  const expected = 'a worker, a function (ctx, input), or an object with methods'
  if (isDefinition(handler)) return ['call']
  if (typeof handler === 'function') {
    if (isClass(handler)) throw optionInvalid(what, handler, 'an instance of the class: new …()')
    return ['call']
  }
  if (typeof handler !== 'object' || handler === null || Array.isArray(handler) || isThenable(handler))
    throw optionInvalid(what, handler, expected)
  const names = [...namesOf(handler)]
  if (names.length === 0) throw optionInvalid(what, handler, expected)
  return names
}

export interface MethodOf {
  readonly name: string
  readonly handler: Handler
  readonly method: string
  /** The name is that of the method too. */
  readonly isWhole?: boolean
}

export function workerOf({ name, handler, method, isWhole = false }: MethodOf): AnyDefinition {
  const call: Method =
    typeof handler === 'function'
      ? (handler as Method)
      : (ctx, input) => (handler as Readonly<Record<string, Method>>)[method]?.(ctx, input)
  const own = isWhole ? name : handlerName({ uses: name, method })
  return asDefinition(worker<unknown, unknown>(own, {}, call))
}

/** Its own methods and those of its class and the classes above. */
function namesOf(handler: object): ReadonlySet<string> {
  const names = new Set<string>()
  for (
    let owner: object | null = handler;
    owner !== null && owner !== Object.prototype;
    owner = Object.getPrototypeOf(owner) as object | null
  ) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(owner)))
      if (typeof value === 'function' && name !== 'constructor' && !name.startsWith('_')) names.add(name)
  }
  return names
}

function isClass(handler: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(handler))
}
