// How the tests are found and run.

import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url))

// oxlint-disable-next-line import/no-default-export -- vitest looks for it
export default defineConfig({
  resolve: {
    alias: [
      { find: /^troupe$/, replacement: source('index.ts') },
      { find: /^troupe\/(.+)$/, replacement: source('$1.ts') },
    ],
  },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
})
