// Writes the public types to api.txt, so that a change of the public API shows in review: `npm run api`.

import { writeFileSync } from 'node:fs'
import { entries } from './entries.ts'
import { publicTypes } from './public-types.ts'

writeFileSync('api.txt', publicTypes(entries))
