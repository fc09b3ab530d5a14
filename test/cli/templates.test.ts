// `troupe templates`: what is wrong with templates, as a compiler tells it, and what they look like.
import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { main } from '../../src/cli/cli.ts'
import { unlimited } from '../../src/cli/io.ts'
import { loadTemplate, template, Troupe } from '../../src/index.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { openDriver } from '../../src/store/sqlite/connection/driver.ts'

let folder = ''

async function templates(...argv: readonly string[]) {
  return told(unlimited, argv)
}

function told(columns: number, argv: readonly string[]) {
  return toldBy(columns, ['templates', ...argv])
}

async function toldBy(columns: number, argv: readonly string[]) {
  const said = { out: '', err: '' }
  const isTerminal = columns !== unlimited
  const code = await main(argv, {
    stdout: { isTerminal, columns, write: (text) => void (said.out += text) },
    stderr: { isTerminal, columns, write: (text) => void (said.err += text) },
    env: { NO_COLOR: '1' },
    clock: systemClock,
    folder,
    readStdin: () => Promise.resolve(order),
    onSignal: () => () => {},
  })
  return { code, ...said }
}

const order = `name: order
version: 1.0.0
steps:
  - { name: reserve, uses: reserve-stock, forEach: "\${{ input.items }}" }
  - { name: score, script: return 1 }
  - { name: route, needs: [score], uses: ship-order, type: decision }
  - { name: ship, uses: ship-order, needs: [reserve, route] }
`
const wrong = `name: wrong
steps:
  - name: reserve
    uses: reserve-stok
    config: { at: "\${{ now }}" }
  - name: ship
    uses: ship-order
    needs: [reserv]
`

