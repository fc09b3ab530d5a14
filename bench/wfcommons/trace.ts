// A trace of a workflow in WfFormat 1.5, or 1.4: which tasks there were, which came before which, and how long each took.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { findJsonFault } from '../../src/lib/json-fault.ts'
import { circlesOf, planOf } from '../../src/template/plan/plan.ts'
import { Place, TraceError } from './place.ts'

export interface TracedTask {
  readonly id: string
  /** What kind of work it was, as people call it. */
  readonly category: string
  readonly seconds: number
  /** Those that had to end before it, by their place in the trace. */
  readonly parents: readonly number[]
}

export interface Trace {
  readonly name: string
  readonly tasks: readonly TracedTask[]
  /** How many have no recorded time: they take none. */
  readonly untimed: number
}

/** A task as its form says it; others are named as that form names them. */
interface Said {
  readonly id: string
  readonly category: string
  readonly seconds: number | undefined
  readonly task: Place
}

/** Throws `TraceError`, with file and place. */
export function readTrace(file: string): Trace {
  return traceOf(file, textOf(file))
}

/** Throws `TraceError`, with file and place. */
export function traceOf(file: string, text: string): Trace {
  const whole = new Place(file, jsonOf(file, text))
  const version = whole.at('schemaVersion')
  const read = readers.get(version.value)
  if (read === undefined) throw version.wrong(`"1.5" or "1.4", which are the forms of traces that are known here`)
  const said = read(whole.at('workflow'))
  if (said.length === 0) throw new TraceError(`${file}: the trace has no tasks`)
  const tasks = connected(said)
  const needs = tasks.map(({ id, parents }) => ({ name: id, needs: parents.map((place) => tasks[place]?.id ?? '') }))
  const [circle] = circlesOf(planOf(needs))
  if (circle !== undefined)
    throw new TraceError(`${file}: tasks wait for each other in a circle: ${[...circle, circle[0]].join(' → ')}`)
  return {
    name: basename(file, '.json'),
    tasks,
    untimed: said.filter(({ seconds }) => seconds === undefined).length,
  }
}

const readers = new Map<unknown, (workflow: Place) => readonly Said[]>([
  ['1.5', tasksOf15],
  ['1.4', tasksOf14],
])

/** What is to be done and how it went stand apart, joined by the id of the task. */
function tasksOf15(workflow: Place): readonly Said[] {
  const execution = workflow.at('execution')
  if (execution.value === undefined) throw execution.wrong('there: it tells how long the tasks took')
  const times = new Map(
    execution
      .at('tasks')
      .items()
      .map((task) => [task.at('id').text(), timeOf(task)]),
  )
  const tasks = workflow.at('specification').at('tasks').items()
  return tasks.map((task) => {
    const id = task.at('id').text()
    return { id, category: categoryOf(task, id), seconds: times.get(id), task }
  })
}

/** All of a task stands together, and others mean it by its name. */
function tasksOf14(workflow: Place): readonly Said[] {
  const tasks = workflow.at('tasks').items()
  return tasks.map((task) => {
    const id = task.at('name').text()
    return { id, category: categoryOf(task, id), seconds: timeOf(task), task }
  })
}

/** Undefined where none was recorded. */
function timeOf(task: Place): number | undefined {
  const time = task.at('runtimeInSeconds')
  return time.value === undefined || time.value === null ? undefined : time.seconds()
}

/** The name of a task is that of its program, with a number behind it and, in some collections, a path before it. */
function categoryOf(task: Place, id: string): string {
  const said = task.at('category').value ?? task.at('name').value
  const name = typeof said === 'string' ? said : id
  const short = name
    .replace(/(_?ID)?_?\d+$/, '')
    .split('.')
    .at(-1)
  return short === undefined || short === '' ? name : short
}

/** Edges as parents and as children say them: where the two do not agree, all of them hold. */
function connected(said: readonly Said[]): TracedTask[] {
  const places = new Map<string, number>()
  for (const [place, { id, task }] of said.entries()) {
    if (places.has(id)) throw task.wrong(`a task of its own: "${id}" stands there twice`)
    places.set(id, place)
  }
  const placeOf = (name: Place): number => {
    const place = places.get(name.text())
    if (place === undefined) throw name.wrong('one of the tasks')
    return place
  }
  const parents = said.map(({ task }) => new Set(task.at('parents').items().map(placeOf)))
  for (const [place, { task }] of said.entries())
    for (const child of task.at('children').items()) parents[placeOf(child)]?.add(place)
  return said.map(({ id, category, seconds = 0 }, place) => ({
    id,
    category,
    seconds,
    parents: [...(parents[place] ?? [])],
  }))
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new TraceError(`${file} cannot be read: ${(error as Error).message}`)
  }
}

function jsonOf(file: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    const { offset, expected } = findJsonFault(text) ?? { offset: 0, expected: 'something else' }
    const before = text.slice(0, offset).split('\n')
    throw new TraceError(
      `${file}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}: this is not JSON: expected ${expected} here`,
    )
  }
}
