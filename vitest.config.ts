// How the tests are found and run.

import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.ts'

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^troupe$/, replacement: source('index.ts') },
      { find: /^troupe\/actor$/, replacement: source('actor.ts') },
      { find: /^troupe\/testing$/, replacement: source('testing/testing.ts') },
    ],
  },
  test: {
    include: ['{src,test,examples}/**/*.test.ts'],
    globalSetup: 'test/postgres-hub.ts',
    pool: 'forks',
    sequence: { sequencer: LongestFirst },
    testTimeout: 20_000,
    hookTimeout: 20_000,
  },
})