describe('troupe templates', () => {
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'troupe-cli-'))
    for (const name of ['workers', 'templates']) mkdirSync(join(folder, name))
    const exported = (name: string): string =>
      `{ name: '${name}', runsOn: 'task', settings: { limits: [], tags: [], priority: 0, retention: null, isDurable: true }, perform() {} }`
    const source = `export const a = ${exported('reserve-stock')}\nexport const b = ${exported('ship-order')}\n`
    writeFileSync(join(folder, 'workers/all.mjs'), source.replaceAll('{ name', "{ version: '1', name"))
    writeFileSync(join(folder, 'templates/order.yaml'), order)
    writeFileSync(join(folder, 'wrong.yaml'), wrong)
    writeFileSync(join(folder, 'later.yaml'), order.replace('1.0.0', '1.1.0').replace('[score]', '[score, reserve]'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('validate tells all that is wrong with its place, the line and a mark, and exits with 1', async () => {
    const { code, out, err } = await templates('validate', 'wrong.yaml', 'templates')
    expect(code).toBe(1)
    expect(out)
      .toBe(`wrong.yaml:4:11: error: Step 'reserve' uses 'reserve-stok', which is no worker, workflow or template here. Did you mean 'reserve-stock'?
    4 |     uses: reserve-stok
      |           ^

wrong.yaml:5:19: warning: 'config' is plain data: what stands in '\${{ }}' here is not evaluated. Put it into 'with'.
    5 |     config: { at: "\${{ now }}" }
      |                   ^

wrong.yaml:8:13: error: Step 'ship' needs 'reserv', which is no step. Did you mean 'reserve'?
    8 |     needs: [reserv]
      |             ^

`)
    expect(err).toBe('2 templates: 2 errors, 1 warning\n')
  })

  it('validate fits the window: no line is wider', async () => {
    const { out } = await told(60, ['validate', 'wrong.yaml'])
    expect(Math.max(...out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(60)
    expect(out).toContain("Did you mean\n'reserve-stock'?\n    4 |     uses: reserve-stok\n      |           ^\n")
  })

  it('validate marks where a long line is cut, at its beginning too', async () => {
    writeFileSync(
      join(folder, 'long.yaml'),
      `name: long\nsteps: [{ name: ${'a'.repeat(60)}, script: return 1, wen: 1 }]\n`,
    )
    const { out } = await told(60, ['validate', 'long.yaml'])
    const [, code = '', caret = ''] = out.slice(out.indexOf('long.yaml:2:')).split('\n').slice(-5)
    expect(code).toBe(`    2 | …${'a'.repeat(3)}, script: return 1, wen: 1 }]`)
    expect(code.slice(caret.indexOf('^'))).toBe('wen: 1 }]')
    rmSync(join(folder, 'long.yaml'))
  })

  it('validate takes the templates of the folder, standard input, and workers that are elsewhere', async () => {
    expect(await templates('validate')).toEqual({ code: 0, out: '', err: '1 template: nothing is wrong\n' })
    expect((await templates('validate', '-')).err).toBe('1 template: nothing is wrong\n')
    const elsewhere = await templates('validate', 'wrong.yaml', '--allow-unknown-handlers')
    expect([elsewhere.code, elsewhere.err]).toEqual([1, '1 template: 1 error, 1 warning\n'])
    expect(await templates('validate', 'nobody.yaml')).toEqual({
      code: 2,
      out: '',
      err: 'troupe: There is no file nobody.yaml\n',
    })
  })

  it('validate knows the handlers of the config', async () => {
    const config = "export default { workers: './workers', handlers: { 'Shop::Pay': { refund: () => 1 } } }"
    writeFileSync(join(folder, 'shop.config.mjs'), config)
    const step = (method: string): string => `name: t\nsteps:\n  - { name: a, uses: 'Shop::Pay', method: ${method} }\n`
    writeFileSync(join(folder, 'pay.yaml'), step('refund'))
    expect((await templates('validate', 'pay.yaml', '--config', 'shop.config.mjs')).code).toBe(0)
    writeFileSync(join(folder, 'pay.yaml'), step('refnd'))
    const { out } = await templates('validate', 'pay.yaml', '--config', 'shop.config.mjs')
    expect(out).toContain("uses 'Shop::Pay', which has no method 'refnd' here. Did you mean 'refund'? It has: refund.")
  })

  it('validate --json gives all of it to programs', async () => {
    const { code, out } = await templates('validate', 'wrong.yaml', 'templates/order.yaml', '--json')
    expect(code).toBe(1)
    const [first, second] = JSON.parse(out) as readonly Record<string, unknown>[]
    expect(first).toMatchObject({
      file: 'wrong.yaml',
      valid: false,
      problems: [
        { line: 4, column: 11, severity: 'error' },
        { line: 5, severity: 'warning' },
        { line: 8, column: 13 },
      ],
    })
    expect(second).toMatchObject({ valid: true, name: 'order', version: '1.0.0', problems: [] })
  })

  it('plan shows the levels and the longest way', async () => {
    const { out } = await templates('plan', 'templates/order.yaml')
    expect(out.replace(/[0-9a-f]{12}/, 'HASH')).toBe(`order 1.0.0  HASH  4 steps, 3 levels

LEVEL  STEPS
    1  reserve (each item), score
    2  route (decision)
    3  ship

Longest way (3 steps): score → route → ship
`)
    expect(JSON.parse((await templates('plan', 'templates/order.yaml', '--json')).out)).toMatchObject({
      name: 'order',
      levels: [['reserve', 'score'], ['route'], ['ship']],
      criticalPath: ['score', 'route', 'ship'],
    })
    const bad = await templates('plan', 'wrong.yaml')
    expect([bad.code, bad.out]).toEqual([1, ''])
    expect(bad.err).toContain("wrong.yaml:8:13: error: Step 'ship' needs 'reserv'")
  })

  it('diff tells in words what has changed', async () => {
    const { out } = await templates('diff', 'templates/order.yaml', 'later.yaml')
    expect(out).toBe('version was "1.0.0" and is "1.1.0".\nStep \'route\' now needs reserve.\n')
    expect((await templates('diff', 'later.yaml', 'later.yaml')).err).toBe('They say the same.\n')
    const json = JSON.parse((await templates('diff', 'templates/order.yaml', 'later.yaml', '--json')).out) as object
    expect(json).toMatchObject({
      before: { version: '1.0.0' },
      changes: ['version was "1.0.0" and is "1.1.0".', "Step 'route' now needs reserve."],
    })
  })

  it('graph draws, and writes into a file', async () => {
    expect((await templates('graph', 'later.yaml')).out).toMatch(/^flowchart TD\n {2}s0\["reserve"\]\n/)
    expect((await templates('graph', 'later.yaml', '--svg')).out).toMatch(/^<svg xmlns/)
    expect(await templates('graph', 'later.yaml', '-o', 'later.svg')).toEqual({ code: 0, out: '', err: '' })
    expect(readFileSync(join(folder, 'later.svg'), 'utf8')).toMatch(/^<svg xmlns/)
    expect((await templates('graph', 'later.yaml', '--svg', '--mermaid')).code).toBe(2)
    expect((await templates('graph', 'later.yaml', '-o', 'later.png')).err).toContain('SVG, not as .png')
    expect(existsSync(join(folder, 'later.png'))).toBe(false)
  })

  it('lists what the store keeps', async () => {
    const troupe = await Troupe.open({ store: `sqlite:${join(folder, 'jobs.db')}`, global: false })
    const text = 'name: score\nversion: 2.1.0\nsteps:\n  - { name: a, wait: 1d }\n  - { name: b, wait: 2d }\n'
    for (const each of [text, text.replace('2d', '3d')]) await troupe.call(template(loadTemplate(each).template))
    await troupe.call(template(loadTemplate(text).template))
    await troupe.register(template(loadTemplate(text).template))
    await troupe.start()
    await troupe.stop()
    const { code, out } = await told(80, ['--store', 'sqlite:jobs.db'])
    expect(code).toBe(0)
    const rows = out.split('\n').map((line) =>
      line
        .replace(/[0-9a-f]{12}/, 'HASH')
        .replace(/now|\d+m?s(?= |$)/, 'AGE')
        .trimEnd(),
    )
    expect(rows[0]).toMatch(/^NAME +VERSION +HASH +STEPS +UNFINISHED +KEPT$/)
    expect(rows.slice(1).map((line) => line.split(/ {2,}/))).toEqual([
      ['score', '2.1.0', 'HASH', '2', '1', 'AGE'],
      ['score', '2.1.0', 'HASH', '2', '2', 'AGE', 'by name'],
      [''],
    ])
    const json = JSON.parse((await templates('list', '--store', 'sqlite:jobs.db', '--json')).out) as object
    expect(json).toMatchObject([
      { name: 'score', runs: 1 },
      { name: 'score', runs: 2, isNamed: true },
    ])
    const spoiler = await openDriver(join(folder, 'jobs.db'))
    spoiler.exec("update template set form = '{' where named is null")
    spoiler.close()
    const damaged = await told(80, ['--store', 'sqlite:jobs.db'])
    expect(damaged.out).toMatch(/score +2\.1\.0 +\w+ +damaged .*\nscore +2\.1\.0 +\w+ +2 /)
    expect(damaged.err).toMatch(
      /jobs\.db keeps of template 'score' in version 2\.1\.0 is damaged: a process that registers it/,
    )
  })

  it('says, where there is no store to list those of, that files need none', async () => {
    const none = await templates('--store', 'sqlite:none.db')
    expect([none.code, none.out]).toEqual([69, ''])
    expect(none.err).toContain('There is no store at none.db yet')
    expect(none.err).toContain('\nFiles need no store: troupe templates validate\n')
    const json = await templates('list', '--store', 'sqlite:none.db', '--json')
    expect(JSON.parse(json.err)).toMatchObject({ error: { code: 'store_unavailable' } })
  })

  it('show tells of a run the steps that were left out, with the reasons', async () => {
    const text = `name: approval
steps:
  - { name: route, type: decision, script: "return ['approve']" }
  - { name: approve, needs: [route], script: return 'yes', if: '\${{ input.total > 100 }}' }
  - { name: ask_the_manager, needs: [route], script: return 'yes' }
`
    const engine = await Troupe.open({ store: `sqlite:${join(folder, 'left.db')}`, global: false, logLevel: 'error' })
    await engine.start()
    const run = await engine.call(template(loadTemplate(text).template), { total: 5 })
    await run.result()
    await engine.stop()
    const show = (columns: number, ...flags: string[]) =>
      toldBy(columns, ['show', run.id, '--store', 'sqlite:left.db', ...flags])
    const { out } = await show(80)
    expect(out.slice(out.indexOf('Left out'), out.indexOf('\n\nOutput'))).toBe(`Left out (2)
  ·  approve          its 'if' is not true: input.total > 100
  ·  ask_the_manager  decision 'route' chose 'approve'`)
    const narrow = (await show(40)).out
    expect(narrow.slice(narrow.indexOf('Left out'), narrow.indexOf('\n\nOutput'))).toBe(`Left out (2)
  ·  approve
     its 'if' is not true: input.total >
     100
  ·  ask_the_manager
     decision 'route' chose 'approve'`)
    expect(JSON.parse((await show(unlimited, '--json')).out)).toMatchObject({
      leftOut: [
        { step: 'approve', reason: "its 'if' is not true: input.total > 100" },
        { step: 'ask_the_manager', reason: "decision 'route' chose 'approve'" },
      ],
    })
    const spoiler = await openDriver(join(folder, 'left.db'))
    spoiler.exec("update template set form = '{'")
    spoiler.close()
    expect((await show(80)).out).toContain('\n\nLeft out\n  not known: its template cannot be read here\n\nOutput\n')
    expect(JSON.parse((await show(unlimited, '--json')).out)).not.toHaveProperty('leftOut')
  })

  it('validate reads the scripts too', async () => {
    writeFileSync(
      join(folder, 'scripts.yaml'),
      `name: scripts
steps:
  - { name: sound, script: 'const n: number = 1; return n' }
  - { name: cut, script: "return 1 +" }
  - name: long
    script: |
      const one = 1
      return one one
`,
    )
    const { code, out } = await templates('validate', 'scripts.yaml')
    expect(code).toBe(1)
    const heads = out.split('\n').filter((line) => line.startsWith('scripts.yaml'))
    expect(heads.map((line) => line.replace(/ is not valid: .*/, ''))).toEqual([
      "scripts.yaml:4:37: error: The script of step 'cut'",
      "scripts.yaml:8:18: error: The script of step 'long'",
    ])
    rmSync(join(folder, 'scripts.yaml'))
  })

  it('tells which verb was meant', async () => {
    expect((await templates('valdate')).err).toContain(
      "There is no 'valdate' of troupe templates. Did you mean 'validate'?",
    )
  })
})
