// What an import of `troupe/actor` weighs: bundled, minified and gzipped. What a thread needs is loaded with the first thread.
import { gzipSync } from 'node:zlib'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { expect, it } from 'vitest'

const most = 17_000

it(`the actor core takes at most ${most} bytes`, async () => {
  const bundle = await rolldown({
    input: fileURLToPath(new URL('../dist/actor.js', import.meta.url)),
    platform: 'node',
    external: (id) => /thread-link|@opentelemetry/.test(id),
  })
  const { output } = await bundle.generate({ minify: true })
  const [{ code }, ...others] = output
  const bytes = gzipSync(code, { level: 9 }).length
  expect(others).toEqual([])
  expect(bytes).toBeLessThan(most)
  expect(bytes).toBeGreaterThan(most - 1000)
})
