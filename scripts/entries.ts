// The entry points of the package.

import type { Entry } from './public-types.ts'

export const entries: readonly Entry[] = [
  { name: 'troupe', file: 'src/index.ts' },
  { name: 'troupe/actor', file: 'src/actor.ts' },
  { name: 'troupe/testing', file: 'src/testing/testing.ts' },
]
