// The cases every store must pass, on Postgres 18.
import { afterAll, describe, it } from 'vitest'
import { conformance } from '../../src/testing/conformance/conformance.ts'
import { onPostgres } from './on-postgres.ts'

const backend = onPostgres('18')
afterAll(() => backend.close())

conformance(backend, { describe, it })
