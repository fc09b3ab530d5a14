// Checks and runs every ```ts block of the pages and the docstrings: what is shown is what happens.

import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { allBlocks, blocksOf, type Block } from './docs/blocks.ts'
import { compile } from './docs/compile.ts'
import { brokenLinks, type Page } from './docs/links.ts'
import { run } from './docs/run.ts'

const bad = (code: string): Block => ({ file: 'bad.md', line: 10, code, runs: true })

const planted = {
  wrongType: bad("const name: string = 'Ann'\nconst age: number = name"),
  wrongOutput: bad('console.log(1 + 1) // 3'),
  wrongLater: bad('console.log(1) // 1\nfor (const n of [1, 2]) console.log({ n }) // { n: 1 }, { n: 3 }'),
  silent: bad('const never = () => console.log(1) // 1'),
  throwing: bad("throw new RangeError('too far')"),
  rejecting: bad("void Promise.reject(new Error('unheard'))\nawait new Promise(() => undefined)"),
  unknownImport: bad("import { nothing } from 'troupe'\nconsole.log(nothing) // 1"),
  exiting: bad('process.exit(0)'),
}

const shown = allBlocks()
const blocks = [...shown, ...Object.values(planted)]
const name = ({ file, line }: Block): string => `${file}:${line}`

describe('the examples', () => {
  const folder = resolve('.cache', `docs-${process.pid}`)
  let types: string[][] = []
  let problems = new Map<number, readonly string[]>()

  beforeAll(async () => {
    types = compile(blocks, folder)
    problems = await run(
      folder,
      [...blocks.keys()].filter((index) => blocks[index]?.runs),
    )
  }, 120_000)

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  const typesOf = (block: Block) => types[blocks.indexOf(block)]
  const problemsOf = (block: Block) => problems.get(blocks.indexOf(block))

  it.each(shown.map((block) => [name(block), block] as const))('compile: %s', (_, block) => {
    expect(typesOf(block)).toEqual([])
  })

  it.each(shown.filter(({ runs }) => runs).map((block) => [name(block), block] as const))('run: %s', (_, block) => {
    expect(problemsOf(block)).toEqual([])
  })

  it('are run, all but three on Postgres and those of two processes, which have tests of their own', () => {
    const page = 'docs/web-and-worker.md'
    expect(shown.filter(({ runs }) => !runs).map(({ file }) => file)).toEqual([
      'docs/postgres.md',
      'docs/postgres.md',
      'docs/transactions.md',
      page,
      page,
      'src/store/moving/moving.ts',
    ])
  })

  it('fail on a wrong type', () => {
    expect(typesOf(planted.wrongType)).toEqual(["bad.md:11 Type 'string' is not assignable to type 'number'."])
  })

  it('fail on a name that the package does not export', () => {
    expect(typesOf(planted.unknownImport)).toEqual([`bad.md:10 Module '"troupe"' has no exported member 'nothing'.`])
    expect(problemsOf(planted.unknownImport)?.[0]).toMatch(/^threw SyntaxError: .*'nothing'/)
  })

  it('fail when they print something else', () => {
    expect(problemsOf(planted.wrongOutput)).toEqual(['expected 3, printed 2'])
    expect(problemsOf(planted.wrongLater)).toEqual(['expected { n: 1 }, { n: 3 }, printed { n: 1 }, { n: 2 }'])
  })

  it('fail when they do not print what they say', () => {
    expect(problemsOf(planted.silent)).toEqual(['expected 1, printed nothing'])
  })

  it('fail when they throw or leave a rejection unheard', () => {
    expect(problemsOf(planted.throwing)).toEqual(['threw RangeError: too far'])
    expect(problemsOf(planted.rejecting)).toEqual(['threw Error: unheard'])
  })

  it('fail when they end the process', () => {
    expect(problemsOf(planted.exiting)).toEqual(['its process ended before it did'])
  })
})

describe('the links of the pages', () => {
  const isPage = (file: string): boolean => file.endsWith('.md')
  const pageOf = (file: string): Page => ({ file, text: readFileSync(file, 'utf8') })

  it('lead to what is in the package, where the pages are', () => {
    const told = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { encoding: 'utf8' })
    const [packed] = JSON.parse(told) as readonly { readonly files: readonly { readonly path: string }[] }[]
    const files = (packed?.files ?? []).map(({ path }) => path)
    expect(files).toContain('examples/nightly-import/import.yaml')
    expect(brokenLinks(files.filter(isPage).map(pageOf), files)).toEqual([])
  }, 60_000)

  it('lead nowhere where a file, a folder or a heading is not there', () => {
    const text = `# A page\n## It's \`here\`, twice\n## It's here, twice\n
[a](b.md) [a](../c) [a](../c/d.ts) [a](#its-here-twice-1) [a](b.md#b) [a](https://x.y/z)
[x](c.md) [x](../d) [x](#nowhere) [x](b.md#c)\n\`\`\`\n[a](code.md)\n\`\`\`\n`
    const pages = [
      { file: 'docs/a.md', text },
      { file: 'docs/b.md', text: '# B' },
    ]
    expect(brokenLinks(pages, ['docs/a.md', 'docs/b.md', 'c/d.ts'])).toEqual(
      ['c.md', '../d', '#nowhere', 'b.md#c'].map((target) => `docs/a.md: ${target}`),
    )
  })
})

describe('the finder of examples', () => {
  it('takes ts blocks with their lines, and leaves other languages', () => {
    const page = 'Text\n```sh\nls\n```\n```ts\none()\n\ntwo()\n```\n```ts no-run\nthree()\n```\n```\nfour\n```\n'
    expect(blocksOf('page.md', page)).toEqual([
      { file: 'page.md', line: 6, code: 'one()\n\ntwo()', runs: true },
      { file: 'page.md', line: 11, code: 'three()', runs: false },
    ])
  })

  it('takes blocks out of docstrings', () => {
    const source =
      'export class A {\n  /**\n   * Says.\n   *\n   * ```ts\n   * if (a) {\n   *   b()\n   *\n   * }\n   * ```\n   */\n}'
    expect(blocksOf('a.ts', source)).toEqual([{ file: 'a.ts', line: 6, code: 'if (a) {\n  b()\n\n}', runs: true }])
  })

  it('refuses a block that never closes, and spellings that would go unseen', () => {
    expect(() => blocksOf('page.md', '```ts\none()')).toThrow('page.md has a block that never closes')
    expect(() => blocksOf('page.md', '```typescript\none()\n```')).toThrow('page.md:1: say `ts`')
    expect(() => blocksOf('page.md', '```ts norun\none()\n```')).toThrow('page.md:1: `ts norun` is neither')
  })
})
