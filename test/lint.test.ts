// Plants bad files in a folder of their own and sees the linter's rules fire: a rule that is off looks like clean code.

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Planted {
  readonly file: string
  readonly source: string
  readonly rule: string | undefined
}

const lines = (count: number) => Array<string>(count).fill('void 0').join('\n')
const longFunction = (count: number) => `export function long() {\n${'  void 0\n'.repeat(count)}}`
const deep = 'export function deep(a: boolean) { if (a) { if (a) { if (a) { if (a) { return 1 } } } }\n return 0 }'

const wide = 'export const wide = (a: number, b: number, c: number, d: number) => a + b + c + d'
const newTimer = 'export const timer = setTimeout(() => undefined, 1)'

const planted: readonly Planted[] = [
  { file: 'src/engine/right.ts', source: "export { step } from '../workflow/step.ts'", rule: 'no-restricted-imports' },
  { file: 'src/lib/right.ts', source: "export type { Run } from '../model/run.ts'", rule: 'no-restricted-imports' },
  { file: 'src/actor/model.ts', source: "export { run } from '../model/run.ts'", rule: 'no-restricted-imports' },
  { file: 'src/troupe.ts', source: "export { cli } from './cli/cli.ts'", rule: 'no-restricted-imports' },
  { file: 'src/store/sqlite/a.ts', source: "export { a } from '../postgres/a.ts'", rule: 'no-restricted-imports' },
  { file: 'src/store/sql/runs/c.ts', source: "export { c } from '../../sqlite/a.ts'", rule: 'no-restricted-imports' },
  { file: 'src/store/postgres/b.ts', source: "export { b } from '../sqlite/b.ts'", rule: 'no-restricted-imports' },
  { file: 'src/cli/entry.ts', source: "export { Troupe } from '../index.ts'", rule: 'no-restricted-imports' },
  {
    file: 'src/engine/wait.ts',
    source: "export { setTimeout } from 'node:timers/promises'",
    rule: 'no-restricted-imports',
  },
  { file: 'src/workflow/left.ts', source: "export { run } from '../model/run.ts'", rule: undefined },
  { file: 'src/testing/anywhere.ts', source: "export { cli } from '../cli/cli.ts'", rule: undefined },
  {
    file: 'src/model/ping.ts',
    source: "import { pong } from './pong.ts'\nexport const ping = () => pong",
    rule: 'import/no-cycle',
  },
  {
    file: 'src/model/pong.ts',
    source: "import { ping } from './ping.ts'\nexport const pong = () => ping",
    rule: 'import/no-cycle',
  },
  { file: 'src/model/many-lines.ts', source: lines(401), rule: 'max-lines' },
  { file: 'src/model/enough-lines.ts', source: lines(400), rule: undefined },
  { file: 'examples/long.ts', source: longFunction(60), rule: 'max-lines-per-function' },
  { file: 'bench/deep.ts', source: deep, rule: 'max-depth' },
  { file: 'src/model/wide.ts', source: wide, rule: 'max-params' },
  { file: 'src/model/wide.test.ts', source: `${wide}\n${longFunction(60)}\n${lines(401)}`, rule: undefined },
  { file: 'src/store/sqlite/migrations/migrations.ts', source: longFunction(100), rule: undefined },
  {
    file: 'src/model/any.ts',
    source: 'export const anything = (value: any) => value',
    rule: 'typescript/no-explicit-any',
  },
  {
    file: 'src/engine/floating.ts',
    source: 'const later = async () => 1\nexport function go() {\n  later()\n}',
    rule: 'typescript/no-floating-promises',
  },
  { file: 'src/model/default.ts', source: 'export default 1', rule: 'import/no-default-export' },
  { file: 'examples/troupe.config.ts', source: 'export default {}', rule: undefined },
  { file: 'bench/loose.ts', source: 'export const isOne = (value: unknown) => value == 1', rule: 'eqeqeq' },
  { file: 'bench/empty.ts', source: 'try {\n  process.abort()\n} catch {}', rule: 'no-empty' },
  { file: 'src/engine/now.ts', source: 'export const now = new Date()', rule: 'no-restricted-globals' },
  { file: 'src/cli/now.ts', source: 'export const duration = performance.now()', rule: 'no-restricted-globals' },
  { file: 'src/engine/timer.ts', source: newTimer, rule: 'no-restricted-globals' },
  { file: 'src/engine/timer.test.ts', source: newTimer, rule: 'no-restricted-globals' },
  {
    file: 'src/engine/tick.ts',
    source: 'export const t = setInterval(() => undefined, 1)',
    rule: 'no-restricted-globals',
  },
  {
    file: 'src/engine/turn.ts',
    source: 'export const t = setImmediate(() => undefined)',
    rule: 'no-restricted-globals',
  },
  { file: 'src/actor/soon.ts', source: 'queueMicrotask(() => undefined)', rule: 'no-restricted-globals' },
  { file: 'src/engine/random.ts', source: 'export const dice = Math.random()', rule: 'no-restricted-properties' },
  { file: 'src/engine/date.test.ts', source: 'export const now = Date.now()', rule: 'no-restricted-properties' },
  { file: 'src/engine/date-type.ts', source: 'export const at = (time: Date) => time', rule: undefined },
  { file: 'src/lib/clock.ts', source: `export const now = Date.now()\n${newTimer}`, rule: undefined },
  { file: 'bench/now.ts', source: `export const now = performance.now()\n${newTimer}`, rule: undefined },
]

describe('the linter', () => {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-lint-'))
  let found = new Map<string, string[]>()

  beforeAll(() => {
    for (const { file, source } of planted) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      writeFileSync(join(folder, file), `${source}\n`)
    }
    for (const config of ['.oxlintrc.json', 'tsconfig.json', 'package.json']) copyFileSync(config, join(folder, config))
    symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
    found = lint(folder)
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  it.each(planted.filter(({ rule }) => rule !== undefined))('refuses $file by $rule', ({ file, rule }) => {
    expect(found.get(file)).toEqual([rule])
  })

  it.each(planted.filter(({ rule }) => rule === undefined))('accepts $file', ({ file }) => {
    expect(found.get(file)).toBe(undefined)
  })
})

/** The rules that fired in each file. */
function lint(folder: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const { filename, code } of diagnostics(folder)) {
    const rule = /\((.+)\)/.exec(code)?.[1] ?? code
    const plugin = /^(eslint)?([^(]*)/.exec(code)?.[2]?.replace('-plugin-', '') ?? ''
    const name = plugin === '' ? rule : `${plugin}/${rule}`
    const names = found.get(filename) ?? []
    if (!names.includes(name)) found.set(filename, [...names, name])
  }
  return found
}

function diagnostics(folder: string): { filename: string; code: string }[] {
  const { stdout } = run(folder)
  return (JSON.parse(stdout) as { diagnostics: { filename: string; code: string }[] }).diagnostics
}

/** The linter exits with 1 when it has found something. */
function run(folder: string): { stdout: string } {
  const oxlint = resolve('node_modules/oxlint/bin/oxlint')
  try {
    const args = [oxlint, '--type-aware', '--format=json']
    return { stdout: execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' }) }
  } catch (error) {
    return error as { stdout: string }
  }
}
