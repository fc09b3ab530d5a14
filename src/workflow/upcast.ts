// Upcasts: code of one version takes over the runs of another, with their input and what they remember changed to what it expects.
import type { Activation } from '../engine/activation/activation.ts'
import { checkFunction, checkName, checkObject, checkOptions } from '../engine/checks.ts'
import type { AnyDefinition } from '../engine/definition/definition.ts'
import { openWaits } from '../engine/activation/set-aside.ts'
import { deferred } from '../lib/deferred.ts'
import { decode, encode } from '../lib/codec.ts'
import { toError } from '../lib/errors.ts'
import { optionInvalid } from '../model/errors.ts'
import { patternOf } from '../model/path.ts'
import type { RememberedStep } from '../store/store.ts'
import type { LoopState } from './loop.ts'
import { setAsideAt } from './set-aside.ts'

/** How runs of another version are taken over. */
export interface Upcast {
  /** Makes of their input what this version takes, which its schema then checks; the same unless told. */
  readonly input?: (input: never) => unknown
  /**
   * Make of remembered results what this version expects, by the paths of their steps, with `[]` for any key and without `#2`: `'charge'`, `'ship[]/pack'`,
   * `'receive approve'`, `'resize/result'` for that of a child; for a loop its path, and its state is changed.
   */
  readonly steps?: Readonly<Record<string, (result: never) => unknown>>
}

/** Throws `option_invalid`. */
export function checkUpcasts(name: string, version: string, upcasts: Readonly<Record<string, Upcast>>): void {
  const what = `upcast of '${name}'`
  checkObject(what, upcasts, "an object of versions, as in { '1': { steps: { charge: (old) => … } } }")
  for (const [from, upcast] of Object.entries(upcasts)) {
    checkName(`A version in ${what}`, from)
    if (from === version) throw optionInvalid(`A version in ${what}`, from, 'another version than its own')
    checkOptions(`${what} from ${from}`, upcast, ['input', 'steps'])
    const { input, steps = {} } = upcast
    if (input !== undefined) checkFunction(`input of ${what} from ${from}`, input)
    checkObject(`steps of ${what} from ${from}`, steps)
    for (const [path, change] of Object.entries(steps)) checkFunction(`'${path}' of ${what} from ${from}`, change)
  }
}

/** What performs the runs of the versions that a definition takes over. */
export function takeovers(
  definition: AnyDefinition,
  upcasts: Readonly<Record<string, Upcast>>,
): NonNullable<AnyDefinition['takesOver']> {
  const heirOf = (from: string, upcast: Upcast) => (ownId: number) => ({
    ...definition,
    // Its input is checked when it has been changed.
    settings: { ...definition.settings, input: undefined },
    perform: (activation: Activation) => perform(definition, activation, { from, upcast, ownId }),
  })
  return new Map(Object.entries(upcasts).map(([from, upcast]) => [from, heirOf(from, upcast)]))
}

interface Takeover {
  readonly from: string
  readonly upcast: Upcast
  readonly ownId: number
}

/** change → write → perform; what cannot be changed is set aside. */
async function perform(definition: AnyDefinition, activation: Activation, takeover: Takeover): Promise<unknown> {
  const { upcast, ownId } = takeover
  const { claimed, around } = activation
  const at = { path: '', kind: 'input' }
  try {
    const input =
      upcast.input === undefined
        ? claimed.input
        : await around.encodeInput(definition, upcast.input(decode(claimed.input) as never))
    const steps = claimed.steps.map((step) => {
      Object.assign(at, { path: step.path, kind: step.kind })
      return changed(step, upcast, around.maxValueBytes)
    })
    if (activation.isOver) return undefined
    const renewed = steps.filter((step, place) => step !== claimed.steps[place])
    await upgrade(activation, {
      definitionId: ownId,
      input,
      steps: renewed.map(({ path, value }) => ({ path, value })),
    })
    activation.claimed = { ...claimed, definitionId: ownId, input, steps }
  } catch (error) {
    const end = `cannot take it over from version ${takeover.from}: ${String(toError(error))}`
    setAsideAt(activation, openWaits(claimed), { holds: at, more: 0, asked: [], end })
    return undefined
  }
  return definition.perform(activation)
}

function changed(step: RememberedStep, { steps = {} }: Upcast, maxBytes: number): RememberedStep {
  const isLoop = step.kind === 'loop'
  const pattern = patternOf(isLoop ? step.path.slice(0, -'/state'.length) : step.path)
  const change = Object.hasOwn(steps, pattern) ? steps[pattern] : undefined
  if (change === undefined || step.isError) return step
  const old = decode(step.value)
  const value = isLoop
    ? { ...(old as LoopState), state: change((old as LoopState).state as never) }
    : change(old as never)
  return { ...step, value: encode(value, { maxBytes, what: `upcast of '${step.path}'` }) }
}

interface Upgrade {
  readonly definitionId: number
  readonly input: string
  readonly steps: readonly { readonly path: string; readonly value: string }[]
}

/** From then on the run is one of the new version, on every node. Never resolves when it is not this node's any more. */
async function upgrade(activation: Activation, upgraded: Upgrade): Promise<void> {
  const written = deferred<void>()
  const record = { held: activation.held, ...upgraded }
  activation.write({ written: () => written.resolve() }, [{ list: 'upgrades', record }])
  await written.promise
}
