// The cases every store must pass, on Postgres 15.
import { afterAll, describe, it } from 'vitest'
import { conformance } from '../../src/testing/conformance/conformance.ts'
import { onPostgres } from './on-postgres.ts'

const backend = onPostgres('15')
afterAll(() => backend.close())

conformance(backend, { describe, it })
