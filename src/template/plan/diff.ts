// What is different between two templates, in words.
import { isDeepStrictEqual } from 'node:util'
import { clip, textOf } from '../../lib/text.ts'
import { isPlainObject, type PlainObject } from '../expression/values.ts'
import type { Template } from '../model/template.ts'

const longestValue = 60

/** One sentence for each difference, in the order of the template; none when they say the same. */
export function diff(before: Template, after: Template): readonly string[] {
  const [old, now] = [formOf(before), formOf(after)]
  const [oldSteps, newSteps] = [stepsOf(old), stepsOf(now)]
  const removed = [...oldSteps.keys()].filter((name) => !newSteps.has(name))
  return [
    ...changes('', without(old, 'steps'), without(now, 'steps')),
    ...removed.map((name) => `Step '${name}' is gone.`),
    ...[...newSteps].flatMap(([name, step]) => stepChanges(name, oldSteps.get(name), step)),
  ]
}

function formOf(template: Template): PlainObject {
  const { form, namespace, name, version } = template
  return form ?? { namespace, name, version, steps: [] }
}

function stepsOf({ steps }: PlainObject): ReadonlyMap<string, PlainObject> {
  const listed: readonly unknown[] = Array.isArray(steps) ? steps : []
  return new Map(listed.filter(isPlainObject).map((step) => [String(step['name']), step]))
}

function without(form: PlainObject, key: string): PlainObject {
  return Object.fromEntries(Object.entries(form).filter(([each]) => each !== key))
}

function stepChanges(name: string, before: PlainObject | undefined, after: PlainObject): readonly string[] {
  if (before === undefined) {
    const needs = needsOf(after)
    return [`Step '${name}' is new${needs.length === 0 ? '' : `: it needs ${needs.join(', ')}`}.`]
  }
  const same = ['name', 'needs']
  const rest = (step: PlainObject): PlainObject =>
    Object.fromEntries(Object.entries(step).filter(([key]) => !same.includes(key)))
  return [
    ...needChanges(name, needsOf(before), needsOf(after)),
    ...changes(`Step '${name}': `, rest(before), rest(after)),
  ]
}

function needChanges(name: string, before: readonly string[], after: readonly string[]): readonly string[] {
  const gone = before.filter((need) => !after.includes(need))
  const added = after.filter((need) => !before.includes(need))
  return [
    ...(added.length > 0 ? [`Step '${name}' now needs ${added.join(', ')}.`] : []),
    ...(gone.length > 0 ? [`Step '${name}' no longer needs ${gone.join(', ')}.`] : []),
  ]
}

function needsOf({ needs }: PlainObject): readonly string[] {
  const listed: readonly unknown[] = Array.isArray(needs) ? needs : needs === undefined ? [] : [needs]
  return [...new Set(listed.map(String))]
}

function changes(whose: string, before: PlainObject, after: PlainObject): readonly string[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  return keys.flatMap((key) => {
    const [old, now] = [before[key], after[key]]
    if (isDeepStrictEqual(old, now)) return []
    if (old === undefined) return [`${whose}${key} is new: ${shown(now)}.`]
    if (now === undefined) return [`${whose}${key} is gone; it was ${shown(old)}.`]
    if (isPlainObject(old) && isPlainObject(now)) return changes(`${whose}${key}.`, old, now)
    return [`${whose}${key} was ${shown(old)} and is ${shown(now)}.`]
  })
}

function shown(value: unknown): string {
  return clip(typeof value === 'string' ? JSON.stringify(value) : textOf(value), longestValue)
}
