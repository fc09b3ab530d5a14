// The cases every store must pass, on Postgres 15.
import { afterAll, describe, it, vi } from 'vitest'
import { conformance } from '../../src/testing/conformance/conformance.ts'
import { onPostgres } from './on-postgres.ts'

const backend = onPostgres('15')
afterAll(() => backend.close())

// Some ask a server a thousand times, which may be busy.
vi.setConfig({ testTimeout: 60_000 })

conformance(backend, { describe, it })
