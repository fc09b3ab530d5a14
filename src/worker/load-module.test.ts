import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { loadModule } from './load-module.ts'

async function refusal(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'troupe-load-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const [result] = await Promise.allSettled([loadModule(join(folder, 'a.ts'))])
  const message = result.status === 'rejected' ? (result.reason as Error).message : 'was loaded'
  return message.replaceAll(`${relative('.', folder)}/`, '')
}

it('names the line that is no TypeScript', async () => {
  expect(await refusal({ 'a.ts': 'const a = 1\nexport default {{\n' })).toBe(
    'a.ts could not be loaded: ParseError: Unexpected token (a.ts:2:16)',
  )
})

it('names the line that threw, also in a file that it imports', async () => {
  expect(await refusal({ 'a.ts': '\n\nexport const a = gone.b\n' })).toBe(
    'a.ts could not be loaded: gone is not defined (a.ts:3)',
  )
  const inner = { 'a.ts': "import { b } from './b.ts'\nexport const a = b\n", 'b.ts': '\nexport const b = gone\n' }
  expect(await refusal(inner)).toBe('a.ts could not be loaded: gone is not defined (b.ts:2)')
})

it('names the line of an import that leads nowhere', async () => {
  expect(await refusal({ 'a.ts': "// why\n\nimport { b } from './b.ts'\nexport const a = b\n" })).toBe(
    "a.ts could not be loaded: Cannot find module './b.ts' (a.ts:3)",
  )
})
