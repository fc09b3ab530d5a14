// Keeps the layers a line: a file imports from its own layer or from one to its left.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'

const line = 'lib model actor store engine worker workflow script template entity troupe server client cli'.split(' ')
const entries = ['index.ts', 'actor.ts']

const files = readdirSync('src', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

/** The file behind an import, seen from `src`; undefined for a package. */
function target(file: string, specifier: string): string | undefined {
  return specifier.startsWith('.') ? join(dirname(file), specifier) : undefined
}

const layerOf = (file: string): string => file.split('/')[0]?.replace(/\.ts$/, '') ?? file

/** Why `file` may not import `other`; undefined when it may. */
function objection(file: string, other: string): string | undefined {
  const [from, to] = [layerOf(file), layerOf(other)]
  if (entries.includes(other)) return 'nothing imports an entry file'
  if (from === 'testing' || entries.includes(file)) return undefined
  if (to === 'testing') return file.endsWith('.test.ts') ? undefined : 'only tests import from testing/'
  const stores = [file, other].map((path) => /^store\/(sqlite|postgres)\//.exec(path)?.[1])
  if (stores[0] !== undefined && stores[1] !== undefined && stores[0] !== stores[1]) return 'stores are strangers'
  if (file.startsWith('store/sql/') && stores[1] !== undefined) return 'sql/ knows no database'
  if (!line.includes(to) || !line.includes(from)) return 'not a layer'
  if (from === 'actor' && to !== 'actor' && to !== 'lib') return 'the actor core imports from lib alone'
  return line.indexOf(to) > line.indexOf(from) ? `${to} stands to the right of ${from}` : undefined
}

function objections(file: string, source: string): string[] {
  const imports = source.matchAll(/^\s*(?:import|export)\b[^'"`;]*?\bfrom '([^']+)'|\bimport\(?\s*'([^']+)'/gm)
  return [...imports].flatMap((match) => {
    const other = target(file, match[1] ?? match[2] ?? '')
    const why = other === undefined ? undefined : objection(file, other)
    return why === undefined ? [] : [`${file} imports ${other}: ${why}`]
  })
}

describe('the layers', () => {
  it('are a line: imports go left', () => {
    expect(files.flatMap((file) => objections(file, readFileSync(join('src', file), 'utf8')))).toEqual([])
  })

  it.each([
    [
      'lib/ring.ts',
      "import { runMoves } from '../model/run.ts'",
      'lib/ring.ts imports model/run.ts: model stands to the right of lib',
    ],
    [
      'actor/ref.ts',
      "import type {\n  RunState,\n} from '../model/run.ts'",
      'actor/ref.ts imports model/run.ts: the actor core imports from lib alone',
    ],
    [
      'engine/pool.ts',
      "export { step } from '../workflow/step.ts'",
      'engine/pool.ts imports workflow/step.ts: workflow stands to the right of engine',
    ],
    [
      'engine/pool.ts',
      "const { Troupe } = await import('../troupe.ts')",
      'engine/pool.ts imports troupe.ts: troupe stands to the right of engine',
    ],
    [
      'store/sqlite/runs.ts',
      "import '../postgres/runs.ts'",
      'store/sqlite/runs.ts imports store/postgres/runs.ts: stores are strangers',
    ],
    [
      'store/sql/runs/runs.ts',
      "import '../../sqlite/sqlite.ts'",
      'store/sql/runs/runs.ts imports store/sqlite/sqlite.ts: sql/ knows no database',
    ],
    [
      'cli/cli.ts',
      "import { Troupe } from '../index.ts'",
      'cli/cli.ts imports index.ts: nothing imports an entry file',
    ],
    [
      'cli/cli.ts',
      "import { ManualClock } from '../testing/manual-clock.ts'",
      'cli/cli.ts imports testing/manual-clock.ts: only tests import from testing/',
    ],
    ['cli/cli.ts', "import { cut } from '../utils/cut.ts'", 'cli/cli.ts imports utils/cut.ts: not a layer'],
  ])('has a checker that sees a bad import in %s', (file, source, complaint) => {
    expect(objections(file, source)).toEqual([complaint])
  })

  it('has a checker that accepts what goes left', () => {
    const source =
      "import { Ring } from '../lib/ring.ts'\nimport { readFileSync } from 'node:fs'\nimport { Cell } from './cell.ts'"
    expect(objections('actor/run-queue.ts', source)).toEqual([])
  })
})

describe('every folder', () => {
  it('has a file of its own name, its front door', () => {
    // lib holds parts that have nothing to do with one another; the door of the commands is cli.ts.
    const exempt = ['.', 'lib', 'cli/commands']
    const folders = new Set(files.map((file) => dirname(file)).filter((folder) => !exempt.includes(folder)))
    const doors = [...folders].map((folder) => `${folder}/${folder.split('/').at(-1)}.ts`)
    expect(doors.filter((door) => !existsSync(join('src', door)))).toEqual([])
  })
})
